"""A workspace's history read through Slack's Web API and written as an export, for whoever reads exports.

    auth.test → conversations.list, users.list, emoji.list → each channel (`channel_reading`) → users.info of strangers
              → the folder (`binding`)

Promises: what was read is kept at once (`spool_file`), so a reading that is killed goes on where it was; a second one
into the same folder asks for the histories again, where edits, reactions and deletions show, but only for threads that
grew or were written in of late. The export is a picture of the workspace as it was when the reading went over it.
Refuses to mix workspaces or spans of time in one folder.

What the bot cannot see is not in the export: private channels and direct messages without it. Slack does not tell that
they exist, so nothing here can tell that they are missing.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bridge.errors import BridgeError, Refused
from bridge.exports.api_note import NOTE, UNFINISHED, WORDS
from bridge.exports.asking import Asking, is_hopeless
from bridge.exports.binding import Binding
from bridge.exports.channel_reading import ChannelReader
from bridge.exports.outlook import Outlook
from bridge.exports.readings import Roll, begin
from bridge.exports.secret_folder import SecretFolder
from bridge.exports.shelf import READ, Shelf
from bridge.exports.spool_file import SPOOL, SpoolFile
from portals.history.export import KINDS, ExportedChannel, Problem
from portals.history.selection import Selection
from portals.ids import is_slack_id
from portals.reading.values import text_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from bridge.exports.outlook import Progress
    from bridge.exports.readings import Reading
    from bridge.exports.shelf import Listed
    from bridge.slack.client import Identity, SlackClient
    from portals.history.export import Kind

EVERYTHING: Final = Selection()

THREAD_SPAN: Final = 30 * 86_400.0
"""Seconds: threads in which somebody wrote so lately are read again for edits and reactions, grown or not."""

SHARE: Final = 0.8
"""How much of Slack's rates a reading uses: the rest is for the bridge, which runs by the same token."""

_TYPES: Final[Mapping[Kind, str]] = {
    "public": "public_channel",
    "private": "private_channel",
    "dm": "im",
    "group_dm": "mpim",
}
_A_DAY: Final = 86_400
_INTERVAL: Final = 60.0 / 50 / SHARE


@dataclass(frozen=True, slots=True)
class Written:
    """An export that was written: whose, how much it holds by now, and what could not be read this time.

    `begun` is the second as of which it is whole; `resumed` where a reading was gone on with that began earlier.
    """

    directory: Path
    team: str
    name: str
    channels: int
    messages: int
    problems: tuple[Problem, ...]
    begun: int = 0
    resumed: bool = False


class ApiExport:
    """Reads one workspace into one folder.

    `joins` lets the bot join public channels. `thread_span` is as THREAD_SPAN. Raises Later when Slack stays out of
    reach, Refused when the token is no good, Fatal when the folder cannot be used; then the same call goes on.
    """

    def __init__(
        self,
        client: SlackClient,
        directory: Path,
        *,
        joins: bool = False,
        thread_span: float = THREAD_SPAN,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._asking = Asking(client, sleep=sleep)
        self._folder = SecretFolder(directory)
        self._joins = joins
        self._thread_span = thread_span
        self._clock = clock

    async def write(
        self, selection: Selection = EVERYTHING, on_progress: Callable[[Progress], object] = lambda _: None
    ) -> Written:
        """Read what is wanted and write the export; one that was interrupted is gone on with."""
        identity = await self._asking.patiently(self._asking.client.auth)
        self._folder.claim(SPOOL)
        with SpoolFile(self._folder.path / SPOOL) as file:
            reading = begin(file, identity.team_id, selection.since, selection.until, int(self._clock()))
            shelf, roll = Shelf(file, reading), Roll(file, reading)
            await _Lists(self._asking, shelf, roll).read(selection)
            if not self._folder.has(NOTE):
                self._folder.write(UNFINISHED, [WORDS.encode()])
            channels = _wanted(shelf, roll, selection)
            outlook = Outlook(channels, now=reading.begun, messages=shelf.counts()[0], interval=_INTERVAL)
            reader = ChannelReader(
                self._asking,
                shelf,
                roll,
                outlook,
                selection=selection,
                latest=selection.until or f"{reading.begun + _A_DAY}.000000",
                changing_since=f"{max(int(reading.begun - self._thread_span), 0):010d}.000000",
                joins=self._joins,
                on_progress=on_progress,
            )
            await _all(reader, outlook, channels)
            await _Lists(self._asking, shelf, roll).read_strangers()
            return await self._bind(shelf, roll, reading, identity, selection)

    async def _bind(
        self, shelf: Shelf, roll: Roll, reading: Reading, identity: Identity, selection: Selection
    ) -> Written:
        binding = Binding(self._folder, shelf, roll)
        channels = binding.arrange()
        for channel in channels:
            if not channel.is_written:
                for _ in binding.write_days(channel):
                    await asyncio.sleep(0)
        binding.write_lists(_about(reading, identity, selection))
        roll.end()
        return Written(
            directory=self._folder.path,
            team=identity.team_id,
            name=identity.team,
            channels=len(channels),
            messages=shelf.counts()[0],
            problems=roll.problems(),
            begun=reading.begun,
            resumed=reading.resumed,
        )


def _about(reading: Reading, identity: Identity, selection: Selection) -> dict[str, Any]:
    return {
        "source": "Slack Web API",
        "team": {"id": identity.team_id, "name": identity.team, "url": identity.url},
        "begun": datetime.fromtimestamp(reading.begun, UTC).isoformat(),
        "since": selection.since or None,
        "until": selection.until or None,
    }


async def _all(reader: ChannelReader, outlook: Outlook, channels: Sequence[Listed]) -> None:
    """Read all channels, and raise the first failure by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for channel in channels:
                if channel.phase == READ:
                    outlook.over(channel)
                else:
                    group.create_task(reader.read(channel), name=f"read {channel.id}")
    except BaseExceptionGroup as failures:
        expected, others = failures.split(BridgeError)
        if others is not None or expected is None:
            raise
        raise expected.exceptions[0] from None


def _wanted(shelf: Shelf, roll: Roll, selection: Selection) -> list[Listed]:
    """Return the channels to read, and tell which are wanted and not there."""
    listed = shelf.channels()
    for channel in shelf.vanished():
        if _selects(selection, channel) and roll.has(_list_of(channel.kind)):
            roll.tell_of_the_wish(
                Problem(
                    channel.shown,
                    "Slack does not list it any more: it was deleted, or the bot was removed from it. What was read"
                    " before is kept",
                )
            )
    named = {name for channel in listed for name in (channel.id, channel.name, f"#{channel.name}")}
    for name in sorted(selection.channels - named):
        roll.tell_of_the_wish(
            Problem(
                name,
                "Slack shows the bot no such channel: check the name; if it is private, invite the bot first, by"
                " writing /invite and the app's name in it",
            )
        )
    return [channel for channel in listed if _selects(selection, channel)]


def _selects(selection: Selection, channel: Listed) -> bool:
    return selection.selects_channel(ExportedChannel(id=channel.id, name=channel.name, kind=channel.kind))


def _list_of(kind: Kind) -> str:
    return f"channels/{kind}"


class _Lists:
    """Reads what there is in a workspace: channels by kind, people, emoji."""

    def __init__(self, asking: Asking, shelf: Shelf, roll: Roll) -> None:
        self._asking = asking
        self._client = asking.client
        self._shelf = shelf
        self._roll = roll

    async def read(self, selection: Selection) -> None:
        """Read every list that this reading does not have yet."""
        for kind in KINDS:
            if not selection.kinds or kind in selection.kinds:
                await self._read(_list_of(kind), partial(self._channels, kind))
        await self._read("people", self._people)
        await self._read("emoji", self._client.emoji)

    async def read_strangers(self) -> None:
        """Read who wrote and is not in the list of people: members of other workspaces, in shared channels."""
        for user in self._roll.strangers():
            try:
                found = await self._asking.patiently(partial(self._client.user, user))
            except Refused as refused:
                if is_hopeless(refused.code):
                    raise
                self._roll.keep_people([(user, None)])
            else:
                self._roll.keep_people([(user, found)])

    async def _read(self, name: str, ask: Callable[[], Awaitable[object]]) -> None:
        if self._roll.has(name):
            return
        try:
            self._roll.keep(name, await self._asking.patiently(ask))
            self._roll.forget(name)
        except Refused as refused:
            if is_hopeless(refused.code):
                raise
            self._roll.tell(Problem(name, str(refused)))

    async def _channels(self, kind: Kind) -> None:
        async for page in self._client.channels(_TYPES[kind], exclude_archived=False):
            self._shelf.keep_channels(kind, [entry for entry in page if is_slack_id(text_of(_id(entry)))])

    async def _people(self) -> None:
        async for page in self._client.users():
            self._roll.keep_people((_id(entry), entry) for entry in page if is_slack_id(text_of(_id(entry))))


def _id(entry: object) -> Any:  # Any: what Slack says, which is looked at next
    return entry.get("id") if isinstance(entry, dict) else None
