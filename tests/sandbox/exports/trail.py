"""The records of edits and deletions that some full exports hold between the messages."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from tests.sandbox.slack.state import micros, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.slack.state import Json

_DELETED_AFTER = 30_000_001


def with_trail(records: Iterator[Json]) -> Iterator[Json]:
    """Adds a `message_changed` for each edit at its time, and now and then the end of a message that is not there."""
    waiting: list[tuple[int, str, Json]] = []
    for record in records:
        at = micros(record["ts"])
        while waiting and waiting[0][0] < at:
            yield heapq.heappop(waiting)[2]
        yield record
        if "edited" in record:
            heapq.heappush(waiting, (micros(record["edited"]["ts"]) + 1, record["ts"], _changed(record)))
        elif record["ts"].endswith("11"):
            heapq.heappush(waiting, (at + _DELETED_AFTER, record["ts"], _deleted(record)))
    while waiting:
        yield heapq.heappop(waiting)[2]


def _changed(record: Json) -> Json:
    ts = stamp(micros(record["edited"]["ts"]) + 1)
    before = {key: value for key, value in record.items() if key not in ("edited", "blocks")} | {"text": "first draft"}
    body: Json = {"type": "message", "subtype": "message_changed", "hidden": True, "ts": ts}
    return body | {"message": record, "previous_message": before}


def _deleted(record: Json) -> Json:
    at = micros(record["ts"])
    ts, gone = stamp(at + _DELETED_AFTER), stamp(at + 1)
    before: Json = {"type": "message", "user": record.get("user", "U00"), "text": "never mind", "ts": gone}
    body: Json = {"type": "message", "subtype": "message_deleted", "hidden": True, "deleted_ts": gone, "ts": ts}
    return body | {"previous_message": before}
