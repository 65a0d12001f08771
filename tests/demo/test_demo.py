"""The demo is what a newcomer sees first: its script holds, and it ends as a program should, whatever happens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.sandbox.child import Child

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO = [sys.executable, "-m", "tests.demo"]
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_scripted_conversation_holds_on_both_sides() -> None:
    played = subprocess.run(DEMO, cwd=ROOT, env=os.environ | {"ONCE": "1"}, capture_output=True, text=True)
    assert played.returncode == 0, played.stdout + played.stderr
    assert re.search(r"\n\d\d checks, 0 failed, in \d+ s\n$", played.stdout)
    assert "✗" not in played.stdout


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Child]:
    """A demo that stays up and has told how to take part."""
    child = Child(DEMO, log=tmp_path / "demo.log", directory=ROOT, at_our_end=signal.SIGTERM)
    child.start()
    try:
        child.wait_until(lambda: "Ctrl-C stops all of it." in child.tail(), 90)
        yield child
    finally:
        child.stop()


def all_of(demo: Child) -> list[psutil.Process]:
    return psutil.Process(demo.pid).children(recursive=True)


def the_programs_of(demo: Child) -> dict[str, psutil.Process]:
    programs = all_of(demo)
    words = {"tests.sandbox.slack": "slack", "synapse.app.homeserver": "homeserver", "causeway": "bridge"}
    return {
        name: program
        for program in programs
        for word, name in words.items()
        if any(word in part for part in program.cmdline()[:3])
    }


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_it_shows_both_sides_until_ctrl_c_and_leaves_no_program_behind(demo: Child) -> None:
    programs = the_programs_of(demo)
    assert programs.keys() == {"slack", "homeserver", "bridge"}
    demo.wait_until(lambda: _is_said(demo, "Slack", "Robin Vale: Yes!") and _is_said(demo, "Matrix", "Amara: Is any"))
    told = next(line for line in demo.tail(200).splitlines() if " speak " in line)
    command = told.replace('"#general" "hello from Slack"', "#general").split()
    subprocess.run([*command, "typed by a visitor"], cwd=ROOT, check=True, capture_output=True)
    demo.wait_until(lambda: _is_said(demo, "Matrix", "Amara: typed by a visitor"))
    demo.stop(signal.SIGINT, grace=30)
    assert demo.returncode == 130
    assert demo.tail().splitlines()[-1] == "Stopped."
    assert not any(program.is_running() for program in programs.values())


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_program_that_dies_ends_the_demo_with_its_last_words(demo: Child) -> None:
    every = all_of(demo)
    the_programs_of(demo)["bridge"].kill()
    deadline = time.monotonic() + 30
    while demo.running and time.monotonic() < deadline:
        time.sleep(0.05)
    assert demo.returncode == 1
    assert "The bridge ended by itself" in demo.tail(60)
    assert "bridge.work." in demo.tail(60)
    assert not any(program.is_running() for program in every)


def _is_said(demo: Child, side: str, words: str) -> bool:
    return any(side in line and words in line for line in demo.tail(200).splitlines())
