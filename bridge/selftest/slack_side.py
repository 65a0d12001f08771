"""The channel of a trial: what its speaker in Slack does there, and what the bridge's bot sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.errors import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bridge.slack.client import SlackClient
    from bridge.slack.files import SlackFiles

    Message = dict[str, Any]  # Any: Slack's own JSON

_PAGE = 100
_GONE = frozenset({"message_not_found", "cant_delete_message", "file_deleted", "file_not_found", "cant_delete_file"})


class SlackSide:
    """`reader` is the bridge's app; `speaker` another app, if one is there to speak, for the bridge ignores its own."""

    def __init__(
        self,
        channel: str,
        reader: SlackClient,
        reading: SlackFiles,
        speaker: SlackClient | None = None,
        speaking: SlackFiles | None = None,
    ) -> None:
        self.channel = channel
        self.reader = reader
        self._reading = reading
        self._speaker = speaker
        self._speaking = speaking
        self._came = False
        self._made: list[tuple[str, dict[str, str]]] = []
        """The calls that take back what the speaker said."""

    # --- the speaker

    async def enter(self) -> None:
        """Let the speaker into the channel; raises Refused where the token is of the bridge's own app or no good."""
        own, other = await self.reader.auth(), await self._other().auth()
        if own.team_id != other.team_id:
            raise Refused("other_workspace", f"the token is for {other.team}, not for {own.team}", "Take one of it")
        if other.user_id == own.user_id or (other.bot_id and other.bot_id == own.bot_id):
            remedy = "Make a second app with chat:write, reactions:write and files:write, and take its bot token"
            raise Refused("own_app", "the token is the bridge's own, which it does not listen to", remedy)
        try:
            answer = await self._other().call("conversations.join", channel=self.channel)
        except Refused:
            return  # in a private channel, or without channels:join, somebody has invited it
        self._came = answer.get("warning") != "already_in_channel"

    async def leave(self) -> None:
        """Leave the channel if the trial was why the speaker came."""
        if self._came:
            await self._other().call("conversations.leave", channel=self.channel)
            self._came = False

    async def say(self, text: str, thread_ts: str | None = None) -> str:
        """Post a message and return its ts."""
        answer = await self._other().call("chat.postMessage", channel=self.channel, text=text, thread_ts=thread_ts)
        ts = str(answer["ts"])
        self._made.append(("chat.delete", {"channel": self.channel, "ts": ts}))
        return ts

    async def edit(self, ts: str, text: str) -> str:
        """Change a message."""
        await self._other().update(self.channel, ts, text)
        return ts

    async def react(self, ts: str, name: str) -> str:
        """React to a message."""
        await self._other().react(self.channel, ts, name)
        return ts

    async def delete(self, ts: str) -> str:
        """Delete an own message."""
        await self._other().call("chat.delete", channel=self.channel, ts=ts)
        return ts

    async def share(self, name: str, content: bytes) -> str:
        """Share a file and return its name."""
        assert self._speaking is not None

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        async def known(file: str) -> None:
            self._made.append(("files.delete", {"file": file}))

        await self._speaking.upload(chunks(), filename=name, size=len(content), channel=self.channel, on_file_id=known)
        return name

    async def withdraw(self) -> bool:
        """Take back everything that the speaker said, the newest first; returns whether there was anything."""
        said = bool(self._made)
        while self._made:
            method, args = self._made.pop()
            shares = await self._shares(args["file"]) if "file" in args else None
            await _unless_gone(self._other(), method, args)
            if shares is not None:
                await _unless_gone(self._other(), "chat.delete", {"channel": self.channel, "ts": str(shares["ts"])})
        return said

    async def _shares(self, file: str) -> Message | None:
        """Return the message that shares a file: it stays when the file is gone."""
        return await self.find(lambda message: any(one.get("id") == file for one in message.get("files") or ()))

    def _other(self) -> SlackClient:
        assert self._speaker is not None
        return self._speaker

    # --- what is seen

    async def messages(self, thread_ts: str | None = None) -> list[Message]:
        """Return the newest messages of the channel, newest first, or those of a thread."""
        if thread_ts is None:
            answer = await self.reader.call(
                "conversations.history", channel=self.channel, limit=_PAGE, include_all_metadata=True
            )
        else:
            answer = await self.reader.call(
                "conversations.replies", channel=self.channel, ts=thread_ts, limit=_PAGE, include_all_metadata=True
            )
        found = answer.get("messages")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    async def find(self, holds: Callable[[Message], bool], thread_ts: str | None = None) -> Message | None:
        """Return the first message that a condition holds for."""
        return next((one for one in await self.messages(thread_ts) if holds(one)), None)

    async def file(self, url: str) -> bytes:
        """Return the bytes of a file."""
        async with self._reading.download(url) as found:
            return b"".join([chunk async for chunk in found.chunks])

    async def left(self, mark: str) -> list[Message]:
        """Return what is there of trials, replies before what they answer."""
        found: list[Message] = []
        for message in await self.messages():
            if message.get("reply_count"):
                try:
                    found += [one for one in await self.messages(str(message["ts"])) if one["ts"] != message["ts"]]
                except Refused as refused:
                    if refused.code != "thread_not_found":
                        raise
            found.append(message)
        return [one for one in found if is_of(one, mark)]

    async def clear(self, mark: str) -> int:
        """Delete whatever is left of trials, as whoever may; returns how much it was."""
        left = await self.left(mark)
        for message in left:
            for client in filter(None, (self._speaker, self.reader)):
                for file in message.get("files") or ():
                    await _unless_gone(client, "files.delete", {"file": file["id"]})
                await _unless_gone(client, "chat.delete", {"channel": self.channel, "ts": message["ts"]})
        return len(left)


async def _unless_gone(client: SlackClient, method: str, args: dict[str, str]) -> None:
    try:
        await client.call(method, **args)
    except Refused as refused:
        if refused.code not in _GONE:
            raise


def is_of(message: Message, mark: str) -> bool:
    """Tell whether a message is one of a trial's, by its words or its file."""
    if message.get("subtype") == "tombstone":
        return False
    names = [str(file.get("name")) for file in message.get("files") or () if file.get("mode") != "tombstone"]
    return mark in str(message.get("text")) or any(mark in name for name in names)
