"""Whether a channel is ready to move to Matrix: what stands against it, what would be lost, and what is good to know.

What *stops* a freeze must be mended first; a *loss* may be accepted; a *note* is told and stands against nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from portals.cutover import Command, InSlack, Phase, Step, Wish, announcing, freezing, portal_refusal, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portals.facts import Portal

LONGEST_TOPIC = 250
_TOPIC_SCOPES = {False: ("channels:write.topic", "channels:manage"), True: ("groups:write.topic", "groups:write")}
_ARCHIVE_SCOPES = {False: ("channels:manage",), True: ("groups:write",)}


class Weight(StrEnum):
    """What a finding means for the move."""

    STOP = "stop"
    LOSS = "loss"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know before a channel moves, and what to do about it."""

    weight: Weight
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class SlackSide:
    """The channel as Slack shows it to the bot."""

    archived: bool = False
    member: bool = True
    general: bool = False
    scopes: frozenset[str] = frozenset()
    has_topic: bool = True

    @property
    def in_slack(self) -> InSlack:
        """What can be changed there."""
        return InSlack(self.archived, self.has_topic)


@dataclass(frozen=True, slots=True)
class People:
    """The channel's people, without bots: how many, how many of them are in the room in their own accounts.

    `away` are the accounts of those who are linked and not in the room; `without` are the names of those who have none.
    """

    members: int = 0
    here: int = 0
    away: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """What an import says of the channel: its state there, and why it was left out."""

    number: int
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a channel that is to move; `slack` is None where its workspace is known by its export alone."""

    portal: Portal
    phase: Phase
    slack: SlackSide | None
    people: People | None = None
    history: History | None = None
    to_matrix: int = 0
    to_slack: int = 0
    parked_to_matrix: int = 0
    parked_to_slack: int = 0
    held: int = 0
    """Messages that wait for a moderator, or for the end of quiet hours, in either direction."""
    quarantined: int = 0
    topic: str = ""
    """The topic that the channel would get."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a freeze would do, and what is to be said of it."""

    findings: tuple[Finding, ...] = ()
    announcing: tuple[Step, ...] = field(default=())
    freezing: tuple[Step, ...] = field(default=())

    def of(self, weight: Weight) -> tuple[Finding, ...]:
        """Return the findings of one weight."""
        return tuple(one for one in self.findings if one.weight is weight)

    def refusal(self) -> str:
        """Return what stops the move, in words; nothing where nothing does."""
        return "; ".join(f"{one.what}: {one.remedy}" if one.remedy else one.what for one in self.of(Weight.STOP))

    def losses(self) -> str:
        """Return what would be lost by the move, in words."""
        return "; ".join(one.what for one in self.of(Weight.LOSS))

    @property
    def is_ready(self) -> bool:
        """Whether nothing stands against the move, and nothing would be lost by it."""
        return not self.of(Weight.STOP) and not self.of(Weight.LOSS)


def readiness(given: Circumstances, wish: Wish) -> Readiness:
    """Return what there is to know before a channel moves."""
    slack = given.slack.in_slack if given.slack else None
    return Readiness(tuple(_findings(given, wish)), announcing(slack), freezing(wish, slack))


def _findings(given: Circumstances, wish: Wish) -> Iterator[Finding]:
    portal = given.portal
    phase = Phase.NONE if given.phase is Phase.REVERTED else given.phase
    words = refusal(Command.FREEZE, phase) or portal_refusal(Command.FREEZE, portal.state, portal.room is not None)
    if words:
        yield Finding(Weight.STOP, words)
    if portal.trouble and not (given.slack and given.slack.archived):
        yield Finding(Weight.STOP, f"it is in trouble: {portal.trouble}", "mend that first, so that nothing is missed")
    yield from _slack(given, wish)
    yield from _left_behind(given)
    yield from _notes(given)


def _slack(given: Circumstances, wish: Wish) -> Iterator[Finding]:
    slack, portal = given.slack, given.portal
    if slack is None:
        yield Finding(Weight.NOTE, "the workspace is known by its export alone: nothing is changed in Slack")
        return
    if slack.archived:
        yield Finding(Weight.NOTE, "it is archived in Slack already: nothing is changed there, its room stays as it is")
        return
    if not slack.member:
        yield Finding(Weight.STOP, "the bot is not in the channel", f"invite it in Slack: /invite in #{portal.name}")
    if wish.topic and slack.has_topic:
        yield from _scopes(_TOPIC_SCOPES[portal.private], slack, "set its topic", ", or leave the topic: --no-topic")
        if len(given.topic) > LONGEST_TOPIC:
            what = f"its topic would have {len(given.topic)} signs, and Slack takes {LONGEST_TOPIC}"
            yield Finding(Weight.STOP, what, "shorten cutover.topic in the configuration")
    if wish.archive and slack.has_topic:
        yield from _scopes(_ARCHIVE_SCOPES[portal.private], slack, "archive it", "")
        if slack.general:
            yield Finding(
                Weight.STOP, "Slack lets nobody archive the channel that everybody is in", "leave out --archive"
            )
        else:
            yield Finding(
                Weight.NOTE, "Slack lets no bot open an archived channel: for a revert, a person must open it first"
            )


def _scopes(either: tuple[str, ...], slack: SlackSide, what: str, otherwise: str) -> Iterator[Finding]:
    if slack.scopes and slack.scopes.isdisjoint(either):
        remedy = (
            f'add the line "- {either[0]}" under oauth_config, scopes, bot in the app manifest (cutover.scopes: true '
            f"has causeway manifest write it), then install the app to the workspace again{otherwise}"
        )
        yield Finding(Weight.STOP, f"the app may not {what}: its token lacks the scope {either[0]}", remedy)


def _left_behind(given: Circumstances) -> Iterator[Finding]:
    name = f'--portal "#{given.portal.name}"'
    if given.parked_to_matrix:
        what = f"{_messages(given.parked_to_matrix)} of Slack could not be shown and are parked"
        yield Finding(Weight.LOSS, what, f"look at them: causeway parked list {name}")
    if given.parked_to_slack:
        what = f"{_messages(given.parked_to_slack)} of Matrix did not reach Slack, and never will"
        yield Finding(Weight.NOTE, what, f"look at them: causeway parked list {name}")
    if given.held:
        what = f"{_messages(given.held)} wait for a moderator, or for the end of quiet hours"
        yield Finding(Weight.LOSS, what, f"decide about them: causeway held list {name}")
    if given.quarantined:
        what = f"{given.quarantined} of its history's records are in quarantine"
        yield Finding(Weight.LOSS, what, "look at them: causeway import quarantine list")
    history = given.history
    if history is None:
        yield Finding(
            Weight.NOTE,
            "no history was imported: the room holds what was said since it was made, and a little before",
            "bring the rest: causeway import PATH, or causeway import --api",
        )
    elif history.state == "left out":
        yield Finding(Weight.LOSS, f"import {history.number} left it out: {history.reason}")
    elif history.state != "done":
        yield Finding(Weight.LOSS, f"import {history.number} is not through with it", "causeway import status")


def _notes(given: Circumstances) -> Iterator[Finding]:
    if given.to_matrix or given.to_slack:
        what = f"{given.to_matrix} from Slack and {given.to_slack} from Matrix wait to come across, and will"
        yield Finding(Weight.NOTE, what)
    people = given.people
    if people is not None and people.away:
        yield Finding(
            Weight.NOTE, f"{len(people.away)} with an account are not in the room", "they were invited, or can be"
        )
    if people is not None and people.without:
        remedy = "link them (causeway people match), or tell them to join"
        yield Finding(Weight.NOTE, f"{len(people.without)} of its people have no account in Matrix", remedy)


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"
