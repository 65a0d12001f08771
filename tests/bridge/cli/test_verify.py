"""`causeway verify` compares both sides of a channel in use, and ends with 1 where anything is unexplained."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.store.database import Statement
from portals.crossing import policy
from tests.bridge.cli.bridged import Bridged, bridged
from tests.sandbox.slack import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway

PORTALS = {"automatic": {"include": ["general"]}}


@pytest.fixture
async def bridge(causeway: Causeway, tmp_path: Path, sqlite_url: str) -> AsyncIterator[Bridged]:
    """A bridge between a lively channel and its room, in which zoe of Matrix has written two lines."""
    async with bridged(causeway, tmp_path, sqlite_url, portals=PORTALS, rooms={"join_rule": "public"}) as bridge:
        await bridge.stage.start()
        await settled(bridge)
        room = await bridge.stage.room("general")
        zoe = await bridge.stage.person("zoe", "general")
        first = await zoe.say(room, "one from Matrix")
        await zoe.say(room, "another from Matrix")
        bridge.stage.workspace.person("amara").post("general", "one from Slack")
        await zoe.react(room, first, "👍")
        await bridge.shows("general", "one from Slack")
        await settled(bridge)
        yield bridge


async def settled(bridge: Bridged) -> None:
    async with asyncio.timeout(20):
        while await bridge.stage.unsettled():
            await asyncio.sleep(0.05)


async def test_both_sides_of_a_channel_in_use_are_alike(bridge: Bridged) -> None:
    said = await bridge.say("verify", "#general")
    assert said.out.endswith("Written in Matrix: 2, of which 2 are in Slack\nNothing is unexplained\n")
    data = (await bridge.say("verify", "general", "--json")).data
    assert data["unexplained"] == 0
    assert data["unread"] == []
    assert data["channels"][0]["counts"]["messages"]["source"] > 20


async def test_a_message_that_the_room_lost_and_one_that_was_never_in_slack_are_told(bridge: Bridged) -> None:
    room = bridge.stage.homeserver.world.rooms[await bridge.stage.room("general")]
    lost = next(event for event in room.events if event.content.get("body") == "one from Slack")
    room.events.remove(lost)
    said = await bridge.say("verify", "#general", code=1)
    assert f"missing: {lost.content['dev.causeway.slack']['ts']}" in said.out
    assert said.out.endswith("1 thing is unexplained\n")


async def test_a_post_that_slack_lost_is_told(bridge: Bridged) -> None:
    channel = bridge.stage.workspace.channel("general")
    ts = next(entry.ts for entry in bridge.stage.entries("general") if entry.text == "one from Matrix")
    channel.drop(channel.messages[ts])
    (difference,) = (await bridge.say("verify", "#general", "--json", code=1)).data["to_slack"]["differences"]
    assert (difference["what"], difference["ts"]) == ("missing in Slack", ts)
    assert "one from Matrix" in difference["expected"]


async def test_a_message_that_was_never_heard_of_is_told(bridge: Bridged) -> None:
    (pusher,) = bridge.stage.homeserver.pushers
    pusher.is_forgetful = True
    zoe = await bridge.stage.homeserver.person("zoe")
    event = await zoe.say(await bridge.stage.room("general"), "unheard")
    said = await bridge.say("verify", "#general", code=1)
    assert f"missing in Slack: {event}, {zoe.user_id}: unheard" in said.out


async def test_what_slack_refused_is_explained_by_its_reason(bridge: Bridged) -> None:
    bridge.stage.slack.faults.next_calls("chat.postMessage", Kind.ERROR, error="restricted_action")
    zoe = await bridge.stage.homeserver.person("zoe")
    await zoe.say(await bridge.stage.room("general"), "refused")
    await settled(bridge)
    data = (await bridge.say("verify", "#general", "--json")).data
    ((reason, count),) = data["to_slack"]["explained"].items()
    assert "restricted_action" in reason
    assert count == 1


async def test_what_the_store_has_forgotten_is_explained_by_nothing(bridge: Bridged) -> None:
    assert bridge.stage.database is not None
    for table in ("links", "inbox"):
        await bridge.stage.database.commit(Statement(f"DELETE FROM {table}"))
    data = (await bridge.say("verify", "#general", "--json", code=1)).data
    assert [one["what"] for one in data["to_slack"]["differences"]] == ["missing in Slack"] * 2


async def test_a_period_without_a_message_has_nothing_to_compare(bridge: Bridged) -> None:
    data = (await bridge.say("verify", "#general", "--since", "2019-01-01", "--until", "2019-01-02", "--json")).data
    assert data["to_slack"]["written"] == 0


async def test_a_channel_that_slack_does_not_show_or_that_has_no_room_is_told(bridge: Bridged) -> None:
    assert "Slack shows the bot no such channel" in (await bridge.say("verify", "#nowhere", code=1)).err
    assert "has no room" in (await bridge.say("verify", "#engineering", code=1)).err


async def test_what_is_deleted_in_slack_alone_is_told_of_where_deletions_do_not_cross(
    causeway: Causeway, tmp_path: Path, sqlite_url: str
) -> None:
    kinds = [kind.value for kind in policy.Kind if kind is not policy.Kind.DELETIONS]
    more = {"portals": PORTALS, "rooms": {"join_rule": "public"}, "policies": [{"name": "default", "kinds": kinds}]}
    async with bridged(causeway, tmp_path, sqlite_url, **more) as bridge:
        await bridge.stage.start()
        await settled(bridge)
        amara = bridge.stage.workspace.person("amara")
        ts = amara.post("general", "deleted in Slack alone").ts
        amara.post("general", "the end")
        await bridge.shows("general", "the end")
        amara.delete("general", ts)
        await settled(bridge)
        said = await bridge.say("verify", "#general")
        assert "1 messages are deleted in Slack and kept here" in said.out
        assert said.out.endswith("Nothing is unexplained\n")
