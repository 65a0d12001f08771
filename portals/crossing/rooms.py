"""What a policy asks of a room itself: who may be in it, and who may read it; and what in its state departs from that.

Pure: the state of a room and a policy give the departures, each with the state that would end it, where state can.
A room that is narrower than its policy departs from nothing. State that says nothing counts as the specification says,
state that nobody can read as what lets most people in.

Sources: the client-server API, "m.room.create", "m.room.server_acl", "m.room.join_rules", "m.room.guest_access",
"m.room.history_visibility"; MSC1763 for "m.room.retention".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from portals.reading.values import mapping, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portals.ids import RoomId

    Content = Mapping[str, Any]  # Any: the JSON of an event
    State = Mapping[str, Content]
    """The contents of state events with an empty state key, by type; what a room has not is left out."""

CREATE = "m.room.create"
SERVERS = "m.room.server_acl"
JOINING = "m.room.join_rules"
GUESTS = "m.room.guest_access"
HISTORY = "m.room.history_visibility"
RETENTION = "m.room.retention"

_FIRST_RESTRICTED = 8
"""The first room version in which the members of a Space may join."""
_ANYBODY = ("*",)
DAY_MS = 24 * 3600 * 1000


class Joining(StrEnum):
    """Who may join besides those who are invited: members of the workspace's Space, who is let in, or everybody."""

    SPACE = "space"
    KNOCK = "knock"
    PUBLIC = "public"


class Reading(StrEnum):
    """Who may read what was said before, from the fewest to the most."""

    JOINED = "joined"
    INVITED = "invited"
    SHARED = "shared"
    WORLD = "world_readable"


_BY_WIDTH = tuple(Reading)


@dataclass(frozen=True, slots=True)
class RoomPolicy:
    """What is asked of a room; as it stands here, nothing is."""

    federates: bool = True
    """Whether the room may be open to other homeservers at all."""
    servers: tuple[str, ...] = _ANYBODY
    """Homeservers that may take part, as globs; ours always may."""
    joining: frozenset[Joining] = frozenset(Joining)
    guests: bool = True
    reading: Reading = Reading.WORLD
    """The widest that may be."""
    keep_ms: int = 0
    """For how long messages are kept at most; 0 asks nothing."""
    mends: bool = False
    """Whether the bridge brings rooms in line by itself, as far as it may."""

    def types(self) -> frozenset[str]:
        """Return the types of state about which it asks something."""
        asked = {
            CREATE: not self.federates,
            SERVERS: self.servers != _ANYBODY,
            JOINING: self.joining != frozenset(Joining),
            GUESTS: not self.guests,
            HISTORY: self.reading is not Reading.WORLD,
            RETENTION: self.keep_ms > 0,
        }
        return frozenset(kind for kind, is_asked in asked.items() if is_asked)


NOTHING_ASKED = RoomPolicy()
TYPES = frozenset((CREATE, SERVERS, JOINING, GUESTS, HISTORY, RETENTION))
"""All types about which a policy can ask something."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a room is at home: our homeserver's name, and its workspace's Space if it has one."""

    domain: str
    space: RoomId | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """What in a room departs from its policy: a type of state, in what, and the content that ends it, if one can."""

    type: str
    detail: str
    content: Content | None

    def remedy(self, power: int | None, bot: str) -> str:
        """Say what ends it; `power` is what the bot lacks to do so itself: None where it lacks nothing."""
        if self.content is None:
            return "no room can be closed afterwards: make a new one with rooms.federate: false, and move there"
        if power is None:
            return "the bridge may set it: causeway check portal --mend"
        return f"give {bot} the power level {power} in the room, or set its {self.type} by hand"


def departures(policy: RoomPolicy, state: State, home: Home) -> tuple[Departure, ...]:
    """Return everything in which a room departs from its policy."""
    asked = policy.types()
    found = (
        _federating(state) if CREATE in asked else None,
        _open_to_servers(policy.servers, state.get(SERVERS), home) if SERVERS in asked else None,
        _open_to_join(policy.joining, state, home) if JOINING in asked else None,
        _open_to_guests(state) if GUESTS in asked else None,
        _open_to_read(policy.reading, state) if HISTORY in asked else None,
        _kept_too_long(policy.keep_ms, state.get(RETENTION, {})) if RETENTION in asked else None,
    )
    return tuple(one for one in found if one is not None)


def conforming(policy: RoomPolicy, state: State, home: Home) -> dict[str, Content]:
    """Return the state of a room that is about to be made, brought in line with its policy."""
    return {**state, **{one.type: one.content for one in departures(policy, state, home) if one.content is not None}}


def server_acl(servers: Iterable[str], home: Home) -> dict[str, Any]:
    """Return what closes a room to other homeservers than ours and these."""
    ours = _bare(home.domain)
    is_literal = re.fullmatch(r"[\d.]+|\[.*\]", ours) is not None
    named = {ours, home.domain}  # Synapse looks for itself by its whole name before it takes the list, port and all
    return {"allow": sorted({*named, *servers}), "deny": [], "allow_ip_literals": is_literal}


def _bare(domain: str) -> str:
    return re.sub(r":\d+\Z", "", domain)  # lists of servers know no ports


# --- one question each


def _federating(state: State) -> Departure | None:
    if state.get(CREATE, {}).get("m.federate", True) is False:
        return None
    return Departure(CREATE, "it was made open to other homeservers (m.federate)", None)


def _open_to_servers(servers: tuple[str, ...], acl: Content | None, home: Home) -> Departure | None:
    wanted = server_acl(servers, home)
    if acl is None:
        return Departure(SERVERS, "every homeserver may take part in it", wanted)
    allowed = acl.get("allow")
    names = [one for one in allowed if isinstance(one, str)] if isinstance(allowed, list) else []
    strange = [one for one in names if not any(_covers(mine, one) for mine in wanted["allow"])]
    if not strange:
        return None
    denied = acl.get("deny")
    kept = [one for one in denied if isinstance(one, str)] if isinstance(denied, list) else []
    return Departure(SERVERS, f"{_listed(strange)} may take part in it", {**wanted, "deny": kept})


def _covers(wide: str, narrow: str) -> bool:
    """Tell whether all that one glob matches is matched by another: never wrongly so."""
    if "?" in wide:
        return wide.casefold() == narrow.casefold()
    parts = map(re.escape, wide.casefold().split("*"))
    return re.fullmatch(".*".join(parts), narrow.casefold(), re.DOTALL) is not None


def _open_to_join(joining: frozenset[Joining], state: State, home: Home) -> Departure | None:
    rules = state.get(JOINING, {})
    wide = [words for kind, words in _ways_in(rules, home).items() if kind not in joining]
    if not wide:
        return None
    return Departure(JOINING, f"{' and '.join(wide)} may join it", _invited_only(joining, state, home))


def _ways_in(rules: Content, home: Home) -> dict[Joining | str, str]:
    """Return who may join by these rules without an invitation, in words."""
    rule = rules.get("join_rule", "invite")
    if rule in ("invite", "private"):
        return {}
    if rule == "knock":
        return {Joining.KNOCK: "whoever knocks and is let in"}
    if rule not in ("restricted", "knock_restricted"):
        return {Joining.PUBLIC: "everybody"}
    found: dict[Joining | str, str] = {Joining.KNOCK: "whoever knocks and is let in"} if rule != "restricted" else {}
    allow = rules.get("allow")
    rooms = [mapping(one).get("room_id") for one in allow] if isinstance(allow, list) else []
    if home.space is not None and home.space in rooms:
        found[Joining.SPACE] = f"members of the Space {home.space}"
    others = sorted({str(room) for room in rooms if room is not None and room != home.space})
    return {**found, "others": f"members of {_listed(others)}"} if others else found


def _invited_only(joining: frozenset[Joining], state: State, home: Home) -> Content:
    """Return the rules for members of the Space where they may join, else for the invited alone."""
    version = str(state.get(CREATE, {}).get("room_version", "1"))
    is_able = not version.isdecimal() or int(version) >= _FIRST_RESTRICTED
    if home.space is None or Joining.SPACE not in joining or not is_able:
        return {"join_rule": "invite"}
    return {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": home.space}]}


def _open_to_guests(state: State) -> Departure | None:
    if state.get(GUESTS, {}).get("guest_access", "forbidden") == "forbidden":
        return None
    return Departure(GUESTS, "guests may join it", {"guest_access": "forbidden"})


def _open_to_read(widest: Reading, state: State) -> Departure | None:
    said = state.get(HISTORY, {}).get("history_visibility", Reading.SHARED)
    width = _BY_WIDTH.index(Reading(said)) if said in _BY_WIDTH else len(_BY_WIDTH)
    if width <= _BY_WIDTH.index(widest):
        return None
    words = {str(Reading.INVITED): "whoever is invited", str(Reading.SHARED): "whoever joins later"}
    who = words.get(str(said), "everybody")
    return Departure(HISTORY, f"{who} may read what was said before", {"history_visibility": str(widest)})


def _kept_too_long(keep_ms: int, retention: Content) -> Departure | None:
    longest = number(retention.get("max_lifetime"))
    if 0 < longest <= keep_ms:
        return None
    kept = {name: value for name, value in retention.items() if name not in ("min_lifetime", "max_lifetime")}
    days = f"{keep_ms / DAY_MS:g} days"
    detail = f"it keeps messages for longer than {days}" if longest else f"it does not say that {days} end a message"
    return Departure(RETENTION, detail, {**kept, "max_lifetime": keep_ms})


def _listed(names: list[str]) -> str:
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
