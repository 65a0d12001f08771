"""Messages whose key comes late: they wait a little in their lane, then aside, and go on when it comes.

    no key ──▶ asked for, the lane waits ──▶ parked, with a word in the room ──▶ the key comes: taken up again

Only the queue of one room waits, and only for so long after the message came in.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson

from bridge.errors import Later
from bridge.matrix.encryption.inbound import Undecryptable
from bridge.store.ledger import TO_SLACK
from portals.events import Undeliverable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.matrix.client import MatrixClient
    from bridge.store.ledger import InboxRow, Ledger

_LOOK = 2.0
"""Seconds between two looks for a key; when one comes, the lanes are woken at once."""


class LateKeys:
    """Decrypts what the lanes read; `wait` is in seconds."""

    def __init__(
        self, matrix: MatrixClient, ledger: Ledger, wait: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._matrix = matrix
        self._ledger = ledger
        self._wait = wait
        self._clock = clock

    async def opened(self, row: InboxRow, event: Mapping[str, Any]) -> Mapping[str, Any] | Undeliverable:
        """Return an event in clear, or why it cannot be had; raises Later while its key may come at any moment."""
        encryption = self._matrix.encryption
        if encryption is None:
            return event
        try:
            return await encryption.opened(event)
        except Undecryptable as missing:
            if missing.session is None:
                return Undeliverable(missing.detail)
            sender = str(event.get("sender"))
            refusal = await encryption.ask_for_key(missing, sender)
            left = self._wait - (self._clock() - row.admitted_at / 1000)
            if refusal is None and left > 0:
                raise Later(missing.detail, min(left, _LOOK)) from missing
            await encryption.await_key(missing, sender, row.seq)
            because = f" ({refusal})" if refusal else ""
            return Undeliverable(f"{missing.detail}{because}; it goes on by itself if the key comes")

    async def look_again(self, row: InboxRow) -> None:
        """Take up a row that was parked just now if its key came in that moment, when it was not parked yet."""
        encryption = self._matrix.encryption
        if encryption is None or row.direction != TO_SLACK:
            return
        event = orjson.loads(row.raw)
        if event.get("type") == "m.room.encrypted" and await encryption.can_open(event):
            await self._ledger.retry(row.seq)
