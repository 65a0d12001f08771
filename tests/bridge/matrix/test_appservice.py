"""What the homeserver, or somebody who would like to be it, may ask of our endpoint."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from bridge.errors import Later, StoreUnavailable
from bridge.http import Listener
from bridge.matrix.appservice import Appservice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

TOKEN = "hs-secret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
LIMIT = 100_000


def event(event_id: str = "$1", **fields: Any) -> dict[str, Any]:
    found = {
        "event_id": event_id,
        "room_id": "!r:hs.test",
        "type": "m.room.message",
        "sender": "@ada:hs.test",
        "content": {"msgtype": "m.text", "body": "hi"},
    }
    return {**found, **fields}


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


class Bridge:
    """The bridge's side of the endpoint."""

    def __init__(self) -> None:
        self.admitted: list[tuple[str, list[Mapping[str, Any]]]] = []
        self.weather: list[Mapping[str, Any]] = []
        self.failure: Exception | None = None
        self.url = ""

    async def admit(self, transaction: str, events: Sequence[Mapping[str, Any]]) -> None:
        if self.failure:
            raise self.failure
        self.admitted.append((transaction, list(events)))

    def take_weather(self, events: Sequence[Mapping[str, Any]]) -> None:
        self.weather.extend(events)

    async def exists(self, name: str) -> bool:
        if self.failure:
            raise self.failure
        return name in ("@slack_t1_u1:hs.test", "#slack_t1_c1:hs.test")


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    bridge = Bridge()
    appservice = Appservice(TOKEN, bridge.admit, bridge.take_weather, bridge.exists, bridge.exists, largest_body=LIMIT)
    application = web.Application()
    application.add_routes(appservice.routes())
    async with Listener(application, "127.0.0.1", 0) as listener:
        bridge.url = listener.url
        yield bridge


@pytest.fixture
async def http(bridge: Bridge) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(bridge.url) as session:
        yield session


TRANSACTION = "/_matrix/app/v1/transactions/t1"


async def put(http: aiohttp.ClientSession, body: Any, path: str = TRANSACTION, **kwargs: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    async with http.put(path, data=data, **{"headers": BEARER, **kwargs}) as response:
        return response.status, await response.json()


async def test_events_are_answered_once_they_are_admitted(bridge: Bridge, http: aiohttp.ClientSession) -> None:
    assert await put(http, {"events": [event("$1"), event("$2")]}) == (200, {})
    assert bridge.admitted == [("t1", [event("$1"), event("$2")])]


@pytest.mark.parametrize("failure", [StoreUnavailable("database is locked"), Later("busy"), RuntimeError("a bug")])
async def test_what_is_not_stored_is_not_answered_with_success(
    bridge: Bridge, http: aiohttp.ClientSession, failure: Exception
) -> None:
    bridge.failure = failure
    async with http.put(TRANSACTION, json={"events": [event()]}, headers=BEARER) as response:
        assert response.status >= 500
    bridge.failure = None
    assert await put(http, {"events": [event()]}) == (200, {})


async def test_a_store_that_is_away_is_a_matrix_error_without_details(
    bridge: Bridge, http: aiohttp.ClientSession
) -> None:
    bridge.failure = StoreUnavailable("postgres://user:pass@host is away")
    status, answer = await put(http, {"events": [event()]})
    assert (status, answer["errcode"]) == (503, "M_UNKNOWN")
    assert "pass" not in str(answer)


async def test_a_repeated_transaction_is_admitted_again(bridge: Bridge, http: aiohttp.ClientSession) -> None:
    for _ in range(2):
        assert await put(http, {"events": [event()]}) == (200, {})
    assert len(bridge.admitted) == 2


@pytest.mark.parametrize("path", [TRANSACTION, "/transactions/t1"])
async def test_old_homeservers_are_served_too(bridge: Bridge, http: aiohttp.ClientSession, path: str) -> None:
    status, _ = await put(http, {"events": [event()]}, path, headers={}, params={"access_token": TOKEN})
    assert status == 200


@pytest.mark.parametrize(
    ("headers", "query", "status", "errcode"),
    [
        ({}, {}, 401, "M_UNAUTHORIZED"),
        ({"Authorization": "Bearer wrong"}, {}, 403, "M_FORBIDDEN"),
        ({"Authorization": "Bearer "}, {}, 403, "M_FORBIDDEN"),
        ({"Authorization": "Basic aHM6"}, {}, 403, "M_FORBIDDEN"),
        ({"Authorization": "Bearer \u00e9\u4e00"}, {}, 403, "M_FORBIDDEN"),
        ({}, {"access_token": "wrong"}, 403, "M_FORBIDDEN"),
        ({"Authorization": "Bearer wrong"}, {"access_token": TOKEN}, 403, "M_FORBIDDEN"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", TRANSACTION),
        ("PUT", "/transactions/t1"),
        ("GET", "/_matrix/app/v1/users/@slack_t1_u1:hs.test"),
        ("GET", "/_matrix/app/v1/rooms/%23slack_t1_c1:hs.test"),
        ("POST", "/_matrix/app/v1/ping"),
        ("POST", "/_matrix/app/v1/elsewhere"),
    ],
)
async def test_without_the_homeserver_s_token_nothing_happens(
    bridge: Bridge,
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    headers: dict[str, str],
    query: dict[str, str],
    status: int,
    errcode: str,
) -> None:
    async with http.request(method, path, headers=headers, params=query, data=b'{"events": []}') as response:
        assert response.status == status
        assert (await response.json())["errcode"] == errcode
    assert bridge.admitted == []


@pytest.mark.parametrize(
    "malformed",
    [
        "text",
        5,
        None,
        [],
        {},
        {**event(), "event_id": 5},
        event(event_id=""),
        event(room_id=None),
        event(type={}),
        event(sender=[]),
        event(event_id="$" + "x" * 255),
        event(room_id="!nul\0:hs.test"),
        event(content={"a": nested(300)}),
    ],
)
async def test_a_malformed_event_is_dropped_and_its_neighbours_are_kept(
    bridge: Bridge, http: aiohttp.ClientSession, malformed: object, caplog: pytest.LogCaptureFixture
) -> None:
    body = b'{"events": [%s, %s, %s]}' % (
        orjson.dumps(event("$1")),
        json.dumps(malformed).encode(),
        orjson.dumps(event("$2")),
    )
    assert await put(http, body) == (200, {})
    assert [found["event_id"] for _, events in bridge.admitted for found in events] == ["$1", "$2"]
    assert "event 1 of transaction t1 is dropped" in caplog.text


@pytest.mark.parametrize("content", ["text", 5, None, []])
async def test_an_event_with_strange_content_is_for_its_reader_to_judge(
    bridge: Bridge, http: aiohttp.ClientSession, content: object
) -> None:
    assert await put(http, {"events": [event(content=content)]}) == (200, {})
    assert bridge.admitted[0][1][0]["content"] == content


@pytest.mark.parametrize("events", ["text", 5, None, {}])
async def test_events_that_are_no_list_are_none(bridge: Bridge, http: aiohttp.ClientSession, events: object) -> None:
    assert await put(http, {"events": events}) == (200, {})
    assert bridge.admitted == [("t1", [])]


async def test_half_a_character_blocks_nothing(bridge: Bridge, http: aiohttp.ClientSession) -> None:
    body = orjson.dumps({"events": [event()]}).replace(b'"hi"', rb'"\ud83d"')
    assert await put(http, body) == (200, {})
    assert bridge.admitted[0][1][0]["content"]["body"] == "�"


@pytest.mark.parametrize(
    ("body", "errcode"), [(b"", "M_NOT_JSON"), (b"{", "M_NOT_JSON"), (b"[]", "M_BAD_JSON"), (b'"x"', "M_BAD_JSON")]
)
async def test_garbage_is_answered_as_such(
    bridge: Bridge, http: aiohttp.ClientSession, body: bytes, errcode: str
) -> None:
    status, answer = await put(http, body)
    assert (status, answer["errcode"]) == (400, errcode)
    assert bridge.admitted == []


async def test_a_body_above_the_limit_is_refused(bridge: Bridge, http: aiohttp.ClientSession) -> None:
    status, answer = await put(http, b" " * (LIMIT + 1))
    assert (status, answer["errcode"]) == (413, "M_TOO_LARGE")


async def test_a_body_that_hides_its_size_is_refused_at_the_limit(bridge: Bridge, http: aiohttp.ClientSession) -> None:
    async def much() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * (LIMIT // 2)

    async with http.put(TRANSACTION, data=much(), headers=BEARER) as response:
        assert response.status == 413
    assert bridge.admitted == []


async def test_weather_goes_past_the_inbox(bridge: Bridge, http: aiohttp.ClientSession) -> None:
    typing = {"type": "m.typing", "room_id": "!r:hs.test", "content": {"user_ids": []}}
    await put(http, {"events": [], "de.sorunome.msc2409.ephemeral": [typing, "junk"]})
    await put(http, {"events": [], "ephemeral": [typing], "de.sorunome.msc2409.ephemeral": [typing]})
    await asyncio.sleep(0)
    assert bridge.weather == [typing, typing]


async def test_weather_of_an_unstored_transaction_is_not_shown(bridge: Bridge, http: aiohttp.ClientSession) -> None:
    bridge.failure = StoreUnavailable("locked")
    await put(http, {"events": [event()], "ephemeral": [{"type": "m.typing"}]})
    await asyncio.sleep(0)
    assert bridge.weather == []


@pytest.mark.parametrize("prefix", ["", "/_matrix/app/v1"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/users/%40slack_t1_u1%3Ahs.test", 200),
        ("/users/%40somebody%3Ahs.test", 404),
        ("/rooms/%23slack_t1_c1%3Ahs.test", 200),
        ("/rooms/%23other%3Ahs.test", 404),
    ],
)
async def test_only_names_that_may_exist_exist(
    bridge: Bridge, http: aiohttp.ClientSession, prefix: str, path: str, status: int
) -> None:
    async with http.get(prefix + path, headers=BEARER) as response:
        assert response.status == status
        assert (await response.json()).get("errcode") == (None if status == 200 else "M_NOT_FOUND")


async def test_a_name_that_cannot_be_looked_up_is_asked_for_again(bridge: Bridge, http: aiohttp.ClientSession) -> None:
    bridge.failure = StoreUnavailable("locked")
    async with http.get("/_matrix/app/v1/users/@slack_t1_u1:hs.test", headers=BEARER) as response:
        assert response.status == 503


async def test_a_ping_arrives(bridge: Bridge, http: aiohttp.ClientSession) -> None:
    async with http.post("/_matrix/app/v1/ping", headers=BEARER, json={"transaction_id": "x"}) as response:
        assert (response.status, await response.json()) == (200, {})


async def test_an_unknown_endpoint_is_unrecognized(bridge: Bridge, http: aiohttp.ClientSession) -> None:
    async with http.get("/_matrix/app/v1/thirdparty/protocol/slack", headers=BEARER) as response:
        assert (response.status, (await response.json())["errcode"]) == (404, "M_UNRECOGNIZED")


async def test_raw_garbage_on_the_socket_leaves_the_endpoint_working(
    bridge: Bridge, http: aiohttp.ClientSession
) -> None:
    host, port = bridge.url.removeprefix("http://").split(":")
    for garbage in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"PUT / HTTP/1.1\r\n" + b"X: " + b"y" * 20_000 + b"\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(garbage)
        writer.write_eof()
        await reader.read()
        writer.close()
        await writer.wait_closed()
    assert await put(http, {"events": [event()]}) == (200, {})
