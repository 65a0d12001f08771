"""What the bridge asks of one Slack workspace, in its own words.

Promises: every effect can be asked for twice where Slack allows it (a reaction that is there already is done, a
message that is gone already is deleted); every post carries its key in the message metadata, and `find_stamp` looks
that key up after an unknown outcome, among the app's own messages only. Refuses to retry a post, and to hide an error:
all of them are branches of `bridge.errors`. Fields come back as Slack's own JSON: reading them is `portals.reading`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bridge.errors import Later, Refused, Unsure
from bridge.slack.limits import OUTSIDE_MARKETPLACE
from bridge.slack.refusals import refusal
from bridge.slack.web import SLACK_API, Timeouts, WebApi
from bridge.slack.wire import Fields

if TYPE_CHECKING:
    import aiohttp

    from bridge.slack.limits import Limits

log = logging.getLogger(__name__)

Pages = AsyncIterator[list[Fields]]

STAMP: Final = "causeway_relay"
"""`event_type` of the metadata that carries an action's key."""

READS_STAMPS: Final = "metadata.message:read"
"""The scope without which no stamp is ever found."""

DELETED: Final = "(deleted)"
"""What stands in place of a message that Slack does not let the bot delete."""
_DELETED_BLOCKS: Final = [
    {
        "type": "rich_text",  # Slack does not replace a rich text by anything else (block_mismatch)
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": DELETED, "style": {"italic": True}}],
            }
        ],
    }
]

PAGE: Final = 200
"""Slack's recommended page size."""

PATIENCE: Final = 8
"""How often one page of a long reading is asked for again while Slack says that it is asked too often."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token is, by `auth.test`; `scopes` come from the answer's header."""

    team_id: str
    team: str
    url: str
    user_id: str
    bot_id: str
    enterprise_id: str
    scopes: frozenset[str]


class SlackClient:
    """One workspace by its bot token; `app_token` (connections:write) is needed for Socket Mode alone.

    `name` is the workspace's name in the config. All methods raise Later, Unsure (posting only) or Refused.
    """

    def __init__(
        self,
        name: str,
        bot_token: str,
        *,
        session: aiohttp.ClientSession,
        limits: Limits,
        api_url: str = SLACK_API,
        app_token: str = "",
        timeouts: Timeouts = Timeouts(),  # noqa: B008  frozen
    ) -> None:
        self.name = name
        self._web = WebApi(name, bot_token, session=session, limits=limits, api_url=api_url, timeouts=timeouts)
        self._app = WebApi(name, app_token, session=session, limits=limits, api_url=api_url, timeouts=timeouts)
        self._limits = limits
        self._own: Identity | None = None

    def use(self, bot_token: str) -> None:
        """Act by another bot token from now on."""
        self._web.use(bot_token)

    async def call(self, method: str, /, **args: object) -> Fields:
        """Call any method; arguments that are None are left out, structures are sent as JSON."""
        return await self._web.call(method, **args)

    # what changes something

    async def post(
        self,
        channel: str,
        text: str,
        *,
        key: str,
        blocks: Sequence[Mapping[str, Any]] | None = None,
        username: str | None = None,
        icon_url: str | None = None,
        thread_ts: str | None = None,
        reply_broadcast: bool = False,
        unfurl_links: bool | None = None,
        unfurl_media: bool | None = None,
    ) -> str:
        """Post a message stamped with `key` and return its ts.

        Raises Unsure where it may be there although no answer came: then ask `find_stamp`, never post again blindly.
        Slack cuts text above 40,000 characters off without a word. https://docs.slack.dev/reference/methods/chat.postMessage
        """
        answer = await self.call(
            "chat.postMessage",
            channel=channel,
            text=text,
            blocks=blocks or None,
            username=username or None,
            icon_url=icon_url or None,
            thread_ts=thread_ts,
            reply_broadcast=True if reply_broadcast else None,
            unfurl_links=unfurl_links,
            unfurl_media=unfurl_media,
            metadata={"event_type": STAMP, "event_payload": {"key": key}},
        )
        ts = answer.get("ts")
        if not isinstance(ts, str):
            raise Unsure(f"chat.postMessage: {self.name}: the answer has no ts")
        return ts

    async def update(
        self, channel: str, ts: str, text: str, *, blocks: Sequence[Mapping[str, Any]] | None = None
    ) -> Mapping[str, Any]:
        """Replace an own message and return it as it is now; without `blocks` those it had are removed.

        Above 4,000 characters: msg_too_long.
        """
        answer = await self.call("chat.update", channel=channel, ts=ts, text=text, blocks=blocks or None)
        message = answer.get("message")
        return message if isinstance(message, Mapping) else {}

    async def delete(self, channel: str, ts: str) -> None:
        """Delete an own message; one that Slack does not let go is updated to "(deleted)"."""
        try:
            await self.call("chat.delete", channel=channel, ts=ts)
        except Refused as refused:
            if refused.code == "message_not_found":
                return
            if refused.code != "cant_delete_message":
                raise
            await self._done(
                "message_not_found",
                "chat.update",
                channel=channel,
                ts=ts,
                text=DELETED,
                blocks=_DELETED_BLOCKS,
                attachments=[],
            )

    async def react(self, channel: str, ts: str, name: str) -> None:
        """Put the bot's reaction on a message."""
        await self._done("already_reacted", "reactions.add", channel=channel, timestamp=ts, name=name)

    async def unreact(self, channel: str, ts: str, name: str) -> None:
        """Take the bot's reaction off a message; with the message gone, so is the reaction."""
        codes = ("no_reaction", "message_not_found")
        await self._done(codes, "reactions.remove", channel=channel, timestamp=ts, name=name)

    async def pin(self, channel: str, ts: str) -> None:
        """Pin a message to its channel."""
        await self._done("already_pinned", "pins.add", channel=channel, timestamp=ts)

    async def unpin(self, channel: str, ts: str) -> None:
        """Unpin a message."""
        await self._done(("no_pin", "not_pinned", "message_not_found"), "pins.remove", channel=channel, timestamp=ts)

    async def set_topic(self, channel: str, topic: str) -> None:
        """Set a channel's topic, of at most 250 characters; in an archived channel that is refused."""
        await self.call("conversations.setTopic", channel=channel, topic=topic)

    async def archive(self, channel: str) -> None:
        """Archive a channel that the bot is in; Slack then takes the bot out of it."""
        await self._done("already_archived", "conversations.archive", channel=channel)

    async def unarchive(self, channel: str) -> None:
        """Open an archived channel, which Slack lets no bot do: `not_in_channel`, for an archived one has no bots.

        https://docs.slack.dev/reference/methods/conversations.unarchive
        """
        await self._done("not_archived", "conversations.unarchive", channel=channel)

    async def join(self, channel: str) -> Fields:
        """Make the bot a member of a public channel and return the channel; Slack takes a second time as a success."""
        return _fields(await self.call("conversations.join", channel=channel), "channel")

    async def _done(self, codes: str | tuple[str, ...], method: str, **args: object) -> None:
        try:
            await self.call(method, **args)
        except Refused as refused:
            if refused.code not in ((codes,) if isinstance(codes, str) else codes):
                raise

    # what only looks

    async def find_stamp(
        self, channel: str, key: str, oldest: str, *, thread_ts: str | None = None, file_id: str | None = None
    ) -> str | None:
        """Return the ts of the message that `find_own` finds."""
        found = await self.find_own(channel, key, oldest, thread_ts=thread_ts, file_id=file_id)
        return str(found["ts"]) if found is not None else None

    async def find_own(
        self,
        channel: str,
        key: str,
        oldest: str,
        *,
        thread_ts: str | None = None,
        file_id: str | None = None,
        hand: str | None = None,
    ) -> Fields | None:
        """Return the message that carries `key`, or the file `file_id`, since `oldest` (inclusive): the app's own, or
        one that it posted as the person `hand`.

        `oldest` is Slack's time: leave room for a clock that goes wrong. None means: not there, so it may be posted.
        A message that shares a file carries no metadata, so it is known by the file alone.
        """
        own = self._own or await self.auth()
        if own.scopes and READS_STAMPS not in own.scopes:  # Slack would leave the stamps out without a word
            raise refusal("conversations.history", {"error": "missing_scope", "needed": READS_STAMPS})
        pages = self.replies(channel, thread_ts, oldest) if thread_ts else self.history(channel, oldest)
        try:
            async for page in pages:
                for message in page:
                    if (_is_own(message, own) or (hand is not None and message.get("user") == hand)) and (
                        _stamp(message) == key or (file_id is not None and file_id in _file_ids(message))
                    ):
                        return dict(message)
        except Refused as refused:
            if refused.code != "thread_not_found":
                raise
        return None

    async def history(self, channel: str, oldest: str, latest: str | None = None, limit: int = PAGE) -> Pages:
        """Pages of a channel's messages, newest first, from `oldest` to `latest` inclusive; replies are not in it."""
        async for answer in self.history_answers(channel, oldest, latest, limit):
            yield _list(answer, "messages")

    def history_answers(
        self, channel: str, oldest: str, latest: str | None = None, limit: int = PAGE
    ) -> AsyncIterator[Fields]:
        """The same pages, each with what Slack says beside the messages: `pin_count`, how many are pinned in all."""
        return self._answers(
            "conversations.history",
            channel=channel,
            oldest=oldest,
            latest=latest,
            inclusive=True,
            include_all_metadata=True,
            limit=limit,
        )

    def replies(self, channel: str, thread_ts: str, oldest: str | None = None, limit: int = PAGE) -> Pages:
        """Pages of a thread, oldest first; Slack puts the thread's first message before them whatever `oldest` says."""
        return self._pages(
            "conversations.replies",
            "messages",
            channel=channel,
            ts=thread_ts,
            oldest=oldest,
            inclusive=True if oldest else None,
            include_all_metadata=True,
            limit=limit,
        )

    async def history_page(self, channel: str, *, latest: str, limit: int = PAGE, cursor: str | None = None) -> Fields:
        """One page of a channel's messages before `latest`, newest first, as Slack answers it: for a reading that may
        be interrupted, since a time stays good for ever and a cursor does not."""
        return await self.call(
            "conversations.history",
            channel=channel,
            latest=latest,
            include_all_metadata=True,
            limit=limit,
            cursor=cursor,
        )

    async def replies_page(
        self,
        channel: str,
        thread_ts: str,
        *,
        oldest: str | None,
        latest: str,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Fields:
        """One page of a thread's replies after `oldest` and before `latest`, oldest first, behind its first message."""
        return await self.call(
            "conversations.replies",
            channel=channel,
            ts=thread_ts,
            oldest=oldest,
            latest=latest,
            include_all_metadata=True,
            limit=limit,
            cursor=cursor,
        )

    async def reactions(self, channel: str, ts: str) -> list[Fields]:
        """The reactions of a message with everybody who made them; messages themselves name only some."""
        answer = await self.call("reactions.get", channel=channel, timestamp=ts, full=True)
        return _list(_fields(answer, "message"), "reactions")

    def slow_down(self) -> None:
        """Ask for messages once a minute from now on, as Slack wants it of apps that are sold outside its marketplace.

        https://docs.slack.dev/changelog/2025/05/29/rate-limit-changes-for-non-marketplace-apps
        """
        for method in ("conversations.history", "conversations.replies"):
            self._limits.slow_down(method, OUTSIDE_MARKETPLACE)

    async def auth(self) -> Identity:
        """Who the bot token is, and the scopes that it was granted."""
        answer, headers = await self._web.call_with_headers("auth.test", {})
        scopes = headers.get("X-OAuth-Scopes", "")
        text = {name: str(answer.get(name) or "") for name in ("team_id", "team", "url", "user_id", "bot_id")}
        self._own = Identity(
            **text,
            enterprise_id=str(answer.get("enterprise_id") or ""),
            scopes=frozenset(scope for part in scopes.split(",") if (scope := part.strip())),
        )
        return self._own

    async def team(self) -> Fields:
        """The workspace: name, domain, icons."""
        return _fields(await self.call("team.info"), "team")

    def users(self) -> Pages:
        """Pages of everybody in the workspace, deactivated people and bots included."""
        return self._pages("users.list", "members", limit=PAGE)

    async def user(self, user_id: str) -> Fields:
        """One person."""
        return _fields(await self.call("users.info", user=user_id), "user")

    async def bot(self, bot_id: str) -> Fields:
        """One bot: name, icons, `app_id`."""
        return _fields(await self.call("bots.info", bot=bot_id), "bot")

    def channels(self, types: str = "public_channel,private_channel", *, exclude_archived: bool = True) -> Pages:
        """Pages of the channels that the bot can see."""
        return self._pages("conversations.list", "channels", types=types, exclude_archived=exclude_archived, limit=PAGE)

    async def channel(self, channel: str) -> Fields:
        """One channel."""
        return _fields(await self.call("conversations.info", channel=channel), "channel")

    async def pins(self, channel: str) -> list[Fields]:
        """What is pinned to a channel, newest first: messages, and files of long ago; Slack allows a hundred."""
        return [item for item in _list(await self._patient("pins.list", {"channel": channel}), "items") if item]

    async def bookmarks(self, channel: str) -> list[Fields]:
        """The bookmarks of a channel; Slack allows a hundred."""
        return _list(await self._patient("bookmarks.list", {"channel_id": channel}), "bookmarks")

    def members(self, channel: str) -> AsyncIterator[list[str]]:
        """Pages of the ids of a channel's members."""
        return self._pages("conversations.members", "members", channel=channel, limit=PAGE)

    async def emoji(self) -> dict[str, str]:
        """The workspace's own emoji: name to URL, or to "alias:" and a name."""
        answer = await self._patient("emoji.list", {})
        return {str(name): str(value) for name, value in _fields(answer, "emoji").items()}

    async def usergroups(self) -> list[Fields]:
        """The workspace's user groups, disabled ones included."""
        return _list(await self._patient("usergroups.list", {"include_disabled": True}), "usergroups")

    async def file(self, file_id: str) -> Fields:
        """One file with its `shares`."""
        return _fields(await self.call("files.info", file=file_id), "file")

    async def connections_open(self) -> str:
        """A fresh address for one Socket Mode connection. It holds a ticket: a secret for as long as it is good."""
        return str((await self._app.call("apps.connections.open")).get("url") or "")

    async def _pages(self, method: str, field: str, /, **args: object) -> AsyncIterator[list[Any]]:
        async for answer in self._answers(method, **args):
            yield _list(answer, field)

    async def _answers(self, method: str, /, **args: object) -> AsyncIterator[Fields]:
        cursor: str | None = None
        while True:
            answer = await self._patient(method, {**args, "cursor": cursor})
            yield answer
            cursor = str(_fields(answer, "response_metadata").get("next_cursor") or "")
            if not cursor:
                return

    async def _patient(self, method: str, args: Mapping[str, object]) -> Fields:
        """Read although Slack says "too often": a long reading would otherwise begin again from its first page."""
        for _ in range(PATIENCE):
            try:
                return await self.call(method, **args)
            except Later as later:
                if later.retry_after is None:
                    raise
        return await self.call(method, **args)


def _fields(answer: Mapping[str, Any], name: str) -> Fields:
    value = answer.get(name)
    return value if isinstance(value, dict) else {}


def _list(answer: Mapping[str, Any], name: str) -> list[Any]:
    value = answer.get(name)
    return value if isinstance(value, list) else []


def _stamp(message: Mapping[str, Any]) -> object:
    metadata = _fields(message, "metadata")
    return _fields(metadata, "event_payload").get("key") if metadata.get("event_type") == STAMP else None


def _file_ids(message: Mapping[str, Any]) -> list[object]:
    return [file.get("id") for file in _list(message, "files") if isinstance(file, dict)]


def _is_own(message: Mapping[str, Any], own: Identity) -> bool:
    """A customised message names the bot alone, a shared file its user alone."""
    return message.get("bot_id") == own.bot_id or message.get("user") == own.user_id
