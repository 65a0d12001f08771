"""A portal and what is known about it, for decisions: one channel, one room, a few people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from portals.events import Ignored, SlackEvent
from portals.facts import (
    Direction,
    Facts,
    Link,
    Member,
    Origin,
    Person,
    Portal,
    PortalState,
    ReactionLink,
    Rules,
    Workspace,
)
from portals.ids import ChannelId, EventId, GhostNames, MatrixUserId, PortalId, RoomId, SlackUserId, TeamId, Ts
from portals.reading import matrix, slack

TEAM = TeamId("T1")
CHANNEL = ChannelId("C1")
ROOM = RoomId("!room:example.org")
NAMES = GhostNames("example.org", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
PORTAL = Portal(PortalId(1), TEAM, CHANNEL, ROOM, Direction.BOTH, PortalState.LIVE, "general", "old topic")
WORKSPACE = Workspace(TEAM, "Acme", SlackUserId("UBOT"), SlackUserId("BBOT"), "A1")
ALICE = SlackUserId("UALICE")
ADA = MatrixUserId("@ada:example.org")


def ghost(user: str) -> MatrixUserId:
    return NAMES.ghost(TEAM, SlackUserId(user))


FACTS = Facts(
    names=NAMES,
    workspace=WORKSPACE,
    people={ALICE: Person(ALICE, "Alice", ghost(ALICE))},
    members={ADA: Member(ADA, "Ada Lovelace", "mxc://example.org/ada")},
)


def facts(*links: Link, reactions: tuple[ReactionLink, ...] = (), **more: Any) -> Facts:
    return replace(FACTS, links=links, reactions=reactions, **more)


def rules(**given: Any) -> Rules:
    return replace(Rules(), **given)


def link(ts: str, event_id: str, **more: Any) -> Link:
    given: dict[str, Any] = {"part": "", "origin": Origin.SLACK, "sender": ghost(ALICE)} | more
    return Link(ts=Ts(ts), event_id=EventId(event_id), **given)


def from_ada(ts: str, event_id: str, **more: Any) -> Link:
    return link(ts, event_id, origin=Origin.MATRIX, sender=ADA, **more)


def reaction(ts: str, emoji: str, person: str, event_id: str, origin: Origin) -> ReactionLink:
    return ReactionLink(Ts(ts), emoji, person, EventId(event_id), origin)


def said_in_slack(seen: int | None = None, source: str = "s", **event: Any) -> SlackEvent:
    """Read an event of Slack's in the channel, of a type `message` by Alice unless it says otherwise."""
    full = {"type": "message", "channel": CHANNEL, "user": ALICE} | event
    payload: dict[str, Any] = {"team_id": TEAM, "event": full} | ({slack.LOOK_BACK: seen} if seen else {})
    read = slack.read(payload, source, WORKSPACE)
    assert not isinstance(read, Ignored), read
    return read


def said_in_matrix(content: dict[str, Any], kind: str = "m.room.message", **event: Any) -> Any:
    """Read an event of the room by Ada."""
    full = {"type": kind, "room_id": ROOM, "event_id": "$new", "sender": ADA, "content": content} | event
    read = matrix.read(full, "matrix:$new")
    assert not isinstance(read, Ignored), read
    return read
