"""What leaves the house is told whole: by settings, by the README, and by each piece of code that connects anywhere."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from bridge.administration.leaving import destinations
from config.loader import parse
from config.reference import render
from tests.house.sources import ROOMS, ROOT, sources

if TYPE_CHECKING:
    from pathlib import Path

    from config.document import Plain
    from config.settings import Settings

OPENS = {"ClientSession", "open_connection", "open_unix_connection", "create_connection", "urlopen", "create_pool"}
CONNECTS = {
    "bridge/slack/reach.py": "slack.api_url",
    "bridge/matrix/wire.py": "homeserver.address",
    "bridge/store/postgres.py": "database.url",
    "bridge/work/scanning.py": "files.scanner.clamd",
    "bridge/cli/checks/slack.py": "slack.api_url",
    "bridge/cli/checks/public.py": "public.url",
    "bridge/cli/checks/answers.py": "homeserver.address",
    "bridge/cli/checks/listening.py": "appservice.listen",
}
"""Where connections are opened, and by which setting it is chosen to whom."""


def settings_of(tmp_path: Path, **groups: Plain) -> Settings:
    values: dict[str, Plain] = {
        "homeserver": {"domain": "example.org", "address": "https://matrix.example.org"},
        "appservice": {"as_token": "as" * 24, "hs_token": "hs" * 24},
        "slack": {"workspaces": []},
        **groups,
    }
    return parse(render(values), "a test", tmp_path, {})


def test_every_piece_of_code_that_connects_leads_to_a_place_that_is_told() -> None:
    opening = {
        str(source.path)
        for source in sources(*ROOMS)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in OPENS
    }
    assert opening == CONNECTS.keys()


@pytest.mark.parametrize(
    ("groups", "setting", "where"),
    [
        ({}, "slack.api_url", "slack.com:443"),
        ({}, "homeserver.address", "matrix.example.org:443"),
        ({"database": {"url": "postgres://u:s3cret@db.example/causeway"}}, "database.url", "db.example:5432"),
        ({"files": {"scanner": {"clamd": "scan.example:3310"}}}, "files.scanner.clamd", "scan.example:3310"),
        ({"files": {"scanner": {"clamd": "/run/clamd.ctl"}}}, "files.scanner.clamd", "/run/clamd.ctl"),
        ({"files": {"scanner": {"command": ["scan", "-"]}}}, "files.scanner.command", "scan"),
        ({"public": {"url": "https://bridge.example.org"}}, "public.url", "bridge.example.org:443"),
    ],
)
def test_a_place_that_is_configured_is_told_without_what_is_secret(
    groups: dict[str, Plain], setting: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("https_proxy", raising=False)
    told = destinations(settings_of(tmp_path, **groups))
    assert [one.where for one in told if one.setting == setting] == [where]
    assert "s3cret" not in str(told)


def test_a_proxy_is_told_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:s3cret@proxy.example:3128")
    told = destinations(settings_of(tmp_path))
    assert "proxy.example:3128" in [one.where for one in told]
    assert "s3cret" not in str(told)


def test_the_readme_tells_of_every_setting_that_chooses_a_place() -> None:
    _, _, rest = (ROOT / "README.md").read_text().partition("**What leaves this house.**")
    section = rest.partition("\n## ")[0]
    assert [one for one in {*CONNECTS.values()} - {"appservice.listen"} if f"`{one}`" not in section] == []
