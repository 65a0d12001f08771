"""Slack's file objects: what is brought over, what is a link or its own text, and what cannot be had."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.events import SlackFile, SlackPicture
from portals.reading.slack_files import file_of, files_of
from tests.portals.foreign import JSON, objects
from tests.portals.reading.slack_payloads import message

FILE = {
    "id": "F0RDC39U1",
    "name": "spock.jpg",
    "title": "Spock",
    "mimetype": "image/jpeg",
    "filetype": "jpg",
    "size": 87350,
    "mode": "hosted",
    "url_private": "https://files.slack.com/files-pri/T024BE7LD-F0RDC39U1/spock.jpg",
    "url_private_download": "https://files.slack.com/files-pri/T024BE7LD-F0RDC39U1/download/spock.jpg",
    "original_w": 640,
    "original_h": 480,
    "permalink": "https://acme.slack.com/files/U1/F0RDC39U1/spock.jpg",
}


def file(**more: Any) -> SlackFile:
    found = file_of({**FILE, **more})
    assert found is not None
    return found


def test_a_file() -> None:
    assert message(subtype="file_share", files=[FILE]).files == (
        SlackFile(
            id="F0RDC39U1",
            name="spock.jpg",
            mimetype="image/jpeg",
            size=87350,
            url="https://files.slack.com/files-pri/T024BE7LD-F0RDC39U1/download/spock.jpg",
            width=640,
            height=480,
            permalink="https://acme.slack.com/files/U1/F0RDC39U1/spock.jpg",
        ),
    )


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"mode": "hidden_by_limit"}, "hidden by the limits of the workspace's Slack plan"),
        ({"file_access": "access_denied"}, "Slack does not give it to the bridge"),
        ({"file_access": "file_not_found"}, "Slack does not give it to the bridge"),
        ({"url_private": None, "url_private_download": None}, "Slack names no address for it"),
        ({"is_external": True, "url_private": None, "permalink": 7}, "Slack names no address for it"),
        ({"file_access": "check_file_info"}, ""),
        ({"file_access": "visible"}, ""),
    ],
)
def test_a_file_that_cannot_be_had_says_why(fields: dict[str, Any], refusal: str) -> None:
    assert file(**fields).refusal == refusal


def test_a_file_of_another_workspace_must_be_asked_about() -> None:
    told = file_of({"id": "F1", "mode": "file_access", "file_access": "check_file_info", "created": 0})
    assert told is not None
    assert told.must_ask
    assert told.refusal == "Slack does not give it to the bridge"
    assert not file().must_ask


@pytest.mark.parametrize(
    ("fields", "kind", "link"),
    [
        ({"external_type": "gdrive", "url_private": "https://docs.google.com/d/1"}, "Google Drive", "https://docs.google.com/d/1"),
        ({"external_type": "dropbox", "external_url": "https://dropbox.com/1"}, "Dropbox", "https://dropbox.com/1"),
        ({"external_type": "", "url_private": "file:///etc/passwd"}, "kept outside Slack", FILE["permalink"]),
    ],
)  # fmt: skip
def test_what_another_service_keeps_is_a_link_to_it(fields: dict[str, Any], kind: str, link: str) -> None:
    found = file(is_external=True, mode="external", **fields)
    assert (found.kind, found.link, found.name, found.refusal) == (kind, link, "Spock", "")


@pytest.mark.parametrize(("mode", "kind"), [("quip", "canvas"), ("list", "list"), ("space", "post")])
def test_what_lives_in_slack_is_a_link_to_it(mode: str, kind: str) -> None:
    found = file(mode=mode)
    assert (found.kind, found.link) == (kind, FILE["permalink"])


# --- what is shown of a file


def test_the_best_thumbnail_is_taken() -> None:
    sizes = {"thumb_64": "https://x/64.png", "thumb_360": "https://x/360.jpg", "thumb_360_w": 360, "thumb_360_h": 270}
    assert file(**sizes).thumbnail == SlackPicture("https://x/360.jpg", 360, 270, "image/jpeg")
    better = {"thumb_480": "https://x/480?a=1", "thumb_480_w": "480", "thumb_480_h": "360"}
    assert file(**sizes, **better).thumbnail == SlackPicture("https://x/480?a=1", 480, 360, "")
    assert file().thumbnail is None


def test_a_picture_no_larger_than_its_thumbnail_needs_none() -> None:
    sizes = {"thumb_720": "https://x/720.png", "thumb_720_w": 640, "thumb_720_h": 480}
    assert file(**sizes).thumbnail is None
    assert file(**sizes, original_w=None, mimetype="application/pdf").thumbnail is not None


def test_a_video_and_a_document_have_thumbnails_too() -> None:
    clip = file(mimetype="video/mp4", thumb_video="https://x/v.jpeg", thumb_video_w=1280, thumb_video_h=720)
    assert clip.thumbnail == SlackPicture("https://x/v.jpeg", 1280, 720, "image/jpeg")
    assert file(mimetype="application/pdf", thumb_pdf="https://x/p.png").thumbnail == SlackPicture(
        "https://x/p.png", 0, 0, "image/png"
    )


def test_a_picture_that_moves_says_so() -> None:
    assert file(mimetype="image/gif", thumb_360_gif="https://x/360.gif").animated
    assert not file(mimetype="image/gif").animated
    assert not file(thumb_360_gif="https://x/360.gif").animated


def test_a_voice_message_has_its_length_and_form() -> None:
    clip = file(subtype="slack_audio", mimetype="audio/mp4", duration_ms=4200, audio_wave_samples=[0, 50, 900, "x"])
    assert (clip.voice, clip.duration_ms, clip.waveform) == (True, 4200, (0, 50, 100, 0))
    assert file(audio_wave_samples="loud").waveform == ()
    assert len(file(audio_wave_samples=[1] * 1000).waveform) == 100


# --- snippets

SNIPPET = {"mode": "snippet", "mimetype": "text/plain", "filetype": "python", "preview": "print('é')\n", "size": 12}


def test_a_snippet_that_slack_shows_whole_is_its_text() -> None:
    found = file(**SNIPPET)
    assert (found.snippet, found.language) == ("print('é')\n", "python")
    assert file(**SNIPPET | {"filetype": "text"}).language == ""
    assert file(**SNIPPET | {"filetype": "shell"}).language == "bash"


@pytest.mark.parametrize(
    "fields",
    [
        {"preview_is_truncated": True},
        {"lines_more": 3},
        {"size": 400},
        {"preview": None, "size": 0},
        {"preview": "\n\n", "size": 2},
        {"preview": "x" * 8001, "size": 8001},
        {"mode": "hosted"},
    ],
)
def test_a_snippet_that_is_long_or_not_shown_whole_is_a_file(fields: dict[str, Any]) -> None:
    assert file(**SNIPPET | fields).snippet is None


# --- poor files


def test_a_poor_file_has_what_is_needed() -> None:
    found = file_of({"id": "F1", "url_private": "https://x", "size": -1, "original_w": 1e400, "original_h": "½"})
    assert found is not None
    assert (found.name, found.mimetype, found.size) == ("F1", "application/octet-stream", 0)
    assert (found.width, found.height, found.url) == (0, 0, "https://x")
    assert file(name=None).name == "Spock"


@pytest.mark.parametrize("gone", [{"id": "F0RDC39U1", "mode": "tombstone"}, {"id": "x1"}, {"name": "no id"}, "F1", 7])
def test_a_deleted_file_and_what_is_none_are_no_files(gone: Any) -> None:
    assert message(files=[gone]).files == ()


def test_a_file_comes_once() -> None:
    assert len(message(files=[FILE, FILE, {**FILE, "id": "F2"}]).files) == 2


TEXTS = st.sampled_from(["", "https://x/y.png", "12", "12³", "hosted", "snippet", "quip"]) | st.text(max_size=8)
RUBBISH = objects(
    {
        "id": st.sampled_from(["F1", "F2", "f1", "U1"]),
        "mode": TEXTS | JSON,
        "is_external": st.booleans(),
        "external_type": TEXTS,
        "preview": st.text(),
        "size": st.integers() | TEXTS,
        "original_w": TEXTS | st.floats(),
        "thumb_360": TEXTS,
        "thumb_360_w": TEXTS | JSON,
        "audio_wave_samples": st.lists(JSON, max_size=4) | JSON,
    }
)


@given(st.lists(RUBBISH, max_size=3) | JSON)
def test_rubbish_never_raises(rubbish: Any) -> None:
    for found in files_of(rubbish):
        assert found.link == "" or found.link.startswith("http")
        assert 0 <= found.width < 2**53
