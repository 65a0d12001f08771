"""A person with a Matrix client, as far as a test needs one; works the same on Synapse and on an instant homeserver."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from tests.sandbox.homeserver.timeline import Line, timeline_of
from tests.sandbox.homeserver.transport import Json, RequestRefused, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CLIENT = "/_matrix/client/v3/"
_transactions = count(time.time_ns())


class NotSeen(AssertionError):
    """What a test waited for did not come; the text shows what was there instead."""


class Person:
    """Acts as `user_id`; every method that sends returns the event id."""

    def __init__(self, transport: Transport, user_id: str, token: str) -> None:
        self.user_id = user_id
        self.token = token
        self._transport = transport

    def __repr__(self) -> str:
        return f"Person({self.user_id})"

    @classmethod
    async def login(cls, transport: Transport, name: str, password: str) -> Self:
        """A new session of a registered person."""
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": name},
            "password": password,
        }
        answer = await transport.request("POST", CLIENT + "login", body=body)
        assert isinstance(answer, dict)
        return cls(transport, answer["user_id"], answer["access_token"])

    # Any request

    async def get(self, *parts: str, **query: str) -> Json:
        return await self._ask("GET", _path(parts), query)

    async def post(self, *parts: str, **body: Any) -> Json:
        return await self._ask("POST", _path(parts), {}, body)

    async def put(self, *parts: str, **body: Any) -> Json:
        return await self._ask("PUT", _path(parts), {}, body)

    # Rooms

    async def create_room(self, **settings: Any) -> str:
        room: str = (await self.post("createRoom", **settings))["room_id"]
        return room

    async def join(self, room: str) -> str:
        """Join by id or alias and return the id."""
        joined: str = (await self.post("join", room))["room_id"]
        return joined

    async def leave(self, room: str) -> None:
        await self.post("rooms", room, "leave")

    async def invite(self, room: str, user_id: str) -> None:
        await self.post("rooms", room, "invite", user_id=user_id)

    async def kick(self, room: str, user_id: str, reason: str = "") -> None:
        await self.post("rooms", room, "kick", user_id=user_id, reason=reason)

    async def resolve(self, alias: str) -> str:
        room: str = (await self.get("directory", "room", alias))["room_id"]
        return room

    async def set_state(self, room: str, kind: str, content: Json, key: str = "") -> str:
        return _event(await self.put("rooms", room, "state", kind, key, **content))

    async def state(self, room: str, kind: str, key: str = "") -> Json | None:
        """The content of a state event, None where the room has none."""
        try:
            return await self.get("rooms", room, "state", kind, key)
        except RequestRefused as refused:
            if refused.status == 404:
                return None
            raise

    async def members(self, room: str) -> dict[str, str | None]:
        """Who is in the room, and under which name."""
        joined = (await self.get("rooms", room, "joined_members"))["joined"]
        return {user_id: member.get("display_name") for user_id, member in joined.items()}

    async def rooms(self) -> list[str]:
        joined: list[str] = (await self.get("joined_rooms"))["joined_rooms"]
        return joined

    # Messages

    async def send(self, room: str, content: Json, kind: str = "m.room.message", *, transaction: str = "") -> str:
        transaction = transaction or str(next(_transactions))
        return _event(await self.put("rooms", room, "send", kind, transaction, **content))

    async def say(self, room: str, text: str, html: str | None = None) -> str:
        return await self.send(room, message(text, html))

    async def edit(self, room: str, event_id: str, text: str, html: str | None = None) -> str:
        content = message(f"* {text}", f"* {html}" if html else None)
        content["m.new_content"] = message(text, html)
        content["m.relates_to"] = {"rel_type": "m.replace", "event_id": event_id}
        return await self.send(room, content)

    async def redact(self, room: str, event_id: str, reason: str | None = None) -> str:
        body = {"reason": reason} if reason else {}
        return _event(await self.put("rooms", room, "redact", event_id, str(next(_transactions)), **body))

    async def react(self, room: str, event_id: str, key: str) -> str:
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self.send(room, {"m.relates_to": relation}, "m.reaction")

    async def reply(self, room: str, event_id: str, text: str) -> str:
        relation = {"m.in_reply_to": {"event_id": event_id}}
        return await self.send(room, {**message(text), "m.relates_to": relation})

    async def thread(self, room: str, root: str, text: str, *, last: str | None = None) -> str:
        """A message in the thread of `root`, as clients send it: with a reply to the `last` one as a fallback."""
        relation = {
            "rel_type": "m.thread",
            "event_id": root,
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": last or root},
        }
        return await self.send(room, {**message(text), "m.relates_to": relation})

    async def upload(self, data: bytes, mimetype: str, filename: str = "file") -> str:
        """Store a file and return its mxc address."""
        path = f"/_matrix/media/v3/upload?filename={quote(filename)}"
        answer = await self._transport.request("POST", path, token=self.token, body=data, content_type=mimetype)
        assert isinstance(answer, dict)
        address: str = answer["content_uri"]
        return address

    async def send_file(self, room: str, data: bytes, filename: str, mimetype: str, caption: str = "") -> str:
        family = mimetype.partition("/")[0]
        content = {
            "msgtype": f"m.{family}" if family in {"image", "audio", "video"} else "m.file",
            "body": caption or filename,
            "filename": filename,
            "url": await self.upload(data, mimetype, filename),
            "info": {"size": len(data), "mimetype": mimetype},
        }
        return await self.send(room, content)

    async def download(self, address: str) -> bytes:
        path = f"/_matrix/client/v1/media/download/{address.removeprefix('mxc://')}"
        data = await self._transport.request("GET", path, token=self.token)
        return data if isinstance(data, bytes) else b""

    async def typing(self, room: str, *, on: bool = True, milliseconds: int = 30_000) -> None:
        body = {"typing": True, "timeout": milliseconds} if on else {"typing": False}
        await self.put("rooms", room, "typing", self.user_id, **body)

    async def read(self, room: str, event_id: str) -> None:
        await self.post("rooms", room, "receipt", "m.read", event_id)

    # Oneself

    async def set_name(self, name: str) -> None:
        await self.put("profile", self.user_id, "displayname", displayname=name)

    async def set_avatar(self, address: str) -> None:
        await self.put("profile", self.user_id, "avatar_url", avatar_url=address)

    async def profile(self, user_id: str) -> Json:
        return await self.get("profile", user_id)

    # Reading back

    async def events(self, room: str) -> list[Json]:
        """Every event of the room that this person may see, oldest first."""
        found: list[Json] = []
        page = {"dir": "f", "limit": "1000"}
        while True:
            answer = await self.get("rooms", room, "messages", **page)
            found += answer["chunk"]
            if not answer["chunk"] or "end" not in answer:
                return found
            page["from"] = answer["end"]

    async def timeline(self, room: str) -> tuple[Line, ...]:
        return timeline_of(await self.events(room))

    async def sync(self, since: str | None = None, *, milliseconds: int = 0) -> Json:
        query = {"timeout": str(milliseconds)} | ({"since": since} if since else {})
        return await self.get("sync", **query)

    async def invites(self) -> list[str]:
        """The rooms that this person is invited to."""
        return list((await self.sync()).get("rooms", {}).get("invite", {}))

    async def until(self, room: str, seen: Callable[[Sequence[Line]], bool], seconds: float = 20) -> tuple[Line, ...]:
        """Wait until the timeline is as the test wants it, and return it; raises NotSeen with what was there."""
        deadline = time.monotonic() + seconds
        since: str | None = None
        while True:
            since = (await self.sync(since, milliseconds=1000 if since else 0))["next_batch"]
            lines = await self.timeline(room)
            if seen(lines):
                return lines
            if time.monotonic() > deadline:
                raise NotSeen("after {} s the room shows\n{}".format(seconds, "\n".join(map(str, lines))))

    async def _ask(self, method: str, path: str, query: dict[str, str], body: Json | None = None) -> Json:
        answer = await self._transport.request(method, path, token=self.token, query=query, body=body)
        assert isinstance(answer, dict), "a homeserver answers with JSON"
        return answer


def message(text: str, html: str | None = None, msgtype: str = "m.text") -> Json:
    content: Json = {"msgtype": msgtype, "body": text}
    if html is not None:
        content |= {"format": "org.matrix.custom.html", "formatted_body": html}
    return content


def _path(parts: tuple[str, ...]) -> str:
    return CLIENT + "/".join(quote(part, safe="") for part in parts)


def _event(answer: Json) -> str:
    event_id: str = answer["event_id"]
    return event_id
