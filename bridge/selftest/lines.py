"""What a trial finds, line by line; and how long it waits for something to come across."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from bridge.errors import BridgeError, Refused, Unsure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Made = TypeVar("Made")
Seen = TypeVar("Seen")

AGAIN = "It may have happened although no answer came: give the command again"
Outcome = Literal["ok", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: `detail` says what is so, `remedy` what to do where it should be otherwise."""

    subject: str
    outcome: Outcome
    detail: str
    remedy: str = ""


def failure(subject: str, error: BridgeError, remedy: str = "") -> Line:
    """Return the line of something that a side refused; its own remedy comes first."""
    if isinstance(error, Refused):
        return Line(subject, "fail", f"{error.detail} ({error.code})", error.remedy or remedy)
    return Line(subject, "fail", str(error), remedy)


@dataclass
class Trial:
    """Tries one thing after the other; `patience` and `pace` are in seconds."""

    patience: float
    pace: float
    lines: list[Line] = field(default_factory=list)

    def add(self, subject: str, outcome: Outcome, detail: str, remedy: str = "") -> None:
        """Add a line."""
        self.lines.append(Line(subject, outcome, detail, remedy))

    async def step(
        self,
        subject: str,
        what: str,
        remedy: str,
        do: Callable[[], Awaitable[Made]],
        look: Callable[[Made], Awaitable[Seen | None]],
    ) -> tuple[Made, Seen] | None:
        """Do something on one side and wait until it is seen on the other; None where that fails."""
        begun = time.monotonic()
        try:
            made = await do()
            seen = await self.until(lambda: look(made))
        except BridgeError as error:
            self.lines.append(failure(subject, error, AGAIN if isinstance(error, Unsure) else remedy))
            return None
        if seen is None:
            self.add(subject, "fail", f"{what} did not come across within {self.patience:.0f} s", remedy)
            return None
        self.add(subject, "ok", f"{what} came across in {time.monotonic() - begun:.1f} s")
        return made, seen

    async def until(self, look: Callable[[], Awaitable[Seen | None]]) -> Seen | None:
        """Return what is looked for as soon as it is there; None where it does not come in time."""
        end = time.monotonic() + self.patience
        seen = await look()
        while seen is None and time.monotonic() < end:
            await asyncio.sleep(self.pace)
            seen = await look()
        return seen
