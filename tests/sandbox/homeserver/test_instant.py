"""What the instant homeserver adds to being a homeserver: faults on request, restarts, patience with a dead service."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.sandbox.homeserver.instant import InstantHomeserver
from tests.sandbox.homeserver.process import InstantProcess
from tests.sandbox.homeserver.recorder import Recorder
from tests.sandbox.homeserver.transport import HttpTransport, Json, RequestRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TEXT = {"msgtype": "m.text", "body": "x"}


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    async with Recorder() as service:
        yield service


@pytest.fixture
async def homeserver(recorder: Recorder) -> AsyncIterator[InstantHomeserver]:
    async with InstantHomeserver(registrations=[recorder.registration]) as server:
        yield server


@asynccontextmanager
async def bot(homeserver: InstantHomeserver) -> AsyncIterator[HttpTransport]:
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer as-secret"}) as session:
        yield HttpTransport(session, homeserver.url)


async def make_room(transport: HttpTransport) -> str:
    answer = await transport.request("POST", "/_matrix/client/v3/createRoom", body={})
    assert isinstance(answer, dict)
    room: str = answer["room_id"]
    return room


async def put(transport: HttpTransport, room: str, transaction: str) -> Json | bytes:
    path = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}"
    return await transport.request("PUT", path, body=TEXT)


def bodies(homeserver: InstantHomeserver, room: str) -> int:
    return len(homeserver.timeline(room))


async def test_a_lost_answer_was_carried_out_and_its_transaction_id_answers_a_second_try(
    homeserver: InstantHomeserver,
) -> None:
    async with bot(homeserver) as transport:
        room = await make_room(transport)
        homeserver.faults.lose_answer(path="/send/")
        with pytest.raises(aiohttp.ClientError):
            await put(transport, room, "1")
        assert bodies(homeserver, room) == 1
        await put(transport, room, "1")
        assert bodies(homeserver, room) == 1


async def test_a_restart_forgets_transaction_ids_and_nothing_else(homeserver: InstantHomeserver) -> None:
    async with bot(homeserver) as transport:
        room = await make_room(transport)
        await put(transport, room, "1")
        await homeserver.restart()
        await put(transport, room, "1")
        assert bodies(homeserver, room) == 2


async def test_a_dropped_request_was_not_carried_out(homeserver: InstantHomeserver) -> None:
    async with bot(homeserver) as transport:
        room = await make_room(transport)
        homeserver.faults.drop(method="PUT", times=2)
        with pytest.raises(aiohttp.ClientError):
            await put(transport, room, "1")
        assert bodies(homeserver, room) == 0


async def test_a_limited_request_says_when_to_come_back(homeserver: InstantHomeserver) -> None:
    async with bot(homeserver) as transport:
        room = await make_room(transport)
        homeserver.faults.limit(1500, times=2)
        for _ in range(2):
            with pytest.raises(RequestRefused) as refused:
                await put(transport, room, "1")
            assert (refused.value.status, refused.value.body["retry_after_ms"]) == (429, 1500)
        await put(transport, room, "1")


async def test_a_hanging_request_goes_through_when_it_is_released(homeserver: InstantHomeserver) -> None:
    async with bot(homeserver) as transport:
        room = await make_room(transport)
        homeserver.faults.hang(path="/send/")
        waiting = asyncio.create_task(put(transport, room, "1"))
        while not homeserver.faults.seen:
            await asyncio.sleep(0)
        assert bodies(homeserver, room) == 0
        homeserver.faults.release()
        await waiting
        assert bodies(homeserver, room) == 1


async def test_nobody_is_answered_while_it_refuses(homeserver: InstantHomeserver) -> None:
    async with bot(homeserver) as transport:
        room = await make_room(transport)
        await homeserver.refuse()
        with pytest.raises(aiohttp.ClientError):
            await put(transport, room, "1")
        await homeserver.accept()
        await put(transport, room, "1")
        assert bodies(homeserver, room) == 1


async def test_a_refused_transaction_comes_again_under_its_id_before_any_other(
    homeserver: InstantHomeserver, recorder: Recorder
) -> None:
    async with bot(homeserver) as transport:
        room = await make_room(transport)
        await homeserver.settled()
        recorder.refusals = 3
        before = len(recorder.events)
        for number in range(150):
            await put(transport, room, str(number))
        await homeserver.settled()
    sent = [event["event_id"] for event in homeserver.events(room)][-150:]
    assert [event["event_id"] for event in recorder.events[before:]] == sent
    assert max(len(transaction["events"]) for transaction in recorder.transactions) <= 100
    assert [int(number) for number in recorder.seen_ids] == sorted(map(int, recorder.seen_ids))
    assert len(recorder.seen_ids) == len(set(recorder.seen_ids)) + 3


async def test_a_repeated_transaction_has_lost_its_typing(homeserver: InstantHomeserver, recorder: Recorder) -> None:
    ada = await homeserver.person("ada")
    async with bot(homeserver) as transport:
        room = await make_room(transport)
        await transport.request("POST", f"/_matrix/client/v3/rooms/{room}/invite", body={"user_id": ada.user_id})
    await ada.join(room)
    await homeserver.settled()
    recorder.refusals = 1
    await ada.typing(room)
    await homeserver.settled()
    assert recorder.ephemeral == []
    await ada.typing(room, on=False)
    await homeserver.settled()
    assert [event["content"] for event in recorder.ephemeral] == [{"user_ids": []}]


async def test_a_person_speaks_edits_reacts_and_takes_back(homeserver: InstantHomeserver) -> None:
    ada, bob = await homeserver.person("ada"), await homeserver.person("bob")
    room = await ada.create_room(preset="public_chat")
    await bob.join(room)
    first = await ada.say(room, "hello", "<b>hello</b>")
    await bob.react(room, first, "👍")
    await ada.edit(room, first, "hullo")
    answer = await bob.reply(room, first, "hi")
    await bob.thread(room, first, "aside")
    await bob.send_file(room, b"bytes", "a.txt", "text/plain", "look")
    await bob.redact(room, answer)
    lines = await ada.until(room, lambda lines: len(lines) == 4)
    assert lines == homeserver.timeline(room)
    assert [(line.body, line.edited, line.redacted, line.thread) for line in lines] == [
        ("hullo", True, False, None),
        ("", False, True, None),
        ("aside", False, False, 0),
        ("look", False, False, None),
    ]
    assert lines[0].reactions == (("👍", "@bob:localhost"),)
    assert await ada.download(homeserver.events(room)[-2]["content"]["url"]) == b"bytes"


async def test_it_runs_as_a_process_of_its_own(tmp_path: Path, recorder: Recorder) -> None:
    async with InstantProcess(tmp_path, registrations=[recorder.registration]) as homeserver:
        ada = await homeserver.person("ada")
        room = await ada.create_room()
        await ada.say(room, "hello")
        await homeserver.fault("refuse", status=502)
        with pytest.raises(RequestRefused):
            await ada.say(room, "refused")
        assert [line.body for line in await homeserver.timeline(room)] == ["hello"]
        assert (await homeserver.counts())["rooms"] == 1
