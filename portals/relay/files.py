"""How a file is shown on the other side, and whether it may cross at all.

Towards Matrix a file is an event of its own, with what Slack knows of it: size, extent, duration, thumbnail. What only
lives where it is becomes a link, a snippet that Slack shows whole becomes its text, and what cannot be had a notice
with the reason.

What Slack tells those who do not see a picture is the body beside its name in Matrix, which clients show as a caption,
and as the picture's own alternative: no stable field of Matrix is for that alone. Towards Slack a caption is words of
the message, which everybody gets; only what the specification calls an alternative, a sticker's body, becomes Slack's.
"""

from __future__ import annotations

import html
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from portals import text
from portals.relay import content
from portals.text.document import BOLD, CodeBlock, Document, Paragraph, Text, clean

if TYPE_CHECKING:
    from portals.events import SlackFile
    from portals.facts import Rules

Content = dict[str, Any]  # Any: the JSON of an event

_SUFFIXES = {
    "application/pdf": ".pdf",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "audio/webm": ".webm",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/webp": ".webp",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}
"""Slack tells a file's kind by the end of its name; what Matrix calls a sticker or a voice message often has none."""


def shown(file: SlackFile) -> Content:
    """Return the content that shows a file, without `url` and `info.thumbnail_url`."""
    kind = file.mimetype.split("/", 1)[0]
    info: Content = {"mimetype": file.mimetype, "size": file.size}
    if file.width and file.height:
        info |= {"w": file.width, "h": file.height}
    if file.duration_ms:
        info["duration"] = file.duration_ms
    if file.animated:
        info["org.matrix.msc4230.is_animated"] = True
    if file.thumbnail is not None:
        extent = {"w": file.thumbnail.width, "h": file.thumbnail.height, "mimetype": file.thumbnail.mimetype}
        info["thumbnail_info"] = {name: value for name, value in extent.items() if value}
    name = text.label_of(file.name, file.id)
    msgtype = f"m.{kind}" if kind in ("image", "audio", "video") else "m.file"
    body = clean(file.alt).strip() or name
    said: Content = {"msgtype": msgtype, "body": body, "filename": name, "info": info, "m.mentions": {}}
    if file.voice:
        said["msgtype"] = "m.audio"
        said["org.matrix.msc3245.voice"] = {}
        said["org.matrix.msc1767.audio"] = {
            "duration": file.duration_ms,
            "waveform": [sample * 1024 // 100 for sample in file.waveform],
        }
    return said


def told(file: SlackFile, rules: Rules) -> Content | None:
    """Return the content that stands for a file whose bytes do not cross; None for one to bring over."""
    if file.kind and not file.refusal:
        return _link(file)
    reason = file.refusal or _size_refusal(file, rules) or type_refusal(file.mimetype, rules)
    if reason:
        return content.notice(absence(file, reason), file.permalink)
    return _snippet(file, file.snippet) if file.snippet is not None else None


def _link(file: SlackFile) -> Content:
    name = text.label_of(file.name, file.id)
    return {
        "msgtype": "m.text",
        "body": f"{name} ({file.kind}): {file.link}",
        "format": "org.matrix.custom.html",
        "formatted_body": f'<a href="{html.escape(file.link)}">{html.escape(name)}</a> ({html.escape(file.kind)})',
        "m.mentions": {},
    }


def _snippet(file: SlackFile, snippet: str) -> Content:
    name = text.label_of(file.name, file.id)
    document = Document((Paragraph((Text(name, BOLD),)), CodeBlock(snippet.strip("\n"), file.language)))
    (piece,) = content.pieces(document, text.Names(), "m.text")
    return piece


def absence(file: SlackFile, reason: str) -> str:
    """Return the words that stand for a file that was not brought over."""
    extent = f" ({size(file.size)})" if file.size else ""
    return f"The file “{text.label_of(file.name, file.id)}”{extent} was not brought over: {reason}."


def name_in_slack(name: str, mimetype: str) -> str:
    """Return a file's name on one line, with the ending of its type where it has none."""
    label = text.label_of(name, "file")
    _, dot, ending = label.rpartition(".")
    has_ending = bool(dot) and ending.isalnum() and len(ending) <= 8
    return label if has_ending else label + _SUFFIXES.get(mimetype.partition(";")[0].strip().lower(), "")


def _size_refusal(file: SlackFile, rules: Rules) -> str:
    too_large = file.size > rules.max_file_size
    return f"it is larger than the {size(rules.max_file_size)} that may cross" if too_large else ""


def type_refusal(mimetype: str, rules: Rules) -> str:
    """Return why files of this type may not cross, or nothing."""
    if any(fnmatchcase(mimetype, pattern) for pattern in rules.refused_types):
        return f"files of type {mimetype} may not cross"
    if rules.allowed_types and not any(fnmatchcase(mimetype, pattern) for pattern in rules.allowed_types):
        return f"files of type {mimetype} may not cross"
    return ""


def size(count: int) -> str:
    """Return a number of bytes in words."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"
