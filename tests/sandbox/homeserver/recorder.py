"""An application service that only takes down what it is sent, for tests of the homeservers themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from tests.sandbox.child import LOOPBACK, free_port

if TYPE_CHECKING:
    from tests.sandbox.homeserver.transport import Json


class Recorder:
    """`transactions` are the accepted ones by number of their id; `refusals` says how many of the next get a 503."""

    def __init__(self) -> None:
        self.port = free_port()
        self.transactions: list[Json] = []
        self.seen_ids: list[str] = []
        self.asked: list[str] = []
        self.refusals = 0
        self._runner: web.ServerRunner | None = None

    @property
    def registration(self) -> dict[str, Any]:
        return {
            "id": "recorder",
            "url": f"http://{LOOPBACK}:{self.port}",
            "as_token": "as-secret",
            "hs_token": "hs-secret",
            "sender_localpart": "causeway",
            "rate_limited": False,
            "receive_ephemeral": True,
            "de.sorunome.msc2409.push_ephemeral": True,
            "namespaces": {
                "users": [{"exclusive": True, "regex": "@slack_.*:localhost"}],
                "aliases": [{"exclusive": True, "regex": "#slack_.*:localhost"}],
                "rooms": [],
            },
        }

    @property
    def events(self) -> list[Json]:
        return [event for transaction in self.transactions for event in transaction["events"]]

    @property
    def ephemeral(self) -> list[Json]:
        return [event for transaction in self.transactions for event in transaction["ephemeral"]]

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._serve))
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Authorization") != "Bearer hs-secret":
            return web.json_response({"errcode": "M_FORBIDDEN"}, status=403)
        if request.method == "GET":
            self.asked.append(request.path)
            return web.json_response({"errcode": "M_NOT_FOUND"}, status=404)
        if request.path.startswith("/_matrix/app/v1/transactions/"):
            self.seen_ids.append(request.path.rpartition("/")[2])
            if self.refusals:
                self.refusals -= 1
                return web.json_response({}, status=503)
            self.transactions.append(await request.json())
        return web.json_response({})
