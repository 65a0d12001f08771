"""What is done about what a policy withholds: nothing crosses, its author is told once, and the audit log says so.

What the other side shows already of a message is taken away when its new state is withheld, unless it is edits as such
that do not cross. A message that was withheld stays withheld, whatever is made of it: its author says it anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portals.actions import (
    SOURCE,
    STAMP,
    DeleteMessage,
    Note,
    PostFile,
    PostMessage,
    RecordDeletion,
    RecordLink,
    RecordWithheld,
    RedactEvent,
    SendEvent,
    SendFile,
)
from portals.crossing import telling
from portals.crossing.policy import Kind
from portals.crossing.subjects import PIN, reaction_of, subject_of
from portals.events import (
    MatrixMessage,
    MatrixPins,
    MatrixPollEnd,
    MatrixTopic,
    SlackDeletion,
    SlackFileCame,
    SlackMessage,
    SlackPin,
    SlackReaction,
)
from portals.facts import Origin
from portals.ids import EventId, Ts, action_key
from portals.relay import by_hand
from portals.relay.content import notice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portals.actions import Action
    from portals.crossing.judge import Withheld
    from portals.events import MatrixEvent, SlackEvent
    from portals.facts import Facts, Portal
    from portals.ids import MatrixUserId, RoomId

_DECIDED = ("refused", "expired")
"""Rules by which something was refused that had waited: its author was told that it waits."""
_TO_SLACK = "This did not reach Slack: {words}."
_TO_MATRIX = "This was not carried to Matrix: {words}."
_FILE_TO_MATRIX = "A file of this message was not carried to Matrix: {words}."


def in_matrix(withheld: Withheld, event: SlackEvent, portal: Portal, facts: Facts) -> tuple[Action, ...]:
    """Return what is done instead of showing in the room what happened in Slack."""
    assert portal.room is not None
    if not isinstance(event, SlackMessage):
        record = _record(withheld, event.source, portal, *_place(event))
        return (Note(action_key(event.source, "withheld"), record),)
    actions: list[Action] = []
    shown = {one.event_id: one for one in facts.of_message(event.ts) if not one.deleted and one.event_id}
    if _is_kept(withheld):
        seen = by_hand.seen(event, facts.of_message(event.ts))  # so that it is not told of again
        actions.append(Note(action_key(event.source, "withheld"), seen))
    else:
        for link in shown.values():
            key = action_key(event.source, "withdrawn", link.part)
            sender = link.sender if link.origin is Origin.SLACK else facts.names.bot
            actions.append(RedactEvent(key, portal.room, sender, link.event_id))
        actions.append(Note(action_key(event.source, "withheld"), RecordDeletion(event.ts)))
        if facts.policy.line and not facts.of_message(event.ts):
            actions.append(_line_in_room(event.source, facts.policy.line, portal.room, facts.names.bot))
    record = _record(withheld, event.source, portal, event.ts)
    is_past = event.historic and withheld.rule not in _DECIDED
    if is_past or event.system or event.author.is_bot:
        return (*actions, Note(action_key(event.source, "audited"), record))
    thread = event.thread_ts or event.ts
    words = _TO_MATRIX.format(words=withheld.words)
    return (*actions, telling.in_slack(event.source, portal.channel, thread, words, record))


def in_slack(withheld: Withheld, event: MatrixEvent, portal: Portal, facts: Facts) -> tuple[Action, ...]:
    """Return what is done instead of showing in the channel what happened in the room."""
    record = _record(withheld, event.source, portal)
    if not isinstance(event, MatrixMessage | MatrixPins | MatrixTopic | MatrixPollEnd):
        return (Note(action_key(event.source, "withheld"), record),)
    actions: list[Action] = []
    if isinstance(event, MatrixMessage):
        if event.edits is not None and not _is_kept(withheld):
            actions += _withdrawn(event, portal, facts)
        elif event.edits is None and facts.policy.line:
            line = PostMessage(action_key(event.source, "line"), portal.channel, facts.policy.line, (), "")
            actions.append(line)
    words = _TO_SLACK.format(words=withheld.words)
    return (*actions, telling.in_matrix(event.source, event.room, facts.names.bot, event.event_id, words, record))


def instead_of(action: Action, withheld: Withheld, portal: Portal, bot: MatrixUserId) -> Action | None:
    """Return what is done where a file turns out on its way to be one that may not cross; None for other actions."""
    record = RecordWithheld(withheld.rule, subject_of(portal.channel, action.key))
    if isinstance(action, PostFile) and isinstance(action.record, RecordLink) and portal.room is not None:
        words = _TO_SLACK.format(words=withheld.words)
        return telling.in_matrix(action.key, portal.room, bot, EventId(action.record.event_id), words, record)
    if isinstance(action, SendFile):
        ts = action.content.get(SOURCE, {}).get("ts")
        if ts is None:
            return Note(action_key(action.key, "audited"), record)
        subject = subject_of(portal.channel, action.key, ts, action.file_id)
        record = replace(record, subject=subject, ts=ts, part=action.file_id)
        return telling.in_slack(
            action.key, portal.channel, Ts(ts), _FILE_TO_MATRIX.format(words=withheld.words), record
        )
    return None


def _is_kept(withheld: Withheld) -> bool:
    """Tell whether what was said before stays: no edit crosses, so nothing is wrong with it."""
    return withheld.rule == f"kinds: {Kind.EDITS}"


def _withdrawn(event: MatrixMessage, portal: Portal, facts: Facts) -> Iterator[Action]:
    """Yield what takes away the copy of a message whose new state may not cross."""
    for number, link in enumerate(facts.of_event(event.edits or event.event_id)):
        if not link.deleted and link.origin is Origin.MATRIX and link.sender == event.sender:
            key = action_key(event.source, "withdrawn", number)
            yield DeleteMessage(
                key, portal.channel, link.ts, RecordDeletion(link.ts), bool(link.digest), link.thread_ts
            )


def _record(withheld: Withheld, source: str, portal: Portal, ts: str = "", part: str = "") -> RecordWithheld:
    return RecordWithheld(withheld.rule, subject_of(portal.channel, source, ts, part))


def _place(event: SlackEvent) -> tuple[str, str]:
    """Return the time of the message that an event is about, and which part of it."""
    match event:
        case SlackReaction():
            return event.ts, reaction_of(event.name, event.user)
        case SlackPin():
            return event.ts, PIN
        case SlackFileCame():
            return event.ts, event.file.id
        case SlackDeletion():
            return event.ts, ""
        case _:
            return "", ""


def _line_in_room(source: str, words: str, room: RoomId, bot: MatrixUserId) -> SendEvent:
    key = action_key(source, "line")
    return SendEvent(key, room, bot, "m.room.message", {**notice(words), STAMP: key})
