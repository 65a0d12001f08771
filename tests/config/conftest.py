"""A small configuration that is right, for tests to spoil."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Protocol

import pytest

from config.loader import load
from config.problems import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings

RIGHT = """\
homeserver:
  domain: example.org
appservice:
  as_token: as-token-0123456789
  hs_token: hs-token-0123456789
slack:
  workspaces:
    - bot_token: xoxb-1-abc
      app_token: xapp-1-abc
"""


class Read(Protocol):
    def __call__(self, text: str = RIGHT, /, **environ: str) -> Settings: ...


class Problems(Protocol):
    def __call__(self, text: str | bytes, /, **environ: str) -> tuple[Problem, ...]: ...


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Load settings from a text, with nothing but the given variables in the environment."""

    def read(text: str = RIGHT, /, **environ: str) -> Settings:
        path = tmp_path / "config.yaml"
        path.write_text(dedent(text))
        return load(path, environ)

    return read


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    """The problems that loading a text reports; fails where there are none."""

    def problems(text: str | bytes, /, **environ: str) -> tuple[Problem, ...]:
        path = tmp_path / "config.yaml"
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        with pytest.raises(ConfigError) as failed:
            load(path, environ)
        return failed.value.problems

    return problems
