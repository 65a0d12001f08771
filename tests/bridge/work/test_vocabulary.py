"""Custom emoji and user groups: asked for once however many want to know, never out of date by being read."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import Later, Refused
from bridge.store.directory import Directory
from bridge.store.ledger import TO_MATRIX, Arrival, Ledger
from bridge.store.opening import open_database
from bridge.work.vocabulary import Vocabulary
from portals.events import SlackNamesChange
from portals.ids import GhostNames, TeamId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.store.database import Database

TEAM = TeamId("T1")
SHIP = "https://emoji.example/ship.png"


class Slack:
    """Lists emoji, after as long as it is held up."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.asked = 0
        self.refusal: Exception | None = None
        self.hold = asyncio.Event()
        self.hold.set()

    async def emoji(self) -> dict[str, str]:
        self.asked += 1
        listed = dict(self.names)
        await self.hold.wait()
        if self.refusal is not None:
            raise self.refusal
        return listed

    async def usergroups(self) -> list[dict[str, Any]]:
        return [{"id": "S1", "handle": "crew"}]


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    database = await open_database(sqlite_url)
    yield database
    await database.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
def known(database: Database, ledger: Ledger, slack: Slack, clock: Clock) -> Vocabulary:
    installations: Any = {TEAM: SimpleNamespace(client=slack)}
    names = GhostNames("localhost", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
    return Vocabulary(directory=Directory(database, names), ledger=ledger, installations=installations, clock=clock)


async def test_many_who_miss_one_at_the_same_time_ask_once_and_all_learn_it(known: Vocabulary, slack: Slack) -> None:
    slack.names["ship"] = SHIP
    slack.hold.clear()
    asking = [asyncio.create_task(known.emoji(TEAM, ["ship"])) for _ in range(5)]
    await asyncio.sleep(0.05)
    slack.hold.set()
    assert await asyncio.gather(*asking) == [{"ship": SHIP}] * 5
    assert slack.asked == 1


async def test_what_nobody_knows_is_asked_about_now_and_then_only(
    known: Vocabulary, slack: Slack, clock: Clock
) -> None:
    for _ in range(3):
        assert await known.emoji(TEAM, ["30"]) == {}
    assert slack.asked == 1
    slack.names["30"] = SHIP
    clock.now += 301
    assert await known.emoji(TEAM, ["30"]) == {"30": SHIP}


async def test_an_event_about_it_that_waits_is_taken_up_first(known: Vocabulary, ledger: Ledger) -> None:
    await ledger.admit([Arrival(TO_MATRIX, TEAM, "slack:T1/Ev1", '{"event":{"type":"user_change"}}')])
    assert await known.emoji(TEAM, ["ship"]) == {}
    await ledger.admit([Arrival(TO_MATRIX, TEAM, "slack:T1/Ev2", '{"event":{"type":"emoji_changed"}}')])
    assert await known.usergroups(TEAM, ["S1"]) == {"S1": "crew"}
    with pytest.raises(Later, match="taken up first"):
        await known.emoji(TEAM, ["ship"])


async def test_aliases_lead_to_a_picture_or_to_a_standard_emoji_and_circles_to_nothing(
    known: Vocabulary, slack: Slack
) -> None:
    slack.names |= {"ship": SHIP, "boat": "alias:ship", "bark": "alias:boat", "yes": "alias:thumbsup"}
    slack.names |= {"a": "alias:b", "b": "alias:a", "lost": "alias:nowhere"}
    found = await known.emoji(TEAM, slack.names)
    assert found == {"ship": SHIP, "boat": SHIP, "bark": SHIP, "yes": "👍"}


async def test_an_event_that_comes_while_all_are_read_is_not_undone(known: Vocabulary, slack: Slack) -> None:
    slack.names["old"] = SHIP
    slack.hold.clear()
    reading = asyncio.create_task(known.read(TEAM))
    await asyncio.sleep(0.05)
    slack.names["new"] = SHIP
    await known.take_up(TEAM, SlackNamesChange("s", "emoji", given=(("new", SHIP),)), repeated=False)
    slack.hold.set()
    await reading
    assert await known.emoji(TEAM, ["old", "new"]) == {"old": SHIP, "new": SHIP}


async def test_a_late_repetition_is_not_believed(known: Vocabulary, slack: Slack) -> None:
    await known.take_up(TEAM, SlackNamesChange("s", "emoji", given=(("gone", SHIP),)), repeated=True)
    assert await known.emoji(TEAM, ["gone"]) == {}
    assert await known.usergroups(TEAM, ["S1"]) == {"S1": "crew"}


async def test_without_the_scope_they_are_names_and_with_a_bad_token_the_message_waits(
    known: Vocabulary, slack: Slack, clock: Clock
) -> None:
    slack.refusal = Refused("missing_scope", "emoji:read")
    assert await known.emoji(TEAM, ["ship"]) == {}
    assert await known.emoji(TEAM, ["ship"]) == {}
    assert slack.asked == 1
    clock.now += 301
    slack.refusal = Refused("token_revoked", "no")
    with pytest.raises(Later):
        await known.emoji(TEAM, ["ship"])
