"""What becomes of a message that somebody still writes in a channel which has moved to Matrix.

It comes across like any other, so that nothing is lost; and its author is told, once, in a thread below it, where the
others are. Bots are told nothing, nor are the authors of what was written before the channel moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.actions import PostMessage, RecordTold
from portals.events import Ignored
from portals.facts import PortalState
from portals.ids import action_key
from portals.permalinks import matrix_address

if TYPE_CHECKING:
    from portals.actions import Action
    from portals.events import SlackMessage
    from portals.facts import Facts, Portal
    from portals.ids import SlackUserId


def writer_of(event: SlackMessage) -> SlackUserId | None:
    """Return whom a message may make it necessary to tell; None for what no person wrote just now."""
    is_spoken = not (event.own or event.changed or event.system or event.author.is_bot)
    return event.author.id if is_spoken else None


def with_word(
    decision: tuple[Action, ...] | Ignored, event: SlackMessage, portal: Portal, facts: Facts
) -> tuple[Action, ...] | Ignored:
    """Return what is done about a message, and behind it the word to its author where that is due."""
    person = writer_of(event)
    is_late = facts.moved_at is not None and event.ts >= facts.moved_at
    if isinstance(decision, Ignored) or person is None or portal.state is not PortalState.FROZEN or not is_late:
        return decision
    if facts.of_message(event.ts) or not facts.rules.moved or portal.room is None:
        return decision
    link = f"<{matrix_address(portal.room, None, facts.names.domain)}>"
    word = PostMessage(
        key=action_key(event.source, "moved"),
        channel=portal.channel,
        text=facts.rules.moved.format(link=link, channel=portal.name),
        blocks=(),
        username="",
        thread_ts=event.thread_ts or event.ts,
        record=RecordTold(person),
        unfurl=False,
    )
    return (*decision, word)
