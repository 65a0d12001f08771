"""What the bridge counts and times while it works, in Prometheus' terms.

Labels come from sets that the code or the configuration bounds: directions, kinds of actions, methods of Slack's API,
names of workspaces. Nothing that somebody wrote, and no id of a person, room or message, is ever a label.
"""

from __future__ import annotations

import re
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING

import aiohttp
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

if TYPE_CHECKING:
    from yarl import URL

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_METHOD = re.compile(r"/api/([a-z]\w*(?:\.\w+){1,3})")
_MATRIX = (
    (re.compile(r"/rooms/[^/]+/(send|state|redact|join|invite|leave|kick|typing|receipt|members|messages|event)\b"), 1),
    (re.compile(r"/(createRoom|register|join|sync|joined_rooms|account|user|directory|keys|sendToDevice)\b"), 1),
    (re.compile(r"/_matrix/(?:client/\w+/)?(media|profile)\b"), 1),
)
OTHER = "other"


class Metrics:
    """All counters and histograms of one bridge, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._relayed = Counter(
            "causeway_relayed", "Actions performed on the other side.", ("direction", "kind"), registry=self.registry
        )
        self._parked = Counter(
            "causeway_parked", "Rows that were put aside because they cannot be delivered.", ("direction",),
            registry=self.registry,
        )  # fmt: skip
        self._retries = Counter(
            "causeway_retries", "Times that a queue had to wait before it tried again, by whose turn it was.",
            ("direction", "reason"), registry=self.registry,
        )  # fmt: skip
        self._delay = Histogram(
            "causeway_relay_delay_seconds", "From a message's arrival in the store to its being relayed.",
            ("direction",), buckets=_SLOW, registry=self.registry,
        )  # fmt: skip
        self._count_relayed, self._time_relayed = cache(self._relayed.labels), cache(self._delay.labels)
        """Looked up once each: with every message it would take longer than the counting."""
        self._limited = Counter(
            "causeway_rate_limited", "Requests answered with 429.", ("side", "method"), registry=self.registry
        )
        self._requests = Histogram(
            "causeway_request_seconds", "Requests to Slack and to the homeserver.", ("side", "method"),
            buckets=_SLOW, registry=self.registry,
        )  # fmt: skip
        self._failed = Counter(
            "causeway_requests_failed", "Requests that brought no answer, or one of 5xx.", ("side", "method"),
            registry=self.registry,
        )  # fmt: skip
        self._commits = Histogram(
            "causeway_store_commit_seconds", "From a unit's being queued to its commit.",
            buckets=_QUICK, registry=self.registry,
        )  # fmt: skip

    def relayed(self, direction: str, kind: str, seconds: float) -> None:
        """Count an action that was performed, so long after its row came in."""
        self._count_relayed(direction, kind).inc()
        self._time_relayed(direction).observe(max(seconds, 0.0))

    def parked(self, direction: str) -> None:
        """Count a row that was put aside."""
        self._parked.labels(direction).inc()

    def retried(self, direction: str, reason: str) -> None:
        """Count that a queue waits before it tries again."""
        self._retries.labels(direction, reason).inc()

    def committed(self, seconds: float) -> None:
        """Note how long a commit took."""
        self._commits.observe(seconds)

    def requests_to(self, side: str) -> aiohttp.ClientMiddlewareType:
        """Return what stands around the requests of a session to `slack` or to the homeserver (`matrix`)."""

        @cache
        def clock(method: str) -> Histogram:
            return self._requests.labels(side, method)

        async def timed(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
            began, method = perf_counter(), method_of(side, request.url)
            try:
                response = await send(request)
            except (aiohttp.ClientError, TimeoutError):
                self._failed.labels(side, method).inc()
                raise
            clock(method).observe(perf_counter() - began)
            if response.status == 429:
                self._limited.labels(side, method).inc()
            elif response.status >= 500:
                self._failed.labels(side, method).inc()
            return response

        return timed

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self.registry)


def method_of(side: str, url: URL) -> str:
    """Return what a request asks for, out of a bounded number of words."""
    path = url.raw_path
    if side == "slack":
        found = _METHOD.search(path)
        return found[1] if found else OTHER
    return next((match[group] for pattern, group in _MATRIX if (match := pattern.search(path))), OTHER)
