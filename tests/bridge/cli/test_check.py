"""`causeway check` finds what is wrong on each side and says what to do, against a real Synapse and the sandbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from bridge.http import Listener
from bridge.matrix.appservice import Appservice
from bridge.matrix.client import MatrixClient
from bridge.store.database import Statement
from bridge.store.opening import HALF_MOVED, open_database
from config import manifest
from config.loader import load
from portals.ids import MatrixUserId
from tests.sandbox.child import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings
    from tests.bridge.cli.conftest import Causeway, Said, Side

pytestmark = pytest.mark.asyncio(loop_scope="module")

Findings = list[dict[str, str]]


async def look(causeway: Causeway, config: Path, code: int = 0) -> Findings:
    """Run the command beside the servers, which need this thread."""
    said: Said = await asyncio.to_thread(causeway, "check", "-c", config, "--json", code=code)
    findings: Findings = said.data["findings"]
    assert said.data["ok"] is (code == 0)
    return findings


def bad(findings: Findings) -> Findings:
    return [finding for finding in findings if finding["outcome"] not in ("ok", "skip")]


async def test_all_is_well_where_all_is_well(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    config = side.write(tmp_path / "config.yaml")
    causeway("register", "-c", config)
    findings = await look(causeway, config)
    assert bad(findings) == []
    said = await asyncio.to_thread(causeway, "check", "-c", config)
    assert "All is well" in said.out
    details = " ".join(finding["detail"] for finding in findings)
    for words in (
        "agrees with the configuration",
        "we are @causeway:localhost",
        "good for",
        "opens sockets",
        "lets the bridge make ghosts, as @slack_t0check_u0check:localhost",
        "takes files",
    ):
        assert words in details
    assert "token-0123456789" not in said.out


async def test_a_first_set_up_is_tried_on_a_homeserver_that_does_not_know_the_bridge_yet(
    side: Side, causeway: Causeway, tmp_path: Path
) -> None:
    words = ("init", "-d", tmp_path, "--domain", "localhost", "--homeserver", side.synapse.url, "--json")
    said = await asyncio.to_thread(causeway, *words, "--listen", f"127.0.0.1:{free_port()}")
    met = said.data["tried"][0]
    assert (met["outcome"], "speaks Matrix 1.1" in met["detail"], "Synapse 1." in met["detail"]) == ("ok", True, True)


async def test_while_the_bridge_runs_the_way_back_is_tried(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    config = side.write(tmp_path / "config.yaml")
    listen = load(config, {}).appservice.listen

    async def nothing(*_: object) -> None:
        """Take what comes."""

    async def unknown(_: object) -> bool:
        return False

    for token, outcome in (("hs-token-0123456789", "ok"), ("another-token-456789", "fail")):
        application = web.Application()
        application.add_routes(Appservice(token, nothing, lambda _: None, unknown, unknown).routes())
        async with Listener(application, listen.host, listen.port):
            findings = await look(causeway, config, code=int(outcome == "fail"))
        (ping,) = (one for one in findings if "reaches the bridge" in one["detail"] or "M_BAD_STATUS" in one["detail"])
        assert ping["outcome"] == outcome
        assert outcome == "ok" or "hs_token" in ping["remedy"]


async def test_tokens_that_the_homeserver_does_not_know_are_named(
    side: Side, causeway: Causeway, tmp_path: Path
) -> None:
    config = side.write(tmp_path / "config.yaml", appservice={"as_token": "not-the-one-that-synapse-has"})
    (finding,) = bad(await look(causeway, config, code=1))
    assert "as_token" in finding["detail"]
    assert "registration" in finding["detail"] + finding["remedy"]
    assert "homeserver.address" not in finding["remedy"]


async def test_ghosts_that_the_registration_does_not_cover_are_named(
    side: Side, causeway: Causeway, tmp_path: Path
) -> None:
    config = side.write(tmp_path / "config.yaml", appservice={"ghost_localpart": "workspace_{team}_{user}"})
    (finding,) = bad(await look(causeway, config, code=1))
    assert "M_EXCLUSIVE" in finding["detail"]
    assert "causeway register" in finding["remedy"]


async def test_another_bot_than_the_registered_one_is_named(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    config = side.write(tmp_path / "config.yaml", appservice={"bot_localpart": "another"})
    (finding,) = bad(await look(causeway, config, code=1))
    assert finding["detail"] == "takes the bridge for @causeway:localhost, not for @another:localhost"


async def test_a_homeserver_that_is_not_there_is_named(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    config = side.write(tmp_path / "config.yaml", homeserver={"address": f"http://127.0.0.1:{free_port()}"})
    (finding,) = bad(await look(causeway, config, code=1))
    assert finding["subject"] == "homeserver"
    assert "homeserver.address" in finding["remedy"]


async def test_each_missing_scope_is_named_with_its_line(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    lacking = {"reactions:write", "files:read"}
    settings = load(side.write(tmp_path / "config.yaml"), {})
    team = side.slack.new_team("Poor", scopes=set(manifest.scopes(settings)) - lacking)
    config = side.write(
        tmp_path / "config.yaml", slack=side.workspace(bot_token=team.bot_token, app_token=team.app_token)
    )
    findings = bad(await look(causeway, config, code=1))
    assert {line for line in lacking if any(f"`- {line}`" in finding["remedy"] for finding in findings)} == lacking
    assert len(findings) == 2


async def test_the_scopes_of_the_manifest_are_enough(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    settings = load(side.write(tmp_path / "config.yaml"), {})
    team = side.slack.new_team("Exact", scopes=manifest.scopes(settings))
    config = side.write(
        tmp_path / "config.yaml", slack=side.workspace(bot_token=team.bot_token, app_token=team.app_token)
    )
    assert bad(await look(causeway, config)) == []


async def test_slack_tokens_that_do_not_work_are_told_apart(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    team = side.slack.new_team("Gone")
    side.slack.revoke(team.installation.token)
    config = side.write(
        tmp_path / "config.yaml",
        slack={
            "workspaces": [
                {"name": "gone", "bot_token": team.bot_token, "app_token": team.app_token},
                {**side.values["slack"]["workspaces"][0], "name": "app", "app_token": "xapp-1-unknown"},
                {"name": "both", "bot_token": "xoxb-1-unknown", "app_token": "xapp-1-unknown"},
            ]
        },
    )
    gone, app, *both = bad(await look(causeway, config, code=1))
    assert gone["subject"] == "slack gone"
    assert "token_revoked" in gone["detail"]
    assert "Install the app" in gone["remedy"]
    assert app["subject"] == "slack app"
    assert "apps.connections.open" in app["detail"]
    assert [finding["detail"].partition(":")[0] for finding in both] == ["auth.test", "apps.connections.open"]


async def test_mapped_channels_and_rooms_are_looked_for(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    ada = await side.synapse.person("ada")
    mine = await ada.create_room(name="Mine")
    known = "#general"
    mappings = [
        {"slack": known},
        {"slack": "#nowhere"},
        {"slack": "C0NOWHERE", "matrix": "#nowhere:localhost"},
        {"slack": "#other", "matrix": mine},
    ]
    config = side.write(tmp_path / "config.yaml", portals={"map": mappings})
    findings = await look(causeway, config, code=1)
    said = {(finding["outcome"], finding["detail"]) for finding in findings}
    assert ("ok", f"the channel {known} is there") in said
    assert ("fail", "the bot sees no channel #nowhere") in said
    assert ("fail", "the bot sees no channel C0NOWHERE") in said
    assert ("fail", "there is no room #nowhere:localhost") in said
    assert ("warn", f"the bot is not in the room {mine} yet") in said


async def test_rooms_of_moderators_are_looked_for_and_at(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    mona = await side.synapse.person("mona")
    there = await mona.create_room(name="Moderators", preset="public_chat")
    policies: list[Any] = [
        {"name": "default", "hold": {"words": ["draft"], "room": "#nomods:localhost"}},
        {"name": "open", "hold": {"words": ["draft"], "room": there}},
    ]
    config = side.write(tmp_path / "config.yaml", policies=policies)
    findings = await look(causeway, config, code=1)
    said = {(finding["outcome"], finding["detail"]) for finding in findings}
    assert ("fail", "there is no room #nomods:localhost") in said
    assert ("warn", f"the bot is not in the room {there} yet") in said
    settings = load(config, {})
    async with client_of(settings) as bot:
        await bot.rooms.join(there)
    findings = await look(causeway, config, code=1)
    said = {(finding["outcome"], finding["detail"]) for finding in findings}
    why = "more people than the invited may join this room"
    assert ("warn", f"nothing that is held is quoted in {there}: {why}") in said
    await mona.set_state(there, "m.room.join_rules", {"join_rule": "invite"})
    findings = await look(causeway, config, code=1)
    assert ("ok", f"the bot is in {there}") in {(finding["outcome"], finding["detail"]) for finding in findings}


def client_of(settings: Settings) -> MatrixClient:
    bot = MatrixUserId(settings.bot_id)
    return MatrixClient(settings.homeserver.address, settings.appservice.as_token.reveal(), bot)


async def test_files_that_are_open_or_differ_are_named(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    config = side.write(tmp_path / "config.yaml")
    causeway("register", "-c", config)
    side.write(config, appservice={"url": "http://bridge:29330", "ghost_localpart": "other_{team}_{user}"})
    config.chmod(0o644)
    rights, *differences = bad(await look(causeway, config, code=1))
    assert rights["outcome"] == "warn"
    assert rights["remedy"] == f"chmod o= {config}"
    *told, refused = differences
    assert [finding["detail"].partition(": ")[2].split()[0] for finding in told] == ["url", "namespaces.users"]
    assert "M_EXCLUSIVE" in refused["detail"]
    assert all("causeway register --force" in finding["remedy"] for finding in told)


async def test_the_public_address_of_signed_events_is_tried(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    async def take(_: web.Request) -> web.Response:
        return web.Response()

    application = web.Application()
    application.router.add_post("/slack/events", take)
    async with Listener(application, "127.0.0.1", 0) as listener:
        slack = side.workspace(signing_secret="s3cret") | {"mode": "events"}
        for path, outcome in (("/slack/events", "ok"), ("/elsewhere", "fail")):
            events = {"url": listener.url, "listen": f"127.0.0.1:{listener.port}", "path": path}
            config = side.write(tmp_path / "config.yaml", slack=slack | {"events": events})
            findings = await look(causeway, config, code=int(outcome == "fail"))
            assert [one["outcome"] for one in findings if one["subject"] == "slack events"] == [outcome]
    config = side.write(tmp_path / "config.yaml", slack=slack | {"events": events})
    assert [one["outcome"] for one in await look(causeway, config) if one["subject"] == "slack events"] == ["skip"]


async def test_a_database_is_opened_and_left_as_it_is(
    side: Side, causeway: Causeway, tmp_path: Path, database_url: str
) -> None:
    config = side.write(tmp_path / "config.yaml", database={"url": database_url})
    await look(causeway, config)
    database = await open_database(database_url)
    try:
        (current,) = (one for one in await look(causeway, config) if "layout" in one["detail"])
        assert current["detail"].endswith("the current one")
        await database.commit(Statement("INSERT INTO schema_version (version) VALUES ($1)", (9999,)))
        (newer,) = bad(await look(causeway, config, code=1))
        assert newer["subject"] == "database"
        assert "newer Causeway" in newer["remedy"]
    finally:
        await database.close()


async def test_a_database_that_cannot_be_used_is_named(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database, and no directory")
    for url in (
        f"sqlite:///{tmp_path}/file",
        f"sqlite:///{tmp_path}",
        f"postgres://nobody:pw@127.0.0.1:{free_port()}/x",
    ):
        config = side.write(tmp_path / "config.yaml", database={"url": url})
        (finding,) = bad(await look(causeway, config, code=1))
        assert finding["subject"] == "database"
        assert "pw" not in finding["detail"]


async def test_a_configuration_that_cannot_be_read_ends_the_check(causeway: Causeway, tmp_path: Path) -> None:
    (finding,) = await look(causeway, tmp_path / "none.yaml", code=1)
    assert "there is no such file" in finding["detail"]


async def test_the_tokens_for_people_are_tried(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    admin = await side.synapse.person("overseer", admin=True)
    puppets = {"as_token": "puppet-token-0123456789"}
    config = side.write(tmp_path / "config.yaml", homeserver={"admin_token": admin.token}, double_puppet=puppets)
    causeway("register", "-c", config)
    findings = await look(causeway, config, code=1)
    (unknown,) = bad(findings)
    assert unknown["detail"] == "the homeserver does not know double_puppet.as_token"
    assert "doublepuppet.yaml" in unknown["remedy"]
    details = [finding["detail"] for finding in findings if finding["outcome"] == "ok"]
    assert "the homeserver tells whose an e-mail address is" in details
    assert any("doublepuppet.yaml agrees" in detail for detail in details)
    path = tmp_path / "doublepuppet.yaml"
    path.write_text(path.read_text().replace("rate_limited: false", "rate_limited: true"))
    assert any("rate_limited is true" in finding["detail"] for finding in await look(causeway, config, code=1))
    path.unlink()
    skipped = [finding for finding in await look(causeway, config, code=1) if finding["outcome"] == "skip"]
    assert any("doublepuppet.yaml" in finding["detail"] for finding in skipped)


async def test_a_half_moved_database_is_told(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'half.db'}"
    database = await open_database(url)
    await database.commit(Statement("INSERT INTO schema_version (version) VALUES ($1)", (HALF_MOVED,)))
    await database.close()
    findings = await look(causeway, side.write(tmp_path / "config.yaml", database={"url": url}), code=1)
    assert [one["detail"] for one in bad(findings)] == ["a store is being moved into it, or that was interrupted"]
