"""The words that a workspace has made for itself: custom emoji and user groups, known as they are now.

They are read whole at a start and after every gap, and changed by Slack's events. A message that uses one waits for the
events about them that came already, and where nobody knows it, has all of them read anew: an event may be missing, or
the first reading be under way still. Without the scope for them, they show as their names.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import Later, Refused
from bridge.store.ledger import TO_MATRIX
from portals.retry import is_installation_trouble
from portals.text.emoji import unicode_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.slack.installation import Installation
    from bridge.store.directory import Directory
    from bridge.store.ledger import Ledger
    from portals.events import NameKind, SlackNamesChange
    from portals.ids import TeamId

log = logging.getLogger(__name__)

_AGAIN = 300.0
"""Seconds until an unknown word has everything read again: what looks like an emoji is often a time or a typo."""
_ALIAS = "alias:"
_ALIASES = 5
"""An emoji may be an alias of an alias; more in a row than these are a circle."""
_EVENTS = {"emoji": '"emoji_changed"', "usergroup": '"subteam_'}
"""What stands in the payload of an event about them."""
_ROWS = 20
_KINDS: tuple[NameKind, ...] = ("emoji", "usergroup")


class Vocabulary:
    """Knows the emoji and user groups of all workspaces."""

    def __init__(
        self,
        *,
        directory: Directory,
        ledger: Ledger,
        installations: Mapping[TeamId, Installation],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._ledger = ledger
        self._installations = installations
        self._clock = clock
        self._changes = 0
        self._read_at: dict[tuple[TeamId, str], float] = {}
        """When each was read last; kept in memory only, for nothing but politeness."""
        self._reading: dict[tuple[TeamId, str], asyncio.Event] = {}

    async def read(self, team: TeamId) -> None:
        """Read all of them; what Slack does not list any more is forgotten."""
        for kind in _KINDS:
            await self._read(team, kind)

    async def take_up(self, team: TeamId, change: SlackNamesChange, *, repeated: bool) -> None:
        """Take up what an event tells; one that says too little, or comes late, has everything read anew."""
        if repeated or not (change.given or change.gone):
            await self._read(team, change.kind)
            return
        self._changes += 1
        await self._directory.words.change(team, change.kind, change.given, change.gone)

    async def usergroups(self, team: TeamId, groups: Iterable[str]) -> dict[str, str]:
        """Return the handles of these user groups, as far as they are known."""
        return await self._known(team, "usergroup", groups)

    async def emoji(self, team: TeamId, names: Iterable[str]) -> dict[str, str]:
        """Return the pictures' addresses of these custom emoji, or the standard emoji that one is an alias of."""
        values = await self._known(team, "emoji", names)
        for _ in range(_ALIASES):
            aliases = {name: value.removeprefix(_ALIAS) for name, value in values.items() if value.startswith(_ALIAS)}
            if not aliases:
                break
            targets = await self._directory.words.of(team, "emoji", set(aliases.values()))
            for name, target in aliases.items():
                values[name] = targets.get(target) or unicode_of(target) or ""
        return {name: value for name, value in values.items() if value and not value.startswith(_ALIAS)}

    async def _known(self, team: TeamId, kind: NameKind, names: Iterable[str]) -> dict[str, str]:
        wanted = set(names)
        if not wanted:
            return {}
        for row in await self._ledger.next_rows(TO_MATRIX, team, _ROWS):
            if _EVENTS[kind] in row.raw:
                raise Later("what became of the workspace's own emoji and user groups is taken up first", 0.02)
        found = await self._directory.words.of(team, kind, wanted)
        if len(found) < len(wanted) and await self._is_news(team, kind):
            found = await self._directory.words.of(team, kind, wanted)
        return found

    async def _is_news(self, team: TeamId, kind: NameKind) -> bool:
        """Tell whether more may be known now: they were read because of this, or by another one meanwhile."""
        place = (team, kind)
        if (reading := self._reading.get(place)) is not None:
            await reading.wait()
            return True
        if self._clock() - self._read_at.get(place, -_AGAIN) < _AGAIN:
            return False
        reading = self._reading[place] = asyncio.Event()
        try:
            await self._read(team, kind)
        finally:
            del self._reading[place]
            reading.set()
        return True

    async def _read(self, team: TeamId, kind: NameKind) -> None:
        """Read one kind whole; read again where an event changed it meanwhile."""
        while True:
            changes = self._changes
            try:
                listed = await self._listed(team, kind)
            except Refused as refused:
                if is_installation_trouble(refused.code) and refused.code != "missing_scope":
                    raise Later(str(refused)) from refused
                log.warning("%s: the workspace's own %s are not known: %s", team, kind, refused)
                self._read_at[team, kind] = self._clock()
                return
            known = await self._directory.words.all(team, kind)
            if changes == self._changes:
                break
        self._read_at[team, kind] = self._clock()
        given = [(name, value) for name, value in listed.items() if known.get(name) != value]
        await self._directory.words.change(team, kind, given, known.keys() - listed.keys())

    async def _listed(self, team: TeamId, kind: NameKind) -> dict[str, str]:
        client = self._installations[team].client
        if kind == "emoji":
            return await client.emoji()
        return {str(one.get("id")): str(one.get("handle")) for one in await client.usergroups()}
