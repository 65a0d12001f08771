"""What `bookmarks.list` tells of a channel's bookmarks, in the order in which Slack shows them; nothing raises.

Source: https://docs.slack.dev/reference/methods/bookmarks.list
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.events import Bookmark
from portals.reading.values import number, objects, text_of

if TYPE_CHECKING:
    from portals.events import Json

BOOKMARKS = "causeway_bookmarks"
"""The type of the event that the bridge makes of a reading: Slack has none for bookmarks."""


def bookmarks_of(value: object) -> tuple[Bookmark, ...]:
    """Return the bookmarks of a list of bookmark objects; one without title and link is none."""
    listed = sorted(objects(value), key=_place)
    found = (Bookmark(text_of(one.get("title")), _link(one), text_of(one.get("emoji")).strip(":")) for one in listed)
    return tuple(one for one in found if one.title.strip() or one.link)


def told(bookmarks: tuple[Bookmark, ...]) -> list[dict[str, str]]:
    """Return bookmarks as objects that `bookmarks_of` reads, in their order."""
    return [
        {"title": one.title, "link": one.link, "emoji": one.emoji, "rank": f"{place:06d}"}
        for place, one in enumerate(bookmarks)
    ]


def _place(bookmark: Json) -> tuple[str, int]:
    return text_of(bookmark.get("rank")), number(bookmark.get("date_created"))


def _link(bookmark: Json) -> str:
    link = text_of(bookmark.get("link"))
    return link if link.startswith(("https://", "http://")) else ""
