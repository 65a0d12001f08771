"""The search: an input that reaches code which none before it reached is kept, and changed further.

Whatever a door raises that is no refusal of its own is a find, as is an input that takes too long, or a text that costs
more than in proportion to its length.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.fuzz.mutation import mutated
from tests.portals.text.test_growth import calls_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any

    from tests.fuzz.doors import Door

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
PATIENCE = 60.0
"""Seconds for one input; all of them take milliseconds."""
_OURS = tuple(str(ROOT / name) for name in ("portals", "bridge", "config"))


class Hang(BaseException):
    """An input took longer than anybody may wait."""


@dataclass
class Find:
    """An input that did harm, and what it did."""

    door: str
    data: bytes
    error: BaseException


@dataclass
class Searched:
    """What came of a search."""

    inputs: int = 0
    kept: int = 0
    reached: int = 0
    finds: list[Find] = field(default_factory=list)


def seeds_of(door: Door) -> list[bytes]:
    """Return the kept inputs of a door and those that it lends from elsewhere."""
    return [path.read_bytes() for path in sorted((CORPUS / door.name).iterdir())] + list(door.seeds())


class Search:
    """A search at one door, which a seed repeats."""

    def __init__(self, door: Door, seed: int, *, guided: bool) -> None:
        self._door = door
        self._chance = Random(f"{seed} {door.name}")
        self._guided = guided
        self._pool = seeds_of(door)
        self._reached: set[tuple[object, int]] = set()
        self.searched = Searched()
        for data in self._pool:
            self._tried(data)

    def step(self) -> None:
        """Try one more input."""
        chance = self._chance
        recent = chance.random() < 0.5
        data = mutated(chance.choice(self._pool[-40:] if recent else self._pool), self._pool, chance)
        if self._tried(data) and self._guided:
            self._pool.append(data)
            self.searched.kept += 1
            if self._door.pumped is not None:
                self._pump(data)

    def _tried(self, data: bytes) -> bool:
        """Try an input, and tell whether it reached anything new."""
        before = len(self._reached)
        self.searched.inputs += 1
        try:
            with _patience(), self._watched():
                self._door.enter(data)
        except (Exception, Hang) as error:
            if not isinstance(error, self._door.refusals):
                self.searched.finds.append(Find(self._door.name, data, error))
        self.searched.reached = len(self._reached)
        return len(self._reached) > before

    def _pump(self, data: bytes) -> None:
        """Repeat a part of a text: four times as much may cost little more than four times the work."""
        start = self._chance.randrange(len(data) + 1)
        piece = data[start : start + self._chance.choice((1, 3, 10, 40))]
        pumped = self._door.pumped
        assert pumped is not None
        with _patience():
            small, large = (calls_of(partial(pumped, piece * times)) for times in (2_000, 8_000))
        if large > 6 * small + 20_000:
            error = AssertionError(f"{piece!r}: {small} calls for 2000 times, {large} for 8000")
            self.searched.finds.append(Find(self._door.name, piece * 8_000, error))

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Note every step from line to line within our own code."""
        if not self._guided:
            yield
            return
        reached = self._reached

        def global_trace(frame: FrameType, event: str, argument: object) -> Any:  # Any: another such function
            return local_trace if frame.f_code.co_filename.startswith(_OURS) else None

        def local_trace(frame: FrameType, event: str, argument: object) -> Any:
            reached.add((frame.f_code, frame.f_lineno))
            return local_trace

        before = sys.gettrace()
        sys.settrace(global_trace)
        try:
            yield
        finally:
            sys.settrace(before)


@contextmanager
def _patience() -> Iterator[None]:
    """Raise Hang where what is within takes too long, as far as that can be interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
