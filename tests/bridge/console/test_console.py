"""The console shows and does what the command line does, for admins who signed in, and for nobody else."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import aiohttp
import orjson
import pytest

from bridge.administration.guesses import BURST, EVERY
from bridge.console.acts import ACTS
from bridge.console.rendering import PAGES
from bridge.errors import Declined
from bridge.store.audit import Audit
from bridge.store.cutovers import Cutovers
from bridge.store.database import Statement
from bridge.store.papers import Kind, Papers
from config.permissions import Permissions
from portals.cutover import Phase, Step
from portals.ids import PortalId
from tests.bridge.console.browsing import ADMIN, Browser, browsing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bridge.console.browsing import Page

PARK = (
    "INSERT INTO inbox (direction, queue, source_key, raw, state, admitted_at, reason) "
    "VALUES ('to_matrix', 'T1/C1', $1, '{\"text\": \"<script>alert(1)</script>\"}', 3, 1, 'too <b>odd</b>')"
)

LOADS = re.compile(r"""<(link|img|iframe|object)|(src|href|action)="(https?:)?//|\sstyle=|\son\w+=""")


@pytest.fixture
async def browser(sqlite_url: str) -> AsyncIterator[Browser]:
    async with browsing(sqlite_url) as browser:
        yield browser


# --- signing in


async def test_a_link_signs_in_once_and_is_stored_nowhere(database_url: str) -> None:
    async with browsing(database_url) as browser:
        link = await browser.link()
        asked = await browser.get(link)
        assert (await browser.get(link)).form("/sign-in")  # what only looks at it uses nothing up
        assert browser.stage.database is not None
        stored = str(await browser.stage.database.fetch("SELECT * FROM sign_in_links"))
        secret = link.partition("=")[2]
        assert secret not in stored
        page = await browser.send(asked, "/sign-in")
        assert (page.status, page.path) == (200, "/")
        browser.session.cookie_jar.clear()
        again = await browser.send(asked, "/sign-in")
        assert again.status == 403
        assert "ask the bot for another one" in again.said
        entries = await Audit(browser.stage.database).entries()
        assert [(one.actor, one.act) for one in entries] == [
            (f"{ADMIN} (console, 127.0.0.1)", "sign in"),
            ("somebody (console, 127.0.0.1)", "refused"),
        ]


async def test_a_link_that_is_too_old_signs_nobody_in(browser: Browser) -> None:
    asked = await browser.get(await browser.link())
    assert browser.stage.database is not None
    await browser.stage.database.commit(Statement("UPDATE sign_in_links SET expires_at = 1"))
    assert (await browser.send(asked, "/sign-in")).status == 403


async def test_who_is_no_admin_gets_no_link(browser: Browser) -> None:
    with pytest.raises(Declined, match="@zoe:localhost is no admin: add them to `admins`"):
        await browser.link("@zoe:localhost")


async def test_an_admin_by_rule_may_sign_in_and_one_by_a_lesser_rule_may_not(browser: Browser) -> None:
    rules = {"rules": [{"who": "@zoe:localhost", "level": "admin"}, {"who": "*:localhost", "level": "user"}]}
    permissions = Permissions.model_validate(rules)
    browser.stage.settings = browser.stage.settings.model_copy(update={"permissions": permissions})
    assert (await browser.link("@zoe:localhost")).startswith("/sign-in?link=")
    with pytest.raises(Declined, match="@yuki:localhost is no admin"):
        await browser.link("@yuki:localhost")


async def test_who_is_no_admin_any_more_is_signed_in_no_longer(browser: Browser) -> None:
    assert (await browser.sign_in()).path == "/"
    assert browser.stage.database is not None
    await browser.stage.database.commit(Statement("UPDATE console_sessions SET user_id = '@zoe:localhost'"))
    assert (await browser.get("/")).path == "/sign-in"


async def test_a_session_ends_in_time_and_when_its_owner_signs_out(browser: Browser) -> None:
    page = await browser.sign_in()
    assert (await browser.send(page, "/sign-out")).path == "/sign-in"
    assert (await browser.get("/")).path == "/sign-in"
    await browser.sign_in()
    assert browser.stage.database is not None
    await browser.stage.database.commit(Statement("UPDATE console_sessions SET expires_at = 1"))
    assert (await browser.get("/")).path == "/sign-in"


@pytest.mark.parametrize(("url", "name"), [("", "causeway"), ("https://console.example.org", "__Host-causeway")])
async def test_the_cookie_is_for_the_console_alone(url: str, name: str, sqlite_url: str) -> None:
    async with browsing(sqlite_url, **({"url": url} if url else {})) as browser:
        link = (await browser.link()).removeprefix(url)
        data = (await browser.get(link)).fields("/sign-in")
        async with browser.session.post(f"{browser.url}/sign-in", data=data, allow_redirects=False) as response:
            cookie = response.headers["Set-Cookie"]
        assert cookie.startswith(f"{name}=")
        assert {"HttpOnly", "Path=/", "SameSite=Strict", "Max-Age=43200"} <= set(cookie.split("; "))
        assert ("Secure" in cookie) is bool(url)


async def test_a_page_shows_nothing_to_strangers(browser: Browser) -> None:
    for path in (*(path for path, _ in PAGES), "/parked/1", "/moves/plan?channels=general", "/live"):
        page = await browser.get(path)
        assert page.path == "/sign-in", path
        assert "general" not in page.text


async def test_a_form_of_another_site_changes_nothing(browser: Browser) -> None:
    for path in ACTS:
        assert (await browser.post(path, {"form_token": "guessed"})).path == "/sign-in", path
    await browser.sign_in()
    for path in ACTS:
        for data in ({}, {"form_token": ""}, {"form_token": "guessed"}):
            page = await browser.post(path, data)
            assert page.status == 403, path
            assert "not made by the console" in page.text
    assert browser.stage.database is not None
    refused = [one.subject for one in await Audit(browser.stage.database).entries() if one.act == "refused"]
    assert refused == [path for path in ACTS for _ in range(3)]


async def test_links_cannot_be_tried_fast(browser: Browser) -> None:
    link = await browser.link()
    for _ in range(BURST):
        assert (await browser.post("/sign-in", {"link": "guessed"})).status == 403
    held = await browser.post("/sign-in", {"link": link.partition("=")[2]})
    assert (held.status, held.headers["Retry-After"]) == (429, str(int(EVERY)))
    assert "none is looked at for 10 seconds" in held.said
    assert browser.stage.database is not None
    entries = await Audit(browser.stage.database).entries()
    assert [(one.act, one.subject, one.detail) for one in entries] == [
        ("refused", "/sign-in", "unknown_link"),
        ("refused", "/sign-in", "too_many"),
    ]


# --- what it shows


async def until_it_says(browser: Browser, path: str, words: str) -> Page:
    async with asyncio.timeout(10):
        while words not in (page := await browser.get(path)).text:
            await asyncio.sleep(0.05)
    return page


async def test_every_page_is_shown_and_may_run_and_load_nothing_but_what_is_in_it(database_url: str) -> None:
    async with browsing(database_url) as browser:
        await browser.sign_in()
        for path, title in PAGES:
            page = await browser.get(path)
            heading = page.tree.css_first("h1")
            assert (page.status, heading and heading.text()) == (200, title)
            policy = page.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; style-src 'sha256-")
            assert "unsafe" not in policy
            assert not LOADS.search(page.text)
            assert page.headers["Cache-Control"] == "no-store"


async def test_the_overview_says_whether_the_bridge_is_ready(browser: Browser) -> None:
    await browser.sign_in()
    page = await until_it_says(browser, "/", "1 of 1 sockets")
    assert "acme" in page.text


async def test_the_overview_says_what_is_to_be_mended(browser: Browser) -> None:
    await browser.sign_in()
    assert "What is to be mended" not in (await browser.get("/")).text
    database = browser.stage.database
    assert database is not None
    added = "INSERT INTO departures (portal, type, detail, since) SELECT id, 't', 'guests may join it', 1 FROM portals"
    await database.commit(Statement(added))
    page = await browser.get("/")
    async with asyncio.timeout(30):
        while "the room &lt;is&gt; gone" not in page.text:  # a look back that ends just then ends the trouble too
            await database.commit(Statement("UPDATE portals SET trouble = 'the room <is> gone'"))
            page = await browser.get("/")
    assert "its room departs from its policy: guests may join it" in page.text
    assert page.tree.css_first('main ul a[href="/portals?search=general"]') is not None


async def test_a_plan_is_read_as_it_was_made_can_run_nothing_and_the_log_has_who_read_it(browser: Browser) -> None:
    await browser.sign_in()
    assert browser.stage.database is not None
    made = "<!doctype html><h1>Plan of export.zip</h1><script>alert(1)</script>"
    await Papers(browser.stage.database).keep(Kind.PLAN, "export.zip", "3 messages", "root (command line)", made)
    listed = await browser.get("/papers")
    link = listed.tree.css_first('a[aria-label="1, read the plan"]')
    assert link is not None
    assert "3 messages" in listed.text
    paper = await browser.get(str(link.attributes["href"]))
    assert paper.text == made
    assert paper.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'")
    last = (await Audit(browser.stage.database).entries())[-1]
    assert (last.act, last.subject, last.detail) == ("read", "plan 1", "export.zip")
    assert (await browser.send(listed, "/papers/drop")).said == "plan 1 is forgotten"
    gone = await browser.get("/papers/1")
    assert (gone.status, "there is no plan or report 1" in gone.text) == (404, True)
    assert (await Audit(browser.stage.database).entries())[-1].act == "drop"


async def test_a_move_to_matrix_is_shown_with_its_steps(browser: Browser) -> None:
    await browser.sign_in()
    assert "No channel moves to Matrix" in (await browser.get("/moves")).text
    assert browser.stage.database is not None
    cutovers = Cutovers(browser.stage.database)
    move = await cutovers.begin(PortalId(1), Phase.ANNOUNCED, "root (command line)")
    await cutovers.begin_step(move, Step.ANNOUNCE_IN_SLACK, "1 December", "root (command line)")
    page = await browser.get("/moves")
    assert [one.text() for one in page.tree.css("tbody td")][:2] == ["announced", "live"]
    assert "announce in Slack (1 December): begun" in page.text
    assert "not done, root (command line)" in page.text


async def test_a_move_is_planned_ordered_and_reverted_by_whoever_is_sure(browser: Browser) -> None:
    await browser.sign_in()
    page = await until_it_says(browser, "/moves/plan?channels=%23general", ">ready<")
    assert "relay nothing to Slack any more" in page.text
    told = await browser.send(page, "/moves/announce", date="1 December")
    assert (told.path, told.said) == ("/moves", "#general is announced for 1 December, in Slack and in its room")
    fields = page.fields("/moves/freeze")
    unsure = {name: value for name, value in fields.items() if name not in ("sure", "anyway")}
    assert "say that you are sure" in (await browser.post("/moves/freeze", unsure)).said
    told = await browser.post("/moves/freeze", fields)
    assert told.said.startswith("#general is frozen: it lives in Matrix now")
    again = await browser.send(page, "/moves/announce", date="8 December")
    assert again.said == "#general: it is frozen already"
    unproven = {name: value for name, value in page.fields("/moves/finish").items() if name != "no_report"}
    told = await browser.post("/moves/finish", unproven)
    assert "nothing was imported yet" in told.said
    told = await browser.send(told, "/moves/revert")
    assert told.said == "#general goes on in Slack as before"
    assert [one.text() for one in told.tree.css("section h2, h2")][:3] == ["Plan a move", "Ordered here", "Moves"]
    assert "reverted" in told.text
    assert browser.stage.database is not None
    entries = await Audit(browser.stage.database).entries()
    acts = [one.act for one in entries if one.actor == f"{ADMIN} (console, 127.0.0.1)"]
    assert {"cutover: announce in Slack", "cutover: tell Slack", "cutover: end the move"} <= set(acts)
    refused = [(one.subject, one.detail) for one in entries if one.act == "refused"]
    where = f"{browser.stage.workspace.id}/{browser.stage.workspace.channel('general').id}"
    assert refused == [
        ("/moves/freeze", "not_sure"),
        (f"cutover announce {where}", "not_now"),
        ("/moves/announce", "failed"),
        (f"cutover finish {where}", "nothing_imported"),
        ("/moves/finish", "failed"),
    ]


async def test_a_move_of_a_channel_that_is_not_known_is_not_begun(browser: Browser) -> None:
    await browser.sign_in()
    page = await browser.get("/moves/plan?channels=%23general%0A%23genral")
    assert (page.status, "there is no portal of #genral: did you mean #general?" in page.text) == (404, True)
    assert "name a channel" in (await browser.get("/moves/plan?channels=")).text


async def test_figures_come_live_and_end_with_the_session(browser: Browser) -> None:
    await browser.sign_in()
    async with browser.session.get(f"{browser.url}/live") as response:
        assert response.content_type == "text/event-stream"
        line = await response.content.readline()
        figures = orjson.loads(line.removeprefix(b"data: "))
        shown = (await browser.get("/")).tree.css("[data-live]")
        assert {one.attributes["data-live"] for one in shown} <= figures.keys()
        assert browser.stage.database is not None
        await browser.stage.database.commit(Statement("DELETE FROM console_sessions"))
        async with asyncio.timeout(10):
            assert b"data" not in (await response.content.read()).strip()


async def test_a_bridge_stops_at_once_though_somebody_watches(browser: Browser) -> None:
    await browser.sign_in()
    async with browser.session.get(f"{browser.url}/live") as response:
        await response.content.readline()
        async with asyncio.timeout(3):
            await browser.stage.stop()


async def test_settings_are_shown_without_what_is_secret(browser: Browser) -> None:
    await browser.sign_in()
    page = await browser.get("/settings")
    assert "slack.workspaces[0].name" in page.text
    assert not [one for one in browser.stage.settings.secrets() if one in page.text]
    assert "set, and secret" in page.text


async def test_what_is_not_there_is_told(browser: Browser) -> None:
    await browser.sign_in()
    assert (await browser.get("/nowhere")).status == 404
    assert "nothing is parked as number 77" in (await browser.get("/parked/77")).text
    assert "begin anew" in (await browser.get("/portals?after=-1")).text


# --- what it does


async def test_a_portal_is_added_paused_resumed_and_removed(browser: Browser) -> None:
    await browser.sign_in()
    page = await browser.send(await browser.get("/portals"), "/portals/add", channel="#support")
    assert page.said == "#support becomes a portal: planned"
    assert (await browser.get("/portals")).said == ""
    await until_it_says(browser, "/portals?search=support&state=live", "#support")
    page = await browser.get("/portals?search=support")
    page = await browser.send(page, "/portals/pause")
    assert page.said == "#support is paused"
    page = await browser.send(page, "/portals/resume")
    assert page.said == "#support is live"
    page = await browser.send(await browser.get("/portals?search=support"), "/portals/remove")
    assert page.said == "#support is removed"
    page = await browser.send(page, "/portals/add", channel="#nosuchthing")
    assert "Slack shows the bot no channel #nosuchthing" in page.said
    said = page.tree.css_first("p.said")
    assert said is not None
    assert said.attributes["role"] == "alert"


async def test_a_parked_message_is_shown_as_text_whatever_is_in_it(browser: Browser) -> None:
    await browser.sign_in()
    assert browser.stage.database is not None
    await browser.stage.database.commit(*[Statement(PARK, (f"slack:{number}",)) for number in range(2)])
    page = await browser.get("/parked")
    assert "too &lt;b&gt;odd" in page.text
    assert "alert(1)" not in page.text
    number = page.fields("/parked/retry")["number"]
    one = await browser.get(f"/parked/{number}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in one.text
    assert (await browser.send(one, "/parked/drop")).said == f"number {number} is given up"
    assert "is tried again" in (await browser.send(await browser.get("/parked"), "/parked/retry")).said
    log = await browser.get("/audit")
    assert f"parked {number}" in log.text


async def test_people_are_found_linked_and_unlinked(browser: Browser) -> None:
    await browser.sign_in()
    user = browser.stage.workspace.user("amara").id
    page = await until_it_says(browser, "/people", user)
    page = await browser.send(page, "/people/link", user=user, account="@amara:localhost")
    assert page.said == f"{user} is @amara:localhost"
    page = await browser.get("/people?linked=yes")
    assert (await browser.send(page, "/people/unlink")).said == f"{user} is not @amara:localhost any more"
    page = await browser.send(page, "/people/link", user="amara", account="@amara:localhost")
    assert "Copy member ID" in page.said


async def test_the_console_works_for_whoever_keeps_no_cookies_but_says_so(browser: Browser) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        stranger = Browser(browser.stage, session)
        page = await stranger.send(await stranger.get(await stranger.link()), "/sign-in")
        assert page.path == "/sign-in"


# --- what is held

HELD = (
    "INSERT INTO held (portal, name, direction, queue, source, raw, place, rank, wait, author, rule, subject, digest, "
    "approved, since, until) "
    "VALUES (1, $1, 'to_slack', '!r:localhost', $1, $2, 1, '', 'moderator', $3, 'hold', 's', '', 0, 1, 9999999999999)"
)


async def test_what_is_held_is_read_and_decided_about_but_by_nobody_of_their_own(browser: Browser) -> None:
    assert browser.stage.database is not None
    raw = orjson.dumps({"content": {"body": "VS-NfD <b>plan</b>"}}).decode()
    for name, author in (("$a", "@ada:localhost"), ("$b", ADMIN), ("$c", "@ada:localhost")):
        await browser.stage.database.commit(Statement(HELD, (name, raw, author)))
    await browser.send(await browser.get(await browser.link()), "/sign-in")
    page = await browser.get("/held")
    assert "VS-NfD" not in page.text
    assert "@ada:localhost" in page.text
    assert "VS-NfD &lt;b&gt;plan" in (await browser.get("/held/1")).text
    assert "goes its way" in (await browser.send(page, "/held/approve", number="1")).said
    assert "nobody lets through what they wrote" in (await browser.send(page, "/held/approve", number="2")).said
    assert "is refused" in (await browser.send(page, "/held/refuse", number="3")).said
    rows = await browser.stage.database.fetch("SELECT name, verdict, decided_by FROM held WHERE name = '$b'")
    assert [tuple(row) for row in rows] == [("$b", "", "")]
