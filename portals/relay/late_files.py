"""A file that could not be had when its message was shown, and came later, takes the place of the notice about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.actions import SOURCE, STAMP, SendFile
from portals.events import Ignored
from portals.facts import Needs
from portals.ids import action_key
from portals.relay import by_hand, content, files

if TYPE_CHECKING:
    from portals.actions import Action
    from portals.events import SlackFileCame
    from portals.facts import Facts, Portal


def needs(event: SlackFileCame) -> Needs:
    """Return what must be known before it is decided."""
    return Needs(messages=frozenset([event.ts]))


def decide(event: SlackFileCame, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    """Return the edit that shows the file where its notice is."""
    assert portal.room is not None
    link = next((one for one in facts.of_message(event.ts) if one.part == event.file.id and not one.deleted), None)
    if link is None:
        return Ignored("nothing is shown in the place of the file")
    if files.told(event.file, facts.rules) is not None:
        return Ignored("the file may not cross")
    key = action_key(event.source, "came")
    source = {"team": portal.team, "channel": event.channel, "ts": event.ts, "part": event.file.id}
    return (
        SendFile(
            key=key,
            room=portal.room,
            sender=link.sender,
            file_id=event.file.id,
            url="",
            name=event.file.name,
            mimetype=event.file.mimetype,
            size=event.file.size,
            content=content.edit(files.shown(event.file) | {SOURCE: source}, link.event_id) | {STAMP: key},
            fallback="",
            record=by_hand.coming_back(link),
        ),
    )
