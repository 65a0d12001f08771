"""After hours and days without the bridge, old messages and threads stand as Slack has them, for few calls."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bridge.work import catch_up, channel_history
from tests.journeys.stage import Stage
from tests.journeys.talk import Talk, bodies, events, marks
from tests.journeys.test_outages import FORGETFUL
from tests.journeys.test_threads import roots
from tests.journeys.world import World, people_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from bridge.work.channel_history import History
    from tests.sandbox.slack import SlackSandbox

CALLS = ("conversations.history", "conversations.replies", "conversations.members", "conversations.list")
SAID = 40


def a_week(slack: SlackSandbox) -> None:
    """Somebody says something every three hours, some of it is answered or reacted to."""
    people_of(slack)
    workspace = slack.team()
    alice, bob = workspace.person("alice"), workspace.person("bob")
    workspace.clock.turn_back(hours=144, step_minutes=180)
    said = [alice.post("general", f"said {number}").ts for number in range(SAID)]
    bob.react("general", said[4], "tada")
    workspace.clock.turn_back(hours=143, step_minutes=1)
    for number in (5, 6):
        bob.post("general", f"an answer to {number}", thread_ts=said[number])
    workspace.clock.turn_forward()


@asynccontextmanager
async def talk_of_a_week(database_url: str, **more: Any) -> AsyncIterator[Talk]:
    """Open a talk in which a week was said; Slack repeats nothing that the bridge missed."""
    async with Stage(database_url, seed=a_week, times=FORGETFUL, more=more) as stage:
        world = World(stage)
        await world.open()
        await world.settle()
        yield Talk(stage, world)


def said_at(talk: Talk, words: str) -> str:
    """Return the ts of a message of the channel."""
    return next(entry.ts for entry in talk.entries() if entry.text == words)


async def come_back(talk: Talk) -> dict[str, int]:
    """Start the bridge again; return what it asked Slack meanwhile, which is printed too."""
    calls = talk.stage.slack.calls
    calls.clear()
    await talk.world.start()
    await talk.settle()
    counts = {method: calls.counts[method] for method in CALLS}
    print(f"{sum(calls.counts.values())} calls of Slack, {counts}")
    return counts


def membership(talk: Talk) -> dict[str, str]:
    """Return by the ghosts' names whether they are in the room."""
    members = [event for event in talk.stage.homeserver.events(talk.room) if event["type"] == "m.room.member"]
    return {talk.world.names[event["state_key"]]: event["content"]["membership"] for event in members}


async def test_days_later_old_messages_and_old_threads_stand_as_slack_has_them(sqlite_url: str) -> None:
    async with talk_of_a_week(sqlite_url) as talk:
        stage, alice, bob, room = talk.stage, talk.in_slack("alice"), talk.in_slack("bob"), talk.room
        first = {body: event["event_id"] for body, event in zip(bodies(talk), events(talk), strict=True)}
        assert len(first) == SAID + 2
        assert membership(talk)["carol"] == "join"
        await stage.stop()
        alice.edit("general", said_at(talk, "said 2"), "said otherwise")
        alice.delete("general", said_at(talk, "said 3"))
        bob.unreact("general", said_at(talk, "said 4"), "tada")
        bob.react("general", said_at(talk, "said 7"), "eyes")
        bob.post("general", "answered anew", thread_ts=said_at(talk, "said 6"))
        bob.post("general", "answered at last", thread_ts=said_at(talk, "said 8"))
        for number in range(30):
            alice.post("general", f"new {number}")
        alice.rename("general", "lounge")
        bob.change_profile(display_name="Robert")
        talk.in_slack("carol").leave("lounge")
        counts = await come_back(talk)
        shown = bodies(talk)
        assert "said otherwise" in shown
        assert "said 3" not in shown
        assert [key for key, _ in marks(talk)] == ["👀"]
        assert shown[-30:] == [f"new {number}" for number in range(30)]
        assert roots(talk)["answered anew"] == first["said 6"]
        assert roots(talk)["answered at last"] == first["said 8"]
        names = [event["content"] for event in stage.homeserver.events(room)]
        assert [one["name"] for one in names if "name" in one][-1] == "#lounge"
        assert "Robert" in [one.get("displayname") for one in names]
        assert membership(talk)["carol"] == "leave"
        assert counts["conversations.history"] == 1
        assert counts["conversations.replies"] <= 4, "the two that grew, the other one of late, and none besides"
        assert await stage.left_over() == []
        await stage.stop()
        counts = await come_back(talk)
        assert bodies(talk) == shown, "nothing twice"
        assert counts["conversations.replies"] <= 4


async def test_what_was_said_in_a_thread_before_the_bridge_came_is_no_news_after_an_outage(sqlite_url: str) -> None:
    async with talk_of_a_week(sqlite_url, catch_up={"messages": 0}) as talk:
        bob, root = talk.in_slack("bob"), said_at(talk, "said 6")
        bob.post("general", "heard", thread_ts=root)
        await talk.settle()
        await talk.stage.stop()
        bob.post("general", "missed", thread_ts=root)
        bob.post("general", "missed too", thread_ts=said_at(talk, "said 5"))
        await come_back(talk)
        assert sorted(bodies(talk)) == ["heard", "missed", "missed too"]


async def test_a_reply_found_in_a_thread_does_not_overtake_what_the_channel_said_meanwhile(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with talk_of_a_week(sqlite_url) as talk:
        alice, bob = talk.in_slack("alice"), talk.in_slack("bob")
        said: list[str] = []

        async def read(*args: Any, **more: Any) -> History:
            found = await channel_history.read_history(*args, **more)
            if not said:
                said.append(alice.post("general", "said while threads are read").ts)
                bob.post("general", "answered behind it", thread_ts=said_at(talk, "said 6"))
            return found

        await talk.stage.stop()
        monkeypatch.setattr(catch_up, "read_history", read)
        await come_back(talk)
        assert bodies(talk)[-2:] == ["said while threads are read", "answered behind it"]
        assert await talk.stage.left_over() == []
