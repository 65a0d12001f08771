"""An upgrade adds what is new and leaves every line that a person wrote."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from config import layout, reference
from config.layout import Rename
from config.loader import load, parse
from config.problems import ConfigError
from config.upgrade import upgrade
from tests.config.conftest import RIGHT
from tests.config.test_reference import GIVEN

if TYPE_CHECKING:
    from pathlib import Path

OLD = """\
# Mine, do not touch!
homeserver:   # the big one
    domain: "example.org"    # four blanks, on purpose
    # verify_tls: false
appservice: {as_token: as-token-0123456789, hs_token: hs-token-0123456789}
slack:
    connections: 3
    workspaces:
    - bot_token: xoxb-1-abc
      app_token: xapp-1-abc

relay:

# the end
files:
    max_size: 5 MiB"""


def test_a_complete_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(reference.example())
    assert upgrade(path).backup is None
    assert [file.name for file in tmp_path.iterdir()] == ["config.yaml"]


def test_missing_settings_come_with_their_comments_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(OLD)
    path.chmod(0o600)
    before = load(path, {})
    done = upgrade(path)
    after = path.read_text()
    assert load(path, {}) == before
    assert done.backup is not None
    assert done.backup.read_text() == OLD
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(done.backup.stat().st_mode) == 0o600
    assert {"homeserver.address", "slack.mode", "relay.name", "files.deny", "rooms", "catch_up"} <= set(done.added)
    kept = iter(after.splitlines())
    assert all(any(line == new for new in kept) for line in OLD.splitlines()), "a line of the person's is gone"
    assert "    # Whether the homeserver's certificate must be valid.\n    verify_tls: true\n" in after
    assert "\n  # Names of Matrix people in Slack" in after
    assert "\n# The shape of the rooms that the bridge makes; existing rooms keep theirs.\nrooms:\n" in after
    assert upgrade(path).backup is None


def test_every_single_setting_can_be_the_new_one_whatever_ends_the_lines(tmp_path: Path) -> None:
    lines = reference.example().splitlines()
    whole = parse(reference.example(), "example.yaml", tmp_path, GIVEN)
    path = tmp_path / "config.yaml"
    for number, line in enumerate(lines):
        name, colon, _value = line.strip().partition(": ")
        if (
            not colon
            or name.startswith(("#", "-"))
            or name in ("domain", "as_token", "hs_token", "bot_token", "app_token")
        ):
            continue
        ending = ("\n", "\r\n")[number % 2]
        text = ending.join(lines[:number] + lines[number + 1 :]) + ending
        path.write_bytes(text.encode())
        assert [added.rpartition(".")[2] for added in upgrade(path).added] == [name]
        assert load(path, GIVEN) == whole
        content = path.read_bytes()
        assert content.count(ending.encode()) == content.count(b"\n")


def test_an_old_name_is_understood_and_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renames = (Rename(1, ("relay",), "style", "reply"), Rename(1, (), "administrators", "admins"))
    path = tmp_path / "config.yaml"
    path.write_text(RIGHT + 'relay:\n  style: quote  # as we like it\nadministrators: ["@a:example.org"]\n')
    monkeypatch.setattr("config.loader.RENAMES", renames)
    before = load(path, {})
    assert before.relay.reply == "quote"
    done = upgrade(path, renames)
    assert done.renamed == (("relay.style", "relay.reply"), ("administrators", "admins"))
    assert "  reply: quote  # as we like it\n" in path.read_text()
    monkeypatch.setattr("config.loader.RENAMES", ())
    assert load(path, {}) == before


def test_a_name_used_anew_in_a_current_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(reference.example() + f"# layout {layout.LAYOUT}\n")
    assert upgrade(path, (Rename(1, ("relay",), "reply", "answer"),)).renamed == ()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="newer Causeway"):
        parse(RIGHT + "version: 99\n", "config.yaml", tmp_path, {})


def test_a_broken_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: [\n")
    with pytest.raises(ConfigError):
        upgrade(path)
    assert path.read_text() == "a: [\n"


def test_a_second_upgrade_does_not_overwrite_the_first_backup(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    for number in (1, 2):
        path.write_text(RIGHT)
        backup = upgrade(path).backup
        assert backup is not None
        assert backup.name == f"config.yaml.{number}.bak"
