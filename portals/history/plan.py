"""What an import would do, before it does anything: how much there is, how long it takes, what an admin must decide.

A plan is a value, made of what was counted and of what the store knows; nothing of it changes anything.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portals.history.tally import Figures
from portals.people.links import is_person

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from portals.history.export import ExportedChannel, Problem
    from portals.history.selection import Selection
    from portals.history.tally import Authors, Counted
    from portals.ids import ChannelId, MatrixUserId, SlackUserId, TeamId
    from portals.people.matching import Candidate

DEFAULT_RATE = 40.0
"""Events a second that a homeserver of modest size takes; what a first import measures is better."""
DEFAULT_BANDWIDTH = 5.0
"""Megabytes a second, from Slack to the bridge and on to the homeserver."""

_SLACKS_OWN = frozenset({"USLACKBOT", "U00"})
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Somebody who takes part and for whom nothing names a Matrix account; `why` says what is missing."""

    user: str
    name: str
    why: str
    messages: int


@dataclass(frozen=True, slots=True)
class People:
    """Who takes part: by writing, by reacting, or as a member of a channel.

    `listed` are those of the export's list, whether they take part or not; `with_email` may be matched by address.
    """

    listed: int
    with_email: int
    taking_part: int
    authors: int
    bots: int
    deactivated: int
    unmatched: tuple[Unmatched, ...] = ()


@dataclass(frozen=True, slots=True)
class Bridged:
    """A channel that has a room already; `state` is that of its portal."""

    channel: ChannelId
    room: str
    state: str


@dataclass(frozen=True, slots=True)
class Pace:
    """Events a second, and where the figure comes from; megabytes of files a second."""

    rate: float = DEFAULT_RATE
    source: str = "default"
    bandwidth: float = DEFAULT_BANDWIDTH


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long an import takes: whole seconds for the events, and for the files, which come at the same time."""

    events: int
    event_seconds: int
    file_seconds: int
    pace: Pace

    @property
    def seconds(self) -> int:
        """The longer of the two."""
        return max(self.event_seconds, self.file_seconds)


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that is an admin's to decide: its kind, what it is about in words, and the ids."""

    kind: str
    what: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do. `not_selected` counts the channels that were left out by selection."""

    source: str
    teams: tuple[TeamId, ...]
    selection: Selection
    channels: tuple[Counted, ...]
    not_selected: int
    totals: Figures
    people: People
    custom_emoji: tuple[str, ...]
    decisions: tuple[Decision, ...]
    estimate: Estimate
    problems: tuple[Problem, ...]
    unread: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What an export tells besides its messages; `emoji` are the custom emoji of which it has the picture."""

    name: str
    teams: tuple[TeamId, ...] = ()
    people: Sequence[Candidate] = ()
    emoji: Collection[str] = ()
    unread: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the store tells; nothing, where no configuration was given. `workspaces` are those that it knows."""

    accounts: Mapping[SlackUserId, MatrixUserId] | None = None
    bridged: Sequence[Bridged] = ()
    workspaces: tuple[TeamId, ...] = ()


def plan_of(
    source: Source,
    selection: Selection,
    counted: Sequence[Counted],
    authors: Authors,
    emoji: Iterable[str],
    known: Known,
    pace: Pace,
    *,
    not_selected: int,
    problems: Sequence[Problem],
) -> Plan:
    """Return the plan; `emoji` are the names in reactions that are no standard emoji."""
    totals = sum((one.figures for one in counted), Figures())
    people = _people(source, counted, authors, known)
    unknown = tuple(sorted(set(emoji) - set(source.emoji)))
    return Plan(
        source=source.name,
        teams=source.teams,
        selection=selection,
        channels=tuple(counted),
        not_selected=not_selected,
        totals=totals,
        people=people,
        custom_emoji=unknown,
        decisions=tuple(_decisions(source, [one.channel for one in counted], people, known)),
        estimate=estimate(totals, pace),
        problems=tuple(problems),
        unread=source.unread,
    )


def estimate(totals: Figures, pace: Pace) -> Estimate:
    """Return how long these take; a reaction and a file are events of their own."""
    events = totals.messages + totals.reactions + totals.files
    return Estimate(
        events=events,
        event_seconds=round(events / pace.rate),
        file_seconds=round(totals.bytes / (pace.bandwidth * _MEGABYTE)),
        pace=pace,
    )


def _people(source: Source, counted: Sequence[Counted], authors: Authors, known: Known) -> People:
    listed: dict[str, Candidate] = {person.user: person for person in source.people}
    emails = Counter(person.email for person in source.people if person.email and not person.left_out)
    members = {member for one in counted for member in one.channel.members}
    everybody = {user for user in members | authors.messages.keys() | authors.reacted if user not in _SLACKS_OWN}
    humans = {user for user in everybody if is_person(user) and not _is_bot(listed.get(user))}
    linked: Collection[str] = known.accounts or ()
    unmatched = []
    for user in humans:
        person = listed.get(user)
        if user not in linked and (why := _why(person, emails, known)):
            name = person.name if person is not None else authors.names.get(user, "")
            unmatched.append(Unmatched(user, name, why, authors.messages[user]))
    return People(
        listed=len(listed),
        with_email=sum(emails.values()),
        taking_part=len(humans),
        authors=len(humans & authors.messages.keys()),
        bots=len(authors.bots),
        deactivated=sum(person.left_out == "deactivated in Slack" for person in source.people),
        unmatched=tuple(sorted(unmatched, key=lambda one: (-one.messages, one.user))),
    )


def _is_bot(person: Candidate | None) -> bool:
    return person is not None and person.left_out == "a bot"


def _why(person: Candidate | None, emails: Mapping[str, int], known: Known) -> str:
    """Return why a person may stay without an account, nothing where their address may find it or they are gone."""
    if person is None:
        return "not in the export's list of people"
    if person.left_out == "deactivated in Slack":
        return ""
    if person.left_out:
        return person.left_out
    if not person.email:
        return "the export tells no e-mail address"
    if emails[person.email] > 1:
        return f"{person.email} is the address of several people"
    return "" if known.accounts is None else "no Matrix account is linked"


def _decisions(source: Source, channels: Sequence[ExportedChannel], people: People, known: Known) -> Iterable[Decision]:
    foreign = set(source.teams[:1]) - set(known.workspaces) if known.workspaces else set()
    if foreign:
        words = f"most people of the export are of {source.teams[0]}, a workspace that the configuration does not have"
        yield Decision("workspace", words, tuple(sorted(foreign)))
    if people.unmatched:
        words = "people cannot be matched by their address: they stay ghosts unless you link them"
        yield Decision("people", f"{len(people.unmatched)} {words}", tuple(one.user for one in people.unmatched))
    rooms = {one.channel: one for one in known.bridged}
    for channel in channels:
        if (portal := rooms.get(channel.id)) is not None:
            words = f"#{channel.name} is bridged to {portal.room or 'a room still to be made'} ({portal.state})"
            what = f"{words}: what is older than its room goes into an archive room beside it"
            yield Decision("bridged", what, (channel.id,))
    named: dict[str, list[ExportedChannel]] = {}
    for channel in channels:
        named.setdefault(unicodedata.normalize("NFKC", channel.name).casefold(), []).append(channel)
    for same in named.values():
        if len(same) > 1:
            kinds = ", ".join(f"{one.id} ({one.kind.replace('_', ' ')})" for one in same)
            words = f"{len(same)} channels are named {same[0].name}: {kinds}; their rooms bear the same name"
            yield Decision("names", words, tuple(one.id for one in same))
    if direct := tuple(one.id for one in channels if one.kind in ("dm", "group_dm")):
        words = "direct conversations come across only for people who agreed, or where an admin says so"
        yield Decision("consent", f"{len(direct)} {words}", direct)
