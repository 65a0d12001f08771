"""chat.*: posts, changes and deletes by apps, with the limits that Slack documents for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from tests.sandbox.slack import messages, rooms
from tests.sandbox.slack.blocks import check_blocks
from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.rich_text import compose, normalise, plain_text
from tests.sandbox.slack.shapes import message_json
from tests.sandbox.slack.webapi.call import Method

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Channel, Json, Message
    from tests.sandbox.slack.webapi.call import Call

MOST_TEXT = 40_000
MOST_UPDATE_TEXT = 4_000
MOST_MARKDOWN = 12_000
MOST_ATTACHMENTS = 100
MOST_METADATA = 16_384
_EVENT_TYPE = re.compile(r"[A-Za-z0-9_\-]+")
_ID = re.compile(r"[CGDU][A-Z0-9]{6,}")


class _Body:
    """Text, blocks, attachments and metadata of a call, checked."""

    def __init__(self, call: Call, most_text: int | None) -> None:
        args = call.args
        self.blocks = _blocks(args.structure("blocks", "invalid_blocks_format"))
        self.attachments = _attachments(args.structure("attachments", "invalid_attachments"))
        self.metadata = _metadata(args.structure("metadata", "invalid_metadata_format"))
        self.has_text = args.has("text") or args.has("markdown_text")
        text = args.text("text")
        if args.has("markdown_text"):
            if args.has("text") or self.blocks:
                raise SlackRefusal("markdown_text_conflict")
            text = args.text("markdown_text")
            if len(text) > MOST_MARKDOWN:
                raise SlackRefusal("msg_too_long")
        if most_text is not None and len(text) > most_text:
            raise SlackRefusal("msg_too_long")
        if len(text) > MOST_TEXT:
            text = text[:MOST_TEXT]
            call.warnings.append("message_truncated")
        self.text = normalise(text)
        self.is_empty = not text.strip() and not self.blocks and not self.attachments
        if not self.text and self.blocks:
            self.text = plain_text(self.blocks)

    def made_blocks(self, call: Call) -> tuple[Json, ...]:
        """The given blocks with ids, or those that Slack makes of the text."""
        mint = call.workspace.mint
        if self.blocks:
            return tuple({**block, "block_id": block.get("block_id") or mint.secret(5)} for block in self.blocks)
        if call.args.text("mrkdwn", "true") in ("false", "0"):
            return ()
        return tuple(compose(self.text, mint.secret(5)))


def _blocks(value: Any) -> list[Json]:
    return check_blocks(value) if value not in (None, []) else []


def _attachments(value: Any) -> list[Json]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise SlackRefusal("invalid_attachments")
    if len(value) > MOST_ATTACHMENTS:
        raise SlackRefusal("too_many_attachments")
    return [{"id": number, **entry} for number, entry in enumerate(value, 1)]


def _metadata(value: Any) -> Json | None:
    if value is None or value == {}:
        return {} if value == {} else None
    if not isinstance(value, dict):
        raise SlackRefusal("invalid_metadata_format")
    event_type, payload = value.get("event_type"), value.get("event_payload")
    if not isinstance(event_type, str) or not isinstance(payload, dict):
        raise SlackRefusal("invalid_metadata_schema")
    if len(orjson.dumps(value)) > MOST_METADATA:
        raise SlackRefusal("metadata_too_large")
    if not _EVENT_TYPE.fullmatch(event_type):
        return None
    return {"event_type": event_type, "event_payload": payload}


def _target(call: Call) -> Channel:
    ref = call.args.text("channel")
    workspace = call.workspace
    if ref in workspace.users and ref != call.token.user_id:
        return rooms.open_direct(workspace, [call.me, workspace.users[ref]])
    if ref and not _ID.fullmatch(ref):
        named = [channel for channel in workspace.channels.values() if channel.name == ref.removeprefix("#")]
        if not named or not named[0].name:
            raise SlackRefusal("channel_not_found")
        ref = named[0].id
    return call.conversation(ref)


def _check_may_post(call: Call, channel: Channel) -> None:
    if channel.archived:
        raise SlackRefusal("is_archived")
    if call.token.user_id in channel.members:
        return
    if channel.kind != "public" or call.token.kind != "bot" or not call.may("chat:write.public"):
        raise SlackRefusal("not_in_channel")


def _icons(call: Call) -> Json | None:
    args = call.args
    if args.has("icon_emoji"):
        name = args.text("icon_emoji").strip(":")
        return {"emoji": f":{name}:", "image_64": f"{call.workspace.site.base_url}/emoji/{name}.png"}
    if args.has("icon_url"):
        return {f"image_{size}": args.text("icon_url") for size in (36, 48, 72)}
    return None


def _custom(call: Call) -> tuple[str | None, Json | None]:
    username, icons = call.args.optional("username"), _icons(call)
    if (username is None and icons is None) or call.token.kind != "bot":
        return None, None
    if not call.may("chat:write.customize"):
        if call.workspace.reality.customize_without_scope == "missing_scope":
            call.need_scope("chat:write.customize")
        return None, None
    return username or call.me.real_name, icons


def _draft(call: Call, body: _Body, thread_ts: str | None) -> messages.Draft:
    username, icons = _custom(call)
    blocks = body.made_blocks(call)
    if call.token.kind == "user":
        return messages.Draft(
            body.text,
            call.token.user_id,
            None,
            thread_ts,
            call.args.flag("reply_broadcast"),
            blocks,
            tuple(body.attachments),
            bot_id=call.installation.bot_id,
            app_id=call.token.app.id,
            metadata=body.metadata or None,
        )
    as_bot_message = username is not None and call.workspace.reality.customised_as == "bot_message"
    return messages.Draft(
        body.text,
        None if as_bot_message else call.token.user_id,
        "bot_message" if as_bot_message else None,
        thread_ts,
        call.args.flag("reply_broadcast"),
        blocks,
        tuple(body.attachments),
        bot_id=call.installation.bot_id,
        app_id=call.token.app.id,
        username=username,
        icons=icons,
        metadata=body.metadata or None,
    )


def _shown(call: Call, channel: Channel, message: Message) -> Json:
    shown = message_json(call.workspace, channel, message)
    if message.metadata:
        shown["metadata"] = message.metadata
    return shown


def post_message(call: Call) -> Json:
    """chat.postMessage"""
    channel = _target(call)
    _check_may_post(call, channel)
    body = _Body(call, None)
    if body.is_empty:
        raise SlackRefusal("no_text")
    thread_ts = call.args.optional("thread_ts")
    message = messages.post(call.workspace, channel, _draft(call, body, thread_ts))
    return {"channel": channel.id, "ts": message.ts, "message": _shown(call, channel, message)}


def me_message(call: Call) -> Json:
    """chat.meMessage"""
    channel = call.conversation(call.args.text("channel"))
    if channel.archived:
        raise SlackRefusal("is_archived")
    if call.token.user_id not in channel.members:
        raise SlackRefusal("not_in_channel")
    if not call.args.has("text"):
        raise SlackRefusal("no_text")
    text = call.args.text("text")
    if len(text) > MOST_TEXT:
        raise SlackRefusal("msg_too_long")
    draft = messages.Draft(normalise(text), call.token.user_id, "me_message")
    message = messages.post(call.workspace, channel, draft)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(call: Call) -> Json:
    """chat.postEphemeral: shown to one person, in no history and in no event."""
    channel = _target(call)
    if channel.archived:
        raise SlackRefusal("is_archived")
    if call.token.user_id not in channel.members:
        raise SlackRefusal("not_in_channel" if channel.kind == "public" else "channel_not_found")
    user = call.args.text("user")
    if user not in channel.members:
        raise SlackRefusal("user_not_in_channel")
    body = _Body(call, None)
    if body.is_empty:
        raise SlackRefusal("no_text")
    ts = call.workspace.clock.next()
    shown: Json = {"channel": channel.id, "user": user, "text": body.text, "blocks": body.blocks, "message_ts": ts}
    call.workspace.ephemerals.append(shown | {"thread_ts": call.args.optional("thread_ts")})
    return {"message_ts": ts}


def update(call: Call) -> Json:
    """chat.update"""
    args = call.args
    channel = call.conversation(args.text("channel"))
    message = call.message(channel, "ts")
    _check_own(call, message, "cant_update_message")
    if channel.archived:
        raise SlackRefusal("is_inactive")
    body = _Body(call, MOST_UPDATE_TEXT)
    has_attachments = args.values.get("attachments") is not None
    has_blocks = args.values.get("blocks") is not None
    if body.is_empty and not has_attachments and body.metadata is None:
        raise SlackRefusal("no_text")
    text = body.text if body.has_text or body.blocks else None
    blocks: tuple[Json, ...] | None = None
    if body.has_text or has_blocks:
        blocks = body.made_blocks(call)
    marks = bool(text is not None and (not body.blocks or call.workspace.reality.edited_by_blocks))
    attachments = tuple(body.attachments) if has_attachments else None
    new = messages.Change(text, blocks, attachments, body.metadata, marks)
    messages.change(call.workspace, channel, message, new, call.installation.bot_id)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": _shown(call, channel, message)}


def delete(call: Call) -> Json:
    """chat.delete"""
    channel = call.conversation(call.args.text("channel"))
    message = call.message(channel, "ts")
    if message.subtype == "tombstone":
        raise SlackRefusal("message_not_found")
    _check_own(call, message, "cant_delete_message")
    if message.username is not None and call.workspace.reality.delete_customised == "cant_delete_message":
        raise SlackRefusal("cant_delete_message")
    messages.delete(call.workspace, channel, message)
    return {"channel": channel.id, "ts": message.ts}


def _check_own(call: Call, message: Message, refusal: str) -> None:
    if call.token.kind == "user":
        own = message.user == call.token.user_id
    else:
        own = message.bot_id == call.installation.bot_id or message.user == call.token.user_id
        own = own and message.subtype not in ("channel_join", "group_join")
    if not own:
        raise SlackRefusal(refusal)


def get_permalink(call: Call) -> Json:
    """chat.getPermalink"""
    channel = call.conversation(call.args.text("channel"))
    message = call.message(channel, "message_ts")
    return {"channel": channel.id, "permalink": call.workspace.permalink(channel, message)}


METHODS = {
    "chat.postMessage": Method(post_message, 0, ("chat:write",), json=True, posts=True),
    "chat.meMessage": Method(me_message, 3, ("chat:write",), json=True, posts=True),
    "chat.postEphemeral": Method(post_ephemeral, 4, ("chat:write",), json=True),
    "chat.update": Method(update, 3, ("chat:write",), json=True),
    "chat.delete": Method(delete, 3, ("chat:write",), json=True),
    "chat.getPermalink": Method(get_permalink, 0),
}
