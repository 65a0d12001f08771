"""Identifiers of both worlds, and the names that the bridge derives from them.

Two ids of different worlds never share a type. Everything here is deterministic: the same Slack person has the same
ghost, the same channel the same alias and the same action the same key, in every process and after every restart.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import NewType

TeamId = NewType("TeamId", str)
ChannelId = NewType("ChannelId", str)
SlackUserId = NewType("SlackUserId", str)
"""A person (`U…`, `W…`) or a bot (`B…`) of Slack: whoever can be the author of a message."""
Ts = NewType("Ts", str)
"""Slack's message time stamp with all its digits, e.g. `1355517523.000005`: the name of a message in its channel."""
NO_TS = Ts("")
"""No time at all: it sorts before every other."""
AFTER_ALL = Ts("9999999999.999999")
"""A time behind those of all messages."""
RoomId = NewType("RoomId", str)
EventId = NewType("EventId", str)
MatrixUserId = NewType("MatrixUserId", str)
PortalId = NewType("PortalId", int)
ActionKey = NewType("ActionKey", str)
"""The name of one action: its Matrix transaction id and its stamp in Slack's message metadata."""

_SLACK_ID = re.compile(r"[A-Z0-9]{2,32}")
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")


def is_slack_id(text: str) -> bool:
    """Tell whether the text has the form of a Slack id; anything else is kept out of ghost names and queues."""
    return _SLACK_ID.fullmatch(text) is not None


def is_ts(text: str) -> bool:
    """Tell whether the text has the form of a Slack time stamp."""
    return _TS.fullmatch(text) is not None


def ts_to_ms(ts: Ts) -> int:
    """Return the message's time in whole milliseconds since the epoch, as Matrix's `ts` parameter wants it."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1000 + int((fraction + "000")[:3])


def next_ts(ts: Ts) -> Ts:
    """Return the first time behind a message's, in the microseconds that Slack counts in."""
    seconds, _, fraction = ts.partition(".")
    after = int(seconds) * 1_000_000 + int((fraction + "000000")[:6]) + 1
    return Ts(f"{after // 1_000_000}.{after % 1_000_000:06d}")


def channel_queue(team: TeamId, channel: ChannelId) -> str:
    """Return the name of the queue that holds what happens in a Slack channel."""
    return f"{team}/{channel}"


_PAST = "history"
"""Slack's ids have no lower case; an alias has nothing else, and takes no other sign than letters and digits here."""


def past_of(channel: ChannelId) -> ChannelId:
    """Return the name under which the past of a channel has a portal of its own, beside that of the channel."""
    return ChannelId(f"{channel}{_PAST}")


def present_of(channel: ChannelId) -> ChannelId:
    """Return the channel itself, be it given by the name of its past."""
    return ChannelId(channel.removesuffix(_PAST))


def action_key(*parts: str | int) -> ActionKey:
    """Return the opaque name of an action; it tells a reader of Slack's metadata nothing about its parts."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return ActionKey("cw" + base64.b32encode(digest[:15]).decode().lower())


@dataclass(frozen=True, slots=True)
class GhostNames:
    """The names of ghosts and aliases on one homeserver, after the templates of the configuration.

    `ghost_template` holds `{team}` and `{user}`, `alias_template` holds `{team}` and `{channel}`. Slack's ids are upper
    case letters and digits; a Matrix localpart is lower case, so folding the case loses nothing.
    """

    domain: str
    bot_localpart: str
    ghost_template: str
    alias_template: str
    bot: MatrixUserId = field(init=False, repr=False, compare=False)
    """The bridge bot's user id."""
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        escaped = re.escape(self.ghost_template)
        pattern = escaped.replace(r"\{team\}", "(?P<team>[a-z0-9]+)").replace(r"\{user\}", "(?P<user>[a-z0-9]+)")
        object.__setattr__(self, "bot", MatrixUserId(f"@{self.bot_localpart}:{self.domain}"))
        object.__setattr__(self, "_pattern", re.compile(f"@{pattern}:{re.escape(self.domain)}"))

    def ghost(self, team: TeamId, user: SlackUserId) -> MatrixUserId:
        """Return the user id of the ghost that stands for a Slack author."""
        localpart = self.ghost_template.format(team=team, user=user).lower()
        return MatrixUserId(f"@{localpart}:{self.domain}")

    def slack_author(self, user: str) -> tuple[TeamId, SlackUserId] | None:
        """Return whom a ghost stands for, or None when the user id is not a ghost of ours."""
        found = self._pattern.fullmatch(user)
        if found is None:
            return None
        return TeamId(found["team"].upper()), SlackUserId(found["user"].upper())

    def is_ours(self, user: str) -> bool:
        """Tell whether only the bridge itself can have acted as this user: its bot or one of its ghosts."""
        return user == self.bot or self._pattern.fullmatch(user) is not None

    def alias_localpart(self, team: TeamId, channel: ChannelId) -> str:
        """Return the localpart of the alias that a mirrored channel's room has, without `#` and server name."""
        return self.alias_template.format(team=team, channel=channel).lower()

    def space_alias_localpart(self, team: TeamId) -> str:
        """Return the localpart of the alias of a workspace's Space."""
        return self.alias_template.format(team=team, channel="space").lower()
