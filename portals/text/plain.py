"""Matrix plain `body` → document.

Nothing in a plain body is markup, and nothing in it mentions anybody; only bare web addresses become links, as every
Matrix client shows them. The quotation that old clients put before a reply goes only where the event is a reply and
the quotation has the form of such a fallback: a quotation that a person wrote stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portals.text.document import CODE, Document, Inline, Link, Text, paragraphs, text_inlines

if TYPE_CHECKING:
    from collections.abc import Iterable

_ADDRESS = re.compile(r"https?://[^\s<>|\"“”`]{1,4000}", re.IGNORECASE)
_REPLY = re.compile(r"> (?:\* ?)?<[@#!][^>\n]{1,255}>")


def parse(body: str, is_reply: bool = False) -> Document:
    """Return the document of a plain body; with `is_reply` a reply fallback is removed."""
    if is_reply:
        body = without_fallback(body)
    return Document(tuple(paragraphs(linked(text_inlines(body)))))


def without_fallback(body: str) -> str:
    """Return the body without the leading quotation of a legacy reply."""
    if not _REPLY.match(body):
        return body
    lines = body.split("\n")
    start = next((number for number, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[start:]).lstrip("\n")


def linked(inlines: Iterable[Inline]) -> list[Inline]:
    """Return the inlines with bare web addresses in text as links."""
    out: list[Inline] = []
    for inline in inlines:
        if isinstance(inline, Text) and "://" in inline.text and not inline.style & CODE:
            _link_text(inline, out)
        else:
            out.append(inline)
    return out


def _link_text(text: Text, out: list[Inline]) -> None:
    done = 0
    for match in _ADDRESS.finditer(text.text):
        url = _trimmed(match[0])
        if len(url) <= len("https://"):
            continue
        if match.start() > done:
            out.append(Text(text.text[done : match.start()], text.style))
        out.append(Link(url, url, text.style))
        done = match.start() + len(url)
    if done < len(text.text):
        out.append(Text(text.text[done:], text.style))


def _trimmed(url: str) -> str:
    """Punctuation after an address belongs to the sentence, as does a bracket that the address did not open."""
    while (last := url[-1]) in ".,;:!?'*_~" or (last in _OPENING and url.count(last) > url.count(_OPENING[last])):
        url = url[:-1]
    return url


_OPENING = {")": "(", "]": "[", "}": "{"}
