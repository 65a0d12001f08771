"""`causeway portals` works beside the running bridge and without it, and says what is wrong in words to act on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.store.directory import Directory
from bridge.store.opening import open_database
from portals.facts import Workspace
from portals.ids import ChannelId, RoomId, SlackUserId, TeamId
from portals.preview import ghost_names
from tests.bridge.cli.bridged import Bridged, bridged
from tests.journeys.stage import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway


@pytest.fixture
async def bridge(causeway: Causeway, tmp_path: Path, sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(causeway, tmp_path, sqlite_url) as bridge:
        yield bridge


# --- beside a running bridge


async def test_an_added_channel_is_bridged_within_a_moment(bridge: Bridged) -> None:
    await bridge.stage.start()
    said = await bridge.say("portals", "add", "#general")
    assert said.out == "#general becomes a portal: a new room, both ways, planned\n"
    portal = await bridge.portal_that("general", state="live", caught_up=True)
    assert portal["room"] == await bridge.stage.room("#general")
    bridge.stage.workspace.person("amara").post("#general", "this is new")
    await bridge.shows("#general", "this is new")


async def test_a_paused_portal_keeps_what_comes_until_it_resumes(bridge: Bridged) -> None:
    await bridge.stage.start()
    await bridge.say("portals", "add", "general")
    room = (await bridge.portal_that("general", state="live", caught_up=True))["room"]
    matrix = await bridge.stage.person("zoe", "#general")
    assert (await bridge.say("portals", "pause", "#general")).out == "#general is paused\n"
    await bridge.taken_up()
    bridge.stage.workspace.person("amara").post("#general", "from Slack meanwhile")
    await matrix.say(room, "from Matrix meanwhile")
    async with asyncio.timeout(10):
        while not all(one["rows"] == 1 for one in (await bridge.portal("general"))["waiting"].values()):
            await asyncio.sleep(0.05)
    assert (await bridge.say("portals", "list")).out.count("1, oldest ") == 2
    assert not any("from Slack meanwhile" in line.body for line in await bridge.stage.lines("#general"))
    assert (await bridge.say("portals", "resume", room)).out == "#general is live\n"
    await bridge.shows("#general", "from Slack meanwhile")
    async with asyncio.timeout(10):
        while bridge.stage.entries("#general")[-1].text != "from Matrix meanwhile":
            await asyncio.sleep(0.02)


async def test_a_removed_portal_stays_away_until_it_is_added_again_and_then_misses_nothing(
    causeway: Causeway, tmp_path: Path, sqlite_url: str
) -> None:
    patterns = {"automatic": {"include": ["general"]}}
    async with bridged(causeway, tmp_path, sqlite_url, portals=patterns) as bridge:
        amara = bridge.stage.workspace.person("amara")
        await bridge.stage.start()
        await bridge.stage.room("#general")
        before = amara.post("#general", "before")
        await bridge.shows("#general", "before")
        assert (await bridge.say("portals", "remove", "#general")).out == "#general is removed\n"
        await bridge.taken_up()
        await bridge.settled("#general", amara.post("#general", "meanwhile").ts)
        await bridge.stage.stop()
        await bridge.stage.start()  # reads the roster, in which the channel fits the pattern
        await until(lambda: bridge.stage.slack.sockets.connections)
        await bridge.settled("#general", amara.post("#general", "and after a restart").ts)
        assert (await bridge.portal("general"))["state"] == "removed"
        assert not any("meanwhile" in line.body for line in await bridge.stage.lines("#general"))
        assert (await bridge.say("portals", "add", "#general")).out.startswith("#general becomes a portal: !")
        await bridge.shows("#general", "meanwhile")
        await bridge.shows("#general", "and after a restart")
        amara.edit("#general", before.ts, "before, edited")
        await bridge.shows("#general", "before, edited")
        assert sum("before" in line.body for line in await bridge.stage.lines("#general")) == 1


# --- without a running bridge


async def test_what_was_changed_without_a_bridge_is_done_at_its_start(bridge: Bridged) -> None:
    await bridge.say("portals", "add", "#general", "--direction", "to_matrix")
    await bridge.say("portals", "add", "#support")
    await bridge.say("portals", "pause", "#support")
    listed = await bridge.say("portals", "list")
    lines = [line.split() for line in listed.out.splitlines()]
    assert lines[0] == [
        "Channel",
        "Room",
        "Direction",
        "State",
        "To",
        "Matrix",
        "To",
        "Slack",
        "Caught",
        "up",
        "Trouble",
    ]
    assert lines[1] == ["#general", "to", "be", "made", "to_matrix", "planned", "0", "0", "-"]
    assert lines[2] == ["#support", "to", "be", "made", "both", "paused", "0", "0", "-"]
    await bridge.stage.start()
    await bridge.portal_that("general", state="live", direction="to_matrix")
    assert (await bridge.portal("support"))["room"] is None
    await bridge.say("portals", "resume", "#support")
    await bridge.portal_that("support", state="live")


async def test_the_first_list_says_how_to_begin(bridge: Bridged) -> None:
    assert 'causeway portals add "#channel"' in (await bridge.say("portals", "list")).out
    assert (await bridge.say("portals", "list", "--json")).data == {"portals": []}


async def test_a_removed_portal_is_listed_on_request(bridge: Bridged) -> None:
    await bridge.say("portals", "add", "#general")
    await bridge.say("portals", "remove", "general")
    said = await bridge.say("portals", "list")
    assert said.out == ""
    assert said.err == "1 removed one is not shown; --all shows them.\n"
    assert "removed" in (await bridge.say("portals", "list", "--all")).out
    assert (await bridge.say("portals", "list", "--json")).data == {"portals": []}
    err = (await bridge.say("portals", "resume", "#general", code=1)).err
    assert err == 'Error: the portal of #general was removed: take it up again with causeway portals add "#general"\n'


async def test_adding_again_changes_the_direction_alone(bridge: Bridged) -> None:
    room = "!elsewhere:localhost"
    await bridge.say("portals", "add", "#general", "--matrix", room, "--direction", "to_slack")
    said = await bridge.say("portals", "add", "#general")
    assert said.out == f"#general is a portal: {room}, to_slack, planned\n"
    said = await bridge.say("portals", "add", "#general", "--direction", "both", "--json")
    assert (said.data["direction"], said.data["target"]) == ("both", room)


async def test_a_portal_without_a_room_yet_may_get_another_one(bridge: Bridged) -> None:
    await bridge.say("portals", "add", "#general", "--matrix", "!wrong:localhost")
    said = await bridge.say("portals", "add", "#general", "--matrix", "create", "--json")
    assert said.data["target"] == "create"


# --- what cannot be


@pytest.mark.parametrize(
    ("words", "err"),
    [
        (["#generel"], "Slack shows the bot no channel #generel: did you mean #general?"),
        (["#finance-private"], "If the channel is private, invite the bot first, by writing /invite"),
        (["#summer-party-2023"], "#summer-party-2023 is archived in Slack: unarchive it there first"),
        (["C00000000"], "Slack shows the bot no channel with the id C00000000"),
        (["#general", "--matrix", "!taken:localhost"], "belongs to the portal of #support already"),
    ],
)
async def test_what_cannot_be_added_is_told_with_what_to_do(bridge: Bridged, words: list[str], err: str) -> None:
    await bridge.say("portals", "add", "#support", "--matrix", "!taken:localhost")
    assert err in (await bridge.say("portals", "add", *words, code=1)).err
    assert len((await bridge.say("portals", "list", "--json")).data["portals"]) == 1


@pytest.mark.parametrize(
    ("words", "err"),
    [
        (["#general", "--workspace", "other"], "there is no workspace 'other' in the configuration: write one of acme"),
        (["#general", "--matrix", "general"], "write create, an alias such as"),
        (["#general", "--direction", "up"], "'both', 'to_matrix', 'to_slack'"),
    ],
)
async def test_a_misuse_is_told_before_anything_is_asked(bridge: Bridged, words: list[str], err: str) -> None:
    assert err in (await bridge.say("portals", "add", *words, code=2)).err


async def test_a_room_with_messages_stays_that_of_its_channel(bridge: Bridged) -> None:
    await bridge.stage.start()
    await bridge.say("portals", "add", "#general")
    await bridge.portal_that("general", state="live")
    err = (await bridge.say("portals", "add", "#general", "--matrix", "!other:localhost", code=1)).err
    assert "which holds its messages: leave --matrix out" in err


async def test_a_slack_that_refuses_or_is_away_is_named(bridge: Bridged) -> None:
    bridge.stage.slack.faults.outage = True
    err = (await bridge.say("portals", "add", "#general", code=1)).err
    assert err.startswith("Error: auth.test: acme")


async def test_an_unknown_portal_is_told_with_a_guess(bridge: Bridged) -> None:
    await bridge.say("portals", "add", "#general")
    for change in ("remove", "pause", "resume"):
        err = (await bridge.say("portals", change, "#genera", code=1)).err
        assert err == "Error: there is no portal of #genera: did you mean #general?\n"


# --- the list


async def test_a_list_shows_everything_whole_on_any_database(
    causeway: Causeway, tmp_path: Path, database_url: str
) -> None:
    trouble = "the room cannot be joined: " + "a long reason " * 20 + "\x1b[31m"
    async with bridged(causeway, tmp_path, database_url) as bridge:
        database = await open_database(database_url)
        try:
            directory = Directory(database, ghost_names())
            await directory.learn_workspace(
                Workspace(TeamId("T1"), "North", SlackUserId("U0"), SlackUserId("B0"), "A0", "")
            )
            for team in ("T1", "T2"):
                portal = await directory.add_portal(TeamId(team), ChannelId(f"C{team}"), name="same")
                await directory.set_room(portal.id, RoomId(f"!{team}:localhost"))
                await directory.set_trouble(portal.id, trouble)
        finally:
            await database.close()
        out = (await bridge.say("portals", "list")).out
        first, second = out.splitlines()[1:]
        assert first.startswith("North      #same")
        assert second.startswith("T2         #same")
        assert "a long reason " * 20 in first
        assert "\x1b" not in out
        err = (await bridge.say("portals", "pause", "#same", code=1)).err
        assert "several workspaces have a portal of #same: write T1/CT1 or T2/CT2" in err
        await bridge.say("portals", "pause", "T2/CT2")
        listed = (await bridge.say("portals", "list", "--json")).data["portals"]
        assert [(portal["team"], portal["state"]) for portal in listed] == [("T1", "live"), ("T2", "paused")]
