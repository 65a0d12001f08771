"""The roster: who and what is in a workspace, read at every start, and the portals that follow from it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import orjson

from bridge.errors import Refused
from bridge.store.ledger import TO_MATRIX, Arrival
from bridge.work.profiles import people_of
from portals.facts import PortalState, Workspace
from portals.ids import ChannelId, SlackUserId, TeamId, channel_queue, is_slack_id
from portals.policy import SeenChannel, wish
from portals.reading.repeats import REPEATED
from portals.reading.slack import address, is_direct, told_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bridge.slack.client import Identity, SlackClient
    from bridge.slack.installation import Installation
    from bridge.store.directory import Directory
    from bridge.store.ledger import Ledger
    from bridge.work.conversations import Conversations
    from bridge.work.renumbering import Renumbering
    from bridge.work.vocabulary import Vocabulary
    from portals.events import Json
    from portals.facts import Portal
    from portals.ids import GhostNames
    from portals.policy import Mapped, Patterns

log = logging.getLogger(__name__)


class Roster:
    """Knows the workspaces' channels and people, and decides with `portals.policy` which channels are bridged."""

    def __init__(
        self,
        *,
        names: GhostNames,
        mapping: Sequence[Mapped],
        patterns: Patterns,
        directory: Directory,
        vocabulary: Vocabulary,
        ledger: Ledger,
        installations: Mapping[TeamId, Installation],
        renumbering: Renumbering,
        conversations: Conversations,
        wake: Callable[[str, str], None],
    ) -> None:
        self._names = names
        self._mapping = mapping
        self._patterns = patterns
        self._directory = directory
        self._vocabulary = vocabulary
        self._ledger = ledger
        self._installations = installations
        self._renumbering = renumbering
        self._conversations = conversations
        self._wake = wake
        self._unwanted: set[ChannelId] = set()

    async def identify(self, client: SlackClient) -> Workspace:
        """Return the workspace that a bot token is for, as Slack knows it, and remember it."""
        identity = await client.auth()
        app = ""
        if identity.bot_id:
            try:
                app = str((await client.bot(identity.bot_id)).get("app_id") or "")
            except Refused as refused:
                log.warning(
                    "%s: the app's id stays unknown, own messages are known by their bot: %s", client.name, refused
                )
        workspace = workspace_of(identity, client.name, app)
        await self._directory.learn_workspace(workspace)
        return workspace

    async def read(self, team: TeamId) -> None:
        """Read channels, people, emoji and user groups of a workspace; open portals, notice what changed."""
        await self._read_channels(team)
        await self.read_people(team)
        await self._vocabulary.read(team)

    async def read_people(self, team: TeamId) -> None:
        """Read everybody in a workspace: a call for two hundred of them."""
        async for page in self._installations[team].client.users():
            await self._directory.learn_people(team, people_of(page, self._names, team))

    async def read_again(self, team: TeamId) -> None:
        """Read what may have changed unheard, and is not looked up when it is met: channels, emoji, user groups."""
        await self._read_channels(team)
        await self._vocabulary.read(team)

    async def _read_channels(self, team: TeamId) -> None:
        """Read the channels; notice what changed of those that have a portal, and open portals for others."""
        self._unwanted.clear()
        listed: set[ChannelId] = set()
        async for page in self._installations[team].client.channels():
            for found in page:
                channel = seen(found)
                if channel is not None:
                    await self._take_up(team, channel)
                    listed |= {channel.id} if channel.member else set()
        await self._look_for_missing(team, listed)

    async def consider(self, team: TeamId, channel: ChannelId, payload: Json) -> Portal | None:
        """Return the portal that a channel without one is to have by the configuration, if any.

        A portal that an admin removed stays away, whatever the configuration says, until an admin adds it again. A
        direct conversation, which its `payload` says to be one, is to have one as its people agreed.
        """
        if is_direct(payload):
            return await self._conversations.consider(team, channel, told_for(payload))
        if (now := await self._renumbering.now(team, channel)) is not None:
            return await self._directory.portal_of_channel(team, now)
        if channel in self._unwanted:
            return None
        try:
            found = seen(await self._installations[team].client.channel(channel))
        except Refused as refused:
            log.info("%s/%s: not bridged: %s", team, channel, refused)
            found = None
        portal = await self._take_up(team, found) if found is not None else None
        if portal is None:
            self._unwanted.add(channel)
        return portal

    async def look_again(self, portal: Portal) -> list[dict[str, Any]]:
        """Ask Slack about a portal's channel; returns what is not known of it, as the events that tell of it."""
        found = seen(await self._installations[portal.team].client.channel(portal.channel))
        return _changes(portal, found) if found is not None else []

    async def _take_up(self, team: TeamId, channel: SeenChannel) -> Portal | None:
        await self._directory.learn_channels(team, [(channel.id, channel.name)])
        portal = await self._directory.portal_of_channel(team, channel.id)
        if portal is None and await self._renumbering.is_known_otherwise(team, channel):
            portal = await self._directory.portal_of_channel(team, channel.id)
        if portal is not None and portal.state is PortalState.REMOVED:
            return None
        if portal is not None:
            await self._notice_changes(portal, channel)
            return portal
        wanted = wish(self._installations[team].name, channel, self._mapping, self._patterns)
        if wanted is None:
            return None
        portal = await self._directory.add_portal(
            team,
            channel.id,
            name=channel.name,
            topic=channel.topic,
            purpose=channel.purpose,
            private=channel.private,
            direction=wanted.direction,
            target=wanted.target,
        )
        log.info("%s/%s: #%s becomes a portal", team, channel.id, channel.name)
        self._wake(TO_MATRIX, channel_queue(team, channel.id))
        return portal

    async def _notice_changes(self, portal: Portal, channel: SeenChannel) -> None:
        """Have the portal's lane ask about a channel of which something changed unheard.

        What was read here is no longer sure: since then it may have changed again, and the lane have heard of that.
        """
        if changes := _changes(portal, channel):
            await self._admit(portal, changes[0], doubtful=True)

    async def _look_for_missing(self, team: TeamId, listed: set[ChannelId]) -> None:
        """Ask for the channels of portals that the list leaves out, a call for each.

        They are archived, or the bot is in them no more. Those of which this is known are not asked for.
        """
        client = self._installations[team].client
        after = 0
        while portals := await self._directory.portals(after):
            after = portals[-1].id
            for portal in portals:
                known = portal.archived or portal.trouble or portal.state is not PortalState.LIVE
                known = known or portal.is_conversation
                if portal.team != team or portal.channel in listed or known:
                    continue
                try:
                    found = seen(await client.channel(portal.channel))
                except Refused as refused:
                    log.warning("%s/%s: #%s is not to be seen: %s", team, portal.channel, portal.name, refused)
                    if refused.code != "channel_not_found":
                        continue
                    found = None
                if found is not None:
                    await self._notice_changes(portal, found)
                if found is None or not (found.member or found.archived):
                    await self._admit(portal, {"type": "channel_left", "channel": portal.channel})

    async def _admit(self, portal: Portal, event: Mapping[str, Any], *, doubtful: bool = False) -> None:
        """Admit an event as Slack would have delivered it, or, if it is doubtful, would have repeated it.

        Should it come twice, the second changes nothing.
        """
        payload: dict[str, object] = {"team_id": portal.team, "event": event, "event_id": f"roster:{time.time_ns()}"}
        if doubtful:
            payload[REPEATED] = 1
        found = address(payload, portal.team)
        assert found is not None
        await self._ledger.admit([Arrival(TO_MATRIX, found.queue, found.source_key, orjson.dumps(payload).decode())])
        self._wake(TO_MATRIX, found.queue)


def workspace_of(identity: Identity, name: str, app: str = "") -> Workspace:
    """Return the workspace that a bot token is for; without its app, the bridge's messages are known by their bot."""
    return Workspace(
        team=TeamId(identity.team_id),
        name=identity.team or name,
        bot_user=SlackUserId(identity.user_id),
        bot=SlackUserId(identity.bot_id),
        app=app,
        url=identity.url,
    )


def _changes(portal: Portal, channel: SeenChannel) -> list[dict[str, Any]]:
    said = {"type": "message", "channel": channel.id}
    kind = "channel_convert_to_private" if channel.private else "channel_convert_to_public"
    changes: tuple[tuple[bool, dict[str, Any]], ...] = (
        (channel.name != portal.name, {"type": "channel_rename", "channel": {"id": channel.id, "name": channel.name}}),
        (channel.topic != portal.topic, {**said, "subtype": "channel_topic", "topic": channel.topic}),
        (channel.purpose != portal.purpose, {**said, "subtype": "channel_purpose", "purpose": channel.purpose}),
        (channel.private != portal.private, {**said, "subtype": kind}),
        (channel.archived and not portal.archived, {"type": "channel_archive", "channel": channel.id}),
        (portal.archived and not channel.archived, {"type": "channel_unarchive", "channel": channel.id}),
    )
    return [event for is_new, event in changes if is_new]


def seen(channel: Any) -> SeenChannel | None:  # Any: foreign JSON
    """Return a channel object of Slack's as the policy sees it; None for what is none, and for direct messages."""
    if not isinstance(channel, dict) or not is_slack_id(str(channel.get("id") or "")) or not channel.get("name"):
        return None
    return SeenChannel(
        id=ChannelId(channel["id"]),
        name=str(channel["name"]),
        topic=_value(channel.get("topic")),
        purpose=_value(channel.get("purpose")),
        private=channel.get("is_private") is True,
        archived=channel.get("is_archived") is True,
        member=channel.get("is_member") is True,
    )


def _value(text: Any) -> str:  # Any: foreign JSON
    return str(text.get("value") or "") if isinstance(text, dict) else ""
