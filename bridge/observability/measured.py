"""A database whose commits are timed, and which is otherwise the one that it stands before."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from bridge.observability.metrics import Metrics
    from bridge.store.database import Database, Row, Statement, Value


class MeasuredDatabase:
    """Times every unit from its being queued to its commit."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self.dialect = database.dialect
        self.serial = database.serial

    def commit(self, *unit: Statement) -> asyncio.Future[list[list[Row]]]:
        """Queue a unit as the database does; what fails or is given up is not timed."""
        began = perf_counter()
        future = self._database.commit(*unit)

        def told(done: asyncio.Future[list[list[Row]]]) -> None:
            if not done.cancelled() and done.exception() is None:
                self._metrics.committed(perf_counter() - began)

        future.add_done_callback(told)
        return future

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        """Return the rows of a query."""
        return await self._database.fetch(sql, *values)

    async def own(self) -> None:
        """Become the one process that works on this database."""
        await self._database.own()

    async def release(self) -> None:
        """Let another process own the database."""
        await self._database.release()

    async def close(self) -> None:
        """Write what is queued and let go."""
        await self._database.close()
