"""What a Matrix message says, as a document: its text, or the words that stand for what Slack has no form for."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from portals import text
from portals.reading.values import mapping, text_of
from portals.relay import polls
from portals.text.document import Document, Emoji, Link, Paragraph, Text

if TYPE_CHECKING:
    from portals.events import Json, MatrixMessage

_GEO = re.compile(r"geo:(-?[0-9]{1,3}(?:\.[0-9]{1,20})?),(-?[0-9]{1,3}(?:\.[0-9]{1,20})?)(?:[,;].*)?", re.DOTALL)


def document(event: MatrixMessage) -> Document:
    """Return the words of a message: an emote in italics, a place as a link to a map, a poll with its answers."""
    said = event.content
    if event.poll is not None:
        return polls.question(event.poll)
    if said.get("msgtype") == "m.emote":
        return text.from_matrix(_in_italics(said))
    if said.get("msgtype") == "m.location":
        return _place(said)
    return text.from_matrix(said)


def caption(event: MatrixMessage) -> Document:
    """Return the words beside a file: its body is one only where the file has another name (MSC2530)."""
    said = event.content
    has_one = "filename" in said and said.get("body") != said.get("filename")
    return document(event) if has_one else Document()


def signed(said: Document, name: str) -> Document:
    """Return words behind their author's name, for places where Slack shows the bot as the author."""
    first, rest = (said.blocks[:1], said.blocks[1:]) if said.blocks else ((), ())
    if first and isinstance(first[0], Paragraph):
        return Document((Paragraph((Text(f"{name}: "), *first[0].inlines)), *rest))
    return Document((Paragraph((Text(f"{name}:"),)), *said.blocks))


def _in_italics(said: Json) -> Json:
    body = said.get("body")
    words = said.get("formatted_body") if said.get("format") == "org.matrix.custom.html" else None
    if not isinstance(words, str):
        words = html.escape(body).replace("\n", "<br>") if isinstance(body, str) else ""
    return {**said, "format": "org.matrix.custom.html", "formatted_body": f"<em>{words}</em>"}


def _place(said: Json) -> Document:
    """Return a place by its description with a map behind it; one whose address cannot be read is told as it is."""
    named = next(
        (mapping(said.get(name)) for name in ("m.location", "org.matrix.msc3488.location") if name in said), {}
    )
    address = text_of(said.get("geo_uri")) or text_of(named.get("uri"))
    words = text_of(named.get("description")) or text_of(said.get("body"))
    found = _GEO.fullmatch(address)
    if found is None:
        return text.from_matrix({"msgtype": "m.text", "body": f"{words} {address}".strip()})
    label = "Location" if "geo:" in words or not words.strip() else " ".join(words.split())
    latitude, longitude = found.groups()
    url = f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=16/{latitude}/{longitude}"
    return Document((Paragraph((Emoji("round_pushpin", "📍"), Text(" "), Link(url, label))),))
