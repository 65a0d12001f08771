"""In a real browser the console signs in, works by keyboard, moves by itself, and is fit for everybody (WCAG)."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.console.rendering import PAGES
from bridge.store.cutovers import Cutovers
from bridge.store.database import Statement
from bridge.store.papers import Kind, Papers
from portals.cutover import Phase, Step
from portals.ids import PortalId
from tests.bridge.console.axe import KEPT, Absent, axe, flaws
from tests.bridge.console.browsing import Browser, browsing
from tests.bridge.console.test_console import PARK
from tests.sandbox.chromium import Chromium, binary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.skipif(binary() is None, reason="NO BROWSER: install chromium, or name one as CHROMIUM")

PLAN = "/moves/plan?channels=general"


@pytest.fixture
async def browser(sqlite_url: str) -> AsyncIterator[Browser]:
    async with browsing(sqlite_url) as browser:
        yield browser


@pytest.fixture
async def chromium() -> AsyncIterator[Chromium]:
    path = binary()
    assert path is not None
    async with Chromium(path) as chromium:
        yield chromium


async def sign_in(chromium: Chromium, browser: Browser) -> None:
    await chromium.open(browser.url + await browser.link())
    await chromium.press("main button")
    assert await chromium.run("location.pathname") == "/"


async def test_a_link_of_the_bot_signs_in_and_signing_out_ends_it(chromium: Chromium, browser: Browser) -> None:
    await sign_in(chromium, browser)
    assert await chromium.run("document.cookie") == ""  # no script may read it
    await chromium.press("header form button")
    assert await chromium.run("location.pathname") == "/sign-in"
    await chromium.open(f"{browser.url}/audit")
    assert await chromium.run("location.pathname") == "/sign-in"
    assert chromium.errors == []


async def test_figures_move_by_themselves(chromium: Chromium, browser: Browser) -> None:
    await sign_in(chromium, browser)
    database = browser.stage.database
    assert database is not None
    parked = "document.querySelector('[data-live=\"to_matrix.parked\"]').textContent"
    assert await chromium.run(parked) == "0"
    await database.commit(Statement(PARK, ("slack:1",)))
    async with asyncio.timeout(15):
        while await chromium.run(parked) != "1":
            await asyncio.sleep(0.1)
    assert chromium.errors == []


async def test_everything_is_read_and_done_without_scripts(chromium: Chromium, browser: Browser) -> None:
    await chromium.without_scripts()
    await sign_in(chromium, browser)
    await chromium.open(f"{browser.url}/portals")
    await chromium.press("form[action='/portals/pause'] button")
    assert await chromium.run("document.querySelector('.said').textContent") == "#general is paused"


async def test_the_first_key_leads_past_the_navigation(chromium: Chromium, browser: Browser) -> None:
    await sign_in(chromium, browser)
    first = "[...document.querySelectorAll('a,button,input')].find(one => one.tabIndex >= 0).getAttribute('href')"
    assert await chromium.run(first) == "#content"
    order = "[...document.querySelectorAll('[tabindex]')].every(one => one.tabIndex <= 0)"
    assert await chromium.run(order) is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_fit_for_everybody(scheme: str, chromium: Chromium, browser: Browser) -> None:
    try:
        script = axe()
    except Absent as absent:
        pytest.skip(f"NO ACCESSIBILITY CHECK: {absent}")
    await _fill(browser)
    await chromium.prefer(scheme)
    await chromium.open(f"{browser.url}/sign-in")
    found = {"/sign-in": await flaws(chromium, script)}
    await sign_in(chromium, browser)
    for path in [*(path for path, _ in PAGES), "/parked/1000001", PLAN, "/nowhere"]:
        await chromium.open(browser.url + path)
        await chromium.run("document.querySelectorAll('details').forEach(one => { one.open = true })")
        found[path] = await flaws(chromium, script)
        if (folder := os.environ.get("PICTURES")) is not None:
            name = path.partition("?")[0].strip("/").replace("/", "-") or "overview"
            Path(folder, f"{name}-{scheme}.png").write_bytes(await chromium.picture())
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


async def test_a_narrow_screen_scrolls_tables_and_nothing_else(chromium: Chromium, browser: Browser) -> None:
    await _fill(browser)
    await sign_in(chromium, browser)
    await chromium.narrow(320)
    for path in [*(path for path, _ in PAGES), PLAN]:
        await chromium.open(browser.url + path)
        assert await chromium.run("document.documentElement.scrollWidth") <= 320, path


async def test_the_picture_of_the_console_is_small_and_there(chromium: Chromium, sqlite_url: str) -> None:
    """It is written beside the axe script; `PICTURES=tests/bridge/console` renews the one that the README shows."""
    async with browsing(sqlite_url, channels="*") as browser:
        database = browser.stage.database
        assert database is not None
        for channel in ("#general", "#support", "#random"):
            await browser.stage.room(channel)
        await _fill(browser)
        now = time.time_ns() // 1_000_000
        pause = Statement("UPDATE portals SET state = 'paused' WHERE name = 'random'")
        trouble = Statement("UPDATE portals SET trouble = 'the bot may not write here' WHERE name = 'support'")
        young = Statement("UPDATE inbox SET admitted_at = $1 WHERE state = 3", (now - 240_000,))
        await database.commit(pause, trouble, young)
        await sign_in(chromium, browser)
        await chromium.narrow(1000)
        await chromium.open(f"{browser.url}/")
        async with asyncio.timeout(30):
            while "not ready" in await chromium.run("document.querySelector('main').innerText"):
                await chromium.open(f"{browser.url}/")
        picture = await chromium.picture()
    assert picture.startswith(b"\x89PNG")
    folder = Path(os.environ.get("PICTURES") or KEPT)
    folder.mkdir(exist_ok=True)
    (folder / "console.png").write_bytes(picture)
    for shown in (picture, (Path(__file__).parent / "console.png").read_bytes()):
        assert len(shown) < 150_000


async def _fill(browser: Browser) -> None:
    """Have every page show something: a parked message, a linked person, an import, an entry of the log."""
    database = browser.stage.database
    assert database is not None
    add_import = (
        "INSERT INTO imports (team, source, selection, state, started_at, updated_at) "
        "VALUES ($1, 'x.zip', '', $2, 1, 1)"
    )
    keep = (
        "INSERT INTO quarantine (import, team, channel, place, reason, raw, found_at) "
        "VALUES (1, $1, 'C1', 'general/2024-01-01.json[3]', 'no ts', '{}', 1)"
    )
    team, user = browser.stage.workspace.id, browser.stage.workspace.user("amara").id
    add_link = (
        "INSERT INTO accounts (team, user_id, account, how, linked_at, linked_by) VALUES ($1, $2, '@amara:localhost', "
        "'hand', 1, 'an admin')"
    )
    park = PARK.replace("(direction", "(seq, direction").replace("VALUES (", "VALUES (1000001, ")
    await database.commit(
        Statement(park, ("slack:parked",)),
        Statement(add_import, (team, "running")),
        Statement(add_import, (team, "paused")),
        Statement(keep, (team,)),
        Statement(add_link, (team, user)),
    )
    await Papers(database).keep(Kind.PLAN, "x.zip", "3 messages", "an admin", "<p>A plan.</p>")
    move = await (cutovers := Cutovers(database)).begin(PortalId(1), Phase.ANNOUNCED, "an admin")
    await cutovers.begin_step(move, Step.ANNOUNCE_IN_SLACK, "", "an admin")
