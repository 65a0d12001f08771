"""What hangs on generated messages: files in every state that Slack leaves them in, attachments, app blocks.

A file's size and bytes follow from its id, so that whoever serves them needs no list of files.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sandbox.exports.cast import slack_id

if TYPE_CHECKING:
    from random import Random

    from tests.sandbox.slack.state import Json

_HOSTED = (
    ("foto urlaub.png", "image/png", "png", "PNG"),
    ("IMG_2041.jpeg", "image/jpeg", "jpg", "JPEG"),
    ("Angebot (final) v2.pdf", "application/pdf", "pdf", "PDF"),
    ("budget.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", "Excel Spreadsheet"),
    ("résumé.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx", "Word Document"),
    ("logs.tar.gz", "application/gzip", "gzip", "Gzip"),
    ("screen recording.mov", "video/quicktime", "mov", "QuickTime Movie"),
    ("README", "application/octet-stream", "binary", "Binary"),
)
_THUMBNAILS = (64, 80, 160, 360, 480, 720)
_SNIPPET = "def answer(x):\n    return x < 42 and x & 1\n"


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files of an export are said to be, and how large they may be."""

    host: str
    token: str
    team: str
    domain: str
    largest: int

    def size_of(self, file_id: str) -> int:
        """A file's length in bytes: many small ones, few large ones."""
        return int(min(1000, self.largest) * max(1.0, self.largest / 1000) ** (zlib.crc32(file_id.encode()) / 2**32))

    def content_of(self, file_id: str) -> bytes:
        """A file's bytes."""
        size = self.size_of(file_id)
        seed = hashlib.sha256(file_id.encode()).digest()
        return (seed * (size // len(seed) + 1))[:size]

    def make(self, random: Random, user: str, at: int) -> Json:
        """A file shared at that second, in one of the shapes that exports hold."""
        file_id, chance = slack_id(random, "F"), random.random()
        if chance < 0.70:
            return self._hosted(random, file_id, user, at)
        for limit, shape in _ODD_SHAPES:
            if chance < limit:
                return shape(self, file_id, user, at)
        raise AssertionError(chance)

    def body(self, file_id: str, user: str, at: int, name: str, mimetype: str, filetype: str, pretty: str) -> Json:
        """The usual fields of a file with bytes."""
        slug = "".join(c if c.isascii() and (c.isalnum() or c in ".-_") else "_" for c in name.lower())
        key = f"{self.team}-{file_id}"
        return {
            "id": file_id,
            "created": at,
            "timestamp": at,
            "name": name,
            "title": name,
            "mimetype": mimetype,
            "filetype": filetype,
            "pretty_type": pretty,
            "user": user,
            "user_team": self.team,
            "editable": False,
            "size": self.size_of(file_id),
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": True,
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": f"{self.host}/files-pri/{key}/{slug}?t={self.token}",
            "url_private_download": f"{self.host}/files-pri/{key}/download/{slug}?t={self.token}",
            "permalink": f"https://{self.domain}.slack.com/files/{user}/{file_id}/{slug}",
            "permalink_public": f"https://slack-files.com/{key}-0a1b2c3d4e",
            "is_starred": False,
            "has_rich_preview": False,
            "file_access": "visible",
        }

    def _hosted(self, random: Random, file_id: str, user: str, at: int) -> Json:
        name, mimetype, filetype, pretty = random.choice(_HOSTED)
        file = self.body(file_id, user, at, name, mimetype, filetype, pretty)
        if mimetype.startswith("image/"):
            width, height = random.randrange(40, 4000), random.randrange(40, 3000)
            file |= {"original_w": width, "original_h": height, "thumb_tiny": "AwAwADDSpKAFooAKKACigAooA=="}
            base = f"{self.host}/files-tmb/{self.team}-{file_id}-3c58e96ecd/file"
            for size in _THUMBNAILS:
                file[f"thumb_{size}"] = f"{base}_{size}.{filetype}?t={self.token}"
                if size >= 360:
                    file |= {f"thumb_{size}_w": min(size, width), f"thumb_{size}_h": max(1, height * size // width)}
        return file


def _limited(files: Files, file_id: str, user: str, at: int) -> Json:
    return {"id": file_id, "mode": "hidden_by_limit"}


def _tombstone(files: Files, file_id: str, user: str, at: int) -> Json:
    return {"id": file_id, "mode": "tombstone"}


def _denied(files: Files, file_id: str, user: str, at: int) -> Json:
    return {"id": file_id, "created": at, "timestamp": at, "user": user, "file_access": "access_denied"}


def _missing(files: Files, file_id: str, user: str, at: int) -> Json:
    return {"id": file_id, "mode": "file_access", "file_access": "file_not_found", "created": 0, "timestamp": 0}


def _untold(files: Files, file_id: str, user: str, at: int) -> Json:
    return {"id": file_id, "created": 0, "timestamp": 0, "mode": "file_access", "file_access": "check_file_info"}


def _external(files: Files, file_id: str, user: str, at: int) -> Json:
    file = files.body(file_id, user, at, "Roadmap", "application/vnd.google-apps.spreadsheet", "gsheet", "Google Sheet")
    url = f"https://docs.example/spreadsheets/{file_id}/edit"
    for key in ("url_private_download", "permalink_public"):
        del file[key]
    file |= {"mode": "external", "is_external": True, "external_type": "gdrive", "external_id": file_id, "size": 0}
    return file | {"external_url": url, "url_private": url}


def _snippet(files: Files, file_id: str, user: str, at: int) -> Json:
    file = files.body(file_id, user, at, "answer.py", "text/plain", "python", "Python")
    whole = _SNIPPET * (1 + files.size_of(file_id) % 20)
    file |= {
        "mode": "snippet",
        "editable": True,
        "size": len(whole),
        "preview": whole[:200],
        "lines": whole.count("\n"),
    }
    is_cut = len(whole) > 200
    lines_more = whole.count("\n") - whole[:200].count("\n")
    return file | {"preview_is_truncated": is_cut, "lines_more": lines_more, "preview_highlight": "<div></div>"}


def _canvas(files: Files, file_id: str, user: str, at: int) -> Json:
    file = files.body(file_id, user, at, "Meeting_notes", "application/vnd.slack-docs", "quip", "Canvas")
    return file | {"mode": "quip", "editable": True, "title": "Meeting notes", "quip_thread_id": file_id[::-1]}


def _voice(files: Files, file_id: str, user: str, at: int) -> Json:
    file = files.body(file_id, user, at, "audio_message.m4a", "audio/mp4", "m4a", "MPEG 4 Audio")
    return file | {"subtype": "slack_audio", "duration_ms": 4200, "audio_wave_samples": [3, 40, 99, 12]}


_ODD_SHAPES = (
    (0.75, _snippet),
    (0.79, _external),
    (0.83, _limited),
    (0.87, _tombstone),
    (0.90, _canvas),
    (0.93, _denied),
    (0.95, _missing),
    (0.97, _untold),
    (1.00, _voice),
)


def unfurl(random: Random, url: str) -> Json:
    """The preview that Slack adds to a link."""
    card: Json = {"id": 1, "service_name": "Firma Wiki", "title": "A page & more", "title_link": url, "from_url": url}
    card |= {"original_url": url, "fallback": "Firma Wiki: A page & more", "text": "What the page says of itself …"}
    if random.random() < 0.4:
        card |= {"thumb_url": "https://firma.example/og.png", "thumb_width": 400, "thumb_height": 300}
    return card


def report(random: Random, number: int) -> Json:
    """What an integration attaches instead of saying it."""
    state = random.choice(("passed", "failed"))
    card: Json = {"id": 1, "fallback": f"Build {number} {state}", "color": "2eb886" if state == "passed" else "a30200"}
    card |= {"pretext": f"Build <https://ci.firma.example/{number}|#{number}>", "text": f"*{state}* in {number % 60} s"}
    fields = [{"title": "Branch", "value": "main", "short": True}, {"title": "By", "value": "<@U00>", "short": True}]
    return card | {"fields": fields, "mrkdwn_in": ["text", "pretext"], "footer": "CI", "ts": 1_700_000_000 + number}


def app_blocks(random: Random, number: int) -> list[Json]:
    """What an app shows in blocks alone."""
    text: Json = {"type": "mrkdwn", "text": f"*Ticket {number}* was <https://desk.firma.example/{number}|opened>"}
    fields = [{"type": "mrkdwn", "text": f"*Priority*\n{random.randrange(5)}"}, {"type": "plain_text", "text": "Open"}]
    button = {"type": "button", "action_id": "take", "text": {"type": "plain_text", "text": "Take it"}, "value": "1"}
    rows = [[{"type": "raw_text", "text": "Item"}, {"type": "raw_text", "text": "Count"}]]
    rows.append([{"type": "raw_text", "text": "Chairs"}, {"type": "raw_text", "text": str(number)}])
    return [
        {"type": "header", "block_id": "h1", "text": {"type": "plain_text", "text": "New ticket", "emoji": True}},
        {"type": "section", "block_id": "s1", "text": text, "fields": fields},
        {"type": "divider", "block_id": "d1"},
        {"type": "image", "block_id": "i1", "image_url": "https://firma.example/chart.png", "alt_text": "A chart"},
        {"type": "table", "block_id": "t1", "rows": rows},
        {"type": "actions", "block_id": "a1", "elements": [button]},
        {"type": "context", "block_id": "c1", "elements": [{"type": "mrkdwn", "text": "via Desk"}]},
    ]
