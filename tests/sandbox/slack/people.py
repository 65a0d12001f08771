"""People who act in a workspace: what a test says, in the words of somebody at a Slack client.

Messages carry what Slack's own clients send: a client_msg_id, the team, escaped text, and rich_text blocks made of it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sandbox.slack import files, messages, rooms
from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.rich_text import compose, normalise
from tests.sandbox.slack.state import Channel, FileRecord, Usergroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.slack.state import Json, Message, User
    from tests.sandbox.slack.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody drops into the composer; `must_ask`, `snippet` and `form` as in `FileRecord`."""

    name: str
    content: bytes
    title: str = ""
    mimetype: str = ""
    must_ask: bool = False
    snippet: bool = False
    form: str = ""


class Person:
    """One member, acting. Refuses what Slack's clients would not let them do, with `SlackRefusal`."""

    def __init__(self, workspace: Workspace, user: User) -> None:
        self._workspace = workspace
        self.user = user

    @property
    def id(self) -> str:
        """The user id."""
        return self.user.id

    @property
    def mention(self) -> str:
        """The text that mentions them."""
        return f"<@{self.user.id}>"

    def post(
        self,
        channel: str,
        text: str = "",
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
        blocks: Sequence[Json] | None = None,
        files: Sequence[Upload | FileRecord] = (),
    ) -> Message:
        """Says something. `text` is mrkdwn with mentions as <@U…>; `blocks` replace those made of it."""
        room = self._room(channel)
        stored = normalise(text)
        made = tuple(blocks) if blocks is not None else tuple(compose(stored, self._workspace.mint.secret(5)))
        records = [self._record(entry) for entry in files]
        draft = messages.Draft(
            stored,
            self.id,
            "file_share" if records else None,
            thread_ts,
            broadcast,
            made,
            files=tuple(record.id for record in records),
            client_msg_id=str(uuid.uuid4()),
        )
        return messages.post(self._workspace, room, draft)

    def me(self, channel: str, text: str) -> Message:
        """Says something in the third person (/me)."""
        return messages.post(
            self._workspace, self._room(channel), messages.Draft(normalise(text), self.id, "me_message")
        )

    def edit(self, channel: str, ts: str, text: str, *, blocks: Sequence[Json] | None = None) -> Message:
        """Changes an own message."""
        room, message = self._own(channel, ts, "cant_update_message")
        stored = normalise(text)
        made = tuple(blocks) if blocks is not None else tuple(compose(stored, self._workspace.mint.secret(5)))
        messages.change(self._workspace, room, message, messages.Change(stored, made), self.id)
        return message

    def delete(self, channel: str, ts: str) -> None:
        """Deletes an own message; an admin may delete any."""
        room, message = self._own(channel, ts, "cant_delete_message")
        messages.delete(self._workspace, room, message)

    def react(self, channel: str, ts: str, name: str) -> None:
        """Adds a reaction, as `thumbsup` or `wave::skin-tone-3`."""
        room = self._room(channel)
        messages.react(self._workspace, room, self._workspace.message(room, ts), name, self.id)

    def unreact(self, channel: str, ts: str, name: str) -> None:
        """Takes a reaction back."""
        room = self._room(channel)
        messages.unreact(self._workspace, room, self._workspace.message(room, ts), name, self.id)

    def upload(
        self,
        channel: str,
        name: str,
        content: bytes,
        *,
        text: str = "",
        thread_ts: str | None = None,
        mimetype: str = "",
        snippet: bool = False,
    ) -> Message:
        """Shares a file, with or without words."""
        dropped = Upload(name, content, mimetype=mimetype, snippet=snippet)
        return self.post(channel, text, thread_ts=thread_ts, files=[dropped])

    def delete_file(self, file_id: str) -> None:
        """Deletes a file everywhere."""
        files.delete_file(self._workspace, self._workspace.files[file_id])

    def unfurl(self, channel: str, ts: str, title: str = "A page", url: str = "https://example.org/") -> None:
        """What Slack does by itself a moment after a link was posted."""
        room = self._workspace.channel(channel)
        card: Json = {
            "id": 1,
            "from_url": url,
            "original_url": url,
            "fallback": title,
            "title": title,
            "title_link": url,
        }
        messages.unfurl(self._workspace, room, self._workspace.message(room, ts), card)

    def pin(self, channel: str, ts: str) -> None:
        """Pins a message."""
        room = self._room(channel)
        messages.pin(self._workspace, room, self._workspace.message(room, ts), self.id)

    def unpin(self, channel: str, ts: str) -> None:
        """Takes a pin off."""
        room = self._room(channel)
        messages.unpin(self._workspace, room, self._workspace.message(room, ts), self.id)

    def bookmark(self, channel: str, title: str, link: str, emoji: str = "") -> str:
        """Adds a bookmark to a channel and returns its id; no event tells of it."""
        return str(rooms.add_bookmark(self._workspace, self._room(channel), title, link, emoji, self.user)["id"])

    def remove_bookmark(self, channel: str, bookmark_id: str) -> None:
        """Takes a bookmark away."""
        rooms.remove_bookmark(self._room(channel), bookmark_id)

    def create(self, name: str, *, private: bool = False, members: Sequence[str] = ()) -> Channel:
        """Makes a channel."""
        invited = [self._workspace.user(ref) for ref in members]
        return rooms.create(self._workspace, name, self.user, private, invited)

    def direct(self, *others: str) -> Channel:
        """The direct conversation with others."""
        return rooms.open_direct(self._workspace, [self.user, *(self._workspace.user(ref) for ref in others)])

    def join(self, channel: str) -> None:
        """Joins a public channel."""
        room = self._workspace.channel(channel)
        if room.kind != "public":
            raise SlackRefusal("channel_not_found")
        rooms.join(self._workspace, room, self.user)

    def leave(self, channel: str) -> None:
        """Leaves a channel."""
        rooms.leave(self._workspace, self._room(channel), self.user)

    def invite(self, channel: str, *others: str) -> None:
        """Adds others to a channel; the app's bot is one of them."""
        room = self._room(channel)
        for ref in others:
            rooms.join(self._workspace, room, self._workspace.user(ref), inviter=self.id)

    def kick(self, channel: str, other: str) -> None:
        """Removes somebody from a channel."""
        rooms.leave(self._workspace, self._room(channel), self._workspace.user(other))

    def rename(self, channel: str, name: str) -> None:
        """Renames a channel."""
        rooms.rename(self._workspace, self._room(channel), name, self.user)

    def set_topic(self, channel: str, topic: str) -> None:
        """Sets a channel's topic."""
        rooms.set_topic(self._workspace, self._room(channel), normalise(topic), self.user)

    def set_purpose(self, channel: str, purpose: str) -> None:
        """Sets a channel's description."""
        rooms.set_purpose(self._workspace, self._room(channel), normalise(purpose), self.user)

    def archive(self, channel: str) -> None:
        """Archives a channel."""
        rooms.archive(self._workspace, self._room(channel), self.user)

    def unarchive(self, channel: str) -> None:
        """Opens an archived channel again."""
        rooms.unarchive(self._workspace, self._workspace.channel(channel), self.user)

    def convert_to_private(self, channel: str) -> None:
        """Makes a public channel private."""
        rooms.convert_to_private(self._workspace, self._room(channel), self.user)

    def share(self, channel: str, *, tell: bool = True) -> str:
        """Shares a private channel with another organisation; returns its new id, of which apps may not be told yet."""
        return rooms.share(self._workspace, self._room(channel), tell=tell)

    def delete_channel(self, channel: str) -> None:
        """Deletes a channel, which only an admin may do."""
        if not self.user.is_admin:
            raise SlackRefusal("restricted_action")
        rooms.delete(self._workspace, self._room(channel), self.user)

    def act(self, channel: str, subtype: str, text: str) -> Message:
        """Does something that Slack tells the channel in its own words, such as `bot_add`."""
        return messages.post(self._workspace, self._room(channel), messages.Draft(text, self.id, subtype))

    def change_profile(self, **fields: str) -> None:
        """Changes name, title, avatar ... as the fields of `User` are called."""
        for key, value in fields.items():
            setattr(self.user, key, value)  # the field is named by the caller
        rooms.announce_user(self._workspace, self.user)

    def deactivate(self) -> None:
        """What an admin does to an account that left."""
        self.user.deleted = True
        rooms.announce_user(self._workspace, self.user)

    def add_emoji(self, name: str, image: bytes = b"", alias: str = "") -> None:
        """Adds a custom emoji: a picture, or another name for one."""
        if image:
            self._workspace.emoji_images[name] = image
        self._workspace.emoji[name] = f"alias:{alias}" if alias else "custom"
        rooms.announce_emoji(self._workspace, name)

    def rename_emoji(self, old: str, new: str) -> None:
        """Gives a custom emoji another name; its aliases follow, of which the event says nothing."""
        emoji, images = self._workspace.emoji, self._workspace.emoji_images
        emoji[new] = emoji.pop(old)
        if old in images:
            images[new] = images.pop(old)
        emoji |= {name: f"alias:{new}" for name, value in emoji.items() if value == f"alias:{old}"}
        rooms.announce_renamed_emoji(self._workspace, old, new)

    def remove_emoji(self, name: str) -> None:
        """Removes a custom emoji, and its aliases with it."""
        gone = [name, *(one for one, value in self._workspace.emoji.items() if value == f"alias:{name}")]
        for one in gone:
            del self._workspace.emoji[one]
        rooms.announce_removed_emoji(self._workspace, gone)

    def rename_usergroup(self, group: Usergroup, handle: str) -> None:
        """Gives a group another handle."""
        group.handle = handle
        rooms.announce_usergroup(self._workspace, group, "subteam_updated")

    def add_usergroup(self, handle: str, *members: str) -> Usergroup:
        """Makes a group that can be mentioned."""
        users = [self._workspace.user(ref).id for ref in members]
        group = Usergroup(self._workspace.mint.make("S"), handle, handle.title(), users)
        self._workspace.usergroups[group.id] = group
        rooms.announce_usergroup(self._workspace, group, "subteam_created")
        return group

    def typing(self, channel: str, thread_ts: str | None = None) -> None:
        """Plays `user_typing`, which real Slack sends to no app: only for code that must stand it."""
        room = self._room(channel)
        event: Json = {"type": "user_typing", "channel": room.id, "user": self.id}
        self._workspace.emit(event | ({"thread_ts": thread_ts} if thread_ts else {}), room)

    def _record(self, entry: Upload | FileRecord) -> FileRecord:
        if isinstance(entry, FileRecord):
            return entry
        record = files.new_file(self._workspace, self.id, entry.name, entry.title, entry.mimetype)
        files.fill(record, entry.content)
        record.completed, record.must_ask, record.snippet = True, entry.must_ask, entry.snippet
        record.form = entry.form
        return record

    def _room(self, ref: str) -> Channel:
        channel = self._workspace.channel(ref)
        if self.id not in channel.members:
            raise SlackRefusal("not_in_channel" if channel.kind == "public" else "channel_not_found")
        if channel.archived:
            raise SlackRefusal("is_archived")
        return channel

    def _own(self, channel: str, ts: str, refusal: str) -> tuple[Channel, Message]:
        room = self._room(channel)
        message = self._workspace.message(room, ts)
        if message.user != self.id and not (self.user.is_admin and refusal == "cant_delete_message"):
            raise SlackRefusal(refusal)
        return room, message


def bot_message(
    workspace: Workspace,
    channel: str,
    text: str,
    *,
    username: str = "deploy-bot",
    bot_id: str = "B0DEPLOYBOT",
    app_id: str | None = "A0DEPLOYBOT",
    thread_ts: str | None = None,
    attachments: Sequence[Json] = (),
) -> Message:
    """A post of another app (or, without app_id, of an old-style integration); its first one makes the bot known."""
    stored = normalise(text)
    known: Json = {"id": bot_id, "deleted": False, "name": username, "updated": 0, "icons": {}}
    workspace.other_bots.setdefault(bot_id, known | ({"app_id": app_id} if app_id else {}))
    draft = messages.Draft(
        stored,
        None,
        "bot_message",
        thread_ts,
        blocks=tuple(compose(stored, workspace.mint.secret(5))),
        attachments=tuple(attachments),
        bot_id=bot_id,
        app_id=app_id,
        username=username,
    )
    return messages.post(workspace, workspace.channel(channel), draft)
