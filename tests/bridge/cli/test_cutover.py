"""`causeway cutover` moves channels to Matrix beside the running bridge or without one, and back until the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store.audit import Audit
from bridge.store.opening import open_database
from bridge.work.cutover_steps import MOVED
from tests.bridge.cli.bridged import Bridged, bridged
from tests.journeys.stage import until
from tests.sandbox.exports import export_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway

LINK = "https://matrix.to/#/"


@pytest.fixture
async def bridge(causeway: Causeway, tmp_path: Path, sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(causeway, tmp_path, sqlite_url) as bridge:
        yield bridge


async def live(bridge: Bridged, name: str = "engineering") -> str:
    """Start the bridge with a live portal; returns its room."""
    await bridge.stage.start()
    await bridge.say("portals", "add", f"#{name}")
    room: str = (await bridge.portal_that(name, state="live", caught_up=True))["room"]
    return room


def posts(bridge: Bridged, name: str = "engineering") -> list[str]:
    return [entry.text for entry in bridge.stage.entries(f"#{name}")]


async def said_in(bridge: Bridged, name: str = "engineering") -> list[str]:
    return [line.body for line in await bridge.stage.lines(f"#{name}")]


def topic(bridge: Bridged, name: str = "engineering") -> str:
    return str(bridge.stage.workspace.channel(name).topic["value"])


def room_topic(bridge: Bridged, room: str) -> str:
    events = bridge.stage.homeserver.events(room)
    return str([one["content"]["topic"] for one in events if one["type"] == "m.room.topic"][-1])


async def phase(bridge: Bridged, name: str = "engineering") -> str:
    (channel,) = (await bridge.say("cutover", "status", f"#{name}", "--json")).data["channels"]
    return f"{channel['phase']} {channel['state']}"


async def audit(bridge: Bridged) -> list[tuple[str, str, str]]:
    database = await open_database(bridge.stage.database_url)
    try:
        return [(one.act, one.subject, one.detail) for one in await Audit(database).entries()]
    finally:
        await database.close()


# --- the plan


async def test_the_plan_tells_what_stands_against_a_move_and_what_it_would_do(bridge: Bridged) -> None:
    await live(bridge)
    found = (await bridge.say("cutover", "plan", "#engineering", "--json")).data
    (plan,) = found["channels"]
    assert found["ready"]
    assert plan["ready"]
    assert plan["freeze"] == ["relay nothing to Slack", "tell Matrix", "set the topic", "tell Slack"]
    assert plan["people"]["members"] == len(plan["people"]["without_account"]) > 3
    assert plan["people"]["in_the_room"] == 0
    assert plan["history"] is None
    assert LINK in plan["topic"]
    out = (await bridge.say("cutover", "plan", "#engineering", "--archive")).out
    assert "#engineering" in out
    assert "archive the channel" in out
    assert "a person must open it first" in out


async def test_a_missing_scope_stops_a_move_with_the_line_of_the_manifest(bridge: Bridged) -> None:
    await live(bridge)
    token = bridge.stage.slack.tokens[bridge.stage.workspace.bot_token]
    token.scopes.discard("channels:manage")
    said = await bridge.say("cutover", "plan", "#engineering", "--archive", code=1)
    assert 'add the line "- channels:manage"' in said.out
    assert "causeway cutover" not in (await bridge.say("cutover", "plan", "#engineering")).out
    token.scopes.discard("channels:write.topic")
    refused = await bridge.say("cutover", "freeze", "#engineering", code=1)
    assert 'add the line "- channels:write.topic"' in refused.err
    assert await phase(bridge) == " live"


async def test_a_cohorts_wrong_lines_are_named_and_nothing_is_done(bridge: Bridged, tmp_path: Path) -> None:
    await live(bridge)
    cohort = tmp_path / "first.txt"
    cohort.write_text("# the first\n#engineering\n#enginering\n#general #random\nengineering\n")
    said = await bridge.say("cutover", "announce", "--cohort", str(cohort), "--date", "Monday", code=1)
    assert "first.txt:3: there is no portal of #enginering: did you mean #engineering?" in said.err
    assert "first.txt:4:" in said.err
    assert "first.txt:5: engineering stands in line 2 already" in said.err
    assert not any("Monday" in text for text in posts(bridge))
    assert "name a channel" in (await bridge.say("cutover", "plan", code=2)).err


# --- announced


async def test_an_announcement_is_told_once_for_each_date(bridge: Bridged) -> None:
    room = await live(bridge)
    for _ in range(2):
        await bridge.say("cutover", "announce", "#engineering", "--date", "1 December")
    await bridge.say("cutover", "announce", "#engineering", "--date", "8 December")
    for date in ("1 December", "8 December"):
        (in_slack,) = [text for text in posts(bridge) if date in text]
        assert f"<{LINK}{room}?via=localhost>" in in_slack
        assert sum(date in body for body in await said_in(bridge)) == 1
    assert await phase(bridge) == "announced live"
    acts = [act for act in await audit(bridge) if act[0].startswith("cutover")]
    assert [act[0] for act in acts] == ["cutover: announce in Matrix", "cutover: announce in Slack"] * 2
    assert acts[0][2] == "1 December"


# --- frozen


async def test_a_frozen_channel_lives_in_matrix_and_strays_come_across(bridge: Bridged) -> None:
    room = await live(bridge)
    title = room_topic(bridge, room)
    matrix = await bridge.stage.person("zoe", "#engineering")
    bruno = bridge.stage.workspace.person("bruno")
    await matrix.say(room, "still on its way")
    out = (await bridge.say("cutover", "freeze", "#engineering")).out
    assert out.startswith("#engineering is frozen")
    assert "still on its way" in posts(bridge)
    assert LINK in topic(bridge)
    assert LINK in posts(bridge)[-1]
    assert "has moved here" in (await said_in(bridge))[-1]
    await matrix.say(room, "said in Matrix alone")
    await bridge.settled("#engineering", bruno.post("#engineering", "am I late?").ts)
    await bridge.settled("#engineering", bruno.post("#engineering", "and again").ts)
    await bridge.shows("#engineering", "am I late?")
    await bridge.shows("#engineering", "and again")
    words = [entry for entry in bridge.stage.entries("#engineering") if "was carried there" in entry.text]
    assert len(words) == 1
    stray = next(place for place, text in enumerate(posts(bridge)) if text == "am I late?")
    assert words[0].thread == stray
    assert "said in Matrix alone" not in posts(bridge)
    assert room_topic(bridge, room) == title
    said = posts(bridge)
    await bridge.say("cutover", "freeze", "#engineering")
    assert posts(bridge) == said
    assert await phase(bridge) == "frozen frozen"


async def test_a_frozen_channel_that_is_archived_leaves_its_room_open(bridge: Bridged) -> None:
    room = await live(bridge)
    matrix = await bridge.stage.person("zoe", "#engineering")
    await bridge.say("cutover", "freeze", "#engineering", "--archive")
    assert bridge.stage.workspace.channel("engineering").archived
    assert bridge.stage.database is not None
    await until_true(bridge, "SELECT 1 FROM portals WHERE archived = 1")
    assert not any("was archived" in body for body in await said_in(bridge))
    await matrix.say(room, "we go on")


async def until_true(bridge: Bridged, sql: str) -> None:
    assert bridge.stage.database is not None
    async with asyncio.timeout(10):
        while not await bridge.stage.database.fetch(sql):
            await asyncio.sleep(0.02)


async def test_a_frozen_portal_is_not_paused_and_not_removed(bridge: Bridged) -> None:
    await live(bridge)
    await bridge.say("cutover", "freeze", "#engineering")
    for command in ("pause", "resume", "remove"):
        assert "causeway cutover status" in (await bridge.say("portals", command, "#engineering", code=1)).err


async def test_parked_messages_stop_a_freeze_until_they_are_accepted(bridge: Bridged) -> None:
    await live(bridge)
    team, channel = bridge.stage.workspace.id, bridge.stage.workspace.channel("engineering").id
    assert bridge.stage.database is not None
    await bridge.stage.database.commit(parked(f"{team}/{channel}"))
    assert "parked list" in (await bridge.say("cutover", "plan", "#engineering", code=1)).out
    assert "--anyway" in (await bridge.say("cutover", "freeze", "#engineering", code=1)).err
    await bridge.say("cutover", "freeze", "#engineering", "--anyway")
    assert any("1 message of Slack" in detail for _, _, detail in await audit(bridge))


def parked(queue: str) -> Any:
    from bridge.store.database import Statement

    return Statement(
        "INSERT INTO inbox (direction, queue, source_key, raw, state, admitted_at, reason) "
        "VALUES ('to_matrix', $1, 'slack:x', '{}', 3, 1, 'a test')",
        (queue,),
    )


# --- back


async def test_a_revert_undoes_all_and_carries_nothing_over_that_matrix_said_meanwhile(bridge: Bridged) -> None:
    room = await live(bridge)
    before = topic(bridge)
    matrix = await bridge.stage.person("zoe", "#engineering")
    bruno = bridge.stage.workspace.person("bruno")
    await bridge.say("cutover", "announce", "#engineering", "--date", "Monday")
    await bridge.say("cutover", "freeze", "#engineering")
    await matrix.say(room, "said in Matrix alone")
    assert (await bridge.say("cutover", "revert", "#engineering")).out == "#engineering goes on in Slack as before\n"
    assert topic(bridge) == before
    assert "called off" in posts(bridge)[-1]
    assert "called off" in (await said_in(bridge))[-1]
    await bridge.taken_up()
    await matrix.say(room, "for both again")
    await until(lambda: "for both again" in posts(bridge))
    assert "said in Matrix alone" not in posts(bridge)
    await bridge.settled("#engineering", bruno.post("#engineering", "back again").ts)
    await bridge.shows("#engineering", "back again")
    assert not any("was carried there" in text for text in posts(bridge))
    assert (await bridge.say("cutover", "revert", "#engineering")).out == "#engineering was reverted already\n"
    assert await phase(bridge) == "reverted live"
    await bridge.say("cutover", "freeze", "#engineering")
    assert sum("This channel has moved" in text for text in posts(bridge)) == 2
    assert await phase(bridge) == "frozen frozen"


async def test_an_announcement_can_be_called_off(bridge: Bridged) -> None:
    await live(bridge)
    await bridge.say("cutover", "announce", "#engineering", "--date", "Monday")
    await bridge.say("cutover", "revert", "#engineering")
    assert "called off" in posts(bridge)[-1]
    assert await phase(bridge) == "reverted live"


async def test_an_archived_channel_is_reverted_once_a_person_has_opened_it(bridge: Bridged) -> None:
    await live(bridge)
    workspace = bridge.stage.workspace
    await bridge.say("cutover", "freeze", "#engineering", "--archive")
    del workspace.channel("engineering").members[workspace.installation.bot_user]  # Slack takes bots out
    said = await bridge.say("cutover", "revert", "#engineering", code=1)
    assert "open #engineering in Slack by hand" in said.err
    assert await phase(bridge) == "reverting frozen"
    assert "revert has begun" in (await bridge.say("cutover", "freeze", "#engineering", code=1)).err
    workspace.person("bruno").unarchive("#engineering")
    await bridge.say("cutover", "revert", "#engineering")
    assert LINK not in topic(bridge)
    assert workspace.installation.bot_user in workspace.channel("engineering").members
    assert await phase(bridge) == "reverted live"


async def test_a_topic_that_somebody_set_meanwhile_stays(bridge: Bridged) -> None:
    await live(bridge)
    await bridge.say("cutover", "freeze", "#engineering")
    bridge.stage.workspace.person("bruno").set_topic("#engineering", "Mine")
    await bridge.say("cutover", "revert", "#engineering")
    assert topic(bridge) == "Mine"


# --- for good


async def test_a_finished_channel_has_its_report_in_the_room_and_relays_nothing(
    bridge: Bridged, tmp_path: Path
) -> None:
    room = await live(bridge)
    bruno = bridge.stage.workspace.person("bruno")
    matrix = await bridge.stage.person("zoe", "#engineering")
    await bridge.say("cutover", "freeze", "#engineering")
    export_of(bridge.stage.workspace, tmp_path / "final.zip")
    assert "cannot be undone" in (await bridge.say("cutover", "finish", "#engineering", code=2)).err
    words = ("cutover", "finish", "#engineering", "--export", str(tmp_path / "final.zip"), "--yes")
    said = await bridge.say(*words, "--reports", str(tmp_path / "reports"))
    assert said.out == "#engineering has moved to Matrix for good\n"
    assert {path.suffix for path in (tmp_path / "reports").iterdir()} == {".html", ".json"}
    (file,) = [one for one in bridge.stage.homeserver.events(room) if one["content"].get("msgtype") == "m.file"][-1:]
    assert file["content"]["info"]["mimetype"] == "text/html"
    page = (await bridge.stage.media(file["content"]["url"])).decode()
    assert "engineering" in page
    state = [one for one in bridge.stage.homeserver.events(room) if one["type"] == "m.bridge"][-1]
    assert state["content"].keys() == {MOVED}
    await bridge.taken_up()
    await matrix.say(room, "ours now")
    late = bruno.post("#engineering", "nobody hears me")
    await bridge.settled("#engineering", late.ts)
    await bridge.shows("#engineering", "nobody hears me", is_shown=False)
    assert "ours now" not in posts(bridge)
    assert "cannot be undone" in (await bridge.say("cutover", "revert", "#engineering", code=1)).err
    assert await phase(bridge) == "finished archived"
    count = len(bridge.stage.homeserver.events(room))
    await bridge.say(*words)
    assert len(bridge.stage.homeserver.events(room)) == count
    assert "moved to Matrix for good" in (await bridge.say("portals", "resume", "#engineering", code=1)).err


async def test_what_the_report_leaves_unexplained_stops_the_end(bridge: Bridged, tmp_path: Path) -> None:
    await live(bridge)
    bruno = bridge.stage.workspace.person("bruno")
    await bridge.stage.stop()
    bridge.stage.gate.open()
    message = bruno.post("#engineering", "nobody was there to hear it")
    export_of(bridge.stage.workspace, tmp_path / "final.zip")
    bruno.delete("#engineering", message.ts)
    await bridge.stage.start()
    await bridge.say("cutover", "freeze", "#engineering")
    words = ("cutover", "finish", "#engineering", "--export", str(tmp_path / "final.zip"), "--yes")
    said = await bridge.say(*words, code=1)
    assert "--accept-differences" in said.err
    assert await phase(bridge) == "finishing frozen"
    await bridge.say("cutover", "revert", "#engineering")
    assert await phase(bridge) == "reverted live"


# --- one of many, and no bridge


async def test_one_that_fails_holds_up_no_other(bridge: Bridged, tmp_path: Path) -> None:
    await live(bridge)
    await bridge.say("portals", "add", "#general")
    await bridge.portal_that("general", state="live", caught_up=True)
    await bridge.say("portals", "pause", "#general")
    cohort = tmp_path / "cohort"
    cohort.write_text("#general\n#engineering\n")
    said = await bridge.say("cutover", "freeze", "--cohort", str(cohort), "--json", code=1)
    general, engineering = said.data["channels"]
    assert "it is paused" in general["error"]
    assert not engineering["error"]
    assert engineering["phase"] == "frozen"
    assert not said.data["ok"]


async def test_without_a_bridge_a_freeze_runs_it_until_all_is_across(bridge: Bridged) -> None:
    await live(bridge)
    await bridge.stage.stop()
    bridge.stage.gate.open()
    bridge.stage.workspace.person("bruno").post("#engineering", "nobody was listening")
    await bridge.say("cutover", "freeze", "#engineering")
    assert any("nobody was listening" in body for body in await said_in(bridge))
    assert await phase(bridge) == "frozen frozen"
