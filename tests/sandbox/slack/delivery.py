"""From an announcement to the apps that may have it: subscription, scope, membership, wrapper, transport.

```
act -> Announcement -> may this app see it? -> event_callback wrapper -> Parcel -> sockets or signed HTTP
```
A parcel is tried until it is acknowledged, at Slack's times, and is lost after the last retry.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.sandbox.slack.faults import Faults
    from tests.sandbox.slack.reality import DeliveryTimes
    from tests.sandbox.slack.state import App, Channel, Installation, Json, Token
    from tests.sandbox.slack.workspace import Announcement, Workspace

_HISTORY = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}
# event type: (scope, must the bot be a member). `message`, and what depends on the channel's kind, is decided below.
_RULES = {
    "reaction_added": ("reactions:read", True),
    "reaction_removed": ("reactions:read", True),
    "pin_added": ("pins:read", True),
    "pin_removed": ("pins:read", True),
    "file_shared": ("files:read", True),
    "file_deleted": ("files:read", False),
    "file_change": ("files:read", False),
    "channel_created": ("channels:read", False),
    "channel_rename": ("channels:read", False),
    "channel_archive": ("channels:read", False),
    "channel_unarchive": ("channels:read", False),
    "channel_deleted": ("channels:read", False),
    "group_deleted": ("groups:read", True),
    "group_rename": ("groups:read", True),
    "group_archive": ("groups:read", True),
    "group_unarchive": ("groups:read", True),
    "channel_id_changed": ("groups:read", True),
    "user_change": ("users:read", False),
    "team_join": ("users:read", False),
    "emoji_changed": ("emoji:read", False),
    "subteam_created": ("usergroups:read", False),
    "subteam_updated": ("usergroups:read", False),
    "team_rename": ("team:read", False),
    "app_uninstalled": ("", False),
    "tokens_revoked": ("", False),
}


def subscription_of(event: Json, channel: Channel | None) -> str:
    """The name under which an app subscribes to an event."""
    if event["type"] == "message" and channel is not None:
        return {"public": "message.channels", "private": "message.groups"}.get(channel.kind, f"message.{channel.kind}")
    return str(event["type"])


def may_receive(installation: Installation, announcement: Announcement) -> bool:
    """Whether Slack would send this event to this app on behalf of its bot."""
    event, channel = announcement.event, announcement.channel
    kind = event["type"]
    if announcement.only_app not in (None, installation.app.id):
        return False
    if installation.token.state != "live" and kind not in ("tokens_revoked", "app_uninstalled"):
        return False
    if announcement.for_removed is not None:
        return announcement.for_removed == installation.bot_user and kind in installation.app.subscriptions
    if kind == "user_typing":  # played on request only; no subscription of that name exists
        return channel is not None and installation.bot_user in channel.members
    if subscription_of(event, channel) not in installation.app.subscriptions:
        return False
    scope, as_member = _RULES.get(kind, ("", False))
    if kind == "message" and channel is not None:
        scope, as_member = f"{_HISTORY[channel.kind]}:history", True
    elif kind in ("member_joined_channel", "member_left_channel") and channel is not None:
        scope, as_member = f"{_HISTORY[channel.kind]}:read", True
    if scope and scope not in installation.token.scopes:
        return False
    return not as_member or channel is None or installation.bot_user in channel.members


def on_behalf_of(installation: Installation, announcement: Announcement, tokens: Iterable[Token]) -> str | None:
    """For whom of those who agreed to it Slack would send this event to this app: it names one of them."""
    event, channel, app = announcement.event, announcement.channel, installation.app
    if channel is None or subscription_of(event, channel) not in app.user_subscriptions:
        return None
    if event["type"] == "message":
        scope = f"{_HISTORY[channel.kind]}:history"
    else:
        scope, _ = _RULES.get(event["type"], ("", False))
    for token in tokens:
        is_theirs = (token.kind, token.app, token.team_id, token.state) == ("user", app, installation.team_id, "live")
        if is_theirs and scope in token.scopes and token.user_id in channel.members:
            return token.user_id
    return None


@dataclass(slots=True, eq=False)
class Parcel:
    """One event on its way to one app; `body` is the wrapper as JSON, the same in every attempt."""

    app: App
    team_id: str
    event_id: str
    event_type: str
    body: bytes
    attempt: int = 0
    reason: str = ""
    settled: bool = False
    envelope_ids: list[str] = field(default_factory=list)


class Transport(Protocol):
    """Takes parcels to an app."""

    def send(self, parcel: Parcel) -> None:
        """Starts an attempt; reports by `Delivery.done` or `Delivery.failed`."""


class Delivery:
    """Decides who gets what, and remembers what is open, done and lost."""

    def __init__(
        self,
        times: DeliveryTimes,
        faults: Faults,
        later: Callable[[float, Callable[[], None]], None],
        tokens: Mapping[str, Token],
    ) -> None:
        self._tokens = tokens
        self.times = times
        self.muted = True
        self.sockets: Transport | None = None
        self.http: Transport | None = None
        self.open: dict[str, Parcel] = {}
        self.lost: list[Parcel] = []
        self.done_count = 0
        self.announced = 0
        self._news: asyncio.Event | None = None
        self._faults = faults
        self._later = later
        self._sent_at: dict[tuple[str, str], deque[float]] = {}
        self._limited_minute: dict[tuple[str, str], int] = {}

    def announce(self, announcement: Announcement) -> None:
        """Sends an event to every app that may have it."""
        if self.muted:
            return
        self.announced += 1
        if self._news is not None:
            self._news.set()
            self._news = None
        for installation in announcement.workspace.installations.values():
            if may_receive(installation, announcement):
                self._wrap_and_send(installation, announcement, installation.bot_user)
            elif (person := on_behalf_of(installation, announcement, self._tokens.values())) is not None:
                self._wrap_and_send(installation, announcement, person)

    async def until_more(self, announced: int, seconds: float = 20.0) -> None:
        """Waits until more than so much was announced, though not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.announced <= announced:
                    self._news = self._news or asyncio.Event()
                    await self._news.wait()

    def _wrap_and_send(self, installation: Installation, announcement: Announcement, for_whom: str) -> None:
        """Sends an event once to an app, however many of its authorizations let it see that."""
        workspace, app = announcement.workspace, installation.app
        if self._faults.lost_envelopes:
            self._faults.lost_envelopes -= 1
            return
        if app.socket_mode is False and self._is_over_rate(workspace, app):
            return
        event = _with_metadata(installation, announcement)
        event_id = workspace.mint.make("Ev")
        channel = announcement.channel
        wrapper: Json = {
            "token": app.verification_token,
            "team_id": workspace.id,
            "context_team_id": workspace.id,
            "context_enterprise_id": None,
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": workspace.id,
                    "user_id": for_whom,
                    "is_bot": for_whom == installation.bot_user,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": f"4-{event['type']}-{workspace.id}-{channel.id if channel else app.id}",
        }
        parcel = Parcel(app, workspace.id, event_id, event["type"], orjson.dumps(wrapper))
        self.open[event_id] = parcel
        self._send(parcel)

    def _send(self, parcel: Parcel) -> None:
        transport = self.sockets if parcel.app.socket_mode else self.http
        if transport is not None and not parcel.settled:
            transport.send(parcel)

    def done(self, parcel: Parcel) -> None:
        """The app acknowledged it."""
        if not parcel.settled:
            parcel.settled = True
            self.open.pop(parcel.event_id, None)
            self.done_count += 1

    def failed(self, parcel: Parcel, reason: str, retry: bool = True) -> None:
        """An attempt failed; the next one follows at its time, or the event is lost."""
        if parcel.settled:
            return
        wait = self.times.retry_wait(parcel.attempt + 1) if retry else None
        if wait is None:
            parcel.settled = True
            self.open.pop(parcel.event_id, None)
            self.lost.append(parcel)
            return
        parcel.attempt += 1
        parcel.reason = reason
        attempt = parcel.attempt
        self._later(wait, lambda: self._retry(parcel, attempt))

    def _retry(self, parcel: Parcel, attempt: int) -> None:
        if parcel.attempt == attempt:
            self._send(parcel)

    def retry_waiting(self, app: App) -> None:
        """Sends at once what waits for a retry: where `backlog` is `on_connect`."""
        for parcel in list(self.open.values()):
            if parcel.app is app and parcel.attempt and not parcel.envelope_ids:
                self._send(parcel)

    def _is_over_rate(self, workspace: Workspace, app: App) -> bool:
        """Counts deliveries of an hour; above the limit one `app_rate_limited` a minute goes out instead."""
        key, now = (workspace.id, app.id), time.time()
        sent = self._sent_at.setdefault(key, deque())
        hour = 3600 * self.times.scale
        while sent and sent[0] < now - hour:
            sent.popleft()
        if len(sent) < self.times.per_hour:
            sent.append(now)
            return False
        minute = int(now // 60) * 60
        if self._limited_minute.get(key) != minute:
            self._limited_minute[key] = minute
            body: Json = {"token": app.verification_token, "type": "app_rate_limited", "team_id": workspace.id}
            body |= {"minute_rate_limited": minute, "api_app_id": app.id}
            notice = Parcel(app, workspace.id, f"rate-{minute}", "app_rate_limited", orjson.dumps(body))
            self.open[notice.event_id] = notice
            self._send(notice)
        return True


def _with_metadata(installation: Installation, announcement: Announcement) -> Json:
    """The event with as much of its messages' metadata as this app may see in events."""
    event = announcement.event
    answer = announcement.workspace.reality.metadata_in_events
    if not announcement.carried or answer == "none" or "metadata.message:read" not in installation.token.scopes:
        return event
    event = dict(event)
    for where, metadata in announcement.carried:
        event_type = metadata["event_type"]
        whole = answer == "full" or event_type in installation.app.metadata_subscriptions
        shown = metadata if whole else {"event_type": event_type}
        if where:
            event[where] = {**event[where], "metadata": shown}
        else:
            event["metadata"] = shown
    return event
