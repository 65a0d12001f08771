"""Nothing in the repository belongs to one machine, opens a door, or leads to an index of packages."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.house.sources import ROOT, files

if TYPE_CHECKING:
    from pathlib import Path

LOCKS = ("requirements.lock", "requirements-dev.lock")
FORBIDDEN = {
    "a home directory": re.compile(r"(?<![\w.])/(?:root|home/\w+|Users/\w+)/"),
    "a token of Slack": re.compile(r"xox[abeprs]-\d{9,}-\d{9,}-[A-Za-z0-9]{20,}|xapp-\d-A\w{9,}-\d{9,}-[0-9a-f]{40,}"),
    "a webhook of Slack": re.compile(r"hooks\.slack\.com/services/T\w{8,}/B\w{8,}/\w{20,}"),
    "a private key": re.compile("-----BEGIN [A-Z ]*PRIVATE " + "KEY"),
}


def test_no_file_holds_a_path_of_somebodys_machine_or_a_secret() -> None:
    forbidden = FORBIDDEN | {"this very directory": re.compile(re.escape(f"{ROOT}/"))}
    found = [
        f"{path} holds {what}"
        for path in files()
        if (text := _text(path)) is not None
        for what, pattern in forbidden.items()
        if pattern.search(text)
    ]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_pins_everything_by_hash(lock: str) -> None:
    lines = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    requirements = [line for line in lines if line and not line.startswith("#")]
    assert requirements
    assert [line for line in requirements if "://" in line or line.startswith("-")] == []
    pinned = re.compile(r"[\w.\-\[\],]+==\S+ .*--hash=sha256:[0-9a-f]{64}")
    assert [line for line in requirements if not pinned.match(line)] == []


def test_the_locks_hold_what_the_project_asks_for_and_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, development = (_pinned(lock) for lock in LOCKS)
    assert {_name(each) for each in project["project"]["dependencies"]} <= runtime.keys()
    assert {_name(each) for each in project["dependency-groups"]["dev"]} <= development.keys()
    assert runtime.items() <= development.items()


def _pinned(lock: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)[\w\[\],-]*==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {_name(name): version for name, version in found}


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0]).lower()


def _text(path: Path) -> str | None:
    try:
        return (ROOT / path).read_text()
    except UnicodeDecodeError:
        return None
