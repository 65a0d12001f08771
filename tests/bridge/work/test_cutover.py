"""A move does what can be done where Slack is away, archived, unwilling or not connected at all, and says the rest."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bridge.app import Hooks
from bridge.cutting_over import cutting_over
from bridge.errors import Declined, Later
from bridge.store.directory import Directory
from bridge.work.cutover_steps import Proven
from portals.cutover import Wish
from portals.preview import ghost_names
from portals.readiness import People, Weight, readiness
from tests.journeys.importing import bring
from tests.journeys.stage import Stage, until
from tests.journeys.world import people_of
from tests.sandbox.exports import export_of
from tests.sandbox.slack.faults import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.administration.cutover import CuttingOver
    from portals.facts import Portal

CHANNEL = "general"


@asynccontextmanager
async def staged(url: str, **more: Any) -> AsyncIterator[Stage]:
    async with Stage(url, more, seed=lambda slack: people_of(slack, (CHANNEL,))) as stage:
        yield stage


@asynccontextmanager
async def parts_of(stage: Stage, patience: float = 10) -> AsyncIterator[CuttingOver]:
    hooks = Hooks(limits_scale=0)
    async with cutting_over(stage.settings, "a test", patience=patience, hooks=hooks) as parts:
        await parts.looking.read()
        yield parts


async def portal_of(stage: Stage) -> Portal:
    assert stage.database is not None
    (portal,) = await Directory(stage.database, ghost_names("localhost")).portals()
    return portal


async def opened(stage: Stage) -> str:
    """Start the bridge, and return the room of its channel when all is caught up."""
    await stage.start()
    room = await stage.room(CHANNEL)
    async with asyncio.timeout(10):
        while (portal := await portal_of(stage)).state != "live" or not portal.caught_up:
            await asyncio.sleep(0.02)
    return room


async def bodies(stage: Stage) -> list[str]:
    return [line.body for line in await stage.lines(CHANNEL)]


async def proven() -> Proven:
    return Proven("<p>proof</p>", "proof.html", "0" * 64, 2)


async def test_a_workspace_that_is_known_by_its_export_alone_moves_without_slack(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with staged(sqlite_url, slack={"workspaces": []}) as stage:
        stage.workspace.person("alice").post(CHANNEL, "what was")
        export_of(stage.workspace, tmp_path / "export.zip")
        await stage.start()
        await bring(stage.settings, tmp_path / "export.zip")
        async with parts_of(stage) as parts:
            found = readiness(await parts.looking.at(await portal_of(stage)), Wish())
            assert found.is_ready
            assert [one.what for one in found.of(Weight.NOTE)] == [
                "the workspace is known by its export alone: nothing is changed in Slack"
            ]
            await parts.cutover.announce(await portal_of(stage), "Monday")
            await parts.freeze(await portal_of(stage), Wish(archive=True), anyway=False)
            assert (await portal_of(stage)).state == "frozen"
            await parts.cutover.finish(await portal_of(stage), None)
        assert (await portal_of(stage)).state == "archived"
        assert (await bodies(stage))[-1].startswith("The move of #general from Slack is complete")
        assert not any("Monday" in entry.text for entry in stage.entries(CHANNEL))


async def test_a_channel_that_is_archived_already_is_left_alone_in_slack(sqlite_url: str) -> None:
    async with staged(sqlite_url) as stage:
        await opened(stage)
        stage.workspace.person("alice").archive(CHANNEL)
        async with asyncio.timeout(10):
            while not (await portal_of(stage)).archived:
                await asyncio.sleep(0.02)
        before = stage.entries(CHANNEL)
        async with parts_of(stage) as parts:
            await parts.freeze(await portal_of(stage), Wish(), anyway=False)
            await parts.cutover.revert(await portal_of(stage))
        assert stage.entries(CHANNEL) == before
        assert (await portal_of(stage)).state == "live"


async def test_a_stray_message_is_shown_although_its_author_cannot_be_told(sqlite_url: str) -> None:
    async with staged(sqlite_url) as stage:
        await opened(stage)
        async with parts_of(stage) as parts:
            await parts.freeze(await portal_of(stage), Wish(), anyway=False)
        alice = stage.workspace.person("alice")
        stage.slack.faults.next_calls("chat.postMessage", Kind.ERROR, error="restricted_action_thread_locked")
        for words in ("too late", "too late again"):
            alice.post(CHANNEL, words)
        await until(lambda: any("was carried there" in entry.text for entry in stage.entries(CHANNEL)))
        assert sum("too late" in body for body in await bodies(stage)) == 2
        assert stage.database is not None
        assert await stage.database.fetch("SELECT 1 FROM inbox WHERE state = 3") == []


async def test_who_of_the_channel_is_in_the_room_is_told(sqlite_url: str) -> None:
    async with staged(sqlite_url) as stage:
        alice, bob = await stage.link("alice"), await stage.link("bob")
        room = await opened(stage)
        await alice.join(room)
        async with parts_of(stage) as parts:
            people = (await parts.looking.at(await portal_of(stage))).people
        assert isinstance(people, People)
        assert (people.here, people.away) == (1, (bob.user_id,))
        assert people.without == ("carol",)
        assert people.members == 3


async def test_without_any_bridge_what_is_left_cannot_come_across(sqlite_url: str) -> None:
    async with staged(sqlite_url) as stage:
        await opened(stage)
        portal = await portal_of(stage)
        await stage.stop()
        stage.gate.open()
        async with parts_of(stage, patience=0.5) as parts:
            with pytest.raises(Later, match="not all is across yet"):
                await parts.freeze(portal, Wish(), anyway=False)
            assert (await parts.cutover.phase(portal))[1] == "freezing"
            with pytest.raises(Declined, match="freeze has begun"):
                await parts.cutover.announce(portal, "Monday")
            assert await parts.cutover.revert(portal)


async def test_a_move_that_has_not_begun_is_not_ended(sqlite_url: str) -> None:
    async with staged(sqlite_url) as stage:
        await opened(stage)
        async with parts_of(stage) as parts:
            with pytest.raises(Declined, match="has not begun"):
                await parts.cutover.finish(await portal_of(stage), proven)
            with pytest.raises(Declined, match="has not begun"):
                await parts.cutover.revert(await portal_of(stage))


async def test_differences_stop_the_end_until_they_are_accepted(sqlite_url: str) -> None:
    async with staged(sqlite_url) as stage:
        await opened(stage)
        async with parts_of(stage) as parts:
            await parts.freeze(await portal_of(stage), Wish(), anyway=False)
            with pytest.raises(Declined, match="2 things are unexplained"):
                await parts.cutover.finish(await portal_of(stage), proven)
            await parts.cutover.finish(await portal_of(stage), proven, accept_differences=True)
        assert "2 differences that were accepted" in (await bodies(stage))[-1]


async def test_an_export_that_is_imported_later_fills_what_lacks_and_moves_nothing_back(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with staged(sqlite_url, portals={"automatic": {"include": []}}) as stage:
        alice = stage.workspace.person("alice")
        export_of(stage.workspace, tmp_path / "first.zip")
        await stage.start()
        await bring(stage.settings, tmp_path / "first.zip")
        async with parts_of(stage) as parts:
            await parts.freeze(await portal_of(stage), Wish(archive=True), anyway=False)
            await bring(stage.settings, tmp_path / "first.zip")
            assert (await portal_of(stage)).state == "frozen"
            await parts.cutover.finish(await portal_of(stage), None)
        stage.workspace.person("alice").unarchive(CHANNEL)
        alice.post(CHANNEL, "behind everybody's back")
        alice.archive(CHANNEL)
        export_of(stage.workspace, tmp_path / "last.zip")
        await bring(stage.settings, tmp_path / "last.zip")
        assert (await portal_of(stage)).state == "archived"
        assert "behind everybody's back" in await bodies(stage)
        assert not any("archived in Slack" in body for body in await bodies(stage))
