"""`causeway report` reads rooms back, says whether they show what Slack had, and ends with 1 where they do not."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store.papers import Papers
from portals.history.selection import Selection
from portals.ids import Ts
from tests.bridge.cli.bridged import Bridged, bridged
from tests.journeys.importing import bring
from tests.sandbox.exports import Generated, export_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway
    from tests.sandbox.homeserver.world import Event

MESSAGE = "m.room.message"


@pytest.fixture
async def bridge(causeway: Causeway, tmp_path: Path, sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(causeway, tmp_path, sqlite_url, rooms={"join_rule": "public"}) as bridge:
        yield bridge


async def imported(bridge: Bridged, path: Path, seed: int = 3, messages: int = 250) -> Path:
    """Import a generated export and return its path."""
    slack, team = bridge.stage.slack, bridge.stage.workspace.id
    spec = Generated(seed=seed, messages=messages, channels=8, largest=5000, host=slack.url, team=team)
    slack.hosting.exported[team] = spec.files()
    spec.write(path, "full")
    await bridge.stage.start()
    await bring(bridge.stage.settings, path)
    return path


def shown(bridge: Bridged, data: dict[str, Any], name: str = "general") -> list[Event]:
    """Return the messages that a channel's room shows of Slack's."""
    (room,) = next(one for one in data["channels"] if one["name"] == name)["rooms"]
    events = bridge.stage.homeserver.world.rooms[room].events
    return [event for event in events if event.type == MESSAGE and "dev.causeway.slack" in event.content]


# --- an import


async def test_an_import_proves_to_be_whole_and_a_damage_is_found(bridge: Bridged, tmp_path: Path) -> None:
    path = await imported(bridge, tmp_path / "export.zip")
    said = await bridge.say("report")
    assert said.out.endswith("Nothing is unexplained\n")
    assert bridge.stage.database is not None
    (paper,) = await Papers(bridge.stage.database).before(9, 9)
    assert (paper.kind, paper.title, paper.outcome) == ("report", "export.zip", "Nothing is unexplained")
    data = (await bridge.say("report", "--checksums", "--json")).data
    assert data["unexplained"] == 0
    (source,) = data["sources"]
    assert (source["name"], source["sha256"]) == ("export.zip", hashlib.sha256(path.read_bytes()).hexdigest())
    assert all(problem["where"] and problem["what"] for problem in source["problems"])
    general = next(one for one in data["channels"] if one["name"] == "general")
    assert general["digest"]["equal"]
    assert general["counts"]["messages"]["source"] > 50
    assert general["checked_files"] > 0
    for channel in data["channels"]:
        for kind, counts in channel["counts"].items():
            parts = ("present", "differing", "missing", "quarantined", "explained")
            assert counts["source"] == sum(counts[part] for part in parts), (channel["name"], kind)
    assert any("did not agree" in one["reason"] for one in data["left_out"])

    event = shown(bridge, data)[5]
    event.content = {
        **event.content,
        "body": "<script>alert(1)</script> was never said",
        "format": "",
        "formatted_body": "",
    }
    said = await bridge.say("report", "--channel", "#general", "--html", str(tmp_path / "report.html"), code=1)
    assert said.out.endswith("1 thing is unexplained\n")
    assert f"messages: content: {event.content['dev.causeway.slack']['ts']}, general/" in said.out
    assert f", {event.event_id}\n" in said.out
    assert "found: <script>alert(1)</script> was never said" in said.out
    data = (await bridge.say("report", "--channel", "general", "--json", code=1)).data
    (general,) = data["channels"]
    assert [(one["kind"], one["what"], one["event_id"]) for one in general["differences"]] == [
        ("messages", "content", event.event_id)
    ]
    assert not general["digest"]["equal"]
    page = (tmp_path / "report.html").read_text()
    assert "1 thing is unexplained." in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; was never said" in page
    assert event.event_id in page
    assert general["digest"]["source"] in page
    assert general["digest"]["room"] in page


async def test_the_page_needs_nothing_but_itself(bridge: Bridged, tmp_path: Path) -> None:
    await imported(bridge, tmp_path / "export.zip", messages=60)
    said = await bridge.say("report", "--html", str(tmp_path / "report.html"))
    assert "export.zip cannot be compared at FC:" in said.out
    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o600
    page = (tmp_path / "report.html").read_text()
    assert "What of export.zip could not be read, and is not compared" in page
    assert "<script" not in page
    assert set(re.findall(r"""(?:src|href)\s*=\s*(..)""", page)) == {'"#'}
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page
    assert "Nothing is unexplained." in page
    assert "export.zip" in page


async def test_a_later_export_is_the_measure_of_the_past(bridge: Bridged, tmp_path: Path) -> None:
    slack, team = bridge.stage.slack, bridge.stage.workspace.id
    first = Generated(seed=4, messages=200, channels=4, largest=5000, host=slack.url, team=team)
    slack.hosting.exported[team] = first.files()
    first.write(tmp_path / "first.zip", "standard")
    changes = first.later(0.05).write(tmp_path / "second.zip", "standard").changes
    assert changes
    await bridge.stage.start()
    await bring(bridge.stage.settings, tmp_path / "first.zip")
    both = ("--export", str(tmp_path / "first.zip"), "--export", str(tmp_path / "second.zip"))
    assert (await bridge.say("report", *both, "--json", code=1)).data["unexplained"] > 0
    await bring(bridge.stage.settings, tmp_path / "second.zip")
    said = await bridge.say("report", *both, "--json")
    assert said.data["unexplained"] == 0
    assert [one["name"] for one in said.data["sources"]] == ["first.zip", "second.zip"]
    assert (await bridge.say("report", "--json")).data["totals"] == said.data["totals"]


async def test_what_an_import_was_to_leave_out_is_not_missed_until_somebody_asks_for_it(
    causeway: Causeway, tmp_path: Path, sqlite_url: str
) -> None:
    async with bridged(causeway, tmp_path, sqlite_url, portals={"automatic": {"include": []}}) as bridge:
        amara = bridge.stage.workspace.person("amara")
        await bridge.stage.start()
        early = amara.post("#general", "before the time that was wanted")
        late = amara.post("#general", "since then")
        amara.set_topic("#general", "plans")
        await settled(bridge)
        export_of(bridge.stage.workspace, tmp_path / "export.zip")
        wanted = Selection(channels=frozenset({"general"}), since=Ts(late.ts))
        await bring(bridge.stage.settings, tmp_path / "export.zip", wanted)
        data = (await bridge.say("report", "--json")).data
        (general,) = data["channels"]
        assert (general["name"], general["unexplained"], general["counts"]["topics"]["present"]) == ("general", 0, 1)
        assert {one["reason"] for one in data["left_out"]} == {"the import was to leave it out, by --channel or --kind"}
        asked = (await bridge.say("report", "--channel", "general", "--since", "2000-01-01", "--json", code=1)).data
        assert early.ts in {one["ts"] for one in asked["channels"][0]["differences"]}
        amara.set_topic("#general", "another one")
        amara.edit("#general", late.ts, "since then, and better")
        await settled(bridge)
        now = (await bridge.say("report", "--api", "--channel", "general", "--json", code=1)).data
        told = now["channels"][0]
        assert "missing" in {one["what"] for one in told["differences"]}
        assert late.ts not in {one["ts"] for one in told["differences"]}
        assert told["counts"]["topics"]["present"] == 1
        assert [one["name"] for one in now["sources"]] == ["slack-acme"]


async def test_what_a_policy_withheld_from_an_import_is_no_loss(
    causeway: Causeway, tmp_path: Path, sqlite_url: str
) -> None:
    policy = {"name": "default", "words": ["secret"], "kinds": ["text", "files", "links", "mentions", "edits"]}
    history = {"system_messages": "all"}
    more = {"policies": [policy], "portals": {"automatic": {"include": []}}, "imports": history}
    async with bridged(causeway, tmp_path, sqlite_url, **more) as bridge:
        amara = bridge.stage.workspace.person("amara")
        amara.post("#general", "a secret")
        liked = amara.post("#general", "no such thing")
        amara.react("#general", liked.ts, "tada")
        export_of(bridge.stage.workspace, tmp_path / "export.zip")
        await bridge.stage.start()
        await bring(bridge.stage.settings, tmp_path / "export.zip", Selection(channels=frozenset({"general"})))
        (general,) = (await bridge.say("report", "--json")).data["channels"]
        reasons = {kind: tally["reasons"] for kind, tally in general["counts"].items()}
        assert reasons["messages"]["withheld by the policy (words)"] == 1
        assert list(reasons["reactions"]) == ["withheld by the policy (kinds: reactions)"]
        assert general["unexplained"] == 0
        said = [event.content["body"] for event in shown(bridge, {"channels": [general]})]
        assert any(body.startswith("has joined") for body in said)


# --- a channel that is mirrored


async def test_a_mirrored_workspace_is_compared_with_an_export_of_it(
    causeway: Causeway, tmp_path: Path, sqlite_url: str
) -> None:
    portals = {"automatic": {"include": ["general", "engineering"]}}
    async with bridged(causeway, tmp_path, sqlite_url, portals=portals, rooms={"join_rule": "public"}) as bridge:
        amara = bridge.stage.workspace.person("amara")
        await bridge.stage.start()
        await settled(bridge)
        matrix = await bridge.stage.person("zoe", "#general")
        await matrix.say(await bridge.stage.room("#general"), "from Matrix")
        amara.post("#general", "before the export")
        await bridge.shows("#general", "before the export")
        await settled(bridge)
        export_of(bridge.stage.workspace, tmp_path / "now.zip", "full")
        amara.post("#general", "since the export")
        await bridge.shows("#general", "since the export")
        data = (await bridge.say("report", "--export", str(tmp_path / "now.zip"), "--json")).data
        assert data["unexplained"] == 0
        general = next(one for one in data["channels"] if one["name"] == "general")
        assert general["written_in_matrix"] == 1
        assert general["newer"] == 1
        assert any("the room holds the original" in reason for reason in general["counts"]["messages"]["reasons"])
        assert {one["name"] for one in data["left_out"]} >= {"support", "random"}
        assert all(one["explained"] for one in data["left_out"])


async def settled(bridge: Bridged) -> None:
    async with asyncio.timeout(20):
        while await bridge.stage.unsettled():
            await asyncio.sleep(0.05)


# --- what cannot be proven


async def test_without_an_export_there_is_nothing_to_compare_with(bridge: Bridged) -> None:
    assert "name what to compare with: --export PATH" in (await bridge.say("report", code=2)).err


async def test_a_channel_that_is_not_there_or_has_no_room_is_told(bridge: Bridged, tmp_path: Path) -> None:
    export_of(bridge.stage.workspace, tmp_path / "now.zip")
    export = ("--export", str(tmp_path / "now.zip"))
    said = await bridge.say("report", *export, "--channel", "general", code=1)
    assert "general has no room: nothing mirrors it, and no import took it" in said.err
    said = await bridge.say("report", *export, "--channel", "nowhere", code=1)
    assert "no channel of the source is meant" in said.err


async def test_an_archive_that_is_gone_is_told(bridge: Bridged, tmp_path: Path) -> None:
    path = await imported(bridge, tmp_path / "export.zip", messages=60)
    path.unlink()
    assert "export.zip" in (await bridge.say("report", code=1)).err
