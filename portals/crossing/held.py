"""What is held back on its way: for a moderator to decide about, or until quiet hours are over.

A message is held by its name, the ts or the event id, and leaves its lane: what is said behind it goes before it. What
its author makes of it meanwhile counts: the newest state is held, and judged anew, and a deletion ends it. When it is
decided, a row of its own goes the way again, with the verdict among the facts; whatever else the policy says by then
counts as for any message.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from portals.crossing.waiting import Verdict
from portals.events import MatrixMessage, MatrixRedaction, SlackDeletion, SlackMessage
from portals.ids import ts_to_ms

if TYPE_CHECKING:
    from portals.crossing.waiting import Held
    from portals.events import Event, MatrixEvent, SlackEvent
    from portals.facts import Facts

_APPROVING = frozenset("👍✅✔☑🆗")
_REFUSING = frozenset("👎❌✖🚫⛔")
_STYLE = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
RELEASED = "held:"
"""How the names of rows begin that go the way again."""
_CHANGE_IS_NEWS = 300
"""A change this many seconds after a message that was never seen shows the message itself: the change overtook it."""


def held_of(event: Event, facts: Facts) -> Held | None:
    """Return what is held that an event is, changes or deletes; None where nothing is."""
    match event:
        case SlackMessage() | SlackDeletion():
            name: str = event.ts
        case MatrixMessage():
            name = event.edits or event.event_id
        case MatrixRedaction():
            name = event.target
        case _:
            return None
    return next((one for one in facts.waiting.held if one.name == name), None)


def turn_of(event: Event, facts: Facts) -> Held | None:
    """Return what is held where an event is the very one that goes the way again."""
    held = held_of(event, facts)
    return held if held is not None and held.source == event.source and held.verdict else None


def flaw_of(event: Event, facts: Facts) -> str:
    """Return why nothing is done about an event, for what is held stays as it stands; nothing where something is."""
    held = held_of(event, facts)
    if event.source.startswith(RELEASED) and (held is None or held.source != event.source):
        return "it was changed or taken back while it was held"
    if held is None or isinstance(event, SlackDeletion | MatrixRedaction) or turn_of(event, facts) is not None:
        return ""
    if isinstance(event, SlackMessage) and digest_of(event) != held.digest:
        return ""
    if isinstance(event, MatrixMessage) and event.edits is not None and event.source != held.source:
        return "" if event.sender == held.author else "an edit by somebody who did not write the message"
    return "it is held, as it stands"


def as_new_in_slack(event: SlackEvent, facts: Facts) -> SlackEvent:
    """Return a change of what is held as the message itself, where the room never saw that."""
    if isinstance(event, SlackMessage) and held_of(event, facts) is not None and not facts.of_message(event.ts):
        return replace(event, changed=False)
    return event


def as_new_in_matrix(event: MatrixEvent, facts: Facts) -> MatrixEvent:
    """Return an edit of what is held as the message itself, where the channel never saw that."""
    if not isinstance(event, MatrixMessage) or event.edits is None or held_of(event, facts) is None:
        return event
    return event if facts.of_event(event.edits) else replace(event, event_id=event.edits, edits=None)


def digest_of(event: SlackMessage | MatrixMessage) -> str:
    """Name what a message says and shares; of Matrix each edit is another."""
    return " ".join((event.digest, *sorted(file.id for file in event.files))) if isinstance(event, SlackMessage) else ""


def is_news(event: SlackMessage) -> bool:
    """Tell whether a message that the room does not show is new to it: of an older one, a change alone is not."""
    return not event.changed or ts_to_ms(event.version or event.ts) - ts_to_ms(event.ts) <= _CHANGE_IS_NEWS * 1000


def verdict_of(reaction: str) -> Verdict:
    """Return what a moderator says by a reaction: thumb or tick, in any colour; NONE for all that says neither."""
    sign = _STYLE.sub("", reaction)
    return Verdict.APPROVED if sign in _APPROVING else Verdict.REFUSED if sign in _REFUSING else Verdict.NONE
