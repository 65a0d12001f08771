"""Work that needs the bridge beside it: it runs in this process for as long, unless another process runs it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from bridge.app import Hooks, run
from bridge.errors import StoreTaken

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from config.settings import Settings

    Result = TypeVar("Result")

log = logging.getLogger(__name__)


async def with_bridge(
    settings: Settings,
    work: Coroutine[Any, Any, Result],
    hooks: Hooks = Hooks(),  # noqa: B008  frozen
) -> Result:
    """Do some work while the bridge runs, here or in another process; raises Fatal where it cannot run."""
    bridge = asyncio.create_task(_unless_it_runs(settings, hooks), name="bridge")
    task = asyncio.create_task(work, name="work beside the bridge")
    try:
        await asyncio.wait([bridge, task], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            bridge.result()
        return await task
    finally:
        for one in (task, bridge):
            one.cancel()
        await asyncio.wait([task, bridge])


async def _unless_it_runs(settings: Settings, hooks: Hooks) -> None:
    """Run the bridge, unless another process does; then return at once."""
    try:
        await run(settings, hooks)
    except StoreTaken:
        log.info("the bridge runs in another process, and shows what is admitted here")
