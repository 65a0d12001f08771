"""The files that follow from the configuration can be written again, printed, and are not lost by mistake."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import pytest

from config.document import read_document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway


@pytest.fixture
def config(causeway: Causeway, tmp_path: Path) -> Path:
    """The configuration of a first set-up."""
    causeway(
        *("init", "--offline", "-d", tmp_path, "--domain", "example.org"),
        *("--bot-token", "xoxb-1", "--app-token", "xapp-1"),
    )
    return tmp_path / "config.yaml"


def test_a_registration_that_agrees_is_left_alone(causeway: Causeway, config: Path) -> None:
    path = config.parent / "registration.yaml"
    path.write_text("# mine\n" + path.read_text())
    assert causeway("register", "-c", config, "--json").data == {"file": str(path), "written": False}
    assert path.read_text().startswith("# mine")


def test_one_that_differs_is_overwritten_only_when_forced(causeway: Causeway, config: Path) -> None:
    path = config.parent / "registration.yaml"
    path.write_text(path.read_text().replace("slack_", "other_"))
    assert "--force" in causeway("register", "-c", config, code=1).err
    causeway("register", "-c", config, "--force")
    assert "slack_" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_manifest_that_is_as_it_should_be_is_left_alone(causeway: Causeway, config: Path) -> None:
    path = config.parent / "slack-manifest.yaml"
    assert causeway("manifest", "-c", config, "--json").data == {"file": str(path), "written": False}
    path.write_text("mine")
    assert "--force" in causeway("manifest", "-c", config, code=1).err
    causeway("manifest", "-c", config, "--force")
    assert path.read_text() != "mine"


def test_both_files_can_be_printed(causeway: Causeway, config: Path) -> None:
    text = causeway("register", "-c", config, "-o", "-").out
    assert read_document(text, "").values == causeway("register", "-c", config, "-o", "-", "--json").data
    text = causeway("manifest", "-c", config, "-o", "-").out
    assert text == (config.parent / "slack-manifest.yaml").read_text()
    assert read_document(text, "").values == causeway("manifest", "-c", config, "-o", "-", "--json").data


def test_the_second_registration_is_written_beside_the_first(causeway: Causeway, config: Path) -> None:
    beside = config.parent / "doublepuppet.yaml"
    assert "switched off" in causeway("register", "-c", config, "--double-puppet", code=1).err
    on: Any = {"CAUSEWAY_DOUBLE_PUPPET_AS_TOKEN": "puppet-token-0123456789"}  # Any: keywords of the environment
    said = causeway("register", "-c", config, "--json", **on).data
    assert said["written"] is False
    assert said["double_puppet"] == {"file": str(beside), "written": True}
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    text = causeway("register", "-c", config, "--double-puppet", "-o", "-", **on).out
    assert text == beside.read_text()
    assert "up to date" in causeway("register", "-c", config, "--double-puppet", **on).out
    beside.write_text(text.replace("rate_limited: false", "rate_limited: true"))
    assert "--force" in causeway("register", "-c", config, "--double-puppet", code=1, **on).err
    causeway("register", "-c", config, "--force", **on)
    assert beside.read_text() == text
    assert "doublepuppet" not in causeway("register", "-c", config, "-o", "-", **on).out


def test_the_link_to_slack_can_be_printed(causeway: Causeway, config: Path) -> None:
    link = causeway("manifest", "-c", config, "--link").out.strip()
    assert link.startswith("https://api.slack.com/apps?new_app=1&manifest_yaml=")
    assert causeway("manifest", "-c", config, "--link", "--json").data == {"link": link}


def test_a_wrong_configuration_ends_with_its_own_exit_code(causeway: Causeway, config: Path) -> None:
    config.write_text(config.read_text().replace("mode: socket", "mode: sokcet"))
    for command in ("register", "manifest", "run"):
        said = causeway(command, "-c", config, code=78)
        assert "did you mean socket?" in said.err
        assert "Traceback" not in said.err


def test_the_configuration_may_be_named_by_the_environment(causeway: Causeway, config: Path) -> None:
    assert causeway("register", "-o", "-", "--json", CAUSEWAY_CONFIG=str(config)).data["id"] == "causeway"


def test_an_upgrade_tells_what_it_added(causeway: Causeway, config: Path) -> None:
    assert "is up to date" in causeway("upgrade", "-c", config).out
    config.write_text(config.read_text().replace("  format: text\n", ""))
    done = causeway("upgrade", "-c", config, "--json").data
    assert done == {"added": ["logging.format"], "renamed": {}, "backup": f"{config}.1.bak"}
    config.write_text(config.read_text().replace("  format: text\n", ""))
    assert "added    logging.format" in causeway("upgrade", "-c", config).out
