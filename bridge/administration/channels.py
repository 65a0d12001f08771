"""Which channel an admin means: by its id or name, as Slack has it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.administration.store import like
from bridge.errors import Declined, Refused
from bridge.work.roster import seen
from portals.ids import ChannelId, is_slack_id

if TYPE_CHECKING:
    from bridge.slack.client import SlackClient
    from bridge.store.directory import Directory
    from portals.ids import TeamId
    from portals.policy import SeenChannel

_NOT_SEEN = "channel_not_found"


async def find_channel(client: SlackClient, directory: Directory, team: TeamId, wanted: str) -> SeenChannel:
    """Return a channel in which the bot may take part; raises Declined with what to do where there is none."""
    channel = await _by_id(client, wanted) if is_slack_id(wanted) else await _by_name(client, directory, team, wanted)
    await directory.learn_channels(team, [(channel.id, channel.name)])
    if channel.archived:
        raise Declined("archived", f"#{channel.name} is archived in Slack: unarchive it there first")
    if channel.private and not channel.member:
        raise Declined("not_invited", _invite(f"the bot is not in the private channel #{channel.name}", channel.name))
    return channel


async def _by_id(client: SlackClient, wanted: str) -> SeenChannel:
    channel = await _seen(client, ChannelId(wanted))
    if channel is None:
        raise Declined(
            "not_found",
            _invite(f"Slack shows the bot no channel with the id {wanted}: check it; if the channel is private", ""),
        )
    return channel


async def _by_name(client: SlackClient, directory: Directory, team: TeamId, wanted: str) -> SeenChannel:
    """Find a channel by the name that the store knows, where it still bears it, else among all that Slack shows."""
    name = wanted.removeprefix("#").lower()
    known = await directory.channel_named(team, name)
    channel = await _seen(client, known) if known is not None else None
    if channel is not None and channel.name == name:
        return channel
    names: list[str] = []
    async for page in client.channels(exclude_archived=False):
        for found in map(seen, page):
            if found is not None and found.name == name:
                return await _seen(client, found.id) or found
            names += [found.name] if found is not None and not found.archived else []
    meant = like(name, names) or "."
    words = f"Slack shows the bot no channel #{name}{meant} If the channel is private"
    raise Declined("not_found", _invite(words, name))


async def _seen(client: SlackClient, channel: ChannelId) -> SeenChannel | None:
    try:
        return seen(await client.channel(channel))
    except Refused as refused:
        if refused.code != _NOT_SEEN:
            raise
        return None


def _invite(words: str, name: str) -> str:
    where = f"in #{name}" if name else "in it"
    return f"{words}, invite the bot first, by writing /invite and its name {where}"
