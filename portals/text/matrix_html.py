"""Matrix `formatted_body` → document, and document → HTML.

HTML is read by a real parser and only what the Matrix specification allows in it counts: other tags lend their
content, scripts and styles vanish, links keep only the allowed schemes, and `<mx-reply>` goes with all that it holds.
Nesting is followed to the depth limit; markup that is nested absurdly is not given to the parser at all, whose time
grows with the square of the depth.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from portals.text.document import (
    BOLD,
    BREAK,
    CODE,
    DEPTH_LIMIT,
    ITALIC,
    PLAIN,
    STRIKE,
    UNDERLINE,
    Block,
    Blocks,
    CodeBlock,
    Details,
    Document,
    Emoji,
    Heading,
    Image,
    Inline,
    Inlines,
    Link,
    List,
    Paragraph,
    Quote,
    Rule,
    Spoiler,
    Table,
    Text,
    clean,
    joined,
    paragraphs,
    text_inlines,
    words_of,
)
from portals.text.matrix_links import is_safe, mention_of, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

_LONGEST = 1_000_000
_DEEPEST_MARKUP = 1_000
_SPACE = re.compile("[ \t\n\r\f]+")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]{0,30})")
_ANY_TAG = re.compile(r"<[^<>]*>")
_CONTENTLESS = frozenset(("br", "hr", "img", "input", "meta", "link", "wbr", "p", "li", "td", "tr", "th"))
_DROPPED = frozenset(
    ("mx-reply", "script", "style", "title", "head", "template", "noscript", "iframe", "object", "svg", "math", "!--")
)
_STYLES = {
    "b": BOLD,
    "strong": BOLD,
    "i": ITALIC,
    "em": ITALIC,
    "u": UNDERLINE,
    "ins": UNDERLINE,
    "s": STRIKE,
    "del": STRIKE,
    "strike": STRIKE,
    "code": CODE,
    "tt": CODE,
    "kbd": CODE,
}
_BREAKING = frozenset(
    ("p", "div", "section", "article", "header", "footer", "main", "center", "dl", "dt", "dd", "address", "figure")
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SUPER = str.maketrans("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_SUB = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_CUSTOM_NAME = re.compile(r"[^\s:<>]{1,100}")
_LANGUAGE = re.compile(r"language-([\w.+#-]{1,40})")


def parse(html: str) -> Document:
    """Return the document that a careful Matrix client shows for this HTML."""
    html = clean(html)
    if len(html) > _LONGEST or _depth(html) > _DEEPEST_MARKUP:
        return Document(tuple(paragraphs(text_inlines(_ANY_TAG.sub("", html)))))
    body = LexborHTMLParser(html).body
    flow = _Flow()
    if body is not None:
        _children(body, PLAIN, flow, 0)
    return Document(flow.closed())


def _depth(html: str) -> int:
    """An upper bound, near enough, of how deep the markup nests."""
    if html.count("<") <= _DEEPEST_MARKUP:
        return 0
    depth = deepest = 0
    for match in _TAG.finditer(html):
        if match[1]:
            depth = max(depth - 1, 0)
        elif match[2].lower() not in _CONTENTLESS:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


class _Flow:
    """Blocks being filled; inlines gather into paragraphs between them, with HTML's rules for white space."""

    __slots__ = ("blocks", "inlines", "spaced")

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.inlines: list[Inline] = []
        self.spaced = True

    def text(self, words: str, style: int) -> None:
        if "  " in words or not words.isprintable():
            words = _SPACE.sub(" ", words)
        if self.spaced:
            words = words.removeprefix(" ")
        if words:
            self.spaced = words.endswith(" ")
            self.inlines.append(Text(words if words.isascii() else words.replace("\u00a0", " "), style))

    def add(self, inline: Inline) -> None:
        self.spaced = False
        self.inlines.append(inline)

    def line_break(self) -> None:
        self._trim()
        self.inlines.append(BREAK)
        self.spaced = True

    def block(self, block: Block) -> None:
        self.flush()
        self.blocks.append(block)

    def flush(self) -> None:
        self._trim()
        if self.inlines:
            self.blocks += paragraphs(self.inlines)
            self.inlines = []
        self.spaced = True

    def _trim(self) -> None:
        last = self.inlines[-1] if self.inlines else None
        if self.spaced and isinstance(last, Text):
            self.inlines[-1] = Text(last.text.removesuffix(" "), last.style)

    def closed(self) -> Blocks:
        self.flush()
        return tuple(self.blocks)


def _nodes(parent: LexborNode) -> Iterator[LexborNode]:
    node = parent.child
    while node is not None:
        yield node
        node = node.next


def _children(parent: LexborNode, style: int, flow: _Flow, depth: int) -> None:
    node = parent.child
    while node is not None:
        _node(node, style, flow, depth + 1)
        node = node.next


def _node(node: LexborNode, style: int, flow: _Flow, depth: int) -> None:
    if node.is_text_node:
        flow.text(node.text_content or "", style)
    elif node.is_element_node:
        _element(node, style, flow, depth)


def _inner(node: LexborNode, style: int, depth: int) -> Blocks:
    flow = _Flow()
    _children(node, style, flow, depth)
    return flow.closed()


def _element(node: LexborNode, style: int, flow: _Flow, depth: int) -> None:
    tag = node.tag or ""
    if tag in _DROPPED:
        return
    if depth > DEPTH_LIMIT:
        flow.text(node.text(deep=True), style)
    elif tag in _STYLES:
        _children(node, style | _STYLES[tag], flow, depth)
    elif tag == "a":
        _anchor(node, style, flow, depth)
    elif tag == "br":
        flow.line_break()
    elif tag in _BREAKING:
        if math := _attribute(node, "data-mx-maths"):
            flow.block(CodeBlock(math, "latex"))
            return
        flow.flush()
        _children(node, style, flow, depth)
        flow.flush()
    elif tag == "span":
        _span(node, style, flow, depth)
    elif tag == "img":
        _picture(node, style, flow)
    elif tag in ("sup", "sub"):
        _script(node, style, flow, depth, tag)
    elif not _structure(node, tag, style, flow, depth):
        _children(node, style, flow, depth)


def _structure(node: LexborNode, tag: str, style: int, flow: _Flow, depth: int) -> bool:
    """Add a block that is more than a paragraph; False for any other tag."""
    if tag in _HEADINGS:
        inlines = joined(_inner(node, style, depth))
        if inlines:
            flow.block(Heading(_HEADINGS[tag], inlines))
    elif tag == "blockquote":
        inner = _inner(node, style, depth)
        if inner:
            flow.block(Quote(inner))
    elif tag in ("ul", "ol"):
        _list(node, tag == "ol", style, flow, depth)
    elif tag == "pre":
        _preformatted(node, flow)
    elif tag == "hr":
        flow.block(Rule())
    elif tag == "table":
        _table(node, style, flow, depth)
    elif tag == "details":
        _details(node, style, flow, depth)
    else:
        return False
    return True


def _attribute(node: LexborNode, name: str) -> str:
    return (node.attributes.get(name) or "").strip()


def _inside(node: LexborNode, style: int, flow: _Flow, depth: int) -> Inlines:
    """The inlines of an inline element, whose white space continues that of the text around it."""
    inner = _Flow()
    inner.spaced = flow.spaced
    _children(node, style, inner, depth)
    if inner.blocks:
        return joined(inner.closed())
    flow.spaced = inner.spaced
    return tuple(inner.inlines)


def _anchor(node: LexborNode, style: int, flow: _Flow, depth: int) -> None:
    url = "".join(_attribute(node, "href").split())
    if url.startswith("//"):
        url = f"https:{url}"
    inner = _inside(node, style, flow, depth)
    mention = mention_of(url, " ".join(words_of(inner).split()), style)
    if mention is not None:
        flow.add(mention)
        return
    url = web_address(url)
    if not is_safe(url):
        flow.inlines += inner
    elif not inner:
        flow.add(Link(url, url, style))
    else:
        for inline in inner:
            flow.inlines += _as_link(inline, url)


def _as_link(inline: Inline, url: str) -> list[Inline]:
    if isinstance(inline, (Emoji, Image)):
        return [Link(url, words_of((inline,)), inline.style)]
    if not isinstance(inline, Text):
        return [inline]
    words = inline.text.strip(" ")
    if not words:
        return [inline]
    lead, _, trail = inline.text.partition(words)
    return [Text(lead, inline.style), Link(url, words, inline.style), Text(trail, inline.style)]


def _span(node: LexborNode, style: int, flow: _Flow, depth: int) -> None:
    attributes = node.attributes
    if math := _attribute(node, "data-mx-maths"):
        flow.add(Text(" ".join(math.split()), style | CODE))
    elif "data-mx-spoiler" in attributes:
        flow.inlines.append(
            Spoiler(_inside(node, style, flow, depth), " ".join(_attribute(node, "data-mx-spoiler").split()))
        )
    else:
        _children(node, style, flow, depth)


def _picture(node: LexborNode, style: int, flow: _Flow) -> None:
    source = "".join(_attribute(node, "src").split())
    words = " ".join((_attribute(node, "alt") or _attribute(node, "title")).split())
    if "data-mx-emoticon" in node.attributes:
        name = words.strip(":")
        if _CUSTOM_NAME.fullmatch(name):
            flow.add(Emoji(name, None, style))
        elif words:
            flow.add(Text(words, style))
    elif source.lower().startswith(("mxc://", "https://", "http://")):
        flow.add(Image(source, words, style))
    elif words:
        flow.add(Text(words, style))


def _script(node: LexborNode, style: int, flow: _Flow, depth: int, tag: str) -> None:
    """Raised and lowered text by Unicode where that has all of its characters, else marked with `^` or `_`."""
    inlines = _inside(node, style, flow, depth)
    words = words_of(inlines)
    table, mark = (_SUPER, "^") if tag == "sup" else (_SUB, "_")
    if words and all(ord(char) in table for char in words):
        flow.add(Text(words.translate(table), style))
    elif inlines:
        plain = len(words) == 1
        flow.inlines += [Text(mark if plain else f"{mark}(", style), *inlines, Text("" if plain else ")", style)]


def _list(node: LexborNode, ordered: bool, style: int, flow: _Flow, depth: int) -> None:
    items: list[Blocks] = []
    for child in _nodes(node):
        inner = _inner(child, style, depth + 1) if child.tag == "li" else _one(child, style, depth + 1)
        if child.tag != "li" and inner and items:
            items[-1] += inner
        elif child.tag == "li" or inner:
            items.append(inner)
    if items:
        flow.block(List(ordered, tuple(items), _number(_attribute(node, "start")) if ordered else 1))


def _one(node: LexborNode, style: int, depth: int) -> Blocks:
    flow = _Flow()
    _node(node, style, flow, depth)
    return flow.closed()


def _number(value: str) -> int:
    return min(int(value), 10**9) if value.isascii() and value.isdigit() and len(value) < 15 else 1


def _preformatted(node: LexborNode, flow: _Flow) -> None:
    """Code keeps its text; `<br>` is a line there too, which the parser's text of a node leaves out."""
    language = ""
    words: list[str] = []
    for inner in node.traverse(include_text=True):
        if inner.is_text_node:
            words.append(inner.text_content or "")
        elif inner.tag == "br":
            words.append("\n")
        elif inner.tag == "code" and not language:
            match = _LANGUAGE.search(inner.attributes.get("class") or "")
            language = match[1] if match else ""
    text = "".join(words).strip("\n")
    if text:
        flow.block(CodeBlock(text, language))


def _table(node: LexborNode, style: int, flow: _Flow, depth: int) -> None:
    rows: list[tuple[Inlines, ...]] = []
    headed = False
    for part in _nodes(node):
        if part.tag == "caption":
            caption = joined(_inner(part, style, depth + 1))
            if caption:
                flow.block(Paragraph(caption))
            continue
        for row in [part] if part.tag == "tr" else _nodes(part):
            if row.tag != "tr":
                continue
            cells = [cell for cell in _nodes(row) if cell.tag in ("td", "th")]
            if not rows and cells and all(cell.tag == "th" for cell in cells):
                headed = True
            if cells:
                rows.append(tuple(joined(_inner(cell, style, depth + 3)) for cell in cells))
    if rows:
        flow.block(Table(tuple(rows), headed))


def _details(node: LexborNode, style: int, flow: _Flow, depth: int) -> None:
    summary: Inlines = ()
    inner = _Flow()
    for child in _nodes(node):
        if child.tag == "summary" and not summary:
            summary = joined(_inner(child, style, depth + 1))
        else:
            _node(child, style, inner, depth + 1)
    flow.block(Details(summary, inner.closed()))
