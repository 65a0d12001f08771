"""What becomes of a change of the channel itself: its name, topic, pins and members' access show in the room's state.

All of these are states, not events: each says what is so from now on, is ignored where the portal's row says that it is
so already, and may be performed twice. Slack tells of an archived or converted channel twice, by an event and by a
message; the second is ignored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portals import text
from portals.actions import (
    STAMP,
    ChangePins,
    CloseRoom,
    Note,
    RecordChannel,
    RecordPin,
    RecordTrouble,
    SendEvent,
    SetState,
)
from portals.events import Ignored, SlackBotMembership, SlackChannelChange, SlackPin
from portals.facts import Needs
from portals.ids import ChannelId, SlackUserId, action_key
from portals.permalinks import slack_place
from portals.relay import content
from portals.relay.naming import names_of
from portals.text import Document

if TYPE_CHECKING:
    from portals.actions import Action, Record
    from portals.facts import Facts, Portal

_REMOVED = "the bridge's bot is not in the channel any more: invite it in Slack with /invite"


def needs(event: SlackChannelChange | SlackPin | SlackBotMembership) -> Needs:
    """Return what must be known before the change can be decided."""
    match event:
        case SlackPin():
            return Needs(messages=frozenset([event.ts]), targets=frozenset([event.ts]))
        case SlackChannelChange():
            if event.topic is None and event.purpose is None:
                return Needs()
            return replace(mentioned(event.topic or "", event.purpose or ""), description=True)
        case SlackBotMembership():
            return Needs()


def mentioned(topic: str, purpose: str) -> Needs:
    """Return what must be known to show a channel's topic and purpose."""
    said = text.mentions(Document(text.from_slack(topic).blocks + text.from_slack(purpose).blocks))
    return Needs(
        slack_users=frozenset(map(SlackUserId, said.slack_users)),
        channels=frozenset(map(ChannelId, said.channels)),
        usergroups=said.usergroups,
        links=frozenset(link for link in said.links if slack_place(link)),
    )


def decide(
    event: SlackChannelChange | SlackPin | SlackBotMembership, portal: Portal, facts: Facts
) -> tuple[Action, ...] | Ignored:
    """Return what to do in the portal's room, or why nothing is to be done."""
    match event:
        case SlackPin():
            return _pin(event, portal, facts)
        case _ if portal.has_moved:
            return _unseen(event, portal)
        case SlackBotMembership():
            return _bot(event, portal, facts)
        case SlackChannelChange(archived=None, private=None):
            return _describe(event, portal, facts)
        case SlackChannelChange(archived=None):
            return _convert(event, portal, facts)
        case SlackChannelChange():
            return _close(event, portal, facts)


def _unseen(event: SlackChannelChange | SlackBotMembership, portal: Portal) -> tuple[Action, ...] | Ignored:
    """Note what must be known should the channel come back; the room has moved and shows nothing of it."""
    record: Record | None = None
    if isinstance(event, SlackChannelChange):
        if event.archived is not None and event.archived != portal.archived:
            record = RecordChannel(archived=event.archived)
    elif event.joined is bool(portal.trouble):
        record = RecordTrouble("" if event.joined else _REMOVED)
    if record is None:
        return Ignored("the channel has moved to Matrix: its room goes its own way")
    return (Note(action_key(event.source, "unseen"), record),)


def _pin(event: SlackPin, portal: Portal, facts: Facts) -> tuple[Action, ...]:
    """Pin the events that show the message; a pin on one that is not mirrored is known of and not shown."""
    assert portal.room is not None
    record = RecordPin(event.ts, event.pinned)
    links = [link for link in facts.of_message(event.ts) if link.event_id]
    if event.pinned:
        links = [link for link in links if not link.deleted]
    if not links:
        return (Note(action_key(event.source), record),)
    events = tuple(dict.fromkeys(link.event_id for link in links))
    return (ChangePins(action_key(event.source), portal.room, events, event.pinned, record),)


def _describe(event: SlackChannelChange, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    assert portal.room is not None
    key, room, bot = action_key(event.source), portal.room, facts.names.bot
    if event.name is not None:
        if event.name == portal.name:
            return Ignored("the name that the room has already")
        name = {"name": content.room_name(event.name)}
        return (SetState(key, room, bot, "m.room.name", "", name, RecordChannel(name=event.name)),)
    topic = portal.topic if event.topic is None else event.topic
    purpose = portal.purpose if event.purpose is None else event.purpose
    if (topic, purpose) == (portal.topic, portal.purpose):
        return Ignored("the topic that the room has already")
    shown = {"topic": content.topic(topic, purpose, names_of(facts))}
    record = RecordChannel(topic=event.topic, purpose=event.purpose)
    return (SetState(key, room, bot, "m.room.topic", "", shown, record),)


def _close(event: SlackChannelChange, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    assert portal.room is not None
    closed = bool(event.archived)
    if closed == portal.archived:
        return Ignored("the channel was archived already" if closed else "the channel was not archived")
    if event.deleted:
        words = "This channel was deleted in Slack. The room stays as it is, to be read only."
    elif closed:
        words = "This channel was archived in Slack. The room can only be read until it is opened again there."
    else:
        words = "This channel is open again in Slack, and so is this room."
    close = CloseRoom(action_key(event.source, "close"), portal.room, closed)
    return (close, _notice(event.source, portal, facts, words, RecordChannel(archived=closed)))


def _convert(event: SlackChannelChange, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    """Close the doors of a room that the bridge made; who is inside stays, and who may join others' rooms is theirs."""
    assert portal.room is not None
    private = bool(event.private)
    if private == portal.private:
        return Ignored("the channel is private already" if private else "the channel is public already")
    record = RecordChannel(private=private)
    if not private:
        words = "This channel is public now in Slack. Who may join this room stays as it was."
        return (_notice(event.source, portal, facts, words, record),)
    if portal.target != "create":
        words = "This channel is private now in Slack. Who may join this room is for its moderators to say."
        return (_notice(event.source, portal, facts, words, record),)
    words = "This channel is private now in Slack. From now on, only the invited can join this room."
    rule = {"join_rule": "invite"}
    key = action_key(event.source, "join rule")
    shut = SetState(key, portal.room, facts.names.bot, "m.room.join_rules", "", rule)
    return (shut, _notice(event.source, portal, facts, words, record))


def _bot(event: SlackBotMembership, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    """Say that nothing comes any more; when the bot is back, what was said meanwhile is looked for."""
    if event.joined and not portal.trouble:
        return Ignored("our own bot, which is there")
    if not event.joined and portal.trouble == _REMOVED:
        return Ignored("our own bot, of which that is known")
    if event.joined:
        words = "The bridge's bot is in the Slack channel again: what was said there meanwhile follows."
        return (_notice(event.source, portal, facts, words, RecordTrouble("")),)
    words = (
        "The bridge's bot was removed from the Slack channel. Nothing is carried across until somebody invites it "
        "there again."
    )
    return (_notice(event.source, portal, facts, words, RecordTrouble(_REMOVED)),)


def _notice(source: str, portal: Portal, facts: Facts, words: str, record: Record) -> SendEvent:
    assert portal.room is not None
    key = action_key(source, "notice")
    said = {**content.notice(words), STAMP: key}
    return SendEvent(key, portal.room, facts.names.bot, "m.room.message", said, record=record)
