"""Whether what happened may cross, by the portal's policy: `judge` answers with what may, or with the reason why not.

What the bridge itself wrote is not judged, nor what Slack shows again as it stands: a policy that became stricter takes
nothing back. Taking back is never forbidden to anybody: a reaction, a pin, and a message, unless the policy keeps
deletions from crossing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portals.crossing.held import held_of, is_news, turn_of
from portals.crossing.patterns import first_found, passes
from portals.crossing.policy import OPEN, Kind, Standing
from portals.crossing.quiet import Then
from portals.crossing.said import said
from portals.crossing.waiting import Verdict, Wait
from portals.events import (
    MatrixMessage,
    MatrixPins,
    MatrixPollEnd,
    MatrixReaction,
    MatrixRedaction,
    MatrixTopic,
    SlackBookmarks,
    SlackChannelChange,
    SlackDeletion,
    SlackMessage,
    SlackPin,
    SlackReaction,
)
from portals.facts import Origin
from portals.ids import ts_to_ms
from portals.relay import by_hand, files, system_notices

if TYPE_CHECKING:
    from portals.crossing.policy import Policy
    from portals.crossing.said import Said, SharedFile
    from portals.events import Event
    from portals.facts import Facts, Portal
    from portals.ids import MatrixUserId, SlackUserId


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may cross, with these facts: a quotation that may not is no longer among them."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class Withheld:
    """It may not cross: the rule's name for the audit log, and the words for its author, without anything it says."""

    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class Waits:
    """It may not cross yet: for what it waits, the rule's name, the words for its author, and until when (ms)."""

    wait: Wait
    rule: str
    words: str
    until: int


_MARKED = Withheld("words", "it bears a mark or a word that may not leave here")
_TO_DECIDE = "it bears a mark or a word about which a moderator decides"
_REFUSED = {
    Verdict.REFUSED: Withheld("refused", "a moderator refused it"),
    Verdict.EXPIRED: Withheld("expired", "no moderator decided about it in time"),
}
_KINDS = {
    Kind.TEXT: "texts do not cross here",
    Kind.FILES: "files do not cross here",
    Kind.LINKS: "links do not cross here",
    Kind.REACTIONS: "reactions do not cross here",
    Kind.EDITS: "edits do not cross here: the other side still shows what was said before",
    Kind.DELETIONS: "deletions do not cross here",
    Kind.TOPICS: "topics do not cross here",
    Kind.PINS: "pins do not cross here",
}
_STANDINGS = {
    Standing.MEMBER: "members of this workspace may not write to Matrix here",
    Standing.GUEST: "guests of this workspace may not write to Matrix here",
    Standing.BOT: "bots may not write to Matrix here",
    Standing.STRANGER: "people of other workspaces may not write to Matrix here",
    Standing.UNKNOWN: "Slack does not tell whether its author is a member, and not everybody may write to Matrix here",
}


def judge(event: Event, portal: Portal, facts: Facts) -> Allowed | Withheld | Waits:
    """Return whether an event may cross in this portal."""
    policy, turn = facts.policy, turn_of(event, facts)
    if turn is not None and turn.verdict in _REFUSED:
        return _REFUSED[turn.verdict]
    if policy == OPEN or _is_settled(event, facts) or _takes_back_what_is_held(event, facts):
        return Allowed(facts)
    withheld = _by_writer(event, policy, facts) or _by_kind(event, policy, facts)
    if withheld is not None:
        return withheld
    found = said(_whole(event, facts), facts.permalinks)
    stopped = _by_content(found, policy) or _by_moderator(event, found, facts) or _by_quiet(event, facts)
    return stopped or Allowed(_without_forbidden_quotation(facts))


def _is_settled(event: Event, facts: Facts) -> bool:
    """Tell whether nothing new would cross: it is our own, or stands on the other side already just so."""
    if not isinstance(event, SlackMessage):
        return False
    shown = facts.of_message(event.ts)
    is_news = event.changed or event.historic
    if by_hand.edited(event, shown) is not None:
        return False
    is_ours = event.own or any(link.origin is Origin.MATRIX or event.digest in link.shown for link in shown)
    is_there = bool(shown) and (not is_news or all(link.deleted for link in shown))
    return is_ours or is_there or bool(shown and _shows_the_same(event, facts))


def _shows_the_same(event: SlackMessage, facts: Facts) -> bool:
    """Tell whether a message that is seen again says what is shown; one that was never edited does, in any form."""
    shown = {link.part: link for link in facts.of_message(event.ts)}
    is_unedited = event.historic and not event.version and not event.author.is_bot
    says_the_same = is_unedited or all(link.digest == event.digest for link in shown.values())
    return says_the_same and all(file.id in shown for file in event.files)


# --- who


def _by_writer(event: Event, policy: Policy, facts: Facts) -> Withheld | None:
    match event:
        case MatrixMessage() | MatrixReaction() | MatrixPins() | MatrixTopic() | MatrixPollEnd():
            return _matrix_writer(event.sender, facts.power, policy)
        case SlackMessage():
            return _slack_writer(event.author.id, facts.standing, policy)
        case SlackReaction(added=True):
            return _slack_writer(event.user, facts.standing, policy)
        case _:
            return None


def _matrix_writer(user: MatrixUserId, power: int | None, policy: Policy) -> Withheld | None:
    if not passes(user.partition(":")[2], policy.servers):
        return Withheld("servers", "people of your homeserver may not write to Slack here")
    if not passes(user, policy.matrix_users):
        return Withheld("users", "you are not among those who may write to Slack here")
    if policy.power_level is not None and (power is None or power < policy.power_level):
        words = f"writing to Slack takes a power level of {policy.power_level} in this room"
        return Withheld("power_level", words)
    return None


def _slack_writer(user: SlackUserId, standing: Standing, policy: Policy) -> Withheld | None:
    if standing not in policy.standings:
        return Withheld(str(standing) or "strangers", _STANDINGS[standing])
    if not passes(user, policy.slack_users):
        return Withheld("users", "its author is not among those who may write to Matrix here")
    return None


# --- what


def _by_kind(event: Event, policy: Policy, facts: Facts) -> Withheld | None:
    kind = _kind_of(event, facts)
    return _refused(kind) if kind is not None and kind not in policy.kinds else None


def _kind_of(event: Event, facts: Facts) -> Kind | None:
    match event:
        case SlackMessage() if facts.of_message(event.ts):
            return Kind.EDITS
        case MatrixMessage() if event.edits is not None:
            return Kind.EDITS
        case SlackReaction(added=True) | MatrixReaction():
            return Kind.REACTIONS
        case SlackDeletion():
            return Kind.DELETIONS
        case MatrixRedaction() if not any(one.event_id == event.target for one in facts.reactions):
            return Kind.DELETIONS
        case MatrixTopic() | SlackBookmarks():
            return Kind.TOPICS
        case SlackChannelChange() if (event.topic, event.purpose) != (None, None):
            return Kind.TOPICS
        case MatrixPins() if event.added:
            return Kind.PINS
        case SlackPin(pinned=True):
            return Kind.PINS
        case _:
            return None


def _refused(kind: Kind) -> Withheld:
    return Withheld(f"kinds: {kind}", _KINDS[kind])


def _by_content(said: Said, policy: Policy) -> Withheld | None:
    if said.has_text and Kind.TEXT not in policy.kinds:
        return _refused(Kind.TEXT)
    if said.files and Kind.FILES not in policy.kinds:
        return _refused(Kind.FILES)
    if said.hosts and Kind.LINKS not in policy.kinds:
        return _refused(Kind.LINKS)
    if _is_marked(said, policy.words):
        return _MARKED
    if not all(passes(host, policy.domains) for host in said.hosts):
        return Withheld("links", "it links to a place that may not be linked to here")
    return next((found for file in said.files if (found := of_file(file, policy)) is not None), None)


def of_file(file: SharedFile, policy: Policy) -> Withheld | None:
    """Return why a file may not cross, by what is known of it so far."""
    if not passes(file.name, policy.file_names):
        return Withheld("file_names", "files with such a name may not cross here")
    if not file.is_here:
        return None
    if not passes(file.type.partition(";")[0].strip() or "application/octet-stream", policy.file_types):
        return Withheld("file_types", "files of this type may not cross here")
    if policy.max_file_size is not None and file.size > policy.max_file_size:
        limit = files.size(policy.max_file_size)
        return Withheld("file_size", f"the file is larger than the {limit} that may cross here")
    return None


# --- when


def _takes_back_what_is_held(event: Event, facts: Facts) -> bool:
    """Tell whether an event deletes what never crossed: no policy is against that."""
    if held_of(event, facts) is None:
        return False
    if isinstance(event, MatrixRedaction):
        return not facts.of_event(event.target)
    return isinstance(event, SlackDeletion) and not facts.of_message(event.ts)


def _by_moderator(event: Event, found: Said, facts: Facts) -> Waits | Withheld | None:
    """Return why a moderator is to be asked first; what is no message cannot wait, and may not cross then."""
    hold, turn = facts.policy.hold, turn_of(event, facts)
    if (turn is not None and turn.is_approved) or not _is_marked(found, hold.words):
        return None
    if not isinstance(event, SlackMessage | MatrixMessage):
        return _MARKED
    if not _is_message(event, facts):
        return None
    until = _said_at(event, facts) + hold.within_ms
    if until <= facts.waiting.now:
        return Withheld("hold", f"{_TO_DECIDE}, and the time for that is over")
    return Waits(Wait.MODERATOR, "hold", _TO_DECIDE, until)


def _by_quiet(event: Event, facts: Facts) -> Waits | Withheld | None:
    """Return why a message has to wait for the end of quiet hours; so it does while others that waited are not gone."""
    if not isinstance(event, SlackMessage | MatrixMessage) or not _is_message(event, facts) or _is_edit(event, facts):
        return None
    quiet, now, turn = facts.policy.quiet, facts.waiting.now, turn_of(event, facts)
    if turn is not None and turn.wait is Wait.QUIET and turn.verdict is Verdict.APPROVED:
        return None  # somebody lets this one go before the others
    until = quiet.until(_said_at(event, facts))
    if until is not None and until > now:
        if quiet.then is Then.REFUSE:
            return Withheld("quiet", f"it is quiet here until {quiet.shown(until)}, and nothing crosses before")
        return Waits(Wait.QUIET, "quiet", f"it is quiet here until {quiet.shown(until)}", until)
    if facts.waiting.quiet and (turn is None or turn.verdict is not Verdict.OVER):
        return Waits(Wait.QUIET, "quiet", "what was said before it goes first", now)
    return None


def _is_marked(said: Said, marks: tuple[str, ...]) -> bool:
    return any(first_found(marks, words) for words in said.words)


def _is_message(event: SlackMessage | MatrixMessage, facts: Facts) -> bool:
    """Tell whether a message would be shown at all."""
    if isinstance(event, MatrixMessage):
        return event.edits is None or any(not link.deleted for link in facts.of_event(event.edits))
    return system_notices.is_shown(event) and (bool(facts.of_message(event.ts)) or is_news(event))


def _is_edit(event: SlackMessage | MatrixMessage, facts: Facts) -> bool:
    return event.edits is not None if isinstance(event, MatrixMessage) else bool(facts.of_message(event.ts))


def _said_at(event: SlackMessage | MatrixMessage, facts: Facts) -> int:
    """Return when something was said, in ms: of what is read back from history, its own time tells."""
    if isinstance(event, SlackMessage) and event.historic:
        return ts_to_ms(event.version or event.ts)
    return facts.waiting.now


def _whole(event: Event, facts: Facts) -> Event:
    """Return an event with what Slack told of its files when it was asked."""
    if not isinstance(event, SlackMessage):
        return event
    return replace(event, files=tuple(facts.files.get(file.id, file) for file in event.files))


def _without_forbidden_quotation(facts: Facts) -> Facts:
    """Return the facts without a quotation of what was, or would be, withheld itself."""
    quoted = facts.quoted
    if quoted is None or facts.names.is_ours(quoted.message.sender):
        return facts
    policy = replace(facts.policy, power_level=None)  # nobody looked up what the quoted one may do
    found = said(quoted.message, facts.permalinks)
    told = _matrix_writer(quoted.message.sender, None, policy) or _by_content(found, policy)
    is_there = any(not link.deleted for link in facts.of_event(quoted.message.event_id))
    is_doubtful = not is_there and (facts.policy.power_level is not None or _is_marked(found, policy.hold.words))
    return replace(facts, quoted=None) if told is not None or is_doubtful else facts
