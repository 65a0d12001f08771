"""What must be known to render a document, and what is known.

`mentions` says which people, places, emoji and links a document refers to; `Names` carries the answers in. A missing
answer is never an error: the reader sees the label that came along, or the id. Every foreign name passes `label_of`
before it is shown, so that it can neither hide nor reorder the text around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from portals.text import document as doc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LONGEST_LABEL = 120
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e001f\U000e0080-\U000e0fff]"
)
_PERMALINK = re.compile(
    r"https://(?i:(?:[a-z0-9.-]{1,100}\.)?slack\.com)/(?:archives/|client/|app_redirect)\S{1,500}"
    r"|https://matrix\.to/#/[^/?\s]{1,300}/[^/?\s]{1,300}(?:\?\S*)?"
)


class SlackPerson(NamedTuple):
    name: str
    matrix_id: str | None


class MatrixPerson(NamedTuple):
    name: str
    slack_id: str | None


class Channel(NamedTuple):
    name: str
    room: str | None
    """Room id or alias of the channel's portal."""


@dataclass(frozen=True, slots=True)
class Names:
    """The answers for one message; every mapping may lack any key."""

    slack_users: Mapping[str, SlackPerson] = field(default_factory=dict)
    matrix_users: Mapping[str, MatrixPerson] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    rooms: Mapping[str, str] = field(default_factory=dict)
    """Slack channel id by room id or alias."""
    usergroups: Mapping[str, str] = field(default_factory=dict)
    """Handle without `@` by user group id."""
    emoji: Mapping[str, str | None] = field(default_factory=dict)
    """By a custom emoji's name its `mxc:` address, or the standard emoji (Unicode) that it is an alias of; None for one
    that exists in Slack but is not uploaded."""
    links: Mapping[str, str] = field(default_factory=dict)
    """The address to show instead of a link to a message or channel (Slack permalink or matrix.to link)."""
    allow_room_mention: bool = False
    """Whether @here, @channel and @everyone of Slack notify the Matrix room."""
    allow_broadcast: bool = False
    """Whether @room of Matrix notifies the Slack channel."""


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What a document refers to; `emoji` are names outside the standard table, `links` lead to messages or channels."""

    slack_users: frozenset[str] = frozenset()
    matrix_users: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    usergroups: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    emoji: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    room: bool = False


def label_of(name: str, fallback: str = "") -> str:
    """Return a foreign name on one line, without invisible and direction-changing characters, of bounded length."""
    if not (name.isascii() and name.isprintable()):
        name = _INVISIBLE.sub("", name.translate(_SPACES))
    name = " ".join(name.split())
    if len(name) > _LONGEST_LABEL:
        name = name[: _LONGEST_LABEL - 1] + "…"
    return name or fallback


_SPACES = {ord(char): " " for char in "\t\n\r\x0b\x0c\u0085\u2028\u2029"}


def inlines_of(blocks: Iterable[doc.Block]) -> Iterator[doc.Inline]:
    """Yield every inline of the blocks, at any depth."""
    for block in blocks:
        if isinstance(block, (doc.Paragraph, doc.Heading)):
            yield from _flat(block.inlines)
        elif isinstance(block, doc.Quote):
            yield from inlines_of(block.blocks)
        elif isinstance(block, doc.List):
            for item in block.items:
                yield from inlines_of(item)
        elif isinstance(block, doc.Table):
            for row in block.rows:
                for cell in row:
                    yield from _flat(cell)
        elif isinstance(block, doc.Details):
            yield from _flat(block.summary)
            yield from inlines_of(block.blocks)


def _flat(inlines: Iterable[doc.Inline]) -> Iterator[doc.Inline]:
    for inline in inlines:
        yield inline
        if isinstance(inline, doc.Spoiler):
            yield from _flat(inline.inlines)


def mentions(document: doc.Document) -> Mentioned:
    """Return what must be looked up before the document can be rendered."""
    found: dict[type, set[str]] = {}
    room = False
    for inline in inlines_of(document.blocks):
        if isinstance(
            inline, (doc.SlackUser, doc.MatrixUser, doc.ChannelMention, doc.RoomMention, doc.UsergroupMention)
        ):
            found.setdefault(type(inline), set()).add(inline.id)
        elif isinstance(inline, doc.Emoji):
            if inline.unicode is None:
                found.setdefault(doc.Emoji, set()).add(inline.name)
        elif isinstance(inline, doc.Link):  # which of these name a message or channel is for who looks them up
            if _PERMALINK.fullmatch(inline.url):
                found.setdefault(doc.Link, set()).add(inline.url)
        elif isinstance(inline, doc.Broadcast):
            room = True
    if not found and not room:
        return _NOTHING

    def of(kind: type) -> frozenset[str]:
        return frozenset(found.get(kind, ()))

    return Mentioned(
        slack_users=of(doc.SlackUser),
        matrix_users=of(doc.MatrixUser),
        channels=of(doc.ChannelMention),
        usergroups=of(doc.UsergroupMention),
        rooms=of(doc.RoomMention),
        emoji=of(doc.Emoji),
        links=of(doc.Link),
        room=room,
    )


_NOTHING = Mentioned()
