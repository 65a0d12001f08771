"""Which room is compared with which channel is the homeserver's to say; what explains an absence, the store's."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bridge.matrix.client import MatrixClient
from bridge.proof.tasks import Planning, Stores, Undertaking
from bridge.store.audit import Audit
from bridge.store.channel_ids import ChannelIds
from bridge.store.directory import Directory
from bridge.store.files import Files, FileState, KnownFile
from bridge.store.grants import Grants, Tokens
from bridge.store.held import HeldMessages
from bridge.store.imports import ChannelState, ImportedChannel, Imports, Quarantined
from bridge.store.ledger import TO_MATRIX, Arrival, Ledger
from bridge.store.opening import open_database
from bridge.store.people import People
from bridge.store.words import Words
from portals.facts import Person, PortalKind, PortalState, Rules, Workspace
from portals.history.selection import Selection
from portals.ids import ChannelId, MatrixUserId, RoomId, SlackUserId, Ts, channel_queue, past_of
from portals.people.links import How, Wanted
from tests.bridge.matrix.test_on_synapse import AS_TOKEN, registration
from tests.bridge.proof.listed import GENERAL, Listed
from tests.portals.history.mirrored import ACCOUNT, CHANNEL, NAMES, TEAM, ghost
from tests.sandbox.child import free_port
from tests.sandbox.homeserver.instant import InstantHomeserver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.store.database import Database
    from portals.history.export import ExportedChannel


@dataclass
class Place:
    """A homeserver and a store."""

    matrix: MatrixClient
    database: Database
    stores: Stores

    async def undertaking(self, *sources: Listed, **more: Any) -> Undertaking:
        planning = Planning(
            matrix=self.matrix,
            stores=self.stores,
            names=NAMES,
            rules=Rules(),
            member_limit=100,
            sources=sources or (Listed([]),),
            selection=more.get("selection", Selection()),
            checksums=more.get("checksums", False),
        )
        return await planning.undertaking(await self.stores.directory.portals())

    async def room(self, channel: ChannelId) -> RoomId:
        """Make the room of a channel, as the bridge does."""
        return await self.matrix.rooms.create_room({"room_alias_name": NAMES.alias_localpart(TEAM, channel)})

    async def portal(self, channel: ChannelId, room: str, target: str = "create", **more: Any) -> None:
        directory = self.stores.directory
        portal = await directory.add_portal(TEAM, channel, name="general", target=target, **more)
        await directory.set_room(portal.id, RoomId(room))


@asynccontextmanager
async def place_on(url: str) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        homeserver = InstantHomeserver(registrations=[registration(free_port())], push=False)
        await stack.enter_async_context(homeserver)
        matrix = await stack.enter_async_context(MatrixClient(homeserver.url, AS_TOKEN, NAMES.bot))
        database = await open_database(url)
        stack.push_async_callback(database.close)
        stores = Stores(
            Directory(database, NAMES),
            Ledger(database),
            Imports(database),
            People(database),
            Files(database),
            Words(database),
            Audit(database),
            ChannelIds(database),
            Grants(database),
            HeldMessages(database),
        )
        yield Place(matrix, database, stores)


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    async with place_on(database_url) as place:
        yield place


# --- rooms


async def test_the_room_of_a_channel_is_that_of_its_alias_whatever_the_store_says(place: Place) -> None:
    room = await place.room(CHANNEL)
    await place.portal(CHANNEL, "!elsewhere:localhost")
    (task,) = (await place.undertaking()).tasks
    assert task.rooms == [room]


async def test_where_no_alias_says_it_the_store_does(place: Place) -> None:
    await place.portal(CHANNEL, "!kept:localhost")
    (task,) = (await place.undertaking()).tasks
    assert task.rooms == ["!kept:localhost"]


async def test_a_room_of_others_has_its_own_aliases(place: Place) -> None:
    await place.room(CHANNEL)
    await place.portal(CHANNEL, "!theirs:localhost", target="#theirs:example.org")
    (task,) = (await place.undertaking()).tasks
    assert task.rooms == ["!theirs:localhost"]


async def test_the_room_of_the_past_comes_before_the_one_in_use(place: Place) -> None:
    now, past = await place.room(CHANNEL), await place.room(past_of(CHANNEL))
    await place.portal(CHANNEL, now)
    await place.portal(past_of(CHANNEL), past, kind=PortalKind.HISTORY)
    (task,) = (await place.undertaking()).tasks
    assert task.rooms == [past, now]


async def test_a_removed_portal_has_no_room(place: Place) -> None:
    await place.portal(CHANNEL, "!gone:localhost")
    (portal,) = await place.stores.directory.portals()
    await place.stores.directory.set_state(portal.id, PortalState.REMOVED)
    found = await place.undertaking()
    assert (found.tasks, [one.reason for one in found.left_out]) == (
        [],
        ["no portal mirrors it, and no import took it"],
    )


async def test_a_channel_that_was_given_another_id_has_the_room_that_it_had(place: Place) -> None:
    await place.portal(CHANNEL, "!kept:localhost")
    await place.stores.channel_ids.move(TEAM, CHANNEL, ChannelId("C2"))
    place.stores.directory.forget_portals()
    sources = Listed([]), Listed([], replace(GENERAL, id=ChannelId("C2")))
    found = await place.undertaking(*sources)
    assert [(one.channel.id, one.rooms, one.former) for one in found.tasks] == [
        (CHANNEL, ["!kept:localhost"], {"C2"}),
        ("C2", ["!kept:localhost"], {CHANNEL}),
    ]


# --- what is left out


async def begun(place: Place, *channels: tuple[ExportedChannel, ChannelState, str]) -> int:
    known = await place.stores.imports.begin(TEAM, "/export.zip", "{}", Ts("1700000500.000000"), {})
    for channel, state, reason in channels:
        one = ImportedChannel(known.id, channel.id, channel_queue(TEAM, channel.id), channel.name, 1, state)
        await place.stores.imports.set_channel(await place.stores.imports.add_channel(one), state, reason)
    return known.id


async def test_what_an_import_left_out_says_why_and_what_it_lost_is_told(place: Place) -> None:
    other = replace(GENERAL, id=ChannelId("C2"), name="other")
    await begun(place, (GENERAL, ChannelState.DONE, ""), (other, ChannelState.LEFT_OUT, "nobody agreed"))
    found = await place.undertaking(Listed([]), Listed([], other))
    assert [(one.channel.name, one.reason, one.known) for one in found.left_out] == [
        ("general", "it has no room, although an import took it", False),
        ("other", "nobody agreed", True),
    ]


async def test_only_what_is_selected_is_asked_for(place: Place) -> None:
    found = await place.undertaking(selection=Selection(channels=frozenset(["elsewhere"])))
    assert found == Undertaking()


# --- what explains


async def test_what_is_set_aside_is_known_by_its_place_or_its_time(place: Place) -> None:
    await place.portal(CHANNEL, "!room:localhost")
    number = await begun(place)
    one = Quarantined(number, TEAM, CHANNEL, "general/day.json[7]", "no author", "{}")
    await place.database.commit(place.stores.imports.quarantine(one))
    for name, event in (
        ("a", {"type": "message", "channel": CHANNEL, "ts": "1700000001.000100"}),
        ("b", {"type": "message", "subtype": "message_changed", "ts": "1700000002.000100"}),
        ("c", {"type": "reaction_added", "ts": "1700000003.000100"}),
    ):
        raw = orjson.dumps({"event": event}).decode()
        await place.stores.ledger.admit([Arrival(TO_MATRIX, channel_queue(TEAM, CHANNEL), name, raw)])
    for row in await place.stores.ledger.next_rows(TO_MATRIX, channel_queue(TEAM, CHANNEL), 10):
        await place.stores.ledger.park(row, "refused by the room")
    (task,) = (await place.undertaking()).tasks
    assert task.quarantined == {"general/day.json[7]": "no author", "1700000001.000100": "refused by the room"}
    assert task.until == 1_700_000_500_000


async def test_what_is_newer_than_the_source_can_be_there_where_the_workspace_is_or_was_connected(place: Place) -> None:
    directory = place.stores.directory
    await place.portal(CHANNEL, "!room:localhost")
    assert not (await place.undertaking()).tasks[0].live
    await directory.learn_workspace(Workspace(TEAM, "Acme", SlackUserId("U0"), SlackUserId("B0"), "A0"))
    (portal,) = await directory.portals()
    for state, live in ((PortalState.LIVE, True), (PortalState.ARCHIVED, True), (PortalState.PLANNED, False)):
        await directory.set_state(portal.id, state)
        assert (await place.undertaking()).tasks[0].live is live


class Talkative(Listed):
    """A source that tells of people and emoji."""

    def users(self) -> Any:
        yield {"id": "U1", "name": "ada", "profile": {"display_name": "Ada"}}

    def emoji(self) -> dict[str, str]:
        return {"yes": "alias:ok", "ok": "alias:+1", "party": "https://emoji/party.png", "loop": "alias:loop"}


async def test_people_and_names_come_from_the_source_and_accounts_from_the_store(place: Place) -> None:
    await place.portal(CHANNEL, "!room:localhost")
    await place.stores.people.link(TEAM, [Wanted(SlackUserId("U3"), ACCOUNT, How.HAND)], "admin")
    eve = MatrixUserId("@eve:localhost")
    await place.stores.grants.connect(TEAM, SlackUserId("U2"), eve, RoomId("!hers:localhost"), Tokens("sealed"), "eve")
    stan = Person(SlackUserId("U0STAN"), "Stan", NAMES.ghost(TEAM, SlackUserId("U0STAN")))
    await place.stores.directory.learn_people(TEAM, [stan, replace(stan, user=SlackUserId("U1"), name="Old Ada")])
    await place.stores.words.change(TEAM, "usergroup", [("S1", "crew")])
    await place.stores.words.change(TEAM, "emoji", [("shrug", "alias:ok")])
    (task,) = (await place.undertaking(Talkative([]))).tasks
    known = task.known
    assert (known.hands, known.met) == ({eve: "U2"}, {stan.user: stan})
    assert [known.people[SlackUserId("U1")].name, known.channels, known.usergroups] == [
        "Ada",
        {CHANNEL: "general"},
        {"S1": "crew"},
    ]
    assert known.emoji == {"yes": "👍", "ok": "👍", "shrug": "👍"}
    assert [known.who(user) for user in (ghost("U1"), ACCOUNT, "@eve:localhost", "@slack_t2_u1:localhost")] == [
        "U1",
        "U3",
        "",
        "",
    ]


async def test_checksums_are_those_of_what_came_from_slack(place: Place) -> None:
    await place.portal(CHANNEL, "!room:localhost")
    came = KnownFile(
        TEAM, "F1", "https://x", "a", "text/plain", sha256="ab" * 32, mxc="mxc://x/y", state=FileState.HERE
    )
    await place.stores.files.arrived(came)
    await place.stores.files.give_up(replace(came, id="F2", sha256="", mxc=""))
    (task,) = (await place.undertaking(checksums=True)).tasks
    assert task.checksums is not None
    assert await task.checksums(["F1", "F2", "F3"]) == {"F1": "ab" * 32}
    assert (await place.undertaking()).tasks[0].checksums is None
