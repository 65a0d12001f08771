"""Files that a command writes: whole or not at all, with the rights that their contents need, never over another."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SECRET = 0o600
OPEN = 0o644


def refuse_existing(paths: Iterable[Path]) -> None:
    """Stop the command where a file is there already."""
    if existing := [str(path) for path in paths if path.exists()]:
        words = (
            "exists already; --force overwrites it" if len(existing) == 1 else "exist already; --force overwrites them"
        )
        raise click.ClickException(f"{', '.join(existing)} {words}")


def write_files(files: Mapping[Path, tuple[str, int]]) -> None:
    """Write texts with their rights, each through a file beside it that takes its place in one step."""
    for path, (text, mode) in files.items():
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            beside.replace(path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
