"""What one message, or a few, would become on the other side, from what their JSON says and without a bridge.

The way is the real one: read, needs, facts, decide. Only the facts come from what the caller knows, and the ledger
lasts as long as the list: an edit, answer, reaction or deletion finds a message that stands before it. What the list
does not say has a name of its own: `TPREVIEW` and `CPREVIEW` for team and channel, `$previewN` for the N-th event shown
(or the N-th Matrix event given, where it has no id), `N.000000` for the message that the N-th call posts. The stamp
that the bridge puts on what it sends is left out. Foreign JSON never raises; a note says why something shows nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from portals.actions import (
    SOURCE,
    STAMP,
    Action,
    AddReaction,
    ChangePins,
    CloseRoom,
    DeleteMessage,
    Note,
    ObeyCommand,
    PostFile,
    PostMessage,
    RedactEvent,
    RemoveReaction,
    SendEvent,
    SendFile,
    SetMembership,
    SetPin,
    SetState,
    SetTopic,
    UpdateMessage,
)
from portals.events import Ignored, MatrixMembership, Undeliverable
from portals.facts import Channel, Direction, Facts, Member, Needs, Person, Portal, PortalState, Workspace
from portals.ids import ChannelId, GhostNames, MatrixUserId, PortalId, RoomId, SlackUserId, TeamId, is_slack_id
from portals.memory import Memory
from portals.permalinks import matrix_address, slack_place
from portals.reading import matrix as matrix_reading
from portals.reading import slack as slack_reading
from portals.relay import to_matrix, to_slack

if TYPE_CHECKING:
    from collections.abc import Iterable

TEAM = TeamId("TPREVIEW")
CHANNEL = ChannelId("CPREVIEW")
ROOM = RoomId("!preview")
DOMAIN = "example.org"

Content = dict[str, Any]  # Any: the JSON of an event, or of a call's arguments


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller can tell: names of Slack's people, which room is which channel, and who is whom.

    A room is given by its id or an alias; a person with a Matrix id of their own is mentioned by it.
    """

    people: Mapping[SlackUserId, Person] = field(default_factory=dict)
    rooms: Mapping[ChannelId, RoomId] = field(default_factory=dict)
    users: Mapping[SlackUserId, MatrixUserId] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown, and a note on everything that shows nothing."""

    shown: list[Content]
    notes: list[str]


def ghost_names(domain: str = DOMAIN) -> GhostNames:
    """Return the names that ghosts and aliases have where the configuration does not say otherwise."""
    return GhostNames(domain, "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")


def preview_to_matrix(given: Sequence[object], known: Known) -> Preview:
    """Return the Matrix events that Slack's messages and events would become."""
    return _ToMatrix(known, _domain(known, ())).preview(given)


def preview_to_slack(given: Sequence[object], known: Known) -> Preview:
    """Return the Slack calls that Matrix events would become."""
    return _ToSlack(known, _domain(known, given)).preview(given)


def _domain(known: Known, given: Iterable[object]) -> str:
    """Return the server on which ghosts live: that of the first Matrix id that is known."""
    senders = [str(item.get("sender")) for item in given if isinstance(item, Mapping)]
    found = (one.partition(":")[2] for one in (*known.users.values(), *known.rooms.values(), *senders))
    return next((domain for domain in found if domain), DOMAIN)


class _Direction(ABC):
    """What both directions share: the portals' memories, and the facts."""

    def __init__(self, known: Known, domain: str) -> None:
        self.known = known
        self.names = ghost_names(domain)
        self.portals: dict[str, tuple[Portal, Memory]] = {}
        self.shown: list[Content] = []
        self.channels = {room: channel for channel, room in known.rooms.items()}
        self.slack_users = {user: slack_user for slack_user, user in known.users.items()}

    def preview(self, given: Sequence[object]) -> Preview:
        notes = []
        for number, item in enumerate(given, 1):
            reason = self.take(item, number) if isinstance(item, Mapping) else "this is no JSON object"
            if reason:
                notes.append(f"message {number} shows nothing: {reason}")
        return Preview(self.shown, notes)

    @abstractmethod
    def take(self, item: Mapping[str, Any], number: int) -> str:
        """Show what one item becomes, or return why it becomes nothing."""

    def portal(self, team: TeamId, channel: ChannelId, room: RoomId) -> tuple[Portal, Memory]:
        portal = Portal(PortalId(len(self.portals)), team, channel, room, Direction.BOTH, PortalState.LIVE)
        return self.portals.setdefault(f"{channel}/{room}", (portal, Memory()))

    def facts(self, needs: Needs, portal: Portal, memory: Memory, members: Mapping[MatrixUserId, Member]) -> Facts:
        people = [self.person(portal.team, user) for user in needs.slack_users]
        for user in needs.matrix_users:
            author = self.slack_users.get(user) or (self.names.slack_author(user) or (None, None))[1]
            if author is not None:
                known = self.person(portal.team, author)
                people.append(Person(author, known.name if known else author, user))
        links, reactions, tails = memory.answer(needs)
        return Facts(
            names=self.names,
            workspace=_workspace(portal.team),
            people={person.user: person for person in people if person is not None},
            members={user: members[user] for user in needs.matrix_users if user in members},
            channels={one: self.channel(one) for one in needs.channels if one in self.known.rooms},
            rooms={room: self.channel(self.channels[room]) for room in needs.rooms if room in self.channels},
            permalinks={link: found for link in needs.links if (found := self._counterpart(link))},
            links=links,
            reactions=reactions,
            tails=tails,
        )

    def _counterpart(self, link: str) -> str:
        """Return where a link of Slack's leads in Matrix: to a room that is known, or a message that stands before."""
        place = slack_place(link)
        room = self.known.rooms.get(place.channel) if place else None
        if place is None or room is None:
            return ""
        if place.ts is None:
            return matrix_address(room, None, self.names.domain)
        _, memory = self.portals.get(f"{place.channel}/{room}", (None, Memory()))
        links, *_ = memory.answer(Needs(messages=frozenset([place.ts])))
        return next((matrix_address(room, one.event_id, self.names.domain) for one in links if not one.deleted), "")

    def person(self, team: TeamId, user: SlackUserId) -> Person | None:
        """Return a person by the files, under their own Matrix id where they have one, else under their ghost's."""
        person, linked = self.known.people.get(user), self.known.users.get(user)
        if person is None and linked is None:
            return None
        ghost = linked or self.names.ghost(team, user)
        name = person.name if person else ghost.partition(":")[0].removeprefix("@")
        return Person(user, name, ghost, is_bot=bool(person and person.is_bot))

    def channel(self, channel: ChannelId) -> Channel:
        room = self.known.rooms[channel]
        name = room.partition(":")[0].removeprefix("#") if room.startswith("#") else ""
        return Channel(channel, name, room)

    def perform(self, actions: Iterable[Action], memory: Memory) -> str:
        """Show each action and remember what it leaves; returns why nothing was shown, or nothing."""
        before = len(self.shown)
        for action in actions:
            said = _said(action)
            if said is not None:
                self.shown.append(said)
            number = len(self.shown)
            result = f"{number}.000000" if isinstance(action, PostMessage | PostFile) else f"$preview{number}"
            memory.record(action.record, result)
        return "" if len(self.shown) > before else "only the bridge's records change"


class _ToMatrix(_Direction):
    """Slack's messages become Matrix events."""

    def take(self, item: Mapping[str, Any], number: int) -> str:
        payload = _payload(item, self._channel())
        team = _team(payload)
        event = slack_reading.read(payload, f"preview:{number}", _workspace(team))
        if isinstance(event, Ignored):
            return event.reason
        channel = slack_reading.channel_of(payload) or CHANNEL
        portal, memory = self.portal(team, channel, self.known.rooms.get(channel, ROOM))
        facts = self.facts(to_matrix.needs(event), portal, memory, {})
        bot = _bot(payload, self.names, team)
        if bot is not None and bot.user not in facts.people:
            facts = replace(facts, people={**facts.people, bot.user: bot})
        decision = to_matrix.decide(event, portal, facts)
        return decision.reason if isinstance(decision, Ignored) else self.perform(decision, memory)

    def _channel(self) -> ChannelId:
        """Return the channel of a message that names none."""
        return next(iter(self.known.rooms)) if len(self.known.rooms) == 1 else CHANNEL


class _ToSlack(_Direction):
    """Matrix events become calls of Slack's methods."""

    def __init__(self, known: Known, domain: str) -> None:
        super().__init__(known, domain)
        self._members: dict[MatrixUserId, Member] = {}

    def take(self, item: Mapping[str, Any], number: int) -> str:
        said = _event(item, self._room(), f"$preview{number}", f"@somebody:{self.names.domain}")
        event = matrix_reading.read(said, f"preview:{number}")
        if isinstance(event, Ignored):
            return event.reason
        if self.names.is_ours(event.sender):
            return "the bridge itself sent this"
        if isinstance(event, MatrixMembership) and event.membership == "join":
            self._members[event.user] = Member(event.user, event.name, event.avatar)
        channel = self.channels.get(event.room, CHANNEL)
        portal, memory = self.portal(TEAM, channel, event.room)
        facts = self.facts(to_slack.needs(event), portal, memory, self._members)
        decision = to_slack.decide(event, portal, facts)
        return decision.reason if isinstance(decision, Ignored | Undeliverable) else self.perform(decision, memory)

    def _room(self) -> RoomId:
        """Return the room of an event that names none."""
        return next(iter(self.channels)) if len(self.channels) == 1 else ROOM


# --- what is given


def _payload(item: Mapping[str, Any], channel: ChannelId) -> Content:
    """Return an item in the form in which Slack delivers events: a bare message lacks much of it."""
    inner = item.get("payload")
    whole = inner if isinstance(inner, Mapping) else item  # an envelope of Socket Mode
    if not isinstance(whole.get("event"), Mapping) and whole.get("type") != "event_callback":
        whole = {"event": whole}
    event = whole.get("event")
    if not isinstance(event, Mapping):
        return dict(whole)
    filled = dict(event)
    if "type" not in filled and "ts" in filled:
        filled["type"] = "message"
    if slack_reading.channel_of({"event": filled}) is None and "channel" not in filled:
        filled["channel"] = channel
    return {**whole, "event": filled}


def _event(item: Mapping[str, Any], room: RoomId, event_id: str, sender: str) -> Content:
    """Return an item as a whole event: the content alone, or an event not yet sent, lacks much of it."""
    event = {"type": "m.room.message", "content": item} if "msgtype" in item and "content" not in item else item
    return {"room_id": room, "event_id": event_id, "sender": sender, **event}


def _team(payload: Mapping[str, Any]) -> TeamId:
    event = payload.get("event")
    inside = event.get("team") if isinstance(event, Mapping) else None
    found = (team for team in (payload.get("team_id"), inside) if isinstance(team, str) and is_slack_id(team))
    return TeamId(next(found, TEAM))


def _bot(payload: Mapping[str, Any], names: GhostNames, team: TeamId) -> Person | None:
    """Return the bot of a message under the name that its profile there gives it, which its ghost would bear."""
    event = payload.get("event")
    if not isinstance(event, Mapping):
        return None
    changed = event.get("message")
    message = changed if isinstance(changed, Mapping) else event
    bot, profile = message.get("bot_id"), message.get("bot_profile")
    name = profile.get("name") if isinstance(profile, Mapping) else None
    if not (isinstance(bot, str) and is_slack_id(bot) and isinstance(name, str) and name):
        return None
    user = SlackUserId(bot)
    return Person(user, name, names.ghost(team, user), is_bot=True)


def _workspace(team: TeamId) -> Workspace:
    return Workspace(team, "", SlackUserId(""), SlackUserId(""), "")


# --- what is shown


def _said(action: Action) -> Content | None:
    """Return an action as an event or a call; None for one that shows nothing."""
    match action:
        case SendEvent():
            return {"type": action.type, "content": _unstamped(action.content)}
        case SendFile():
            content = {**_unstamped(action.content), "url": f"mxc://preview/{action.file_id}"}
            if action.thumbnail:
                content["info"] = {**content["info"], "thumbnail_url": f"mxc://preview/{action.file_id}-thumbnail"}
            return {"type": "m.room.message", "content": content}
        case RedactEvent():
            return {"type": "m.room.redaction", "content": {"redacts": action.event_id}}
        case SetState():
            return {"type": action.type, "state_key": action.state_key, "content": _unstamped(action.content)}
        case ChangePins():
            pinned = list(action.events[:1]) if action.pinned else []
            return {"type": "m.room.pinned_events", "state_key": "", "content": {"pinned": pinned}}
        case CloseRoom():
            content = {"events_default": 50 if action.closed else 0}
            return {"type": "m.room.power_levels", "state_key": "", "content": content}
        case SetMembership():
            membership = "join" if action.joined else "leave"
            return {"type": "m.room.member", "state_key": action.user, "content": {"membership": membership}}
        case Note() | ObeyCommand():
            return None
        case _:
            return _call(action)


def _call(
    action: PostMessage | PostFile | UpdateMessage | DeleteMessage | AddReaction | RemoveReaction | SetPin | SetTopic,
) -> Content:
    match action:
        case PostMessage():
            args = {
                "channel": action.channel,
                "text": action.text,
                "blocks": list(action.blocks),
                "username": action.username,
                "icon_url": action.icon_url,
                "thread_ts": action.thread_ts,
            }
            return _method("chat.postMessage", args)
        case PostFile():
            args = {
                "channel_id": action.channel,
                "files": [{"id": "FPREVIEW", "title": action.name, "filename": action.name}],
                "blocks": list(action.blocks),
                "thread_ts": action.thread_ts,
            }
            return _method("files.completeUploadExternal", args)
        case UpdateMessage():
            blocks = list(action.blocks)
            args = {"channel": action.channel, "ts": action.ts, "text": action.text, "blocks": blocks}
            return _method("chat.update", args)
        case DeleteMessage():
            return _method("chat.delete", {"channel": action.channel, "ts": action.ts})
        case AddReaction() | RemoveReaction():
            method = "reactions.add" if isinstance(action, AddReaction) else "reactions.remove"
            return _method(method, {"channel": action.channel, "timestamp": action.ts, "name": action.name})
        case SetPin():
            method = "pins.add" if action.pinned else "pins.remove"
            return _method(method, {"channel": action.channel, "timestamp": action.ts})
        case SetTopic():
            return _method("conversations.setTopic", {"channel": action.channel, "topic": action.topic})


def _method(method: str, args: Mapping[str, object]) -> Content:
    return {"method": method, "args": {name: value for name, value in args.items() if value}}


def _unstamped(content: Mapping[str, Any]) -> Content:
    own = {name: value for name, value in content.items() if name not in (SOURCE, STAMP)}
    if "m.new_content" in own:
        own["m.new_content"] = _unstamped(own["m.new_content"])
    return own
