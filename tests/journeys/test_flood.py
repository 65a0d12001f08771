"""A flood in one portal: the others keep their delay, everything arrives in order, and what waits lies in the store.

Delays are counted, not timed: how many messages of the flood are shown between a quiet portal's message and its mirror
image. A bridge that served a queue to its end before the next would count the whole flood.
"""

from __future__ import annotations

import os
from statistics import median

from tests.journeys.stage import Stage, until
from tests.journeys.test_signed_http import SignedStage
from tests.journeys.world import World, people_of
from tests.sandbox.slack import DeliveryTimes, Kind

FLOOD = int(os.environ.get("CAUSEWAY_FLOOD", "1000"))
"""10,000 shows the same, and takes some minutes on a busy machine."""
PATIENT = DeliveryTimes(ack=600, retries=())
CHANNELS = ("general", "quiet")


def in_room(stage: Stage, room: str, author: str = "") -> list[str]:
    """Return the bodies of a room's messages, of ghosts where `author` begins with theirs."""
    events = stage.homeserver.world.rooms[room].events
    return [
        str(event.content.get("body"))
        for event in events
        if event.type == "m.room.message" and event.sender.startswith(author)
    ]


async def test_a_flood_of_slacks_leaves_other_portals_their_delay(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=lambda slack: people_of(slack, CHANNELS), times=PATIENT) as stage:
        world = World(stage, CHANNELS, patience=400)
        await world.open()
        await world.settle()
        alice, bob = stage.workspace.person("alice"), stage.workspace.person("bob")
        flooded, quiet = world.rooms["general"], world.rooms["quiet"]

        async def quiet_one(text: str) -> tuple[int, int]:
            steps, count = stage.gate.steps, len(in_room(stage, flooded))
            bob.post("quiet", text)
            await until(lambda: text in in_room(stage, quiet), 60)
            return stage.gate.steps - steps, len(in_room(stage, flooded)) - count

        before = [(await quiet_one(f"before {number}"))[0] for number in range(9)]
        for number in range(FLOOD):
            alice.post("general", f"flood {number}")
        during = [await quiet_one(f"during {number}") for number in range(9)]
        waiting = FLOOD - len(in_room(stage, flooded))
        assert waiting > FLOOD / 4, "the flood is over before anything was measured"
        assert stage.database is not None
        await world.settle()
        assert in_room(stage, flooded) == [f"flood {number}" for number in range(FLOOD)]
        steps = [one for one, _ in during]
        ratio = median(steps) / median(before)
        print(
            f"flood of {FLOOD}: a quiet message takes {median(before):g} steps before, {median(steps):g} during it "
            f"(ratio {ratio:.1f}); {median(count for _, count in during):g} of the flood are shown meanwhile, most "
            f"{max(count for _, count in during)}; {waiting} of it still waited"
        )
        assert median(count for _, count in during) <= FLOOD / 20
        assert await stage.left_over() == []


async def test_a_flood_of_matrix_leaves_other_portals_their_delay(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=lambda slack: people_of(slack, CHANNELS), times=PATIENT) as stage:
        world = World(stage, CHANNELS, patience=400)
        await world.open()
        await world.settle()
        ada, brian = world.people["ada"], world.people["brian"]
        count = FLOOD // 2

        def posted(channel: str) -> list[str]:
            return [entry.text for entry in stage.entries(channel) if entry.text.startswith(("flood", "during"))]

        for number in range(count):
            await ada.say(world.rooms["general"], f"flood {number}")
        counts = []
        for number in range(5):
            before = len(posted("general"))
            await brian.say(world.rooms["quiet"], f"during {number}")
            await until(lambda: len(posted("quiet")) > number, 60)  # noqa: B023  # awaited before the next turn
            counts.append(len(posted("general")) - before)
        await world.settle()
        assert posted("general") == [f"flood {number}" for number in range(count)]
        print(f"flood of {count} to Slack: {median(counts):g} of it are posted meanwhile, most {max(counts)}")
        assert median(counts[1:]) <= count / 10


async def test_a_channel_that_slack_limits_for_long_holds_up_no_other(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=lambda slack: people_of(slack, CHANNELS)) as stage:
        world = World(stage, CHANNELS, patience=60)
        await world.open()
        await world.settle()
        ada, brian = world.people["ada"], world.people["brian"]
        stage.slack.faults.next_calls("chat.postMessage", Kind.RATE_LIMITED, seconds=3)
        for number in range(20):
            await ada.say(world.rooms["general"], f"limited {number}")
        await until(lambda: stage.slack.calls.counts["chat.postMessage"])
        stage.workspace.person("alice").post("general", "the other way goes on")
        await brian.say(world.rooms["quiet"], "quiet")
        await until(lambda: "quiet" in [entry.text for entry in stage.entries("quiet")])
        await until(lambda: "the other way goes on" in in_room(stage, world.rooms["general"]))
        assert not [entry for entry in stage.entries("general") if entry.author == "ada"], "Slack was asked too soon"
        await world.settle()
        shown = [entry.text for entry in stage.entries("general") if entry.author == "ada"]
        assert shown == [f"limited {number}" for number in range(20)]


async def test_what_slack_leaves_out_above_its_hourly_rate_is_looked_up(sqlite_url: str) -> None:
    times = DeliveryTimes(ack=5, retries=(0.05,), per_hour=60)
    async with SignedStage(sqlite_url, seed=people_of, times=times) as stage:
        world = World(stage, patience=60)
        await world.open()
        await world.settle()
        alice = stage.workspace.person("alice")
        for number in range(300):
            alice.post("general", f"burst {number}")
        room = world.rooms["general"]
        await until(lambda: len(in_room(stage, room, "@slack_")) == 300, 20)
        await world.settle()
        assert in_room(stage, room, "@slack_") == [f"burst {number}" for number in range(300)]
        calls = stage.slack.calls.counts
        print(f"300 messages of which 60 were told: {calls['conversations.history']} calls of conversations.history")
        assert calls["conversations.history"] <= 8


async def test_thousands_wait_in_the_store_for_a_homeserver_that_is_away(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=lambda slack: people_of(slack, CHANNELS), times=PATIENT) as stage:
        world = World(stage, CHANNELS, patience=400)
        await world.open()
        await world.settle()
        alice = stage.workspace.person("alice")
        await stage.homeserver.refuse()
        for number in range(FLOOD):
            alice.post(CHANNELS[number % 2], f"waits {number}")
        await stage.slack.delivered(120)
        assert stage.database is not None
        ((waiting,),) = await stage.database.fetch("SELECT COUNT(*) FROM inbox WHERE state < 2")
        ((planned,),) = await stage.database.fetch("SELECT COUNT(*) FROM outbox")
        print(f"{waiting} rows wait, {planned} actions are planned")
        assert waiting == FLOOD
        assert planned <= 8, "plans are made a few rows ahead, not for the whole backlog"
        await stage.homeserver.accept()
        await world.settle()
        for turn, channel in enumerate(CHANNELS):
            expected = [f"waits {number}" for number in range(turn, FLOOD, 2)]
            assert in_room(stage, world.rooms[channel]) == expected
