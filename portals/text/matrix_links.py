"""Addresses that Matrix gives a meaning: matrix.to and `matrix:` links, and what may stand in a link at all."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from portals.text.document import PLAIN, Inline, MatrixUser, RoomMention

SCHEMES = ("https:", "http:", "mailto:", "ftp:", "magnet:")
"""What the specification allows in a link."""

_MATRIX_TO = re.compile(r"https?://matrix\.to/#/([^?\s]{1,1000})(?:\?\S*)?", re.IGNORECASE)
_MATRIX_URI = re.compile(
    r"matrix:(u|r|roomid|user|room)/([^/?#\s]{1,500})(/e/[^?#\s]{1,500})?(?:[?#]\S*)?", re.IGNORECASE
)
_SIGILS = {"u": "@", "user": "@", "r": "#", "room": "#", "roomid": "!"}
_USER_ID = re.compile(r"@[^:\s<>]{0,255}:[A-Za-z0-9.:\[\]\-]{1,255}")
_ROOM_ID = re.compile(r"[!#][^\s<>]{1,254}")


def is_safe(url: str) -> bool:
    """Whether the specification allows the address in a link."""
    return url.lower().startswith(SCHEMES)


def link_to(identity: str) -> str:
    """Return the matrix.to address of a person, room or alias."""
    return f"https://matrix.to/#/{quote(identity, safe='@#!:')}"


def _event(name: str) -> str:
    return f"${name.removeprefix('$')}" if name else ""


def target_of(url: str) -> tuple[str, str] | None:
    """Return (Matrix id, event id or `""`) that a matrix.to or `matrix:` address points to, or None."""
    if match := _MATRIX_TO.fullmatch(url):
        if unquote(match[1]).startswith("@"):
            return unquote(match[1]), ""
        identity, _, event = match[1].partition("/")
        return unquote(identity), unquote(event)
    if match := _MATRIX_URI.fullmatch(url):
        return _SIGILS[match[1].lower()] + unquote(match[2]), _event(unquote(match[3] or "").removeprefix("/e/"))
    return None


def web_address(url: str) -> str:
    """Return a `matrix:` address as matrix.to says it, any other address as it is."""
    if not _MATRIX_URI.fullmatch(url):
        return url
    identity, event = target_of(url) or ("", "")
    return f"{link_to(identity)}/{quote(event, safe='$:')}" if event else link_to(identity)


def mention_of(url: str, label: str, style: int = PLAIN) -> Inline | None:
    """Return the mention that a link is, or None for any other link (one to a message included)."""
    target = target_of(url)
    if target is None:
        return None
    identity, event = target
    if _USER_ID.fullmatch(identity):
        return MatrixUser(identity, "" if label == identity else label, style)
    if not event and _ROOM_ID.fullmatch(identity):
        return RoomMention(identity, "" if label == identity else label, style)
    return None
