"""The client's requests and the meaning of what comes back."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiohttp import web

from bridge.errors import Fatal, Later, Refused, Unsure
from bridge.matrix.client import MatrixClient, Profile
from portals.ids import ActionKey, EventId, MatrixUserId, RoomId

if TYPE_CHECKING:
    from tests.bridge.matrix.stub_homeserver import StubHomeserver

ROOM = RoomId("!room/1:hs.test")
GHOST = MatrixUserId("@slack_t1_u1:hs.test")
BOT = MatrixUserId("@causeway:hs.test")
KEY = ActionKey("cwabc")
TEXT = {"msgtype": "m.text", "body": "hello"}


async def test_a_message_is_sent_once_under_its_key_as_the_ghost_at_its_time(
    stub: StubHomeserver, client: MatrixClient
) -> None:
    assert await client.send(ROOM, GHOST, "m.room.message", TEXT, KEY, ts=1_700_000_000_123) == "$1"
    [asked] = stub.asked
    assert asked.method == "PUT"
    assert asked.path == "/_matrix/client/v3/rooms/%21room%2F1%3Ahs.test/send/m.room.message/cwabc"
    assert asked.query == {"user_id": GHOST, "ts": "1700000000123"}
    assert asked.headers["Authorization"] == "Bearer secret-token"
    assert orjson.loads(asked.body) == {**TEXT, "dev.causeway.key": "cwabc"}


async def test_the_bot_acts_without_naming_itself(stub: StubHomeserver, client: MatrixClient) -> None:
    await client.send(ROOM, None, "m.room.message", TEXT, KEY)
    assert stub.asked[0].query == {}


async def test_a_redaction_has_its_key_and_stamp(stub: StubHomeserver, client: MatrixClient) -> None:
    await client.redact(ROOM, GHOST, EventId("$bad"), KEY, reason="gone in Slack")
    [asked] = stub.asked
    assert asked.path.endswith("/redact/%24bad/cwabc")
    assert orjson.loads(asked.body) == {"reason": "gone in Slack", "dev.causeway.key": "cwabc"}


async def test_a_redaction_keeps_its_time_where_the_room_allows_it(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(room_version="12")
    await client.redact(ROOM, GHOST, EventId("$bad"), KEY, ts=5)
    assert stub.asked[1].path.endswith("/send/m.room.redaction/cwabc")
    assert stub.asked[1].query["ts"] == "5"
    assert orjson.loads(stub.asked[1].body) == {"redacts": "$bad", "dev.causeway.key": "cwabc"}
    stub.reply(creator=BOT)
    await client.redact(ROOM, GHOST, EventId("$bad"), KEY, ts=5)
    assert stub.asked[3].path.endswith("/redact/%24bad/cwabc")


@pytest.mark.parametrize("flaw", ["\ud83d", 1 << 70])
async def test_what_cannot_be_written_is_refused_before_it_is_sent(
    stub: StubHomeserver, client: MatrixClient, flaw: object
) -> None:
    with pytest.raises(Refused) as caught:
        await client.send(ROOM, GHOST, "m.room.message", {**TEXT, "body": flaw}, KEY)
    assert caught.value.code == "M_BAD_JSON"
    assert stub.asked == []


async def test_state_with_an_empty_key_keeps_its_place_in_the_path(stub: StubHomeserver, client: MatrixClient) -> None:
    await client.set_state(ROOM, None, "m.room.topic", "", {"topic": "x"})
    assert stub.asked[0].path.endswith("/state/m.room.topic/")


async def test_a_lost_answer_to_a_send_is_unsure_and_nothing_is_sent_again(
    stub: StubHomeserver, client: MatrixClient
) -> None:
    await client.send(ROOM, GHOST, "m.room.message", TEXT, ActionKey("first"))  # the connection is kept from here on
    stub.drop()
    with pytest.raises(Unsure):
        await client.send(ROOM, GHOST, "m.room.message", TEXT, KEY)
    assert len(stub.asked) == 2


async def test_a_lost_answer_to_a_repeatable_call_is_later(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.drop()
    with pytest.raises(Later):
        await client.set_state(ROOM, None, "m.room.topic", "", {"topic": "x"})


async def test_the_client_knows_how_many_requests_wait_for_their_answer(
    stub: StubHomeserver, client: MatrixClient
) -> None:
    seen: list[int] = []

    async def answer(_: web.Request) -> web.Response:
        seen.append(client.in_flight)
        return web.json_response({"event_id": "$1"})

    stub.replies.append(answer)
    await client.set_state(ROOM, None, "m.room.topic", "", {"topic": "x"})
    for fail in (stub.drop, lambda: stub.reply(403, errcode="M_FORBIDDEN")):
        fail()
        with pytest.raises((Later, Refused)):
            await client.set_state(ROOM, None, "m.room.topic", "", {"topic": "x"})
    assert (seen, client.in_flight) == ([1], 0)


async def test_silence_after_the_request_is_unsure(stub: StubHomeserver) -> None:
    given_up = asyncio.Event()

    async def silent(_: web.Request) -> web.Response:
        await given_up.wait()
        return web.Response()

    stub.replies.append(silent)
    async with MatrixClient(stub.url, "secret-token", BOT, timeout=0.05) as client:
        with pytest.raises(Unsure, match="in time"):
            await client.send(ROOM, GHOST, "m.room.message", TEXT, KEY)
    given_up.set()


async def test_a_homeserver_that_is_down_is_later() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with MatrixClient(url, "secret-token", BOT) as client:
        with pytest.raises(Later, match="cannot be reached") as caught:
            await client.send(ROOM, GHOST, "m.room.message", TEXT, KEY)
    assert "secret-token" not in str(caught.value)


async def test_a_redirect_is_not_followed(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply_bytes(302, b"", {"Location": f"{stub.url}/elsewhere"})
    with pytest.raises(Later, match="redirect"):
        await client.send(ROOM, GHOST, "m.room.message", TEXT, KEY)
    assert len(stub.asked) == 1


@pytest.mark.parametrize("body", [b"<html>maintenance</html>", b"[]", b"{}", b'{"event_id": 5}', b""])
async def test_a_success_without_an_event_id_is_unsure(stub: StubHomeserver, client: MatrixClient, body: bytes) -> None:
    stub.reply_bytes(200, body, {"Content-Type": "text/html"})
    with pytest.raises(Unsure):
        await client.send(ROOM, GHOST, "m.room.message", TEXT, KEY)


async def test_a_rate_limit_is_later_with_its_waiting_time(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(429, errcode="M_LIMIT_EXCEEDED", error="slow", retry_after_ms=1500)
    with pytest.raises(Later) as caught:
        await client.send(ROOM, GHOST, "m.room.message", TEXT, KEY)
    assert caught.value.retry_after == 1.5


async def test_an_unknown_token_stops_the_service(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(401, errcode="M_UNKNOWN_TOKEN", error="?")
    with pytest.raises(Fatal, match="registration file"):
        await client.whoami()


async def test_a_refusal_has_a_code_and_a_remedy(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(403, errcode="M_FORBIDDEN", error="not in the room")
    with pytest.raises(Refused, match="not in the room") as caught:
        await client.send(ROOM, GHOST, "m.room.message", TEXT, KEY)
    assert caught.value.code == "M_FORBIDDEN"
    assert caught.value.remedy


def _reaction(sender: str, key: str, event: str) -> dict[str, Any]:
    return {"event_id": event, "sender": sender, "content": {"m.relates_to": {"event_id": "$target", "key": key}}}


async def test_a_reaction_that_is_there_already_counts_as_sent(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(400, errcode="M_DUPLICATE_ANNOTATION", error="again")
    stub.reply(
        chunk=["?", {}, {"content": 5}, _reaction(BOT, "👍", "$1"), _reaction(GHOST, "👎", "$2")], next_batch="n"
    )
    stub.reply(chunk=[_reaction(GHOST, "👍", "$3")])
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$target", "key": "👍"}}
    assert await client.send(ROOM, GHOST, "m.reaction", content, KEY) == "$3"
    assert stub.asked[2].query["from"] == "n"


async def test_a_duplicate_reaction_that_nobody_finds_stays_refused(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(400, errcode="M_DUPLICATE_ANNOTATION", error="again")
    stub.reply(chunk=[])
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$target", "key": "👍"}}
    with pytest.raises(Refused):
        await client.send(ROOM, GHOST, "m.reaction", content, KEY)


async def test_the_look_back_finds_the_stamp_whatever_lies_around_it(
    stub: StubHomeserver, client: MatrixClient
) -> None:
    junk = [5, {"event_id": "$a"}, {"event_id": "$b", "content": "text"}, {"event_id": "$c", "content": {}}]
    found = {"event_id": "$d", "type": "m.room.redaction", "content": {"dev.causeway.key": KEY}}
    stub.reply(chunk=junk, end="t1")
    stub.reply(chunk=[found], end="t2")
    assert await client.find_stamp(ROOM, KEY) == "$d"
    assert stub.asked[0].query["dir"] == "b"
    assert stub.asked[1].query["from"] == "t1"


async def test_the_look_back_ends_at_its_limit_and_at_the_room_s_beginning(
    stub: StubHomeserver, client: MatrixClient
) -> None:
    stub.reply(chunk=[{"event_id": "$x", "content": {}}] * 30, end="t1")
    assert await client.find_stamp(ROOM, KEY, limit=30) is None
    stub.reply(chunk=[{"event_id": "$x", "content": {}}])
    assert await client.find_stamp(ROOM, KEY, limit=30) is None
    assert len(stub.asked) == 2


async def test_what_is_not_there_is_none(stub: StubHomeserver, client: MatrixClient) -> None:
    for _ in range(5):
        stub.reply(404, errcode="M_NOT_FOUND", error="no")
    assert await client.get_state(ROOM, "m.room.topic") is None
    assert await client.event(ROOM, EventId("$x")) is None
    assert await client.profile(GHOST) is None
    assert await client.rooms.member(ROOM, GHOST) is None
    assert await client.rooms.resolve_alias("#none:hs.test") is None


async def test_an_account_that_exists_is_as_good_as_a_new_one(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(400, errcode="M_USER_IN_USE", error="taken")
    await client.register(GHOST)
    [asked] = stub.asked
    assert asked.query == {}
    assert orjson.loads(asked.body) == {
        "type": "m.login.application_service",
        "username": "slack_t1_u1",
        "inhibit_login": True,
    }


async def test_an_account_outside_the_namespace_is_refused(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(400, errcode="M_EXCLUSIVE", error="not yours")
    with pytest.raises(Refused, match="namespaces"):
        await client.register(GHOST)


async def test_only_what_changed_of_a_profile_is_set(stub: StubHomeserver, client: MatrixClient) -> None:
    await client.set_profile(GHOST, displayname="Ada")
    await client.set_profile(GHOST, avatar_url="")
    assert [asked.path.rpartition("/")[2] for asked in stub.asked] == ["displayname", "avatar_url"]
    assert orjson.loads(stub.asked[1].body) == {"avatar_url": ""}


async def test_a_profile_has_none_for_what_is_unset(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(displayname="Ada", avatar_url="")
    assert await client.profile(GHOST) == Profile("Ada", None)


async def test_a_ping_that_does_not_arrive_says_why(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(502, errcode="M_BAD_STATUS", error="403")
    with pytest.raises(Refused, match="hs_token"):
        await client.ping_appservice("causeway")


async def test_no_more_than_the_allowed_requests_are_in_flight(stub: StubHomeserver) -> None:
    running = peak = 0

    async def slow(_: web.Request) -> web.Response:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.01)
        running -= 1
        return web.json_response({"event_id": "$1"})

    stub.replies.extend([slow] * 12)
    async with MatrixClient(stub.url, "secret-token", BOT, connections=3) as client:
        sends = (client.send(ROOM, GHOST, "m.room.message", TEXT, ActionKey(f"k{n}")) for n in range(12))
        await asyncio.gather(*sends)
    assert peak == 3


async def test_a_homeserver_below_a_path_is_reached_there(stub: StubHomeserver) -> None:
    async with MatrixClient(f"{stub.url}/matrix/", "secret-token", BOT) as client:
        await client.send(ROOM, GHOST, "m.room.message", TEXT, KEY)
    assert stub.asked[0].path.startswith("/matrix/_matrix/client/v3/rooms/")
