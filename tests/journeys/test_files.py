"""Files in their odder cases, the whole way: thumbnails, other workspaces, odd names, nothing in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.slack.files import SlackFiles
from tests.journeys.talk import Talk, bodies, contents, talk_on
from tests.sandbox.slack import Reality, Upload, messages
from tests.sandbox.slack.files import delete_file
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LARGE = png(1000, 500, (10, 20, 30))


@pytest.fixture
async def talk(sqlite_url: str) -> AsyncIterator[Talk]:
    async with talk_on(sqlite_url) as talk:
        yield talk


async def test_a_picture_brings_its_thumbnail_once(talk: Talk) -> None:
    stage = talk.stage
    alice = talk.in_slack("alice")
    first = alice.post("general", files=[Upload("large.png", LARGE)])
    await talk.settle()
    info = contents(talk)[0]["info"]
    assert (info["w"], info["h"], info["mimetype"]) == (1000, 500, "image/png")
    assert info["thumbnail_info"] == {"w": 720, "h": 360, "mimetype": "image/png"}
    assert info["thumbnail_url"].startswith("mxc://")
    kept = len(stage.homeserver.world.media)
    alice.post("general", files=[stage.workspace.files[first.files[0]]])
    await talk.settle()
    again = contents(talk)[1]
    assert again["info"]["thumbnail_url"] == info["thumbnail_url"]
    assert len(stage.homeserver.world.media) == kept


async def test_a_picture_without_its_thumbnail_is_a_picture_still(talk: Talk) -> None:
    stage = talk.stage
    message = talk.in_slack("alice").post("general", files=[Upload("large.png", LARGE)])
    stage.workspace.files[message.files[0]].thumbnail = None
    await talk.settle()
    (content,) = contents(talk)
    assert "thumbnail_url" not in content["info"]
    assert "thumbnail_info" not in content["info"]
    assert content["url"].startswith("mxc://")


async def test_a_file_of_another_workspace_is_asked_about_once(talk: Talk) -> None:
    stage = talk.stage
    before = stage.slack.calls.counts["files.info"]
    talk.in_slack("alice").post("general", "see", files=[Upload("far.txt", b"far", must_ask=True)])
    await talk.settle()
    assert bodies(talk) == ["see", "far.txt"]
    assert stage.slack.calls.counts["files.info"] == before + 1


async def test_what_lives_elsewhere_is_a_link_and_what_is_hidden_a_notice(talk: Talk) -> None:
    given = [
        Upload("Plan", b"https://docs.google.com/document/d/1", form="external"),
        Upload("Notes", b"", form="canvas"),
        Upload("old.pdf", b"%PDF" * 300, form="hidden"),
    ]
    message = talk.in_slack("alice").post("general", "all of them", files=given)
    await talk.settle()
    workspace = talk.stage.workspace
    canvas = f"{workspace.url}docs/{workspace.id}/{message.files[1]}"
    said, plan, notes, old = bodies(talk)
    assert (said, plan) == ("all of them", "Plan (Google Drive): https://docs.google.com/document/d/1")
    assert notes == f"Notes (canvas): {canvas}"
    assert "hidden by the limits of the workspace's Slack plan" in old
    assert contents(talk)[-1]["msgtype"] == "m.notice"
    talk.in_slack("alice").delete_file(message.files[1])
    await talk.settle()
    assert bodies(talk) == [said, plan, old]


async def test_a_short_snippet_is_code_and_a_long_one_a_file(talk: Talk) -> None:
    alice = talk.in_slack("alice")
    alice.post("general", files=[Upload("a.py", b"print(1)\n", snippet=True)])
    alice.post("general", files=[Upload("b.py", b"print(2)\n" * 1000, snippet=True)])
    await talk.settle()
    short, long = contents(talk)
    assert short["formatted_body"].endswith('<pre><code class="language-python">print(1)\n</code></pre>')
    assert (long["msgtype"], long["filename"]) == ("m.file", "b.py")
    assert await talk.stage.media(long["url"]) == b"print(2)\n" * 1000


async def test_a_clip_that_was_recorded_in_slack_is_a_voice_message(talk: Talk) -> None:
    talk.in_slack("alice").post("general", files=[Upload("audio_message.webm", b"webm", form="voice")])
    await talk.settle()
    (content,) = contents(talk)
    assert (content["msgtype"], content["info"]["duration"]) == ("m.audio", 4200)
    assert "org.matrix.msc3245.voice" in content
    assert max(content["org.matrix.msc1767.audio"]["waveform"]) == 1024
    assert await talk.stage.media(content["url"]) == b"webm"


async def test_files_with_odd_names_and_nothing_in_them_come_over(talk: Talk) -> None:
    given = [Upload("Ünïcödé 🐍.txt", b"x"), Upload("\u202egnp.txt", b"y"), Upload("empty.txt", b"")]
    talk.in_slack("alice").post("general", "all of them", files=given)
    await talk.settle()
    assert bodies(talk) == ["all of them", "Ünïcödé 🐍.txt", "gnp.txt", "empty.txt"]


async def test_what_slack_does_not_take_is_told_to_its_author(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    await ada.send_file(room, b"", "empty.txt", "text/plain")
    secret = {"url": await ada.upload(b"cipher", "application/octet-stream"), "key": {"k": "x"}, "iv": "y", "v": "v2"}
    await ada.send(room, {"msgtype": "m.file", "body": "secret.txt", "file": secret})
    await ada.send_file(room, b"abc", "Größe & <Maß>.txt", "text/plain", caption="all well")
    await talk.settle()
    shown = bodies(talk)
    assert any("Slack takes no empty files" in body for body in shown)
    assert any("does not say how to decrypt its file" in body for body in shown)
    last = talk.entries()[-1]
    assert last.text == "ada: all well"
    assert [name for name, _ in last.files] == ["Größe & <Maß>.txt"]


async def test_stickers_and_voice_messages_are_files_in_slack(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    picture, sound = await ada.upload(b"webp", "image/webp"), await ada.upload(b"ogg", "audio/ogg")
    sticker = {"body": "Cat waves", "url": picture, "info": {"mimetype": "image/webp"}}
    await ada.send(room, sticker, "m.sticker")
    voice = {"msgtype": "m.audio", "body": "Voice message", "url": sound, "info": {"mimetype": "audio/ogg"}}
    await ada.send(room, {**voice, "org.matrix.msc3245.voice": {}})
    await talk.settle()
    assert [entry.files[0][0] for entry in talk.entries()[-2:]] == ["Cat waves.webp", "Voice message.ogg"]
    assert [file.alt_txt for file in talk.stage.workspace.files.values()] == ["Cat waves", ""]


async def test_a_bots_names_and_icons_stay_on_their_messages(talk: Talk) -> None:
    stage, room = talk.stage, talk.room
    workspace = stage.workspace
    alice = workspace.user("alice")
    icon = f"{workspace.site.base_url}/avatars/{workspace.id}-{alice.id}_48.png"
    for name, icons in (
        ("deploy", {"image_48": icon}),
        ("review", {"emoji": ":eyes:"}),
        ("deploy", {"image_48": icon}),
    ):
        draft = messages.Draft(
            "done", None, "bot_message", bot_id="B0OTHER", app_id="A0OTHER", username=name, icons=icons
        )
        messages.post(workspace, workspace.channel("general"), draft)
    await talk.settle()
    shown = contents(talk)
    profiles = [content["com.beeper.per_message_profile"] for content in shown]
    assert [profile["displayname"] for profile in profiles] == ["deploy", "👀 review", "deploy"]
    assert profiles[0]["avatar_url"] == profiles[2]["avatar_url"]
    assert profiles[0]["avatar_url"].startswith("mxc://")
    assert [content["body"] for content in shown] == ["deploy: done", "👀 review: done", "deploy: done"]
    ghost = f"@slack_{workspace.id}_b0other:localhost".lower()
    assert (await talk.in_matrix("ada").members(room))[ghost] not in ("deploy", "review")


async def test_files_that_may_not_cross_are_told_with_name_size_and_reason_on_the_side_of_their_author(
    sqlite_url: str,
) -> None:
    async with talk_on(sqlite_url, files={"max_size": "1 KiB", "deny": ["application/x-sh"]}) as talk:
        room, ada, alice = talk.room, talk.in_matrix("ada"), talk.in_slack("alice")
        given = [Upload("large.txt", b"x" * 2048), Upload("run.sh", b"#!", mimetype="application/x-sh")]
        alice.post("general", "both", files=given)
        await talk.settle()
        both, large, script = bodies(talk)
        assert both == "both"
        assert "“large.txt” (2 KiB) was not brought over: it is larger than the 1 KiB that may cross" in large
        assert "“run.sh” (2 bytes) was not brought over: files of type application/x-sh may not cross" in script
        event = await ada.send_file(room, b"y" * 2048, "large.txt", "text/plain")
        await ada.send_file(room, b"#!", "run.sh", "application/x-sh")
        await talk.settle()
        first, second = contents(talk)[-2:]
        assert "larger than the 1 KiB that may cross" in first["body"]
        assert first["m.relates_to"]["m.in_reply_to"]["event_id"] == event
        assert "files of type application/x-sh may not cross" in second["body"]
        assert not [entry for entry in talk.entries() if "ada" in entry.text]


@pytest.mark.parametrize("must_ask", [False, True])
async def test_a_file_that_is_deleted_right_after_its_upload_leaves_nothing_behind(talk: Talk, must_ask: bool) -> None:
    alice = talk.in_slack("alice")
    message = alice.post("general", "here it is", files=[Upload("slip.txt", b"x", must_ask=must_ask)])
    alice.delete_file(message.files[0])
    await talk.settle()
    assert bodies(talk) == ["here it is"]
    assert await talk.stage.left_over() == []


@pytest.mark.parametrize("delay", [None, 60], ids=["its message is there", "its message never comes"])
async def test_a_file_that_somebody_deletes_in_slack_at_once_holds_nothing_up(
    sqlite_url: str, delay: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = SlackFiles.shared_ts
    async with talk_on(sqlite_url, reality=Reality(share_delay=delay)) as talk:
        workspace = talk.stage.workspace

        async def look_too_late(slack: SlackFiles, file_id: str, channel: str) -> str | None:
            delete_file(workspace, workspace.files[file_id])
            return await looks(slack, file_id, channel)

        monkeypatch.setattr(SlackFiles, "shared_ts", look_too_late)
        ada = talk.in_matrix("ada")
        await ada.send_file(talk.room, b"abc", "slip.txt", "text/plain")
        await ada.say(talk.room, "never mind")
        await talk.settle()
        assert await talk.stage.left_over() == []
        assert talk.entries()[-1].text == "never mind"
        shown = await talk.stage.database.fetch("SELECT 1 FROM links WHERE digest <> ''")  # type: ignore[union-attr]
        assert len(shown) == (delay is None)
