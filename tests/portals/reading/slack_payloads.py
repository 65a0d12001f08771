"""Payloads of Slack's for the readers: one message in the form in which events bring it, with fields at will."""

from __future__ import annotations

from typing import Any

from portals.events import Ignored, SlackMessage
from portals.facts import Workspace
from portals.ids import SlackUserId, TeamId
from portals.reading.slack import read

TEAM = TeamId("T024BE7LD")
WORKSPACE = Workspace(TEAM, "Acme", SlackUserId("U0BOT"), SlackUserId("B0BOT"), "A0OURS")
SOURCE = "slack:T024BE7LD/C2147483705/1355517523.000005"
MESSAGE = {
    "type": "message",
    "channel": "C2147483705",
    "user": "U2147483697",
    "text": "Live long and prosper.",
    "ts": "1355517523.000005",
    "event_ts": "1355517523.000005",
    "channel_type": "channel",
}


def payload(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "token": "XXYYZZ",
        "team_id": TEAM,
        "api_app_id": "A0OURS",
        "event": event,
        "type": "event_callback",
        "event_id": "Ev08MFMKH6",
        "event_time": 1355517523,
        **more,
    }


def read_event(event: dict[str, Any], **more: Any) -> Any:
    return read(payload(event, **more), SOURCE, WORKSPACE)


def message(**more: Any) -> SlackMessage:
    """Read the message with these fields beside its own."""
    found = read_event({**MESSAGE, **more})
    assert isinstance(found, SlackMessage), found
    return found


def ignored(event: dict[str, Any]) -> str:
    found = read_event(event)
    assert isinstance(found, Ignored), found
    return found.reason


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in names}
