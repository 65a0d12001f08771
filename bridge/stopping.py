"""An orderly stop: what is under way is brought to its end within a limit, and what is left is told.

    told ─▶ no further row is begun ─▶ rows under way end, or the limit comes ─▶ what waits is told ─▶ the end

The edges go on meanwhile: what arrives is stored and acknowledged, and waits for the next start. Nothing rests on this:
whatever is cut off is looked for at the next start, as after a kill.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bridge.errors import StoreUnavailable
from bridge.store.ledger import COMMANDS, TO_MATRIX, TO_SLACK
from bridge.store.tally import tally

if TYPE_CHECKING:
    import asyncio

    from bridge.store.database import Database
    from bridge.work.lanes import Lanes

log = logging.getLogger(__name__)

LIMIT = 5.0
"""Seconds: with the listeners' grace of as much, less than the ten after which containers are killed."""

_WORDS = {TO_MATRIX: "for Matrix", TO_SLACK: "for Slack", COMMANDS: "commands"}


class Stopped(Exception):
    """The bridge was told to stop, and has come to rest."""


async def stop_when(told: asyncio.Event, lanes: Lanes, database: Database, limit: float = LIMIT) -> None:
    """Wait until told, come to rest, say what is left, and raise Stopped."""
    await told.wait()
    cut_off = await lanes.drain(limit)
    if cut_off:
        log.warning(
            "after %g s, %d queues are still at a row and are cut off there: the next start looks how far it came",
            limit,
            cut_off,
        )
    try:
        waiting = (await tally(database)).waiting
    except StoreUnavailable as error:
        log.warning("what waits cannot be counted: %s", error)
    else:
        left = ", ".join(f"{waiting[way][0]} {words}" for way, words in _WORDS.items() if way in waiting)
        log.info("left for the next start: %s", left or "nothing")
    raise Stopped
