"""Links and reactions: what a record keeps, and what is found again by either side's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.store.links import Links, record
from portals.actions import (
    Record,
    RecordChannel,
    RecordDeletion,
    RecordEdit,
    RecordLink,
    RecordPin,
    RecordReaction,
    RecordTrouble,
    RecordUnreaction,
)
from portals.facts import Link, Origin, ReactionLink
from portals.ids import NO_TS, ChannelId, EventId, MatrixUserId, PortalId, TeamId, Ts

if TYPE_CHECKING:
    from bridge.store.database import Database
    from bridge.store.directory import Directory

PORTAL = PortalId(1)
OTHER = PortalId(2)
GHOST = "@slack_t1_u1:example.org"
ALICE = "@alice:example.org"


async def keep(database: Database, what: Record | None, result: str = "", portal: PortalId = PORTAL) -> None:
    await database.commit(*record(portal, what, result))


def shown(ts: str, part: str = "", thread: str | None = None, digest: str = "d", version: str = "") -> RecordLink:
    """Describe a Slack message that is shown in Matrix."""
    return RecordLink("slack", GHOST, part, ts, "", thread, digest, version)


def events(links: list[Link]) -> list[str]:
    return [link.event_id for link in links]


async def test_an_action_towards_matrix_yields_the_event(database: Database, links: Links) -> None:
    await keep(database, shown("1.1", "F1", thread="1.0", digest="d1", version="1.2"), "$event")
    link = Link(
        ts=Ts("1.1"),
        part="F1",
        event_id=EventId("$event"),
        origin=Origin.SLACK,
        sender=MatrixUserId(GHOST),
        thread_ts=Ts("1.0"),
        digest="d1",
        version=Ts("1.2"),
    )
    assert await links.of_messages(PORTAL, [Ts("1.1")]) == [link]
    assert await links.of_events(PORTAL, [EventId("$event")]) == [link]
    assert await links.of_messages(OTHER, [Ts("1.1")]) == []


async def test_an_action_towards_slack_yields_the_ts(database: Database, links: Links) -> None:
    await keep(database, RecordLink("matrix", ALICE, event_id="$event"), "1.1")
    (link,) = await links.of_events(PORTAL, [EventId("$event")])
    assert (link.ts, link.origin, link.sender, link.thread_ts, link.version) == ("1.1", Origin.MATRIX, ALICE, None, "")


async def test_recording_twice_keeps_the_first(database: Database, links: Links) -> None:
    await keep(database, shown("1.1"), "$first")
    await keep(database, shown("1.1"), "$second")
    assert events(await links.of_messages(PORTAL, [Ts("1.1")])) == ["$first"]


async def test_nothing_to_record_is_no_statement() -> None:
    assert record(PORTAL, None, "$event") == ()


async def test_parts_come_in_the_order_in_which_they_were_sent(database: Database, links: Links) -> None:
    parts = ["", *map(str, range(1, 12)), "channel", "channel1", "F0AAAAAAAAA"]
    for part in sorted(parts, reverse=True):
        await keep(database, shown("1.1", part), f"${part}")
    await keep(database, shown("1.0"), "$before")
    found = await links.of_messages(PORTAL, [Ts("1.1"), Ts("1.0")])
    assert [link.part for link in found] == ["", *parts]


async def test_an_edit_is_kept_on_every_part(database: Database, links: Links) -> None:
    for part in ("", "1"):
        await keep(database, shown("1.1", part), f"${part}")
    await keep(database, shown("1.2"), "$other")
    await keep(database, RecordEdit("1.1", "new", "1.5"))
    found = await links.of_messages(PORTAL, [Ts("1.1"), Ts("1.2")])
    assert [(link.digest, link.version) for link in found] == [("new", "1.5"), ("new", "1.5"), ("d", "")]


async def test_the_names_of_what_comes_back_to_us_are_kept_until_others_take_their_place(
    database: Database, links: Links
) -> None:
    await keep(database, shown("1.1"), "$a")
    for name in ("$edit", "", "digest"):
        await keep(database, RecordEdit("1.1", "d", "", None), name)
    assert (await links.of_messages(PORTAL, [Ts("1.1")]))[0].shown == {"$edit", "digest"}
    await keep(database, RecordEdit("1.1", "new", "1.5", "$edit new"))
    assert (await links.of_messages(PORTAL, [Ts("1.1")]))[0].shown == {"$edit", "new"}


async def test_a_part_is_deleted_alone_and_a_message_with_all_its_parts(database: Database, links: Links) -> None:
    for part in ("", "F1", "F2"):
        await keep(database, shown("1.1", part), f"${part}")
    await keep(database, RecordDeletion("1.1", "F1"))
    assert [link.deleted for link in await links.of_messages(PORTAL, [Ts("1.1")])] == [False, True, False]
    await keep(database, RecordDeletion("1.1"))
    assert [link.deleted for link in await links.of_messages(PORTAL, [Ts("1.1")])] == [True, True, True]


async def test_a_deletion_that_came_first_leaves_a_tombstone(database: Database, links: Links) -> None:
    await keep(database, RecordDeletion("1.1"))
    await keep(database, RecordDeletion("1.1"))
    await keep(database, shown("1.1"), "$late")
    (tomb,) = await links.of_messages(PORTAL, [Ts("1.1")])
    assert (tomb.deleted, tomb.event_id, tomb.part) == (True, "", "")


async def test_the_time_line_leaves_replies_out_and_a_thread_the_time_line(database: Database, links: Links) -> None:
    for ts, thread in [("1.1", None), ("1.2", "1.1"), ("1.3", None), ("1.4", "1.1"), ("1.5", None)]:
        await keep(database, shown(ts, thread=thread), f"${ts}")
    assert events(await links.between(PORTAL, Ts("1.1"), Ts("1.3"))) == ["$1.1", "$1.3"]
    assert events(await links.between(PORTAL, NO_TS, Ts("9.9"))) == ["$1.1", "$1.3", "$1.5"]
    assert events(await links.of_thread(PORTAL, Ts("1.1"))) == ["$1.2", "$1.4"]


async def test_the_newest_message_is_one_that_slack_told_of(database: Database, links: Links) -> None:
    """Our own post may be newer than messages that were missed: a look back must not stop at it."""
    assert await links.newest(PORTAL) is None
    await keep(database, RecordLink("matrix", ALICE, event_id="$hers"), "1.1")
    assert await links.newest(PORTAL) is None
    for ts, thread in [("1.2", None), ("1.3", None), ("1.5", "1.2")]:
        await keep(database, shown(ts, thread=thread), f"${ts}")
    await keep(database, RecordLink("matrix", ALICE, event_id="$later"), "1.9")
    assert await links.newest(PORTAL) == "1.3"
    assert await links.newest(OTHER) is None


async def test_the_ends_of_a_thread_are_events_of_the_thread(database: Database, links: Links) -> None:
    assert await links.thread_ends(PORTAL, Ts("1.0")) is None
    await keep(database, shown("1.0"), "$root")
    assert await links.thread_ends(PORTAL, Ts("1.0")) is None
    for ts, part in [("1.1", ""), ("1.2", ""), ("1.2", "F1"), ("1.3", ""), ("1.3", "2"), ("1.3", "10"), ("1.4", "")]:
        await keep(database, shown(ts, part, thread="1.0"), f"${ts}/{part}")
    await keep(database, shown("1.3", "channel", thread="1.0"), "$copy")
    await keep(database, RecordDeletion("1.1"))
    await keep(database, RecordDeletion("1.4"))
    assert await links.thread_ends(PORTAL, Ts("1.0")) == ("$1.2/", "$1.3/10")


async def test_recent_threads_are_those_with_new_replies(database: Database, links: Links) -> None:
    for ts, thread in [("2.0", "1.0"), ("3.0", "1.1"), ("4.0", "1.0"), ("1.5", "1.2"), ("5.0", None)]:
        await keep(database, shown(ts, thread=thread), f"${ts}")
    assert await links.recent_threads(PORTAL, Ts("1.9"), 10) == ["1.0", "1.1"]
    assert await links.recent_threads(PORTAL, NO_TS, 2) == ["1.0", "1.1"]


async def test_many_links_are_asked_for_at_once(database: Database, links: Links) -> None:
    wanted = [Ts(f"1.{number:06}") for number in range(900)]
    await database.commit(*(one for ts in wanted for one in record(PORTAL, shown(ts), f"${ts}")))
    assert [link.ts for link in await links.of_messages(PORTAL, wanted)] == wanted
    assert await links.of_messages(PORTAL, []) == []


# --- reactions


async def test_a_reaction_is_found_by_its_message_and_by_its_event(database: Database, links: Links) -> None:
    await keep(database, RecordReaction("slack", "1.1", "tada", "U1"), "$reaction")
    await keep(database, RecordReaction("matrix", "1.2", "tada", ALICE, "$hers"))
    first = ReactionLink(Ts("1.1"), "tada", "U1", EventId("$reaction"), Origin.SLACK)
    hers = ReactionLink(Ts("1.2"), "tada", ALICE, EventId("$hers"), Origin.MATRIX)
    assert await links.reactions(PORTAL, [Ts("1.1")]) == [first]
    assert await links.reactions(PORTAL, (), [EventId("$hers")]) == [hers]
    both = await links.reactions(PORTAL, [Ts("1.1"), Ts("1.2")], [EventId("$hers")])
    assert sorted(both, key=lambda one: one.ts) == [first, hers]
    assert await links.reactions(OTHER, [Ts("1.1")]) == []


async def test_a_reaction_again_takes_the_new_event(database: Database, links: Links) -> None:
    await keep(database, RecordReaction("slack", "1.1", "tada", "U1"), "$first")
    await keep(database, RecordReaction("slack", "1.1", "tada", "U1"), "$second")
    assert [one.event_id for one in await links.reactions(PORTAL, [Ts("1.1")])] == ["$second"]


async def test_when_a_reaction_was_taken_back_is_remembered(database: Database, links: Links) -> None:
    await keep(database, RecordReaction("slack", "1.1", "tada", "U1", as_of="5.0"), "$1")
    await keep(database, RecordUnreaction("1.1", "tada", "U1", "6.0"))
    await keep(database, RecordUnreaction("1.1", "eyes", "U1", "6.5"))  # one that was never shown
    assert await links.reactions(PORTAL, [Ts("1.1")]) == []
    found = await links.reactions(PORTAL, [Ts("1.1")], removed=True)
    assert {(one.emoji, one.as_of, one.removed) for one in found} == {("tada", "6.0", True), ("eyes", "6.5", True)}
    await keep(database, RecordReaction("slack", "1.1", "tada", "U1", as_of="7.0"), "$2")
    (again,) = await links.reactions(PORTAL, [Ts("1.1")])
    assert (again.event_id, again.as_of, again.removed) == ("$2", "7.0", False)


async def test_a_reaction_that_is_taken_back_is_forgotten(database: Database, links: Links) -> None:
    await keep(database, RecordReaction("slack", "1.1", "tada", "U1"), "$1")
    await keep(database, RecordReaction("slack", "1.1", "tada", "U2"), "$2")
    await keep(database, RecordUnreaction("1.1", "tada", "U1"))
    await keep(database, RecordUnreaction("1.1", "tada", "U1"))
    assert [one.person for one in await links.reactions(PORTAL, [Ts("1.1")])] == ["U2"]


@pytest.mark.parametrize(
    ("change", "name", "topic"),
    [
        (RecordChannel(name="new"), "new", "old topic"),
        (RecordChannel(topic="new"), "old", "new"),
        (RecordChannel(topic=""), "old", ""),
        (RecordChannel(), "old", "old topic"),
    ],
)
async def test_a_channel_keeps_what_did_not_change(
    database: Database, directory: Directory, change: RecordChannel, name: str, topic: str
) -> None:
    portal = await directory.add_portal(TeamId("T1"), ChannelId("C1"), name="old", topic="old topic")
    await keep(database, change, portal=portal.id)
    again = await directory.portal(portal.id)
    assert again is not None
    assert (again.name, again.topic) == (name, topic)


@pytest.mark.parametrize(
    ("change", "purpose", "archived", "private"),
    [
        (RecordChannel(purpose="new"), "new", False, True),
        (RecordChannel(archived=True), "old purpose", True, True),
        (RecordChannel(private=False), "old purpose", False, False),
        (RecordChannel(topic="x"), "old purpose", False, True),
    ],
)
async def test_a_channel_keeps_what_it_is(
    database: Database, directory: Directory, change: RecordChannel, purpose: str, archived: bool, private: bool
) -> None:
    portal = await directory.add_portal(TeamId("T1"), ChannelId("C1"), name="old", purpose="old purpose", private=True)
    await keep(database, change, portal=portal.id)
    again = await directory.portal(portal.id)
    assert again is not None
    assert (again.purpose, again.archived, again.private) == (purpose, archived, private)


async def test_the_end_of_a_trouble_has_the_portal_look_back_over_everything(
    database: Database, directory: Directory
) -> None:
    portal = await directory.add_portal(TeamId("T1"), ChannelId("C1"), name="old")
    await database.commit(*directory.caught_up(portal.id, 7, ""))
    await keep(database, RecordTrouble("the bot is gone"), portal=portal.id)
    again = await directory.portal(portal.id)
    assert again is not None
    assert (again.trouble, again.caught_up) == ("the bot is gone", 7)
    await keep(database, RecordTrouble(""), portal=portal.id)
    again = await directory.portal(portal.id)
    assert again is not None
    assert (again.trouble, again.caught_up) == ("", 0)


async def test_pins_are_kept_for_each_portal_and_once(database: Database, links: Links) -> None:
    for ts in ("1.1", "1.2", "1.2"):
        await keep(database, RecordPin(ts, True))
    await keep(database, RecordPin("1.1", False))
    await keep(database, RecordPin("9.9", False))
    assert await links.pins(PORTAL) == {"1.2"}
    assert await links.pins(OTHER) == frozenset()


async def test_a_file_is_found_in_all_messages_of_its_workspace_that_show_it(
    database: Database, links: Links, directory: Directory
) -> None:
    team = TeamId("T1")
    portals = [
        await directory.add_portal(where, ChannelId(channel), name="x")
        for where, channel in ((team, "C2"), (team, "C1"), (TeamId("T2"), "C1"))
    ]
    for portal in portals:
        await keep(database, shown("1.1", ""), "$text", portal.id)
        await keep(database, shown("1.1", "F1"), "$file", portal.id)
    await keep(database, shown("0.9", "F1"), "$older", portals[0].id)
    await keep(database, shown("1.2", "F1"), "$gone", portals[0].id)
    await keep(database, RecordDeletion("1.2"), portal=portals[0].id)
    assert await links.showing(team, "F1") == [("C1", "1.1"), ("C2", "0.9"), ("C2", "1.1")]
    assert await links.showing(team, "F2") == []


async def test_a_reaction_knows_by_which_account_it_was_made(database: Database, links: Links) -> None:
    await keep(database, RecordReaction("slack", "1.1", "tada", "U1", sender=ALICE), "$1")
    await keep(database, RecordReaction("slack", "1.1", "eyes", "U1"), "$2")
    found = {one.emoji: one.sender for one in await links.reactions(PORTAL, [Ts("1.1")])}
    assert found == {"tada": ALICE, "eyes": None}
    await keep(database, RecordReaction("slack", "1.1", "tada", "U1"), "$3")
    assert {one.sender for one in await links.reactions(PORTAL, [Ts("1.1")])} == {None}
