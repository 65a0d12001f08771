"""Faults on request, and the record of what was asked of the sandbox.

A fault is armed for the next calls of one method ("*" is any), and spent by them in order. Sockets, envelopes and the
whole server have faults of their own. Nothing here is random: a test says what goes wrong.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Json


class Kind(Enum):
    """What can go wrong with one call."""

    DROP_BEFORE = "drop_before"
    """The connection breaks and nothing was done."""
    DROP_AFTER = "drop_after"
    """It was done, but the connection breaks instead of an answer."""
    INTERNAL_ERROR = "internal_error"
    """200 with `internal_error`; nothing was done."""
    INTERNAL_AFTER = "internal_after"
    """200 with `internal_error`; it was done nevertheless."""
    FATAL_AFTER = "fatal_after"
    """200 with `fatal_error`; it was done, at least in part (here: wholly)."""
    HTTP_500 = "http_500"
    """A 500 with an HTML page; nothing was done."""
    HTTP_503 = "http_503"
    """A 503 with an HTML page; nothing was done."""
    HTTP_503_AFTER = "http_503_after"
    """A 503 with an HTML page; it was done."""
    RATE_LIMITED = "ratelimited"
    """429 with Retry-After."""
    HANG_BEFORE = "hang_before"
    """No answer, ever; nothing was done."""
    HANG_AFTER = "hang_after"
    """No answer, ever; it was done."""
    DELAY = "delay"
    """The answer comes late."""
    ERROR = "error"
    """200 with an error code of the test's choice; nothing was done."""
    GARBAGE = "garbage"
    """200 with a body that is no JSON; it was done."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An armed fault. `seconds` is for Retry-After and delays, `error` for ERROR."""

    kind: Kind
    seconds: float = 1.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request as it was answered. `outcome` is ok, an error code or the fault that struck."""

    method: str
    team_id: str
    args: Json
    outcome: str
    status: int


@dataclass(slots=True)
class Faults:
    """What is armed. Tests call `next_calls`, `clear` and set the counters of the sockets."""

    _armed: dict[str, deque[Fault]] = field(default_factory=dict)
    outage: bool = False
    """While true, every request is answered 503 and no socket is let in."""
    refuse_sockets: int = 0
    """So many socket URLs answer 404 from now on."""
    dead_sockets: int = 0
    """So many sockets are accepted and then stay silent: no hello, no pings answered, nothing delivered."""
    delayed_envelopes: deque[float] = field(default_factory=deque)
    """Seconds by which the next envelopes are late; later ones may overtake them."""
    duplicated_envelopes: int = 0
    """So many next deliveries are sent twice."""
    lost_envelopes: int = 0
    """So many next events are never sent at all, as if Slack had forgotten them."""

    def next_calls(self, method: str, kind: Kind, times: int = 1, seconds: float = 1.0, error: str = "") -> None:
        """Arms a fault for the next calls of a method."""
        queue = self._armed.setdefault(method, deque())
        queue.extend([Fault(kind, seconds, error)] * times)

    def strike(self, method: str) -> Fault | None:
        """The fault that this call spends."""
        for key in (method, "*"):
            queue = self._armed.get(key)
            if queue:
                return queue.popleft()
        return None

    def clear(self) -> None:
        """Disarms everything."""
        self._armed.clear()
        self.delayed_envelopes.clear()
        self.refuse_sockets = self.dead_sockets = self.duplicated_envelopes = self.lost_envelopes = 0
        self.outage = False


class CallLog:
    """The last calls, and how many there were of each method."""

    def __init__(self) -> None:
        self.records: deque[CallRecord] = deque(maxlen=100_000)
        self.counts: Counter[str] = Counter()

    def add(self, record: CallRecord) -> None:
        """Notes a call."""
        self.records.append(record)
        self.counts[record.method] += 1

    def of(self, method: str) -> list[CallRecord]:
        """The calls of one method, in order."""
        return [record for record in self.records if record.method == method]

    def clear(self) -> None:
        """Starts counting anew."""
        self.records.clear()
        self.counts.clear()
