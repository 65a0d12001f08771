"""What becomes of a change of the room itself: pins and topics that people of Matrix set, in the channel.

Who may change them is the room's matter; its homeserver let nobody else through. The room's name stays its own: Slack
lets a bot rename nothing but the channels that it made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals import text
from portals.actions import RecordPin, SetPin, SetTopic
from portals.events import Ignored, MatrixPins, MatrixTopic, Undeliverable
from portals.facts import Needs
from portals.ids import action_key
from portals.relay import content
from portals.relay.naming import names_of
from portals.text.document import clean

if TYPE_CHECKING:
    from portals.actions import Action
    from portals.facts import Facts, Portal
    from portals.ids import EventId, Ts

_LONGEST_TOPIC = 250
"""https://docs.slack.dev/reference/methods/conversations.setTopic"""


def needs(event: MatrixPins | MatrixTopic) -> Needs:
    """Return what must be known before the change can be decided."""
    if isinstance(event, MatrixTopic):
        return Needs(description=True, speaker=event.sender)
    changed = frozenset(event.added + event.removed)
    return Needs(
        events=changed | frozenset(event.pinned if event.removed else ()), targets=changed, speaker=event.sender
    )


def decide(
    event: MatrixPins | MatrixTopic, portal: Portal, facts: Facts
) -> tuple[Action, ...] | Ignored | Undeliverable:
    """Return what to do in the portal's channel, why nothing is to be done, or why it cannot be done."""
    return _topic(event, portal, facts) if isinstance(event, MatrixTopic) else _pins(event, portal, facts)


def _pins(event: MatrixPins, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    """Pin what was added; take off what was removed, if none of the other events of the same message stays."""
    kept = {ts for one in event.pinned if (ts := _ts(one, facts)) is not None}
    added = dict.fromkeys(ts for one in event.added if (ts := _ts(one, facts)) is not None)
    removed = dict.fromkeys(ts for one in event.removed if (ts := _ts(one, facts)) is not None and ts not in kept)
    changes = [*((ts, True) for ts in added), *((ts, False) for ts in removed)]
    if not changes:
        return Ignored("pins of messages that are not in Slack")
    return tuple(
        SetPin(action_key(event.source, "pin", ts), portal.channel, ts, pinned, RecordPin(ts, pinned))
        for ts, pinned in changes
    )


def _ts(event: EventId, facts: Facts) -> Ts | None:
    return next((link.ts for link in facts.of_event(event) if not link.deleted), None)


def _topic(event: MatrixTopic, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored | Undeliverable:
    """Set the topic to what stands before the channel's purpose, which the room shows in the same place.

    Nothing is recorded: Slack tells of the new topic like of any other, and the room shows it already.
    """
    if not facts.rules.topic_to_slack:
        return Ignored("topics that are set in Matrix stay there")
    names = names_of(facts)
    purpose = content.topic("", portal.purpose, names)
    said = clean(event.topic).strip()
    said = "" if said == purpose else said.removesuffix(f"\n{purpose}") if purpose else said
    said = " ".join(said.split())
    if said == " ".join(content.topic(portal.topic, "", names).split()):
        return Ignored("the topic that the channel has already")
    if len(said) > _LONGEST_TOPIC:
        return Undeliverable(f"Slack takes no topic of more than {_LONGEST_TOPIC} characters")
    return (SetTopic(action_key(event.source), portal.channel, text.escape_mrkdwn(said)),)
