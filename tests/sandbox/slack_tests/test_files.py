from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest

from tests.sandbox.slack import Kind, Reality, Upload
from tests.sandbox.slack.pictures import png
from tests.sandbox.slack_tests.conftest import Bench, running

PICTURE = png(40, 20, (10, 20, 30))


async def put(bench: Bench, content: bytes = PICTURE, name: str = "a.png") -> tuple[str, str]:
    answer = await bench.web.files_getUploadURLExternal(filename=name, length=len(content))
    async with bench.session.post(answer["upload_url"], data=content) as uploaded:
        assert (uploaded.status, await uploaded.text()) == (200, f"OK - {len(content)}")
    return answer["file_id"], answer["upload_url"]


async def fetch(bench: Bench, url: str, token: str) -> tuple[int, str, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with bench.session.get(url, headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_an_upload_is_shared_a_moment_after_it_was_completed(bench: Bench) -> None:
    app = await bench.listen()
    file_id, _ = await put(bench)
    done = await bench.web.files_completeUploadExternal(
        files=[{"id": file_id, "title": "Look"}], channel_id=bench.general, initial_comment="a *picture*"
    )
    assert done["files"][0]["id"] == file_id
    assert done["files"][0]["shares"] == {}
    await bench.slack.until(lambda: app.of("message", "file_share"))
    event = app.of("message", "file_share")[0]
    installation = bench.team.installation
    assert (event["user"], event["bot_id"]) == (installation.bot_user, installation.bot_id)
    assert event["text"] == "a *picture*"
    assert "shares" not in event["files"][0]
    assert (event["files"][0]["mimetype"], event["files"][0]["original_w"]) == ("image/png", 40)
    info = await bench.web.files_info(file=file_id)
    assert info["file"]["shares"]["public"][bench.general][0]["ts"] == event["ts"]


async def test_a_share_may_be_at_once_and_may_not_name_the_bot() -> None:
    async with running(Reality(share_delay=None, file_share_names_bot=False)) as bench:
        file_id, _ = await put(bench)
        done = await bench.web.files_completeUploadExternal(files=[{"id": file_id}], channel_id=bench.general)
        assert done["files"][0]["shares"]["public"]
        answer = await bench.web.conversations_history(channel=bench.general, limit=1)
        assert "bot_id" not in answer["messages"][0]


async def test_an_upload_address_is_good_once_and_for_its_length(bench: Bench) -> None:
    answer = await bench.web.files_getUploadURLExternal(filename="a.bin", length=4)
    async with bench.session.post(answer["upload_url"], data=b"12345") as wrong:
        assert wrong.status == 400
    async with bench.session.post(answer["upload_url"], data=b"1234") as right:
        assert right.status == 200
    async with bench.session.post(answer["upload_url"], data=b"1234") as again:
        assert again.status == 404


async def test_a_form_upload_works_too(bench: Bench) -> None:
    answer = await bench.web.files_getUploadURLExternal(filename="a.txt", length=2)
    async with bench.session.post(answer["upload_url"], data={"file": io.BytesIO(b"hi")}) as uploaded:
        assert uploaded.status == 200
    await bench.web.files_completeUploadExternal(files=[{"id": answer["file_id"]}], channel_id=bench.general)


async def test_completing_needs_bytes_and_happens_once(bench: Bench) -> None:
    empty = await bench.web.files_getUploadURLExternal(filename="a.txt", length=2)
    call = bench.web.files_completeUploadExternal(files=[{"id": empty["file_id"]}])
    assert await bench.error(call) == "file_not_found"
    file_id, _ = await put(bench)
    await bench.web.files_completeUploadExternal(files=[{"id": file_id}])
    again = bench.web.files_completeUploadExternal(files=[{"id": file_id}])
    assert await bench.error(again) == "file_not_found"


@pytest.mark.parametrize(
    "arguments", [{"filename": "", "length": 3}, {"filename": "a", "length": 0}, {"filename": "a"}]
)
async def test_an_upload_needs_a_name_and_a_length(bench: Bench, arguments: dict[str, Any]) -> None:
    assert await bench.error(bench.web.api_call("files.getUploadURLExternal", data=arguments)) == "invalid_arguments"


async def test_uploads_go_only_where_the_bot_is(bench: Bench) -> None:
    other = bench.team.person("alice").create("other")
    file_id, _ = await put(bench)
    call = bench.web.files_completeUploadExternal(files=[{"id": file_id}], channel_id=other.id)
    assert await bench.error(call) == "not_in_channel"


async def test_an_upload_can_go_into_a_thread(bench: Bench) -> None:
    root = bench.team.person("alice").post("#general", "root")
    file_id, _ = await put(bench)
    await bench.web.files_completeUploadExternal(files=[{"id": file_id}], channel_id=bench.general, thread_ts=root.ts)
    await bench.slack.until(lambda: bench.team.transcript("#general")[-1].files)
    entry = bench.team.transcript("#general")[-1]
    assert entry.files == (("a.png", hashlib.sha256(PICTURE).hexdigest()),)
    assert bench.team.transcript("#general")[entry.thread or 0].text == "root"


async def test_slacks_own_sdk_uploads_in_three_steps(bench: Bench) -> None:
    await bench.web.files_upload_v2(channel=bench.general, filename="a.txt", content="hello", title="A")
    await bench.slack.until(lambda: bench.team.transcript("#general")[-1].files)


async def test_downloads_need_the_bearer_token_and_its_scope_or_give_a_login_page(bench: Bench) -> None:
    said = bench.team.person("alice").upload("#general", "a.png", PICTURE)
    shown = (await bench.web.files_info(file=said.files[0]))["file"]
    token = bench.team.bot_token
    for key in ("url_private", "url_private_download", "thumb_360"):
        assert await fetch(bench, shown[key], token) == (200, "image/png", PICTURE)
    for wrong in ("", "xoxb-wrong", bench.team.app_token):
        status, kind, body = await fetch(bench, shown["url_private"], wrong)
        assert (status, kind) == (200, "text/html")
        assert b"Sign in" in body
    bench.team.installation.token.scopes.discard("files:read")
    assert (await fetch(bench, shown["url_private"], token))[1] == "text/html"


async def test_files_of_foreign_channels_cannot_be_seen(bench: Bench) -> None:
    alice = bench.team.person("alice")
    alice.create("secret", private=True)
    said = alice.upload("#secret", "a.png", PICTURE)
    assert await bench.error(bench.web.files_info(file=said.files[0])) == "file_not_found"
    url = f"{bench.slack.url}/files-pri/{bench.team.id}-{said.files[0]}/a.png"
    assert (await fetch(bench, url, bench.team.bot_token))[1] == "text/html"


async def test_a_deleted_file_leaves_an_empty_place(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    said = alice.post("#general", "two", files=[Upload("a.txt", b"a"), Upload("b.txt", b"b")])
    alice.delete_file(said.files[0])
    await bench.slack.until(lambda: app.of("message", "message_changed"))
    files = app.of("message", "message_changed")[0]["message"]["files"]
    assert files[0] == {"id": said.files[0], "mode": "tombstone"}
    assert app.of("file_deleted")[0]["file_id"] == said.files[0]
    assert await bench.error(bench.web.files_info(file=said.files[0])) == "file_deleted"


async def test_a_bot_lists_what_it_sees_and_deletes_its_own(bench: Bench) -> None:
    theirs = bench.team.person("alice").upload("#general", "a.png", PICTURE)
    file_id, _ = await put(bench)
    await bench.web.files_completeUploadExternal(files=[{"id": file_id}], channel_id=bench.general)
    listed = (await bench.web.files_list())["files"]
    assert [file["id"] for file in listed] == [file_id, theirs.files[0]]
    assert await bench.error(bench.web.files_delete(file=theirs.files[0])) == "cant_delete_file"
    await bench.web.files_delete(file=file_id)
    assert [file["id"] for file in (await bench.web.files_list())["files"]] == theirs.files


async def test_a_file_of_another_workspace_shows_only_its_id_until_asked(bench: Bench) -> None:
    app = await bench.listen()
    said = bench.team.person("alice").post("#general", "", files=[Upload("a.png", PICTURE, must_ask=True)])
    await bench.slack.until(lambda: app.of("message", "file_share"))
    shown = app.of("message", "file_share")[0]["files"][0]
    assert shown["file_access"] == "check_file_info"
    assert "url_private" not in shown
    assert (await bench.web.files_info(file=said.files[0]))["file"]["mimetype"] == "image/png"


async def test_a_message_shows_the_first_lines_of_a_snippet(bench: Bench) -> None:
    alice = bench.team.person("alice")
    short = alice.upload("#general", "a.py", b"one\ntwo\n", snippet=True)
    long = alice.upload("#general", "b.py", b"line\n" * 9, snippet=True)
    shown = [(await bench.web.files_info(file=said.files[0]))["file"] for said in (short, long)]
    assert [(file["mode"], file["preview"], file["lines_more"]) for file in shown] == [
        ("snippet", "one\ntwo\n", 0),
        ("snippet", "line\n" * 5, 4),
    ]


async def test_a_transfer_can_fail(bench: Bench) -> None:
    said = bench.team.person("alice").upload("#general", "a.png", PICTURE)
    shown = (await bench.web.files_info(file=said.files[0]))["file"]
    bench.slack.faults.next_calls("download", Kind.HTTP_503)
    assert (await fetch(bench, shown["url_private"], bench.team.bot_token))[0] == 503
    assert (await fetch(bench, shown["url_private"], bench.team.bot_token))[0] == 200


async def test_avatars_are_pictures(bench: Bench) -> None:
    user = (await bench.web.users_info(user=bench.team.user("bob").id))["user"]
    status, kind, body = await fetch(bench, user["profile"]["image_192"], "")
    assert (status, kind, body[:4]) == (200, "image/png", b"\x89PNG")
