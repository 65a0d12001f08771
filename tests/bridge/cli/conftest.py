"""A shell for the tests, which runs `causeway` with words and says what it printed, and both sides of a bridge."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import pytest_asyncio
from click.testing import CliRunner

from bridge.cli import cli
from config import registration
from config.loader import load
from config.reference import render
from tests.sandbox.child import free_port
from tests.sandbox.homeserver.synapse import Synapse
from tests.sandbox.slack import SlackSandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from config.document import Plain


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


@dataclass
class Side:
    """Both sides of a bridge that could run, and its configuration."""

    directory: Path
    synapse: Synapse
    slack: SlackSandbox
    values: dict[str, Any]

    def write(self, config: Path, policies: Plain = None, **changes: Mapping[str, Any]) -> Path:
        """Write a configuration that is right but for the changes; returns its path."""
        values: dict[str, Plain] = {
            name: {**self.values.get(name, {}), **changes.get(name, {})} for name in {*self.values, *changes}
        }
        if policies is not None:
            values["policies"] = policies
        config.write_text(render(values))
        config.chmod(0o600)
        return config

    def workspace(self, **changes: str) -> dict[str, Any]:
        return {"workspaces": [{**self.values["slack"]["workspaces"][0], **changes}]}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def side(tmp_path_factory: pytest.TempPathFactory, synapse_template: Path) -> AsyncIterator[Side]:
    """A homeserver with the bridge's registration and a Slack with its app."""
    directory = tmp_path_factory.mktemp("check")
    port = free_port()
    async with SlackSandbox() as slack:
        team = slack.team()
        values: dict[str, Any] = {
            "homeserver": {"domain": "localhost"},
            "appservice": {
                "as_token": "as-token-0123456789",
                "hs_token": "hs-token-0123456789",
                "listen": f"127.0.0.1:{port}",
                "url": f"http://127.0.0.1:{port}",
            },
            "slack": {
                "api_url": slack.api_url,
                "workspaces": [{"bot_token": team.bot_token, "app_token": team.app_token}],
            },
        }
        side = Side(directory, Synapse(directory / "hs"), slack, values)
        settings = load(side.write(directory / "first.yaml"), {})
        side.synapse = Synapse(
            directory / "synapse", registrations=[registration.registration(settings)], template=synapse_template
        )
        async with side.synapse:
            values["homeserver"]["address"] = side.synapse.url
            yield side
