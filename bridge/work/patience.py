"""Patience of a command: what is away for a while is waited for, up to an end that its admin chose."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, TypeVar

from bridge.errors import Later, Unsure
from portals.retry import pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

Result = TypeVar("Result")


async def patiently(work: Callable[[bool], Awaitable[Result]], patience: float) -> Result:
    """Try some work until it is done; raises what it raised last where `patience` (s) is at its end.

    The work is told whether an earlier try may have done it.
    """
    until, failures, unsure = time.monotonic() + patience, 0, False
    while True:
        try:
            return await work(unsure)
        except (Later, Unsure) as error:
            failures += 1
            unsure = unsure or isinstance(error, Unsure)
            wait = pause(failures, error.retry_after if isinstance(error, Later) else None)
            if time.monotonic() + wait > until:
                raise
            log.info("trying again in %.1f s: %s", wait, error)
            await asyncio.sleep(wait)
