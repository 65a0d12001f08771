"""A first set-up gives files that work together, and keeps what is secret."""

from __future__ import annotations

import shlex
import stat
from configparser import ConfigParser
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.cli import answers
from config import manifest, registration
from config.loader import load
from tests.house.sources import ROOT

if TYPE_CHECKING:
    from tests.bridge.cli.conftest import Causeway

FILES = ("config.yaml", "registration.yaml", "slack-manifest.yaml")
TOKENS = ("--bot-token", "xoxb-1-abc", "--app-token", "xapp-1-abc")


def test_the_three_files_agree_with_each_other(causeway: Causeway, tmp_path: Path) -> None:
    causeway(
        "init",
        "--offline",
        "-d",
        tmp_path,
        "--domain",
        "example.org",
        *TOKENS,
        "--admin",
        "@a:example.org",
        "--include",
        "*",
    )
    settings = load(tmp_path / "config.yaml", {})
    assert settings.homeserver.domain == "example.org"
    assert settings.admins == settings.rooms.invite == ("@a:example.org",)
    assert settings.portals.automatic.include == ("*",)
    assert len(settings.appservice.as_token.reveal()) == 64
    assert registration.differences(tmp_path / "registration.yaml", settings) == []
    assert (tmp_path / "slack-manifest.yaml").read_text() == manifest.render(settings)


def test_files_with_secrets_are_for_the_owner_alone(causeway: Causeway, tmp_path: Path) -> None:
    causeway("init", "--offline", "-d", tmp_path / "new", "--domain", "example.org")
    modes = [stat.S_IMODE((tmp_path / "new" / name).stat().st_mode) for name in FILES]
    assert modes == [0o600, 0o600, 0o644]


def test_a_service_s_database_lies_where_its_unit_lets_it_write(
    causeway: Causeway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "STATE", {tmp_path / "etc": tmp_path / "var"})
    for directory, database in (("etc/causeway", "var/causeway"), ("elsewhere", "elsewhere"), ("etc", "etc")):
        causeway("init", "--offline", "-d", tmp_path / directory, "--domain", "example.org", *TOKENS)
        settings = load(tmp_path / directory / "config.yaml", {})
        assert settings.database.sqlite_path == tmp_path / database / "causeway.db"
    given = ("--database", f"sqlite:///{tmp_path}/own.db", *TOKENS)
    causeway("init", "--offline", "--force", "-d", tmp_path / "etc/causeway", "--domain", "example.org", *given)
    assert load(tmp_path / "etc/causeway/config.yaml", {}).database.sqlite_path == tmp_path / "own.db"


def test_the_unit_lets_the_bridge_write_where_a_set_up_in_etc_has_its_database() -> None:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # the keys of units have capitals
    unit.read_string((ROOT / "docker/causeway.service").read_text())
    service = unit["Service"]
    config = Path(service["ExecStart"].split("--config ")[1])
    nothing = dict.fromkeys((field.name for field in fields(answers.Answers)), "")
    made = answers.with_place(answers.Answers(**nothing), config.parent)  # type: ignore[arg-type]  # nothing is nothing
    assert made.database == f"sqlite:////var/lib/{service['StateDirectory']}/causeway.db"
    assert service["ProtectSystem"] == "strict"


def test_every_flag_reaches_its_setting(causeway: Causeway, tmp_path: Path) -> None:
    (tmp_path / "bot").write_text("xoxb-2-file\n")
    causeway(
        *("init", "--offline", "-d", tmp_path, "--domain", "example.org", "--homeserver", "https://matrix.example.org"),
        *("--url", "http://bridge:29330", "--listen", "0.0.0.0:29330", "--database", "postgres://u:p@db/causeway"),
        *("--mode", "events", "--events-url", "https://bridge.example.org", "--workspace", "acme"),
        *("--bot-token", "file:bot", "--signing-secret", "env:SIGNING"),
    )
    settings = load(tmp_path / "config.yaml", {"SIGNING": "s3cret"})
    assert settings.homeserver.address == "https://matrix.example.org"
    assert settings.appservice.url == "http://bridge:29330"
    assert str(settings.appservice.listen) == "0.0.0.0:29330"
    assert settings.database.shown == "postgres://db/causeway"
    assert settings.slack.mode == "events"
    assert settings.slack.events.url == "https://bridge.example.org"
    (workspace,) = settings.slack.workspaces
    assert workspace.name == "acme"
    token = workspace.bot_token
    assert token is not None
    assert token.reveal() == "xoxb-2-file"
    assert workspace.signing_secret is not None
    assert workspace.signing_secret.reveal() == "s3cret"


def test_questions_are_asked_and_wrong_answers_asked_again(causeway: Causeway, tmp_path: Path) -> None:
    answers = [
        "",
        "https://example.org",  # no server name
        "example.org",
        "http://bridge:29330",
        "alice",  # no user id
        "@alice:example.org",
        "y",
        "xoxp-1-a-user-token",
        "xoxb-1-abc",
        "",
    ]
    said = causeway("init", "--offline", "-d", tmp_path, "--ask", answers="\n".join(answers) + "\n")
    assert "write example.org" in said.out + said.err
    assert "is a user token, not a bot token" in said.out + said.err
    assert "https://api.slack.com/apps?new_app=1&manifest_yaml=" in said.out
    assert "put app_token into" in said.out
    assert "xoxb-1-abc" not in said.out
    settings = load(tmp_path / "config.yaml", {"CAUSEWAY_SLACK_WORKSPACES_0_APP_TOKEN": "xapp-1"})
    assert settings.appservice.url == "http://bridge:29330"
    assert settings.admins == ("@alice:example.org",)
    token = settings.slack.workspaces[0].bot_token
    assert token is not None
    assert token.reveal() == "xoxb-1-abc"


def test_without_slack_tokens_the_file_says_where_they_go(causeway: Causeway, tmp_path: Path) -> None:
    said = causeway("init", "--offline", "-d", tmp_path, "--domain", "example.org", "--json")
    assert said.data["missing"] == ["bot_token", "app_token"]
    assert said.data["files"]["config"] == str(tmp_path / "config.yaml")
    text = (tmp_path / "config.yaml").read_text()
    assert "not-given" not in text
    found = causeway("check", "-c", tmp_path / "config.yaml", "--json", code=1).data["findings"]
    assert all("bot_token: has no value (fill it in)" in finding["detail"] for finding in found)


def test_where_nothing_is_bridged_by_itself_the_last_step_is_to_choose(causeway: Causeway, tmp_path: Path) -> None:
    steps = ("init", "--offline", "-d", tmp_path, "--domain", "example.org", "--force")
    assert "causeway portals add" in causeway(*steps).out
    assert "causeway portals add" not in causeway(*steps, "--include", "*").out


@pytest.mark.parametrize("there", FILES)
def test_nothing_is_overwritten_unless_forced(causeway: Causeway, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    said = causeway("init", "--offline", "-d", tmp_path, "--domain", "example.org", code=1)
    assert f"{tmp_path / there} exists already" in said.err
    assert [path.name for path in tmp_path.iterdir()] == [there]
    causeway("init", "--offline", "-d", tmp_path, "--domain", "example.org", "--force")
    assert (tmp_path / there).read_text() != "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


def test_wrong_flags_are_named_once_each_and_nothing_is_written(causeway: Causeway, tmp_path: Path) -> None:
    wrong = ("--domain", "https://x.org", "--bot-token", "xoxp-1", "--admin", "alice", "--homeserver", "127.0.0.1:8008")
    said = causeway("init", "-d", tmp_path, *wrong, code=78)
    told = said.err.splitlines()
    assert "--domain: 'https://x.org' is not a server name (write x.org)" in told
    assert "--bot-token: is a user token, not a bot token (a bot token begins with xoxb-)" in told
    assert "--homeserver: '127.0.0.1:8008' is not an http or https URL (write http://127.0.0.1:8008)" in told
    assert len([line for line in told if line.startswith("--admin: 'alice' is not a Matrix user id")]) == 1
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_the_domain_must_be_given(causeway: Causeway, tmp_path: Path) -> None:
    assert "--domain is needed" in causeway("init", "-d", tmp_path, code=2).err


def test_a_directory_that_cannot_be_written_is_named(causeway: Causeway, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = causeway("init", "--offline", "-d", tmp_path / "file" / "below", "--domain", "example.org", code=1)
    assert "cannot be written" in said.err


def test_what_the_compose_file_says_to_type_makes_a_configuration(causeway: Causeway, tmp_path: Path) -> None:
    lines = [line.removeprefix("#").strip() for line in (ROOT / "docker/compose.yaml").read_text().splitlines()]
    start = next(number for number, line in enumerate(lines) if " bridge init " in line)
    end = next(number for number in range(start, len(lines)) if not lines[number].endswith("\\"))
    said = " ".join(line.rstrip("\\") for line in lines[start : end + 1]).replace("$POSTGRES_PASSWORD", "s3cret")
    causeway(*shlex.split(said.partition(" bridge ")[2]), "-d", tmp_path)
    tokens = {"SLACK_BOT_TOKEN": "xoxb-1-abc", "SLACK_APP_TOKEN": "xapp-1-abc"}
    settings = load(tmp_path / "config.yaml", tokens)
    assert settings.database.shown == "postgres://postgres/causeway"
    assert str(settings.appservice.listen) == "0.0.0.0:29330"
    token = settings.slack.workspaces[0].bot_token
    assert token is not None
    assert token.reveal() == "xoxb-1-abc"
