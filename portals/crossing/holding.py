"""What is done about what has to wait, and when its waiting ends.

    message ──▶ held: out of its lane, shown to moderators, its author told ──▶ a verdict, a change, a deletion, the end
                of quiet hours ──▶ it goes the way again, or is withheld; moderators see what came of it

The moderators' room shows what is held for as long as that is open, and then only who decided what. Nothing of it is
quoted in a room in which others than moderators could read it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portals.actions import STAMP, Note, RedactEvent, SendEvent
from portals.crossing import telling
from portals.crossing.held import digest_of, held_of
from portals.crossing.records import RecordHeld, RecordHeldEnd, RecordNotice
from portals.crossing.said import said
from portals.crossing.subjects import subject_of
from portals.crossing.waiting import Verdict, Wait
from portals.events import Ignored, MatrixMessage, MatrixRedaction, SlackDeletion, SlackMessage
from portals.ids import action_key
from portals.relay import content, files, replies, wording
from portals.relay.naming import names_of
from portals.text.document import BOLD, Document, List, Paragraph, Quote, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portals.actions import Action, Content
    from portals.crossing.judge import Waits
    from portals.crossing.waiting import Held, Moderators
    from portals.events import Event, MatrixEvent, SlackEvent
    from portals.facts import Facts, Portal
    from portals.text.document import Block

    Message = SlackMessage | MatrixMessage

_HOUR = 3600 * 1000
_WAITS = {
    Wait.MODERATOR: "This waits before it goes to {side}: {words}, within {time}. You are told of it.",
    Wait.QUIET: "This waits before it goes to {side}: {words}. So does what you say until then.",
}
_LET = "A moderator let this go to {side}."
_DECIDE = "React with 👍 to let it go to {side}, or with 👎 to refuse it, within {time}."
_OUTCOMES = {
    Verdict.APPROVED: "let through by {by}",
    Verdict.REFUSED: "refused by {by}",
    Verdict.EXPIRED: "refused, for nobody decided about it in time",
}
_NEVERTHELESS = ", and withheld by what the policy says now"
_CHANGED = "changed by its author, who is judged by what it says now"
_TAKEN_BACK = "taken back by its author"


def in_matrix(waits: Waits, event: SlackEvent, portal: Portal, facts: Facts) -> tuple[Action, ...]:
    """Return what is done instead of showing a message of Slack in the room, for the time being."""
    assert isinstance(event, SlackMessage)  # nothing else waits
    actions = [*_held(waits, event, event.author.id, event.thread_ts, portal, facts)]
    if not _is_nobodys(event) and not _knows(waits, event.author.id, facts):
        words = _words(waits, "Matrix", facts)
        actions.append(
            telling.in_slack(event.source, portal.channel, event.thread_ts or event.ts, words, RecordNotice())
        )
    return tuple(actions)


def in_slack(waits: Waits, event: MatrixEvent, portal: Portal, facts: Facts) -> tuple[Action, ...]:
    """Return what is done instead of showing a message of Matrix in the channel, for the time being."""
    assert isinstance(event, MatrixMessage)  # nothing else waits
    held = held_of(event, facts)
    thread = replies.thread(event, facts) or (held.thread if held is not None else None)
    actions = [*_held(waits, event, event.sender, thread, portal, facts)]
    if not _knows(waits, event.sender, facts):
        words, bot = _words(waits, "Slack", facts), facts.names.bot
        actions.append(telling.in_matrix(event.source, event.room, bot, event.event_id, words, RecordNotice()))
    return tuple(actions)


def ended(
    done: tuple[Action, ...] | Ignored, event: Event, portal: Portal, facts: Facts, *, crosses: bool
) -> tuple[Action, ...] | Ignored:
    """Return what is done about an event, which crosses or not, and with it ends what was held of it, if any was."""
    held = held_of(event, facts)
    if held is None:
        return done
    is_turn = held.source == event.source
    how = "" if is_turn else _TAKEN_BACK if isinstance(event, SlackDeletion | MatrixRedaction) else _CHANGED
    subject = _subject(held.name, event, portal) if how and held.wait is Wait.MODERATOR else ""
    actions: list[Action] = [Note(action_key(event.source, "held"), RecordHeldEnd(held.name, subject, how))]
    outcome = how or _OUTCOMES.get(held.verdict, "").format(by=held.by)
    if held.verdict is Verdict.APPROVED and not crosses:
        outcome += _NEVERTHELESS
    actions += _closed(held, event, f"{_place(portal, facts)}: a message of {held.author} was {outcome}.", facts)
    if isinstance(done, Ignored):
        return tuple(actions)
    actions += done
    if is_turn and crosses and held.verdict is Verdict.APPROVED:
        actions += _let(event, portal, facts)
    return tuple(actions)


# --- what is held


def _held(
    waits: Waits, event: Message, author: str, thread: str | None, portal: Portal, facts: Facts
) -> Iterator[Action]:
    name = _name(event)
    before = held_of(event, facts)
    is_turn = before is not None and before.source == event.source
    record = RecordHeld(
        name=name,
        source=event.source,
        wait=waits.wait,
        author=author,
        rule=waits.rule,
        subject=_subject(name, event, portal),
        since=facts.waiting.now,
        until=waits.until,
        approved=before is not None and is_turn and before.is_approved,
        digest=digest_of(event),
        thread=thread,
    )
    yield Note(action_key(event.source, "held"), record)
    if before is not None:
        outcome = _OUTCOMES.get(before.verdict, "").format(by=before.by) if is_turn else _CHANGED
        words = f"{_place(portal, facts)}: a message of {before.author} was {outcome}."
        yield from _closed(before, event, words, facts)
    if waits.wait is Wait.MODERATOR and facts.waiting.moderators is not None:
        yield _shown(waits, event, author, portal, facts, facts.waiting.moderators)


def _is_nobodys(event: SlackMessage) -> bool:
    """Tell whether there is nobody to be told; what comes from history and still can wait was said just now."""
    return bool(event.system) or event.author.is_bot


def _knows(waits: Waits, author: str, facts: Facts) -> bool:
    """Tell whether nobody need be told: they were, in these very quiet hours, or it waits for a moment alone."""
    was_told = any(who == author for who, _ in facts.waiting.quiet)
    return waits.wait is Wait.QUIET and (was_told or waits.until <= facts.waiting.now)


def _words(waits: Waits, side: str, facts: Facts) -> str:
    return _WAITS[waits.wait].format(side=side, words=waits.words, time=_span(waits.until - facts.waiting.now))


def _span(milliseconds: int) -> str:
    """Return a span of time in words, about, in the largest unit of which it has several."""
    for unit, length in (("day", 24 * _HOUR), ("hour", _HOUR), ("minute", 60_000)):
        count = round(milliseconds / length)
        if count > 1:
            return f"{count} {unit}s"
    return "a minute"


def _let(event: Event, portal: Portal, facts: Facts) -> tuple[Action, ...]:
    """Tell its author that a message went on, where there is somebody to be told."""
    if isinstance(event, SlackMessage):
        thread, words = event.thread_ts or event.ts, _LET.format(side="Matrix")
        told = telling.in_slack(event.source, portal.channel, thread, words, RecordNotice())
        return () if _is_nobodys(event) else (told,)
    assert isinstance(event, MatrixMessage)  # nothing else waits
    words, bot = _LET.format(side="Slack"), facts.names.bot
    return (telling.in_matrix(event.source, event.room, bot, event.event_id, words, RecordNotice()),)


def _subject(name: str, event: Event, portal: Portal) -> str:
    is_of_slack = isinstance(event, SlackMessage | SlackDeletion)
    return subject_of(portal.channel, f"slack:{name}" if is_of_slack else f"matrix:{name}", name if is_of_slack else "")


# --- what moderators see


def _place(portal: Portal, facts: Facts) -> str:
    return f"#{portal.name or portal.channel} of {facts.workspace.name}"


def _shown(
    waits: Waits, event: Message, author: str, portal: Portal, facts: Facts, moderators: Moderators
) -> SendEvent:
    """Return the notice that shows moderators what waits for them."""
    side = "Matrix" if isinstance(event, SlackMessage) else "Slack"
    lead = (Text(f"{_place(portal, facts)}, to {side}: "), Text(_author(event, author, facts), BOLD))
    decide = _DECIDE.format(side=side, time=_span(waits.until - facts.waiting.now))
    if moderators.hides:
        more = f"What it says is not shown here, for {moderators.hides}: causeway held list, or the console, shows it."
        blocks: tuple[Block, ...] = (Paragraph(lead), Paragraph((Text(more),)), Paragraph((Text(decide),)))
    else:
        shared = tuple(
            (Paragraph((Text(f"{file.name} ({file.type or 'unknown'}, {files.size(file.size)})"),)),)
            for file in said(event, {}).files
        )
        listed = (List(False, shared),) if shared else ()
        blocks = (Paragraph(lead), Quote((*_document(event).blocks, *listed)), Paragraph((Text(decide),)))
    names = replace(names_of(facts), allow_room_mention=False)
    piece: Content = content.pieces(Document(blocks), names, "m.notice")[0]
    key = action_key(event.source, "moderators")
    shown = {**piece, "m.mentions": {}, STAMP: key}
    record = RecordNotice(_name(event), moderators.room)
    return SendEvent(key, moderators.room, facts.names.bot, "m.room.message", shown, record=record)


def _name(event: Message) -> str:
    return event.ts if isinstance(event, SlackMessage) else event.edits or event.event_id


def _author(event: Message, author: str, facts: Facts) -> str:
    if isinstance(event, SlackMessage):
        person = facts.people.get(event.author.id)
        name = event.author.name or (person.name if person is not None else "")
    else:
        member = facts.members.get(event.sender)
        name = member.name if member is not None else ""
    return f"{name} ({author})" if name else author


def _document(event: Message) -> Document:
    if isinstance(event, SlackMessage):
        return event.document
    return wording.document(event) if event.file is None else wording.caption(event)


def _closed(held: Held, event: Event, words: str, facts: Facts) -> Iterator[Action]:
    """Take the notice away that moderators were shown, and say what came of it."""
    if held.room is None or held.notice is None:
        return
    taken, told = action_key(event.source, "moderated"), action_key(event.source, "outcome")
    yield RedactEvent(taken, held.room, facts.names.bot, held.notice, record=RecordNotice())
    said_there = {**content.notice(words), STAMP: told}
    yield SendEvent(told, held.room, facts.names.bot, "m.room.message", said_there, record=RecordNotice())
