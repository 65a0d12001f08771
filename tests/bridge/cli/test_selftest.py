"""`causeway selftest` proves what works, tells what does not and what to do, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from bridge.selftest.matrix_side import MatrixSide
from bridge.store.learned import Learned
from portals.ids import TeamId
from tests.bridge.cli.bridged import Bridged, bridged
from tests.sandbox.slack import Reality

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from tests.bridge.cli.conftest import Causeway

CHANNEL = "#random"
BOTH = {f"{thing} came across" for thing in ("a message", "an edit", "a reaction", "a file", "a deletion")}


@pytest.fixture
async def bridge(
    causeway: Causeway, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bridged]:
    module = import_module("bridge.cli.selftest")  # the package's attribute of that name is the command
    monkeypatch.setattr(module, "PACE", 0.05)
    monkeypatch.setattr(module, "SCALE", 0)
    async with bridged(causeway, tmp_path, sqlite_url) as bridge:
        await bridge.stage.start()
        await bridge.say("portals", "add", CHANNEL)
        await bridge.portal_that(CHANNEL[1:], state="live", caught_up=True)
        yield bridge


async def tried(bridge: Bridged, monkeypatch: pytest.MonkeyPatch, *more: str, code: int = 0) -> Any:
    """Try with a second app and a person of Matrix; returns what the command printed as JSON."""
    slack, workspace = bridge.stage.slack, bridge.stage.workspace
    app = slack.install(workspace, slack.new_app("Speaker", ()))
    person = await bridge.stage.homeserver.person("tess")
    monkeypatch.setenv("SPEAKER", app.token.value)
    monkeypatch.setenv("TESTER", person.token)
    words = ("--slack-token", "env:SPEAKER", "--matrix-token", "env:TESTER", "--json", *more)
    return (await bridge.say("selftest", "--channel", CHANNEL, *words, code=code)).data


def said(data: Any, subject: str) -> list[str]:
    return [line["detail"] for line in data["lines"] if line["subject"] == subject]


async def traces(bridge: Bridged) -> list[str]:
    """Return what is left of trials on both sides."""
    entries = [str(entry) for entry in bridge.stage.entries(CHANNEL[1:])]
    lines = [str(line) for line in await bridge.stage.lines(CHANNEL[1:])]
    return [one for one in [*entries, *lines] if "causeway-selftest" in one]


async def test_all_that_crosses_is_proven_and_nothing_is_left(bridge: Bridged, monkeypatch: pytest.MonkeyPatch) -> None:
    data = await tried(bridge, monkeypatch)
    assert data["ok"] is True
    for subject in ("Slack to Matrix", "Matrix to Slack"):
        shown = {detail.partition(" in ")[0] for detail in said(data, subject) if "thread" not in detail}
        assert shown == BOTH
        assert any(detail.startswith("a reply in a thread came across") for detail in said(data, subject))
    assert said(data, "clean-up") == ["nothing of the trial is left"]
    assert await traces(bridge) == []
    workspace = bridge.stage.workspace
    speaker = next(user for user in workspace.users.values() if user.shown_name == "Speaker")
    assert speaker.id not in workspace.channel(CHANNEL[1:]).members
    async with asyncio.timeout(10):
        while await bridge.stage.unsettled():
            await asyncio.sleep(0.05)
    assert await bridge.stage.left_over() == []


async def test_what_slack_does_is_told_and_kept(bridge: Bridged) -> None:
    data = (await bridge.say("selftest", "--channel", CHANNEL, "--json")).data
    learned = {
        "metadata": "comes back",
        "customised_as": "bot_message",
        "customised_name": "shown",
        "customised_delete": "deleted",
        "client_msg_id": "doubles",
    }
    assert data["learned"] == learned
    assert bridge.stage.database is not None
    assert await Learned(bridge.stage.database).of(TeamId(bridge.stage.workspace.id)) == learned
    entries = await bridge.stage.database.fetch("SELECT act FROM audit WHERE act = 'selftest'")
    assert len(entries) == 1
    skipped = [line for line in data["lines"] if line["outcome"] == "skip"]
    assert [line["subject"] for line in skipped] == ["Slack to Matrix", "Matrix to Slack"]
    assert "--slack-token" in skipped[0]["remedy"]
    assert "--matrix-token" in skipped[1]["remedy"]
    assert await traces(bridge) == []


async def test_a_slack_that_does_not_let_customised_messages_go_is_known(
    bridge: Bridged,
) -> None:
    workspace = bridge.stage.workspace
    workspace.reality = Reality(delete_customised="cant_delete_message")
    data = (await bridge.say("selftest", "--channel", CHANNEL, "--json")).data
    assert data["learned"]["customised_delete"] == "cant_delete_message"
    assert "a message under another name may not be deleted: the bridge writes (deleted) over it" in said(
        data, "Slack itself"
    )


async def test_missing_scopes_are_named_with_what_to_do(bridge: Bridged) -> None:
    bridge.stage.workspace.installation.token.scopes -= {"chat:write.customize", "metadata.message:read"}
    data = (await bridge.say("selftest", "--channel", CHANNEL, "--json", code=1)).data
    failed = {line["detail"]: line["remedy"] for line in data["lines"] if line["outcome"] == "fail"}
    assert "Add metadata.message:read" in failed["metadata of messages does not come back"]
    assert "Add chat:write.customize" in failed["a message under another name bears the bot's own"]
    assert any(detail.startswith("the scope chat:write.customize is missing") for detail in failed)


async def test_what_does_not_come_across_is_told_and_still_cleaned_up(
    bridge: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        return None

    monkeypatch.setattr(MatrixSide, "find", never)
    data = await tried(bridge, monkeypatch, "--wait", "1s", code=1)
    failed = [line for line in data["lines"] if line["outcome"] == "fail"]
    assert "a message did not come across within 1 s" in [line["detail"] for line in failed]
    assert all(line["remedy"] for line in failed)
    assert await traces(bridge) == []


async def test_stopped_in_the_middle_it_cleans_up_after_itself(bridge: Bridged) -> None:
    command = (sys.executable, "-m", "bridge.cli", "selftest", "--channel", CHANNEL)
    environ = {**os.environ, "CAUSEWAY_CONFIG": str(bridge.config)}
    process = await asyncio.create_subprocess_exec(*command, env=environ, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(30):
        while not await traces(bridge):
            await asyncio.sleep(0.001)
        process.terminate()
        _, err = await process.communicate()
    assert process.returncode == 1
    assert b"Aborted" in err
    assert await traces(bridge) == []


async def test_the_bridges_own_token_cannot_speak(bridge: Bridged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN", bridge.stage.workspace.bot_token)
    said = await bridge.say("selftest", "--channel", CHANNEL, "--slack-token", "env:OWN", code=1)
    assert "the token is the bridge's own, which it does not listen to (own_app)" in said.out
    assert "-> Make a second app" in said.out


async def test_what_cannot_be_tried_is_refused_before_anything_is_said(bridge: Bridged) -> None:
    refused = {
        ("--channel", "#nowhere"): (1, "there is no portal of #nowhere"),
        ("--channel", CHANNEL, "--room", "!other:localhost"): (1, "not !other:localhost"),
        ("--channel", CHANNEL, "--slack-token", "xoxb-1-2-3"): (2, "keeps the token out of sight"),
        ("--channel", CHANNEL, "--wait", "soon"): (2, "write it like 30s"),
    }
    for words, (code, answer) in refused.items():
        assert answer in " ".join((await bridge.say("selftest", *words, code=code)).err.split())
    await bridge.say("portals", "pause", CHANNEL)
    assert "is not bridged both ways just now" in (await bridge.say("selftest", "--channel", CHANNEL, code=1)).err
    await bridge.stage.stop()
