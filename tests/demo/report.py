"""What was checked and what was seen: one line each, and a table in the end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """An observation: whether it is what is wanted, and what it is, in words."""

    holds: bool
    what: str


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table."""

    group: str
    feature: str
    expected: str
    seen: Seen


@dataclass(slots=True)
class Report:
    """All checks, in the order in which they were made."""

    patience: float = 60.0
    checks: list[Check] = field(default_factory=list)

    def note(self, group: str, feature: str, expected: str, seen: Seen) -> None:
        """Take down an observation that was made at once."""
        self.checks.append(Check(group, feature, expected, seen))

    async def expect(self, group: str, feature: str, expected: str, look: Callable[[], Seen]) -> bool:
        """Look until it is as expected, or patience ends; take down the last look and return whether it held."""
        deadline = time.monotonic() + self.patience
        seen = look()
        while not seen.holds and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            seen = look()
        self.note(group, feature, expected, seen)
        return seen.holds

    async def await_that(self, look: Callable[[], Seen]) -> None:
        """Wait for what a scene needs before it goes on; says nothing, for a check will tell."""
        deadline = time.monotonic() + self.patience
        while not look().holds and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    @property
    def failures(self) -> list[Check]:
        """The checks that did not hold."""
        return [check for check in self.checks if not check.seen.holds]

    def show(self, console: Console) -> None:
        """Print the table, and below it what each failed check expected and saw."""
        table = Table(show_edge=False, pad_edge=False, expand=False)
        table.add_column("")
        table.add_column("Checked", overflow="fold")
        table.add_column("Seen", overflow="fold")
        group = ""
        for check in sorted(self.checks, key=lambda one: self._groups.index(one.group)):
            if check.group != group:
                group = check.group
                table.add_section()
                table.add_row("", f"[bold]{escape(group)}[/bold]", "")
            mark = "[green]✓[/green]" if check.seen.holds else "[bold red]✗[/bold red]"
            table.add_row(mark, escape(check.feature), escape(_short(check.seen.what)))
        console.print(table)
        for check in self.failures:
            console.print(f"\n[bold red]✗ {escape(check.group)}: {escape(check.feature)}[/bold red]")
            console.print(f"  expected: {escape(check.expected)}")
            console.print(f"  saw:      {escape(check.seen.what)}")

    @property
    def _groups(self) -> list[str]:
        return list(dict.fromkeys(check.group for check in self.checks))


def rows_seen(rows: list[str], wanted: list[str], parts: int) -> Seen:
    """Whether a long message came whole and in order, in more than one part."""
    if rows == wanted:
        return Seen(parts > 1, f"{len(rows)} rows in {parts} messages")
    wrong = next((number for number, row in enumerate(rows) if wanted[number : number + 1] != [row]), len(rows))
    return Seen(False, f"{len(rows)} rows in {parts} messages, wrong from number {wrong}: {rows[wrong : wrong + 2]}")


def _short(text: str) -> str:
    text = " ⏎ ".join(text.splitlines())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
