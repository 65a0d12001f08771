"""A measured figure beside what it should be, and the table that shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Figure:
    """`met` is None for a figure that has no target and only tells."""

    what: str
    target: str
    value: str
    met: bool | None = None


def at_least(what: str, value: float, target: float, unit: str, more: str = "") -> Figure:
    """A figure that should not be below its target."""
    return Figure(what, f"≥ {target:g}{unit}", f"{value:.1f}{unit}{more}", value >= target)


def at_most(what: str, value: float, target: float, unit: str, more: str = "") -> Figure:
    """A figure that should not be above its target."""
    return Figure(what, f"≤ {target:g}{unit}", f"{value:.1f}{unit}{more}", value <= target)


def told(what: str, value: str) -> Figure:
    """A figure without a target."""
    return Figure(what, "", value)


def show(figures: Iterable[Figure]) -> None:
    """Print the table."""
    table = Table()
    for heading in ("Figure", "Target", "Value", "Met"):
        table.add_column(heading, overflow="fold")
    for one in figures:
        verdict = {True: "met", False: "NOT MET", None: ""}[one.met]
        table.add_row(one.what, one.target, one.value, verdict)
    Console(width=130, highlight=False).print(table)
