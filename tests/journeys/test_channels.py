"""What happens to a channel happens to its room, and what people of the room may do to it happens to the channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.stage import Stage, until
from tests.journeys.world import people_of
from tests.sandbox.slack import DeliveryTimes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.homeserver.person import Person
    from tests.sandbox.slack import SlackSandbox

CHANNEL = "general"
FORGETFUL = DeliveryTimes(ack=0.3, retries=())


@pytest.fixture
async def stage(sqlite_url: str) -> AsyncIterator[Stage]:
    async with Stage(sqlite_url, seed=people_of, times=FORGETFUL) as stage:
        await stage.start()
        await stage.room(CHANNEL)
        yield stage


def slack(stage: Stage, name: str = "alice") -> Any:
    return stage.workspace.person(name)


async def state(stage: Stage, kind: str, key: str = "") -> dict[str, Any]:
    room = stage.homeserver.world.rooms[await stage.room(CHANNEL)]
    event = room.state.get((kind, key))
    return event.content if event else {}


async def until_state(stage: Stage, kind: str, holds: Any, key: str = "") -> dict[str, Any]:
    room = stage.homeserver.world.rooms[await stage.room(CHANNEL)]

    def seen() -> Any:
        event = room.state.get((kind, key))
        content = event.content if event else {}
        return [content] if holds(content) else []

    found: dict[str, Any] = (await until(seen))[0]
    return found


async def shown(stage: Stage, words: str) -> dict[str, Any]:
    """Return the event of the room that says these words, once it is there."""
    room = await stage.room(CHANNEL)

    def seen() -> list[dict[str, Any]]:
        return [one for one in stage.homeserver.events(room) if words in str(one["content"].get("body"))]

    found: dict[str, Any] = (await until(seen))[0]
    return found


async def moderator(stage: Stage) -> Person:
    """Return a person with the power of a moderator in the room."""
    person = await stage.person("ada", CHANNEL)
    room = stage.homeserver.world.rooms[await stage.room(CHANNEL)]
    levels = room.state["m.room.power_levels", ""].content
    levels["users"] = {**levels.get("users", {}), person.user_id: 50}
    return person


async def test_pins_go_both_ways_and_stay_alike(stage: Stage) -> None:
    alice, ada = slack(stage), await moderator(stage)
    message, other = alice.post(CHANNEL, "keep this"), alice.post(CHANNEL, "and this")
    event, beside = (await shown(stage, "keep this"))["event_id"], (await shown(stage, "and this"))["event_id"]
    alice.pin(CHANNEL, message.ts)
    await until_state(stage, "m.room.pinned_events", lambda now: now.get("pinned") == [event])
    await ada.set_state(await stage.room(CHANNEL), "m.room.pinned_events", {"pinned": [event, beside]})
    channel = stage.workspace.channel(CHANNEL)
    await until(lambda: set(channel.pins) == {message.ts, other.ts})
    await ada.set_state(await stage.room(CHANNEL), "m.room.pinned_events", {"pinned": [beside]})
    await until(lambda: set(channel.pins) == {other.ts})
    alice.unpin(CHANNEL, other.ts)
    await until_state(stage, "m.room.pinned_events", lambda now: now.get("pinned") == [])


async def test_pins_of_an_outage_are_found_by_one_call_where_they_changed(stage: Stage) -> None:
    alice = slack(stage)
    first, second = alice.post(CHANNEL, "first"), alice.post(CHANNEL, "second")
    alice.pin(CHANNEL, first.ts)
    event = (await shown(stage, "first"))["event_id"]
    await until_state(stage, "m.room.pinned_events", lambda now: now.get("pinned") == [event])
    other = (await shown(stage, "second"))["event_id"]
    calls = stage.slack.calls.counts["pins.list"]
    await stage.stop()
    alice.unpin(CHANNEL, first.ts)
    alice.pin(CHANNEL, second.ts)
    await stage.start()
    await until_state(stage, "m.room.pinned_events", lambda now: now.get("pinned") == [other])
    await stage.stop()
    await stage.start()
    slack(stage).post(CHANNEL, "third")
    await shown(stage, "third")
    assert stage.slack.calls.counts["pins.list"] == calls + 1


async def test_topic_and_purpose_stand_in_the_rooms_topic(stage: Stage) -> None:
    alice, ada = slack(stage), await moderator(stage)
    alice.set_topic(CHANNEL, "Tickets & coffee")
    alice.set_purpose(CHANNEL, "For all")
    await until_state(stage, "m.room.topic", lambda now: now.get("topic") == "Tickets & coffee\nFor all")
    await ada.set_state(await stage.room(CHANNEL), "m.room.topic", {"topic": "Tea <first>\nFor all"})
    channel = stage.workspace.channel(CHANNEL)
    await until(lambda: channel.topic["value"] == "Tea &lt;first&gt;")
    bob = slack(stage, "bob").post(CHANNEL, "I saw it")
    await shown(stage, bob.text)
    assert (await state(stage, "m.room.topic"))["topic"] == "Tea <first>\nFor all"
    room = stage.homeserver.events(await stage.room(CHANNEL))
    assert [one["sender"] for one in room if one["type"] == "m.room.topic"][-1] == ada.user_id


def described(sandbox: SlackSandbox) -> None:
    people_of(sandbox)
    workspace = sandbox.team()
    workspace.person("alice").set_topic(CHANNEL, f"ask {workspace.person('bob').mention}")
    workspace.person("alice").set_purpose(CHANNEL, f"not {workspace.person('carol').mention}")


async def test_whom_topic_and_purpose_mention_is_named_whichever_of_them_changes(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=described, times=FORGETFUL) as stage:
        await stage.start()
        await stage.room(CHANNEL)
        alice, ada = slack(stage), await moderator(stage)
        await until_state(stage, "m.room.topic", lambda now: now.get("topic") == "ask bob\nnot carol")
        alice.set_purpose(CHANNEL, f"nor {slack(stage, 'carol').mention}")
        await until_state(stage, "m.room.topic", lambda now: now.get("topic") == "ask bob\nnor carol")
        await ada.set_state(await stage.room(CHANNEL), "m.room.topic", {"topic": "ask ada\nnor carol"})
        channel = stage.workspace.channel(CHANNEL)
        await until(lambda: channel.topic["value"] == "ask ada")


async def test_what_changed_while_the_bridge_was_down_is_noticed(stage: Stage) -> None:
    await stage.stop()
    slack(stage).set_purpose(CHANNEL, "Why")
    slack(stage).rename(CHANNEL, "renamed")
    await stage.start()
    room = stage.homeserver.world.aliases[
        f"#slack_{stage.workspace.id}_{stage.workspace.channel('renamed').id}:localhost".lower()
    ][0]
    states = stage.homeserver.world.rooms[room].state
    await until(lambda: states["m.room.name", ""].content["name"] == "#renamed")
    await until(lambda: ("m.room.topic", "") in states and states["m.room.topic", ""].content["topic"] == "Why")


@pytest.mark.parametrize("down", [False, True], ids=["live", "while the bridge was down"])
async def test_an_archived_channels_room_can_be_read_only_until_it_is_open_again(stage: Stage, down: bool) -> None:
    alice, ada = slack(stage), await stage.person("ada", CHANNEL)
    alice.post(CHANNEL, "before")
    await shown(stage, "before")
    if down:
        await stage.stop()
    alice.post(CHANNEL, "the last word")
    alice.archive(CHANNEL)
    if down:
        await stage.start()
    await shown(stage, "was archived in Slack")
    await shown(stage, "the last word")
    await until_state(stage, "m.room.power_levels", lambda now: now["events_default"] == 50)
    with pytest.raises(Exception, match="permission"):
        await ada.say(await stage.room(CHANNEL), "may I?")
    if down:
        await stage.stop()
    alice.unarchive(CHANNEL)
    if down:
        await stage.start()
    await shown(stage, "open again in Slack")
    levels = await until_state(stage, "m.room.power_levels", lambda now: now["events_default"] == 0)
    assert not [name for name in levels if name.startswith("dev.causeway")]
    await ada.say(await stage.room(CHANNEL), "thank you")
    await until(lambda: [entry for entry in stage.entries(CHANNEL) if entry.text == "thank you"])


async def test_a_channel_that_becomes_private_shuts_its_room(stage: Stage) -> None:
    assert (await state(stage, "m.room.join_rules"))["join_rule"] == "public"
    slack(stage).convert_to_private(CHANNEL)
    await shown(stage, "is private now in Slack")
    assert (await state(stage, "m.room.join_rules"))["join_rule"] == "invite"


async def test_a_deleted_channel_is_told_and_its_room_stays(stage: Stage) -> None:
    room = await stage.room(CHANNEL)
    slack(stage).delete_channel(CHANNEL)
    events = stage.homeserver.events
    await until(lambda: [one for one in events(room) if "was deleted in Slack" in str(one["content"].get("body"))])
    assert stage.homeserver.world.rooms[room].state["m.room.power_levels", ""].content["events_default"] == 50


async def test_a_bot_that_was_removed_says_so_and_finds_what_it_missed_when_it_is_invited_again(stage: Stage) -> None:
    alice = slack(stage)
    bot = stage.workspace.installation.bot_user
    alice.kick(CHANNEL, bot)
    await shown(stage, "bot was removed")
    alice.post(CHANNEL, "nobody told me")
    alice.invite(CHANNEL, bot)
    await shown(stage, "bot is in the Slack channel again")
    await shown(stage, "nobody told me")
    alice.post(CHANNEL, "now they do")
    await shown(stage, "now they do")


async def test_what_slack_says_itself_is_a_notice_by_whom_it_is_about(stage: Stage) -> None:
    alice = slack(stage)
    alice.act(CHANNEL, "bot_add", f"<@{alice.id}> added an integration to this channel: deploys")
    event = await shown(stage, "added an integration")
    assert event["content"]["msgtype"] == "m.notice"
    assert event["content"]["body"] == "added an integration to this channel: deploys"
    assert event["sender"].endswith(f"_{alice.id.lower()}:localhost")


async def test_a_kicked_ghost_stays_away_until_its_person_speaks(stage: Stage) -> None:
    bob, ada = slack(stage, "bob"), await moderator(stage)
    bob.post(CHANNEL, "hello")
    ghost, room = (await shown(stage, "hello"))["sender"], await stage.room(CHANNEL)
    await ada.kick(room, ghost)
    slack(stage).post(CHANNEL, "he is gone")
    await shown(stage, "he is gone")
    assert ghost not in await ada.members(room)
    bob.post(CHANNEL, "here again")
    await shown(stage, "here again")
    assert ghost in await ada.members(room)


async def test_what_a_banned_ghosts_person_says_is_not_shown_and_holds_up_nobody(stage: Stage) -> None:
    bob, ada = slack(stage, "bob"), await moderator(stage)
    message = bob.post(CHANNEL, "rude words")
    said, room = await shown(stage, "rude words"), await stage.room(CHANNEL)
    await ada.post("rooms", room, "ban", user_id=said["sender"])
    bob.post(CHANNEL, "more of them")
    bob.delete(CHANNEL, message.ts)
    slack(stage).post(CHANNEL, "better words")
    await shown(stage, "better words")
    bodies = [str(one["content"].get("body")) for one in stage.homeserver.events(room)]
    assert not [body for body in bodies if "more of them" in body or "could not be shown" in body]
    assert "rude words" not in bodies


def crowd(sandbox: SlackSandbox) -> None:
    people_of(sandbox)
    workspace = sandbox.team()
    for number in range(6):
        workspace.add_user(f"guest{number}", f"Guest {number}")
        workspace.person(f"guest{number}").join(CHANNEL)


@pytest.mark.parametrize(("limit", "seen"), [(20, 9), (5, 0)])
async def test_a_large_channel_shows_only_those_who_speak(sqlite_url: str, limit: int, seen: int) -> None:
    more = {"rooms": {"join_rule": "public", "member_limit": limit}}
    async with Stage(sqlite_url, seed=crowd, more=more) as stage:
        await stage.start()
        ada = await stage.person("ada", CHANNEL)
        room = await stage.room(CHANNEL)
        slack(stage).post(CHANNEL, "hello")
        await shown(stage, "hello")
        ghosts = [user for user in await ada.members(room) if user.startswith("@slack_")]
        assert len(ghosts) == max(seen, 1)
