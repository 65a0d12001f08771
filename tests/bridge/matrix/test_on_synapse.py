"""The client and the endpoint against the real homeserver."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from aiohttp import web

from bridge.errors import Later, Refused, StoreUnavailable
from bridge.http import Listener
from bridge.matrix.appservice import Appservice
from bridge.matrix.client import MatrixClient, Profile
from bridge.matrix.rooms import Member
from bridge.work.room_state import RoomState
from portals.ids import ActionKey, EventId, MatrixUserId, RoomId
from portals.reading import matrix as matrix_reading
from tests.sandbox.child import free_port
from tests.sandbox.homeserver.synapse import Synapse
from tests.sandbox.homeserver.transport import RequestRefused
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from tests.sandbox.homeserver.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOT = MatrixUserId("@causeway:localhost")
AS_TOKEN, HS_TOKEN = "as-secret", "hs-secret"
TEXT = {"msgtype": "m.text", "body": "hello"}


@dataclass
class World:
    """A homeserver, a service on it and a person."""

    synapse: Synapse
    client: MatrixClient
    ada: Person
    admitted: list[Mapping[str, Any]] = field(default_factory=list)
    weather: list[Mapping[str, Any]] = field(default_factory=list)
    transactions: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    wanted: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    ghosts: int = 0

    async def admit(self, transaction: str, events: Sequence[Mapping[str, Any]]) -> None:
        self.transactions.append(transaction)
        if self.failures:
            raise self.failures.pop()
        self.admitted.extend(events)

    async def exists(self, name: str) -> bool:
        spec = self.wanted.get(name)
        if spec is not None:
            await self.client.rooms.create_room(spec)
        return spec is not None

    async def ghost(self) -> MatrixUserId:
        """A registered ghost that no other test uses."""
        self.ghosts += 1
        ghost = MatrixUserId(f"@slack_t1_u{self.ghosts}:localhost")
        await self.client.register(ghost)
        return ghost

    async def room(self, **spec: Any) -> RoomId:
        return await self.client.rooms.create_room({"preset": "public_chat", **spec})


def registration(port: int) -> dict[str, Any]:
    return {
        "id": "causeway",
        "url": f"http://127.0.0.1:{port}",
        "as_token": AS_TOKEN,
        "hs_token": HS_TOKEN,
        "sender_localpart": "causeway",
        "rate_limited": False,
        "receive_ephemeral": True,
        "namespaces": {
            "users": [{"exclusive": True, "regex": "@slack_.*:localhost"}],
            "aliases": [{"exclusive": True, "regex": "#slack_.*:localhost"}],
            "rooms": [],
        },
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, synapse_template: Path) -> AsyncIterator[World]:
    port = free_port()
    directory = tmp_path_factory.mktemp("homeserver")
    async with (
        Synapse(directory, registrations=[registration(port)], template=synapse_template) as synapse,
        MatrixClient(synapse.url, AS_TOKEN, BOT) as client,
    ):
        world = World(synapse, client, await synapse.person("ada"))
        application = web.Application()
        service = Appservice(
            HS_TOKEN,
            lambda *event: world.admit(*event),
            lambda events: world.weather.extend(events),
            world.exists,
            world.exists,
        )
        application.add_routes(service.routes())
        async with Listener(application, "127.0.0.1", port):
            yield world


async def until(seen: Any) -> None:
    async with asyncio.timeout(30):
        while not seen():
            await asyncio.sleep(0.02)


async def test_the_service_is_known_and_reachable(world: World) -> None:
    assert await world.client.whoami() == BOT
    assert "v1.11" in await world.client.versions()
    assert await world.client.ping_appservice("causeway") >= 0


async def test_a_ghost_is_registered_twice_without_harm_and_has_a_face(world: World) -> None:
    ghost = await world.ghost()
    await world.client.register(ghost)
    await world.client.set_profile(ghost, displayname="Ada Lovelace", avatar_url="mxc://localhost/ada")
    assert await world.client.profile(ghost) == Profile("Ada Lovelace", "mxc://localhost/ada")
    await world.client.set_profile(ghost, avatar_url="")
    assert await world.client.profile(ghost) == Profile("Ada Lovelace", None)
    await world.client.set_profile(ghost, displayname="")
    assert await world.client.profile(ghost) is None


async def test_an_image_has_a_small_picture_and_a_drawing_none(world: World) -> None:
    async def pieces(data: bytes) -> AsyncIterator[bytes]:
        yield data

    image = png(300, 200, (200, 80, 40))
    uploaded = await world.client.media.upload(pieces(image), "image/png", "face.png", len(image))
    async with world.client.media.thumbnail(uploaded, 96, 100_000) as found:
        assert found.content_type == "image/png"
        small = b"".join([chunk async for chunk in found.chunks])
    assert small.startswith(b"\x89PNG")
    assert int.from_bytes(small[16:20], "big") == int.from_bytes(small[20:24], "big") == 96
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    uploaded = await world.client.media.upload(pieces(drawing), "image/svg+xml", "face.svg", len(drawing))
    with pytest.raises(Refused):
        async with world.client.media.thumbnail(uploaded, 96, 100_000):
            pass


async def test_a_user_outside_the_namespace_is_refused(world: World) -> None:
    with pytest.raises(Refused) as caught:
        await world.client.register(MatrixUserId("@root:localhost"))
    assert caught.value.code == "M_EXCLUSIVE"


async def test_a_key_sends_once_and_is_found_by_the_look_back(world: World) -> None:
    ghost, room = await world.ghost(), await world.room()
    await world.client.rooms.ensure_joined(room, ghost)
    key = ActionKey("key-once")
    first = await world.client.send(room, ghost, "m.room.message", TEXT, key, ts=1_600_000_000_000)
    assert await world.client.send(room, ghost, "m.room.message", TEXT, key) == first
    found = await world.client.event(room, first)
    assert found is not None
    assert (found["sender"], found["origin_server_ts"]) == (ghost, 1_600_000_000_000)
    assert await world.client.find_stamp(room, key) == first
    assert await world.client.find_stamp(room, ActionKey("never")) is None


async def test_nobody_else_s_stamp_passes_for_ours(world: World) -> None:
    ghost, room, key = await world.ghost(), await world.room(), ActionKey("forged")
    await world.client.rooms.join(room, ghost)
    await world.ada.join(room)
    await world.ada.send(room, {**TEXT, "dev.causeway.key": key})
    assert await world.client.find_stamp(room, key, sender=ghost) is None
    sent = await world.client.send(room, ghost, "m.room.message", TEXT, key)
    assert await world.client.find_stamp(room, key, sender=ghost) == sent


async def test_what_was_redacted_before_the_look_back_was_sent_nevertheless(world: World) -> None:
    ghost, room, key = await world.ghost(), await world.room(), ActionKey("redacted-soon")
    await world.client.rooms.join(room, ghost)
    sent = await world.client.send(room, ghost, "m.room.message", TEXT, key)
    await world.client.redact(room, None, sent, ActionKey("by-a-moderator"))
    assert await world.client.find_stamp(room, key, sender=ghost) == sent


async def test_the_bot_looks_back_for_a_ghost_that_cannot(world: World) -> None:
    ghost, room = await world.ghost(), await world.room()
    assert await world.client.find_stamp(room, ActionKey("outside"), sender=ghost) is None


async def test_the_look_back_reaches_past_members_and_pages(world: World) -> None:
    room, key = await world.room(), ActionKey("key-deep")
    sent = await world.client.send(room, None, "m.room.message", TEXT, key)
    for number in range(25):
        await world.client.send(room, None, "m.room.message", TEXT, ActionKey(f"key-deep-{number}"))
    for _ in range(5):
        await world.client.rooms.join(room, await world.ghost())
    assert await world.client.find_stamp(room, key, limit=26) == sent
    assert await world.client.find_stamp(room, key, limit=20) is None


@pytest.mark.parametrize(("version", "ts"), [("10", 5), ("10", None), ("11", 5), ("12", 5), ("12", None)])
async def test_a_redaction_is_keyed_in_old_and_new_rooms(world: World, version: str, ts: int | None) -> None:
    room = await world.room(room_version=version)
    event = await world.client.send(room, None, "m.room.message", TEXT, ActionKey("doomed"))
    key = ActionKey("redaction")
    redaction = await world.client.redact(room, None, event, key, "gone", ts)
    assert await world.client.redact(room, None, event, key, "gone", ts) == redaction
    assert await world.client.find_stamp(room, key) == redaction
    redacted = await world.client.event(room, event)
    assert redacted is not None
    assert redacted["content"] == {}
    cause = redacted["unsigned"]["redacted_because"]
    assert cause["event_id"] == redaction
    assert (cause["origin_server_ts"] == ts) == (ts is not None and version != "10")


async def test_a_second_identical_reaction_yields_the_first(world: World) -> None:
    ghost, room = await world.ghost(), await world.room()
    await world.client.rooms.ensure_joined(room, ghost)
    target = await world.client.send(room, None, "m.room.message", TEXT, ActionKey("reacted"))
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": target, "key": "👍"}}
    first = await world.client.send(room, ghost, "m.reaction", content, ActionKey("reaction-1"))
    assert await world.client.send(room, ghost, "m.reaction", content, ActionKey("reaction-2")) == first
    other = await world.client.send(room, None, "m.reaction", content, ActionKey("reaction-3"))
    assert other != first


async def test_state_that_is_so_already_makes_no_event(world: World) -> None:
    room = await world.room()
    assert await world.client.get_state(room, "m.room.topic") is None
    first = await world.client.set_state(room, None, "m.room.topic", "", {"topic": "bridges"})
    assert await world.client.set_state(room, None, "m.room.topic", "", {"topic": "bridges"}) == first
    assert (await world.client.get_state(room, "m.room.topic") or {})["topic"] == "bridges"
    await world.client.set_state(room, None, "m.bridge", "dev.causeway://slack/T1/C1", {"bridgebot": BOT})
    assert await world.client.get_state(room, "m.bridge", "dev.causeway://slack/T1/C1") == {"bridgebot": BOT}


async def test_a_ghost_enters_a_private_room_by_invitation(world: World) -> None:
    ghost, room = await world.ghost(), await world.room(preset="private_chat")
    with pytest.raises(Refused) as caught:
        await world.client.rooms.join(room, ghost)
    assert caught.value.code == "M_FORBIDDEN"
    await world.client.rooms.ensure_joined(room, ghost)
    await world.client.rooms.ensure_joined(room, ghost)
    await world.client.rooms.invite(room, ghost)
    assert set(await world.client.rooms.joined_members(room)) == {BOT, ghost}
    member = await world.client.rooms.member(room, ghost)
    assert member is not None
    assert member.membership == "join"


async def test_leaving_and_kicking_twice_is_as_good_as_once(world: World) -> None:
    ghost, stranger, room = await world.ghost(), await world.ghost(), await world.room()
    await world.client.rooms.join(room, ghost)
    for _ in range(2):
        await world.client.rooms.leave(room, ghost, "left Slack")
    await world.client.rooms.leave(room, stranger)
    await world.client.rooms.kick(room, stranger)
    await world.client.rooms.join(room, ghost)
    for _ in range(2):
        await world.client.rooms.kick(room, ghost, "gone")
    assert await world.client.rooms.member(room, stranger) is None
    assert await world.client.rooms.member(room, ghost) == Member("leave", None, None)


@pytest.mark.parametrize("version", [None, "11", "12"])
async def test_a_room_is_made_once_with_powers_that_fit_its_version(world: World, version: str | None) -> None:
    spec: dict[str, Any] = {
        "preset": "public_chat",
        "room_alias_name": f"slack_t1_c{version}",
        "power_level_content_override": {"users": {BOT: 100, world.ada.user_id: 50}, "users_default": 0},
    }
    if version:
        spec["room_version"] = version
    room = await world.client.rooms.create_room(spec)
    assert await world.client.rooms.create_room(spec) == room
    assert await world.client.rooms.resolve_alias(f"#slack_t1_c{version}:localhost") == room
    assert await world.client.rooms.resolve_alias("#nothing:localhost") is None
    await world.client.set_state(room, None, "m.room.name", "", {"name": "general"})


async def test_what_the_bot_may_not_do_is_refused_with_a_remedy(world: World) -> None:
    room = RoomId(await world.ada.create_room(preset="private_chat"))
    for attempt in (
        world.client.send(room, None, "m.room.message", TEXT, ActionKey("uninvited")),
        world.client.rooms.joined_members(room),
        world.client.get_state(room, "m.room.topic"),
        world.client.rooms.invite(room, BOT),
    ):
        with pytest.raises(Refused) as caught:
            await attempt
        assert caught.value.code == "M_FORBIDDEN"
        assert "bot" in caught.value.remedy


async def test_an_event_that_is_too_large_is_refused(world: World) -> None:
    room = await world.room()
    with pytest.raises(Refused) as caught:
        await world.client.send(
            room, None, "m.room.message", {"msgtype": "m.text", "body": "x" * 70_000}, ActionKey("large")
        )
    assert caught.value.code == "M_TOO_LARGE"


@pytest.mark.parametrize("text", ["nul \0 byte", "emoji 👩‍👩‍👧", "rtl \u202e text", "line\u2028separator"])
async def test_any_text_arrives_as_it_is(world: World, text: str) -> None:
    room = await world.room()
    event = await world.client.send(
        room, None, "m.room.message", {"msgtype": "m.text", "body": text}, ActionKey(f"text-{text.encode().hex()}")
    )
    assert ((await world.client.event(room, event)) or {})["content"]["body"] == text


async def test_half_a_character_is_refused_and_not_unsure(world: World) -> None:
    room = await world.room()
    with pytest.raises(Refused):
        await world.client.send(
            room, None, "m.room.message", {"msgtype": "m.text", "body": "\ud83d"}, ActionKey("half")
        )


@pytest.mark.parametrize("known", [True, False])
async def test_a_file_comes_back_as_it_went(world: World, known: bool) -> None:
    data = os.urandom(3_000_000)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 65_536):
            yield data[start : start + 65_536]

    size = len(data) if known else None
    mxc = await world.client.media.upload(chunks(), "application/x-test", "ein Bild.bin", size)
    async with world.client.media.download(mxc) as download:
        assert download.content_type == "application/x-test"
        assert b"".join([chunk async for chunk in download.chunks]) == data
    limit = await world.client.media.media_config()
    assert limit is not None
    with pytest.raises(Refused) as caught:
        await world.client.media.upload(chunks(), "application/x-test", "x", limit + 1)
    assert caught.value.code == "M_TOO_LARGE"


async def test_what_a_person_does_is_admitted_and_repeated_until_it_is(world: World) -> None:
    room = await world.room()
    await world.ada.join(room)
    await until(lambda: any(event.get("state_key") == world.ada.user_id for event in world.admitted))
    world.failures.append(StoreUnavailable("locked"))
    event = await world.ada.say(room, "hello bridge")
    await until(lambda: any(found["event_id"] == event for found in world.admitted))
    assert len(world.transactions) != len(set(world.transactions))


async def test_pins_by_a_person_tell_what_was_pinned_before(world: World) -> None:
    room = await world.room(power_level_content_override={"users": {world.ada.user_id: 50}})
    await world.ada.join(room)
    for pinned in (["$a"], ["$a", "$b"], ["$b"]):
        await world.ada.set_state(room, "m.room.pinned_events", {"pinned": pinned})

    def told() -> list[Any]:
        mine = [one for one in world.admitted if one["type"] == "m.room.pinned_events" and one["room_id"] == room]
        return [matrix_reading.read(one, "s") for one in mine]

    await until(lambda: len(told()) == 3)
    assert [(one.added, one.removed) for one in told()] == [(("$a",), ()), (("$b",), ()), ((), ("$a",))]


async def test_a_closed_room_is_closed_to_all_but_moderators_and_opens_as_it_was(world: World) -> None:
    room, state = await world.room(), RoomState(world.client)
    await world.ada.join(room)
    before = await world.client.get_state(room, "m.room.power_levels")
    for _ in range(2):
        await state.close(room, True)
    with pytest.raises(RequestRefused, match="permission"):
        await world.ada.say(room, "may I?")
    await state.close(room, False)
    assert await world.client.get_state(room, "m.room.power_levels") == before
    await world.ada.say(room, "thank you")


async def test_typing_reaches_both_sides(world: World) -> None:
    ghost, room = await world.ghost(), await world.room()
    await world.client.rooms.join(room, ghost)
    await world.ada.join(room)
    await world.ada.typing(room)
    await until(lambda: any(world.ada.user_id in event["content"].get("user_ids", ()) for event in world.weather))
    await world.client.typing(room, ghost, True)
    await world.client.typing(room, ghost, False)


async def test_a_person_may_call_a_portal_room_into_being(world: World) -> None:
    world.wanted["#slack_t1_wanted:localhost"] = {"preset": "public_chat", "room_alias_name": "slack_t1_wanted"}
    room = await world.ada.join("#slack_t1_wanted:localhost")
    assert await world.client.rooms.resolve_alias("#slack_t1_wanted:localhost") == room
    with pytest.raises(RequestRefused):
        await world.ada.join("#slack_t1_unwanted:localhost")


async def test_a_homeserver_that_restarts_is_later_and_then_goes_on(world: World) -> None:
    ghost, room, key = await world.ghost(), await world.room(), ActionKey("over-a-restart")
    await world.client.rooms.join(room, ghost)
    sent = await world.client.send(room, ghost, "m.room.message", TEXT, key)
    await world.client.redact(room, None, sent, ActionKey("redacted-before-a-restart"))
    await world.synapse.stop()
    with pytest.raises(Later):
        await world.client.send(room, None, "m.room.message", TEXT, ActionKey("while-down"))
    await world.synapse.start()
    assert await world.client.find_stamp(room, key, sender=ghost) == sent
    assert await world.client.find_stamp(room, ActionKey("while-down")) is None
    assert await world.client.send(room, None, "m.room.message", TEXT, ActionKey("while-down")) != EventId("")
