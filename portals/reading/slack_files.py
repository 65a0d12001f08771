"""Slack's file objects become files: what a message shows of them, and what `files.info` tells of one.

A file is brought over by its bytes; what only lives where it is (a canvas, a list, a document in another service) is a
link; a snippet that is shown whole is its text. Source: https://docs.slack.dev/reference/objects/file-object
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from portals.events import SlackFile, SlackPicture
from portals.ids import is_slack_id
from portals.reading.values import number, objects, text_of

if TYPE_CHECKING:
    from portals.events import Json

_DENIED = frozenset({"access_denied", "file_not_found"})
_UNTOLD = "check_file_info"
_LIVING = {"quip": "canvas", "canvas": "canvas", "list": "list", "space": "post", "post": "post", "docs": "post"}
"""By mode: what has no bytes of its own, and how Slack's clients call it."""
_SERVICES = {"gdrive": "Google Drive", "onedrive": "OneDrive", "sharepoint": "SharePoint", "github": "GitHub"}
_THUMBNAILS = ("thumb_800", "thumb_720", "thumb_960", "thumb_480", "thumb_360", "thumb_video", "thumb_pdf")
"""The best first: the specification of Matrix speaks of 800 by 600."""
_PICTURE_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif"}
_LANGUAGES = {
    "text": "",
    "plain_text": "",
    "auto": "",
    "binary": "",
    "shell": "bash",
    "vb": "vbnet",
    "objc": "objectivec",
}
"""Slack's filetypes whose name is not that of the language in HTML; all others are."""
_LONGEST_SNIPPET = 8_000
_MOST_SAMPLES = 100
_DIGITS = re.compile(r"[0-9]{1,9}")


def files_of(value: object) -> Iterable[SlackFile]:
    """Yield each file of a message once; one that was deleted leaves a tombstone, which is no file any more."""
    seen: set[str] = set()
    for file in objects(value):
        found = file_of(file)
        if found is not None and found.id not in seen:
            seen.add(found.id)
            yield found


def file_of(file: Json) -> SlackFile | None:
    """Return the file that an object describes, or None for what is none or a file no more."""
    file_id, mode = text_of(file.get("id")), text_of(file.get("mode"))
    if not (file_id.startswith("F") and is_slack_id(file_id)) or mode == "tombstone":
        return None
    title, mimetype = text_of(file.get("title")), text_of(file.get("mimetype")) or "application/octet-stream"
    url = text_of(file.get("url_private_download")) or text_of(file.get("url_private"))
    kind = _kind(file, mode)
    must_ask = file.get("file_access") == _UNTOLD
    link = _link(file) if kind else ""
    snippet = _snippet(file) if mode == "snippet" else None
    return SlackFile(
        id=file_id,
        name=(title if kind else "") or text_of(file.get("name")) or title or file_id,
        mimetype=mimetype,
        size=number(file.get("size")),
        url=url,
        width=_extent(file, "original_w"),
        height=_extent(file, "original_h"),
        duration_ms=number(file.get("duration_ms")),
        permalink=text_of(file.get("permalink")),
        refusal=_refusal(file, mode, link if kind else url),
        must_ask=must_ask,
        kind=kind,
        link=link,
        snippet=snippet,
        language=_language(file) if snippet else "",
        thumbnail=_thumbnail(file, mimetype),
        animated=mimetype == "image/gif" and bool(file.get("deanimate_gif") or file.get("thumb_360_gif")),
        voice=file.get("subtype") == "slack_audio",
        waveform=_waveform(file.get("audio_wave_samples")),
        alt=text_of(file.get("alt_txt")),
    )


def _kind(file: Json, mode: str) -> str:
    if file.get("is_external") is True or mode == "external":
        service = text_of(file.get("external_type"))
        return _SERVICES.get(service, service.replace("_", " ").title()) or "kept outside Slack"
    return _LIVING.get(mode, "")


def _link(file: Json) -> str:
    """Return the address of what only lives where it is; Slack's own knows who may see it."""
    names = ("external_url", "url_private", "permalink") if file.get("is_external") is True else ("permalink",)
    found = (text_of(file.get(name)) for name in names)
    return next((url for url in found if url.startswith(("https://", "http://"))), "")


def _refusal(file: Json, mode: str, address: str) -> str:
    if mode == "hidden_by_limit":
        return "hidden by the limits of the workspace's Slack plan"
    access = file.get("file_access")
    if (isinstance(access, str) and access in _DENIED) or (access == _UNTOLD and not address):
        return "Slack does not give it to the bridge"
    return "" if address else "Slack names no address for it"


def _snippet(file: Json) -> str | None:
    """Return a snippet's whole content, where Slack shows the whole and a reader would look at it in passing."""
    shown = text_of(file.get("preview"))
    is_whole = file.get("preview_is_truncated") is not True and not number(file.get("lines_more"))
    size = len(shown.encode(errors="surrogatepass"))
    return shown if is_whole and shown.strip() and size == number(file.get("size")) <= _LONGEST_SNIPPET else None


def _language(file: Json) -> str:
    kind = text_of(file.get("filetype"))
    return _LANGUAGES.get(kind, kind)


def _thumbnail(file: Json, mimetype: str) -> SlackPicture | None:
    """Return the best of the thumbnails, unless the picture itself is no larger."""
    for name in _THUMBNAILS:
        url = text_of(file.get(name))
        if not url:
            continue
        width, height = _extent(file, f"{name}_w"), _extent(file, f"{name}_h")
        if mimetype.startswith("image/") and width and width >= _extent(file, "original_w"):
            return None
        suffix = url.partition("?")[0].rpartition(".")[2].lower()
        return SlackPicture(url, width, height, _PICTURE_TYPES.get(suffix, ""))
    return None


def _extent(file: Json, name: str) -> int:
    """Return a width or height, which Slack writes as a number or as its digits."""
    value = file.get(name)
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else number(value)


def _waveform(value: object) -> tuple[int, ...]:
    """Return the loudness of a recording, from 0 to 100."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return tuple(min(number(sample), 100) for sample in value[:_MOST_SAMPLES])
