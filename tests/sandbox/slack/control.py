"""The control API under /_sandbox/: act as a person, read a channel, arm a fault, from a shell on the same machine.

No part of Slack. Only answers to the loopback interface.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.faults import Kind
from tests.sandbox.slack.people import bot_message

if TYPE_CHECKING:
    from tests.sandbox.exports.from_sandbox import Kind as ExportKind
    from tests.sandbox.slack.people import Person
    from tests.sandbox.slack.server import SlackSandbox
    from tests.sandbox.slack.state import Channel, Json, Message
    from tests.sandbox.slack.workspace import Workspace


class Control:
    """Answers the control API."""

    def __init__(self, sandbox: SlackSandbox) -> None:
        self._sandbox = sandbox

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        if not _is_loopback(request.remote) or "Origin" in request.headers:
            return web.Response(status=403, text="only from this machine")
        what = request.path.removeprefix("/_sandbox/")
        try:
            values: Json = dict(request.query)
            if request.method == "POST":
                values |= orjson.loads(await request.read() or b"{}")
            status, body = 200, await self._perform(what, values)
        except SlackRefusal as refusal:
            status, body = 409, refusal.answer()
        except (KeyError, ValueError, TypeError, FileExistsError, binascii.Error) as error:
            status, body = 400, {"ok": False, "error": f"{type(error).__name__}: {error}"}
        return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")

    async def _perform(self, what: str, values: Json) -> Json:
        if what == "info":
            return self.info()
        if what == "act":
            workspace = self._sandbox.team(values.get("team", ""))
            return _act(workspace, workspace.person(values["as"]), values["act"], values.get("args", {}))
        if what == "read":
            workspace = self._sandbox.team(values.get("team", ""))
            entries = workspace.transcript(values["channel"])[-int(values.get("limit", 20)) :]
            return {"ok": True, "messages": [asdict(entry) for entry in entries]}
        if what == "read_all":
            delivery, workspace = self._sandbox.delivery, self._sandbox.team(values.get("team", ""))
            await delivery.until_more(int(values.get("after", -1)))
            channels = [_channel(workspace, channel) for channel in workspace.channels.values()]
            return {"ok": True, "announced": delivery.announced, "channels": channels}
        if what == "bot":
            workspace = self._sandbox.team(values.get("team", ""))
            cards = values.get("attachments", ())
            said = bot_message(
                workspace, values["channel"], values["text"], username=values["username"], attachments=cards
            )
            return {"ok": True, "ts": said.ts}
        if what == "export":
            workspace = self._sandbox.team(values.get("team", ""))
            return _export(workspace, Path(values["path"]), values.get("kind", "standard"))
        if what == "expire_exports":
            self._sandbox.team(values.get("team", "")).export_tokens.clear()
            return {"ok": True}
        if what == "calls":
            return {"ok": True, "counts": dict(self._sandbox.calls.counts)}
        if what == "fault":
            return await self._fault(values)
        if what == "request_url":
            await self._sandbox.set_request_url(self._sandbox.team(values.get("team", "")), values["url"])
            return {"ok": True}
        raise KeyError(what)

    def info(self) -> Json:
        """Where it is and how to get in: URLs, tokens, people and channels of each team."""
        teams = [_team_info(workspace) for workspace in self._sandbox.teams.values()]
        return {"ok": True, "url": self._sandbox.url, "api_url": self._sandbox.api_url, "teams": teams}

    async def _fault(self, values: Json) -> Json:
        faults, sockets = self._sandbox.faults, self._sandbox.sockets
        if "outage" in values:
            if values["outage"]:
                await self._sandbox.begin_outage()
            else:
                self._sandbox.end_outage()
        elif "sockets" in values:
            word = values["sockets"]
            if word == "kill":
                await sockets.kill()
            elif word == "silence":
                sockets.silence()
            else:
                await sockets.disconnect(word)
        elif "envelopes" in values:
            faults.delayed_envelopes.extend(float(delay) for delay in values["envelopes"].get("delayed", ()))
            faults.duplicated_envelopes += int(values["envelopes"].get("duplicated", 0))
            faults.lost_envelopes += int(values["envelopes"].get("lost", 0))
        elif "revoke" in values:
            token = self._sandbox.team(values.get("team", "")).installation.token
            self._sandbox.revoke(token, values["revoke"])
        elif "remove_scope" in values:
            self._sandbox.team(values.get("team", "")).installation.token.scopes.discard(values["remove_scope"])
        else:
            times, seconds = int(values.get("times", 1)), float(values.get("seconds", 1))
            faults.next_calls(values["method"], Kind(values["kind"]), times, seconds, values.get("error", ""))
        return {"ok": True}


def _export(workspace: Workspace, path: Path, kind: ExportKind) -> Json:
    from tests.sandbox.exports.from_sandbox import export_of  # it imports this package

    export = export_of(workspace, path, kind)
    return {"ok": True, "path": str(export.path), "token": export.token}


def _is_loopback(remote: str | None) -> bool:
    try:
        return ipaddress.ip_address(remote or "").is_loopback
    except ValueError:
        return False


def _team_info(workspace: Workspace) -> Json:
    installation = workspace.installation
    people = {user.name: user.id for user in workspace.users.values() if not user.is_bot and user.email}
    return {
        "id": workspace.id,
        "name": workspace.team.name,
        "domain": workspace.team.domain,
        "bot_token": installation.token.value,
        "app_token": installation.app.app_token,
        "signing_secret": installation.app.signing_secret,
        "app_id": installation.app.id,
        "bot_user": installation.bot_user,
        "bot_id": installation.bot_id,
        "channels": {channel.name: channel.id for channel in workspace.channels.values() if channel.name},
        "people": people,
    }


def _channel(workspace: Workspace, channel: Channel) -> Json:
    messages = [asdict(entry) for entry in workspace.transcript(channel.id)]
    shown = {"id": channel.id, "name": channel.name, "topic": channel.topic["value"], "pins": list(channel.pins)}
    return shown | {"messages": messages}


def _moment(workspace: Workspace, channel: str, ts: str) -> str:
    if ts != "last":
        return ts
    return workspace.transcript(channel)[-1].ts


def _act(workspace: Workspace, person: Person, act: str, args: dict[str, Any]) -> Json:
    channel = args["channel"]
    if act == "create":
        return {"ok": True, "channel": person.create(channel, members=args.get("people", ())).id}
    ts = _moment(workspace, channel, args["ts"]) if "ts" in args else ""
    text = args.get("text", "")
    said: Message | None = None
    if act == "post":
        thread_ts = _moment(workspace, channel, args["thread_ts"]) if "thread_ts" in args else None
        said = person.post(channel, text, thread_ts=thread_ts, broadcast=bool(args.get("broadcast")))
    elif act == "upload":
        content = base64.b64decode(args["content"], validate=True)
        thread_ts, snippet = args.get("thread_ts"), bool(args.get("snippet"))
        said = person.upload(channel, args["name"], content, text=text, thread_ts=thread_ts, snippet=snippet)
    elif act == "system":
        said = person.act(channel, args["subtype"], text)
    elif act == "edit":
        said = person.edit(channel, ts, text)
    elif act in _ON_MESSAGE:
        _ON_MESSAGE[act](person, channel, ts)
    elif act == "react":
        person.react(channel, ts, args["name"])
    elif act == "unreact":
        person.unreact(channel, ts, args["name"])
    elif act == "invite":
        person.invite(channel, *args["people"])
    elif act in _WITH_TEXT:
        _WITH_TEXT[act](person, channel, text)
    elif act in _ON_CHANNEL:
        _ON_CHANNEL[act](person, channel)
    else:
        raise KeyError(act)
    return {"ok": True, "ts": said.ts if said else ts}


_ON_MESSAGE = {
    "delete": lambda person, channel, ts: person.delete(channel, ts),
    "pin": lambda person, channel, ts: person.pin(channel, ts),
    "unpin": lambda person, channel, ts: person.unpin(channel, ts),
    "unfurl": lambda person, channel, ts: person.unfurl(channel, ts),
}
_WITH_TEXT = {
    "topic": lambda person, channel, text: person.set_topic(channel, text),
    "purpose": lambda person, channel, text: person.set_purpose(channel, text),
    "rename": lambda person, channel, text: person.rename(channel, text),
    "me": lambda person, channel, text: person.me(channel, text),
}
_ON_CHANNEL = {
    "join": lambda person, channel: person.join(channel),
    "leave": lambda person, channel: person.leave(channel),
    "archive": lambda person, channel: person.archive(channel),
    "unarchive": lambda person, channel: person.unarchive(channel),
    "typing": lambda person, channel: person.typing(channel),
}
