"""A room as the bridge makes it of records, without a homeserver: its events in their order, by the real conversion."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from portals.actions import SendEvent, SendFile
from portals.events import Ignored
from portals.facts import Channel, Direction, Facts, Person, Portal, PortalState, Workspace
from portals.history.digest import rank
from portals.history.evidence import Shown, ShownPart, ShownReaction
from portals.history.expected import Known
from portals.history.shown import Edit, Entered, Reacted, Room, ShownMessage, tells, with_content
from portals.ids import ChannelId, GhostNames, MatrixUserId, PortalId, RoomId, SlackUserId, TeamId, Ts, ts_to_ms
from portals.memory import Memory
from portals.reading import slack as slack_reading
from portals.reading.slack_messages import reactions_of
from portals.reading.values import mapping
from portals.relay import to_matrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portals.actions import Action
    from portals.events import SlackEvent

Json = dict[str, Any]

TEAM, CHANNEL, ROOM = TeamId("T1"), ChannelId("C1"), RoomId("!room:localhost")
NAMES = GhostNames("localhost", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
WORKSPACE = Workspace(TEAM, "Acme", SlackUserId("U0BOT"), SlackUserId("B0BOT"), "A0BOT", "https://acme.slack.com/")
ACCOUNT = MatrixUserId("@carol:localhost")
"""The account that the person U3 has in Matrix."""
NOW = 1_900_000_000_000
"""When reactions come, which have no time in Slack."""
PEOPLE = {
    SlackUserId(user): Person(SlackUserId(user), name, NAMES.ghost(TEAM, SlackUserId(user)))
    for user, name in (("U1", "Ada"), ("U2", "Brian"), ("U3", "Carol"), ("U4", "Dora"))
}


def who(user: str) -> str:
    """Return the Slack id that a Matrix user stands for."""
    if user == ACCOUNT:
        return "U3"
    author = NAMES.slack_author(user)
    return author[1] if author is not None and author[0] == TEAM else ""


def ghost(user: str) -> MatrixUserId:
    """Return the ghost of a Slack person."""
    return NAMES.ghost(TEAM, SlackUserId(user))


def known(**more: Any) -> Known:
    """Return what is known beside the records."""
    return Known(**{"names": NAMES, "workspace": WORKSPACE, "who": who, "people": PEOPLE, **more})


def record(ts: str, user: str = "U1", text: str = "", **more: Any) -> Json:
    """Return a message as an export has it."""
    return {"type": "message", "user": user, "text": text, "ts": ts, **more}


@dataclass
class Mirrored:
    """Shows records in a room; `events` are what `/messages` tells of it, oldest first."""

    room: RoomId = ROOM
    events: list[Json] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    names: dict[str, str] = field(default_factory=dict)
    made: int = 0
    """How many events were ever made."""

    def show(self, records: Iterable[Json]) -> Mirrored:
        """Show records as an import does: each message, the mark of its edit, then its reactions."""
        for one in records:
            edited = mapping(one.get("edited")).get("ts")
            if edited and not self._has(one["ts"]):
                self._read({name: value for name, value in one.items() if name != "edited"}, one["ts"])
                change = {"type": "message", "subtype": "message_changed", "message": one, "event_ts": edited}
                self._read(change, f"{one['ts']}/changed")
            else:
                self._read(one, one.get("ts"))
            for name, user in reactions_of(one):
                self._take(self._reaction(str(one["ts"]), name, user))
        return self

    def pin(self, *messages: str) -> Mirrored:
        """Pin messages by the first event that shows each."""
        events = [self.event_of(ts)["event_id"] for ts in messages]
        self.state("m.room.pinned_events", "", {"pinned": events})
        return self

    def enter(self, *users: str, membership: str = "join") -> Mirrored:
        """Have people come in, or go."""
        for user in users:
            self.state("m.room.member", user, {"membership": membership, "displayname": self.names.get(user, user)})
        return self

    def event_of(self, ts: str, part: str = "") -> Json:
        """Return the event that shows a part of a message, or any of it."""
        for event in self.events:
            source = event["content"].get("dev.causeway.slack", {})
            if source.get("ts") == ts and (not part or source.get("part") == part):
                return event
        raise KeyError(ts)

    def add(self, kind: str, sender: str, content: Json, ts: int, **more: Any) -> Json:
        """Add an event."""
        self.made += 1
        event = {"event_id": f"$e{self.made}", "type": kind, "sender": sender, "content": content, **more}
        event["origin_server_ts"] = ts
        self.events.append(event)
        return event

    def state(self, kind: str, key: str, content: Json) -> Json:
        """Add a state event."""
        return self.add(kind, NAMES.bot, content, NOW, state_key=key)

    def edit(self, event: Json, content: Json, sender: str = "", ts: int = 0) -> Json:
        """Edit an event as its sender."""
        relation = {"rel_type": "m.replace", "event_id": event["event_id"]}
        whole = {"msgtype": "m.text", "body": "* ", "m.new_content": content, "m.relates_to": relation}
        return self.add("m.room.message", sender or event["sender"], whole, ts or event["origin_server_ts"])

    def redact(self, event: Json, at: int = NOW) -> None:
        """Redact an event in its place."""
        event["content"] = {}
        event["unsigned"] = {"redacted_because": {"origin_server_ts": at}}

    def _has(self, ts: str) -> bool:
        return any(event["content"].get("dev.causeway.slack", {}).get("ts") == ts for event in self.events)

    def _read(self, event: Json, name: object) -> None:
        payload = {"team_id": TEAM, "event": {**event, "channel": CHANNEL}, slack_reading.LOOK_BACK: 1}
        self._take(slack_reading.read(payload, f"slack:{name}", WORKSPACE))

    def _take(self, event: SlackEvent | Ignored) -> None:
        if isinstance(event, Ignored):
            return
        portal = Portal(PortalId(1), TEAM, CHANNEL, self.room, Direction.BOTH, PortalState.LIVE)
        needs = to_matrix.needs(event)
        links, reactions, tails = self.memory.answer(needs)
        channels = {one: Channel(one, f"about-{one.lower()}", RoomId("!other:localhost")) for one in needs.channels}
        facts = Facts(
            names=NAMES,
            workspace=WORKSPACE,
            people={user: PEOPLE[user] for user in needs.slack_users if user in PEOPLE},
            channels=channels,
            links=links,
            reactions=reactions,
            tails=tails,
        )
        decision = to_matrix.decide(event, portal, facts)
        if not isinstance(decision, Ignored):
            for action in decision:
                self._perform(action)

    def _perform(self, action: Action) -> None:
        if not isinstance(action, SendEvent | SendFile):
            self.memory.record(action.record, "")
            return
        if action.sender not in self.names:
            self.names[action.sender] = "The bot" if action.sender.startswith("@slack_t1_b") else action.sender
            self.enter(action.sender)
        content = dict(action.content)
        kind = "m.room.message"
        if isinstance(action, SendFile):
            content["url"] = f"mxc://localhost/{action.file_id}"
        else:
            kind = action.type
        event = self.add(kind, action.sender, content, action.ts or NOW)
        self.memory.record(action.record, event["event_id"])

    def _reaction(self, ts: str, name: str, user: str) -> SlackEvent | Ignored:
        item = {"type": "message", "channel": CHANNEL, "ts": ts}
        event = {"type": "reaction_added", "user": user, "reaction": name, "item": item}
        return slack_reading.read({"team_id": TEAM, "event": event}, f"reaction:{ts}/{name}/{user}", WORKSPACE)


def file(file_id: str, name: str = "plan.pdf", size: int = 10, **more: Any) -> Json:
    """Return a file object."""
    url = f"https://files.slack.com/{file_id}/{name}"
    return {"id": file_id, "name": name, "mimetype": "application/pdf", "size": size, "url_private": url, **more}


def at(ts: str) -> int:
    """Return the time of a message in ms."""
    return ts_to_ms(ts)  # type: ignore[arg-type]


def shown(events: Iterable[Json], hands: Mapping[str, str] | None = None) -> list[Shown]:
    """Return what events show of each message, as the reader of rooms gathers it."""
    room = Room(TEAM, CHANNEL, NAMES, who, hands=hands or {})
    parts: dict[str, tuple[str, ShownPart]] = {}
    reactions: list[tuple[str, ShownReaction]] = []
    names: dict[str, str] = {}
    for position, event in enumerate(events):
        match told := tells(event, position, room):
            case ShownMessage():
                named = replace(told.part, name=told.part.name or names.get(told.part.sender, ""))
                parts[told.part.event_id] = (told.ts, named)
            case Edit() if told.target in parts:
                ts, part = parts[told.target]
                now = with_content(part, ts, told.content, who)
                parts[told.target] = (ts, replace(now, edited=told.time, name=now.name or part.name))
            case Reacted():
                reactions.append((told.target, told.reaction))
            case Entered():
                names[told.user] = told.name
    found: dict[str, list[ShownPart]] = {}
    for ts, part in parts.values():
        root = parts.get(part.root)
        found.setdefault(ts, []).append(replace(part, thread=root[0] if root else ""))
    beside: dict[str, list[ShownReaction]] = {}
    for target, reaction in reactions:
        if target in parts:
            beside.setdefault(parts[target][0], []).append(reaction)
    return [
        Shown(Ts(ts), tuple(some), tuple(beside.get(ts, ())))
        for ts, some in sorted(found.items(), key=lambda one: rank(one[0]))
    ]
