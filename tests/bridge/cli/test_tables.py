"""What foreigners wrote is shown on a terminal and never obeyed by it."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from bridge.cli import Commands
from bridge.cli.tables import print_table, visible_lines
from bridge.errors import Declined
from config.problems import ConfigError, Problem

HOSTILE = "Eve\x1b[2J\x1b]0;owned\x07\r\n\x9b31m\u202eall is well\u2028[red]"


def test_a_cell_is_one_line_without_anything_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["Name"], [[HOSTILE], ["Ada"]])
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 3
    assert all(char.isprintable() or char == "\n" for char in said)
    assert "[red]" in said


@pytest.mark.parametrize(
    "error",
    [Declined("missing", f"there is no {HOSTILE}\n  line"), ConfigError([Problem("config.yaml", 1, 1, "x", HOSTILE)])],
)
def test_an_error_that_quotes_them_is_shown_safely(error: Exception) -> None:
    @click.command()
    def fails() -> None:
        raise error

    group = Commands(commands=[fails])
    said = CliRunner().invoke(group, ["fails"]).stderr
    assert "owned" in said
    assert all(char.isprintable() or char == "\n" for char in said)


def test_lines_of_ours_stay() -> None:
    assert visible_lines("one\n  two\t\x1b") == "one\n  two  "
