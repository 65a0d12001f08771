"""A file that came after its message was shown without it: the payload that the bridge writes, and its reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portals.events import Ignored, SlackFile, SlackFileCame
from portals.reading.values import mapping, number, text_of, ts_of

if TYPE_CHECKING:
    from portals.events import Json
    from portals.ids import ChannelId, TeamId, Ts

FILE_CAME = "causeway_file_came"
"""The type of event by which a lane hears of it; Slack has none of that name."""


def file_came(team: TeamId, channel: ChannelId, ts: Ts, file: SlackFile) -> dict[str, Any]:
    """Return the payload that tells a lane that a message's file is here by now."""
    described = {"id": file.id, "name": file.name, "mimetype": file.mimetype, "size": file.size}
    event = {"type": FILE_CAME, "channel": channel, "ts": ts, "file": described}
    return {"team_id": team, "event": event}


def read_file_came(event: Json, source: str, channel: ChannelId) -> SlackFileCame | Ignored:
    """Return what such a payload tells."""
    file, ts = mapping(event.get("file")), ts_of(event.get("ts"))
    file_id = text_of(file.get("id"))
    if not (channel and ts and file_id):
        return Ignored("a file without its message")
    came = SlackFile(file_id, text_of(file.get("name")), text_of(file.get("mimetype")), number(file.get("size")), "")
    return SlackFileCame(source, channel, ts, came)
