"""`causeway people`: who is linked to whom, by the homeserver's word, by a sheet or by hand, against the real thing."""

from __future__ import annotations

import asyncio
import csv
import io
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from bridge.store.audit import Audit
from bridge.store.database import Statement
from bridge.store.opening import open_database
from tests.sandbox.exports import export_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway, Said, Side
    from tests.sandbox.slack import Workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSON = "INSERT INTO people (team, user_id, name, is_bot) VALUES ($1, $2, $3, $4)"
TEAM = "INSERT INTO workspaces (team, name, bot_user, bot, app) VALUES ($1, $2, 'U', 'B', 'A')"


@dataclass
class Office:
    """A workspace whose people have accounts or have none, and `causeway` with a configuration."""

    side: Side
    causeway: Causeway
    directory: Path
    config: Path

    @property
    def workspace(self) -> Workspace:
        return self.side.slack.team()

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.directory / 'causeway.db'}"

    def id(self, name: str) -> str:
        return self.workspace.user(name).id

    async def say(self, *words: str | Path, code: int = 0) -> Said:
        return await asyncio.to_thread(
            self.causeway, "people", *words, code=code, CAUSEWAY_CONFIG=str(self.config), SUDO_USER="root"
        )

    async def listed(self) -> dict[str, Any]:
        """Return who is linked to which account."""
        people = (await self.say("list", "--json")).data["people"]
        return {one["slack_id"]: one["matrix_id"] for one in people if one["matrix_id"]}

    async def meet(self, *names: str) -> None:
        """Have the bridge have met these people."""
        database = await open_database(self.database_url)
        rows = [Statement(PERSON, (self.workspace.id, self.id(name), name.title(), 0)) for name in names]
        await database.commit(Statement(TEAM, (self.workspace.id, "Northwind")), *rows)
        await database.close()

    async def log(self) -> list[tuple[str, str, str, str]]:
        """Return what the audit log says, without times."""
        database = await open_database(self.database_url)
        entries = await Audit(database).entries()
        await database.close()
        return [(one.actor, one.act, one.subject, one.detail) for one in entries]


PEOPLE = ("amara", "bruno", "chiara", "daniel", "greta", "tom")
ACCOUNTS = ("amara", "bruno", "greta")


@pytest.fixture(scope="module")
def admins() -> dict[str, str]:
    """The token of the homeserver's admin, once there is one."""
    return {}


@pytest_asyncio.fixture(loop_scope="module")
async def office(side: Side, causeway: Causeway, tmp_path: Path, admins: dict[str, str]) -> Office:
    if not admins:
        admin = await side.synapse.person("boss", admin=True)
        admins["token"] = admin.token
        workspace = side.slack.team()
        for name in PEOPLE:
            workspace.add_user(name, deleted=name == "tom")
        for name in (*ACCOUNTS, "closed"):
            await side.synapse.person(name)
        for name, account in (("amara", "amara"), ("bruno", "bruno"), ("chiara", "closed"), ("tom", "greta")):
            known = {"threepids": [{"medium": "email", "address": workspace.user(name).email}]}
            if name == "amara":
                known["external_ids"] = [{"auth_provider": "oidc-sso", "external_id": "amara"}]
            path = f"/_synapse/admin/v2/users/@{account}:localhost"
            await side.synapse.transport.request("PUT", path, token=admin.token, body=known)
        body = {"locked": True}
        path = "/_synapse/admin/v2/users/@closed:localhost"
        await side.synapse.transport.request("PUT", path, token=admin.token, body=body)
    office = Office(side, causeway, tmp_path, tmp_path / "config.yaml")
    configure(office, admins["token"])
    return office


def configure(office: Office, admin_token: str | None, **people: bool) -> None:
    given = {"admin_token": admin_token} if admin_token else {}
    office.side.write(office.config, homeserver=given, people={"email": True, **people})


# --- match


async def test_who_has_confirmed_their_address_is_linked_and_nobody_else(office: Office) -> None:
    tried = (await office.say("match", "--dry-run", "--json")).data
    assert tried["dry_run"] is True
    assert await office.listed() == {}
    done = (await office.say("match", "--json")).data
    assert done["totals"] == tried["totals"]
    assert done["totals"]["matched"] == 2
    assert await office.listed() == {
        office.id("amara"): "@amara:localhost",
        office.id("bruno"): "@bruno:localhost",
    }
    outcomes = {one["slack_id"]: one["outcome"] for one in done["people"]}
    assert outcomes[office.id("tom")] == "left out", "he is deactivated in Slack"
    assert outcomes[office.id("chiara")] == "no account", "hers is locked"
    again = (await office.say("match", "--json")).data
    assert (again["totals"]["matched"], again["totals"]["linked already"]) == (0, 2)
    assert {(actor, act) for actor, act, _, _ in await office.log()} == {("root (command line)", "link")}
    text = (await office.say("match")).out
    assert "the homeserver knows no account of daniel@" in text


async def test_people_are_matched_by_single_sign_on_too(office: Office) -> None:
    done = (await office.say("match", "--sso", "oidc-sso", "--sso-id", "name", "--json")).data
    assert [one["matrix_id"] for one in done["people"] if one["outcome"] == "matched"] == ["@amara:localhost"]
    (link,) = [one for one in (await office.say("list", "--json")).data["people"] if one["matrix_id"]]
    assert link["how"] == "sso"
    assert "--sso-id belongs to --sso" in (await office.say("match", "--sso-id", "id", code=2)).err


async def test_an_export_tells_the_addresses_where_slack_is_not_asked(office: Office, admins: dict[str, str]) -> None:
    configure(office, admins["token"], email=False)
    assert "people.email" in (await office.say("match", code=1)).err
    archive = export_of(office.workspace, office.directory / "export.zip").path
    said = (await office.say("match", "--export", archive, "--dry-run")).out
    assert "2 matched" in said
    assert "Nobody was linked" in said
    await office.say("match", "--export", archive)
    assert set(await office.listed()) == {office.id("amara"), office.id("bruno")}
    mute = export_of(office.workspace, office.directory / "mute", emails=False).path
    assert "Not one email is told" in (await office.say("match", "--export", mute)).err


async def test_without_an_admin_s_token_nobody_is_asked(office: Office) -> None:
    configure(office, None)
    assert "set homeserver.admin_token" in (await office.say("match", code=1)).err
    configure(office, "syt_wrong_token_of_nobody")
    assert "homeserver.admin_token" in (await office.say("match", code=1)).err


# --- by hand


async def test_a_person_is_linked_and_unlinked_by_hand(office: Office) -> None:
    await office.meet("amara", "bruno")
    amara, bruno = office.id("amara"), office.id("bruno")
    assert "is @amara:localhost" in (await office.say("link", amara, "@amara:localhost")).out
    assert (await office.say("link", amara, "@amara:localhost", "--json")).data["new"] is False
    for words in ((bruno, "@amara:localhost"), (amara, "@bruno:localhost")):
        assert "already: unlink that" in (await office.say("link", *words, code=1)).err
    assert await office.listed() == {amara: "@amara:localhost"}
    assert (await office.say("unlink", amara, "--json")).data == {"slack_id": amara, "matrix_id": "@amara:localhost"}
    assert "is not linked" in (await office.say("unlink", amara, code=1)).err
    assert [act for _, act, _, _ in await office.log()] == ["link", "unlink"]


@pytest.mark.parametrize(
    ("account", "code", "words"),
    [
        ("amara", 2, "is not a Matrix user id"),
        ("@causeway:localhost", 2, "bridge's own"),
        ("@nobody:localhost", 1, "no account of localhost that can be used"),
        ("@closed:localhost", 1, "no account of localhost that can be used"),
    ],
)
async def test_what_is_no_account_is_refused(office: Office, account: str, code: int, words: str) -> None:
    await office.meet("amara")
    assert words in " ".join((await office.say("link", office.id("amara"), account, code=code)).err.split())


async def test_whom_nobody_has_met_is_nobody(office: Office) -> None:
    await office.meet("amara")
    assert "has met no U0NOBODY" in (await office.say("link", "U0NOBODY", "@amara:localhost", code=1)).err
    assert "Copy member ID" in (await office.say("link", "amara", "@amara:localhost", code=2)).err
    elsewhere = await office.say("link", office.id("amara"), "@ada:elsewhere.org", "--json")
    assert elsewhere.data["new"] is True


async def test_the_list_shows_who_is_linked_and_all_on_demand(office: Office) -> None:
    assert "met nobody" in (await office.say("list")).out
    await office.meet("amara", "bruno")
    await office.say("link", office.id("amara"), "@amara:localhost")
    said = await office.say("list")
    assert "@amara:localhost" in said.out
    assert "root (command line)" in said.out
    assert "Bruno" not in said.out
    assert "1 without a link" in said.err
    assert "Bruno" in (await office.say("list", "--all")).out


async def test_the_workspace_is_known_by_id_or_name_or_asked_of_slack(office: Office) -> None:
    team = office.workspace.id
    assert (await office.say("list", "--json")).data["team"] == team, "Slack was asked"
    assert (await office.say("list", "--workspace", "main", "--json")).data["team"] == team
    await office.meet("amara")
    for name in (team, "northwind", "main"):
        assert (await office.say("list", "--workspace", name, "--json")).data["team"] == team
    assert "there is no workspace 'acme'" in (await office.say("list", "--workspace", "acme", code=2)).err
    database = await open_database(office.database_url)
    await database.commit(Statement(TEAM, ("T0OTHER", "Other")))
    await database.close()
    assert f"{team} (Northwind)" in (await office.say("list", code=2)).err


# --- sheets


async def test_a_sheet_goes_out_is_filled_in_and_comes_back(office: Office) -> None:
    await office.meet("amara", "bruno", "greta")
    await office.say("link", office.id("amara"), "@amara:localhost")
    path = office.directory / "people.csv"
    assert "written" in (await office.say("export", "-o", path)).out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "--force" in (await office.say("export", "-o", path, code=1)).err
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    amara = next(row for row in rows if row["slack_id"] == office.id("amara"))
    assert (amara["matrix_id"], amara["how"]) == ("'@amara:localhost", "hand")
    assert amara["email"] == office.workspace.user("amara").email
    assert office.id("tom") not in {row["slack_id"] for row in rows}
    filled = {office.id("amara"): "@greta:localhost", office.id("greta"): "@amara:localhost"}
    lines = ["slack_id;matrix_id", *(f"{row['slack_id']};{filled.get(row['slack_id'], '')}" for row in rows)]
    path.write_text("\r\n".join(lines), encoding="utf-16")
    tried = (await office.say("import", path, "--dry-run", "--json")).data
    assert len(tried["linked"]) == 2
    assert await office.listed() == {office.id("amara"): "@amara:localhost"}
    assert "2 linked, 0 as before" in (await office.say("import", path)).out
    assert await office.listed() == filled
    assert "0 linked, 2 as before" in (await office.say("import", path)).out
    details = [detail for _, _, _, detail in await office.log()]
    assert "@greta:localhost by csv, in place of @amara:localhost" in details


async def test_of_a_sheet_with_a_wrong_line_nothing_is_taken(office: Office) -> None:
    await office.meet("amara", "bruno")
    path = office.directory / "people.csv"
    lines = [
        f"{office.id('amara')},@amara:localhost",
        "U0NOBODY,@bruno:localhost",
        f"{office.id('bruno')},@amara:localhost",
    ]
    path.write_text("\n".join(["slack_id,matrix_id", *lines]))
    said = (await office.say("import", path, code=1)).err
    assert "line 3: U0NOBODY is not known" in said
    assert "nothing was changed" in said
    path.write_text("\n".join(["slack_id,matrix_id", lines[0], lines[2]]))
    assert "line 3: @amara:localhost is there twice (line 2)" in (await office.say("import", path, code=1)).err
    path.write_text(f"slack_id,matrix_id\n{lines[0]}\n{office.id('bruno')},@nobody:localhost\n")
    assert "line 3: @nobody:localhost is no account" in (await office.say("import", path, code=1)).err
    assert await office.listed() == {}
    assert await office.log() == []


@pytest.mark.parametrize(
    ("content", "words"), [(b"PK\x03\x04xlsx", "save the sheet as CSV"), (b"slack_id,\xff\xfa", "not UTF-8")]
)
async def test_what_is_no_text_is_no_sheet(office: Office, content: bytes, words: str) -> None:
    path = office.directory / "people.csv"
    path.write_bytes(content)
    assert words in (await office.say("import", path, code=1)).err
    assert "cannot be read" in (await office.say("import", office.directory / "none.csv", code=1)).err


async def test_before_any_history_an_export_says_who_there_is(office: Office, admins: dict[str, str]) -> None:
    configure(office, admins["token"], email=False)
    archive = export_of(office.workspace, office.directory / "export.zip").path
    listed = (await office.say("export", "--export", archive, "--json")).data["people"]
    assert office.id("amara") in {one["slack_id"] for one in listed}
    path = office.directory / "people.csv"
    path.write_text(f"slack_id,matrix_id\n{office.id('amara')},@amara:localhost\n")
    assert "is not known in this workspace" in (await office.say("import", path, code=1)).err
    await office.say("import", path, "--export", archive)
    assert await office.listed() == {office.id("amara"): "@amara:localhost"}


# --- consent


async def test_a_consent_needs_a_reason_and_is_in_the_log(office: Office) -> None:
    amara = office.id("amara")
    assert "--reason" in (await office.say("consent", amara, code=2)).err
    assert "say on what" in (await office.say("consent", amara, "--reason", "  ", code=2)).err
    assert "agrees that" in (await office.say("consent", amara, "--reason", "signed\nform 7")).out
    assert "as before" in (await office.say("consent", amara, "--reason", "again")).out
    (one,) = [one for one in (await office.say("list", "--json")).data["people"] if one["direct_messages"]]
    assert one["slack_id"] == amara
    bruno = office.id("bruno")
    done = (await office.say("consent", amara, bruno, "--withdraw", "--reason", "by mail", "--json")).data
    people = [{"slack_id": amara, "new": True}, {"slack_id": bruno, "new": False}]
    assert done == {"agrees": False, "people": people}
    team = office.workspace.id
    assert await office.log() == [
        ("root (command line)", "consent to direct messages", f"{team}/{amara}", "signed form 7"),
        ("root (command line)", "withdraw consent to direct messages", f"{team}/{amara}", "by mail"),
    ]
