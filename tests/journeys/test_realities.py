"""Scripts under each reality that nobody can rule out, and among faults of both servers; nothing lost, nor twice."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.script import Cut, Delete, Playwright, Post, React
from tests.journeys.stage import Stage
from tests.journeys.world import World, people_of
from tests.sandbox.slack import Kind, Reality

if TYPE_CHECKING:
    from collections.abc import Callable

REALITIES = {
    "customised without a subtype": Reality(customised_as="plain"),
    "customised cannot be deleted": Reality(delete_customised="cant_delete_message"),
    "echo before the answer": Reality(echo="before"),
    "hidden message_replied": Reality(message_replied="without_subtype"),
    "message_replied with a subtype": Reality(message_replied="with_subtype"),
    "stamps in events": Reality(metadata_in_events="full"),
    "no stamps in events": Reality(metadata_in_events="none"),
    "shared files name no bot": Reality(file_share_names_bot=False),
    "shared before the answer": Reality(share_delay=None),
    "shared late": Reality(share_delay=0.2),
    "oldest first": Reality(oldest_alone="oldest"),
    "backlog on connect": Reality(backlog="on_connect"),
    "edited by blocks": Reality(edited_by_blocks=True),
}
WRITES = (
    "chat.postMessage",
    "chat.update",
    "chat.delete",
    "reactions.add",
    "reactions.remove",
    "files.completeUploadExternal",
    "files.info",
    "upload",
    "download",
)
SLACK_FAULTS = (
    Kind.DROP_BEFORE,
    Kind.DROP_AFTER,
    Kind.HTTP_500,
    Kind.HTTP_503_AFTER,
    Kind.INTERNAL_AFTER,
    Kind.GARBAGE,
)


def script(seed: int, acts: int = 14) -> list[Any]:
    return Playwright(random.Random(seed), ("general",)).acts(acts)


@pytest.mark.parametrize("name", REALITIES)
async def test_each_reality(sqlite_url: str, name: str) -> None:
    async with Stage(sqlite_url, seed=people_of, reality=REALITIES[name]) as stage:
        world = World(stage, cuts=[Cut(0), Cut(30), Cut(60)])
        await world.open()
        acts = script(len(name))
        await world.play(acts[:7])
        stage.gate.close()
        await world.play(acts[7:])
        if name != "customised cannot be deleted":
            numbers = [act.number for act in acts if isinstance(act, Post) and act.side == "matrix"]
            await world.play([Delete(number) for number in numbers[:1]])
        await world.settle()
        assert await world.differences() == []


async def test_what_cannot_be_deleted_says_that_it_was(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=people_of, reality=Reality(delete_customised="cant_delete_message")) as stage:
        world = World(stage)
        await world.open()
        await world.play([Post(1, "matrix", "ada", "general", "m1 said")])
        await world.settle()
        await world.play([Delete(1)])
        await world.settle()
        assert [entry.text for entry in stage.entries("general") if entry.author == "ada"] == ["(deleted)"]
        assert await stage.left_over() == []


@pytest.mark.parametrize("seed", range(6))
async def test_faults_of_slack(sqlite_url: str, seed: int) -> None:
    chance = random.Random(seed)
    async with Stage(sqlite_url, seed=people_of) as stage:
        world = World(stage, patience=40)
        await world.open()
        for method in WRITES:
            for _ in range(2):
                stage.slack.faults.next_calls(method, chance.choice(SLACK_FAULTS))
        stage.slack.faults.next_calls("chat.postMessage", Kind.RATE_LIMITED, seconds=1)
        await world.play(script(seed))
        await world.settle()
        assert await world.differences() == []


@pytest.mark.parametrize("seed", range(6))
async def test_faults_of_the_homeserver(sqlite_url: str, seed: int) -> None:
    chance = random.Random(seed)
    async with Stage(sqlite_url, seed=people_of) as stage:
        world = World(stage, patience=40)
        await world.open()
        await world.settle()
        faults = stage.homeserver.faults
        ways: tuple[Callable[[str], None], ...] = (
            lambda path: faults.lose_answer(method="PUT", path=path),
            lambda path: faults.drop(method="PUT", path=path),
            lambda path: faults.refuse(502, method="PUT", path=path),
            lambda path: faults.refuse(500, method="PUT", path=path),
            lambda path: faults.limit(50, method="PUT", path=path),
        )
        for path in ("/send/.*/cw", "/redact/.*/cw", "/state/"):  # people's transactions are numbers, the bridge's keys
            for _ in range(2):
                chance.choice(ways)(path)
        faults.lose_answer(method="POST", path="/join")
        await world.play(script(seed))
        await world.settle()
        assert await world.differences() == []


async def test_a_homeserver_that_forgot_its_transactions_shows_nothing_twice(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=people_of) as stage:
        world = World(stage)
        await world.open()
        await world.settle()
        stage.homeserver.faults.lose_answer(path="/send/.*/cw")
        await world.play([Post(1, "slack", "alice", "general", "m1 said")])
        await stage.slack.until(lambda: stage.homeserver.faults.seen)
        await stage.homeserver.restart()
        await world.play([Post(2, "slack", "bob", "general", "m2 said")])
        await world.settle()
        assert await world.differences() == []


async def test_a_file_is_shared_once_although_slack_does_not_say_where_at_once(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=people_of) as stage:
        world = World(stage)
        await world.open()
        stage.slack.faults.next_calls("files.info", Kind.HTTP_500, times=2)
        await world.play([Post(1, "matrix", "ada", "general", "", size=700)])
        await world.settle()
        assert await world.differences() == []


async def test_envelopes_may_come_twice(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=people_of) as stage:
        world = World(stage)
        await world.open()
        stage.slack.faults.duplicated_envelopes = 100
        await world.play(script(3, 16))
        await world.settle()
        assert await world.differences() == []


async def test_a_reaction_may_overtake_its_message(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=people_of) as stage:
        world = World(stage)
        await world.open()
        await world.settle()
        stage.slack.faults.delayed_envelopes.append(0.15)
        await world.play([Post(1, "slack", "alice", "general", "m1 said"), React(1, "slack", "bob", "eyes")])
        await world.settle()
        assert await world.differences() == []


@pytest.mark.parametrize("reason", ["refresh_requested", "warning", "unknown_reason"])
async def test_sockets_are_replaced_without_loss(sqlite_url: str, reason: str) -> None:
    async with Stage(sqlite_url, seed=people_of) as stage:
        world = World(stage)
        await world.open()
        await world.settle()
        acts = script(5, 12)
        await world.play(acts[:6])
        await stage.slack.sockets.disconnect(reason, grace=0.2)
        await world.play(acts[6:])
        await world.settle()
        assert await world.differences() == []
