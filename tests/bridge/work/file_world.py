"""Slack's file host and a homeserver's media in a few lines: nothing of a file is kept but its size and checksum."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from bridge.http import Listener
from bridge.matrix.client import MatrixClient
from bridge.slack.client import SlackClient
from bridge.slack.files import SlackFiles
from bridge.slack.installation import Installation
from bridge.slack.limits import Limits
from bridge.store.directory import Directory
from bridge.store.files import Files, KnownFile
from bridge.store.ledger import Ledger
from bridge.store.links import Links
from bridge.work.fetching import Fetcher
from bridge.work.late_files import LateFiles
from bridge.work.transfers import Transfers
from portals.events import SlackFile
from portals.facts import Rules
from portals.ids import GhostNames, MatrixUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bridge.store.database import Database

    Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

TEAM = TeamId("T1")
BOT_TOKEN = "xoxb-of-the-bot"
EXPORT_TOKEN = "xoxe-of-the-export"
NAMES = GhostNames("hs.test", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
LOGIN = "<html><title>Login | Slack</title>"


@dataclass(frozen=True)
class Asked:
    """A request for a file: its name, and the tokens that came with it."""

    name: str
    bearer: str
    in_link: str


@dataclass(frozen=True)
class Stored:
    """What the homeserver got."""

    size: int
    sha256: str
    mimetype: str
    filename: str


@dataclass
class FileWorld:
    """`content` is what Slack has, by name; `answers` come first, one a request. Tokens in `good` open everything."""

    database: Database
    content: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    good: set[str] = field(default_factory=lambda: {BOT_TOKEN, EXPORT_TOKEN})
    info: dict[str, dict[str, Any]] = field(default_factory=dict)
    largest: int = 1_000_000_000
    homeserver_is_away: bool = False
    asked: list[Asked] = field(default_factory=list)
    stored: dict[str, Stored] = field(default_factory=dict)
    limits_asked: int = 0
    open: int = 0
    most_open: int = 0
    """How many files were on their way at once, at most."""
    ahead: int = 0
    most_ahead: int = 0
    """By how many bytes Slack was ahead of the homeserver, at most."""
    installations: dict[TeamId, Installation] = field(default_factory=dict)
    url: str = ""
    session: aiohttp.ClientSession = field(init=False)
    matrix: MatrixClient = field(init=False)
    files: Files = field(init=False)
    transfers: Transfers = field(init=False)
    now: float = 1_700_000_000.0

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/files/{name}", self._give)
        app.router.add_post("/api/files.info", self._tell)
        app.router.add_get("/_matrix/client/v1/media/config", self._limit)
        app.router.add_post("/_matrix/media/v3/upload", self._take)
        return app

    def link(self, name: str, token: str = "") -> str:
        """The address of a file, with the token of an export if that is given."""
        return f"{self.url}/files/{name}" + (f"?t={token}" if token else "")

    def connect(self, *, connected: bool, max_bytes: int = 1_000_000_000) -> None:
        """Have the workspace be one with a bot, or one that is known by an export alone."""
        token = BOT_TOKEN if connected else ""
        client = SlackClient("acme", token, session=self.session, limits=Limits(scale=0), api_url=f"{self.url}/api/")
        files = SlackFiles(client, token, session=self.session, max_bytes=max_bytes, api_url=f"{self.url}/api/")
        self.installations[TEAM] = Installation("acme", client, files)

    def fetcher(self, *, at_once: int = 4, rules: Rules = Rules()) -> Fetcher:  # noqa: B008  frozen
        """A fetcher of a process that has just started."""
        late = LateFiles(self.files, Links(self.database), Ledger(self.database))
        return Fetcher(
            files=self.files,
            transfers=self.transfers,
            late=late,
            rules=rules,
            at_once=at_once,
            clock=lambda: self.now,
        )

    async def state(self, file_id: str) -> KnownFile:
        """What the store knows of a file."""
        found = await self.files.find(TEAM, file_id)
        assert found is not None
        return found

    async def _give(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.append(Asked(name, bearer, request.query.get("t", "")))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await asyncio.sleep(0)
            if self.answers.get(name):
                return await self.answers[name].pop(0)(request)
            if not {bearer, request.query.get("t", "")} & self.good:
                return web.Response(text=LOGIN, content_type="text/html")
            if name not in self.content:
                return web.Response(status=404)
            return web.Response(body=self.content[name], content_type="application/octet-stream")
        finally:
            self.open -= 1

    async def _tell(self, request: web.Request) -> web.StreamResponse:
        file_id = str((await request.post())["file"])
        found = self.info.get(file_id)
        if found is None:
            return web.json_response({"ok": False, "error": "file_not_found"})
        return web.json_response(found if "ok" in found else {"ok": True, "file": {"id": file_id, **found}})

    async def _limit(self, _: web.Request) -> web.StreamResponse:
        self.limits_asked += 1
        return web.json_response({"m.upload.size": self.largest})

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if self.homeserver_is_away:
            return web.Response(status=502)
        digest, size = hashlib.sha256(), 0
        async for chunk in request.content.iter_chunked(65_536):
            digest.update(chunk)
            size += len(chunk)
            self.ahead -= len(chunk)
        number = f"m{len(self.stored) + 1}"
        mimetype = request.headers["Content-Type"]
        self.stored[number] = Stored(size, digest.hexdigest(), mimetype, request.query.get("filename", ""))
        return web.json_response({"content_uri": f"mxc://hs.test/{number}"})


def file_of(url: str, file_id: str = "F1", size: int = 0, **more: Any) -> SlackFile:
    """A file as a message of an export tells of it."""
    name = url.rpartition("/")[2].partition("?")[0]
    return SlackFile(file_id, name, "application/octet-stream", size, url, **more)


def times(count: int, answer: Callable[[], web.StreamResponse]) -> list[Answer]:
    """The same answer several times."""

    async def give(_: web.Request) -> web.StreamResponse:
        return answer()

    return [give] * count


@asynccontextmanager
async def file_world(database: Database) -> AsyncIterator[FileWorld]:
    """Open a world whose workspace is connected."""
    world = FileWorld(database)
    async with (
        Listener(world.application(), "127.0.0.1", 0) as listener,
        aiohttp.ClientSession() as session,
        MatrixClient(listener.url, "as-token", MatrixUserId("@causeway:hs.test"), timeout=5) as matrix,
    ):
        world.url, world.session, world.matrix = listener.url, session, matrix
        world.files = Files(database)
        directory = Directory(database, NAMES)
        world.transfers = Transfers(
            world.files, directory, matrix, world.installations, 1_000_000_000, clock=lambda: world.now
        )
        world.connect(connected=True)
        yield world
