"""One channel read through Slack's Web API: its history backwards, its threads, its reactions, members and pins.

    history   newest page first, each asked for by the oldest time that was told: a cursor dies, a time does not
    threads   one call for each root that counts replies; a second reading leaves out those that are as they were
    about     reactions with more people than a message names; members; pins where the history counts any

Promises: each page is kept before the next is asked for, so none is asked twice. What Slack does not show is told as a
problem, with what to do about it: never passed over in silence.
"""

from __future__ import annotations

from asyncio import Semaphore
from typing import TYPE_CHECKING, Final, TypeVar

from bridge.errors import Refused
from bridge.exports.asking import is_hopeless
from bridge.exports.shelf import ABOUT, HISTORY, REFUSED, THREADS, Met, Root
from portals.history.compare import roots
from portals.history.export import Problem, moment, whole_seconds
from portals.ids import is_slack_id
from portals.reading.slack_messages import cut_reactions
from portals.reading.values import mapping, text_of, ts_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bridge.exports.asking import Asking, Page
    from bridge.exports.outlook import Outlook, Progress
    from bridge.exports.readings import Roll
    from bridge.exports.shelf import Listed, Shelf
    from bridge.slack.wire import Fields
    from portals.history.selection import Selection
    from portals.ids import Ts

T = TypeVar("T")

_AT_ONCE: Final = 3
"""Channels whose histories are read at the same time, and as many whose threads are: enough to use Slack's rates up."""

_NO_END: Final = "Slack says that there is more and does not show it: read it again later"
_CUT_OFF: Final = "Slack hides the older messages of a workspace on its free plan: they come with a paid plan alone"


class ChannelReader:
    """Reads channels, several at a time.

    `latest` is the time before which everything is wanted, `changing_since` the one since when a thread is read again
    though it has no new replies. `joins` lets the bot join public channels, which people there see.
    """

    def __init__(
        self,
        asking: Asking,
        shelf: Shelf,
        roll: Roll,
        outlook: Outlook,
        *,
        selection: Selection,
        latest: str,
        changing_since: str,
        joins: bool,
        on_progress: Callable[[Progress], object],
    ) -> None:
        self._asking = asking
        self._shelf = shelf
        self._roll = roll
        self._outlook = outlook
        self._selection = selection
        self._latest = latest
        self._changing_since = changing_since
        self._joins = joins
        self._on_progress = on_progress
        self._histories, self._threads = Semaphore(_AT_ONCE), Semaphore(_AT_ONCE)
        self._forbidden: set[str] = set()

    async def read(self, channel: Listed) -> None:
        """Read what is left of a channel. Raises Later, and Refused where no other channel would fare better."""
        try:
            phase, pinned = channel.phase, channel.pinned
            if phase == REFUSED:  # before the interruption; somebody may have mended it since
                self._roll.forget(channel.shown)
                phase = HISTORY
            if phase == HISTORY:
                async with self._histories:
                    pinned = await self._read_history(channel)
                phase = THREADS
            if phase == THREADS:
                async with self._threads:
                    await self._read_threads(channel)
                phase = ABOUT
            if phase == ABOUT:
                await self._read_about(channel, pinned)
        except Refused as refused:
            if is_hopeless(refused.code):
                raise
            self._roll.tell(Problem(channel.shown, _words(channel, refused)))
            self._shelf.refuse(channel.id)
        self._outlook.over(channel)
        self._tell()

    def _tell(self) -> None:
        self._on_progress(self._outlook.progress(limited=self._asking.limited))

    # --- history

    async def _read_history(self, channel: Listed) -> bool:
        """Return whether something is pinned in it, as far as Slack says so."""
        latest, cursor, pinned = channel.reached or self._latest, None, True
        while True:
            page = await self._history(channel, latest, cursor)
            if page.pins is not None:
                pinned = page.pins > 0
            if page.cut_off:
                self._roll.tell(Problem(channel.shown, _CUT_OFF))
            met = self._met(channel, page)
            reached = min((message.ts for message in met), default=latest)
            threads = self._roots(page)
            kept = [message for message in met if self._selection.selects(message.ts)]
            self._shelf.keep_page(channel.id, kept, threads, reached=reached)
            newest = max((message.ts for message in met), default=latest)
            self._outlook.page(channel, newest, reached, len(kept), len(threads))
            self._tell()
            # Slack may filter a whole page away; only its own cursor leads past it.
            cursor = page.cursor if reached == latest else None
            if page.more and reached == latest and not cursor:
                self._roll.tell(Problem(channel.shown, _NO_END))
            elif page.more:
                latest = reached
                continue
            self._shelf.end_history(channel.id, pinned=pinned, changing_since=self._changing_since)
            return pinned

    async def _history(self, channel: Listed, latest: str, cursor: str | None) -> Page:
        try:
            return await self._asking.history(channel.id, latest, cursor)
        except Refused as refused:
            may_join = self._joins and channel.kind == "public" and not channel.archived
            if refused.code != "not_in_channel" or not may_join:
                raise
        await self._asking.patiently(lambda: self._asking.client.join(channel.id))
        return await self._asking.history(channel.id, latest, cursor)

    def _met(self, channel: Listed, page: Page) -> list[Met]:
        met = []
        for message in page.messages:
            body = message if isinstance(message, dict) else {}
            if ts := ts_of(body.get("ts")):
                thread, author = ts_of(body.get("thread_ts")), text_of(body.get("user"))
                met.append(
                    Met(
                        ts,
                        body,
                        thread if thread and thread != ts else None,
                        author if is_slack_id(author) else "",
                        bool(cut_reactions(body)),
                    )
                )
            else:
                self._roll.tell(Problem(channel.shown, "Slack sent a message without a time stamp: it is left out"))
        return met

    def _roots(self, page: Page) -> list[Root]:
        found = roots(message for message in page.messages if isinstance(message, dict))
        return [Root(ts, replies, latest) for ts, replies, latest in found if not latest or self._reaches(latest)]

    def _reaches(self, latest: str) -> bool:
        """Tell whether a thread with this newest reply has any that are wanted."""
        return not self._selection.since or moment(latest) >= moment(self._selection.since)

    # --- threads

    async def _read_threads(self, channel: Listed) -> None:
        left = self._shelf.threads(channel.id)
        self._outlook.threads(channel, len(left))
        for root in left:
            try:
                kept = await self._read_thread(channel, root)
            except Refused as refused:
                if is_hopeless(refused.code):
                    raise
                self._roll.tell(Problem(f"{channel.shown}, threads", str(refused)))
                self._shelf.leave_threads(channel.id)
                break
            self._outlook.thread(channel, kept)
            self._tell()
        self._shelf.end_threads(channel.id)

    async def _read_thread(self, channel: Listed, root: Root) -> int:
        reached, cursor, count = root.reached, None, 0
        while True:
            try:
                page = await self._asking.replies(channel.id, root.ts, reached or None, self._latest, cursor)
            except Refused as refused:
                if refused.code != "thread_not_found":
                    raise
                self._shelf.keep_replies(channel.id, root.ts, (), reached=reached, whole=True)
                return count
            met = [message for message in self._met(channel, page) if message.ts != root.ts]
            newest = max((message.ts for message in met), default=reached)
            cursor = page.cursor if newest == reached else None
            stuck = page.more and newest == reached and not cursor
            if stuck:
                self._roll.tell(Problem(f"{channel.shown}, thread {root.ts}", _NO_END))
            whole = stuck or not page.more
            kept = [message for message in met if self._selection.selects(message.ts)]
            self._shelf.keep_replies(channel.id, root.ts, kept, reached=newest, whole=whole)
            count += len([message for message in kept if message.body.get("subtype") != "thread_broadcast"])
            if whole:
                return count
            reached = newest

    # --- about

    async def _read_about(self, channel: Listed, pinned: bool) -> None:
        for ts in self._shelf.cut(channel.id):
            await self._read_reactions(channel, ts)
        members = await self._unless_refused(channel, "members", lambda: self._members(channel))
        pins = await self._unless_refused(channel, "pins", lambda: self._pins(channel)) if pinned else []
        self._shelf.end_channel(channel.id, members, pins)

    async def _read_reactions(self, channel: Listed, ts: Ts) -> None:
        reactions = await self._unless_refused(
            channel, "reactions", lambda: self._asking.client.reactions(channel.id, ts)
        )
        self._shelf.keep_reactions(channel.id, ts, reactions or None)

    async def _members(self, channel: Listed) -> list[str]:
        return [text_of(member) async for page in self._asking.client.members(channel.id) for member in page]

    async def _pins(self, channel: Listed) -> list[Fields]:
        return pins_of(await self._asking.client.pins(channel.id))

    async def _unless_refused(
        self, channel: Listed, what: str, ask: Callable[[], Awaitable[list[T]]]
    ) -> list[T] | None:
        """Return the answer; None, and a problem, where Slack refuses. A missing scope is told and met once."""
        if what in self._forbidden:
            return None
        try:
            return await self._asking.patiently(ask)
        except Refused as refused:
            if is_hopeless(refused.code):
                raise
            if refused.code == "message_not_found":  # deleted since its page was read
                return None
            everywhere = refused.code == "missing_scope"
            if everywhere:
                self._forbidden.add(what)
            self._roll.tell(Problem(what if everywhere else f"{channel.shown}, {what}", str(refused)))
            return None


def pins_of(items: Sequence[object]) -> list[Fields]:
    """Return what `pins.list` answers, newest first, as a list of channels in an export has it, oldest first."""
    pins: list[Fields] = []
    for item in reversed(items):
        pin = mapping(item)
        message, file = mapping(pin.get("message")), mapping(pin.get("file"))
        pinned = text_of(message.get("ts")) or text_of(file.get("id"))
        if pinned:
            kept: Fields = {"id": pinned, "type": "C" if message else "F", "created": whole_seconds(pin.get("created"))}
            people = (("user", pin.get("created_by")), ("owner", message.get("user") or file.get("user")))
            pins.append(kept | {name: value for name, value in people if isinstance(value, str)})
    return pins


def _words(channel: Listed, refused: Refused) -> str:
    if refused.code == "not_in_channel" and channel.archived:
        return (
            "the bot is not in the channel, and nobody can join an archived one (not_in_channel). Unarchive it in"
            " Slack, invite the bot and archive it again, or take this channel from an export"
        )
    if refused.code == "not_in_channel":
        return f"{refused}; or let the bot join public channels by itself, which people there see: --join"
    return str(refused)
