"""Acting as people's own accounts, and asking whose an address is, against the real homeserver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from bridge.errors import Fatal, Refused
from bridge.matrix.admin import Admin
from bridge.matrix.client import MatrixClient
from bridge.matrix.wire import Puppeting
from bridge.store.directory import Directory
from bridge.store.opening import open_database
from bridge.store.people import People
from bridge.work.puppets import Puppets
from config import registration
from config.loader import parse
from portals.ids import ActionKey, EventId, GhostNames, MatrixUserId, RoomId
from portals.people.puppets import is_about_the_account
from tests.sandbox.child import free_port
from tests.sandbox.homeserver.synapse import Synapse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.sandbox.homeserver.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """\
homeserver: {domain: localhost}
appservice: {as_token: as-token-0123456789, hs_token: hs-token-0123456789, url: "http://127.0.0.1:%d"}
double_puppet: {as_token: puppet-token-0123456789, accounts: ["@*a:localhost", "@gone:localhost"]}
slack: {workspaces: [{bot_token: xoxb-1, app_token: xapp-1}]}
"""
NAMES = GhostNames("localhost", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
HISTORIC = 1_500_000_000_000


@dataclass
class World:
    """A homeserver with both registrations, an admin, and ada, who has accounts on both sides."""

    synapse: Synapse
    client: MatrixClient
    admin: Person
    ada: Person
    puppets: Puppets
    looks: int = 0

    @property
    def account(self) -> MatrixUserId:
        return MatrixUserId(self.ada.user_id)

    async def room(self) -> RoomId:
        """A private room of the bot's."""
        return await self.client.rooms.create_room({"preset": "private_chat"})

    async def know(self, account: str, **more: Any) -> None:
        """Have the homeserver know something of an account, as its admins can."""
        path = f"/_synapse/admin/v2/users/{account}"
        await self.synapse.transport.request("PUT", path, token=self.admin.token, body=more)

    async def say(self, room: RoomId, words: str, number: int, **more: Any) -> EventId:
        """Have the bot say something long ago."""
        content = {"msgtype": "m.text", "body": words, **more}
        return await self.client.send(
            room, None, "m.room.message", content, ActionKey(f"{room}-{number}"), HISTORIC + number
        )

    async def notified(self, room: RoomId) -> tuple[int, int]:
        """How many notifications and highlights ada's client shows for a room."""
        self.looks += 1
        synced = await self.ada.sync(milliseconds=self.looks)  # the same question is answered from memory for a while
        unread = synced["rooms"]["join"][room]["unread_notifications"]
        return unread["notification_count"], unread["highlight_count"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, synapse_template: Path) -> AsyncIterator[World]:
    directory = tmp_path_factory.mktemp("people")
    settings = parse(CONFIG % free_port(), "config", directory, {})
    puppet = registration.double_puppet(settings)
    assert puppet is not None
    both = [{**registration.registration(settings), "url": None}, puppet]
    accounts = settings.double_puppet.accounts
    puppeting = Puppeting("puppet-token-0123456789", accounts, NAMES.is_ours)
    database = await open_database(f"sqlite:///{directory / 'causeway.db'}")
    async with (
        Synapse(directory / "synapse", registrations=both, template=synapse_template) as synapse,
        MatrixClient(synapse.url, "as-token-0123456789", NAMES.bot, puppeting=puppeting) as client,
    ):
        puppets = Puppets(NAMES, puppeting, People(database), Directory(database, NAMES), client)
        admin, ada = await synapse.person("admin", admin=True), await synapse.person("ada")
        yield World(synapse, client, admin, ada, puppets)
    await database.close()


# --- acting as people


async def test_an_account_joins_a_private_room_and_speaks_there_at_another_time(world: World) -> None:
    room, key = await world.room(), ActionKey("as-ada")
    await world.puppets.ready(room, world.account)
    await world.puppets.ready(room, world.account)
    content = {"msgtype": "m.text", "body": "long ago"}
    event = await world.client.send(room, world.account, "m.room.message", content, key, HISTORIC)
    found = await world.client.event(room, event)
    assert found is not None
    assert (found["sender"], found["origin_server_ts"]) == (world.account, HISTORIC)
    assert await world.client.send(room, world.account, "m.room.message", content, key, HISTORIC) == event
    assert await world.client.find_stamp(room, key, sender=world.account) == event
    redaction = await world.client.redact(room, world.account, event, ActionKey("as-ada-2"), ts=HISTORIC + 1)
    told = await world.client.event(room, redaction)
    assert told is not None
    assert (told["sender"], told["origin_server_ts"]) == (world.account, HISTORIC + 1)
    assert await world.client.find_stamp(room, key, sender=world.account) == event


async def test_only_what_was_sent_as_a_person_is_known_for_our_own_and_only_once(world: World) -> None:
    room = await world.room()
    await world.puppets.ready(room, world.account)
    content = {"msgtype": "m.text", "body": "hello"}
    theirs = await world.client.send(room, world.account, "m.room.message", content, ActionKey("own-1"))
    ours = await world.client.send(room, None, "m.room.message", content, ActionKey("own-2"))
    assert world.client.is_own(theirs)
    assert not world.client.is_own(theirs)
    assert not world.client.is_own(ours)
    relation = {"rel_type": "m.annotation", "event_id": ours, "key": "🎉"}
    hers = await world.ada.react(room, ours, "🎉")
    mark = {"m.relates_to": relation}
    assert await world.client.send(room, world.account, "m.reaction", mark, ActionKey("own-3")) == hers
    assert not world.client.is_own(hers), "she made it herself"


async def test_who_cannot_be_acted_as_is_refused_with_a_code_that_has_the_ghost_speak(world: World) -> None:
    room = await world.room()
    await world.synapse.person("gone")
    await world.synapse.person("bob")
    path = "/_synapse/admin/v1/suspend/@gone:localhost"
    await world.synapse.transport.request("PUT", path, token=world.admin.token, body={"suspend": True})
    for account in ("@gone:localhost", "@bob:localhost", "@nobodya:localhost", "@ada:elsewhere.org"):
        with pytest.raises(Refused) as caught:
            await world.client.rooms.ensure_joined(room, MatrixUserId(account))
        assert is_about_the_account(caught.value.code), account
    assert world.puppets.acts_as(MatrixUserId("@gone:localhost"))
    assert not world.puppets.acts_as(MatrixUserId("@bob:localhost"))


async def test_a_token_that_the_homeserver_does_not_know_is_no_end_of_the_bridge(world: World) -> None:
    puppeting = Puppeting("another-token-0123456789", ("@*",), NAMES.is_ours)
    room = await world.room()
    async with MatrixClient(world.synapse.url, "as-token-0123456789", NAMES.bot, puppeting=puppeting) as client:
        with pytest.raises(Refused, match=r"doublepuppet\.yaml") as caught:
            await client.rooms.join(room, world.account)
        assert is_about_the_account(caught.value.code)
        assert await client.whoami() == NAMES.bot


# --- without a sound


async def test_history_rings_no_bell_and_is_read_and_news_rings_again(world: World) -> None:
    room = await world.room()
    await world.puppets.ready(room, world.account)
    await world.puppets.quiet(room, world.account)
    await world.puppets.quiet(room, world.account)
    called = {"m.mentions": {"user_ids": [world.account]}}
    events = [await world.say(room, f"{n}: ada, see this", n, **(called if n % 5 else {})) for n in range(50)]
    assert await world.notified(room) == (0, 0)
    await world.puppets.loud(room, world.account, events[-1])
    await world.puppets.loud(room, world.account, events[-1])
    assert await world.notified(room) == (0, 0)
    assert await world.client.accounts.push_rule(world.account, room) is None
    read = await world.ada.get("user", world.ada.user_id, "rooms", room, "account_data", "m.fully_read")
    assert read == {"event_id": events[-1]}
    await world.say(room, "ada: news", 51, **called)
    assert await world.notified(room) == (1, 1)


async def test_without_muting_the_same_history_would_ring(world: World) -> None:
    room = await world.room()
    await world.puppets.ready(room, world.account)
    await world.say(room, "ada: see this", 0, **{"m.mentions": {"user_ids": [world.account]}})
    assert await world.notified(room) == (1, 1)


@pytest.mark.parametrize("enabled", [True, False])
async def test_what_the_owner_had_set_for_the_room_is_set_again(world: World, enabled: bool) -> None:
    room = await world.room()
    await world.puppets.ready(room, world.account)
    rule = {"conditions": [{"kind": "event_match", "key": "room_id", "pattern": room}], "actions": ["notify"]}
    await world.ada.put("pushrules", "global", "override", room, **rule)
    await world.ada.put("pushrules", "global", "override", room, "enabled", enabled=enabled)
    before = await world.client.accounts.push_rule(world.account, room)
    await world.puppets.quiet(room, world.account)
    await world.puppets.quiet(room, world.account)
    muted = await world.client.accounts.push_rule(world.account, room)
    assert muted is not None
    assert (muted["actions"], muted["enabled"]) == ([], True)
    await world.puppets.loud(room, world.account, None)
    assert await world.client.accounts.push_rule(world.account, room) == before


async def test_rooms_are_muted_for_nobody_whom_the_bridge_may_not_act_as(world: World) -> None:
    room, stranger = await world.room(), MatrixUserId("@bob:localhost")
    await world.puppets.quiet(room, stranger)
    await world.puppets.loud(room, stranger, None)
    await world.puppets.quiet(room, MatrixUserId("@gone:localhost"))
    await world.puppets.loud(room, MatrixUserId("@gone:localhost"), None)


# --- bringing people


async def test_an_account_of_ours_joins_and_leaves_and_another_one_is_invited_and_taken_out(world: World) -> None:
    room = await world.room()
    carl = await world.synapse.person("carl")
    for _ in range(2):
        await world.puppets.bring(room, world.account)
        await world.puppets.bring(room, MatrixUserId(carl.user_id))
    members = {
        user: await world.client.rooms.member(room, user) for user in (world.account, MatrixUserId(carl.user_id))
    }
    assert [member.membership for member in members.values() if member] == ["join", "invite"]
    for user in members:
        for _ in range(2):
            await world.puppets.leave(room, user)
        left = await world.client.rooms.member(room, user)
        assert left is not None
        assert left.membership == "leave"


# --- asking as an admin


async def test_the_homeserver_tells_whose_an_address_or_an_identity_is(world: World) -> None:
    identities = [{"auth_provider": "oidc-keycloak", "external_id": "U1/ä"}]
    await world.know(
        world.account, threepids=[{"medium": "email", "address": "Ada+1@Example.org"}], external_ids=identities
    )
    async with Admin(world.synapse.url, world.admin.token) as admin:
        assert await admin.of_email("ada+1@example.org") == world.account
        assert await admin.of_email("eve@example.org") is None
        assert await admin.of_identity("oidc-keycloak", "U1/ä") == world.account
        assert await admin.of_identity("oidc-keycloak", "u2") is None
        assert await admin.of_identity("saml", "U1/ä") is None
        assert await admin.is_active(world.account)
        assert not await admin.is_active(MatrixUserId("@nobodyb:localhost"))
        closed = await world.synapse.person("closed")
        await world.know(closed.user_id, deactivated=True)
        assert not await admin.is_active(MatrixUserId(closed.user_id))


async def test_whoever_is_no_admin_is_told_so(world: World) -> None:
    async with Admin(world.synapse.url, world.ada.token) as admin:
        with pytest.raises(Refused, match="must be the access token of a server admin"):
            await admin.of_email("ada@example.org")
    async with Admin(world.synapse.url, "syt_nobody_s") as admin:
        with pytest.raises(Fatal, match=r"homeserver\.admin_token"):
            await admin.of_email("ada@example.org")
