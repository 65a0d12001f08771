"""Slack mrkdwn → document.

One pass of a lexer finds every character that can mean something; a delimiter stack then pairs `*`, `_` and `~` by
Slack's rules: a mark opens only at the start of a word and before a non-space, closes only after a non-space and at
the end of a word, and never reaches over a line. There are no escapes but `&amp;`, `&lt;` and `&gt;`. Code spans and
``` blocks are literal. `>` starts a quoted line and `>>>` quotes the whole rest. Bullets typed as text stay text, as
in Slack. Everything takes time linear in the length of the text, and any text is accepted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, cast

from portals.text import emoji
from portals.text.document import (
    BOLD,
    BREAK,
    CODE,
    ITALIC,
    PLAIN,
    STRIKE,
    Block,
    Broadcast,
    ChannelMention,
    CodeBlock,
    Document,
    Emoji,
    Inline,
    Link,
    Quote,
    SlackUser,
    Text,
    Time,
    UsergroupMention,
    clean,
    paragraphs,
    with_style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEXER = re.compile(
    r"""
      (?P<code> `[^`\n]+` )
    | (?P<entity> <[^<>\n]{1,8000}> )
    | (?P<emoji> :[a-z0-9_+'\-]{1,100}(?:::skin-tone-[2-6](?:-[2-6])?)?: )
    | (?P<rule> \*{4,} | _{4,} | ~{4,} )
    | (?P<mark> [*_~] )
    """,
    re.VERBOSE,
)
_LINKED = re.compile(r"<((?:https?|mailto):[^<>|\n]{1,8000})(?:\|([^<>\n]{0,8000}))?>")
_SPECIAL = re.compile(r"[`<:*_~]")
_MARKS = {"*": BOLD, "_": ITALIC, "~": STRIKE}
_SLACK_ID = re.compile(r"[A-Z0-9]{1,40}")
_BROADCASTS = {"here", "channel", "everyone"}
_QUOTE = "&gt;"


def parse(text: str) -> Document:
    """Return the document that Slack shows for this mrkdwn text."""
    return Document(tuple(_blocks(clean(text))))


def unescape(text: str) -> str:
    """Undo Slack's escaping of exactly `&`, `<` and `>`."""
    if "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """Escape `&`, `<` and `>`, after which no text can be a mention, a broadcast or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inlines(text: str, style: int = PLAIN) -> list[Inline]:
    """Return the inlines of mrkdwn text in a place that holds neither quotes nor code blocks."""
    out: list[Inline] = []
    for number, line in enumerate(clean(text).split("\n")):
        if number:
            out.append(BREAK)
        if line:
            out.extend(_line(line, style))
    return out


def _blocks(text: str) -> list[Block]:
    out: list[Block] = []
    segments = _segments(text)
    for number, (is_code, part) in enumerate(segments):
        if is_code:
            out += _code_block(part)
            continue
        lines = part.split("\n")
        start = _long_quote(lines)
        _lines(lines[:start], out)
        if start is not None:
            first = lines[start].removeprefix(_QUOTE * 3).removeprefix(">>>").removeprefix(" ")
            rest = [(False, "\n".join([first, *lines[start + 1 :]])), *segments[number + 1 :]]
            inner = [block for code, words in rest for block in _below_long_quote(code, words)]
            return [*out, Quote(tuple(inner))] if inner else out
    return out


def _below_long_quote(is_code: bool, words: str) -> list[Block]:
    """Blocks of the rest of a message below `>>>`, where a further `>` is nothing new."""
    return _code_block(words) if is_code else paragraphs(inlines(words))


def _segments(text: str) -> list[tuple[bool, str]]:
    """Cut text at its ``` fences into (whether it is code, the text); a fence without its fellow is text."""
    parts = text.split("```")
    if len(parts) == 1:
        return [(False, text)]
    if len(parts) % 2 == 0:
        last = parts.pop()
        parts[-1] += f"```{last}"
    out = []
    for number, part in enumerate(parts):
        is_code = number % 2 == 1
        if not is_code:
            part = part.lstrip(" ") if number else part
            part = part.rstrip(" ") if number + 1 < len(parts) else part
        out.append((is_code, part))
    return out


def _code_block(part: str) -> list[Block]:
    """A code block: Slack links addresses even there, which read as their label."""
    text = unescape(_LINKED.sub(_link_words, part)).strip("\n")
    return [CodeBlock(text)] if text else []


def _long_quote(lines: Sequence[str]) -> int | None:
    for number, line in enumerate(lines):
        if line.startswith((_QUOTE * 3, ">>>")):
            return number
    return None


def _lines(lines: Sequence[str], out: list[Block]) -> None:
    run: list[Inline] = []
    run_quoted = False
    for line in lines:
        quoted = line.startswith((_QUOTE, ">"))
        if quoted != run_quoted:
            _flush(run, run_quoted, out)
            run = []
            run_quoted = quoted
        elif run:
            run.append(BREAK)
        if quoted:
            line = line.removeprefix(_QUOTE).removeprefix(">").removeprefix(" ")
            if not line:
                run.append(BREAK)
        elif not run and not line:
            continue
        run.extend(_line(line, PLAIN))
    _flush(run, run_quoted, out)


def _flush(run: list[Inline], quoted: bool, out: list[Block]) -> None:
    blocks = paragraphs(run)
    if not blocks:
        return
    if quoted:
        out.append(Quote(tuple(blocks)))
    else:
        out.extend(blocks)


def _link_words(match: re.Match[str]) -> str:
    return match[2] or match[1]


def _line(line: str, style: int) -> list[Inline]:
    if not _SPECIAL.search(line):
        return [Text(unescape(line), style)] if line else []
    tokens: list[Inline | str] = []
    done = 0
    openers: list[int] = []
    by_mark: dict[str, list[int]] = {"*": [], "_": [], "~": []}
    spans: dict[int, int] = {}
    for match in _LEXER.finditer(line):
        start, end = match.span()
        token = _token(match, line, style)
        if token is None:
            continue
        if start > done:
            tokens.append(Text(unescape(line[done:start]), style))
        done = end
        position = len(tokens)
        tokens.append(token)
        if not isinstance(token, str):
            continue
        mark = token
        before = line[start - 1] if start else " "
        after = line[end] if end < len(line) else " "
        waiting = by_mark[mark]
        if waiting and not before.isspace() and not _in_word(after) and waiting[-1] != position - 1:
            opener = waiting[-1]
            while openers and openers[-1] >= opener:
                dropped = openers.pop()
                by_mark[str(tokens[dropped])].pop()
            spans[opener] = _MARKS[mark]
            spans[position] = -_MARKS[mark]
        elif not after.isspace() and not _in_word(before):
            openers.append(position)
            waiting.append(position)
    if done < len(line):
        tokens.append(Text(unescape(line[done:]), style))
    return _styled(tokens, spans, style)


def _token(match: re.Match[str], line: str, style: int) -> Inline | str | None:
    """A mark as itself, anything else as its inline; None leaves the characters as text."""
    kind = match.lastgroup
    if kind == "mark":
        return match[0]
    if kind == "emoji":
        return _emoji(match[0], style, line, *match.span())
    if kind == "entity":
        return _entity(match[0][1:-1], style)
    return _code(match[0], style) if kind == "code" else None


def _in_word(char: str) -> bool:
    return char.isalnum()


def _styled(tokens: Sequence[Inline | str], spans: dict[int, int], style: int) -> list[Inline]:
    out: list[Inline] = []
    counts = {BOLD: 0, ITALIC: 0, STRIKE: 0}
    current = PLAIN
    for position, token in enumerate(tokens):
        if isinstance(token, str):
            change = spans.get(position)
            if change is None:
                out.append(Text(token, style | current))
                continue
            bit = abs(change)
            counts[bit] += 1 if change > 0 else -1
            current = current | bit if counts[bit] else current & ~bit
        elif current:
            out.append(with_style(token, current))
        else:
            out.append(token)
    return out


def _code(span: str, style: int) -> Inline:
    return Text(unescape(_LINKED.sub(_link_words, span[1:-1])), style | CODE)


def _emoji(token: str, style: int, line: str, start: int, end: int) -> Inline | None:
    name = token[1:-1]
    if (start and _in_word(line[start - 1])) or (end < len(line) and _in_word(line[end])) or name.isdigit():
        return None
    return Emoji(name, emoji.unicode_of(name), style)


def _entity(content: str, style: int) -> Inline | None:
    """What stands between `<` and `>`; None leaves it as text."""
    body, _, label = content.partition("|")
    label = unescape(label)
    sign = body[:1]
    if sign in ("@", "#"):
        identity = body[1:]
        if not _SLACK_ID.fullmatch(identity):
            return None
        return SlackUser(identity, label, style) if sign == "@" else ChannelMention(identity, label, style)
    if sign == "!":
        return _command(body[1:], label, style)
    if ":" not in body:
        return None
    url = unescape(body)
    return Link(url, emoji.shown(label) or url.removeprefix("mailto:").removeprefix("tel:"), style)


def _command(command: str, label: str, style: int) -> Inline | None:
    if command in _BROADCASTS:
        return Broadcast(cast("Literal['here', 'channel', 'everyone']", command), style)
    kind, _, rest = command.partition("^")
    if kind == "subteam" and _SLACK_ID.fullmatch(rest):
        return UsergroupMention(rest, label, style)
    if kind == "date":
        seconds, _, shape = rest.partition("^")
        shape, _, url = shape.partition("^")
        if seconds.isascii() and seconds.isdigit() and len(seconds) < 15:
            return Time(int(seconds), unescape(shape), label, unescape(url), style)
    return Text(label, style) if label else None
