"""Bookmarks are asked for in turn: each channel once in its time, whatever Slack says of another one."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bridge.errors import Later, Refused
from bridge.store.bookmarks import BookmarkNotices
from bridge.store.directory import Directory
from bridge.store.ledger import TO_MATRIX, Ledger
from bridge.store.links import record
from bridge.store.opening import open_database
from bridge.work.bookmarks import Bookmarks
from portals.actions import RecordBookmarks
from portals.facts import PortalState
from portals.ids import ChannelId, GhostNames, RoomId, TeamId
from portals.reading.bookmarks import BOOKMARKS, bookmarks_of
from portals.relay.bookmarks import digest_of
from tests.journeys.stage import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bridge.store.database import Database
    from portals.facts import Portal

TEAM = TeamId("T1")
WIKI = [{"title": "Wiki", "link": "https://wiki.example/"}]


class Slack:
    """Lists bookmarks of channels, or says why not."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {}

    async def bookmarks(self, channel: str) -> list[dict[str, str]]:
        self.asked.append(channel)
        answer = self.answers.get(channel, [])
        if isinstance(answer, Exception):
            raise answer
        return list(answer)


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    database = await open_database(sqlite_url)
    yield database
    await database.close()


class World:
    """A store with portals, a Slack, and who reads the bookmarks."""

    def __init__(self, database: Database) -> None:
        names = GhostNames("localhost", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
        self.database = database
        self.directory = Directory(database, names)
        self.notices = BookmarkNotices(database)
        self.ledger = Ledger(database)
        self.slack = Slack()
        self.woken: list[tuple[str, str]] = []

    async def portal(self, channel: str) -> Portal:
        portal = await self.directory.add_portal(TEAM, ChannelId(channel), name=channel.lower())
        await self.directory.set_room(portal.id, RoomId(f"!{channel}:localhost"))
        return portal

    async def read_until(self, holds: Callable[[], object], every: float = 3600) -> None:
        installations: Any = {TEAM: SimpleNamespace(client=self.slack)}
        bookmarks = Bookmarks(
            every=every,
            directory=self.directory,
            notices=self.notices,
            ledger=self.ledger,
            installations=installations,
            wake=lambda direction, queue: self.woken.append((direction, queue)),
        )
        reading = asyncio.create_task(bookmarks.run())
        await until(holds)
        await asyncio.sleep(0.05)
        reading.cancel()
        await asyncio.wait([reading])


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


async def test_what_differs_is_admitted_to_be_shown_and_then_pinned(world: World) -> None:
    one, two = await world.portal("C1"), await world.portal("C2")
    world.slack.answers["C1"] = WIKI
    await world.read_until(lambda: len(world.slack.asked) == 2)
    assert world.woken == [(TO_MATRIX, "T1/C1")]
    events = [orjson.loads(row.raw)["event"] for row in await world.ledger.next_rows(TO_MATRIX, "T1/C1", 9)]
    assert [(event["type"], event["channel"]) for event in events] == [(BOOKMARKS, "C1")] * 2
    assert bookmarks_of(events[0]["bookmarks"]) == bookmarks_of(WIKI)
    assert await world.ledger.next_rows(TO_MATRIX, "T1/C2", 9) == []
    assert (await world.notices.of(one.id), await world.notices.of(two.id)) == (None, None)


async def test_each_channel_is_asked_about_once_in_its_time_over_restarts_too(world: World) -> None:
    await world.portal("C1")
    await world.read_until(lambda: world.slack.asked)
    await world.portal("C2")
    await world.read_until(lambda: len(world.slack.asked) == 2)
    assert world.slack.asked == ["C1", "C2"]
    await world.read_until(lambda: len(world.slack.asked) >= 6, every=0.01)


async def test_what_the_room_shows_already_is_not_admitted(world: World) -> None:
    portal = await world.portal("C1")
    world.slack.answers["C1"] = WIKI
    digest = digest_of(bookmarks_of(WIKI))
    await world.database.commit(*record(portal.id, RecordBookmarks(digest), "$n"))
    await world.database.commit(*record(portal.id, RecordBookmarks(digest, "$n", pinned=True), ""))
    await world.read_until(lambda: world.slack.asked)
    assert await world.ledger.next_rows(TO_MATRIX, "T1/C1", 9) == []
    await world.database.commit(*record(portal.id, RecordBookmarks(""), "$redaction"))
    assert await world.notices.of(portal.id) is None


async def test_one_channel_that_slack_refuses_holds_up_no_other(world: World) -> None:
    for channel in ("C1", "C2", "C3"):
        await world.portal(channel)
    paused = await world.portal("C4")
    await world.directory.set_state(paused.id, PortalState.PAUSED)
    world.slack.answers["C1"] = Refused("channel_not_found", "no such channel")
    await world.read_until(lambda: len(world.slack.asked) == 3)
    assert world.slack.asked == ["C1", "C2", "C3"]


@pytest.mark.parametrize(
    ("refusal", "asked"),
    [(Refused("missing_scope", "bookmarks:read"), 1), (Refused("token_revoked", "no"), 3), (Later("busy"), 3)],
)
async def test_a_busy_slack_is_asked_again_and_one_without_the_scope_is_not(
    world: World, refusal: Exception, asked: int
) -> None:
    await world.portal("C1")
    world.slack.answers["C1"] = refusal
    await world.read_until(lambda: len(world.slack.asked) >= asked, every=0.01)
    assert len(world.slack.asked) >= asked
    if asked == 1:
        assert world.slack.asked == ["C1"]


async def test_where_it_is_switched_off_nothing_is_asked(world: World) -> None:
    await world.portal("C1")
    await world.read_until(lambda: True, every=0)
    assert world.slack.asked == []
