"""Exports of the sandbox's workspace: the same records that its Web API serves, as Slack would export them now.

What was edited shows its final text, what was deleted is absent (or a tombstone over its replies), pins and members
stand in the lists of channels, and links to files carry the export's own token, which the sandbox honours until the
test says that it expired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tests.sandbox.exports.archive import Archive, Packing
from tests.sandbox.exports.days import as_json, day_files
from tests.sandbox.slack.shapes import message_json, profile_json, user_json
from tests.sandbox.slack.state import SLACKBOT, micros
from tests.sandbox.slack.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.sandbox.slack.state import Channel, Json, Message

Kind = Literal["standard", "full", "grid"]
_IN_LIST = {"public": "channels.json", "private": "groups.json", "im": "dms.json", "mpim": "mpims.json"}
_PROFILE = ("avatar_hash", "image_72", "first_name", "real_name", "display_name", "team")
_WITHOUT_PROFILE = ("tombstone", "bot_message")
_NOT_EXPORTED = ("pinned_to", "pinned_info", "metadata", "subscribed", "is_locked")


@dataclass(frozen=True, slots=True)
class Export:
    """A written export and the token that its file links carry."""

    path: Path
    token: str
    _workspaces: tuple[Workspace, ...]

    def expire(self) -> None:
        """From now on the file links answer with Slack's login page."""
        for workspace in self._workspaces:
            workspace.export_tokens.pop(self.token, None)


def export_of(
    workspace: Workspace | Sequence[Workspace],
    target: Path,
    kind: Kind = "standard",
    *,
    date_range: tuple[str, str] | None = None,
    emails: bool = True,
    packing: Packing = Packing(),  # noqa: B008  frozen
) -> Export:
    """Writes an export of the present state; a target that ends in .zip becomes a zip, any other a folder.

    `date_range` is from one Slack timestamp up to, not including, another; then only channels with something in it are
    listed. `emails` is whether the exporter may see addresses. Only a grid export may hold several workspaces.
    """
    workspaces = (workspace,) if isinstance(workspace, Workspace) else tuple(workspace)
    if kind != "grid" and len(workspaces) != 1:
        raise ValueError("only a grid export holds several workspaces")
    token = f"xoxe-{workspaces[0].mint.secret(11)}-{workspaces[0].mint.secret(32)}"
    parts = [_Part(each, token, _keeps(date_range), emails) for each in workspaces]
    with Archive(target, packing) as archive:
        if kind == "grid":
            _write_grid(archive, parts)
        else:
            parts[0].write(archive, "", ("public",) if kind == "standard" else tuple(_IN_LIST))
            archive.put("users.json", as_json(parts[0].users()))
    return Export(target, token, workspaces)


def _keeps(date_range: tuple[str, str] | None) -> Callable[[Message], bool] | None:
    if date_range is None:
        return None
    start, end = micros(date_range[0]), micros(date_range[1])
    return lambda message: start <= micros(message.ts) < end


def _write_grid(archive: Archive, parts: list[_Part]) -> None:
    """Direct conversations and people belong to the organisation, channels to its workspaces."""
    for name in ("channels.json", "groups.json"):
        archive.put(name, as_json([]))
    for kind in ("im", "mpim"):
        archive.put(_IN_LIST[kind], as_json([entry for part in parts for entry in part.listed(kind)]))
    archive.put("org_users.json", as_json([user for part in parts for user in part.users()]))
    archive.put("content_flags.json", as_json([]))
    for part in parts:
        for kind in ("im", "mpim"):
            part.write_days(archive, "", kind)
        inside = f"teams/{part.name}/"
        part.write(archive, inside, ("public", "private"))
        archive.put(f"{inside}users.json", as_json(part.users()))


class _Part:
    """One workspace on its way into an archive."""

    def __init__(self, workspace: Workspace, token: str, keeps: Callable[[Message], bool] | None, emails: bool) -> None:
        self._workspace, self._token, self._emails = workspace, token, emails
        self._linked = workspace.export_tokens.setdefault(token, set())
        self._messages: dict[str, list[Message]] = {}
        for channel in workspace.channels.values():
            kept = [message for message in channel.messages.values() if keeps is None or keeps(message)]
            if kept or keeps is None:
                self._messages[channel.id] = sorted(kept, key=lambda message: micros(message.ts))

    @property
    def name(self) -> str:
        """The folder of the workspace in an organisation's export."""
        return self._workspace.team.name

    def write(self, archive: Archive, inside: str, kinds: tuple[str, ...]) -> None:
        """Writes the lists and the days of these kinds of conversations."""
        for kind in kinds:
            archive.put(f"{inside}{_IN_LIST[kind]}", as_json(self.listed(kind)))
        archive.put(f"{inside}integration_logs.json", as_json(self._integrations()))
        archive.put(f"{inside}canvases.json", as_json([]))
        for kind in kinds:
            self.write_days(archive, inside, kind)

    def write_days(self, archive: Archive, inside: str, kind: str) -> None:
        """Writes the folders of one kind of conversations."""
        for channel in self._channels(kind):
            folder = f"{inside}{channel.name or channel.id}"
            archive.add_folder(folder)
            shown = (self._shown(channel, message) for message in self._messages[channel.id])
            for name, messages in day_files(shown):
                archive.put(f"{folder}/{name}", as_json(messages))

    def users(self) -> list[Json]:
        """What users.json holds."""
        people = (user for user in self._workspace.users.values() if user.id != SLACKBOT)
        return [user_json(self._workspace, user, with_email=self._emails) for user in people]

    def listed(self, kind: str) -> list[Json]:
        """What the list of one kind of conversations holds."""
        return [_channel_json(channel) for channel in self._channels(kind)]

    def _channels(self, kind: str) -> Iterator[Channel]:
        for channel in self._workspace.channels.values():
            if channel.kind == kind and channel.id in self._messages:
                yield channel

    def _integrations(self) -> list[Json]:
        entries = []
        for installation in self._workspace.installations.values():
            entry: Json = {"user_id": installation.bot_user, "user_name": installation.app.name, "date": "1700000000"}
            entry |= {"change_type": "added", "app_type": installation.app.name, "app_id": installation.app.id}
            entries.append(entry | {"scope": ",".join(sorted(installation.token.scopes))})
        return entries

    def _shown(self, channel: Channel, message: Message) -> Json:
        body = message_json(self._workspace, channel, message)
        for key in _NOT_EXPORTED:
            body.pop(key, None)
        if message.reactions:
            body["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()
            ]
        if message.ts in channel.threads:
            replies = list(channel.threads[message.ts])
            body["replies"] = [{"user": reply.user or reply.bot_id, "ts": reply.ts} for reply in replies]
            body["reply_users"] = list(dict.fromkeys(entry["user"] for entry in body["replies"]))
        if "root" in body:
            for key in _NOT_EXPORTED:
                body["root"].pop(key, None)
        if message.user in self._workspace.users and message.subtype not in _WITHOUT_PROFILE:
            body |= self._author(message.user)
        for shown in (body, body.get("root", {})):
            if "files" in shown:
                shown["files"] = [self._linking(file) for file in shown["files"]]
        return body

    def _author(self, user_id: str) -> Json:
        workspace = self._workspace
        user = workspace.users[user_id]
        whole = profile_json(workspace, user, with_email=False)
        profile: Json = {key: whole[key] for key in _PROFILE}
        profile |= {"name": user.name, "is_restricted": user.is_restricted or user.is_ultra_restricted}
        profile |= {"is_ultra_restricted": user.is_ultra_restricted}
        return {"user_team": workspace.id, "source_team": workspace.id, "user_profile": profile}

    def _linking(self, file: Json) -> Json:
        self._linked.add(file["id"])
        return {key: f"{value}?t={self._token}" if _is_link(key, value) else value for key, value in file.items()}


def _is_link(key: str, value: object) -> bool:
    return isinstance(value, str) and (
        key.startswith("url_private") or (key.startswith("thumb_") and value.startswith("http"))
    )


def _channel_json(channel: Channel) -> Json:
    if channel.kind == "im":
        return {"id": channel.id, "created": channel.created, "members": list(channel.members)}
    body: Json = {"id": channel.id, "name": channel.name, "created": channel.created, "creator": channel.creator}
    body["is_archived"] = channel.archived
    if channel.kind == "public":
        body["is_general"] = channel.is_general
    body["members"] = list(channel.members)
    if channel.pins:
        body["pins"] = [_pin_json(channel, ts, pinned) for ts, pinned in channel.pins.items()]
    return body | {"topic": dict(channel.topic), "purpose": dict(channel.purpose)}


def _pin_json(channel: Channel, ts: str, pinned: Json) -> Json:
    owner = channel.messages[ts].user
    pin: Json = {"id": ts, "type": "C", "created": pinned["pinned_ts"], "user": pinned["pinned_by"]}
    return pin | ({"owner": owner} if owner else {})
