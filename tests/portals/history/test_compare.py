"""What history tells anew: everything when nothing is known, nothing when all is known, and each kind of change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from portals.events import SlackDeletion, SlackMembership, SlackMessage, SlackReaction
from portals.facts import Link, Origin, ReactionLink, Workspace
from portals.history.compare import News, archived, differences, memberships, opened, reopened, roots
from portals.ids import NO_TS, ChannelId, EventId, MatrixUserId, SlackUserId, TeamId, Ts
from portals.reading.slack import address, read
from portals.reading.slack_messages import message_of

if TYPE_CHECKING:
    from collections.abc import Sequence

TEAM = TeamId("T1")
CHANNEL = ChannelId("C1")
NOW = "9.9"
WORKSPACE = Workspace(TEAM, "Acme", SlackUserId("U0BOT"), SlackUserId("B0BOT"), "A0OURS")
FILE = {"id": "F1", "name": "a.txt", "mimetype": "text/plain", "size": 3, "url_private": "https://files.slack.com/a"}


def said(ts: str, text: str = "hello", **more: Any) -> dict[str, Any]:
    """A message as conversations.history tells it."""
    return {"type": "message", "user": "U1", "text": text, "ts": ts, "team": TEAM, **more}


def links_of(*messages: dict[str, Any]) -> list[Link]:
    """The links that these messages have once they were relayed to Matrix."""
    links: list[Link] = []
    for foreign in messages:
        message = message_of(foreign, "", CHANNEL, WORKSPACE)
        assert isinstance(message, SlackMessage)
        text = Link(
            message.ts,
            "",
            EventId(f"${message.ts}"),
            Origin.SLACK,
            MatrixUserId("@ghost:x"),
            message.thread_ts,
            message.digest,
            message.version,
        )
        links.append(text)
        links += [replace(text, part=file.id, event_id=EventId(f"${file.id}")) for file in message.files]
    return links


def reaction(ts: str, emoji: str, person: str, origin: Origin = Origin.SLACK) -> ReactionLink:
    return ReactionLink(Ts(ts), emoji, person, EventId(f"${emoji}"), origin)


def news(
    messages: Sequence[dict[str, Any]],
    links: Sequence[Link] = (),
    reactions: Sequence[ReactionLink] = (),
    since: str = NO_TS,
    *,
    as_of: str = NOW,
    archive: bool = False,
) -> list[News]:
    return differences(
        messages,
        links,
        reactions,
        channel=CHANNEL,
        workspace=WORKSPACE,
        gap=7,
        since=Ts(since),
        as_of=Ts(as_of),
        archive=archive,
    )


def event_of(one: News) -> Any:
    """What the lane will read, once the news is admitted: every piece of news has an address."""
    where = address(one.payload, TEAM)
    assert where is not None
    assert where.queue == "T1/C1"
    return read(one.payload, where.source_key, WORKSPACE)


def test_where_nothing_is_known_all_is_news() -> None:
    found = news([said("2.1", files=[FILE]), said("1.1", reactions=[{"name": "tada", "users": ["U2"], "count": 1}])])
    assert [one.rank for one in found] == ["2.1", "1.1", "1.1/reaction_added"]
    newer, older, added = map(event_of, found)
    assert isinstance(newer, SlackMessage)
    assert isinstance(older, SlackMessage)
    assert (newer.historic, newer.ts, [file.id for file in newer.files]) == (True, "2.1", ["F1"])
    assert added == SlackReaction(
        added.source, CHANNEL, Ts("1.1"), SlackUserId("U2"), "tada", True, as_of=Ts(NOW), historic=True
    )


def test_where_all_is_known_and_the_same_nothing_is_news() -> None:
    history = [
        said("3.1", files=[FILE]),
        said("2.1", "now", edited={"user": "U1", "ts": "2.5"}),
        said("1.1", reactions=[{"name": "tada", "users": ["U2", "U0BOT"], "count": 2}]),
    ]
    hers = reaction("1.1", "eyes", "@alice:x", Origin.MATRIX)
    assert news(history, links_of(*history), [reaction("1.1", "tada", "U2"), hers]) == []


def test_every_piece_of_news_has_a_name_of_its_own() -> None:
    two = [{"name": name, "users": ["U1", "U2"], "count": 2} for name in ("tada", "eyes")]
    gone = links_of(said("0.1"), said("0.2"))
    found = news([said("1.1", reactions=two), said("2.1", reactions=two)], gone, [reaction("1.1", "+1", "U1")])
    names = [where.source_key for one in found if (where := address(one.payload, TEAM))]
    assert len(names) == len(set(names)) == len(found) == 2 + 8 + 1 + 2


def test_a_look_back_that_is_done_again_uses_the_same_names() -> None:
    history = [said("1.1", reactions=[{"name": "tada", "users": ["U1"], "count": 1}])]
    assert news(history) == news(history)


# --- edits


def test_an_edit_is_news() -> None:
    before, after = said("1.1", "before"), said("1.1", "after", edited={"user": "U1", "ts": "1.5"})
    (one,) = news([after], links_of(before))
    changed = event_of(one)
    assert isinstance(changed, SlackMessage)
    assert (changed.historic, changed.version) == (True, "1.5")


def test_a_difference_of_form_without_an_edit_is_none() -> None:
    assert news([said("1.1", "another form")], links_of(said("1.1", "one form"))) == []


def test_a_bot_may_change_its_message_without_a_word() -> None:
    bot: dict[str, Any] = {"subtype": "bot_message", "bot_id": "B1", "user": None}
    assert len(news([said("1.1", "done", **bot)], links_of(said("1.1", "working", **bot)))) == 1


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([], id="removed"),
        pytest.param([{"id": "F1", "mode": "tombstone"}], id="deleted"),
        pytest.param([FILE, {**FILE, "id": "F2"}], id="added"),
    ],
)
def test_other_files_are_news(files: list[dict[str, Any]]) -> None:
    assert [one.rank for one in news([said("1.1", files=files)], links_of(said("1.1", files=[FILE])))] == ["1.1"]


def test_a_file_that_was_deleted_on_both_sides_is_no_news() -> None:
    text, file = links_of(said("1.1", files=[FILE]))
    assert news([said("1.1")], [text, replace(file, deleted=True)]) == []


# --- deletions


def test_a_message_that_history_lacks_was_deleted() -> None:
    first, second = said("1.1"), said("2.1")
    (one,) = news([second], links_of(first, second))
    gone = event_of(one)
    assert (one.rank, gone) == ("1.1/deleted", SlackDeletion(gone.source, CHANNEL, Ts("1.1")))


def test_a_tombstone_is_a_deletion() -> None:
    root = said("1.1", reply_count=1, latest_reply="1.2")
    tomb = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "ts": "1.1", "text": "deleted"}
    assert [one.rank for one in news([tomb], links_of(root))] == ["1.1/deleted"]
    assert news([tomb]) == []


def test_a_message_that_cannot_be_shown_any_more_is_not_gone() -> None:
    assert news([said("1.1", subtype="something_new")], links_of(said("1.1"))) == []
    assert news([{"ts": 7}, {}], []) == []


def test_what_was_deleted_is_neither_deleted_nor_sent_again() -> None:
    links = [replace(link, deleted=True) for link in links_of(said("1.1", files=[FILE]), said("2.1"))]
    tada = [{"name": "tada", "users": ["U1"], "count": 1}]
    assert news([said("2.1", "late", edited={"ts": "3.1"}, reactions=tada)], links) == []


def test_what_is_older_than_what_was_asked_for_is_not_gone() -> None:
    links = links_of(said("1.1"), said("2.1"), said("3.1"))
    assert [one.rank for one in news([said("3.1")], links, since="2.1")] == ["2.1/deleted"]


# --- our own messages


OWN: dict[str, Any] = {"subtype": "bot_message", "bot_id": "B0BOT", "app_id": "A0OURS", "user": None}


def test_an_own_message_is_never_news() -> None:
    assert news([said("1.1", **OWN, reactions=[{"name": "tada", "users": ["U1"], "count": 1}])]) == []


def test_an_own_message_changes_from_the_other_side_only_but_carries_reactions_and_can_be_deleted() -> None:
    hers = Link(Ts("1.1"), "", EventId("$e"), Origin.MATRIX, MatrixUserId("@alice:x"), None, "")
    tada = [{"name": "tada", "users": ["U1"], "count": 1}]
    found = news([said("1.1", **OWN, edited={"ts": "1.5"}, files=[FILE], reactions=tada)], [hers])
    assert [one.rank for one in found] == ["1.1/reaction_added"]
    assert [one.rank for one in news([], [hers])] == ["1.1/deleted"]


# --- reactions


def test_reactions_that_came_and_went() -> None:
    now = [{"name": "tada", "users": ["U1", "U3"], "count": 2}, {"name": "+1", "users": ["U0BOT"], "count": 1}]
    message = said("1.1", reactions=now)
    known = [reaction("1.1", "tada", "U1"), reaction("1.1", "tada", "U2"), reaction("1.1", "eyes", "U1")]
    found = [event_of(one) for one in news([message], links_of(message), known)]
    assert all(isinstance(one, SlackReaction) for one in found)
    assert [(one.name, one.user, one.added) for one in found] == [
        ("tada", "U3", True),
        ("eyes", "U1", False),
        ("tada", "U2", False),
    ]


def test_a_person_whom_a_cut_list_leaves_out_did_not_take_the_reaction_back() -> None:
    message = said("1.1", reactions=[{"name": "tada", "users": ["U1"], "count": 60}])
    assert news([message], links_of(message), [reaction("1.1", "tada", name) for name in ("U1", "U2")]) == []


def test_a_reaction_of_a_matrix_person_is_not_looked_for_in_slack() -> None:
    message = said("1.1")
    assert news([message], links_of(message), [reaction("1.1", "tada", "@alice:x", Origin.MATRIX)]) == []


# --- members and threads


def test_members_join_before_everything_else_and_leave_after_it() -> None:
    joins, leaves = memberships({"U1", "U2"}, {"U2", "U3"}, channel=CHANNEL, team=TEAM, gap=7)
    joined, left = event_of(joins), event_of(leaves)
    assert joined == SlackMembership(joined.source, CHANNEL, SlackUserId("U1"), True, historic=True)
    assert left == SlackMembership(left.source, CHANNEL, SlackUserId("U3"), False, historic=True)
    assert joins.rank < "0.1" < "9999999998.9" < leaves.rank


def test_roots_are_messages_with_replies() -> None:
    history: list[dict[str, Any]] = [
        said("1.1", reply_count=2, latest_reply="1.5"),
        said("2.1", reply_count=1, latest_reply=None),
        said("3.1", reply_count=0),
        said("4.1"),
        {"ts": "soon", "reply_count": 3},
        {"ts": "5.1", "reply_count": "3"},
        {},
    ]
    assert roots(history) == [("1.1", 2, "1.5"), ("2.1", 1, "")]


# --- archives, which may be older than what is known


def test_an_archive_shows_an_edited_message_with_the_mark_and_the_time_of_its_edit() -> None:
    foreign = said("1.1", "final", edited={"user": "U1", "ts": "3.0"})
    first, then = news([foreign], archive=True)
    written, edited = event_of(first), event_of(then)
    assert (written.version, written.changed) == (NO_TS, False)
    assert (edited.version, edited.changed, edited.historic) == ("3.0", True, True)
    assert edited.digest == written.digest
    assert first.rank < then.rank < "1.2"
    assert news([foreign], links_of(foreign), archive=True) == []


@pytest.mark.parametrize("edited", [{}, {"edited": {"ts": "3.0"}}])
def test_an_archive_that_is_older_than_the_last_edit_does_not_undo_it(edited: dict[str, Any]) -> None:
    known = links_of(said("1.1", "newer", edited={"ts": "4.5"}))
    old = said("1.1", "older", bot_id="B1", subtype="bot_message", username="x", **edited)
    assert news([old], known, archive=True) == []
    assert len(news([said("1.1", "newest", edited={"ts": "5.0"})], known, archive=True)) == 1


def test_an_archive_says_nothing_against_a_reaction_that_came_or_went_after_it() -> None:
    message = said("1.1", reactions=[{"name": "tada", "users": ["U1"], "count": 1}])
    came = replace(reaction("1.1", "eyes", "U2"), as_of=Ts("6.0"))
    went = replace(reaction("1.1", "tada", "U1"), as_of=Ts("6.0"), removed=True)
    assert news([message], links_of(message), [came, went], as_of="5.0", archive=True) == []
    ranks = [one.rank for one in news([message], links_of(message), [came, went], as_of="7.0", archive=True)]
    assert ranks == ["1.1/reaction_added", "1.1/reaction_removed"]


def test_an_archive_keeps_the_thread_of_a_deleted_root() -> None:
    tombstone = {"type": "message", "subtype": "tombstone", "ts": "1.1", "thread_ts": "1.1", "hidden": True}
    stand_in, gone = news([tombstone, said("1.2", thread_ts="1.1")], archive=True)[:2]
    assert isinstance(event_of(stand_in), SlackMessage)
    assert event_of(gone) == SlackDeletion(event_of(gone).source, CHANNEL, Ts("1.1"))
    deleted = [replace(one, deleted=True) for one in links_of(said("1.1"))]
    assert news([tombstone], deleted, archive=True) == []
    assert news([{**tombstone, "thread_ts": None}], archive=True) == []
    assert news([tombstone]) == []


def test_news_of_a_closed_room_come_between_its_opening_and_its_closing() -> None:
    joined = memberships(["U1"], [], channel=CHANNEL, team=TEAM, gap=7)
    assert reopened(joined, channel=CHANNEL, team=TEAM, gap=7) == joined, "to come in, nobody must speak"
    said = News("1.1", {"event": {"type": "message"}})
    found = reopened([*joined, said], channel=CHANNEL, team=TEAM, gap=7)
    kinds = [one.payload["event"]["type"] for one in sorted(found, key=lambda one: one.rank)]
    assert kinds == ["channel_unarchive", "member_joined_channel", "message", "channel_archive"]


def test_a_channel_that_is_archived_no_more_is_opened_after_all() -> None:
    shut = archived(channel=CHANNEL, team=TEAM, gap=7)
    open_again = opened(channel=CHANNEL, team=TEAM, gap=7)
    assert open_again.payload["event"] == {"type": "channel_unarchive", "channel": CHANNEL}
    assert open_again.rank > shut.rank
