from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.exports import Packing, export_of
from tests.sandbox.exports_tests.reading import entries, messages, parsed
from tests.sandbox.slack import Reality, SlackSandbox, Upload, bot_message
from tests.sandbox.slack.seed import demo_workspace
from tests.sandbox.slack_tests.conftest import Bench, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.slack.state import Json

ONLY_API = {"pinned_to", "pinned_info", "subscribed", "is_locked", "metadata"}
ONLY_EXPORT = {"user_profile", "user_team", "source_team", "replies"}


def plain(message: Json) -> Json:
    """What an export and the API must agree on: all but what only one of them tells, and tokens in links."""
    kept: Json = {}
    for key, value in message.items():
        if key in ONLY_API | ONLY_EXPORT | {"reply_users", "root"}:
            continue
        if key == "files":
            value = [{k: v.partition("?")[0] if isinstance(v, str) else v for k, v in file.items()} for file in value]
        kept[key] = value
    return kept


async def everything(bench: Bench, channel: str) -> list[Json]:
    """A channel as a client reads it: its history, and the replies of each thread."""
    found: dict[str, Any] = {}
    history = await bench.web.conversations_history(channel=channel, limit=999)
    for message in history["messages"]:
        found[message["ts"]] = message
        if message.get("thread_ts") == message["ts"]:
            replies = await bench.web.conversations_replies(channel=channel, ts=message["ts"], limit=1000)
            found |= {reply["ts"]: reply for reply in replies["messages"]}
    return [found[ts] for ts in sorted(found, key=float)]


async def test_an_export_holds_the_messages_that_the_api_gives(tmp_path: Path) -> None:
    async with running(seed=demo_workspace) as bench:
        export = export_of(bench.team, tmp_path / "export", "full")
        bot = bench.team.installation.bot_user
        compared = 0
        for channel in bench.team.channels.values():
            if bot in channel.members:
                exported = [plain(message) for message in messages(export.path, channel.name)]
                assert exported == [plain(message) for message in await everything(bench, channel.id)]
                compared += len(exported)
        assert compared > 40


async def test_an_export_has_the_final_text_and_no_trace_of_what_was_deleted(bench: Bench, tmp_path: Path) -> None:
    alice = bench.team.person("alice")
    said = alice.post("#general", "first draft")
    alice.edit("#general", said.ts, "final")
    alice.delete("#general", alice.post("#general", "gone").ts)
    root = alice.post("#general", "root")
    alice.post("#general", "reply", thread_ts=root.ts)
    alice.delete("#general", root.ts)
    shown = {message["ts"]: message for message in messages(export_of(bench.team, tmp_path / "e").path, "general")}
    assert shown[said.ts]["text"] == "final"
    assert shown[said.ts]["edited"]["ts"].endswith(".000000")
    assert all("gone" not in message["text"] for message in shown.values())
    assert (shown[root.ts]["subtype"], shown[root.ts]["user"], shown[root.ts]["hidden"]) == (
        "tombstone",
        "USLACKBOT",
        True,
    )
    assert shown[root.ts]["reply_count"] == 1


async def test_reactions_name_everybody_and_pins_stand_in_the_list_of_channels(bench: Bench, tmp_path: Path) -> None:
    alice = bench.team.person("alice")
    said = alice.post("#general", "vote")
    for number in range(60):
        bench.team.add_user(f"u{number}")
        bench.team.person(f"u{number}").join("#general")
        bench.team.person(f"u{number}").react("#general", said.ts, "+1")
    alice.pin("#general", said.ts)
    export = export_of(bench.team, tmp_path / "e")
    shown = next(message for message in messages(export.path, "general") if message["ts"] == said.ts)
    assert (len(shown["reactions"][0]["users"]), shown["reactions"][0]["count"]) == (60, 60)
    assert "pinned_to" not in shown
    (general,) = parsed(export.path)["channels.json"]
    pinned = bench.team.channel("#general").pins[said.ts]["pinned_ts"]
    pin = {"id": said.ts, "type": "C", "created": pinned, "user": alice.id, "owner": alice.id}
    assert general["pins"] == [pin]


def test_a_standard_export_has_only_public_channels_and_a_full_one_all(tmp_path: Path) -> None:
    team = demo_workspace(SlackSandbox(lambda _: None))
    team.person("daniel").post(team.person("daniel").direct("amara").id, "psst")
    trio = team.person("daniel").direct("amara", "bruno")
    standard = parsed(export_of(team, tmp_path / "standard").path)
    full = parsed(export_of(team, tmp_path / "full", "full").path)
    roots = {"channels.json", "users.json", "integration_logs.json", "canvases.json"}
    assert {path for path in standard if "/" not in path} == roots
    assert {path for path in full if "/" not in path} == roots | {"groups.json", "dms.json", "mpims.json"}
    assert {path.partition("/")[0] for path in full if "/" in path} > {"design", "finance-private"}
    assert not any(path.startswith("design/") for path in standard)
    (direct,) = full["dms.json"]
    assert any(path.startswith(f"{direct['id']}/") for path in full)
    assert [entry["name"] for entry in full["mpims.json"]] == [trio.name]
    people = {user["name"]: user for user in full["users.json"]}
    assert people["tom"]["deleted"]
    assert people["amara"]["profile"]["email"] == "amara@northwind.example"


def test_a_grid_export_nests_its_workspaces_and_keeps_direct_talk_at_its_root(tmp_path: Path) -> None:
    sandbox = SlackSandbox(lambda _: None)
    first, second = demo_workspace(sandbox), sandbox.new_team("Southwind")
    second.add_user("zoe")
    second.person("zoe").create("general")
    first.person("daniel").post(first.person("daniel").direct("amara").id, "psst")
    files = parsed(export_of([first, second], tmp_path / "grid.zip", "grid").path)
    assert {user["name"] for user in files["org_users.json"]} > {"amara", "zoe"}
    assert "users.json" not in files
    assert len(files["dms.json"]) == 1
    assert files["channels.json"] == []
    assert [channel["name"] for channel in files["teams/Southwind/channels.json"]] == ["general"]
    assert "teams/Northwind Supply/groups.json" in files
    with pytest.raises(ValueError, match="only a grid"):
        export_of([first, second], tmp_path / "no")


async def test_a_date_range_lists_only_what_was_active_and_leaves_replies_without_their_root(
    bench: Bench, tmp_path: Path
) -> None:
    alice = bench.team.person("alice")
    alice.create("quiet")
    root = alice.post("#general", "root")
    reply = alice.post("#general", "reply", thread_ts=root.ts)
    after = alice.post("#general", "after")
    export = export_of(bench.team, tmp_path / "e", date_range=(reply.ts, after.ts))
    assert [channel["name"] for channel in parsed(export.path)["channels.json"]] == ["general"]
    (orphan,) = messages(export.path, "general")
    assert (orphan["ts"], orphan["thread_ts"]) == (reply.ts, root.ts)


def test_days_end_at_midnight_in_los_angeles(tmp_path: Path) -> None:
    team = SlackSandbox().team()
    before, after = datetime(2026, 3, 2, 7, 59, 59, tzinfo=UTC), datetime(2026, 3, 2, 8, 0, 1, tzinfo=UTC)
    for moment in (before, after):
        message = team.person("alice").post("#general", "x")
        channel = team.channel("#general")
        channel.drop(message)
        message.ts = f"{int(moment.timestamp())}.000100"
        channel.keep(message)
    days = {path for path in parsed(export_of(team, tmp_path / "e").path) if path.startswith("general/2026-03")}
    assert days == {"general/2026-03-01.json", "general/2026-03-02.json"}


@pytest.mark.parametrize("refused", ["page", "redirect"])
async def test_file_links_work_with_the_exports_token_until_it_expires(tmp_path: Path, refused: Any) -> None:
    async with running(Reality(refused_file=refused)) as bench:
        alice = bench.team.person("alice")
        alice.upload("#general", "a.txt", b"hello")
        alice.create("secret", private=True)
        hidden = alice.upload("#secret", "b.txt", b"secret")
        export = export_of(bench.team, tmp_path / "e")
        file = next(message for message in messages(export.path, "general") if "files" in message)["files"][0]
        assert export.token.startswith("xoxe-")
        assert export.token not in file["permalink"]

        async def fetch(url: str) -> tuple[str, bytes]:
            async with bench.session.get(url) as answer:
                return answer.content_type, await answer.read()

        assert await fetch(file["url_private"]) == ("text/plain", b"hello")
        assert await fetch(file["url_private_download"].replace("?t=", "?token=")) == ("text/plain", b"hello")
        unlinked = file["url_private"].replace(file["id"], hidden.files[0])
        no_token = file["url_private"].partition("?")[0]
        for url in (unlinked, no_token):
            assert (await fetch(url))[0] == "text/html"
        async with bench.session.get(no_token, allow_redirects=False) as answer:
            assert answer.status == (200 if refused == "page" else 302)
        export.expire()
        kind, body = await fetch(file["url_private"])
        assert kind == "text/html"
        assert b"Sign in" in body


async def test_a_deleted_file_and_a_bot_without_user_keep_their_odd_shapes(bench: Bench, tmp_path: Path) -> None:
    alice = bench.team.person("alice")
    said = alice.post("#general", "", files=[Upload("a.txt", b"a")])
    alice.delete_file(said.files[0])
    bot_message(bench.team, "#general", "deployed")
    first, second = messages(export_of(bench.team, tmp_path / "e").path, "general")[-2:]
    assert first["files"] == [{"id": said.files[0], "mode": "tombstone"}]
    assert "user" not in second
    assert second["username"] == "deploy-bot"


def test_packing_nests_adds_what_a_desktop_leaves_and_names_without_the_flag(tmp_path: Path) -> None:
    team = SlackSandbox().team()
    team.person("alice").create("größe")
    team.person("alice").post("#größe", "hi")
    packing = Packing(nested="My export", junk=True)
    export_of(team, tmp_path / "a.zip", packing=packing)
    export_of(team, tmp_path / "a", packing=packing)
    names = set(entries(tmp_path / "a"))
    assert {"My export/channels.json", "My export/.DS_Store", "__MACOSX/My export/größe/._.DS_Store"} <= names
    garbled = {path.encode("cp437").decode() for path in entries(tmp_path / "a.zip")}
    assert garbled == names
    export_of(team, tmp_path / "b.zip", packing=Packing(utf8_flag=True))
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert any(name.startswith("größe/") for name in archive.namelist())


def test_an_export_overwrites_nothing(tmp_path: Path) -> None:
    team = SlackSandbox().team()
    for name in ("e", "e.zip"):
        export_of(team, tmp_path / name)
        with pytest.raises(FileExistsError):
            export_of(team, tmp_path / name)


async def test_a_sandbox_in_another_process_writes_an_export_on_request(bench: Bench, tmp_path: Path) -> None:
    bench.team.person("alice").upload("#general", "a.txt", b"hello")

    async def control(what: str, **values: object) -> tuple[int, Json]:
        async with bench.session.post(f"{bench.slack.url}/_sandbox/{what}", json=values) as answer:
            return answer.status, await answer.json()

    status, body = await control("export", path=str(tmp_path / "e.zip"), kind="full")
    assert (status, body["path"]) == (200, str(tmp_path / "e.zip"))
    url = messages(tmp_path / "e.zip", "general")[-1]["files"][0]["url_private"]
    assert url.endswith(body["token"])
    assert (await control("export", path=str(tmp_path / "e.zip")))[0] == 400
    assert (await control("expire_exports"))[0] == 200
    async with bench.session.get(url) as answer:
        assert answer.content_type == "text/html"
