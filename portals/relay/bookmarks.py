"""A channel's bookmarks as its room shows them: one notice with a link for each, edited when they change, and pinned.

It is pinned once: whoever takes the pin off in Matrix wants it off. The pin is set by a second event of the same
reading, for the notice has no id before it is there. Bookmarks that are all gone take the notice along.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from portals import text
from portals.actions import STAMP, ChangePins, RecordBookmarks, RedactEvent, SendEvent
from portals.events import Ignored
from portals.facts import Needs
from portals.ids import action_key
from portals.permalinks import slack_place
from portals.reading.bookmarks import told
from portals.relay import content
from portals.relay.naming import names_of
from portals.text import emoji
from portals.text.document import BOLD, Document, Emoji, Link, List, Paragraph, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portals.actions import Action, Content
    from portals.events import Bookmark, SlackBookmarks
    from portals.facts import Facts, Portal
    from portals.text.document import Inline


def digest_of(bookmarks: tuple[Bookmark, ...]) -> str:
    """Name what bookmarks say; no bookmarks have an empty name."""
    said = json.dumps(told(bookmarks)).encode(errors="surrogatepass")
    return hashlib.sha256(said).hexdigest()[:24] if bookmarks else ""


def needs(event: SlackBookmarks) -> Needs:
    """Return what must be known before the notice can be decided."""
    return Needs(
        bookmarks=True,
        emoji=frozenset(one.emoji for one in event.bookmarks if one.emoji and emoji.unicode_of(one.emoji) is None),
        links=frozenset(one.link for one in event.bookmarks if slack_place(one.link)),
    )


def decide(event: SlackBookmarks, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    """Return what to do in the portal's room, or why nothing is to be done."""
    assert portal.room is not None
    shown, digest, key = facts.bookmarks, digest_of(event.bookmarks), action_key(event.source)
    if digest == (shown.digest if shown else ""):
        if shown is None or not digest or shown.pinned:
            return Ignored("the bookmarks that the room shows already")
        record = RecordBookmarks(digest, shown.event_id, pinned=True)
        return (ChangePins(key, portal.room, (shown.event_id,), True, record),)
    if not digest:
        assert shown is not None
        unpinned = ChangePins(action_key(event.source, "unpin"), portal.room, (shown.event_id,), False)
        return (unpinned, RedactEvent(key, portal.room, facts.names.bot, shown.event_id, record=RecordBookmarks("")))
    said: Content = {**_notice(event.bookmarks, facts), STAMP: key}
    record = RecordBookmarks(digest)
    if shown is not None and shown.event_id:
        said = content.edit(dict(said), shown.event_id) | {STAMP: key}
        record = RecordBookmarks(digest, shown.event_id, shown.pinned)
    return (SendEvent(key, portal.room, facts.names.bot, "m.room.message", said, record=record),)


def _notice(bookmarks: Sequence[Bookmark], facts: Facts) -> Content:
    """Return the content of the notice; what is too much for one event is counted at its end."""
    names, shown = names_of(facts), len(bookmarks)
    while True:
        more = len(bookmarks) - shown
        items = [(Paragraph(_line(one)),) for one in bookmarks[:shown]]
        items += [(Paragraph((Text(f"and {more} more in Slack"),)),)] if more else []
        document = Document((Paragraph((Text("Bookmarks:", BOLD),)), List(False, tuple(items))))
        pieces = content.pieces(document, names, "m.notice")
        if len(pieces) == 1:
            return pieces[0]
        shown //= 2


def _line(bookmark: Bookmark) -> tuple[Inline, ...]:
    title = text.label_of(bookmark.title, bookmark.link)
    words: Inline = Link(bookmark.link, title) if bookmark.link else Text(title)
    if not bookmark.emoji:
        return (words,)
    return (Emoji(bookmark.emoji, emoji.unicode_of(bookmark.emoji)), Text(" "), words)
