"""Each command that cannot do what it is asked says why and what to do, by its words, and changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from config.reference import render

if TYPE_CHECKING:
    from pathlib import Path

    from config.document import Plain
    from tests.bridge.cli.conftest import Causeway

TWO: dict[str, Plain] = {
    "workspaces": [
        {"name": name, "bot_token": f"xoxb-{name}", "app_token": f"xapp-{name}"} for name in ("acme", "other")
    ]
}
REFUSALS = [
    # what belongs together, and what does not
    ("cutover plan", 2, "name a channel, or a file with many: --cohort PATH"),
    ('cutover announce #general --date " "', 2, "say when it will be"),
    ("cutover freeze #general --wait soon", 2, "write it like 15m or 1h"),
    ("cutover finish #general", 2, "this cannot be undone: add --yes where nobody can be asked"),
    ("import --dry-run", 2, "name the export, a zip or a folder; or read from Slack itself with --api"),
    ("import export --api", 2, "an export or --api, not both"),
    ("import export --join", 2, "--workspace, --into and --join belong to --api"),
    ("import export --since 2026-02-01 --until 2026-01-01", 2, "--since is not before --until: nothing lies between"),
    ("import export --since yesterday", 2, "'yesterday' is no date: write 2024-05-31"),
    ("import --api", 2, "there are several workspaces: add --workspace with one of acme, other"),
    (
        "import --api --workspace third",
        2,
        "there is no workspace 'third' in the configuration: write one of acme, other",
    ),
    ("import status 7", 1, "there is no import 7"),
    ("import pause", 1, "there is no import yet: `causeway import PATH` begins one"),
    ("import quarantine retry q7", 1, "q7 is not in quarantine: causeway import quarantine list shows what is"),
    ("report --api --export export", 2, "an export or --api, not both"),
    ("report --workspace acme", 2, "--workspace belongs to --api"),
    ("report", 2, "nothing was imported yet, so name what to compare with: --export PATH"),
    # keys, registrations, addresses
    ("keys rotate oauth --new plain-text", 2, "oauth.key is blank in the configuration: nothing is sealed with it"),
    ("register --double-puppet", 1, "double puppeting is switched off: set double_puppet.as_token first"),
    ("migrate-db mysql://x sqlite:///y.db", 2, "is no database address; write sqlite:///causeway.db or postgres://"),
    ("slack install-link --workspace acme", 1, "acme has a bot_token in the configuration: take that out first"),
    (
        "selftest --channel #general --slack-token xoxb-1",
        2,
        "write env:NAME or file:PATH, which keeps the token out of",
    ),
    ("console @you:example.org", 1, "there is no console: set console.listen in the configuration"),
    # portals and what is parked
    ("portals pause #nowhere", 1, "there is no portal of #nowhere: `causeway portals list` shows those that there are"),
    ("parked show 7", 1, "nothing is parked as number 7"),
    ("parked retry 7", 1, "nothing is parked as number 7"),
    # people
    ("people list", 2, "which workspace is it? add --workspace with its id, T…"),
    ("people list --workspace third", 2, "third"),
    ("people link alice @a:example.org --workspace T0123", 2, "Copy member ID"),
    ("people link U0123456789 alice --workspace T0123", 2, "@alice:example.org"),
    ("people unlink U0123456789 --workspace T0123", 1, "U0123456789 is not linked"),
    (
        "people disconnect U0123456789 --workspace T0123",
        1,
        "U0123456789 does not write as themself: `causeway people list` shows who does",
    ),
    ('people consent U0123456789 --reason " " --workspace T0123', 2, "say on what this rests"),
    ("people forget U0123456789 --yes --workspace T0123", 2, "say with --reason on what this rests"),
    ("people forget @alice --workspace T0123", 1, "@alice is not a Matrix user id: write it like @alice:example.org"),
    # retention
    ('retention hold #general --reason " "', 2, "say on what this rests"),
    ("retention hold #general --reason x", 1, "there is no portal of #general"),
    ("retention hold alice --person --reason x --workspace T0123", 1, "Copy member ID"),
]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of two workspaces that nothing is known of yet, beside an empty folder that is no export."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export").mkdir()
    values: dict[str, Plain] = {
        "homeserver": {"domain": "example.org", "address": "http://127.0.0.1:9"},
        "appservice": {"as_token": "as" * 24, "hs_token": "hs" * 24},
        "slack": {"api_url": "http://127.0.0.1:9/api/", **TWO},
    }
    path = tmp_path / "config.yaml"
    path.write_text(render(values))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(("words", "code", "told"), REFUSALS, ids=[words for words, _, _ in REFUSALS])
def test_what_cannot_be_done_is_told(words: str, code: int, told: str, causeway: Causeway, config: Path) -> None:
    import shlex

    said = causeway(*shlex.split(words.replace("#", r"\#")), code=code, CAUSEWAY_CONFIG=str(config), COLUMNS="500")
    assert told in " ".join(said.err.split())


def test_a_person_under_hold_is_not_forgotten_and_the_way_is_told(causeway: Causeway, config: Path) -> None:
    person = ("U0123456789", "--workspace", "T0123456789", "--reason", "inquiry")
    causeway("retention", "hold", "--person", *person, CAUSEWAY_CONFIG=str(config))
    said = causeway("people", "forget", "--yes", *person, code=1, CAUSEWAY_CONFIG=str(config))
    assert "U0123456789 is under hold: first causeway retention release" in said.err


def test_a_page_that_cannot_be_written_is_told(causeway: Causeway, config: Path, tmp_path: Path) -> None:
    said = causeway("register", "--output", tmp_path / "config.yaml" / "x.yaml", code=1, CAUSEWAY_CONFIG=str(config))
    assert "config.yaml/x.yaml cannot be written: " in said.err


def test_a_key_is_never_taken_from_the_command_line(causeway: Causeway, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    values: dict[str, Plain] = {
        "homeserver": {"domain": "example.org"},
        "appservice": {"as_token": "as" * 24, "hs_token": "hs" * 24},
        "slack": {"workspaces": []},
        "oauth": {"key": "k" * 24},
    }
    config.write_text(render(values))
    said = causeway("keys", "rotate", "oauth", "--new", "s3cret-key-in-clear", code=2, CAUSEWAY_CONFIG=str(config))
    assert "write env:NAME, file:PATH or credential:NAME" in said.err
    assert "s3cret" not in said.err
    assert json.dumps("s3cret") not in said.out
