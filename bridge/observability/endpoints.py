"""`/metrics`, `/healthz` and `/readyz`: asked without a token, and telling nothing that anybody wrote.

`/healthz` says that the process lives: it answers. `/readyz` says that it can relay, and otherwise what it lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bridge.errors import StoreUnavailable
from bridge.observability import gauges

if TYPE_CHECKING:
    from bridge.observability.health import Health
    from bridge.observability.metrics import Metrics
    from bridge.store.database import Database

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_STORE_UP = """# HELP causeway_store_up Whether the store answers.
# TYPE causeway_store_up gauge
causeway_store_up"""


class Endpoints:
    """Answers those who watch."""

    def __init__(self, database: Database, health: Health, metrics: Metrics) -> None:
        self._database = database
        self._health = health
        self._metrics = metrics

    def routes(self) -> list[web.RouteDef]:
        """Return the three."""
        return [
            web.get("/metrics", self._show_metrics),
            web.get("/healthz", self._show_health),
            web.get("/readyz", self._show_readiness),
        ]

    async def _show_metrics(self, _: web.Request) -> web.Response:
        counted = self._metrics.text()
        try:
            counted += gauges.text(await gauges.standing(self._database, self._health))
            is_up = 1
        except StoreUnavailable:
            is_up = 0
        counted += f"{_STORE_UP} {is_up}\n".encode()
        return web.Response(body=counted, headers={"Content-Type": _PROMETHEUS})

    async def _show_health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _show_readiness(self, _: web.Request) -> web.Response:
        problems = await self._health.problems()
        return web.json_response(
            {"status": "not ready" if problems else "ready", "problems": problems}, status=503 if problems else 200
        )
