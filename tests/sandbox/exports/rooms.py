"""The conversations of a generated workspace, before anything is said in them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.sandbox.exports.cast import slack_id

if TYPE_CHECKING:
    from tests.sandbox.exports.cast import Cast, Person
    from tests.sandbox.slack.state import Json

_NAMES = (
    "general", "random", "engineering", "büro", "support-es", "日本語", "design", "alerts", "verkauf", "projekt-größe",
    "jobs_board", "watercooler", "müll", "ops", "legal", "kunde-a", "kunde-b", "releases", "русский", "musik",
)  # fmt: skip
_QUIET = 7


@dataclass(frozen=True, slots=True)
class Room:
    """One conversation. `kind` is public, private, im or mpim; `was` is its name before it was renamed.

    `home` is the workspace of an organisation that it belongs to, or "" for all of them.
    """

    id: str
    name: str
    was: str
    kind: str
    created: int
    end: int
    members: tuple[str, ...]
    speakers: tuple[Person, ...]
    messages: int
    bots: float
    archived: bool
    home: str

    @property
    def folder(self) -> str:
        """Where its days lie."""
        return self.name or self.id

    def listed(self, pins: list[Json]) -> Json:
        """Its entry in the list of its kind."""
        if self.kind == "im":
            return {"id": self.id, "created": self.created, "members": list(self.members)}
        creator = self.speakers[0].id
        body: Json = {"id": self.id, "name": self.name, "created": self.created, "creator": creator}
        body["is_archived"] = self.archived
        if self.kind == "public":
            body["is_general"] = self.name == "general"
        body["members"] = list(self.members)
        if pins:
            body["pins"] = pins
        topic: Json = {"value": "", "creator": "", "last_set": 0}
        purpose: Json = {"value": "Fragen &amp; Antworten", "creator": creator, "last_set": self.created + 5}
        body |= {"topic": topic, "purpose": purpose}
        return _aged(body) if self.archived else body


def rooms_of(
    seed: int, cast: Cast, channels: int, messages: int, start: int, end: int, grid: bool, renames: bool
) -> list[Room]:
    """So many conversations that share so many messages, the first ones most.

    One in eight is direct, one in five private, one has the name of another, and some are archived or empty.
    """
    random = Random(f"{seed}/rooms")
    ids = [slack_id(random, "D" if _kind(place) == "im" else "C") for place in range(channels)]
    shares = [0.0 if place % 16 == _QUIET else (place + 1) ** -0.9 for place in range(channels)]
    counts = [int(messages * share / sum(shares)) for share in shares]
    counts[0] += messages - sum(counts)
    rooms = []
    for place in range(channels):
        kind = _kind(place)
        archived = kind in ("public", "private") and (place % 11 == 6 or place % 24 == 8)
        created = start + int((end - start) * 0.4 * (place / channels) ** 2)
        over = end - (end - created) // 3 if archived else end
        members, speakers = _people(random, cast, place, kind)
        home = ("", "Zentrale", "Zweigstelle")[place % 3] if grid and kind in ("public", "private") else ""
        name = _name(place, kind, speakers, grid)
        bots = 0.0 if kind in ("im", "mpim") else 0.9 if place % 6 == 4 else 0.15
        room_members = () if archived and place % 2 else members
        shown = f"{name}-neu" if renames and place == 2 else name
        room = Room(
            ids[place], shown, name, kind, created, over, room_members, speakers, counts[place], bots, archived, home
        )
        rooms.append(room)
    return rooms


def _aged(body: Json) -> Json:
    """The same as Slack wrote it in its first years: moments are strings."""
    for entry in (body["topic"], body["purpose"]):
        entry["last_set"] = str(entry["last_set"])
    pins = [pin | {"created": str(pin["created"])} for pin in body.get("pins", [])]
    return body | {"created": str(body["created"])} | ({"pins": pins} if pins else {})


def _kind(place: int) -> str:
    if place % 8 == 5:
        return "im" if place % 16 == 5 else "mpim"
    return "private" if place % 5 == 3 or place % 16 == _QUIET else "public"


def _name(place: int, kind: str, speakers: tuple[Person, ...], grid: bool) -> str:
    if kind == "im":
        return ""
    if kind == "mpim":
        return "mpdm-" + "--".join(person.name for person in speakers[:4]) + f"-{place}"
    if place == _QUIET:
        return _NAMES[2]  # a private channel without a word in it, named like a public one
    if grid and place in (1, 2):
        return "general"
    name = _NAMES[place % len(_NAMES)]
    return name if place < len(_NAMES) else f"{name}-{place // len(_NAMES) + 1}"


def _people(random: Random, cast: Cast, place: int, kind: str) -> tuple[tuple[str, ...], tuple[Person, ...]]:
    everybody = list(cast.members)
    if kind == "im":
        chosen = random.sample(everybody, min(2, len(everybody)))
        if place % 32 == 21:
            chosen[-1] = cast.unknown[0]
        return tuple(person.id for person in chosen), tuple(chosen)
    if kind == "mpim":
        chosen = random.sample(everybody, min(4, len(everybody)))
        return tuple(person.id for person in chosen), tuple(chosen)
    share = 1.0 if place == 0 else random.uniform(0.1, 0.6)
    chosen = random.sample(everybody, max(2, int(len(everybody) * share)))
    guests = [random.choice(cast.strangers)] if place % 3 == 0 else []
    members = [person.id for person in (*chosen, *guests, random.choice(cast.bots))]
    return tuple(members), tuple(chosen)
