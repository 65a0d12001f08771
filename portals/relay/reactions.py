"""Reactions, both ways.

Towards Matrix each is an annotation by the person's ghost, or by their own account. Slack has several names for one
emoji (`+1`, `thumbsup`) and takes each of them from the same person; Matrix takes a person's annotation once, so it
stands for all of those names and goes with the last of them. So does one that a person made on both sides.

Towards Slack, who has connected their account there reacts by their own hand. For all others the app reacts: of several
equal reactions it keeps one until the last of them is taken back. Slack takes 23 different ones of one user on one
message; whoever makes the next is told so. A custom emoji crosses by its picture or by its name, where Slack has an
emoji of that name; what is no emoji of Slack's does not cross. What comes back from Slack as a hand's is known by that.
What somebody put on a message in Slack and takes back in Matrix goes in Slack by their own hand, if they have one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portals.actions import (
    STAMP,
    AddReaction,
    Note,
    RecordReaction,
    RecordUnreaction,
    RedactEvent,
    RemoveReaction,
    SendEvent,
)
from portals.events import Ignored, MatrixReaction, MatrixRedaction, SlackReaction, Undeliverable
from portals.facts import Needs, Origin
from portals.ids import Ts, action_key, ts_to_ms
from portals.text import emoji

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portals.actions import Action
    from portals.facts import Facts, Portal, ReactionLink
    from portals.ids import ActionKey

MOST = 23
"""How many different reactions one user may put on a message (`too_many_reactions` of reactions.add)."""


# --- towards Matrix


def needs_in_matrix(event: SlackReaction) -> Needs:
    """Return what must be known of a reaction in Slack."""
    return Needs(
        slack_users=frozenset([event.user]),
        author=event.user,
        messages=frozenset([event.ts]),
        targets=frozenset([event.ts]),
        emoji=frozenset([event.name]),
        reactions=True,
    )


def in_matrix(event: SlackReaction, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    """Return what a reaction in Slack, or its end, becomes in the room."""
    assert portal.room is not None
    own = [one for one in facts.reactions if (one.ts, one.person) == (event.ts, event.user)]
    known = next((one for one in own if one.emoji == event.name), None)
    key = action_key(event.source)
    by_hand = next((one for one in facts.reactions if _is_by_hand(one, event)), None)
    if by_hand is not None:
        return _of_hand(by_hand, event, key, portal, facts)
    if not event.added:
        record = RecordUnreaction(event.ts, event.name, event.user, event.as_of)
        if known is None and not facts.of_message(event.ts):
            return Ignored("a reaction on a message that is not mirrored is gone")
        if known is None:
            return (Note(key, record),)
        if not known.event_id or any(one is not known and one.event_id == known.event_id for one in facts.reactions):
            return (Note(key, record),)
        sender = known.sender or facts.names.ghost(portal.team, event.user)
        return (RedactEvent(key, portal.room, sender, known.event_id, record=record),)
    if known is not None:
        return Ignored("a reaction that is shown already")
    target = next((link.event_id for link in facts.of_message(event.ts) if not link.deleted and link.event_id), None)
    if target is None:
        return Ignored("a reaction to a message that is not mirrored")
    shown = emoji.unicode_of(event.name) or facts.emoji.get(event.name) or f":{event.name}:"
    said: dict[str, Any] = {"m.relates_to": {"rel_type": "m.annotation", "event_id": target, "key": shown}, STAMP: key}
    if shown.startswith("mxc://"):
        said["shortcode"] = said["com.beeper.reaction.shortcode"] = f":{event.name}:"
    sender = facts.sender(event.user)
    reaction = RecordReaction(
        Origin.SLACK, event.ts, event.name, event.user, as_of=event.as_of, sender=facts.puppet(event.user) or ""
    )
    time = ts_to_ms(event.ts) if event.historic else None
    ghost = facts.stand_in(event.user, sender)
    return (SendEvent(key, portal.room, sender, "m.reaction", said, time, reaction, ghost),)


def _is_by_hand(one: ReactionLink, event: SlackReaction) -> bool:
    """Tell whether we made this reaction in Slack as the person who made it; Slack may tell it by another name."""
    return (one.ts, one.hand) == (event.ts, event.user) and emoji.is_same(one.emoji, event.name)


def _of_hand(
    made: ReactionLink, event: SlackReaction, key: ActionKey, portal: Portal, facts: Facts
) -> tuple[Action, ...] | Ignored:
    """Return what becomes of a reaction that came from Matrix: taken back in Slack, it goes in Matrix as well."""
    if event.added:
        return Ignored("our own reaction, by its author's hand")
    assert portal.room is not None
    record = RecordUnreaction(made.ts, made.emoji, made.person, event.as_of)
    sender = facts.puppet(event.user) or facts.names.bot
    return (RedactEvent(key, portal.room, sender, made.event_id, record=record),)


# --- towards Slack


def needs_in_slack(event: MatrixReaction) -> Needs:
    """Return what must be known of a reaction in Matrix."""
    is_standard = emoji.name_of(event.key) is not None
    name = _typed(event.key) or event.shortcode
    return Needs(
        events=frozenset([event.target, event.event_id]),
        targets=frozenset([event.target]),
        speaker=event.sender,
        reactions=True,
        emoji=frozenset([name] if name and not is_standard and emoji.unicode_of(name) is None else []),
        pictures=frozenset([event.key] if event.key.startswith("mxc://") else []),
    )


def in_slack(event: MatrixReaction, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored | Undeliverable:
    """Return what a reaction in the room becomes in Slack."""
    if any(reaction.event_id == event.event_id for reaction in facts.reactions):
        return Ignored("relayed already")
    link = next((link for link in facts.of_event(event.target) if not link.deleted), None)
    if link is None:
        return Ignored("a reaction to a message that is not in Slack")
    there = [one for one in facts.reactions if one.ts == link.ts]
    name = _name(event, there, facts)
    if not name:
        return Ignored("a reaction that is no emoji of Slack's")
    ours = [one for one in there if one.origin is Origin.MATRIX]
    if any((one.emoji, one.person) == (name, event.sender) for one in ours):
        return Ignored("the same reaction by the same person is in Slack already")
    key = action_key(event.source)
    hand = facts.hand
    record = RecordReaction(Origin.MATRIX, link.ts, name, event.sender, event.event_id, hand=hand or "")
    if hand is not None:
        return (AddReaction(key, portal.channel, link.ts, name, record, hand),)
    names = {one.emoji for one in ours if one.hand is None}
    if name in names:
        return (Note(key, record),)
    if len(names) >= MOST:
        return Undeliverable(f"Slack takes no more than {MOST} different reactions on one message from the bridge")
    return (AddReaction(key, portal.channel, link.ts, name, record),)


def _name(event: MatrixReaction, there: Sequence[ReactionLink], facts: Facts) -> str:
    """Return Slack's name of a reaction, or nothing.

    A custom one has a name where its picture is known, where Slack has an emoji of that name, or where somebody has put
    it on this very message.
    """
    standard = emoji.name_of(event.key) or facts.pictures.get(event.key)
    if standard:
        return standard
    for name in (_typed(event.key), event.shortcode):
        if name and (
            emoji.unicode_of(name) is not None or name in facts.emoji or any(one.emoji == name for one in there)
        ):
            return name
    return ""


def _typed(key: str) -> str:
    """Return the name of an emoji that is shown as `:name:`, for want of its picture."""
    found = emoji.NAMED.fullmatch(key)
    return found[1] if found else ""


def taken_back_in_slack(
    event: MatrixRedaction, redacted: Sequence[ReactionLink], portal: Portal, facts: Facts
) -> tuple[Action, ...]:
    """Return what to do when the annotation that stands for these reactions was redacted."""
    actions: list[Action] = []
    for number, one in enumerate(redacted):
        key = action_key(event.source, number) if number else action_key(event.source)
        record = RecordUnreaction(one.ts, one.emoji, one.person)
        if one.origin is Origin.SLACK and one.person == facts.hand:
            actions.append(RemoveReaction(key, portal.channel, Ts(one.ts), one.emoji, record, facts.hand))
        elif one.origin is not Origin.MATRIX or _is_shared(one, facts):
            actions.append(Note(key, record))
        else:
            actions.append(RemoveReaction(key, portal.channel, Ts(one.ts), one.emoji, record, one.hand))
    return tuple(actions)


def _is_shared(reaction: ReactionLink, facts: Facts) -> bool:
    """Tell whether Slack shows the app's reaction for somebody else as well."""
    return any(
        one.origin is Origin.MATRIX
        and (one.ts, one.emoji, one.hand) == (reaction.ts, reaction.emoji, reaction.hand)
        and one.event_id != reaction.event_id
        for one in facts.reactions
    )
