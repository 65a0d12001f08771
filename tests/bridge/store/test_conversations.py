"""Direct conversations: who takes part is known to the next process, and one that goes on looks back anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.conversations import ConversationStore, Told
from bridge.store.directory import Directory
from portals.facts import PortalKind
from portals.ids import ChannelId, GhostNames, RoomId, SlackUserId, TeamId

if TYPE_CHECKING:
    from bridge.store.database import Database

TEAM, CHAT = TeamId("T1"), ChannelId("D1")
ALICE, BOB = SlackUserId("U1"), SlackUserId("U2")
NAMES = GhostNames("example.org", "slackbot", "slack_{team}_{user}", "slack_{team}_{channel}")


async def test_who_takes_part_and_what_was_told_are_kept(database: Database) -> None:
    store, directory = ConversationStore(database), Directory(database, NAMES)
    portal = await directory.add_portal(TEAM, CHAT, name="x", kind=PortalKind.DM)
    await store.learn(TEAM, CHAT, [ALICE, BOB])
    await store.learn(TEAM, CHAT, [ALICE, BOB])  # by a look that was interrupted
    await database.commit(*directory.caught_up(portal.id, 7, ""))
    other = ConversationStore(database)
    assert await other.people(TEAM, CHAT) == {ALICE, BOB}
    assert await other.all() == [(TEAM, CHAT)]
    assert await other.told(TEAM, CHAT) == Told()
    await store.set_told(TEAM, CHAT, Told("nobody agreed", 1))
    assert await other.told(TEAM, CHAT) == Told("nobody agreed", 1)
    kept = await Directory(database, NAMES).portal(portal.id)
    assert kept is not None
    assert kept.caught_up == 7
    await store.set_told(TEAM, CHAT, Told("", 2))
    anew = await Directory(database, NAMES).portal(portal.id)
    assert anew is not None
    assert anew.caught_up == 0


async def test_rooms_and_looks_are_remembered_until_they_are_over(database: Database) -> None:
    store, room = ConversationStore(database), RoomId("!r:example.org")
    assert (await store.room(room), await store.look(TEAM, ALICE)) == (None, (0, 0))
    await store.add_room(room, TEAM)
    await store.add_room(room, TEAM)
    assert await store.room(room) == TEAM
    await store.remove_room(room)
    assert await store.room(room) is None
    await store.set_look(TEAM, ALICE, 3, 1000)
    await store.set_look(TEAM, ALICE, 4, 2000)
    assert await store.look(TEAM, ALICE) == (4, 2000)
