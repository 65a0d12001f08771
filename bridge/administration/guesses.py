"""Wrong tokens and links: few from one address, and after those none is looked at until some time has passed.

Promises: of a guess that comes too early nothing is compared, right or wrong; the audit log has the first wrong one of
an address and the moment from which it must wait, not each; however many addresses guess, the log grows by a few
entries a minute. What somebody asks who shows nothing at all is no guess. Several people behind one proxy are one
address, since nothing that a request says of where it came from is believed.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.administration.acting import Actor

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Database

BURST = 10
"""Wrong ones that an address has at once."""
EVERY = 10.0
"""Seconds in which one of them comes back."""
_MOST_ADDRESSES = 1_000
_ENTRIES, _ENTRY_EVERY = 50, 30.0


@dataclass(slots=True)
class _Left:
    """What is left of an allowance at a time, of which one comes back every so many seconds."""

    most: int
    every: float
    left: float
    at: float
    has_waited: bool = False

    def now(self, at: float) -> float:
        self.left = min(float(self.most), self.left + (at - self.at) / self.every)
        self.at = at
        return self.left


class Guesses:
    """Counts what was wrong, by where it came from."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._addresses: OrderedDict[str, _Left] = OrderedDict()
        self._entries = _Left(_ENTRIES, _ENTRY_EVERY, _ENTRIES, clock())

    def wait(self, remote: str | None) -> int:
        """Return for how many seconds nothing from this address is looked at; 0 when it may try."""
        known = self._addresses.get(_network(remote))
        left = known.now(self._clock()) if known else BURST
        return max(math.ceil((1 - left) * EVERY), 0)

    async def wrong(self, way: str, remote: str | None, what: str, why: str) -> None:
        """Count a wrong one that came by a way (`API`, `console`) for an act, and write down what is worth it."""
        network, now = _network(remote), self._clock()
        known = self._addresses.pop(network, None) or _Left(BURST, EVERY, BURST, now)
        if is_first := known.now(now) >= BURST:
            known.has_waited = False
        known.left -= 1
        self._addresses[network] = known
        while len(self._addresses) > _MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        must_wait = known.left < 1 and not known.has_waited
        known.has_waited |= must_wait
        if (is_first or must_wait) and self._entries.now(now) >= 1:
            self._entries.left -= 1
            refused = Actor("somebody", f"{way}, {remote}").refused(what, "too_many" if must_wait else why)
            await self._database.commit(refused)


def _network(remote: str | None) -> str:
    """Return what counts as one address: of IPv6 the network that one customer has."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return remote or ""
    if address.version == 4:
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((address.packed, 64), strict=False))
