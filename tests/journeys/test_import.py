"""History comes over as it was, before what is said while it comes, and the same history never twice."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bridge.exports.from_api import ApiExport
from bridge.slack.client import SlackClient
from bridge.slack.limits import Limits
from bridge.store.imports import Imports
from bridge.store.opening import open_database
from bridge.store.people import People
from portals.history.selection import Selection
from portals.ids import SlackUserId, TeamId, Ts
from tests.journeys.importing import EVERYTHING, ONLY_WHAT_IS_ASKED_FOR, bring
from tests.journeys.script import SLACK, Cut, Playwright
from tests.journeys.stage import Stage, until
from tests.journeys.world import World, people_of
from tests.sandbox.exports import export_of

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = ("general", "random")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'causeway.db'}"


def world_of(stage: Stage) -> World:
    world = World(stage, CHANNELS)
    world.down = 1_000_000  # nothing starts the bridge but the test
    return world


async def test_a_channels_history_comes_before_what_is_said_meanwhile(url: str, tmp_path: Path) -> None:
    async with Stage(url, seed=lambda slack: people_of(slack, CHANNELS), more=ONLY_WHAT_IS_ASKED_FOR) as stage:
        world = world_of(stage)
        playwright = Playwright(random.Random(1), CHANNELS, sides=(SLACK,))
        await world.play(playwright.acts(60))
        export_of(stage.workspace, tmp_path / "export.zip")
        await world.play(playwright.acts(10))  # after the export, before the bridge
        await world.start()
        await bring(stage.settings, tmp_path / "export.zip")
        await world.enter()
        await world.settle()
        await world.play(playwright.acts(10))
        await world.settle()
        assert await world.differences() == []


async def ids(stage: Stage, room: str) -> list[str]:
    return [event["event_id"] for event in await stage.events(room)]


async def test_a_later_export_brings_the_past_up_to_date(url: str, tmp_path: Path) -> None:
    async with Stage(url, seed=lambda slack: people_of(slack, CHANNELS), more=ONLY_WHAT_IS_ASKED_FOR) as stage:
        world = world_of(stage)
        playwright = Playwright(random.Random(2), CHANNELS, sides=(SLACK,))
        await world.play(playwright.acts(40))
        await world.start()
        export_of(stage.workspace, tmp_path / "first.zip")
        await bring(stage.settings, tmp_path / "first.zip")
        await stage.stop()
        await world.play(playwright.acts(40))
        export_of(stage.workspace, tmp_path / "second.zip")
        await world.start()
        await bring(stage.settings, tmp_path / "second.zip")
        await world.enter()
        await world.settle()
        assert await world.differences() == []


async def test_the_same_export_again_changes_nothing(url: str, tmp_path: Path) -> None:
    async with Stage(url, seed=lambda slack: people_of(slack, CHANNELS), more=ONLY_WHAT_IS_ASKED_FOR) as stage:
        world = world_of(stage)
        await world.play(Playwright(random.Random(3), CHANNELS, sides=(SLACK,)).acts(60))
        export_of(stage.workspace, tmp_path / "export.zip")
        await world.start()
        await bring(stage.settings, tmp_path / "export.zip")
        await world.enter()
        await world.settle()
        before = [await ids(stage, room) for room in world.rooms.values()]
        done = await bring(stage.settings, tmp_path / "export.zip")
        await world.settle()
        assert done.id == 2
        assert [await ids(stage, room) for room in world.rooms.values()] == before
        assert await world.differences() == []


@pytest.mark.parametrize("spoken", ["since", "before"])
async def test_a_look_back_does_not_bring_what_an_import_was_to_leave_out(
    sqlite_url: str, tmp_path: Path, spoken: str
) -> None:
    async with Stage(sqlite_url, seed=people_of, more=ONLY_WHAT_IS_ASKED_FOR) as stage:
        alice = stage.workspace.person("alice")
        root = alice.post("general", "long ago")
        alice.post("general", "answered long ago", thread_ts=root.ts)
        since = Ts(stage.workspace.clock.next())
        if spoken == "since":
            alice.post("general", "of late")
            alice.post("general", "answered of late", thread_ts=root.ts)
        export_of(stage.workspace, tmp_path / "export.zip")
        await stage.start()
        await bring(stage.settings, tmp_path / "export.zip", Selection(since=since))
        await stage.stop()
        alice.post("general", "meanwhile")
        await stage.start()
        room = await stage.room("general", 30)
        brought = ["of late", "answered of late"] if spoken == "since" else []
        await until(lambda: [line.body for line in stage.homeserver.timeline(room)] == [*brought, "meanwhile"], 30)


@pytest.mark.parametrize("way", ["export", "look back"])
async def test_what_happened_between_two_times_of_being_archived_is_brought(
    sqlite_url: str, tmp_path: Path, way: str
) -> None:
    async with Stage(sqlite_url, seed=people_of, more=ONLY_WHAT_IS_ASKED_FOR) as stage:
        alice = stage.workspace.person("alice")
        first = alice.post("general", "as it was")
        alice.archive("general")
        export_of(stage.workspace, tmp_path / "first.zip")
        await stage.start()
        await bring(stage.settings, tmp_path / "first.zip")
        room = await stage.room("general", 30)
        await stage.stop()
        alice.unarchive("general")
        alice.edit("general", first.ts, "as it is")
        alice.react("general", first.ts, "tada")
        alice.post("general", "meanwhile")
        alice.archive("general")
        export_of(stage.workspace, tmp_path / "second.zip")
        await stage.start()
        if way == "export":
            await bring(stage.settings, tmp_path / "second.zip")
        await until(lambda: {"as it is", "meanwhile"} <= {one.body for one in stage.homeserver.timeline(room)}, 30)
        await until(lambda: _is_closed(stage, room), 30)
        assert stage.database is not None
        assert await stage.database.fetch("SELECT 1 FROM inbox WHERE state = 3") == []
        assert [one["type"] for one in await stage.events(room)].count("m.reaction") == 1


def _is_closed(stage: Stage, room: str) -> bool:
    levels = stage.homeserver.world.rooms[room].state["m.room.power_levels", ""].content
    return bool(levels["events_default"] == 50)


class Cutter:
    """Cuts one history into exports, catching up and live events, at moments that chance chooses."""

    def __init__(self, stage: Stage, world: World, chance: random.Random, directory: Path) -> None:
        self.stage = stage
        self.world = world
        self.chance = chance
        self.directory = directory
        self.exports: list[Path] = []
        self.done: list[str] = []

    def export(self) -> None:
        """Make an export of now: of everything, or of some of the last days."""
        path = self.directory / f"export{len(self.exports)}"
        now = int(float(self.stage.workspace.clock.next()))
        span = (f"{now - self.chance.randrange(5, 60)}.000000", f"{now + 1}.000000")
        is_whole = not self.exports or self.chance.random() < 0.6
        export_of(self.stage.workspace, path, date_range=None if is_whole else span)
        self.exports.append(path)
        self.done.append(f"{path.name} {'whole' if is_whole else span}")

    async def bring(self, path: Path) -> None:
        """Bring an export over, which may be older than what is known; cut the import off on the way, mostly."""
        self.done.append(f"import {path.name}")
        while self.chance.random() < 0.5:
            work = asyncio.create_task(bring(self.stage.settings, path))
            await asyncio.wait([work], timeout=self.chance.random() * 0.4)
            work.cancel()
            await asyncio.wait([work])
            self.done.append("cut off" if work.cancelled() else "done")
        work = asyncio.create_task(bring(self.stage.settings, path))
        while not work.done():
            await asyncio.wait([work], timeout=0.05)
            if not work.done() and not self.stage.is_running:
                await self.world.start()
        work.result()

    async def play(self, playwright: Playwright) -> None:
        """Have people act for a while, with the bridge there or not."""
        if self.chance.random() < 0.5:
            await self.stage.stop()
            self.done.append("bridge stopped")
        await self.world.play(playwright.acts(self.chance.randrange(2, 12)))
        await self.world.play(playwright.last_words())  # by which the bridge can tell how late it is in this Slack
        self.done.append("played")


@pytest.mark.parametrize("number", range(6))
async def test_however_a_history_is_cut_the_rooms_are_those_of_an_undisturbed_run(
    number: int, database_url: str, tmp_path: Path
) -> None:
    chance = random.Random(number)
    async with Stage(database_url, seed=lambda slack: people_of(slack, CHANNELS), more=ONLY_WHAT_IS_ASKED_FOR) as stage:
        world = world_of(stage)
        playwright = Playwright(chance, CHANNELS, sides=(SLACK,))
        cutter = Cutter(stage, world, chance, tmp_path)
        await world.play(playwright.acts(15))
        cutter.export()
        world.cuts = [Cut(chance.randrange(20, 200)) for _ in range(3)]
        await world.start()
        await cutter.bring(cutter.exports[0])
        for _ in range(4):
            await cutter.play(playwright)
            if chance.random() < 0.7:
                cutter.export()
            if not stage.is_running:
                await world.start()
            await cutter.bring(chance.choice(cutter.exports))
        if not stage.is_running:
            await world.start()
        await world.enter()
        await world.settle()
        differences = await world.differences()
        assert not differences, "\n".join([*differences, *cutter.done])


async def test_what_is_older_than_a_room_in_use_goes_to_a_room_of_its_own(sqlite_url: str, tmp_path: Path) -> None:
    async with Stage(sqlite_url, seed=lambda slack: people_of(slack, ("general",))) as stage:
        alice = stage.workspace.person("alice")
        stage.slack.team().clock.turn_back(hours=5)
        old = [alice.post("general", f"old {number}") for number in range(3)]
        export_of(stage.workspace, tmp_path / "old.zip")
        for message in old:
            alice.delete("general", message.ts)
        stage.workspace.clock.turn_forward()
        alice.post("general", "new")
        await stage.start()
        room = await stage.room("general")
        await until(lambda: any(line.body == "new" for line in stage.homeserver.timeline(room)))
        await bring(stage.settings, tmp_path / "old.zip")
        alias = f"#slack_{stage.workspace.id}_{stage.workspace.channel('general').id}history:localhost".lower()
        past = stage.homeserver.world.aliases[alias][0]
        said = [line.body for line in stage.homeserver.timeline(past)]
        assert said[1:] == ["old 0", "old 1", "old 2"]
        assert room in said[0]
        assert [past in line.body for line in stage.homeserver.timeline(room)].count(True) == 1
        assert not any("old 0" in line.body for line in stage.homeserver.timeline(room))
        space = stage.homeserver.world.aliases[f"#slack_{stage.workspace.id}_space:localhost".lower()][0]
        children = [one["state_key"] for one in await stage.events(space) if one["type"] == "m.space.child"]
        assert past in children


async def test_an_import_waits_for_its_store(tmp_path: Path) -> None:
    path = tmp_path / "causeway.db"
    more = ONLY_WHAT_IS_ASKED_FOR
    async with Stage(f"sqlite:///{path}", seed=lambda slack: people_of(slack, CHANNELS), more=more) as stage:
        world = world_of(stage)
        await world.play(Playwright(random.Random(5), CHANNELS, sides=(SLACK,)).acts(60))
        export_of(stage.workspace, tmp_path / "export.zip")
        await world.start()
        work = asyncio.create_task(bring(stage.settings, tmp_path / "export.zip"))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as other:
            await until(lambda: other.execute("SELECT COUNT(*) FROM links").fetchone()[0] > 3)
            other.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(6.5)  # longer than a commit waits for the lock
            other.execute("ROLLBACK")
        async with asyncio.timeout(40):
            await work
        await world.enter()
        await world.settle()
        assert await world.differences() == []


async def test_direct_messages_come_to_those_who_agreed_and_nobody_else(sqlite_url: str, tmp_path: Path) -> None:
    async with Stage(sqlite_url, seed=people_of, more=ONLY_WHAT_IS_ASKED_FOR) as stage:
        alice, bob, carol = (stage.workspace.person(name) for name in ("alice", "bob", "carol"))
        agreed, private = alice.direct("bob").id, alice.direct("carol").id
        alice.post(agreed, "between us")
        carol.post(private, "not for the bridge")
        export_of(stage.workspace, tmp_path / "export.zip", kind="full")
        await stage.start()
        database = await open_database(sqlite_url)
        people = People(database)
        for person in (alice, bob):
            user = SlackUserId(person.id)
            await people.consent(TeamId(stage.workspace.id), user, given=True, actor="admin", reason="asked by mail")
        done = await bring(
            stage.settings, tmp_path / "export.zip", Selection(kinds=frozenset({"dm"})), database=database
        )
        database = await open_database(sqlite_url)
        channels = {str(one.channel): one for one in await Imports(database).channels(done.id)}
        await database.close()
        assert {number: one.state for number, one in channels.items()} == {agreed: "done", private: "left out"}
        assert f"causeway people consent {alice.id}" not in channels[private].reason
        assert f"causeway people consent {carol.id}" in channels[private].reason
        alias = f"#slack_{stage.workspace.id}_{agreed}:localhost".lower()
        room = stage.homeserver.world.aliases[alias][0]
        events = await stage.events(room)
        state = {(one["type"], one["state_key"]): one["content"] for one in events if "state_key" in one}
        assert [line.body for line in stage.homeserver.timeline(room)] == ["between us"]
        assert state["m.room.join_rules", ""]["join_rule"] == "invite"
        assert state["m.room.name", ""]["name"] == "alice, bob"
        inside = {user for kind, user in state if kind == "m.room.member"}
        ghosts = {f"@slack_{stage.workspace.id}_{one.id}:localhost".lower() for one in (alice, bob)}
        assert inside == {"@causeway:localhost", *ghosts}
        assert ("m.space.parent", "") not in {(kind, "") for kind, _ in state}


async def test_history_that_is_read_from_slack_itself_comes_like_an_export(sqlite_url: str, tmp_path: Path) -> None:
    more = ONLY_WHAT_IS_ASKED_FOR
    async with Stage(sqlite_url, seed=lambda slack: people_of(slack, CHANNELS), more=more) as stage:
        world = world_of(stage)
        playwright = Playwright(random.Random(6), CHANNELS, sides=(SLACK,))
        await world.play(playwright.acts(60))
        folder = tmp_path / "history"
        async with aiohttp.ClientSession() as session:
            client = SlackClient(
                "acme",
                stage.workspace.bot_token,
                session=session,
                limits=Limits(scale=0),
                api_url=stage.slack.api_url,
            )
            await ApiExport(client, folder).write(EVERYTHING)
            await world.start()
            await bring(stage.settings, folder)
            await world.enter()
            await world.settle()
            await stage.stop()
            await world.play(playwright.acts(20))
            await ApiExport(client, folder).write(EVERYTHING)
        await world.start()
        await bring(stage.settings, folder)
        await world.settle()
        assert await world.differences() == []
