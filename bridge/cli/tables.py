"""Tables for people: drawn to fit in a terminal, plain and whole where a program reads them.

No cell is cut off, and nothing in it is obeyed: what foreigners wrote passes as visible characters or not at all.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDEST = 1_000_000


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under headings."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    console = Console(highlight=False) if terminal else Console(width=_WIDEST, color_system=None, highlight=False)
    table = Table(box=box.SIMPLE_HEAD if terminal else None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def visible(text: str) -> str:
    """Return a foreign text on one line, with a space for whatever is no visible character."""
    return "".join(char if char.isprintable() else " " for char in text)


def visible_lines(text: str) -> str:
    """Return a text of ours, which may quote foreigners, with its lines."""
    return "\n".join(visible(line) for line in text.split("\n"))
