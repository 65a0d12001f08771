"""Addresses of messages and places in both worlds, read and written; which message one names is looked up elsewhere.

Only what has exactly the form of such an address is read: a Slack link of any workspace or of none (the web client's, a
redirect by ids, an organisation's), a matrix.to or `matrix:` link of any room. Ids are quoted when they are written, so
that no id can lead an address elsewhere.
https://spec.matrix.org/latest/appendices/#matrixto-navigation, https://docs.slack.dev/reference/methods/chat.getPermalink
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from portals.ids import NO_TS, ChannelId, EventId, TeamId, Ts, is_ts
from portals.text.matrix_links import link_to, target_of

_SLACK = re.compile(
    r"https://((?i:(?:[a-z0-9.-]{1,100}\.)?slack\.com))/archives/([A-Z0-9]{2,32})(?:/(p[0-9]{1,24}))?/?(?:[?#]\S*)?"
)
_CLIENT = re.compile(
    r"https://(?i:app\.slack\.com)/client/([A-Z0-9]{2,32})/([A-Z0-9]{2,32})"
    r"(?:/(p[0-9]{1,24})|/thread/[A-Z0-9]{2,32}-([0-9]{1,12}\.[0-9]{1,9}))?/?(?:[?#]\S*)?"
)
_REDIRECT = re.compile(r"https://(?i:(?:[a-z0-9.-]{1,100}\.)?slack\.com)/app_redirect/?\?(\S{1,300})")
_SHARED_HOST = re.compile(r"https://(?:(?:app|www)\.|[a-z0-9-]+\.enterprise\.)?slack\.com/")
"""The addresses at which channels of several workspaces are found."""
_NO_TEAM = TeamId("")
_ID = re.compile(r"[A-Z0-9]{2,32}")
_MESSAGE = re.compile(r"p([0-9]{4,12})([0-9]{6})")


@dataclass(frozen=True, slots=True)
class SlackPlace:
    """What a Slack link points to: a message of a channel, or the channel where `ts` is None.

    `workspace` is the address of the workspace as `auth.test` states it, `https://acme.slack.com/`; `team` is its id.
    Either may be empty. At a `shared` address the channel may be of a workspace that has another one.
    """

    workspace: str
    channel: ChannelId
    ts: Ts | None
    team: TeamId = _NO_TEAM

    @property
    def shared(self) -> bool:
        """Whether only the channel's id tells the workspace, if it has no such address."""
        return not self.team and (not self.workspace or _SHARED_HOST.fullmatch(self.workspace) is not None)


@dataclass(frozen=True, slots=True)
class MatrixPlace:
    """What a Matrix link points to: an event of a room, or the room where `event` is None; `room` may be an alias."""

    room: str
    event: EventId | None


def slack_place(url: str) -> SlackPlace | None:
    """Return what a link to a message or channel of Slack points to; None for any other address."""
    if found := _SLACK.fullmatch(url):
        ts = message_ts(found[3]) if found[3] else None
        return None if found[3] and ts is None else SlackPlace(f"https://{found[1].lower()}/", ChannelId(found[2]), ts)
    if found := _CLIENT.fullmatch(url):
        ts = message_ts(found[3]) if found[3] else Ts(found[4]) if found[4] else None
        return None if found[3] and ts is None else SlackPlace("", ChannelId(found[2]), ts, _team(found[1]))
    if found := _REDIRECT.fullmatch(url):
        said = dict(parse_qsl(found[1].partition("#")[0]))
        channel, at = said.get("channel", ""), said.get("message_ts", NO_TS)
        if not _ID.fullmatch(channel) or (at and not is_ts(at)):
            return None
        return SlackPlace("", ChannelId(channel), Ts(at) if at else None, _team(said.get("team", "")))
    return None


def _team(identity: str) -> TeamId:
    """Return a workspace's id; the id of an organisation (`E…`) tells no workspace."""
    return TeamId(identity) if identity.startswith("T") and _ID.fullmatch(identity) else _NO_TEAM


def matrix_place(url: str) -> MatrixPlace | None:
    """Return what a link to an event or room of Matrix points to; None for any other address, a person's included."""
    room, event = target_of(url) or ("", "")
    if not room.startswith(("!", "#")) or (event and not event.startswith("$")):
        return None
    return MatrixPlace(room, EventId(event) if event else None)


def message_ts(name: str) -> Ts | None:
    """Return the time stamp that the last part of a Slack link names: `p1700000000000100` is `1700000000.000100`."""
    found = _MESSAGE.fullmatch(name)
    return Ts(f"{found[1]}.{found[2]}") if found else None


def slack_address(workspace: str, channel: ChannelId, ts: Ts | None = None, thread_ts: Ts | None = None) -> str:
    """Return Slack's link to a message of a channel, inside its thread where it is a reply, or to the channel."""
    address = f"{workspace.rstrip('/')}/archives/{channel}"
    if ts is None:
        return address
    address += f"/p{ts.replace('.', '')}"
    return f"{address}?thread_ts={thread_ts}&cid={channel}" if thread_ts and thread_ts != ts else address


def matrix_address(room: str, event: EventId | None, via: str) -> str:
    """Return the matrix.to link to an event of a room or to the room, which can be found through the server `via`."""
    place = f"/{quote(event, safe='$:')}" if event else ""
    return f"{link_to(room)}{place}?via={quote(via, safe=':')}"
