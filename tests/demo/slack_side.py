"""The Slack side as people there see it, and as an app reads it over the Web API."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import aiohttp

Json = dict[str, Any]  # Any: JSON of Slack's


@dataclass(frozen=True, slots=True)
class Said:
    """One message as it stands; `thread` is the ts of its root, `files` are (name, sha256)."""

    ts: str
    author: str
    text: str
    subtype: str
    edited: bool = False
    thread: str | None = None
    broadcast: bool = False
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    files: tuple[tuple[str, str], ...] = ()

    @property
    def is_speech(self) -> bool:
        """Whether somebody says it, rather than Slack about the channel."""
        return self.subtype in ("", "bot_message", "file_share", "me_message", "thread_broadcast")


class SlackSide:
    """Acts as people and reads channels; `channels` is the last view of everything, by channel id."""

    def __init__(self, session: aiohttp.ClientSession, url: str, team: Json) -> None:
        self._session = session
        self._url = url
        self.team = team
        self.channels: dict[str, tuple[Said, ...]] = {}
        self.names: dict[str, str] = {}
        self.topics: dict[str, str] = {}
        self.pins: dict[str, list[str]] = {}
        """By channel id, as the last view of everything has them; pins by their ts."""
        self._announced = -1

    def channel_id(self, name: str) -> str:
        """The id of a channel by the name that it had at the start."""
        found: str = self.team["channels"][name]
        return found

    def user_id(self, name: str) -> str:
        """The id of a person by their handle."""
        found: str = self.team["people"][name]
        return found

    def said(self, channel: str) -> tuple[Said, ...]:
        """What a channel showed last, by the name that it had at the start."""
        return self.channels.get(self.channel_id(channel), ())

    def find(self, channel: str, words: str) -> Said | None:
        """The newest message whose text has these words."""
        return next((one for one in reversed(self.said(channel)) if words in one.text), None)

    def of(self, channel: str, ts: str) -> Said | None:
        """The message with this ts."""
        return next((one for one in self.said(channel) if one.ts == ts), None)

    # --- acting

    async def act(self, person: str, act: str, channel: str, **args: Any) -> str:
        """Have a person do something; returns the ts that it is about."""
        place = self.team["channels"].get(channel, channel)
        answer = await self._control("act", {"as": person, "act": act, "args": {"channel": place, **args}})
        return str(answer.get("ts") or "")

    async def say(self, person: str, channel: str, text: str, **args: Any) -> str:
        """Have a person say something; returns its ts."""
        return await self.act(person, "post", channel, text=text, **args)

    async def upload(
        self, person: str, channel: str, name: str, content: bytes, text: str = "", *, snippet: bool = False
    ) -> str:
        """Have a person share a file; returns the ts of its message."""
        encoded = base64.b64encode(content).decode()
        return await self.act(person, "upload", channel, name=name, content=encoded, text=text, snippet=snippet)

    async def create(self, person: str, channel: str, people: Sequence[str]) -> None:
        """Have a person make a channel with others in it."""
        body = {"as": person, "act": "create", "args": {"channel": channel, "people": list(people)}}
        self.team["channels"][channel] = (await self._control("act", body))["channel"]

    async def say_as_bot(self, channel: str, text: str, username: str, attachments: Sequence[Json] = ()) -> str:
        """Have another app say something."""
        body = {"channel": self.channel_id(channel), "text": text, "username": username}
        return str((await self._control("bot", body | {"attachments": list(attachments)}))["ts"])

    async def refuse_next(self, method: str, error: str) -> None:
        """Have Slack refuse the next call of a method."""
        await self._control("fault", {"method": method, "kind": "error", "error": error})

    # --- watching

    async def look(self) -> None:
        """Take a new view of all channels as soon as anything happened since the last one."""
        answer = await self._control(f"read_all?after={self._announced}", None)
        self._announced = answer["announced"]
        self.channels = {channel["id"]: _transcript(channel["messages"]) for channel in answer["channels"]}
        self.names = {channel["id"]: channel["name"] for channel in answer["channels"]}
        self.topics = {channel["id"]: channel["topic"] for channel in answer["channels"]}
        self.pins = {channel["id"]: channel["pins"] for channel in answer["channels"]}

    async def _control(self, what: str, body: Json | None) -> Json:
        url = f"{self._url}/_sandbox/{what}"
        method = "GET" if body is None else "POST"
        async with self._session.request(method, url, data=None if body is None else orjson.dumps(body)) as answer:
            said: Json = orjson.loads(await answer.read())
        if not said.get("ok"):
            raise RuntimeError(f"the sandbox refused {what} {body}: {said.get('error')}")
        return said

    # --- reading back over the Web API

    async def call(self, method: str, **args: str) -> Json:
        """Call a method with the app's token, waiting when Slack asks for that; raises RuntimeError."""
        headers = {"Authorization": f"Bearer {self.team['bot_token']}"}
        while True:
            async with self._session.post(f"{self._url}/api/{method}", data=args, headers=headers) as answer:
                if answer.status == 429:
                    await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
                    continue
                said: Json = await answer.json()
            if not said.get("ok"):
                raise RuntimeError(f"{method} {args}: {said.get('error')}")
            return said

    async def pages(self, method: str, **args: str) -> AsyncIterator[Json]:
        """Every page of a method."""
        cursor = ""
        while True:
            page = await self.call(method, **args, limit="200", cursor=cursor)
            yield page
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def avatar_of(self, user_id: str) -> str:
        """The digest of a person's avatar."""
        profile = (await self.call("users.info", user=user_id))["user"]["profile"]
        async with self._session.get(profile["image_192"]) as answer:
            return hashlib.sha256(await answer.read()).hexdigest()

    async def redirect(self, address: str) -> str:
        """Where an address leads on, or with which status it does not."""
        async with self._session.get(address, allow_redirects=False) as answer:
            return answer.headers.get("Location", f"{answer.status}")

    async def picture(self, address: str) -> str:
        """What kind of picture anybody, such as Slack's servers, gets there; in words where it is none."""
        async with self._session.get(address) as answer:
            content = await answer.read()
        if answer.ok and content.startswith((b"\x89PNG", b"\xff\xd8")):
            return answer.content_type
        return f"{answer.status} and {len(content)} bytes of {answer.content_type}"

    async def read_back(self, channel_id: str, people: dict[str, str]) -> tuple[Said, ...]:
        """A whole channel, threads included, over the Web API; `people` are names by id."""
        found: dict[str, Json] = {}
        async for page in self.pages("conversations.history", channel=channel_id):
            for message in page["messages"]:
                found[message["ts"]] = message
        for root in [message for message in found.values() if message.get("reply_count")]:
            async for page in self.pages("conversations.replies", channel=channel_id, ts=root["ts"]):
                for message in page["messages"]:
                    found[message["ts"]] = message
        return tuple([await self._read(found[ts], people) for ts in sorted(found)])

    async def _read(self, message: Json, people: dict[str, str]) -> Said:
        files = [(file["name"], await self._digest(file)) for file in message.get("files", ()) if file.get("name")]
        author = message.get("username") or people.get(message.get("user", "")) or message.get("bot_id", "")
        return Said(
            ts=message["ts"],
            author=author,
            text=message["text"],
            subtype=message.get("subtype", ""),
            edited="edited" in message,
            thread=message.get("thread_ts") if message.get("thread_ts") != message["ts"] else None,
            broadcast=message.get("subtype") == "thread_broadcast",
            reactions=tuple(
                (one["name"], tuple(people.get(user, user) for user in one["users"]))
                for one in message.get("reactions", ())
            ),
            files=tuple(files),
        )

    async def _digest(self, file: Json) -> str:
        headers = {"Authorization": f"Bearer {self.team['bot_token']}"}
        async with self._session.get(file["url_private_download"], headers=headers) as answer:
            return hashlib.sha256(await answer.read()).hexdigest()

    async def shown_names(self) -> dict[str, str]:
        """The names of all people, bots and user groups, by id."""
        names: dict[str, str] = {}
        async for page in self.pages("users.list"):
            for user in page["members"]:
                names[user["id"]] = user["profile"].get("display_name") or user["profile"]["real_name"]
        groups = (await self.call("usergroups.list"))["usergroups"]
        return names | {group["id"]: f"@{group['handle']}" for group in groups}


def _transcript(messages: list[Json]) -> tuple[Said, ...]:
    return tuple(
        Said(
            ts=message["ts"],
            author=message["author"],
            text=message["text"],
            subtype=message["subtype"] or "",
            edited=message["edited"],
            thread=messages[message["thread"]]["ts"] if message["thread"] is not None else None,
            broadcast=message["broadcast"],
            reactions=tuple((name, tuple(who)) for name, who in message["reactions"]),
            files=tuple((name, digest) for name, digest in message["files"]),
        )
        for message in messages
    )
