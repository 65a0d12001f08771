"""A store that does not answer, or a server that ends in the middle of a send, costs time and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.journeys.process import ProcessStage
from tests.journeys.script import Post
from tests.journeys.stage import Stage
from tests.journeys.test_kills import alike
from tests.journeys.world import ProcessWorld, World, people_of
from tests.sandbox.postgres import Postgres
from tests.sandbox.slack import Kind

if TYPE_CHECKING:
    from pathlib import Path


def said(number: int, side: str) -> Post:
    """Return what somebody says."""
    return Post(number, side, "alice" if side == "slack" else "ada", "general", f"m{number} said")


async def test_another_program_holds_the_write_lock_for_a_while(tmp_path: Path) -> None:
    path = tmp_path / "causeway.db"
    async with Stage(f"sqlite:///{path}", seed=people_of) as stage:
        world = World(stage, patience=40)
        await world.open()
        await world.settle()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await world.play([said(number, "matrix" if number % 2 else "slack") for number in range(1, 7)])
            async with asyncio.timeout(20):  # longer than the bridge waits for the lock: its commits fail
                while not any(parcel.attempt for parcel in stage.slack.delivery.open.values()):
                    await asyncio.sleep(0.05)
                await asyncio.sleep(6)
            await world.play([said(7, "slack"), said(8, "matrix")])
            other.execute("ROLLBACK")
        await world.play([said(number, "matrix" if number % 2 else "slack") for number in range(9, 13)])
        await world.settle()
        assert await world.differences() == []


async def test_the_disk_is_full_for_a_while(tmp_path: Path) -> None:
    """A database that may not grow answers as one on a full disk does."""
    path = tmp_path / "causeway.db"
    async with Stage(f"sqlite:///{path}", seed=people_of) as stage:
        world = World(stage, patience=40)
        await world.open()
        await world.settle()
        database = stage.database
        assert database is not None
        writer = database._writer  # type: ignore[attr-defined]  # the limit belongs to one connection
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        assert writer.execute(f"PRAGMA max_page_count = {pages}").fetchone()[0] == pages
        filler = [Post(number, "slack", "bob", "general", f"m{number} said " + "x" * 3000) for number in range(1, 30)]
        await world.play(filler)
        await world.play([said(number, "matrix") for number in range(30, 34)])
        await stage.slack.until(lambda: any(parcel.attempt for parcel in stage.slack.delivery.open.values()))
        writer.execute("PRAGMA max_page_count = 1000000")
        await world.settle()
        assert await world.differences() == []


async def test_postgres_is_stopped_and_started_during_traffic() -> None:
    with Postgres() as server:
        async with Stage(await server.fresh_database(), seed=people_of) as stage:
            world = World(stage, patience=40)
            await world.open()
            await world.play([said(1, "slack"), said(2, "matrix")])
            server.stop()
            await world.play([said(number, "matrix" if number % 2 else "slack") for number in range(3, 9)])
            server.start()
            await world.play([said(number, "matrix" if number % 2 else "slack") for number in range(9, 12)])
            await world.settle()
            assert await world.differences() == []


@pytest.mark.slow
async def test_the_homeserver_restarts_in_the_middle_of_a_send(tmp_path: Path, synapse_template: Path) -> None:
    """Only Slack's people speak around the restarts: a Synapse that ends forgets events that it did not push yet."""
    async with ProcessStage(tmp_path, synapse_template, people_of) as stage:
        world = ProcessWorld(stage, patience=30)
        await world.open()
        await world.play([said(1, "matrix"), said(2, "slack")])
        await alike(world)
        for number in (3, 13, 23):
            before = len(await stage.events(world.rooms["general"]))
            await world.play([said(each, "slack") for each in range(number, number + 10)])
            async with asyncio.timeout(10):
                while len(await stage.events(world.rooms["general"])) < before + 3:
                    pass
            if number == 13:
                stage.homeserver.kill()
                await stage.homeserver.start()
            else:
                await stage.homeserver.restart()
        await world.play([said(40, "matrix")])
        await alike(world)


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.HTTP_503_AFTER])
async def test_slack_does_it_and_drops_the_connection_and_the_bridge_is_killed_then(
    tmp_path: Path, synapse_template: Path, kind: Kind
) -> None:
    async with ProcessStage(tmp_path, synapse_template, people_of) as stage:
        world = ProcessWorld(stage, patience=30)
        await world.open()
        stage.slack.faults.next_calls("chat.postMessage", kind, times=2)
        await world.play([said(1, "matrix"), said(2, "matrix"), said(3, "slack")])
        await stage.slack.until(lambda: stage.slack.calls.of("chat.postMessage"))
        await stage.kill(0)
        await alike(world)
