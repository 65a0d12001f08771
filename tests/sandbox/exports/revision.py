"""What happened to old messages between two exports of the same workspace.

Which message meets which fate follows from the seed, its channel and its ts alone, so both exports agree about all
others.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from tests.sandbox.exports.truth import Change

if TYPE_CHECKING:
    from tests.sandbox.exports.cast import Person
    from tests.sandbox.slack.state import Json

_FATES = ("edited", "deleted", "reacted", "replied")


class Revision:
    """Decides, changes and takes notes. `share` is how many of all messages meet each of the four fates."""

    def __init__(self, seed: str, share: float) -> None:
        self.seed = seed
        self.changes: list[Change] = []
        self._bounds = [int(share * 2**32) * place for place in range(1, 5)]

    def fate(self, channel: str, ts: str) -> str:
        """What happens to a message; mostly nothing."""
        number = zlib.crc32(f"{self.seed}/{channel}/{ts}".encode())
        for bound, fate in zip(self._bounds, _FATES, strict=True):
            if number < bound:
                return fate
        return ""

    def note(self, channel: str, ts: str, what: str) -> None:
        """Keeps what was done."""
        self.changes.append(Change(channel, ts, what))

    def alter(self, channel: str, record: Json, fate: str, people: tuple[Person, ...]) -> None:
        """Edits a message or changes its reactions."""
        ts = record["ts"]
        if fate == "edited" and record.get("text"):
            text = f"{record['text']} (corrected)"
            seconds = int(ts.partition(".")[0]) + 40 * 86_400
            record |= {"text": text, "edited": {"user": record.get("user", people[0].id), "ts": f"{seconds}.000000"}}
            if "blocks" in record:
                section: Json = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
                record["blocks"] = [{"type": "rich_text", "block_id": "new", "elements": [section]}]
            self.note(channel, ts, "edited")
        elif fate == "reacted":
            before = record.pop("reactions", [])
            added = {"name": "ballot_box_with_check", "users": [people[-1].id], "count": 1}
            record["reactions"] = [*before[1:], added]
            self.note(channel, ts, "reacted")
