"""Needs become facts: from the database, and from the network on a miss, which the database then remembers."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, Later, Refused
from bridge.work.profiles import person_of_bot, person_of_profile, person_of_user
from portals.crossing.policy import Standing
from portals.facts import Channel, Facts, Member, Origin, PortalState, Quoted
from portals.ids import EventId
from portals.reading.matrix import edited_by, latest
from portals.reading.polls import running_poll
from portals.reading.power_levels import may_notify_room, power_of
from portals.reading.slack_files import file_of
from portals.relay import replies
from portals.relay.channel_changes import mentioned
from portals.retry import TROUBLED, is_installation_trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.matrix.client import MatrixClient
    from bridge.slack.installation import Installation
    from bridge.store.bookmarks import BookmarkNotices
    from bridge.store.directory import Directory
    from bridge.store.links import Links
    from bridge.work.eyes import Eyes
    from bridge.work.hands import Hands
    from bridge.work.holding import Holding
    from bridge.work.lookalikes import Lookalikes
    from bridge.work.permalinks import Permalinks
    from bridge.work.puppets import Puppets
    from bridge.work.standings import Standings
    from bridge.work.transfers import Transfers
    from bridge.work.vocabulary import Vocabulary
    from portals.crossing.policies import Policies
    from portals.crossing.policy import Policy
    from portals.events import Json, MatrixMessage, RunningPoll, SlackFile
    from portals.facts import Account, Link, Needs, Person, Portal, ReactionLink, Rules, Workspace
    from portals.ids import ChannelId, GhostNames, MatrixUserId, RoomId, SlackUserId, TeamId, Ts

log = logging.getLogger(__name__)


class Answers:
    """Answers what a decision needs to know."""

    def __init__(
        self,
        *,
        names: GhostNames,
        rules: Rules,
        directory: Directory,
        links: Links,
        matrix: MatrixClient,
        installations: Mapping[TeamId, Installation],
        transfers: Transfers,
        puppets: Puppets,
        vocabulary: Vocabulary,
        permalinks: Permalinks,
        notices: BookmarkNotices,
        policies: Policies,
        standings: Standings,
        lookalikes: Lookalikes,
        hands: Hands,
        holding: Holding,
        eyes: Eyes,
    ) -> None:
        self.names = names
        self._rules = rules
        self._directory = directory
        self._links = links
        self._matrix = matrix
        self._installations = installations
        self._transfers = transfers
        self._puppets = puppets
        self._vocabulary = vocabulary
        self._permalinks = permalinks
        self._notices = notices
        self._policies = policies
        self._standings = standings
        self._lookalikes = lookalikes
        self._hands = hands
        self._holding = holding
        self._eyes = eyes

    async def facts(self, needs: Needs, portal: Portal, workspace: Workspace) -> Facts:
        """Return everything that was asked for and is known; raises Later when the network would know and is busy."""
        if needs.description:
            needs = _with_description(needs, portal)
        links = await self._known_links(needs, portal)
        quoted = await self._quoted(needs.quoted, portal, links) if needs.quoted is not None else None
        reactions: tuple[ReactionLink, ...] = ()
        if needs.reactions:
            events = tuple(needs.events)
            found = await self._links.reactions(portal.id, {link.ts for link in links} | needs.messages, events)
            beside = {reaction.ts for reaction in found} - {link.ts for link in links} - needs.messages
            if beside:
                found = await self._links.reactions(portal.id, {one.ts for one in found}, events)
            reactions = tuple(found)
        policy = self.policy(portal)
        members = await self._members(portal, needs.matrix_users)
        return Facts(
            names=self.names,
            workspace=workspace,
            rules=self._rules,
            policy=policy,
            waiting=await self._holding.facts(portal, policy, needs),
            power=await self._power(portal, needs.speaker, policy),
            standing=await self._standing(portal, needs.author, policy),
            people=await self._people(portal.team, needs),
            accounts=await self._accounts(portal, needs),
            closed=await self._eyes.closed(portal),
            members=members,
            lookalikes=await self._looking_like(portal, needs.speaker, members),
            hand=await self._hands.of(portal.team, needs.speaker, portal.channel),
            channels=await self._channels(portal.team, needs.channels),
            rooms=await self._rooms(portal.team, needs.rooms),
            usergroups=await self._vocabulary.usergroups(portal.team, needs.usergroups),
            emoji=await self._emoji(portal.team, needs.emoji),
            icons=await self._icons(portal.team, needs.icons),
            files=await self._files(portal.team, portal.channel, needs.files),
            pictures=await self._directory.words.emoji_shown(portal.team, needs.pictures),
            permalinks=await self._permalinks.counterparts(needs.links),
            links=tuple(links),
            reactions=reactions,
            quoted=quoted,
            bookmarks=await self._notices.of(portal.id) if needs.bookmarks else None,
            poll=await self._poll(portal, needs.poll) if needs.poll is not None else None,
            may_broadcast=await self._may_broadcast(portal, needs.broadcaster),
            moved_at=await self._moved_at(portal, needs),
            tails=await self._tails(portal, needs.tails),
        )

    async def _accounts(self, portal: Portal, needs: Needs) -> dict[SlackUserId, Account]:
        """Return people's own accounts; in a direct conversation, of those alone who connected theirs."""
        found = await self._puppets.accounts(portal, needs.slack_users, needs.matrix_users)
        if not portal.is_conversation:
            return found
        connected = await self._hands.live(portal.team)
        return {user: account for user, account in found.items() if user in connected}

    def policy(self, portal: Portal) -> Policy:
        """Return what may cross in a portal."""
        return self._policies.of(self._installations[portal.team].name, portal.channel)

    async def _power(self, portal: Portal, speaker: MatrixUserId | None, policy: Policy) -> int | None:
        """Return somebody's power in the room where the policy asks for any; None where the room does not tell."""
        if speaker is None or policy.power_level is None or portal.room is None:
            return None
        try:
            levels = await self._matrix.get_state(portal.room, "m.room.power_levels")
        except Refused as refused:
            log.info("%s: its power levels are not shown to the bridge: %s", portal.room, refused)
            return None
        return power_of(levels or {}, speaker)

    async def _looking_like(
        self, portal: Portal, speaker: MatrixUserId | None, members: Mapping[MatrixUserId, Member]
    ) -> frozenset[SlackUserId]:
        """Return whom of the workspace somebody could be taken for whose name is to be shown in Slack."""
        if speaker is None or speaker not in members:
            return frozenset()
        localpart = speaker.removeprefix("@").partition(":")[0]
        return await self._lookalikes.of(portal.team, members[speaker].name or localpart)

    async def _standing(self, portal: Portal, author: SlackUserId | None, policy: Policy) -> Standing:
        """Return how somebody stands to the workspace, where the policy tells people apart."""
        if author is None or policy.standings == frozenset(Standing):
            return Standing.MEMBER
        return await self._standings.of(portal.team, author)

    async def _may_broadcast(self, portal: Portal, user: MatrixUserId | None) -> bool:
        """Tell whether the room lets somebody notify it; without need of that, nobody is asked."""
        if user is None or portal.room is None or not self._rules.allow_broadcast:
            return False
        try:
            levels = await self._matrix.get_state(portal.room, "m.room.power_levels")
        except Refused as refused:
            log.info("%s: its power levels are not shown to the bridge: %s", portal.room, refused)
            return False
        return may_notify_room(levels or {}, user)

    async def _moved_at(self, portal: Portal, needs: Needs) -> Ts | None:
        if needs.writer is None or portal.state is not PortalState.FROZEN:
            return None
        return await self._links.moved_at(portal.id, needs.writer)

    async def missing_targets(self, needs: Needs, portal: Portal) -> frozenset[str]:
        """Return what the event refers to and is linked on neither side yet."""
        if not needs.targets:
            return needs.targets
        links = await self._known_links(needs, portal)
        known = {str(link.ts) for link in links} | {str(link.event_id) for link in links}
        missing = needs.targets - known
        if missing and needs.reactions:
            found = await self._links.reactions(portal.id, (), needs.events)
            missing -= {str(reaction.event_id) for reaction in found}
        return missing

    async def is_shown(self, portal: Portal, event: Json) -> bool:
        """Tell whether an event of the room is one that shows something of Slack's, or an edit that we made."""
        events, edits = [EventId(event["event_id"])], edited_by(event)
        if edits and any(events[0] in link.shown for link in await self._links.of_events(portal.id, [edits])):
            return True
        origins = [link.origin for link in await self._links.of_events(portal.id, events)]
        origins += [reaction.origin for reaction in await self._links.reactions(portal.id, (), events)]
        return Origin.SLACK in origins

    async def _known_links(self, needs: Needs, portal: Portal) -> list[Link]:
        found = await self._links.of_messages(portal.id, needs.messages) if needs.messages else []
        if needs.events:
            found += await self._links.of_events(portal.id, needs.events)
        if needs.whole and found:
            beside = await self._links.of_messages(portal.id, {link.ts for link in found})
            beside += await self._links.of_events(portal.id, {link.event_id for link in found if link.event_id})
            known = {(link.ts, link.part) for link in found}
            more = {(link.ts, link.part): link for link in beside if (link.ts, link.part) not in known}
            found += [more[name] for name in sorted(more, key=lambda name: (name[0], len(name[1]), name[1]))]
        return found

    async def _tails(self, portal: Portal, threads: Iterable[Ts]) -> dict[Ts, tuple[EventId, EventId]]:
        ends = {thread: await self._links.thread_ends(portal.id, thread) for thread in threads}
        return {thread: found for thread, found in ends.items() if found is not None}

    # --- what a room holds

    async def _quoted(self, message: MatrixMessage, portal: Portal, links: list[Link]) -> Quoted | None:
        """Return what is to be quoted before a message, or before what it edits; its links join the others."""
        answer = message if message.edits is None else await self._message(portal, message.edits)
        if answer is None or answer.reply_to is None:
            return None
        if message.edits is not None:
            links += await self._links.of_events(portal.id, [answer.reply_to])
        is_in_slack = any(link.event_id == answer.reply_to for link in links)
        if not replies.is_quoted(answer, self._rules, is_in_slack=is_in_slack):
            return None
        quoted = await self._message(portal, answer.reply_to)
        if quoted is None:
            return None
        author = self.names.slack_author(quoted.sender)
        if author is not None:
            person = await self.person(portal.team, author[1]) if author[0] == portal.team else None
            return Quoted(quoted, person.name if person else "")
        member = (await self._members(portal, [quoted.sender])).get(quoted.sender)
        return Quoted(quoted, member.name if member else "")

    async def _message(self, portal: Portal, event: EventId) -> MatrixMessage | None:
        """Return a message of the room as it stands now, if the homeserver shows it to the bridge."""
        if portal.room is None:
            return None
        try:
            found = await self._matrix.event(portal.room, event)
        except Refused as refused:
            log.info("%s: an event is not shown to the bridge: %s", portal.room, refused)
            return None
        return latest(found, f"matrix:{event}") if found is not None else None

    async def _poll(self, portal: Portal, poll: EventId) -> RunningPoll | None:
        """Return a poll of the room with its votes, as the homeserver keeps them."""
        if portal.room is None:
            return None
        try:
            start = await self._matrix.event(portal.room, poll)
            if start is None:
                return None
            votes = [event async for event in self._matrix.related(portal.room, poll, "m.reference")]
            levels = await self._matrix.get_state(portal.room, "m.room.power_levels")
        except Refused as refused:
            log.info("%s: a poll is not shown to the bridge: %s", portal.room, refused)
            return None
        return running_poll(start, votes, levels or {})

    # --- people

    async def _people(self, team: TeamId, needs: Needs) -> dict[SlackUserId, Person]:
        told = {one.user: person_of_profile(one, self.names, team) for one in needs.profiles}
        for person in told.values():
            if person.is_bot:
                await self._learn_bot(person, team)
        wanted = set(needs.slack_users)
        for user in needs.matrix_users:
            author = self.names.slack_author(user)
            if author is not None and author[0] == team:
                wanted.add(author[1])
        found = {user: await self.person(team, user) or told.get(user) for user in wanted}
        strangers = [person for user, person in told.items() if person is found.get(user)]
        await self._directory.learn_strangers(team, strangers)
        return {user: person for user, person in found.items() if person is not None}

    async def _learn_bot(self, told: Person, team: TeamId) -> None:
        known = await self._directory.person(team, told.user)
        if known is not None and not told.avatar_url:
            told = replace(told, avatar_url=known.avatar_url)
        if known is None or (known.name, known.avatar_url) != (told.name, told.avatar_url):
            await self._directory.learn_people(team, [told])

    async def person(self, team: TeamId, user: SlackUserId) -> Person | None:
        """Return a Slack person or bot, asking Slack about one who was never met; None for one whom Slack denies."""
        known = await self._directory.person(team, user)
        if known is not None:
            return known
        person = await self.present_person(team, user)
        if person is not None:
            await self._directory.learn_people(team, [person])
        return person

    async def present_person(self, team: TeamId, user: SlackUserId) -> Person | None:
        """Return a person or bot as Slack describes them now; None for one whom Slack denies."""
        client = self._installations[team].client
        try:
            if user.startswith("B"):
                return person_of_bot(await client.bot(user), user, self.names, team)
            return person_of_user(await client.user(user), user, self.names, team)
        except Refused as refused:
            if is_installation_trouble(refused.code) and refused.code != "missing_scope":
                raise Later(str(refused), TROUBLED) from refused
            log.info("%s: Slack tells nothing about %s: %s", team, user, refused)
            return None

    async def _members(self, portal: Portal, users: Iterable[MatrixUserId]) -> dict[MatrixUserId, Member]:
        found: dict[MatrixUserId, Member] = {}
        for user in users:
            if self.names.is_ours(user):
                continue
            known = await self._directory.member(user)
            if known is None:
                known = await self._ask_member(portal, user)
            if known is not None:
                found[user] = known
        return found

    async def _ask_member(self, portal: Portal, user: MatrixUserId) -> Member | None:
        if portal.room is None:
            return None
        try:
            shown = await self._matrix.rooms.member(portal.room, user)
        except Refused:
            return None
        if shown is None:
            return None
        member = Member(user, shown.displayname or "", shown.avatar_url or "")
        await self._directory.learn_member(member)
        return member

    # --- places and pictures

    async def _channels(self, team: TeamId, channels: Iterable[ChannelId]) -> dict[ChannelId, Channel]:
        found: dict[ChannelId, Channel] = {}
        for channel in channels:
            portal = await self._directory.portal_of_channel(team, channel)
            name = portal.name if portal else await self._directory.channel_name(team, channel)
            if name is not None:
                found[channel] = Channel(channel, name, portal.room if portal else None)
        return found

    async def _rooms(self, team: TeamId, rooms: Iterable[RoomId]) -> dict[RoomId, Channel]:
        """Return the channels of those rooms that have one in this workspace; no other can be mentioned in it."""
        found: dict[RoomId, Channel] = {}
        for room in rooms:
            portal = await self._permalinks.portal_at(room)
            if portal is not None and portal.team == team:
                found[room] = Channel(portal.channel, portal.name, portal.room)
        return found

    async def _emoji(self, team: TeamId, names: Iterable[str]) -> dict[str, str]:
        """Return the `mxc:` addresses of custom emoji, which are brought over when they are first used.

        One that is an alias of a standard emoji is that.
        """
        found: dict[str, str] = {}
        for name, shown in (await self._vocabulary.emoji(team, names)).items():
            try:
                found[name] = await self._transfers.picture(team, shown) if shown.startswith("http") else shown
            except Refused as refused:
                log.info("%s: the custom emoji %s was not brought over: %s", team, name, refused)
        return found

    async def _icons(self, team: TeamId, urls: Iterable[str]) -> dict[str, str]:
        """Return where the icons were brought to; one that cannot be had is no reason to hold a message back."""
        found: dict[str, str] = {}
        for url in urls:
            try:
                found[url] = await self._transfers.picture(team, url)
            except BridgeError as error:
                log.info("%s: the icon of a bot was not brought over: %s", team, error)
        return found

    async def _files(self, team: TeamId, channel: ChannelId, files: Iterable[str]) -> dict[str, SlackFile]:
        """Return what `files.info` tells of files that another workspace shared; Slack may deny any of them."""
        found: dict[str, SlackFile] = {}
        for file_id in files:
            try:
                file = file_of(await (await self._eyes.of(team, channel)).client.file(file_id))
            except Refused as refused:
                if is_installation_trouble(refused.code) and refused.code != "missing_scope":
                    raise Later(str(refused), TROUBLED) from refused
                log.info("%s: Slack tells nothing about the file %s: %s", team, file_id, refused)
                continue
            if file is not None:
                found[file_id] = file
        return found


def _with_description(needs: Needs, portal: Portal) -> Needs:
    """Return the needs with those of the portal's topic and purpose, as they are known."""
    more = mentioned(portal.topic, portal.purpose)
    return replace(
        needs,
        slack_users=needs.slack_users | more.slack_users,
        channels=needs.channels | more.channels,
        usergroups=needs.usergroups | more.usergroups,
        links=needs.links | more.links,
    )
