"""What people change on the other side from where they said it: by an own hand in Slack, in an own account in Matrix.

What somebody wrote in Matrix by their own hand, they can edit in Slack. Nobody can replace what somebody else said, so
their own account does where the bridge may act as it; otherwise their ghost answers the message with how it reads now,
and that answer (part `"edited"`) is what later edits replace and a deletion takes along. So it is where one message of
Slack is not all that the event shows: a piece of a long one, a file's caption.

What somebody wrote in Slack, and their own account shows in Matrix, they can edit and delete there. By their own hand
that is done in Slack; who has none is told, for only they themself can do it.

Each edit that we make so comes back from the side on which we made it. It is known by its name, which is kept with the
link: the digest of what Slack shows, the id of the event in Matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.actions import STAMP, DeleteMessage, Note, RecordDeletion, RecordEdit, SendEvent, UpdateMessage
from portals.events import Ignored, MatrixMessage, Undeliverable
from portals.facts import Origin
from portals.ids import action_key
from portals.relay import content
from portals.text.document import ITALIC, Document, Paragraph, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portals.actions import Action
    from portals.events import MatrixRedaction, SlackMessage
    from portals.facts import Facts, Link, Portal
    from portals.text import SlackText

EDITED = "edited"
COPY = "channel"
_CONNECT = "To have it done there too, connect your own account: write `connect` to the bridge's bot."


# --- said in Matrix, changed in Slack


def edited(event: SlackMessage, links: Iterable[Link]) -> Link | None:
    """Return the link of what somebody said in Matrix, where the event is their own edit of it in Slack."""
    for link in links:
        if link.origin is Origin.MATRIX and link.hand and not link.deleted:
            is_news = event.digest not in link.shown and not _is_older(event, link)
            return link if event.edited and event.author.id == link.hand and is_news else None
    return None


def _is_older(event: SlackMessage, link: Link) -> bool:
    """Tell whether a state is older than the one that is shown; history tells whole seconds of an edit."""
    if event.changed:
        return event.version < link.version
    return event.version.partition(".")[0] < link.version.partition(".")[0]


def is_replaced(link: Link, facts: Facts) -> bool:
    """Tell whether the event can be replaced: Slack's message is all that it shows, and its author's account acts."""
    acts = link.hand is not None and facts.puppet(link.hand) == link.sender
    is_all = len(facts.of_event(link.event_id)) == 1 and not link.digest
    has_answer = any(one.part.startswith(EDITED) and not one.deleted for one in facts.of_message(link.ts))
    return acts and is_all and not has_answer


def answer(document: Document) -> Document:
    """Return how a message reads now, as an answer to it says so."""
    if document.is_empty():
        return Document((Paragraph((Text("edited in Slack: no words are left", ITALIC),)),))
    return Document((Paragraph((Text("edited in Slack:", ITALIC),)), *document.blocks))


def seen(event: SlackMessage, links: Sequence[Link]) -> RecordEdit:
    """Return what remembers that the state that Slack shows now is the one that the room shows."""
    said = next((link for link in links if link.origin is Origin.MATRIX), None)
    names = {name for link in links for name in link.shown if name.startswith("$")}
    if said is None:
        return RecordEdit(event.ts, event.digest, event.version, " ".join(sorted(names)))
    return RecordEdit(event.ts, said.digest, event.version, " ".join(sorted({*names, event.digest})))


def coming_back(link: Link) -> RecordEdit:
    """Return what remembers the name of a state that comes back to us, once the action yields it."""
    return RecordEdit(link.ts, link.digest, link.version, None)


# --- said in Slack, changed in Matrix


def edit(
    event: MatrixMessage, shown: Sequence[Link], pieces: Sequence[SlackText], portal: Portal, facts: Facts
) -> tuple[Action, ...] | Ignored | Undeliverable:
    """Return what becomes of an edit of what Slack shows as somebody's own: it is theirs there as well."""
    link = shown[0]
    if link.origin is not Origin.SLACK or link.sender != event.sender:
        return Ignored("an edit by somebody who did not write the message")
    if facts.hand is None:
        return (_told(event, portal, facts, "In Slack this stays as it was"),)
    texts = [one for one in facts.of_message(link.ts) if not _is_file(one) and not one.part.startswith(COPY)]
    if len(texts) > 1 or _is_file(link) or event.file is not None:
        return Undeliverable("only a message of words, and all of it, can be edited in Slack from here")
    if len(pieces) != 1:
        return Undeliverable("Slack takes no edit without words, or of so many")
    (piece,) = pieces
    is_all = len(facts.of_message(link.ts)) == 1
    key = action_key(event.source, 0)
    record = coming_back(link) if is_all else None  # what else shows it is changed by what comes back
    return (UpdateMessage(key, portal.channel, link.ts, piece.text, piece.blocks, record, facts.hand),)


def take_back(event: MatrixRedaction, shown: Sequence[Link], portal: Portal, facts: Facts) -> tuple[Action, ...]:
    """Return what becomes of a redaction of what came from Slack: it goes there if all of it is gone, and is theirs.

    What others redact, moderators mostly, is gone from the room alone.
    """
    notes = tuple(
        Note(action_key(event.source, number), RecordDeletion(link.ts, link.part)) for number, link in enumerate(shown)
    )
    link = shown[0]
    ghost = facts.names.ghost(portal.team, facts.hand) if facts.hand is not None else None
    if link.sender not in (event.sender, ghost) or link.part.startswith((COPY, EDITED)):
        return notes
    if facts.hand is None:
        return (*notes, _told(event, portal, facts, "In Slack this stays"))
    parts = [one for one in facts.of_message(link.ts) if not one.part.startswith(COPY)]
    if any(one not in shown and not one.deleted for one in parts):
        words = "In Slack this stays until all of the message is deleted, its words and its files"
        return (*notes, _told(event, portal, facts, words, more=False))
    has_file = any(map(_is_file, parts))
    delete = DeleteMessage(
        key=action_key(event.source, 0),
        channel=portal.channel,
        ts=link.ts,
        record=RecordDeletion(link.ts, link.part),
        has_file=has_file,
        thread_ts=link.thread_ts,
        hand=facts.hand,
    )
    return (delete, *notes[1:])


def _told(
    event: MatrixMessage | MatrixRedaction, portal: Portal, facts: Facts, words: str, *, more: bool = True
) -> SendEvent:
    """Return the notice that tells somebody what Slack still shows of theirs."""
    key = action_key(event.source, "told")
    target = event.event_id if isinstance(event, MatrixMessage) else event.target
    said = content.notice(f"{words}. {_CONNECT}" if more else f"{words}.")
    said |= {"m.relates_to": {"m.in_reply_to": {"event_id": target}}, STAMP: key}
    return SendEvent(key, event.room, facts.names.bot, "m.room.message", said)


def _is_file(link: Link) -> bool:
    return link.part.startswith("F")
