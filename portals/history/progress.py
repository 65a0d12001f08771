"""How far an import is: what is shown by now, how quickly that goes, and how long the rest takes."""

from __future__ import annotations

from dataclasses import dataclass

_SETTLED_IN = 5.0
"""Seconds from which on a rate says something."""


@dataclass(frozen=True, slots=True)
class ChannelProgress:
    """One channel: of its `records`, so many were taken; of the rows made of them, so many wait to be shown."""

    id: str
    name: str
    state: str
    records: int
    taken: int
    admitted: int
    waiting: int
    reason: str = ""

    @property
    def shown(self) -> int:
        """How many records are shown; a record that made several rows counts when the last of them is."""
        return max(self.taken - self.waiting, 0)


@dataclass(frozen=True, slots=True)
class FileProgress:
    """The files of a workspace: how many are here, are still to come, and could not be had; bytes here and to come."""

    here: int = 0
    waiting: int = 0
    absent: int = 0
    came: int = 0
    to_come: int = 0

    @property
    def every(self) -> int:
        """How many files there are."""
        return self.here + self.waiting + self.absent


@dataclass(frozen=True, slots=True)
class Progress:
    """A whole import, `seconds` after this process began with it; then `began_with` were shown, `came_before` here."""

    number: int
    state: str
    source: str
    channels: tuple[ChannelProgress, ...]
    quarantined: int = 0
    seconds: float = 0.0
    began_with: int = 0
    files: FileProgress = FileProgress()
    came_before: int = 0

    @property
    def records(self) -> int:
        """How many records there are to be taken in the channels that are known by now."""
        return sum(one.records for one in self.channels)

    @property
    def shown(self) -> int:
        """How many records are shown."""
        return sum(one.shown for one in self.channels)

    @property
    def rate(self) -> float | None:
        """Records a second, once that can be told."""
        done = self.shown - self.began_with
        return done / self.seconds if self.seconds >= _SETTLED_IN and done > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at this rate."""
        return None if self.rate is None else max(self.records - self.shown, 0) / self.rate

    @property
    def bytes_a_second(self) -> float | None:
        """Bytes of files a second, once that can be told."""
        came = self.files.came - self.came_before
        return came / self.seconds if self.seconds >= _SETTLED_IN and came > 0 else None

    def as_json(self) -> dict[str, object]:
        """Return the figures for programs."""
        return {
            "import": self.number,
            "state": self.state,
            "source": self.source,
            "records": self.records,
            "shown": self.shown,
            "waiting": sum(one.waiting for one in self.channels),
            "quarantined": self.quarantined,
            "records_per_second": round(self.rate, 2) if self.rate is not None else None,
            "seconds_left": round(self.seconds_left) if self.seconds_left is not None else None,
            "files": {
                "here": self.files.here,
                "waiting": self.files.waiting,
                "absent": self.files.absent,
                "bytes": self.files.came,
                "bytes_waiting": self.files.to_come,
                "bytes_per_second": round(self.bytes_a_second) if self.bytes_a_second is not None else None,
            },
            "channels": [
                {
                    "id": one.id,
                    "name": one.name,
                    "state": one.state,
                    "records": one.records,
                    "taken": one.taken,
                    "shown": one.shown,
                    "waiting": one.waiting,
                    "reason": one.reason,
                }
                for one in self.channels
            ],
        }
