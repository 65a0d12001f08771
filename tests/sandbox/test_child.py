"""A program that we start ends with us, says why it failed, and can be ended in any way."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sandbox.child import Child, ChildFailed

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
PARENT = """
import sys, time
from pathlib import Path
from tests.sandbox.child import Child
child = Child([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"], log=Path(sys.argv[1]))
child.start()
child.wait_until(lambda: "up" in child.tail())
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a life to its parent's")
def test_it_ends_when_we_are_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert _runs(pid)
        parent.kill()
    while _runs(pid):
        time.sleep(0.01)


def test_one_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    child = Child([sys.executable, "-c", "print('no room left'); raise SystemExit(3)"], log=tmp_path / "log")
    child.start()
    with pytest.raises(ChildFailed, match="ended with 3\nno room left"):
        child.wait_until(lambda: False)


def test_one_that_stays_silent_is_killed_and_reported(tmp_path: Path) -> None:
    child = Child(SLEEP, log=tmp_path / "log")
    child.start()
    with pytest.raises(ChildFailed, match="not ready"):
        child.wait_until(lambda: False, seconds=0.05)
    assert not child.running


async def test_it_can_be_stopped_and_started_again(tmp_path: Path) -> None:
    child = Child(SLEEP, log=tmp_path / "log")
    child.start()
    first = child.pid
    await child.stopped()
    assert child.returncode == -signal.SIGTERM
    child.start()
    assert child.pid != first
    child.kill()
    assert child.returncode == -signal.SIGKILL


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
