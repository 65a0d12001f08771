"""Files on their way into a room: brought over with what Slack knows of them, or told in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.actions import Note, RecordLink, SendEvent, SendFile
from portals.crossing.policy import OPEN
from portals.facts import Origin
from portals.reading.slack_files import file_of
from portals.relay import files, to_matrix
from tests.portals.relay.scene import ALICE, FACTS, PORTAL, facts, ghost, rules, said_in_slack

TS = "1700000000.000100"
FILE = {
    "id": "F1",
    "name": "a.png",
    "mimetype": "image/png",
    "size": 1000,
    "url_private": "https://files.slack.com/a.png",
    "permalink": "https://acme.slack.com/files/F1",
    "original_w": 10,
    "original_h": 20,
}


def shown(file: dict[str, Any], known: Any = FACTS) -> Any:
    """The one action that a message with this file alone becomes."""
    (action,) = shown_all(file, known)
    return action


def shown_all(file: dict[str, Any], known: Any) -> tuple[Any, ...]:
    decision = to_matrix.decide(said_in_slack(ts=TS, text="", files=[file]), PORTAL, known)
    assert isinstance(decision, tuple)
    return decision


def test_a_file_is_brought_over_with_what_slack_says_of_it() -> None:
    event = said_in_slack(ts=TS, text="look", files=[FILE, FILE | {"id": "F2"}])
    decision = to_matrix.decide(event, PORTAL, FACTS)
    assert isinstance(decision, tuple)
    text, file, second = decision
    assert isinstance(text, SendEvent)
    assert isinstance(file, SendFile)
    assert isinstance(second, SendFile)
    assert file.record == RecordLink(Origin.SLACK, ghost(ALICE), "F1", TS, digest=event.digest)  # type: ignore[union-attr]
    assert text.content["body"] == "look"
    assert (file.file_id, file.url, file.thumbnail, second.file_id) == ("F1", FILE["url_private"], "", "F2")
    assert file.content["msgtype"] == "m.image"
    assert file.content["info"] == {"mimetype": "image/png", "size": 1000, "w": 10, "h": 20}


def test_what_slack_tells_those_who_do_not_see_a_picture_is_beside_its_name() -> None:
    content = shown(FILE | {"alt_txt": " A cat\non a mat "}).content
    assert (content["body"], content["filename"]) == ("A cat\non a mat", "a.png")
    assert shown(FILE | {"alt_txt": " "}).content["body"] == "a.png"
    marked = facts(policy=replace(OPEN, words=("secret",)))
    assert isinstance(shown_all(FILE | {"alt_txt": "a secret cat"}, marked)[0], Note)


@pytest.mark.parametrize(
    ("file", "given_rules", "reason"),
    [
        (FILE | {"mode": "hidden_by_limit"}, {}, "limits of the workspace"),
        (FILE | {"file_access": "access_denied"}, {}, "does not give it"),
        ({"id": "F1"}, {}, "no address"),
        (FILE, {"max_file_size": 999}, "larger than"),
        (FILE, {"refused_types": ("image/*",)}, "may not cross"),
        (FILE, {"allowed_types": ("text/*",)}, "may not cross"),
    ],
)
def test_a_file_that_cannot_cross_leaves_a_notice_with_the_reason(
    file: dict[str, Any], given_rules: dict[str, Any], reason: str
) -> None:
    action = shown(file, facts(rules=rules(**given_rules)))
    assert action.content["msgtype"] == "m.notice"
    assert reason in action.content["body"]
    assert action.record.part == "F1"


def test_a_thumbnail_is_described_and_asked_for() -> None:
    more = {"thumb_360": "https://files.slack.com/t.png", "thumb_360_w": 180, "thumb_360_h": 360, "original_w": 1000}
    action = shown(FILE | more)
    assert action.thumbnail == "https://files.slack.com/t.png"
    assert action.content["info"]["thumbnail_info"] == {"w": 180, "h": 360, "mimetype": "image/png"}


def test_a_picture_that_moves_says_so() -> None:
    info = shown(FILE | {"mimetype": "image/gif", "deanimate_gif": "https://x/1.png"}).content["info"]
    assert info["org.matrix.msc4230.is_animated"] is True


def test_a_recording_plays_as_a_voice_message() -> None:
    clip = {"subtype": "slack_audio", "mimetype": "audio/mp4", "duration_ms": 4200, "audio_wave_samples": [0, 50, 100]}
    content = shown(FILE | clip).content
    assert (content["msgtype"], content["info"]["duration"]) == ("m.audio", 4200)
    assert content["org.matrix.msc3245.voice"] == {}
    assert content["org.matrix.msc1767.audio"] == {"duration": 4200, "waveform": [0, 512, 1024]}
    video = shown(FILE | {"subtype": "slack_video", "mimetype": "video/mp4", "duration_ms": 7}).content
    assert (video["msgtype"], video["info"]["duration"]) == ("m.video", 7)


def test_what_is_kept_elsewhere_is_a_link() -> None:
    sheet = {"is_external": True, "external_type": "gdrive", "title": "Plan <1>", "url_private": "https://x.org/?a&b"}
    content = shown(FILE | sheet).content
    assert content["msgtype"] == "m.text"
    assert content["body"] == "Plan <1> (Google Drive): https://x.org/?a&b"
    assert content["formatted_body"] == '<a href="https://x.org/?a&amp;b">Plan &lt;1&gt;</a> (Google Drive)'
    canvas = shown(FILE | {"mode": "quip", "title": "Notes", "size": 10**12})
    assert canvas.content["body"] == "Notes (canvas): https://acme.slack.com/files/F1"
    assert canvas.record.part == "F1"


def test_a_short_snippet_is_code_in_its_language() -> None:
    snippet = {"mode": "snippet", "filetype": "python", "mimetype": "text/plain", "name": "x.py"}
    action = shown(FILE | snippet | {"preview": "a < b\n", "size": 6})
    assert isinstance(action, SendEvent)
    html = '<p><strong>x.py</strong></p><pre><code class="language-python">a &lt; b\n</code></pre>'
    assert action.content["formatted_body"].replace("\n", "") == html.replace("\n", "")
    assert action.content["body"].startswith("x.py")
    assert isinstance(shown(FILE | snippet | {"preview": "a <", "size": 600}), SendFile)
    refused = shown(FILE | snippet | {"preview": "a < b\n", "size": 6}, facts(rules=rules(refused_types=("text/*",))))
    assert refused.content["msgtype"] == "m.notice"


def test_a_file_of_another_workspace_is_shown_as_slack_tells_it_when_asked() -> None:
    untold = {"id": "F1", "file_access": "check_file_info"}
    event = said_in_slack(ts=TS, text="", files=[untold, FILE | {"id": "F2"}])
    assert to_matrix.needs(event).files == {"F1"}
    told = file_of(FILE)
    assert told is not None
    assert isinstance(shown(untold, facts(files={"F1": told})), SendFile)
    assert "does not give it" in shown(untold).content["body"]


@pytest.mark.parametrize(
    ("name", "body"), [("\u202egnp.exe", "gnp.exe"), ("Ünïcödé 🐍.png", "Ünïcödé 🐍.png"), ("", "F1"), ("\u200b", "F1")]
)
def test_a_name_in_any_script_is_kept_and_hides_nothing(name: str, body: str) -> None:
    content = shown(FILE | {"name": name}).content
    assert content["body"] == content["filename"] == body


@pytest.mark.parametrize(
    ("name", "mimetype", "shown_name"),
    [
        ("cat.png", "image/png", "cat.png"),
        ("Cat waves", "image/webp", "Cat waves.webp"),
        ("Voice message", "audio/ogg; codecs=opus", "Voice message.ogg"),
        ("v1.2 of it", "application/pdf", "v1.2 of it.pdf"),
        ("README", "application/x-unheard-of", "README"),
        ("", "text/plain", "file.txt"),
    ],
)
def test_a_name_without_an_ending_gets_that_of_its_type(name: str, mimetype: str, shown_name: str) -> None:
    assert files.name_in_slack(name, mimetype) == shown_name


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (2048, "2 KiB"), (3 * 2**20, "3 MiB"), (5 * 2**30, "5.0 GiB")]
)
def test_a_size_is_told_in_words(count: int, words: str) -> None:
    assert files.size(count) == words
