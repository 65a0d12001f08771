"""Help is quick, complete, and shows by example."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from bridge.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bridge.cli.conftest import Causeway

PROBE = """\
import sys
from bridge.cli import main
sys.argv = ["causeway", "--help"]
try:
    main()
except SystemExit:
    pass
print(*sorted(name for name in sys.modules if "." not in name))
"""

HEAVY = {"aiohttp", "asyncio", "asyncpg", "mautrix", "pydantic", "rich", "ruamel", "slack_sdk", "sqlite3", "uvloop"}


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], check=True, capture_output=True, text=True)
    assert not HEAVY & set(done.stdout.splitlines()[-1].split())


def every_command(group: click.Group, *words: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        yield " ".join([*words, name]), command
        if isinstance(command, click.Group):
            yield from every_command(command, *words, name)


@pytest.mark.parametrize(("words", "command"), [*every_command(cli)])
def test_every_command_explains_itself_with_examples(causeway: Causeway, words: str, command: click.Command) -> None:
    out = causeway(*words.split(), "--help").out
    assert "Examples:" in out
    assert f"causeway {words}" in out.partition("Examples:")[2]
    for parameter in command.params:
        assert getattr(parameter, "help", "") or isinstance(parameter, click.Argument), parameter.name


def test_the_top_help_names_every_command(causeway: Causeway) -> None:
    out = causeway("--help").out
    for command in cli.commands:
        assert f"\n  {command} " in out


def test_the_version_is_told(causeway: Causeway) -> None:
    assert causeway("--version").out.startswith("causeway 0.")


def test_an_unknown_command_is_a_misuse(causeway: Causeway) -> None:
    assert "No such command" in causeway("bridge", code=2).err
