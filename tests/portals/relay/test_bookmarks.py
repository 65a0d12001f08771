"""A channel's bookmarks are one notice of its room: posted, pinned once, edited, and gone with the last of them."""

from __future__ import annotations

from typing import Any

from portals.actions import ChangePins, RecordBookmarks, RedactEvent, SendEvent
from portals.events import Ignored
from portals.facts import BookmarkNotice
from portals.ids import EventId
from portals.reading.bookmarks import BOOKMARKS
from portals.relay.bookmarks import digest_of
from portals.relay.to_matrix import decide, needs
from tests.portals.relay.scene import FACTS, NAMES, PORTAL, ROOM, facts, said_in_slack

WIKI = {"title": "Wiki & more", "link": "https://wiki.example/?a&b", "emoji": ":book:"}
PARTY = {"title": "Party", "link": "https://acme.slack.com/archives/C1/p1700000000000100", "emoji": ":party:"}


def read(*bookmarks: dict[str, Any]) -> Any:
    return said_in_slack(type=BOOKMARKS, bookmarks=list(bookmarks))


def done(event: Any, known: Any = FACTS) -> tuple[Any, ...]:
    decision = decide(event, PORTAL, known)
    assert not isinstance(decision, Ignored), decision
    return decision


def shown(event: Any, *, pinned: bool = False) -> Any:
    """The facts when the room shows these bookmarks."""
    return facts(bookmarks=BookmarkNotice(EventId("$n"), digest_of(event.bookmarks), pinned))


def test_they_are_a_notice_of_the_bot_with_a_link_for_each() -> None:
    event = read(WIKI, {"title": "A folder"}, {"link": "https://x.example/"})
    (action,) = done(event)
    assert isinstance(action, SendEvent)
    assert (action.room, action.sender, action.content["msgtype"]) == (ROOM, NAMES.bot, "m.notice")
    assert action.content["body"].splitlines()[0] == "Bookmarks:"
    html = action.content["formatted_body"]
    assert '<li>📖 <a href="https://wiki.example/?a&amp;b">Wiki &amp; more</a></li>' in html
    assert "<li>A folder</li>" in html
    assert '<a href="https://x.example/">https://x.example/</a>' in html
    assert action.record == RecordBookmarks(digest_of(event.bookmarks))


def test_custom_emoji_and_links_to_messages_are_looked_up() -> None:
    event = read(WIKI, PARTY)
    wanted = needs(event)
    assert wanted.bookmarks
    assert (set(wanted.emoji), set(wanted.links)) == ({"party"}, {PARTY["link"]})
    known = facts(emoji={"party": "mxc://x/p"}, permalinks={PARTY["link"]: "https://matrix.to/#/!r/$e"})
    html = done(event, known)[0].content["formatted_body"]
    assert "mxc://x/p" in html
    assert '<a href="https://matrix.to/#/!r/$e">Party</a>' in html


def test_the_second_telling_pins_the_notice_and_the_third_does_nothing() -> None:
    event = read(WIKI)
    (action,) = done(event, shown(event))
    record = RecordBookmarks(digest_of(event.bookmarks), "$n", pinned=True)
    assert action == ChangePins(action.key, ROOM, (EventId("$n"),), True, record)
    assert isinstance(decide(event, PORTAL, shown(event, pinned=True)), Ignored)


def test_a_channel_without_bookmarks_has_no_notice() -> None:
    assert isinstance(decide(read(), PORTAL, FACTS), Ignored)


def test_changed_bookmarks_edit_the_notice_which_keeps_its_pin() -> None:
    event = read(WIKI, PARTY)
    (action,) = done(event, shown(read(WIKI), pinned=True))
    assert action.content["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$n"}
    assert "Party" in action.content["m.new_content"]["body"]
    assert action.record == RecordBookmarks(digest_of(event.bookmarks), "$n", pinned=True)


def test_when_all_are_gone_the_notice_is_unpinned_and_redacted() -> None:
    unpin, redact = done(read(), shown(read(WIKI), pinned=True))
    assert unpin == ChangePins(unpin.key, ROOM, (EventId("$n"),), False)
    assert redact == RedactEvent(redact.key, ROOM, NAMES.bot, EventId("$n"), record=RecordBookmarks(""))


def test_what_is_too_much_for_one_event_is_counted() -> None:
    long = [{"title": f"B{n}", "link": f"https://x.example/{'y' * 2000}{n}"} for n in range(100)]
    (action,) = done(read(*long))
    assert action.content["body"].splitlines()[-1] == "- and 94 more in Slack"
