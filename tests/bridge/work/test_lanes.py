"""At the edges of a lane: what fails costs its own row, and what was planned ahead is neither lost nor done twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bridge.configured import names_from
from bridge.errors import Refused
from bridge.stopping import stop_when
from bridge.store.directory import Directory
from bridge.store.ledger import TO_MATRIX, Ledger, State
from portals import retry
from portals.facts import PortalState
from portals.ids import channel_queue
from portals.relay import to_matrix
from tests.journeys.gate import GatedDatabase
from tests.journeys.script import Post
from tests.journeys.stage import Stage
from tests.journeys.world import World, people_of
from tests.sandbox.homeserver.call import MatrixError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bridge.store.database import Row, Statement
    from tests.sandbox.homeserver.call import Call

CHANNELS = ("general", "random")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST", 0.005)
    monkeypatch.setattr(retry, "_LONGEST", 0.02)


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """A bridge of two channels with nothing left to do."""
    async with Stage(sqlite_url, seed=lambda slack: people_of(slack, CHANNELS)) as stage:
        world = World(stage, CHANNELS)
        await world.open()
        await world.settle()
        yield world


def said(number: int, channel: str = "general") -> Post:
    return Post(number, "slack", "alice", channel, f"m{number} said")


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not await holds():
            await asyncio.sleep(0.002)


async def waiting(world: World) -> list[int]:
    """The states of the rows that wait, in their order."""
    assert world.stage.database is not None
    rows = await world.stage.database.fetch("SELECT state FROM inbox WHERE state < 2 ORDER BY seq")
    return [int(row[0]) for row in rows]


async def shown(world: World, channel: str = "general") -> list[str]:
    return [line.body for line in await world.stage.lines(channel) if line.kind == "m.text"]


async def set_state(world: World, state: PortalState) -> None:
    """Have #general's portal paused or resumed as the command line does."""
    stage = world.stage
    assert stage.database is not None
    directory = Directory(stage.database, names_from(stage.settings))
    portal = await directory.portal_of_channel(stage.workspace.id, stage.workspace.channel("general").id)
    assert portal is not None
    await directory.set_state(portal.id, state)
    await Ledger(stage.database).request(TO_MATRIX, channel_queue(portal.team, portal.channel))
    database = stage.database

    async def is_taken() -> bool:
        return not await database.fetch("SELECT 1 FROM requests")

    await until(is_taken)
    await asyncio.sleep(0.2)  # what was taken is carried out right behind the commit that took it


# --- a portal is paused in the middle of its queue


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_row_that_was_planned_ahead_of_a_pause_is_done_once_after_it(world: World, restarts: bool) -> None:
    faults = world.stage.homeserver.faults
    faults.hang(method="PUT", path="/send/.*/cw")
    await world.play([said(1), said(2), said(3)])

    async def is_ahead() -> bool:
        return await waiting(world) == [State.PLANNED, State.PLANNED, State.NEW]

    await until(is_ahead)
    await set_state(world, PortalState.PAUSED)
    faults.release()

    async def has_stopped() -> bool:
        return await waiting(world) == [State.PLANNED, State.NEW]

    await until(has_stopped)
    if restarts:
        await world.start()
        await world.stage.slack.until(lambda: world.stage.slack.sockets.connections)
    assert await shown(world) == ["m1 said"]
    await set_state(world, PortalState.LIVE)
    await world.settle()
    assert await world.differences() == []


# --- the store refuses


def refuses(monkeypatch: pytest.MonkeyPatch, is_bad: Callable[[Statement], bool], *, times: int) -> None:
    """Have the store refuse, as a whole, a unit with such a statement, so many times."""
    usual = GatedDatabase.commit
    left = times

    def commit(database: GatedDatabase, *unit: Statement) -> asyncio.Future[list[list[Row]]]:
        nonlocal left
        if not left or not any(map(is_bad, unit)):
            return usual(database, *unit)
        left -= 1
        answer: asyncio.Future[list[list[Row]]] = asyncio.get_running_loop().create_future()
        answer.set_exception(Refused("store", "the database does not take it"))
        return answer

    monkeypatch.setattr(GatedDatabase, "commit", commit)


async def test_a_plan_that_is_refused_beside_a_record_is_made_again_and_kept_before_it_is_performed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, faults = world.stage.database, world.stage.homeserver.faults
    assert database is not None
    usual, planned = faults.before, list[object]()
    refused: list[Statement] = []

    async def before(call: Call) -> bool:
        if "m3 said" in str(call.body):
            planned.extend(await database.fetch("SELECT 1 FROM outbox WHERE action LIKE '%m3 said%'"))
        return await usual(call)

    monkeypatch.setattr(faults, "before", before)

    def plans_the_third(one: Statement) -> bool:
        if "INTO outbox" in one.sql and "m3 said" in str(one.values[3]):
            refused.append(one)
            return True
        return False

    refuses(monkeypatch, plans_the_third, times=1)
    await world.play([said(number) for number in range(1, 6)])
    await world.settle()
    assert await world.differences() == []
    assert (len(refused), len(planned)) == (1, 1)


async def test_a_record_that_is_refused_parks_its_own_row_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.stage.database is not None
    ledger = Ledger(world.stage.database)

    def is_link_of_the_second(one: Statement) -> bool:
        return "INTO links" in one.sql and world.ids.get(2) in one.values

    refuses(monkeypatch, is_link_of_the_second, times=2)
    await world.play([said(number) for number in range(1, 6)])
    await world.settle()
    (parked,) = await ledger.parked()
    assert (world.ids[2] in parked.source_key, "does not take it" in parked.reason) == (True, True)
    assert await shown(world) == [f"m{number} said" for number in range(1, 6)]
    await world.stage.homeserver.restart()  # which makes it forget whose requests it has answered
    assert await ledger.retry(parked.seq) is not None
    await ledger.request(parked.direction, parked.queue)
    await world.settle()
    assert await world.stage.left_over() == []
    assert len(await shown(world)) == 5, "what was sent already is found, not sent again"


# --- rows that fail for themselves


async def test_a_row_whose_outcome_stays_unknown_waits_while_nothing_gets_through_and_then_makes_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.stage.database is not None
    ledger, faults = Ledger(world.stage.database), world.stage.homeserver.faults
    usual, tries = faults.before, 0

    async def before(call: Call) -> bool:
        nonlocal tries
        if "m1 said" in str(call.body):
            tries += 1
            raise MatrixError(500, "M_UNKNOWN", "this one breaks the homeserver")
        return await usual(call)

    monkeypatch.setattr(faults, "before", before)
    await world.play([said(1), said(2)])
    await world.stage.slack.until(lambda: tries > 20)
    assert await ledger.parked() == []
    await world.play([said(3, "random")])
    await world.settle()
    (parked,) = await ledger.parked()
    assert "its outcome stays unknown" in parked.reason
    assert (await shown(world), await shown(world, "random")) == (["m2 said"], ["m3 said"])
    monkeypatch.setattr(faults, "before", usual)
    assert await ledger.retry(parked.seq) is not None
    await ledger.request(parked.direction, parked.queue)
    await world.settle()
    assert await shown(world) == ["m2 said", "m1 said"]
    assert await world.stage.left_over() == []


async def test_a_defect_costs_the_row_that_meets_it(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert world.stage.database is not None
    usual = to_matrix.decide

    def decide(event: Any, *rest: Any) -> Any:  # Any: passed on as it comes
        if "m2 said" in str(event):
            raise ZeroDivisionError
        return usual(event, *rest)

    monkeypatch.setattr(to_matrix, "decide", decide)
    await world.play([said(number) for number in range(1, 5)])
    await world.settle()
    (parked,) = await Ledger(world.stage.database).parked()
    assert parked.reason == "a defect of the bridge; its log says more"
    assert await shown(world) == ["m1 said", "m3 said", "m4 said"]
    assert "ZeroDivisionError" in caplog.text


# --- an orderly stop


async def hung(world: World, rows: int) -> None:
    """Have so many messages come, of which the first hangs at the homeserver."""
    world.stage.homeserver.faults.hang(method="PUT", path="/send/.*/cw")
    await world.play([said(number) for number in range(1, rows + 1)])

    async def is_ahead() -> bool:
        return len(await waiting(world)) == rows and (await waiting(world))[0] == State.PLANNED

    await until(is_ahead)


async def test_what_is_under_way_comes_to_its_end_and_what_is_left_is_told(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hung(world, 3)
    monkeypatch.setattr(stop_when, "__defaults__", (60.0,))
    with caplog.at_level("INFO"):
        resting = asyncio.create_task(world.stage.come_to_rest())
        await asyncio.sleep(0.01)
        world.stage.homeserver.faults.release()
        await resting
    assert "left for the next start: 2 for Matrix" in caplog.text
    assert await shown(world) == ["m1 said"]
    await world.start()
    await world.settle()
    assert await world.differences() == []


async def test_what_does_not_end_in_time_is_cut_off_and_found_at_the_next_start(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_when, "__defaults__", (0.05,))
    await hung(world, 1)
    await world.stage.come_to_rest()
    assert "1 queues are still at a row" in caplog.text
    world.stage.homeserver.faults.clear()
    await world.start()
    await world.settle()
    assert await shown(world) == ["m1 said"]
    assert await world.differences() == []
