"""The directory remembers, its caches never contradict the database, and another directory sees what this one wrote."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store.directory import Directory
from bridge.store.recent import Recent
from portals.facts import Direction, Member, Person, Portal, PortalState, Workspace
from portals.ids import ChannelId, GhostNames, MatrixUserId, PortalId, RoomId, SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.store.database import Database, Row, Statement, Value

TEAM = TeamId("T1")
CHANNEL = ChannelId("C1")
USER = SlackUserId("U1")
ROOM = RoomId("!room:example.org")
GHOST = MatrixUserId("@slack_t1_u1:example.org")


@pytest.fixture
def other(database: Database, names: GhostNames) -> Directory:
    """A directory with nothing in its memory, as after a restart."""
    return Directory(database, names)


async def opened(directory: Directory, channel: str = "C1", room: RoomId = ROOM) -> Portal:
    portal = await directory.add_portal(TEAM, ChannelId(channel), name=channel.lower())
    await directory.set_room(portal.id, room)
    again = await directory.portal(portal.id)
    assert again is not None
    return again


# --- workspaces


async def test_a_workspace_is_remembered_and_keeps_space_and_gap(directory: Directory, other: Directory) -> None:
    assert await directory.workspace(TEAM) is None
    assert await directory.gap(TEAM) == 0
    first = Workspace(TEAM, "Acme", SlackUserId("U0"), SlackUserId("B0"), "A0", "https://acme.slack.com/")
    await directory.learn_workspace(first)
    assert await directory.workspace(TEAM) == first
    await directory.set_space(TEAM, RoomId("!space:x"))
    await directory.add_gap(TEAM, 17)
    await directory.add_gap(TEAM, 42)
    await directory.add_gap(TEAM, 42)
    renamed = Workspace(TEAM, "Acme Inc", SlackUserId("U0"), SlackUserId("B0"), "A0", "https://acme.slack.com/")
    await directory.learn_workspace(renamed)
    for one in (directory, other):
        found = await one.workspace(TEAM)
        assert found is not None
        assert (found.name, found.space) == ("Acme Inc", "!space:x")
        assert await one.workspace(TEAM) == found
        assert await one.gap(TEAM) == 42
        assert await one.gaps(TEAM) == [17, 42]


# --- portals


async def test_a_new_portal_is_planned(directory: Directory) -> None:
    portal = await directory.add_portal(
        TEAM, CHANNEL, name="general", topic="All", private=True, direction=Direction.TO_MATRIX, target="#x:y"
    )
    assert portal == Portal(
        id=portal.id,
        team=TEAM,
        channel=CHANNEL,
        room=None,
        direction=Direction.TO_MATRIX,
        state=PortalState.PLANNED,
        name="general",
        topic="All",
        private=True,
        target="#x:y",
    )
    assert await directory.planned_portals() == [portal]
    assert await directory.portal(PortalId(999)) is None


async def test_adding_a_portal_again_keeps_its_life(directory: Directory) -> None:
    first = await opened(directory)
    again = await directory.add_portal(TEAM, CHANNEL, name="renamed", direction=Direction.TO_SLACK)
    assert (again.id, again.room, again.state) == (first.id, ROOM, PortalState.LIVE)
    assert (again.name, again.direction) == ("renamed", Direction.TO_SLACK)


@pytest.mark.parametrize(
    ("before", "with_room", "after"),
    [
        (PortalState.REMOVED, True, PortalState.LIVE),
        (PortalState.REMOVED, False, PortalState.PLANNED),
        (PortalState.PAUSED, True, PortalState.PAUSED),
    ],
)
async def test_only_a_removed_portal_comes_to_life_by_being_added(
    directory: Directory, before: PortalState, with_room: bool, after: PortalState
) -> None:
    portal = await opened(directory) if with_room else await directory.add_portal(TEAM, CHANNEL, name="general")
    await directory.set_state(portal.id, before)
    assert (await directory.add_portal(TEAM, CHANNEL, name="general")).state is after


async def test_a_removed_portal_that_is_added_again_looks_back_over_what_it_missed(
    directory: Directory, database: Database
) -> None:
    portal = await opened(directory)
    await database.commit(*directory.caught_up(portal.id, 7, "its history cannot be read"))
    assert (await directory.add_portal(TEAM, CHANNEL, name="general")).caught_up == 7
    await directory.set_state(portal.id, PortalState.REMOVED)
    again = await directory.add_portal(TEAM, CHANNEL, name="general")
    assert (again.id, again.room, again.caught_up, again.trouble) == (portal.id, ROOM, 0, "")


async def test_only_a_portal_without_a_room_is_given_another_target(directory: Directory) -> None:
    await directory.add_portal(TEAM, CHANNEL, name="general")
    portal = await directory.add_portal(TEAM, CHANNEL, name="general", target="#room:example.org")
    assert portal.target == "#room:example.org"
    await directory.set_room(portal.id, ROOM)
    assert (await directory.add_portal(TEAM, CHANNEL, name="general")).target == "#room:example.org"


@pytest.mark.parametrize("state", [PortalState.PAUSED, PortalState.REMOVED])
async def test_a_room_that_opens_late_brings_no_portal_to_life(directory: Directory, state: PortalState) -> None:
    portal = await directory.add_portal(TEAM, CHANNEL, name="general")
    await directory.set_state(portal.id, state)
    await directory.set_room(portal.id, ROOM)
    late = await directory.portal(portal.id)
    assert late is not None
    assert (late.room, late.state) == (ROOM, state)


async def test_a_portal_is_found_by_channel_and_by_room_at_once_after_every_change(directory: Directory) -> None:
    assert await directory.portal_of_channel(TEAM, CHANNEL) is None
    assert await directory.portal_of_room(ROOM) is None
    portal = await directory.add_portal(TEAM, CHANNEL, name="general")
    assert await directory.portal_of_channel(TEAM, CHANNEL) == portal
    await directory.set_trouble(portal.id, "no such room")
    found = await directory.portal_of_channel(TEAM, CHANNEL)
    assert found is not None
    assert found.trouble == "no such room"
    await directory.set_room(portal.id, ROOM)
    live = await directory.portal_of_room(ROOM)
    assert live is not None
    assert (live.state, live.trouble) == (PortalState.LIVE, "")
    assert await directory.portal_of_channel(TEAM, CHANNEL) == live
    await directory.set_state(portal.id, PortalState.PAUSED)
    paused = await directory.portal_of_room(ROOM)
    assert paused is not None
    assert paused.state is PortalState.PAUSED


async def test_a_portal_that_another_process_changed_is_read_anew_when_told(
    directory: Directory, other: Directory
) -> None:
    portal = await opened(directory)
    assert await directory.portal_of_room(ROOM) == portal
    await other.set_state(portal.id, PortalState.REMOVED)
    directory.forget_portals()
    found = await directory.portal_of_room(ROOM)
    assert found is not None
    assert found.state is PortalState.REMOVED


async def test_a_room_of_a_removed_portal_is_free_for_another_channel(directory: Directory) -> None:
    first = await opened(directory)
    await directory.set_state(first.id, PortalState.REMOVED)
    second = await opened(directory, "C2")
    assert second.room == ROOM
    left = await directory.portal(first.id)
    assert left is not None
    assert left.room is None
    assert (await directory.add_portal(TEAM, CHANNEL, name="general")).state is PortalState.PLANNED


async def test_portals_are_listed_in_pages(directory: Directory) -> None:
    made = [await directory.add_portal(TEAM, ChannelId(f"C{number}"), name="x") for number in range(5)]
    assert await directory.portals(limit=2) == made[:2]
    assert await directory.portals(after=made[1].id) == made[2:]


async def test_portals_behind_a_gap_are_those_that_relay_to_matrix_and_did_not_look_back(
    directory: Directory, database: Database
) -> None:
    rooms = {name: RoomId(f"!{name}:x") for name in ("C1", "C2", "C3", "C4", "C5")}
    portals = {name: await opened(directory, name, room) for name, room in rooms.items()}
    await directory.add_portal(TEAM, ChannelId("C5"), name="c5", direction=Direction.TO_SLACK)
    await directory.set_state(portals["C4"].id, PortalState.PAUSED)
    assert [one.channel for one in await directory.portals_behind(TEAM, 7, 10)] == ["C1", "C2", "C3"]
    assert [one.channel for one in await directory.portals_behind(TEAM, 7, 1)] == ["C1"]
    await database.commit(*directory.caught_up(portals["C2"].id, 7, "half blind"))
    assert [one.channel for one in await directory.portals_behind(TEAM, 7, 10)] == ["C1", "C3"]
    caught_up = await directory.portal(portals["C2"].id)
    assert caught_up is not None
    assert (caught_up.caught_up, caught_up.trouble) == (7, "half blind")


# --- people


async def test_people_are_learned_and_learned_anew(directory: Directory, other: Directory) -> None:
    assert await directory.person(TEAM, USER) is None
    bot = Person(SlackUserId("B1"), "Robo", MatrixUserId("@slack_t1_b1:example.org"), "", True)
    await directory.learn_people(TEAM, [Person(USER, "Zoë", GHOST, "https://x/1.png"), bot])
    await directory.learn_people(TEAM, [Person(USER, "Zoë Q", GHOST, "https://x/2.png")])
    await directory.learn_people(TEAM, [])
    for one in (directory, other):
        assert await one.person(TEAM, USER) == Person(USER, "Zoë Q", GHOST, "https://x/2.png")
        assert await one.person(TEAM, bot.user) == bot
        assert await one.person(TeamId("T2"), USER) is None


async def test_who_was_deactivated_stays_as_they_were_known(directory: Directory, other: Directory) -> None:
    gone = Person(USER, "Deactivated User", GHOST, deactivated=True)
    await directory.learn_people(TEAM, [Person(USER, "Zoë", GHOST, "https://x/1.png")])
    await directory.learn_people(TEAM, [gone, Person(SlackUserId("U9"), "Never Met", GHOST, deactivated=True)])
    for one in (directory, other):
        assert await one.person(TEAM, USER) == Person(USER, "Zoë", GHOST, "https://x/1.png")
        found = await one.person(TEAM, SlackUserId("U9"))
        assert found is not None
        assert found.name == "Never Met"


async def test_people_with_ghosts_are_listed_page_by_page(directory: Directory) -> None:
    users = [SlackUserId(f"U{number}") for number in range(5)]
    for user in users:
        await directory.learn_people(TEAM, [Person(user, user, GHOST)])
        await directory.learn_people(TeamId("T2"), [Person(user, user, GHOST)])
    for user in users[:4]:
        await directory.set_shown(TEAM, user, f"{user}\n")
    assert await directory.shown_people(TEAM, "", 3) == users[:3]
    assert await directory.shown_people(TEAM, users[2], 3) == [users[3]]
    assert await directory.shown_people(TEAM, users[3], 3) == []


async def test_what_a_ghost_shows_is_kept(directory: Directory, other: Directory) -> None:
    assert await directory.shown(TEAM, USER) == ""
    await directory.learn_people(TEAM, [Person(USER, "Zoë", GHOST)])
    await directory.set_shown(TEAM, USER, "Zoë\n")
    await directory.learn_people(TEAM, [Person(USER, "Zoë Q", GHOST)])
    assert await directory.shown(TEAM, USER) == "Zoë\n"
    assert await other.shown(TEAM, USER) == "Zoë\n"


async def test_members_are_learned_and_learned_anew(directory: Directory, other: Directory) -> None:
    alice = MatrixUserId("@alice:x")
    assert await directory.member(alice) is None
    await directory.learn_member(Member(alice, "Alice"))
    await directory.learn_member(Member(alice, "Alice L", "mxc://x/y"))
    for one in (directory, other):
        assert await one.member(alice) == Member(alice, "Alice L", "mxc://x/y")


async def test_who_is_in_a_room_is_known(directory: Directory, other: Directory) -> None:
    assert not await directory.is_joined(ROOM, GHOST)
    await directory.set_joined(ROOM, GHOST, True)
    await directory.set_joined(ROOM, GHOST, True)
    assert await directory.is_joined(ROOM, GHOST)
    assert await other.is_joined(ROOM, GHOST)
    await directory.set_joined(ROOM, GHOST, False)
    assert not await directory.is_joined(ROOM, GHOST)


# --- names and media


async def test_channels_are_found_by_name(directory: Directory) -> None:
    await directory.learn_channels(TEAM, [(CHANNEL, "general"), (ChannelId("C2"), "random")])
    await directory.learn_channels(TEAM, [(CHANNEL, "everybody")])
    assert await directory.channel_name(TEAM, CHANNEL) == "everybody"
    assert await directory.channel_name(TEAM, ChannelId("C9")) is None
    assert await directory.channel_named(TEAM, "random") == "C2"
    assert await directory.channel_named(TEAM, "general") is None


async def test_names_of_a_kind_are_found(directory: Directory) -> None:
    await directory.words.change(TEAM, "emoji", [("party", "https://x/p.png"), ("alias", "alias:party")])
    await directory.words.change(TEAM, "emoji", [("party", "https://x/q.png")])
    await directory.words.change(TEAM, "usergroup", [("S1", "devs")])
    found = await directory.words.of(TEAM, "emoji", ["party", "alias", "nothing"])
    assert found == {"party": "https://x/q.png", "alias": "alias:party"}
    assert await directory.words.of(TEAM, "emoji", []) == {}
    assert await directory.words.of(TEAM, "usergroup", ["S1"]) == {"S1": "devs"}
    await directory.words.change(TEAM, "emoji", [("new", "https://x/n.png")], ["party"])
    assert await directory.words.all(TEAM, "emoji") == {"new": "https://x/n.png", "alias": "alias:party"}


async def test_media_are_brought_once(directory: Directory) -> None:
    assert await directory.media("slack:F1") is None
    await directory.learn_media("slack:F1", "mxc://x/1", "image/png", 3)
    await directory.learn_media("slack:F1", "mxc://x/2", "image/png", 3)
    assert await directory.media("slack:F1") == "mxc://x/2"


# --- caches


class SlowReads:
    """A database whose reads are answered when the test says so, as one far away may be."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.dialect, self.serial = database.dialect, database.serial
        self.read = asyncio.Event()
        self.answer = asyncio.Event()

    def commit(self, *unit: Statement) -> asyncio.Future[list[list[Row]]]:
        return self._database.commit(*unit)

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        rows = await self._database.fetch(sql, *values)
        self.read.set()
        await self.answer.wait()
        return rows

    async def own(self) -> None: ...

    async def release(self) -> None: ...

    async def close(self) -> None: ...


async def _leave(directory: Directory) -> None:
    await directory.set_joined(ROOM, GHOST, False)


@pytest.mark.parametrize(
    ("ask", "change"),
    [
        pytest.param(
            lambda one: one.portal_of_channel(TEAM, CHANNEL),
            lambda one: one.set_state(PortalId(1), PortalState.PAUSED),
            id="portal",
        ),
        pytest.param(
            lambda one: one.person(TEAM, USER),
            lambda one: one.learn_people(TEAM, [Person(USER, "New", GHOST)]),
            id="person",
        ),
        pytest.param(lambda one: one.shown(TEAM, USER), lambda one: one.set_shown(TEAM, USER, "New"), id="shown"),
        pytest.param(
            lambda one: one.member(MatrixUserId("@a:x")),
            lambda one: one.learn_member(Member(MatrixUserId("@a:x"), "New")),
            id="member",
        ),
        pytest.param(lambda one: one.is_joined(ROOM, GHOST), _leave, id="joined"),
        pytest.param(
            lambda one: one.workspace(TEAM), lambda one: one.set_space(TEAM, RoomId("!space:x")), id="workspace"
        ),
    ],
)
async def test_a_read_that_a_write_overtook_is_not_remembered(
    database: Database,
    directory: Directory,
    names: GhostNames,
    ask: Callable[[Directory], Awaitable[Any]],
    change: Callable[[Directory], Awaitable[None]],
) -> None:
    await directory.add_portal(TEAM, CHANNEL, name="general")
    await directory.learn_people(TEAM, [Person(USER, "Old", GHOST)])
    await directory.set_shown(TEAM, USER, "Old")
    await directory.learn_member(Member(MatrixUserId("@a:x"), "Old"))
    await directory.set_joined(ROOM, GHOST, True)
    await directory.learn_workspace(Workspace(TEAM, "Acme", SlackUserId("U0"), SlackUserId("B0"), "A0"))
    slow = SlowReads(database)
    far = Directory(slow, names)
    asked = asyncio.ensure_future(ask(far))
    await slow.read.wait()
    await change(far)
    slow.answer.set()
    before = await asked
    fresh = await ask(Directory(database, names))
    assert before != fresh
    assert await ask(far) == fresh


def test_the_memory_is_bounded_and_keeps_what_is_used() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]
    recent.forget("a")
    recent.forget("never there")
    assert recent.get("a") is None
    recent.clear()
    assert recent.get("c") is None


async def test_a_custom_emoji_is_found_by_its_picture(directory: Directory) -> None:
    await directory.words.change(TEAM, "emoji", [("party", "https://x/p.png"), ("fun", "alias:party")])
    await directory.learn_media("picture:https://x/p.png", "mxc://x/p", "image/png", 3)
    await directory.learn_media("slack:F1", "mxc://x/f", "image/png", 3)
    found = await directory.words.emoji_shown(TEAM, ["mxc://x/p", "mxc://x/f", "mxc://x/unknown"])
    assert found == {"mxc://x/p": "party"}
