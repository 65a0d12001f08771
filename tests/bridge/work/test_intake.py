"""What both edges deliver is stored before it is answered; echoes are not, and gather while much is being sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from bridge.store.directory import Directory
from bridge.store.ledger import TO_MATRIX, TO_SLACK, Ledger
from bridge.store.opening import open_database
from bridge.work import intake as module
from bridge.work.intake import Intake
from portals.ids import GhostNames, TeamId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.matrix.client import MatrixClient

NAMES = GhostNames("hs.test", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
ROOM = "!room:hs.test"
GHOST = "@slack_t0aaaaaaaa_u0aaaaaaaa:hs.test"


@dataclass
class Busy:
    """A homeserver's client with so many requests under way, and what it has sent as people's own accounts."""

    in_flight: int
    own: set[str] = field(default_factory=set)
    encryption: None = None

    def is_own(self, event: str) -> bool:
        return event in self.own


@dataclass
class Edge:
    """An intake, how busy its homeserver's client is, and which queues it woke."""

    intake: Intake
    busy: Busy
    ledger: Ledger
    woken: list[tuple[str, str]]

    async def stored(self, direction: str, queue: str) -> list[str]:
        return [row.source_key for row in await self.ledger.next_rows(direction, queue, 10)]


@pytest.fixture
async def edge(sqlite_url: str) -> AsyncIterator[Edge]:
    database = await open_database(sqlite_url)
    await database.own()
    ledger, busy, woken = Ledger(database), Busy(0), []
    async with asyncio.TaskGroup() as group:
        intake = Intake(
            names=NAMES,
            ledger=ledger,
            directory=Directory(database, NAMES),
            matrix=cast("MatrixClient", busy),
            wake=lambda direction, queue: woken.append((direction, queue)),
            group=group,
            typing=True,
            prefix="!slack",
        )
        yield Edge(intake, busy, ledger, woken)
    await database.close()


@pytest.fixture
def for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let echoes gather for longer than any test lasts."""
    monkeypatch.setattr(module, "_GATHER", 3600.0)


def event(event_id: str, sender: str) -> dict[str, Any]:
    content = {"msgtype": "m.text", "body": event_id}
    return {"type": "m.room.message", "event_id": event_id, "sender": sender, "room_id": ROOM, "content": content}


ECHOES = [event("$1", GHOST), event("$2", "@causeway:hs.test")]
SAID = event("$3", "@ada:hs.test")


async def answered(edge: Edge, events: list[dict[str, Any]]) -> bool:
    """Tell whether a transaction is answered with nothing to wait for but the store."""
    answer = asyncio.create_task(edge.intake.from_matrix("txn", events))
    await asyncio.sleep(0)
    await edge.ledger.mark("after it")  # the store keeps the order
    for _ in range(5):
        await asyncio.sleep(0)
    is_done = answer.done()
    answer.cancel()
    await asyncio.wait([answer])
    return is_done


@pytest.mark.usefixtures("for_ever")
@pytest.mark.parametrize(("in_flight", "at_once"), [(0, True), (3, True), (4, False), (40, False)])
async def test_echoes_are_answered_at_once_unless_much_is_being_sent(edge: Edge, in_flight: int, at_once: bool) -> None:
    edge.busy.in_flight = in_flight
    assert await answered(edge, ECHOES) is at_once
    assert (await edge.stored(TO_SLACK, ROOM), edge.woken) == ([], [])


@pytest.mark.usefixtures("for_ever")
async def test_what_a_person_says_never_waits_for_echoes_to_gather(edge: Edge) -> None:
    edge.busy.in_flight = 40
    assert await answered(edge, [*ECHOES, SAID])
    assert await edge.stored(TO_SLACK, ROOM) == ["matrix:$3"]
    assert edge.woken == [(TO_SLACK, ROOM)]


@pytest.mark.usefixtures("for_ever")
async def test_a_transaction_without_events_is_answered_at_once(edge: Edge) -> None:
    edge.busy.in_flight = 40
    assert await answered(edge, [])


async def test_echoes_are_answered_after_a_moment(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GATHER", 0.0)
    edge.busy.in_flight = 40
    async with asyncio.timeout(10):
        await edge.intake.from_matrix("txn", ECHOES)


async def test_an_event_of_slack_is_queued_when_it_comes_and_wakes_its_lane_once_it_is_stored(edge: Edge) -> None:
    message = {"type": "message", "channel": "C0AAAAAAAAA", "user": "U0AAAAAAAAA", "ts": "1700000000.000100"}
    first, second = ({"event_id": f"Ev{n}", "event": {**message, "ts": f"1700000000.00010{n}"}} for n in (1, 2))
    stored = [edge.intake.from_slack(TeamId("T0AAAAAAAAA"), payload) for payload in (first, second)]
    assert edge.woken == []
    for one in reversed(stored):
        await one
    queue = "T0AAAAAAAAA/C0AAAAAAAAA"
    keys = await edge.stored(TO_MATRIX, queue)
    assert [key.rpartition("/")[2] for key in keys] == ["1700000000.000101", "1700000000.000102"]
    assert edge.woken == [(TO_MATRIX, queue)] * 2


@pytest.mark.parametrize("payload", [{}, {"event": None}, {"event": {"type": 7}}, {"event": {"type": "hello"}}])
async def test_what_has_no_name_is_left_out(edge: Edge, payload: dict[str, Any]) -> None:
    await edge.intake.from_slack(TeamId("T0AAAAAAAAA"), payload)
    assert (await edge.ledger.open_queues(), edge.woken) == ([], [])


async def test_an_echo_of_a_person_s_own_account_is_stored_only_where_the_ledger_has_to_tell(edge: Edge) -> None:
    edge.busy.own.add("$ours")
    await edge.intake.from_matrix("1", [event("$ours", "@ada:hs.test"), event("$hers", "@ada:hs.test")])
    assert await edge.stored(TO_SLACK, ROOM) == ["matrix:$hers"]
