"""Rooms and membership against a homeserver that answers as told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bridge.errors import Later, Refused, Unsure
from bridge.matrix.rooms import Member
from portals.ids import MatrixUserId, RoomId

if TYPE_CHECKING:
    from bridge.matrix.client import MatrixClient
    from tests.bridge.matrix.stub_homeserver import StubHomeserver

ROOM = RoomId("!room:hs.test")
GHOST = MatrixUserId("@slack_t1_u1:hs.test")
BOT = MatrixUserId("@causeway:hs.test")
FORBIDDEN: dict[str, Any] = {"errcode": "M_FORBIDDEN", "error": "no"}


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(400, "M_ROOM_IN_USE", "taken"), (409, "M_UNKNOWN", "Room alias #slack_t1_c1:hs.test already exists")],
)
async def test_a_room_that_was_made_before_or_just_now_is_found_by_its_alias(
    stub: StubHomeserver, client: MatrixClient, status: int, code: str, error: str
) -> None:
    stub.reply(status, errcode=code, error=error)
    stub.reply(room_id=ROOM)
    assert await client.rooms.create_room({"room_alias_name": "slack_t1_c1"}) == ROOM
    assert stub.asked[1].path == "/_matrix/client/v3/directory/room/%23slack_t1_c1%3Ahs.test"


async def test_an_alias_that_is_in_use_and_leads_nowhere_is_refused(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(400, errcode="M_ROOM_IN_USE", error="taken")
    stub.reply(404, errcode="M_NOT_FOUND", error="nowhere")
    with pytest.raises(Refused, match="taken"):
        await client.rooms.create_room({"room_alias_name": "slack_t1_c1"})


async def test_only_a_room_without_an_alias_could_be_made_twice(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.drop()
    with pytest.raises(Later):
        await client.rooms.create_room({"room_alias_name": "slack_t1_c1"})
    stub.drop()
    with pytest.raises(Unsure):
        await client.rooms.create_room({"name": "x"})


@pytest.mark.parametrize(
    ("version", "users"),
    [("11", {GHOST: 50, BOT: 100}), ("12", {GHOST: 50}), ("org.example.next", {GHOST: 50})],
)
async def test_the_creator_has_its_power_in_every_room_version(
    stub: StubHomeserver, client: MatrixClient, version: str, users: dict[str, int]
) -> None:
    stub.reply(capabilities={"m.room_versions": {"default": version}})
    stub.reply(room_id=ROOM)
    spec: dict[str, Any] = {"power_level_content_override": {"users": {BOT: 100, GHOST: 50}, "invite": 50}}
    await client.rooms.create_room(spec)
    sent = orjson.loads(stub.asked[1].body)
    assert sent["power_level_content_override"] == {"users": users, "invite": 50}
    assert spec["power_level_content_override"]["users"] == {BOT: 100, GHOST: 50}


async def test_the_default_room_version_is_asked_once_and_only_where_it_matters(
    stub: StubHomeserver, client: MatrixClient
) -> None:
    for _ in range(2):
        stub.reply(room_id=ROOM)
    await client.rooms.create_room({"name": "x"})
    await client.rooms.create_room({"room_version": "10", "power_level_content_override": {"users": {}}})
    assert [asked.path.rpartition("/")[2] for asked in stub.asked] == ["createRoom", "createRoom"]


async def test_whoever_cannot_join_is_invited_by_the_bot_first(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(403, **FORBIDDEN)
    stub.reply()
    stub.reply(room_id=ROOM)
    await client.rooms.ensure_joined(ROOM, GHOST)
    assert [asked.path.rpartition("/")[2] for asked in stub.asked] == [
        "%21room%3Ahs.test",
        "invite",
        "%21room%3Ahs.test",
    ]
    assert [asked.query.get("user_id") for asked in stub.asked] == [GHOST, None, GHOST]


async def test_whoever_is_invited_already_only_joins(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(403, **FORBIDDEN)
    stub.reply(membership="invite")
    await client.rooms.invite(ROOM, GHOST)


async def test_an_invitation_that_is_not_allowed_is_refused(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(403, errcode="M_FORBIDDEN", error="no right to invite")
    stub.reply(403, **FORBIDDEN)
    with pytest.raises(Refused, match="no right to invite"):
        await client.rooms.invite(ROOM, GHOST)


async def test_whoever_is_gone_needs_no_kick(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(403, **FORBIDDEN)
    stub.reply(404, errcode="M_NOT_FOUND", error="never here")
    await client.rooms.kick(ROOM, GHOST, reason="left Slack")


async def test_whoever_is_not_there_has_left(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(403, **FORBIDDEN)
    await client.rooms.leave(ROOM, GHOST)


async def test_a_room_elsewhere_is_joined_through_the_named_servers(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(room_id=ROOM)
    assert await client.rooms.join("#alias:far.test", via=["far.test"]) == ROOM
    assert stub.asked[0].path == "/_matrix/client/v3/join/%23alias%3Afar.test"
    assert stub.asked[0].query == {"via": "far.test", "server_name": "far.test"}


async def test_the_members_have_their_names_in_the_room(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(joined={GHOST: {"display_name": "Ada", "avatar_url": None}, BOT: {}})
    members = await client.rooms.joined_members(ROOM)
    assert members == {GHOST: Member("join", "Ada", None), BOT: Member("join", None, None)}


async def test_a_members_list_that_is_none_is_later(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(joined="everybody")
    with pytest.raises(Later):
        await client.rooms.joined_members(ROOM)
