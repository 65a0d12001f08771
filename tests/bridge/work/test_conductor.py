"""One row the whole way, where the way is not the usual one: who must wait, who is passed over, and what is dropped."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store.ledger import Ledger
from bridge.work import conductor
from portals import retry
from tests.journeys.script import Delete, Post, React
from tests.journeys.stage import Stage
from tests.journeys.world import World, people_of
from tests.sandbox.slack import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.store.ledger import ParkedRow


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST", 0.005)
    monkeypatch.setattr(retry, "_LONGEST", 0.02)
    monkeypatch.setattr(conductor, "TROUBLED", 0.02)


@asynccontextmanager
async def world_on(database_url: str, **more: Any) -> AsyncIterator[World]:
    """A bridge with nothing left to do; `more` are groups of settings."""
    async with Stage(database_url, seed=people_of, more=more) as stage:
        world = World(stage)
        await world.open()
        await world.settle()
        yield world


def said(number: int, who: str = "alice") -> Post:
    return Post(number, "matrix" if who in ("ada", "brian") else "slack", who, "general", f"m{number} said")


async def parked(world: World) -> list[ParkedRow]:
    assert world.stage.database is not None
    return await Ledger(world.stage.database).parked()


async def shown(world: World) -> list[str]:
    return [line.body for line in await world.stage.lines("general") if line.kind in ("m.text", "m.notice")]


@pytest.mark.parametrize("code", ["token_revoked", "missing_scope", "forbidden_team", "enterprise_is_restricted"])
async def test_what_an_admin_must_mend_in_slack_is_waited_for_and_parks_nothing(sqlite_url: str, code: str) -> None:
    async with world_on(sqlite_url) as world:
        world.stage.slack.faults.next_calls("chat.postMessage", Kind.ERROR, times=5, error=code)
        await world.play([said(1, "ada"), said(2, "ada"), said(3)])
        await world.settle()
        assert len(world.stage.slack.calls.of("chat.postMessage")) == 5 + 2
        assert await world.differences() == []


async def test_what_an_admin_must_mend_at_the_homeserver_is_waited_for_and_parks_nothing(sqlite_url: str) -> None:
    async with world_on(sqlite_url) as world:
        world.stage.homeserver.faults.refuse(
            403, "M_RESOURCE_LIMIT_EXCEEDED", times=5, method="PUT", path="/send/.*/cw"
        )
        await world.play([said(1), said(2), said(3, "ada")])
        await world.settle()
        assert await world.differences() == []


async def test_somebody_who_is_banned_is_passed_over_without_a_word(sqlite_url: str) -> None:
    async with world_on(sqlite_url, admins=["@ada:localhost"]) as world:
        await world.play([said(1)])
        await world.settle()
        room, ada = world.rooms["general"], world.people["ada"]
        workspace = world.stage.workspace
        ghost = f"@slack_{workspace.id}_{workspace.user('alice').id}:localhost".lower()
        await ada.post("rooms", room, "ban", user_id=ghost)
        await world.play([said(2), said(3, "bob")])
        await world.settle()
        assert (await shown(world), await parked(world)) == (["m1 said", "m3 said"], [])


@pytest.mark.parametrize(
    ("direction", "in_matrix", "in_slack"),
    [("to_matrix", ["m1 said", "m2 said"], ["m1 said"]), ("to_slack", ["m2 said"], ["m1 said", "m2 said"])],
)
async def test_a_portal_of_one_direction_settles_what_comes_the_other_way(
    sqlite_url: str, direction: str, in_matrix: list[str], in_slack: list[str]
) -> None:
    portals = {"map": [{"slack": "#general", "direction": direction}]}
    async with world_on(sqlite_url, portals=portals) as world:
        await world.play([said(1), said(2, "ada")])
        await world.settle()
        in_channel = [entry.text for entry in world.stage.entries("general") if entry.subtype != "channel_join"]
        assert (sorted(await shown(world)), sorted(in_channel)) == (in_matrix, in_slack)
        assert await world.stage.left_over() == []


async def test_a_reaction_waits_for_the_record_of_the_message_that_is_being_sent(sqlite_url: str) -> None:
    async with world_on(sqlite_url) as world:
        world.stage.slack.faults.next_calls("chat.postMessage", Kind.DELAY, seconds=0.3)
        await world.play([said(1, "ada"), React(1, "slack", "bob", "eyes")])  # bob sees it before its answer is here
        await world.settle()
        assert await world.differences() == []


async def test_what_is_redacted_while_it_is_parked_is_dropped(sqlite_url: str) -> None:
    async with world_on(sqlite_url) as world:
        world.stage.slack.faults.next_calls("chat.postMessage", Kind.ERROR, error="restricted_action")
        await world.play([said(1, "ada"), said(2, "ada")])
        await world.settle()
        assert [row.source_key for row in await parked(world)] == [f"matrix:{world.ids[1]}"]
        await world.play([Delete(1)])
        await world.settle()
        assert await parked(world) == []
        assert [entry.text for entry in world.stage.entries("general") if entry.author == "ada"] == ["m2 said"]
