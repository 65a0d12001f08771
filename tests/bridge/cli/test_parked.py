"""`causeway parked` shows what was put aside and why, tries it again beside the bridge, and gives it up for good."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from bridge.store.ledger import TO_MATRIX, TO_SLACK, Arrival, Ledger
from bridge.store.opening import open_database
from tests.bridge.cli.bridged import Bridged, bridged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway

SECRET = "the words of the message"


@pytest.fixture
async def bridge(causeway: Causeway, tmp_path: Path, sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(causeway, tmp_path, sqlite_url) as bridge:
        yield bridge


async def park(bridge: Bridged, direction: str, queue: str, name: str, raw: str = json.dumps({"text": SECRET})) -> int:
    """Put a row aside; returns its number."""
    database = await open_database(bridge.stage.settings.database.url.reveal())
    try:
        ledger = Ledger(database)
        results = await ledger.admit([Arrival(direction, queue, name, raw)])
        (row,) = await ledger.next_rows(direction, queue, 1)
        await ledger.park(row, f"the reason of {name}")
        return int(results[0][0][0])
    finally:
        await database.close()


async def channel_queue(bridge: Bridged, channel: str) -> str:
    return f"{bridge.stage.workspace.id}/{bridge.stage.workspace.channel(channel).id}"


async def test_what_is_parked_is_listed_without_its_words(bridge: Bridged) -> None:
    assert (await bridge.say("parked", "list")).out == "Nothing is parked.\n"
    await bridge.say("portals", "add", "#general")
    first = await park(bridge, TO_MATRIX, await channel_queue(bridge, "#general"), "one")
    second = await park(bridge, TO_SLACK, "!gone:localhost", "two")
    said = await bridge.say("parked", "list")
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert lines[0] == "Number Direction Portal Age Reason"
    assert lines[1].startswith(f"{first} to_matrix #general ")
    assert lines[1].endswith("s the reason of one")
    assert lines[2].startswith(f"{second} to_slack !gone:localhost ")
    listed = await bridge.say("parked", "list", "--json")
    assert [(one["number"], one["name"], one["room"]) for one in listed.data["parked"]] == [
        (first, "general", None),
        (second, None, "!gone:localhost"),
    ]
    assert SECRET not in said.out + listed.out
    only = await bridge.say("parked", "list", "--portal", "#general", "--json")
    assert [one["number"] for one in only.data["parked"]] == [first]


async def test_one_is_shown_with_its_words(bridge: Bridged) -> None:
    number = str(await park(bridge, TO_SLACK, "!room:localhost", "one"))
    out = (await bridge.say("parked", "show", number)).out
    assert f"number: {number}\ndirection: to_slack\nroom: !room:localhost\n" in out
    assert "reason: the reason of one\n" in out
    assert f'"text": "{SECRET}"' in out
    assert (await bridge.say("parked", "show", number, "--json")).data["event"] == {"text": SECRET}


async def test_what_was_never_json_is_shown_as_it_came(bridge: Bridged) -> None:
    number = str(await park(bridge, TO_SLACK, "!room:localhost", "one", raw="{rubbish"))
    assert (await bridge.say("parked", "show", number, "--json")).data["event"] == "{rubbish"


async def test_a_message_that_could_not_cross_does_so_when_it_is_tried_again(bridge: Bridged) -> None:
    await bridge.stage.start()
    await bridge.say("portals", "add", "#general")
    room = (await bridge.portal_that("general", state="live", caught_up=True))["room"]
    matrix = await bridge.stage.person("zoe", "#general")
    amara = bridge.stage.workspace.person("amara")
    amara.archive("#general")
    await matrix.say(room, "nobody lets me in")
    async with asyncio.timeout(10):
        while not (listed := (await bridge.say("parked", "list", "--json")).data["parked"]):
            await asyncio.sleep(0.05)
    number = str(listed[0]["number"])
    assert listed[0]["name"] == "general"
    assert "is_archived" in listed[0]["reason"]
    amara.unarchive("#general")
    assert (await bridge.say("parked", "retry", number)).out == f"retried: {number}\n"
    async with asyncio.timeout(10):
        while bridge.stage.entries("#general")[-1].text != "nobody lets me in":
            await asyncio.sleep(0.02)
    assert (await bridge.say("parked", "list", "--json")).data == {"parked": []}


async def test_many_are_retried_or_dropped_by_number_or_by_portal(bridge: Bridged) -> None:
    for channel in ("#general", "#support"):
        await bridge.say("portals", "add", channel)
    general, support = [await channel_queue(bridge, channel) for channel in ("#general", "#support")]
    numbers = [
        await park(bridge, TO_MATRIX, queue, str(n)) for n, queue in enumerate((general, general, general, support))
    ]
    first, second, third, last = map(str, numbers)
    assert (await bridge.say("parked", "retry", first, "--json")).data == {"retried": [numbers[0]]}
    assert (await bridge.say("parked", "drop", second, second)).out == f"dropped: {second}\n"
    said = await bridge.say("parked", "drop", first, third, "999", code=1)
    assert said.out == f"dropped: {third}\n"
    assert f"nothing is parked as number {first}" in said.err
    assert "nothing is parked as number 999" in said.err
    assert (await bridge.say("parked", "retry", "--all", "--portal", "#general")).out == "retried: nothing\n"
    assert (await bridge.say("parked", "drop", "--all")).out == f"dropped: {last}\n"
    assert (await bridge.say("parked", "list")).out == "Nothing is parked.\n"


async def test_what_belongs_to_a_removed_portal_stays_parked(bridge: Bridged) -> None:
    await bridge.say("portals", "add", "#general")
    number = str(await park(bridge, TO_MATRIX, await channel_queue(bridge, "#general"), "one"))
    await bridge.say("portals", "remove", "#general")
    said = await bridge.say("parked", "retry", "--all", code=1)
    assert f"number {number} stays parked, for its portal was removed" in said.err
    await bridge.say("portals", "add", "#general")
    assert (await bridge.say("parked", "retry", "--all")).out == f"retried: {number}\n"


@pytest.mark.parametrize("number", ["0", "-5", "7", "99999999999999999999999"])
async def test_a_number_that_is_not_parked_is_told(bridge: Bridged, number: str) -> None:
    assert f"nothing is parked as number {number}" in (await bridge.say("parked", "show", "--", number, code=1)).err


@pytest.mark.parametrize(
    ("words", "err"),
    [
        ([], "write the numbers that `causeway parked list` shows, or --all"),
        (["1", "--all"], "write the numbers that `causeway parked list` shows, or --all"),
        (["1", "--portal", "#general"], "--portal belongs to --all"),
        (["one"], "'one' is not a valid integer"),
    ],
)
@pytest.mark.parametrize("command", ["retry", "drop"])
async def test_a_misuse_is_told(bridge: Bridged, command: str, words: list[str], err: str) -> None:
    assert err in (await bridge.say("parked", command, *words, code=2)).err
