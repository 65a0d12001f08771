"""The console and the HTTP API over a large bridge: 10,000 portals and 100,000 people, asked over HTTP."""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import TYPE_CHECKING

import aiohttp
import orjson

from bridge.administration.moving import Moving
from bridge.administration.office import Office
from bridge.administration.store import Store
from bridge.configured import client_from, names_from
from bridge.console.signing import Signing
from bridge.listeners import for_admins
from bridge.observability.health import Health
from bridge.observability.metrics import Metrics
from bridge.store.database import Statement
from bridge.store.directory import ADD_PERSON, Directory
from bridge.store.ledger import Ledger
from bridge.store.opening import open_database
from bridge.store.people import ADD_LINK, People
from config.loader import parse
from tests.bench.figures import at_most
from tests.sandbox.child import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.store.database import Database
    from config.settings import Settings
    from tests.bench.figures import Figure

PORTALS, PEOPLE, LINKED, WAITING, PARKED = 10_000, 100_000, 20_000, 2_000, 500
TEAM, ADMIN, TOKEN = "T0123456789", "@admin:localhost", "a-token-for-the-bench-0123456789"
_TOGETHER = 5_000
CONSOLE, API = 100.0, 50.0
ADD_PORTAL = """
INSERT INTO portals (team, channel, room, direction, state, name, caught_up) VALUES ($1, $2, $3, 'both', 'live', $4, 1)
"""
ADD_ROW = """
INSERT INTO inbox (direction, queue, source_key, raw, state, admitted_at) VALUES ('to_matrix', $1, $2, '{}', $3, 1)
"""
ADD_MESSAGE = """
INSERT INTO links (portal, ts, part, event_id, origin, sender) VALUES ($1, $2, '', $3, 'slack', 'U1')
"""
PAGES = {"overview": "/", "portals": "/portals", "portals searched": "/portals?search=channel-99", "people": "/people"}
LISTS = {
    "portals": "/portals",
    "portals searched": "/portals?search=channel-99",
    "people": "/people?limit=100",
    "people without a link": "/people?linked=false",
    "parked": "/parked",
    "status": "/status",
}


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield how long pages take, the half of them that is slower left out."""
    database = await open_database(f"sqlite:///{directory / 'causeway.db'}")
    try:
        await _fill(database)
        async for figure in _asked(database, _settings(directory), 5 if quick else 20):
            yield figure
    finally:
        await database.close()


def _settings(directory: Path) -> Settings:
    groups = {
        "homeserver": {"domain": "localhost"},
        "appservice": {"as_token": "as" * 24, "hs_token": "hs" * 24},
        "slack": {"workspaces": []},
        "console": {
            "listen": f"127.0.0.1:{free_port()}",
            "tokens": [{"name": "bench", "token": TOKEN, "role": "admin"}],
        },
        "admins": [ADMIN],
    }
    return parse(orjson.dumps(groups).decode(), "bench", directory, {})


async def _fill(database: Database) -> None:
    workspace = "INSERT INTO workspaces (team, name, bot_user, bot, app, gap) VALUES ($1, 'acme', 'U1', 'B1', 'A1', 1)"
    unit = [Statement(workspace, (TEAM,))]
    for number in range(PORTALS):
        channel = f"C{number:09}"
        unit.append(Statement(ADD_PORTAL, (TEAM, channel, f"!room{number}:localhost", f"channel-{number}")))
        unit.append(Statement(ADD_MESSAGE, (number + 1, f"{1_700_000_000 + number}.000100", f"$event{number}")))
    unit += [Statement(ADD_PERSON, (TEAM, f"U{number:09}", f"Person {number}", "", 0)) for number in range(PEOPLE)]
    for number in range(LINKED):
        account = f"@person{number}:localhost"
        unit.append(Statement(ADD_LINK, (TEAM, f"U{number * 5:09}", account, "hand", 1, "bench")))
    for number in range(WAITING + PARKED):
        queue = f"{TEAM}/C{number % PORTALS:09}"
        unit.append(Statement(ADD_ROW, (queue, f"slack:{number}", 0 if number < WAITING else 3)))
    for start in range(0, len(unit), _TOGETHER):
        await database.commit(*unit[start : start + _TOGETHER])


async def _asked(database: Database, settings: Settings, times: int) -> AsyncIterator[Figure]:
    names = names_from(settings)
    store = Store.beside(database, names, Directory(database, names), Ledger(database), People(database))
    group, matrix = asyncio.TaskGroup(), client_from(settings, database)  # nothing is ordered here
    moving = Moving(settings=settings, store=store, matrix=matrix, installations={}, group=group)
    office = Office(store, Health(database, settings, {}, {}, lambda: 0), {}, settings, moving)
    signing = Signing(settings.console, database, office.is_admin)
    listen = settings.console.listen
    assert listen is not None
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        matrix,
        for_admins(listen, office, Metrics(), signing) as listener,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        link = await signing.sign_in_link(ADMIN)
        await (await session.post(f"{listener.url}/sign-in", data={"link": link.partition("=")[2]})).read()
        size = f"{PORTALS:,} portals and {PEOPLE:,} people"
        for name, path in PAGES.items():
            took = await _times(session, listener.url + path, {}, times)
            yield at_most(f"Console, {name}, with {size}", took, CONSOLE, " ms")
        for name, path in LISTS.items():
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            took = await _times(session, f"{listener.url}/api/v1{path}", bearer, times)
            yield at_most(f"HTTP API, {name}, with {size}", took, API, " ms")
        yield at_most("Metrics, likewise", await _times(session, f"{listener.url}/metrics", {}, times), CONSOLE, " ms")


async def _times(session: aiohttp.ClientSession, url: str, headers: dict[str, str], times: int) -> float:
    """Return the middle of so many answers, in milliseconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            await response.read()
            if response.status != 200:
                raise AssertionError(f"{url} answers {response.status}")
        found.append((time.perf_counter() - began) * 1000)
    return median(found)
