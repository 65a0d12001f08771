"""`causeway import --dry-run` plans: it prints and writes what would happen, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import stat
from dataclasses import asdict
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from bridge.cli import cli
from bridge.store.database import Statement
from bridge.store.directory import ADD_WORKSPACE
from bridge.store.opening import open_database
from bridge.store.papers import Papers
from bridge.store.people import ADD_LINK
from config.loader import load
from config.reference import render
from tests.bridge.exports.packed import an_export, entry, said, zipped
from tests.sandbox.exports import BROKEN, Counts, Generated, broken

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.papers import Paper
    from config.document import Plain
    from tests.bridge.cli.conftest import Causeway
    from tests.sandbox.exports import Truth

EVIL = "<script>alert(1)</script>\x1b[2J"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def truth(here: Path) -> Truth:
    """What is in export.zip."""
    return Generated(seed=4, messages=600, channels=16).write(here / "export.zip", "full")


def counts(figures: dict[str, Any]) -> dict[str, int]:
    return {name: figures[name] for name in asdict(Counts())}


def test_json_is_one_object_with_what_is_promised_and_nothing_is_written(
    causeway: Causeway, here: Path, truth: Truth
) -> None:
    said_ = causeway("import", "export.zip", "--dry-run", "--json")
    found = said_.data
    assert counts(found["totals"]) == asdict(truth.totals)
    assert {one["id"]: counts(one) for one in found["channels"]} == {
        each.id: asdict(each.counts) for each in truth.channels
    }
    assert {one["kind"] for one in found["channels"]} == {"public", "private", "dm", "group_dm"}
    assert all(set(problem) == {"where", "what"} for problem in found["problems"])
    assert said_.err == ""
    assert [path.name for path in here.iterdir()] == ["export.zip"]


def test_a_plan_is_printed_and_written_for_its_owner_only(causeway: Causeway, here: Path, truth: Truth) -> None:
    out = causeway("import", "export.zip", "--dry-run").out
    for words in ("#general", "mpdm-", "To decide", "which is only assumed: add --rate", "Problems (", "Written: "):
        assert words in out
    written = here / "causeway-plan"
    assert counts(json.loads((written / "plan.json").read_text())["totals"]) == asdict(truth.totals)
    assert f"{truth.totals.messages:,}" in (written / "plan.html").read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in written.iterdir()} == {0o600}
    causeway("import", "export.zip", "--dry-run")  # a later plan takes the place of the earlier one


def test_the_folder_may_be_named(causeway: Causeway, here: Path, truth: Truth) -> None:
    causeway("import", "export.zip", "--dry-run", "--json", "--out", "there/plan")
    assert sorted(path.name for path in (here / "there/plan").iterdir()) == ["plan.html", "plan.json"]


def test_a_conversation_is_called_by_its_people(causeway: Causeway, here: Path) -> None:
    users = [{"id": "U0ANN", "name": "ann", "profile": {"display_name": "Ann"}}]
    files = an_export() | {"dms.json": [entry("D0X", members=["U0ANN", "U0BEN"])], "users.json": users}
    files |= {"mpims.json": [entry("C0M", "mpdm-a--b-1", is_archived=True)]}
    zipped(here / "x.zip", files)
    out = causeway("import", "x.zip", "--dry-run").out
    assert "Ann and U0BEN" in out
    assert "mpdm-a--b-1 (archived)" in out


def test_what_foreigners_wrote_is_text_and_nothing_else(causeway: Causeway, here: Path) -> None:
    files = an_export() | {
        "channels.json": [entry("C0GENERAL", f"general{EVIL}", members=["U0ANN"])],
        "users.json": [{"id": "U0ANN", "name": EVIL}],
        f"{EVIL}.json": [],
        "general/2024-05-01.json": said("1.000100", reactions=[{"name": f"{EVIL}", "users": ["U0ANN"]}]),
    }
    del files["general/2024-05-02.json"]
    zipped(here / f"x{EVIL}.zip".replace("/", "_"), files)
    done = causeway("import", f"x{EVIL}.zip".replace("/", "_"), "--dry-run")
    page = (here / "causeway-plan/plan.html").read_text()
    assert "\x1b" not in done.out
    assert "<script" not in page
    assert "&lt;script&gt;" in page


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(causeway: Causeway, here: Path, truth: Truth) -> None:
    causeway("import", "export.zip", "--dry-run", "--kind", "public", "--since", "2020-01-01")
    page = (here / "causeway-plan/plan.html").read_text()
    tags = _Tags()
    tags.feed(page)
    assert (tags.open, tags.links) == ([], [])
    assert "default-src 'none'" in page
    assert "Only channels of the kind public, messages from 2020-01-01T00:00:00Z on." in page


def test_a_plan_that_cannot_be_written_was_shown(causeway: Causeway, here: Path) -> None:
    zipped(here / "x.zip", an_export())
    (here / "causeway-plan").write_text("a file in the way")
    done = causeway("import", "x.zip", "--dry-run", code=1)
    assert "#general" in done.out
    assert "cannot be written" in done.err


# --- selection


def test_channels_kinds_and_days_are_selected(causeway: Causeway, here: Path) -> None:
    files = an_export() | {"groups.json": [entry("G0SECRET", "secret")]}
    zipped(here / "x.zip", files)

    def chosen(*words: str) -> tuple[list[str], int]:
        found = causeway("import", "x.zip", "--dry-run", "--json", *words).data
        return [one["id"] for one in found["channels"]], found["totals"]["messages"]

    assert chosen("--channel", "#general", "--channel", "G0SECRET") == (["C0GENERAL", "G0SECRET"], 3)
    assert chosen("--kind", "private") == (["G0SECRET"], 0)
    assert chosen("--channel", "general", "--until", "2024-05-01") == (["C0GENERAL"], 1)
    assert chosen("--since", "2024-05-02", "--kind", "public") == (["C0GENERAL"], 2)
    assert chosen("--since", "2024-05-02T08:00:00Z", "--until", "2024-05-02T08:00:01") == (["C0GENERAL", "G0SECRET"], 2)
    out = causeway("import", "x.zip", "--dry-run", "--channel", "general", "--until", "9999-12-31").out
    assert "Only the channels general, messages before" in out
    assert "1 channels are left out" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--channel", "genral"), "no channel genral: did you mean #general?"),
        (("--channel", "zzz"), "no channel zzz; --dry-run without it shows them all"),
        (("--since", "yesterday"), "'yesterday' is no date: write 2024-05-31"),
        (("--since", "2024-05-02", "--until", "2024-05-01"), "nothing lies between them"),
        (("--kind", "secret"), "'secret' is not one of"),
    ],
)
def test_a_selection_that_selects_nothing_is_a_misuse(
    causeway: Causeway, here: Path, words: tuple[str, ...], expected: str
) -> None:
    zipped(here / "x.zip", an_export())
    err = causeway("import", "x.zip", "--dry-run", *words, code=2).err
    assert expected in err
    assert "Usage: causeway import [OPTIONS]" in err


def test_options_may_stand_before_the_path(causeway: Causeway, here: Path) -> None:
    zipped(here / "x.zip", an_export())
    assert causeway("import", "--dry-run", "--json", "x.zip").data["totals"]["messages"] == 3


@pytest.mark.parametrize(("words", "expected"), [(("gone.zip",), "does not exist"), ((), "name the export")])
def test_an_export_must_be_named_and_be_there(
    causeway: Causeway, here: Path, words: tuple[str, ...], expected: str
) -> None:
    assert expected in causeway("import", *words, "--dry-run", code=2).err


# --- time


def test_the_time_is_reckoned_with_the_rate_that_is_given(causeway: Causeway, here: Path, truth: Truth) -> None:
    found = causeway("import", "export.zip", "--dry-run", "--json", "--rate", "10", "--bandwidth", "2").data["estimate"]
    totals = truth.totals
    events = totals.messages + totals.reactions + totals.files
    assert (found["events"], found["event_seconds"], found["rate_from"]) == (events, round(events / 10), "given")
    assert found["file_seconds"] == round(totals.bytes / 2_000_000)
    assert found["seconds"] == max(found["event_seconds"], found["file_seconds"])


# --- beside a store


@pytest.fixture
def config(here: Path, database_url: str) -> Path:
    """The configuration of a bridge that bridges #general and was brought a history over before."""

    async def fill() -> None:
        database = await open_database(database_url)
        await database.commit(
            Statement(ADD_WORKSPACE, ("T01", "acme", "U0BRIDGE", "B0BRIDGE", "A0BRIDGE", "")),
            Statement(
                "INSERT INTO portals (team, channel, room, direction, state, name) "
                "VALUES ('T01', 'C0GENERAL', '!r:localhost', 'both', 'live', 'general')"
            ),
            Statement(ADD_LINK, ("T01", "U0ANN", "@ann:localhost", "hand", 1, "admin")),
            Statement(
                "INSERT INTO imports (team, source, selection, state, started_at, updated_at, finished_at) "
                "VALUES ('T01', 'x', '', 'done', 0, 0, 100000)"
            ),
            Statement(
                "INSERT INTO import_channels (import, channel, queue, name, place, state, admitted) "
                "VALUES (1, 'C0GENERAL', 'T01/C0GENERAL', 'general', 0, 'done', 5000)"
            ),
        )
        await database.close()

    asyncio.run(fill())
    path = here / "config.yaml"
    tokens: Plain = {"bot_token": "xoxb-1", "app_token": "xapp-1"}
    values: dict[str, Plain] = {
        "homeserver": {"domain": "localhost"},
        "appservice": {"as_token": "a" * 24, "hs_token": "h" * 24},
        "database": {"url": database_url},
        "slack": {"workspaces": [tokens]},
    }
    path.write_text(render(values))
    path.chmod(0o600)
    return path


def test_a_configuration_tells_what_is_bridged_who_is_linked_and_how_fast_it_was(
    causeway: Causeway, here: Path, config: Path
) -> None:
    files = an_export() | {
        "users.json": [
            {"id": user, "team_id": "T01", "profile": {"email": f"{user}@example.org"}} for user in ("U0ANN", "U0BEN")
        ],
        "general/2024-05-01.json": [*said("1714550400.000100"), *said("1714550401.000100", user="U0BEN")],
    }
    zipped(here / "x.zip", files)
    found = causeway("import", "x.zip", "--dry-run", "--json", "-c", config).data
    kinds = {decision["kind"]: decision["about"] for decision in found["decisions"]}
    assert kinds == {"bridged": ["C0GENERAL"], "people": ["U0BEN"]}
    assert (found["estimate"]["events_per_second"], found["estimate"]["rate_from"]) == (50, "measured")
    (paper,) = asyncio.run(papers(config))
    assert (paper.kind, paper.title, paper.outcome) == ("plan", "x.zip", "4 messages in 1 channel, no problems")
    alone = causeway("import", "x.zip", "--dry-run", "--json").data
    assert alone["decisions"] == []  # a configuration that lies about is not read unless it is named


async def papers(config: Path) -> list[Paper]:
    """Return what is kept for the console."""
    database = await open_database(load(config).database.url.reveal())
    found = await Papers(database).before(9, 9)
    await database.close()
    return found


def test_an_export_of_another_workspace_is_told(causeway: Causeway, here: Path, config: Path) -> None:
    zipped(here / "x.zip", an_export() | {"users.json": [{"id": "U0ANN", "team_id": "T09"}]})
    found = causeway("import", "x.zip", "--dry-run", "--json", "-c", config).data
    assert [decision["about"] for decision in found["decisions"] if decision["kind"] == "workspace"] == [["T09"]]


# --- whatever is wrong


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_export_is_planned_or_refused_in_words(causeway: Causeway, here: Path, name: str) -> None:
    export = broken(name, here)
    done = CliRunner().invoke(cli, ["import", str(export.path), "--dry-run"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 0 or (done.exit_code == 1 and done.stderr.startswith("Error: "))
    assert "\x1b" not in done.output
