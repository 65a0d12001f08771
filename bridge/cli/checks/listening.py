"""Whether the bridge runs beside the check, as far as can be told from outside."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.values import Listen


async def is_listening(listen: Listen) -> bool:
    """Tell whether something takes connections at this address."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)
    try:
        async with asyncio.timeout(3):
            _, writer = await asyncio.open_connection(host, listen.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
