"""files.*: the upload in three steps, and reading and deleting."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from tests.sandbox.slack import files, messages
from tests.sandbox.slack.blocks import check_blocks
from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.rich_text import compose, normalise, plain_text
from tests.sandbox.slack.shapes import whole_file_json
from tests.sandbox.slack.webapi.call import Method

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Channel, FileRecord, Json
    from tests.sandbox.slack.webapi.call import Call

MOST_FILE = 1_000_000_000


def get_upload_url(call: Call) -> Json:
    """files.getUploadURLExternal: a place for so many bytes, good for one POST."""
    filename, length = call.args.text("filename"), call.args.text("length")
    if not filename or not length:
        missing = "filename" if not filename else "length"
        raise SlackRefusal("invalid_arguments", (f"[ERROR] missing required field: {missing}",))
    if not length.isdigit() or int(length) == 0:
        raise SlackRefusal("invalid_arguments", ("[ERROR] must be greater than 0 [json-pointer:/length]",))
    if int(length) > MOST_FILE:
        raise SlackRefusal("file_upload_size_restricted")
    if len(call.args.text("alt_txt")) > 1000:
        raise SlackRefusal("alt_txt_too_large")
    file = files.new_file(call.workspace, call.token.user_id, filename)
    file.alt_txt = call.args.text("alt_txt")
    file.bot_id = call.installation.bot_id if call.token.kind == "bot" else ""
    address = call.sandbox.hosting.new_address(call.workspace, file, int(length))
    return {"upload_url": address, "file_id": file.id}


def complete_upload(call: Call) -> Json:
    """files.completeUploadExternal: the files become real, and are shared a moment later."""
    entries = call.args.structure("files", "invalid_arguments")
    if not isinstance(entries, list) or not entries:
        raise SlackRefusal("invalid_arguments", ("[ERROR] missing required field: files",))
    records = [_uploaded(call, entry) for entry in entries]
    channels = _destinations(call)
    thread_ts = call.args.optional("thread_ts")
    for channel in channels:
        if thread_ts and thread_ts not in channel.messages:
            raise SlackRefusal("thread_not_found")
    text = normalise(call.args.text("initial_comment"))
    blocks: tuple[Json, ...] = tuple(compose(text, call.workspace.mint.secret(5)))
    given = call.args.structure("blocks", "invalid_blocks")
    if not text and given:
        blocks = tuple(check_blocks(given))
        text = plain_text(list(blocks))
    for record, entry in zip(records, entries, strict=True):
        record.title = str(entry.get("title") or record.name)
        record.completed = True
    for channel in channels:
        _share_later(call, channel, records, text, blocks, thread_ts)
    return {"files": [whole_file_json(call.workspace, record) for record in records]}


def _uploaded(call: Call, entry: Any) -> FileRecord:
    file_id = entry.get("id") if isinstance(entry, dict) else None
    record = call.workspace.files.get(str(file_id))
    if record is None or record.content is None or record.completed or record.user != call.token.user_id:
        raise SlackRefusal("file_not_found")
    return record


def _destinations(call: Call) -> list[Channel]:
    refs = [ref.strip() for ref in call.args.text("channels").split(",") if ref.strip()]
    if call.args.has("channel_id"):
        refs = [call.args.text("channel_id")]
    if len(refs) > 100:
        raise SlackRefusal("channels_limit_exceeded")
    channels = []
    for ref in refs:
        channel = call.conversation(ref)
        if channel.archived:
            raise SlackRefusal("posting_to_channel_denied")
        if call.token.user_id not in channel.members:
            raise SlackRefusal("not_in_channel")
        channels.append(channel)
    return channels


def _share_later(
    call: Call, channel: Channel, records: list[FileRecord], text: str, blocks: tuple[Json, ...], thread_ts: str | None
) -> None:
    workspace = call.workspace
    names_bot = call.token.kind == "bot" and workspace.reality.file_share_names_bot
    draft = messages.Draft(
        text,
        call.token.user_id,
        "file_share",
        thread_ts,
        blocks=blocks,
        files=tuple(record.id for record in records),
        bot_id=call.installation.bot_id if names_bot else None,
        upload=True,
    )
    delay = workspace.reality.share_delay
    if delay is None:
        messages.post(workspace, channel, draft)
    else:
        workspace.later(delay, lambda: _share_now(call, channel, draft))


def _share_now(call: Call, channel: Channel, draft: messages.Draft) -> None:
    if any(call.workspace.files[file_id].deleted for file_id in draft.files):
        return
    with contextlib.suppress(SlackRefusal):  # the thread is gone meanwhile: nobody is left to tell
        messages.post(call.workspace, channel, draft)


def _visible(call: Call) -> FileRecord:
    record = call.workspace.files.get(call.args.text("file"))
    if record is None or not record.completed:
        raise SlackRefusal("file_not_found")
    if record.deleted:
        raise SlackRefusal("file_deleted")
    if not files.may_see(call.workspace, record, call.token.user_id):
        raise SlackRefusal("file_not_found")
    return record


def info(call: Call) -> Json:
    """files.info"""
    record = _visible(call)
    return {"file": whole_file_json(call.workspace, record), "comments": [], "response_metadata": {"next_cursor": ""}}


def list_files(call: Call) -> Json:
    """files.list: newest first, in numbered pages."""
    channel, user = call.args.text("channel"), call.args.text("user")
    since, until = call.args.text("ts_from", "0") or "0", call.args.text("ts_to", "now")
    found = [
        record
        for record in reversed(call.workspace.files.values())
        if record.completed
        and not record.deleted
        and files.may_see(call.workspace, record, call.token.user_id)
        and (not channel or channel in record.shares)
        and (not user or record.user == user)
        and record.created >= float(since)
        and (until in ("", "now") or record.created <= float(until))
    ]
    count, number = call.args.count("count", 100, 1000), call.args.count("page", 1, 100_000)
    cut = found[(number - 1) * count : number * count]
    paging = {"count": count, "total": len(found), "page": number, "pages": -(-len(found) // count)}
    return {"files": [whole_file_json(call.workspace, record) for record in cut], "paging": paging}


def delete(call: Call) -> Json:
    """files.delete"""
    record = _visible(call)
    if record.user != call.token.user_id:
        raise SlackRefusal("cant_delete_file")
    files.delete_file(call.workspace, record)
    return {}


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, 4, ("files:write",)),
    "files.completeUploadExternal": Method(complete_upload, 4, ("files:write",), json=True),
    "files.info": Method(info, 4, ("files:read",)),
    "files.list": Method(list_files, 3, ("files:read",)),
    "files.delete": Method(delete, 3, ("files:write",), json=True),
}
