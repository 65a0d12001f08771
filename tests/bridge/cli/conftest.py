"""A shell for the tests: runs `causeway` with words, and says what it printed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from click.testing import CliRunner

from bridge.cli import cli

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Causeway(Protocol):
    def __call__(self, *words: str | Path, code: int = 0, answers: str = "", **environ: str) -> Said: ...


@pytest.fixture
def causeway() -> Causeway:
    """Run a command, expecting an exit code; whatever the program did not foresee fails the test."""

    def causeway(*words: str | Path, code: int = 0, answers: str = "", **environ: str) -> Said:
        result = CliRunner().invoke(
            cli, [str(word) for word in words], input=answers, env=environ, prog_name="causeway"
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return Said(result.exit_code, result.stdout, result.stderr)

    return causeway
