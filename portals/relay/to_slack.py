"""What becomes of something that happened in a Matrix room: `needs` says what must be known, `decide` what to do.

Who has connected their own account of Slack acts by their own hand. Anybody else appears there under their own name by
the app's right to customise (`chat:write.customize`), except beside files and in reactions, which Slack shows as the
app's own: a file's comment names its author, and of several equal reactions the app keeps one until the last of them is
taken back. What was posted by a hand is changed and deleted by that one; what somebody wrote in Slack themself, by
theirs (`by_hand`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portals import text
from portals.actions import (
    DeleteMessage,
    PostFile,
    PostMessage,
    RecordDeletion,
    RecordLink,
    UpdateMessage,
)
from portals.crossing import holding, withholding
from portals.crossing.held import as_new_in_matrix, flaw_of, held_of
from portals.crossing.judge import Waits, Withheld, judge
from portals.events import (
    Ignored,
    MatrixEvent,
    MatrixFile,
    MatrixMembership,
    MatrixMessage,
    MatrixPins,
    MatrixPollEnd,
    MatrixReaction,
    MatrixRedaction,
    MatrixTopic,
    Undeliverable,
)
from portals.facts import Needs, Origin
from portals.ids import MatrixUserId, RoomId, Ts, action_key
from portals.people import conversations
from portals.people.confusable import marked
from portals.permalinks import matrix_place
from portals.relay import by_hand, files, polls, reactions, replies, room_changes, wording
from portals.relay.naming import names_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portals.actions import Action, Content
    from portals.facts import Facts, Link, Portal
    from portals.text import Document, SlackText

_LONGEST_NAME = 80


def needs(event: MatrixEvent) -> Needs:
    """Return what must be known before the event can be decided."""
    match event:
        case MatrixMessage():
            said = text.mentions(wording.document(event))
            referred = frozenset(
                target for target in (event.edits, event.thread_root, event.reply_to) if target is not None
            )
            return Needs(
                matrix_users=frozenset(map(MatrixUserId, said.matrix_users)) | {event.sender},
                rooms=frozenset(map(RoomId, said.rooms)),
                emoji=said.emoji,
                links=frozenset(link for link in said.links if matrix_place(link)),
                events=referred | {event.event_id},
                whole=event.edits is not None,
                quoted=event if event.reply_to or event.edits else None,
                broadcaster=event.sender if said.room else None,
                targets=referred,
                speaker=event.sender,
            )
        case MatrixPollEnd():
            return Needs(
                matrix_users=frozenset([event.sender]),
                events=frozenset([event.poll, event.event_id]),
                poll=event.poll,
                targets=frozenset([event.poll]),
                speaker=event.sender,
            )
        case MatrixReaction():
            return reactions.needs_in_slack(event)
        case MatrixRedaction():
            return Needs(
                events=frozenset([event.target]),
                targets=frozenset([event.target]),
                reactions=True,
                speaker=event.sender,
                whole=True,
            )
        case MatrixPins() | MatrixTopic():
            return room_changes.needs(event)
        case MatrixMembership():
            return Needs()


def decide(event: MatrixEvent, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored | Undeliverable:
    """Return what to do in the portal's channel, why nothing is to be done, or why it cannot be done."""
    if portal.has_moved:
        return Ignored("the channel has moved to Matrix: what is said here stays here")
    if isinstance(event, MatrixMessage) and event.encrypted:
        return Undeliverable("it is encrypted, and this bridge does not read encrypted messages")
    if portal.is_conversation and (flaw := _flaw_in_conversation(event, facts)):
        return Undeliverable(flaw) if isinstance(event, MatrixMessage) else Ignored(flaw)
    flaw = flaw_of(event, facts)
    if flaw:
        return Ignored(flaw)
    event = as_new_in_matrix(event, facts)
    judged = judge(event, portal, facts)
    if isinstance(judged, Waits):
        return holding.in_slack(judged, event, portal, facts)
    if isinstance(judged, Withheld):
        withheld = withholding.in_slack(judged, event, portal, facts)
        return holding.ended(withheld, event, portal, facts, crosses=False)
    done = _done(event, portal, judged.facts)
    return done if isinstance(done, Undeliverable) else holding.ended(done, event, portal, facts, crosses=True)


def _done(event: MatrixEvent, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored | Undeliverable:
    match event:
        case MatrixMessage(edits=None):
            return _new(event, portal, facts)
        case MatrixMessage():
            return _edit(event, portal, facts)
        case MatrixPollEnd():
            return _close_poll(event, portal, facts)
        case MatrixReaction():
            return reactions.in_slack(event, portal, facts)
        case MatrixRedaction():
            return _redact(event, portal, facts)
        case MatrixPins() | MatrixTopic():
            return room_changes.decide(event, portal, facts)
        case MatrixMembership():
            return Ignored("memberships of Matrix people are not shown in Slack")


def _flaw_in_conversation(event: MatrixEvent, facts: Facts) -> str:
    """Return why something does not go into a direct conversation: only those who take part do anything there."""
    if isinstance(event, MatrixPins | MatrixTopic):
        return "pins and topics of direct conversations stay in Matrix"
    if facts.closed or isinstance(event, MatrixRedaction | MatrixMembership):  # a redaction goes by the hand that wrote
        return facts.closed
    return "" if facts.hand is not None else conversations.NOT_CONNECTED


# --- messages


def _new(event: MatrixMessage, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored | Undeliverable:
    if facts.of_event(event.event_id):
        return Ignored("relayed already")
    held = held_of(event, facts)
    thread = replies.thread(event, facts) or (held.thread if held is not None else None)  # an edit tells of none
    return _say(event, portal, facts, thread) or Ignored("a message without content")


def _say(event: MatrixMessage, portal: Portal, facts: Facts, thread: Ts | None) -> tuple[Action, ...] | Undeliverable:
    if event.file is not None:
        return _post_file(event, event.file, portal, facts, thread)
    return tuple(
        _post(event, portal, facts, piece, number, thread)
        for number, piece in enumerate(_pieces(event, portal, facts, signed=True))
    )


def _post(
    event: MatrixMessage | MatrixPollEnd, portal: Portal, facts: Facts, piece: SlackText, number: int, thread: Ts | None
) -> PostMessage:
    return PostMessage(
        key=action_key(event.source, number),
        channel=portal.channel,
        text=piece.text,
        blocks=piece.blocks,
        username=_name(event.sender, facts),
        icon_url=_icon(event.sender, facts),
        thread_ts=thread,
        record=_record(event, thread, facts),
        hand=facts.hand,
        unfurl=facts.quoted is None,  # the message that a quotation links to is shown by the quotation
    )


def _post_file(
    event: MatrixMessage, file: MatrixFile, portal: Portal, facts: Facts, thread: Ts | None
) -> tuple[Action, ...] | Undeliverable:
    limit = facts.rules.max_file_size
    if file.size > limit:
        return Undeliverable(f"the file is larger than the {files.size(limit)} that may cross")
    refusal = files.type_refusal(file.mimetype, facts.rules)
    if refusal:
        return Undeliverable(refusal)
    by_hand = facts.hand is not None
    beside, *more = _pieces(event, portal, facts, signed=not by_hand) or (text.SlackText(""),)
    return (
        PostFile(
            key=action_key(event.source, 0),
            channel=portal.channel,
            uri=file.uri,
            name=files.name_in_slack(file.name, file.mimetype),
            mimetype=file.mimetype,
            size=file.size,
            blocks=beside.blocks,
            encryption=file.encryption,
            thread_ts=thread,
            record=replace(_record(event, thread, facts), digest=file.uri),
            hand=facts.hand,
            signed=(*_signature(event, facts), *beside.blocks) if by_hand else (),
            alt=text.label_of(file.alt),
        ),
        *(_post(event, portal, facts, piece, number, thread) for number, piece in enumerate(more, 1)),
    )


def _close_poll(event: MatrixPollEnd, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    if facts.of_event(event.event_id):
        return Ignored("relayed already")
    shown = next((link for link in facts.of_event(event.poll) if not link.deleted), None)
    if shown is None or facts.poll is None:
        return Ignored("the end of a poll that is not in Slack")
    if not polls.may_close(event, facts.poll):
        return Ignored("the end of a poll by somebody who may not close it")
    return _posts(event, polls.result(event, facts.poll), portal, facts, shown.thread_ts)


def _edit(event: MatrixMessage, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored | Undeliverable:
    assert event.edits is not None
    shown = [link for link in facts.of_event(event.edits) if not link.deleted]
    if not shown:
        return Ignored("an edit of a message that is not in Slack")
    if any(link.origin is not Origin.MATRIX or link.sender != event.sender for link in shown):
        return by_hand.edit(event, shown, _pieces(event, portal, facts, signed=False), portal, facts)
    pieces = _pieces(event, portal, facts, signed=shown[0].hand is None)
    is_another = shown[0].digest != (event.file.uri if event.file else "")
    if not pieces and not (is_another and event.file):
        return Ignored("an edit that leaves nothing")
    if is_another:
        return _replaced(event, portal, facts, shown)
    return tuple(_edits(event, portal, facts, shown, pieces))


def _replaced(
    event: MatrixMessage, portal: Portal, facts: Facts, shown: Sequence[Link]
) -> tuple[Action, ...] | Undeliverable:
    """Put another file, or words in place of one, behind what is shown, and take that away: Slack exchanges no file."""
    thread = shown[0].thread_ts
    anew = replace(event, event_id=event.edits or event.event_id, edits=None)
    posts = _say(anew, portal, facts, thread)
    if isinstance(posts, Undeliverable):
        return posts
    first = len(posts)
    return (*posts, *(_deletion(event.source, number, link, portal) for number, link in enumerate(shown, first)))


def _edits(
    event: MatrixMessage, portal: Portal, facts: Facts, shown: Sequence[Link], pieces: Sequence[SlackText]
) -> Iterator[Action]:
    """Yield updates for the pieces that Slack shows, posts for what grew beyond them, deletions for what shrank."""
    thread, hand = shown[0].thread_ts, shown[0].hand
    for number, piece in enumerate(pieces):
        key = action_key(event.source, number)
        if number < len(shown):
            link = shown[number]
            record = by_hand.coming_back(link) if link.hand is not None else None
            yield UpdateMessage(key, portal.channel, link.ts, piece.text, piece.blocks, record, link.hand)
        else:
            yield PostMessage(
                key=key,
                channel=portal.channel,
                text=piece.text,
                blocks=piece.blocks,
                username=_name(event.sender, facts),
                icon_url=_icon(event.sender, facts),
                thread_ts=thread,
                record=RecordLink(
                    Origin.MATRIX, event.sender, event_id=str(event.edits), thread_ts=thread, hand=hand or ""
                ),
                hand=hand,
                unfurl=facts.quoted is None,
            )
    for number, link in enumerate(shown[len(pieces) :], start=len(pieces)):
        yield _deletion(event.source, number, link, portal)


def _pieces(event: MatrixMessage, portal: Portal, facts: Facts, *, signed: bool) -> tuple[SlackText, ...]:
    """Return the words of a message; beside a file its caption, behind the author's name where it is `signed`."""
    if event.file is None:
        said = replies.with_quotation(wording.document(event), portal, facts)
    else:
        caption = replies.with_quotation(wording.caption(event), portal, facts)
        said = wording.signed(caption, _name(event.sender, facts)) if signed else caption
    return text.to_slack(said, names_of(facts))


def _signature(event: MatrixMessage, facts: Facts) -> tuple[Content, ...]:
    """Return the blocks that name a file's author, for the app to put before the caption."""
    (name,) = text.to_slack(wording.signed(text.Document(), _name(event.sender, facts)), names_of(facts))
    return name.blocks


def _posts(
    event: MatrixMessage | MatrixPollEnd, said: Document, portal: Portal, facts: Facts, thread: Ts | None
) -> tuple[Action, ...]:
    """Return the posts that show a document under the name of the event's sender."""
    pieces = text.to_slack(said, names_of(facts))
    return tuple(_post(event, portal, facts, piece, number, thread) for number, piece in enumerate(pieces))


def _record(event: MatrixMessage | MatrixPollEnd, thread: Ts | None, facts: Facts) -> RecordLink:
    hand = facts.hand or ""
    return RecordLink(Origin.MATRIX, event.sender, event_id=event.event_id, thread_ts=thread, hand=hand)


def _name(user: MatrixUserId, facts: Facts) -> str:
    member = facts.members.get(user)
    localpart, _, server = user.removeprefix("@").partition(":")
    name = text.label_of(member.name if member else "", localpart)
    shown = facts.rules.name_template.format(name=name, user=user, localpart=localpart, server=server)
    others = {one for one in facts.lookalikes if (own := facts.accounts.get(one)) is None or own.id != user}
    return marked(shown, user, _LONGEST_NAME) if others and user not in shown else shown[:_LONGEST_NAME]


def _icon(user: MatrixUserId, facts: Facts) -> str:
    member = facts.members.get(user)
    return facts.rules.avatars.of(member.avatar) if facts.rules.avatars and member else ""


# --- redactions


def _redact(event: MatrixRedaction, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    redacted = [one for one in facts.reactions if one.event_id == event.target]
    if redacted:
        return reactions.taken_back_in_slack(event, redacted, portal, facts)
    shown = [link for link in facts.of_event(event.target) if not link.deleted]
    if not shown:
        return Ignored("a redaction of something that is not in Slack")
    if any(link.origin is Origin.SLACK for link in shown):
        return by_hand.take_back(event, shown, portal, facts)
    return tuple(_deletion(event.source, number, link, portal) for number, link in enumerate(shown))


def _deletion(source: str, number: int, link: Link, portal: Portal) -> DeleteMessage:
    """Delete one message of ours, and the file that it shares.

    An answer that tells of an edit in Slack, as only a hand's own has one, goes when Slack tells of the deletion.
    """
    record = RecordDeletion(link.ts, link.part if link.hand is not None else None)
    has_file = bool(link.digest)
    key = action_key(source, number)
    return DeleteMessage(key, portal.channel, link.ts, record, has_file, link.thread_ts, link.hand)
