"""Only the person themself connects their account: what is forged, used, too old or another's leads nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from bridge.store.database import Statement
from tests.journeys.consenting import Consents, consents_on, other_team
from tests.sandbox.slack import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BEGIN_ANEW = "This was not begun in this browser, or too long ago"


@pytest.fixture
async def consents(sqlite_url: str) -> AsyncIterator[Consents]:
    async with consents_on(sqlite_url) as consents:
        yield consents


async def grants(consents: Consents) -> list[tuple[str, ...]]:
    return await consents.rows("SELECT account, state FROM grants")


def live_tokens(consents: Consents) -> list[str]:
    return [one.user_id for one in consents.slack.tokens.values() if one.kind == "user" and one.state == "live"]


async def test_our_page_says_who_asks_and_leads_to_slack_with_as_little_as_it_takes(consents: Consents) -> None:
    ada, room = await consents.own_room()
    assert "for you alone" in await consents.ask(ada, consents.talk.room, "!slack connect")
    link = await consents.link(ada, room)
    status, page = await consents.page(link)
    assert (status, "<strong>@ada:localhost</strong> asks to write" in page) == (200, True)
    assert await grants(consents) == []
    address = await consents.to_slack(link)
    assert address.startswith(f"{consents.slack.url}/oauth/v2/authorize?client_id=")
    assert "user_scope=chat:write,files:read,files:write,reactions:write&" in address
    assert "code_challenge" not in address
    status, page = await consents.page(consents.slack.oauth.consent(address, "alice"))
    assert (status, "as you from now on" in page) == (200, True)
    assert await grants(consents) == [("@ada:localhost", "live")]
    said = await consents.rows("SELECT actor, act FROM audit ORDER BY id")
    assert said[-2:] == [("@ada:localhost (OAuth consent)", "link"), ("@ada:localhost (OAuth consent)", "connect")]
    stored = str(await consents.rows("SELECT * FROM grants"))
    assert not any(one.value in stored for one in consents.slack.tokens.values())


async def test_links_and_states_are_good_once_in_one_browser_and_for_minutes(consents: Consents) -> None:
    ada, room = await consents.own_room()
    link = await consents.link(ada, room)
    address = await consents.to_slack(link)
    again, page = await consents.page(link)
    assert (again, "Ask the bot for a new link" in page) == (400, True)
    back = consents.slack.oauth.consent(address, "alice")
    async with aiohttp.ClientSession() as another:  # whom somebody has sent the address that leads back
        assert BEGIN_ANEW in (await consents.page(back, another))[1]
    assert BEGIN_ANEW in (await consents.page(back))[1]  # it was used up by that
    forged = back.replace("state=", "state=x")
    assert BEGIN_ANEW in (await consents.page(forged))[1]
    assert BEGIN_ANEW in (await consents.page(back.partition("&state")[0]))[1]
    address = await consents.to_slack(await consents.link(ada, room))
    assert consents.talk.stage.database is not None
    await consents.talk.stage.database.commit(Statement("UPDATE consent_steps SET expires_at = 1"))
    assert BEGIN_ANEW in (await consents.page(consents.slack.oauth.consent(address, "alice")))[1]
    assert await grants(consents) == []
    assert live_tokens(consents) == []


async def test_the_way_on_cannot_be_made_by_who_knows_the_link_alone(consents: Consents) -> None:
    ada, room = await consents.own_room()
    link = await consents.link(ada, room)
    for go in ("1", "0" * 64, "é"):
        status, page = await consents.page(f"{link}&go={go}")
        assert (status, "Open the link that you were given once more" in page) == (400, True)
    async with aiohttp.ClientSession() as mallory:
        _, page = await consents.page(link, mallory)
        onward = page.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    status, page = await consents.page(link.partition("/slack/")[0] + onward)  # in the browser of a victim
    assert (status, "Open the link that you were given once more" in page) == (400, True)


async def test_whoever_does_not_agree_changes_nothing_and_an_answer_that_is_lost_is_told(consents: Consents) -> None:
    ada, room = await consents.own_room()
    assert "You did not agree" in (await consents.back(await consents.link(ada, room), "alice", agrees=False))[1]
    consents.slack.faults.next_calls("oauth.v2.access", Kind.DROP_AFTER, 1)
    assert "answer was lost" in (await consents.back(await consents.link(ada, room), "alice"))[1]
    consents.slack.faults.next_calls("oauth.v2.access", Kind.ERROR, 1, error="invalid_code")
    assert "did not take it (invalid_code)" in (await consents.back(await consents.link(ada, room), "alice"))[1]
    assert await grants(consents) == []


async def test_a_token_of_the_wrong_person_or_workspace_is_revoked_and_forgotten(consents: Consents) -> None:
    ada, room = await consents.own_room()
    other = other_team(consents.slack)
    page = await consents.back(await consents.link(ada, room), "mallory", workspace=other)
    assert "another workspace than acme" in page[1]
    assert live_tokens(consents) == []
    assert (await consents.back(await consents.link(ada, room), "alice"))[0] == 200
    page = await consents.back(await consents.link(ada, room), "carol")
    assert "You are linked to another account of Slack" in page[1]
    cecil, own = await consents.own_room("cecil")
    page = await consents.back(await consents.link(cecil, own), "alice")
    assert "belongs to somebody else of Matrix" in page[1]
    assert await grants(consents) == [("@ada:localhost", "live")]
    assert live_tokens(consents) == [consents.talk.in_slack("alice").id]


async def test_who_is_not_linked_any_more_is_not_acted_for(consents: Consents) -> None:
    ada, room = await consents.connect()
    assert "The link has ended" in await consents.ask(ada, room, "unlink")
    await ada.say(consents.talk.room, "by the app")
    await consents.talk.settle()
    assert consents.talk.entries()[-1].author == "ada"
