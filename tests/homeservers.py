"""`python -m tests.homeservers [VERSION …]`: the tests that need a real Synapse, against older releases of it.

Each release is installed from PyPI into an environment of its own under `.state/homeservers`. That takes some five
minutes a release, and is no part of `make test`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.sandbox.homeserver.synapse import PYTHON

ROOT = Path(__file__).parents[1]
STATE = ROOT / ".state" / "homeservers"
OLDER = ("1.147.1",)
TESTS = (
    "tests/bridge/matrix/test_on_synapse.py",
    "tests/bridge/matrix/test_people_on_synapse.py",
    "tests/journeys/test_kills.py",
    "tests/journeys/test_commands_on_synapse.py",
    "tests/journeys/test_encryption.py",
)
KNOWN = {
    "tests/bridge/matrix/test_on_synapse.py::test_typing_reaches_both_sides": (
        "typing in Matrix is not told to the bridge, which makes nothing of it anyway"
    ),
    "tests/bridge/matrix/test_people_on_synapse.py::test_an_account_joins_a_private_room_and_speaks_there_at_another_time": (  # noqa: E501  the name of a test
        "an account joins an imported private room at the time of the import; what it said has its own time"
    ),
    "tests/journeys/test_commands_on_synapse.py::test_a_channel_is_bridged_and_a_room_joined_by_commands": (
        "the test's own room is one that a homeserver with another default room version refuses"
    ),
}
"""What is otherwise on a release before the current one, and what that means."""


def _installed(version: str) -> Path:
    """Return the interpreter of a release; installs it where it is not there yet."""
    home = STATE / version
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, home], check=True)
        what = [f"matrix-synapse=={version}", "psycopg2-binary"]
        subprocess.run(
            [*uv, "pip", "install", "--quiet", "--only-binary", ":all:", "--python", python, *what], check=True
        )
        (home / "complete").touch()
    return python


def main() -> int:
    """Run the tests against each release; ends with 1 where something departs that is not known to."""
    parser = argparse.ArgumentParser(prog="python -m tests.homeservers", description="Journeys on older Synapses.")
    parser.add_argument("versions", nargs="*", metavar="VERSION", default=list(OLDER), help=f"without one: {OLDER[0]}")
    failed = []
    for version in parser.parse_args().versions:
        for test, why in KNOWN.items():
            print(f"Synapse {version}: left out {test.rpartition('::')[2]}: {why}", flush=True)
        left_out = [f"--deselect={test}" for test in KNOWN]
        environment = {**os.environ, PYTHON: str(_installed(version))}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, *left_out]
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            failed.append(version)
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
