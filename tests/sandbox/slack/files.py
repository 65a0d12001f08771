"""Hosted files: what they are, who may fetch them, how they are shared."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING

from tests.sandbox.slack.messages import announce_change
from tests.sandbox.slack.shapes import message_json
from tests.sandbox.slack.state import FileRecord, micros

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Json, Token
    from tests.sandbox.slack.workspace import Workspace

LOGIN_PAGE = b"""<!DOCTYPE html><html lang="en-US" class=""><head><title>Login | Slack</title>
<meta name="referrer" content="no-referrer"></head><body><h1>Sign in to your workspace</h1>
<form id="signin_form" action="/" method="post"><input type="hidden" name="redir" value="/files-pri/"></form>
</body></html>
"""
_TYPES = {"jpeg": "jpg", "txt": "text", "md": "markdown", "py": "python", "htm": "html", "": "binary"}


def new_file(workspace: Workspace, user: str, name: str, title: str = "", mimetype: str = "") -> FileRecord:
    """A file without bytes yet."""
    guessed = mimetype or mimetypes.guess_type(name)[0] or "application/octet-stream"
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    created = micros(workspace.clock.next()) // 1_000_000
    filetype = _TYPES.get(extension, extension)
    file = FileRecord(workspace.mint.make("F"), user, name, title or name, guessed, filetype, created)
    workspace.files[file.id] = file
    return file


def fill(file: FileRecord, content: bytes) -> None:
    """Gives a file its bytes; an image gets its size and a thumbnail."""
    file.content = content
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        file.width, file.height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
        file.thumbnail = content


def delete_file(workspace: Workspace, file: FileRecord) -> None:
    """Deletes a file; the messages that show it keep an empty place for it."""
    changed = []
    for channel_id, entries in file.shares.items():
        channel = workspace.channels[channel_id]
        for entry in entries:
            message = channel.messages.get(entry["ts"])
            if message is not None:
                changed.append((channel, message, message_json(workspace, channel, message)))
    file.deleted = True
    file.content = file.thumbnail = None
    event: Json = {"type": "file_deleted", "file_id": file.id, "channel_ids": list(file.shares)}
    workspace.emit(event | {"event_ts": workspace.clock.next()})
    for channel, message, before in changed:
        announce_change(workspace, channel, message, before, message.metadata)


def may_see(workspace: Workspace, file: FileRecord, user: str) -> bool:
    """Whether a member sees a file: it is theirs, or was shared where they can look."""
    if file.user == user:
        return True
    for channel_id in file.shares:
        channel = workspace.channels[channel_id]
        if channel.kind == "public" or user in channel.members:
            return True
    return False


def may_download(workspace: Workspace, file: FileRecord, token: Token | None, export_token: str = "") -> bool:
    """Whether a bearer token, or the token in an export's link, opens the file's bytes."""
    if file.id in workspace.export_tokens.get(export_token, ()):
        return True
    if token is None or token.state != "live" or token.team_id != workspace.id or "files:read" not in token.scopes:
        return False
    return may_see(workspace, file, token.user_id)
