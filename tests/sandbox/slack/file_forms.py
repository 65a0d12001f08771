"""Files that are no plain uploads, as messages show them: kept elsewhere, recorded, written in Slack, hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.slack.state import FileRecord, Json
    from tests.sandbox.slack.workspace import Workspace

_WAVE = (0, 25, 50, 100, 75, 5)


def _external(workspace: Workspace, file: FileRecord, known: Json) -> Json:
    """A document of another service; its content here is its address there."""
    address = (file.content or b"").decode()
    elsewhere: Json = {"mode": "external", "is_external": True, "external_type": "gdrive", "filetype": "gdoc"}
    elsewhere |= {"mimetype": "application/vnd.google-apps.document", "external_id": file.id, "size": 0}
    known = known | elsewhere | {"external_url": address, "url_private": address, "pretty_type": "GDocs Document"}
    del known["url_private_download"]
    return known


def _voice(workspace: Workspace, file: FileRecord, known: Json) -> Json:
    """A clip that was recorded in Slack."""
    played: Json = {"aac": f"{known['url_private']}.aac", "duration_ms": 4200, "audio_wave_samples": list(_WAVE)}
    spoken: Json = {"transcription": {"status": "complete", "locale": "en-US", "preview": {"content": "well"}}}
    return known | {"subtype": "slack_audio", "media_display_type": "audio"} | played | spoken


def _canvas(workspace: Workspace, file: FileRecord, known: Json) -> Json:
    """A canvas: it has no bytes of its own, only an address in Slack."""
    written: Json = {"mode": "quip", "filetype": "quip", "pretty_type": "Canvas", "name": f"{file.id}.quip"}
    where = f"{workspace.url}docs/{workspace.id}/{file.id}"
    return known | written | {"mimetype": "application/vnd.slack-docs", "editable": True, "permalink": where}


def _hidden(workspace: Workspace, file: FileRecord, known: Json) -> Json:
    """A file that is older than the workspace's plan allows."""
    kept = ("id", "created", "timestamp", "name", "title", "user", "filetype", "size", "is_public", "permalink")
    return {name: known[name] for name in kept} | {"mode": "hidden_by_limit"}


_FORMS: dict[str, Callable[[Workspace, FileRecord, Json], Json]] = {
    "external": _external,
    "voice": _voice,
    "canvas": _canvas,
    "hidden": _hidden,
}


def in_its_form(workspace: Workspace, file: FileRecord, known: Json) -> Json:
    """What Slack says of a file, given what it would say of an upload."""
    return _FORMS[file.form](workspace, file, known) if file.form else known
