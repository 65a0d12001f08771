"""The ledger of one portal for as long as a process lasts: what was shown, and who reacted to it.

It answers needs and keeps records as `bridge.store.links` does with a database, for callers without one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portals.actions import RecordDeletion, RecordEdit, RecordLink, RecordReaction, RecordUnreaction
from portals.facts import Link, Origin, ReactionLink
from portals.ids import EventId, MatrixUserId, SlackUserId, Ts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from portals.actions import Record
    from portals.facts import Needs

Answer = tuple[tuple[Link, ...], tuple[ReactionLink, ...], dict[Ts, tuple[EventId, EventId]]]


class Memory:
    """Links by (ts, part) and reactions by (ts, emoji, person), in the order in which they came."""

    def __init__(self) -> None:
        self._links: dict[tuple[str, str], Link] = {}
        self._reactions: dict[tuple[str, str, str], ReactionLink] = {}

    def answer(self, needs: Needs) -> Answer:
        """Return the links, the reactions and the ends of threads that are needed."""
        links = self._of(needs.messages, needs.events)
        if needs.whole:
            links = self._of({link.ts for link in links}, {link.event_id for link in links} - {""})
        messages = {link.ts for link in links} | needs.messages
        messages |= {one.ts for one in self._reactions.values() if one.event_id in needs.events}
        reactions = [one for one in self._reactions.values() if one.ts in messages] if needs.reactions else []
        ends = {thread: found for thread in needs.tails if (found := self._ends(thread))}
        return tuple(links), tuple(reactions), ends

    def _of(self, messages: Collection[Ts], events: Collection[EventId]) -> list[Link]:
        return [link for link in self._links.values() if link.ts in messages or link.event_id in events]

    def _ends(self, thread: Ts) -> tuple[EventId, EventId] | None:
        found = [one.event_id for one in self._links.values() if one.thread_ts == thread and not one.deleted]
        return (found[0], found[-1]) if found else None

    def record(self, what: Record | None, result: str) -> None:
        """Keep what an action says of itself; `result` is the event id or ts that it yielded."""
        match what:
            case RecordLink():
                link = Link(
                    ts=Ts(what.ts or result),
                    part=what.part,
                    event_id=EventId(what.event_id or result),
                    origin=Origin(what.origin),
                    sender=MatrixUserId(what.sender),
                    thread_ts=Ts(what.thread_ts) if what.thread_ts else None,
                    digest=what.digest,
                    version=Ts(what.version),
                    hand=SlackUserId(what.hand) if what.hand else None,
                )
                self._links.setdefault((link.ts, link.part), link)
            case RecordReaction():
                event_id = EventId(what.event_id or result)
                reaction = ReactionLink(Ts(what.ts), what.emoji, what.person, event_id, Origin(what.origin))
                self._reactions[what.ts, what.emoji, what.person] = reaction
            case RecordEdit(shown=None):
                self._change(what.ts, None, lambda link: replace(link, shown=link.shown | {result}))
            case RecordEdit():
                shown, version = frozenset((what.shown or "").split()), Ts(what.version)
                self._change(
                    what.ts, None, lambda link: replace(link, digest=what.digest, version=version, shown=shown)
                )
            case RecordDeletion():
                self._change(what.ts, what.part, lambda link: replace(link, deleted=True))
                if what.part is None and not any(ts == what.ts for ts, _ in self._links):
                    gone = Link(Ts(what.ts), "", EventId(""), Origin.SLACK, MatrixUserId(""), deleted=True)
                    self._links[what.ts, ""] = gone
            case RecordUnreaction():
                self._reactions.pop((what.ts, what.emoji, what.person), None)

    def _change(self, ts: str, part: str | None, changed: Callable[[Link], Link]) -> None:
        for key, link in self._links.items():
            if key[0] == ts and part in (None, key[1]):
                self._links[key] = changed(link)
