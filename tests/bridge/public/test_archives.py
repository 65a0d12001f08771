"""Old links of Slack lead to what the rooms show; nothing else is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import StoreUnavailable
from bridge.http import Listener
from bridge.public.face import application
from bridge.store.directory import Directory
from bridge.store.links import Links, record
from bridge.store.opening import open_database
from bridge.store.places import Places
from bridge.work.permalinks import Permalinks
from portals.actions import RecordDeletion, RecordLink
from portals.facts import Origin, PortalState, Workspace
from portals.ids import ChannelId, GhostNames, MatrixUserId, RoomId, SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from bridge.matrix.client import MatrixClient
    from bridge.store.database import Database
    from portals.ids import PortalId

NAMES = GhostNames("example.org", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
TS = "1700000000.000100"
PATH = "/archives/C1/p1700000000000100"
ROOM = "https://matrix.to/#/!one:example.org?via=example.org"


class Town:
    """A store with two workspaces, and the listener before it."""

    def __init__(self, database: Database, stranger: aiohttp.ClientSession) -> None:
        self.database = database
        self.directory = Directory(database, NAMES)
        self.url = ""
        self._stranger = stranger

    async def settle(self) -> None:
        for team in ("T1", "T2"):
            bot = SlackUserId("UBOT")
            await self.directory.learn_workspace(
                Workspace(TeamId(team), team, bot, bot, "A1", f"https://{team.lower()}.slack.com/")
            )

    async def portal(self, team: str, channel: str, room: str = "") -> PortalId:
        portal = await self.directory.add_portal(TeamId(team), ChannelId(channel), name="general")
        if room:
            await self.directory.set_room(portal.id, RoomId(room))
        return portal.id

    async def link(self, portal: PortalId, ts: str, event: str, part: str = "") -> None:
        made = RecordLink(Origin.SLACK, MatrixUserId("@a:example.org"), part=part, ts=ts)
        await self.database.commit(*record(portal, made, event))

    async def answer(self, path: str) -> tuple[int, str, str]:
        async with self._stranger.get(self.url + path, allow_redirects=False) as response:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            return response.status, response.headers.get("Location", ""), await response.text()


@pytest.fixture
async def town(database_url: str, matrix: MatrixClient, stranger: aiohttp.ClientSession) -> AsyncIterator[Town]:
    database = await open_database(database_url)
    town = Town(database, stranger)
    await town.settle()
    permalinks = Permalinks(
        names=NAMES, directory=town.directory, places=Places(database), links=Links(database), matrix=matrix
    )
    async with Listener(application(permalinks, matrix.media, None), "127.0.0.1", 0) as listener:
        town.url = listener.url
        yield town
    await database.close()


async def test_a_link_to_a_message_leads_to_its_event(town: Town) -> None:
    portal = await town.portal("T1", "C1", "!one:example.org")
    await town.link(portal, TS, "$text")
    await town.link(portal, TS, "$file", part="F1")
    event = "https://matrix.to/#/!one:example.org/$text?via=example.org"
    for path in (PATH, f"{PATH}/", f"{PATH}?thread_ts=1600000000.000100&cid=C1"):
        assert await town.answer(path) == (302, event, "")


async def test_a_link_to_a_channel_leads_to_its_room(town: Town) -> None:
    await town.portal("T1", "C1", "!one:example.org")
    for path in ("/archives/C1", "/archives/C1/"):
        assert await town.answer(path) == (302, ROOM, "")


async def test_a_message_that_is_not_mirrored_is_not_found_but_its_room_is_told(town: Town) -> None:
    portal = await town.portal("T1", "C1", "!one:example.org")
    status, _, text = await town.answer(PATH)
    assert status == 404
    assert ROOM in text
    await town.link(portal, TS, "$text")
    await town.database.commit(*record(portal, RecordDeletion(TS), ""))
    assert (await town.answer(PATH))[0] == 404


async def test_a_channel_of_two_workspaces_is_found_in_the_one_that_mirrors_it(town: Town) -> None:
    await town.portal("T1", "C1")
    portal = await town.portal("T2", "C1", "!two:example.org")
    await town.link(portal, TS, "$text")
    assert (await town.answer(PATH))[1] == "https://matrix.to/#/!two:example.org/$text?via=example.org"


async def test_a_channel_without_a_portal_looks_like_one_that_never_was(town: Town) -> None:
    portal = await town.portal("T1", "C1", "!one:example.org")
    await town.link(portal, TS, "$text")
    await town.directory.set_state(portal, PortalState.REMOVED)
    never = await town.answer("/archives/C9/p1700000000000100")
    assert never == (404, "", "This channel is not in Matrix.\n")
    assert await town.answer(PATH) == never
    await town.portal("T1", "C2")
    assert await town.answer("/archives/C2") == never


@pytest.mark.parametrize(
    "path",
    [
        "/archives/", "/archives", "/archives/c1", "/archives/C1/1700000000000100", "/archives/C1/p1/x",
        "/archives/C1/p1700000000000100/x", "/archives/%2e%2e/C1", "/archives/C1%0d%0aLocation:x", "/archives/C1/p",
        "/archives/" + "C" * 100, "/archives/C1/p" + "1" * 100, "/archives/C1%27--", "/archives/C1//p1700000000000100",
    ],
)  # fmt: skip
async def test_what_is_no_link_of_slack_is_not_looked_up(town: Town, path: str) -> None:
    await town.portal("T1", "C1", "!one:example.org")
    assert (await town.answer(path))[0] == 404


async def test_a_store_that_is_away_is_no_missing_message(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(town.database, "fetch", away)
    assert await town.answer(PATH) == (503, "", "Links cannot be looked up at the moment.\n")


async def test_nobody_can_try_out_addresses_without_end(town: Town) -> None:
    answers = [(await town.answer(f"/archives/C{number}"))[0] for number in range(260)]
    assert answers[:200] == [404] * 200
    assert 429 in answers
