"""The bridge is cut off at every step of what it does in an encrypted room, and started anew: nothing is lost or twice.

Every message begins a new session, so that each round makes one, gives out its key, and reads one of somebody else's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bridge.matrix.wire import Wire
from tests.journeys.encrypted import EncryptedStage
from tests.journeys.gate import Gate
from tests.journeys.world import people_of
from tests.sandbox.homeserver.nio_client import NioPerson

if TYPE_CHECKING:
    from pathlib import Path


def behind(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every request to the homeserver be two steps: whoever is cut off neither sends one nor hears its answer."""
    original = Wire._send

    async def send(wire: Wire, method: Any, url: Any, *more: Any, **named: Any) -> Any:
        name = f"{method} {url.path}"
        if url.path.endswith("/sync"):
            return await original(wire, method, url, *more, **named)
        if not gate.passes(f"before {name}"):
            await asyncio.Event().wait()
        answer = await original(wire, method, url, *more, **named)
        if not gate.passes(f"after {name}"):
            await asyncio.Event().wait()
        return answer

    monkeypatch.setattr(Wire, "_send", send)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("ghosts", ["own", "bridge"])
async def test_a_kill_at_any_step_loses_nothing_and_repeats_nothing(
    ghosts: str, tmp_path: Path, synapse_template: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    behind(gate, monkeypatch)
    chosen = {"ghosts": ghosts, "wait": "20s"}
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, chosen, gate=gate) as stage:
        await stage.start()
        async with NioPerson.of(stage.homeserver, "ada") as ada:
            room = await stage.enter("general", ada)
            await stage.set_encryption(room, rotation_period_msgs=1)
            names = ("alice", "bob")
            said: list[str] = []
            missed = 0
            for step in range(1, 60, 2):
                gate.arm(step)
                stage.workspace.person(names[step % 4 // 2]).post("general", f"from Slack {step}")
                await ada.say(room, f"from Matrix {step}")
                if await stage.cut_off(within=5):
                    missed = 0
                    await stage.start()
                else:  # a round may have fewer steps than others, as one request tells of several keys
                    missed += 1
                    gate.arm(0)
                await ada.until(room, f"from Slack {step}")
                await stage.until_in_slack("general", f"from Matrix {step}")
                said += [f"from Slack {step}", f"from Matrix {step}"]
                if missed == 2:
                    break
            assert len(gate.places) > 10, gate.places
            assert len(set(gate.places)) > 8, gate.places
            shown = [body for body in ada.bodies(room) if body in said]
            assert sorted(shown) == sorted(said)
            in_slack = [one.text for one in stage.entries("general") if one.text in said]
            assert sorted(in_slack) == sorted(said)
            assert not await stage.parked()


async def test_a_device_whose_making_was_cut_off_at_any_step_is_made_whole(
    tmp_path: Path, synapse_template: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    behind(gate, monkeypatch)
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, gate=gate) as stage:
        for step in range(1, 90, 3):
            await stage.start(steps=step)
            if not await stage.cut_off(within=3):
                break
        await stage.start()
        assert len(gate.places) > 10, gate.places
        async with NioPerson.of(stage.homeserver, "ada") as ada:
            room = await stage.enter("general", ada)
            await ada.say(room, "heard")
            await stage.until_in_slack("general", "heard")
            stage.workspace.person("alice").post("general", "and answered")
            await ada.until(room, "and answered")
