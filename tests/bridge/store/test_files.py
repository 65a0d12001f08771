"""Files in the store: each once, and what became of it stays until somebody asks for it anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bridge.store.database import Statement
from bridge.store.files import Files, FileState, KnownFile, Tally
from bridge.store.opening import migrations, statements_of
from portals.ids import TeamId

if TYPE_CHECKING:
    from bridge.store.database import Database

TEAM = TeamId("T1")
URL = "https://files.slack.com/files-pri/T1-F1/a.png"
FILE = KnownFile(TEAM, "F1", URL, "a.png", "image/png", 20, "https://files.slack.com/files-tmb/T1-F1/a.png")
HERE = replace(FILE, state=FileState.HERE, mxc="mxc://x/1", seen=20, sha256="ab" * 32)


@pytest.fixture
def files(database: Database) -> Files:
    return Files(database)


async def expect(database: Database, *wanted: KnownFile) -> None:
    await database.commit(*(one for file in wanted for one in Files(database).expecting(file)))


async def found(files: Files, file_id: str = "F1") -> KnownFile:
    file = await files.find(TEAM, file_id)
    assert file is not None
    return replace(file, n=0)


async def test_what_is_known_of_a_file_is_found_again(files: Files, database: Database) -> None:
    assert await files.find(TEAM, "F1") is None
    await expect(database, replace(FILE, promised=True))
    assert await found(files) == replace(FILE, promised=True)
    assert await files.arrived(HERE) == "mxc://x/1"
    assert await found(files) == replace(HERE, promised=True)


async def test_a_file_of_two_workspaces_is_two(files: Files) -> None:
    await files.arrived(HERE)
    other = TeamId("T2")
    assert await files.find(other, "F1") is None
    await files.arrived(replace(HERE, team=other, mxc="mxc://x/2"))
    assert (await found(files)).mxc == "mxc://x/1"


async def test_the_copy_that_was_here_first_stays(files: Files) -> None:
    await files.arrived(HERE)
    assert await files.arrived(replace(HERE, mxc="mxc://x/2", sha256="cd" * 32)) == "mxc://x/1"
    assert await found(files) == HERE


async def test_what_is_here_is_neither_expected_nor_given_up_again(files: Files, database: Database) -> None:
    await files.arrived(HERE)
    await expect(database, replace(FILE, promised=True))
    await files.give_up(replace(FILE, reason="gone"))
    assert await files.tried(replace(FILE, reason="broken")) == 0
    assert await found(files) == HERE
    assert await files.promised(0, 10) == []


async def test_what_was_given_up_is_expected_again_only_with_an_address_that_it_lacked(
    files: Files, database: Database
) -> None:
    hidden = replace(FILE, id="F2", url="", reason="hidden by the plan")
    await database.commit(*files.missing(hidden))
    await files.give_up(replace(FILE, reason="gone"))
    assert [(one.id, one.reason) for one in await files.absent(0, 10)] == [("F2", "hidden by the plan"), ("F1", "gone")]
    await expect(database, replace(FILE, promised=True), replace(FILE, id="F2", promised=True))
    assert [one.id for one in await files.promised(0, 10)] == ["F2"]
    assert (await found(files, "F2")).reason == ""


async def test_what_slack_hides_in_one_place_is_not_forgotten_where_it_is_known(
    files: Files, database: Database
) -> None:
    await expect(database, replace(FILE, promised=True))
    await database.commit(*files.missing(replace(FILE, url="", reason="hidden by the plan")))
    assert await found(files) == replace(FILE, promised=True)


async def test_tries_are_counted_until_the_file_is_asked_for_anew(files: Files, database: Database) -> None:
    assert [await files.tried(replace(FILE, reason=reason)) for reason in ("a", "b")] == [1, 2]
    await expect(database, FILE)
    assert ((await found(files)).tries, (await found(files)).reason) == (2, "b")
    await files.give_up(replace(FILE, reason="c"))
    assert (await found(files)).state is FileState.ABSENT
    assert await files.retry([(TEAM, "F1"), (TEAM, "F9")]) == ["F1"]
    assert await files.retry([(TEAM, "F1")]) == await files.retry([]) == []
    again = await found(files)
    assert (again.state, again.tries, again.reason) == (FileState.WAITING, 0, "")
    assert [one.id for one in await files.promised(0, 10)] == ["F1"]


async def test_an_import_says_until_when_it_is_at_what_it_promised(files: Files) -> None:
    other = TeamId("T2")
    await files.keep(files.fetching([TEAM, other], 7))
    await files.keep(files.fetching([TEAM], 99))
    assert [await files.fetching_until(team) for team in (TEAM, other, TeamId("T3"))] == [99, 7, 0]


async def test_what_is_promised_comes_in_pages_in_the_order_in_which_it_was_met(
    files: Files, database: Database
) -> None:
    await expect(database, *(replace(FILE, id=f"F{n}", promised=True) for n in (3, 1, 2)))
    first = await files.promised(0, 2)
    rest = await files.promised(first[-1].n, 2)
    assert [one.id for one in [*first, *rest]] == ["F3", "F1", "F2"]


async def test_files_and_their_bytes_are_counted_by_what_became_of_them(files: Files, database: Database) -> None:
    await expect(database, replace(FILE, promised=True), replace(FILE, id="F2", promised=True))
    await files.arrived(replace(HERE, id="F2", seen=21))
    await files.arrived(replace(HERE, id="F3", team=TeamId("T2")))
    assert await files.counts(TEAM) == {
        FileState.WAITING: Tally(1, 20, 0),
        FileState.HERE: Tally(1, 20, 21),
        FileState.ABSENT: Tally(),
    }


@pytest.mark.parametrize("teams", [1, 2])
async def test_files_that_were_brought_before_there_were_rows_are_known_where_their_workspace_is(
    files: Files, database: Database, teams: int
) -> None:
    (script,) = [script for number, script in migrations() if number == 5]
    media = "INSERT INTO media (source, target, mimetype, size) VALUES ($1, $2, 'image/png', 20)"
    workspace = "INSERT INTO workspaces (team, name, bot_user, bot, app) VALUES ($1, 'x', '', '', '')"
    sources = ("slack:F1", "slack:F1/thumbnail", "picture:https://x/p.png")
    await database.commit(
        *(Statement(workspace, (f"T{n + 1}",)) for n in range(teams)),
        *(Statement(media, (source, f"mxc://x/{n}")) for n, source in enumerate(sources)),
    )
    moving = statements_of(script, database.serial)[-2:]
    assert [one.sql.split()[0] for one in moving] == ["INSERT", "DELETE"]
    await database.commit(*moving)
    file = await files.find(TEAM, "F1")
    assert (file.mxc if file else None) == ("mxc://x/0" if teams == 1 else None)
    rows = await database.fetch("SELECT source FROM media ORDER BY source")
    assert [row[0] for row in rows] == ["picture:https://x/p.png", "slack:F1/thumbnail"]


async def test_a_file_that_was_given_up_and_came_after_all_is_late_until_that_is_told(
    files: Files, database: Database
) -> None:
    await files.give_up(replace(FILE, reason="gone"))
    await files.retry([(TEAM, "F1")])
    await database.commit(*files.missing(replace(FILE, id="F2", url="", reason="hidden")))
    await expect(database, replace(FILE, id="F2", promised=True))
    await files.give_up(replace(FILE, id="F3", reason="gone"))
    assert await files.late(10) == []
    for name in ("F1", "F2", "F3", "F4"):
        await files.arrived(replace(HERE, id=name))
    late = await files.late(10)
    assert [one.id for one in late] == ["F1", "F2", "F3"]
    await files.keep(files.told(late[0]))
    assert [one.id for one in await files.late(1)] == ["F2"]
