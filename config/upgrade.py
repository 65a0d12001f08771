"""Brings a person's configuration file up to the layout of this version, and changes nothing else in it.

It works on the text: settings that are missing are added, with their comment and default, at the end of their group;
settings that were given another name get it. Every line that the person wrote stays as it is, order and comments
included. The old file is kept beside the new one. A file that has everything is not touched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config import schema
from config.document import Document, Plain, read_document, read_text
from config.layout import LAYOUT, RENAMES, Rename, is_due, renamed
from config.problems import ConfigError, Path, Problem, dotted
from config.reference import render_entry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path as FilePath


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What was done: keys added, keys renamed (old, new), and where the old file is; empty where there was no need."""

    added: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    backup: FilePath | None = None


def upgrade(path: FilePath, renames: Sequence[Rename] = RENAMES) -> Upgrade:
    """Upgrade a file in place; raises ConfigError where it cannot be read, written, or safely changed."""
    old = read_document(read_text(path), str(path))
    if old.problems:
        raise ConfigError(old.problems)
    due = [rename for rename in renames if is_due(rename, old)]
    text = old.text
    for rename in due:
        text = _rename(read_document(text, str(path)), rename)
    missing = _missing(read_document(text, str(path)))
    for entry in missing:
        text = _add(read_document(text, str(path)), entry)
    layout = old.values.get("version")
    if isinstance(layout, int) and layout < LAYOUT:
        text = _set_layout(read_document(text, str(path)))
    if text == old.text:
        return Upgrade()
    _check(old, text, due)
    return Upgrade(
        added=tuple(dotted(entry) for entry in missing),
        renamed=tuple((dotted((*rename.group, rename.old)), dotted((*rename.group, rename.new))) for rename in due),
        backup=_replace(path, text),
    )


def _rename(document: Document, rename: Rename) -> str:
    lines = document.text.splitlines(keepends=True)
    line, column = document.keys[*rename.group, rename.old]
    written = lines[line - 1]
    before, after = written[: column - 1], written[column - 1 :]
    lines[line - 1] = before + after.replace(rename.old, rename.new, 1)
    return "".join(lines)


def _set_layout(document: Document) -> str:
    lines = document.text.splitlines(keepends=True)
    line, column = document.places["version",]
    written = str(document.values["version"])
    lines[line - 1] = lines[line - 1][: column - 1] + lines[line - 1][column - 1 :].replace(written, str(LAYOUT), 1)
    return "".join(lines)


def _missing(document: Document) -> list[tuple[str, ...]]:
    """The settings to add: those with a default, whole groups at once, not within list items or braces."""
    missing: list[tuple[str, ...]] = []
    for path, entry in schema.entries().items():
        above = [path[:depth] for depth in range(len(path))]
        if "*" in path or entry.required or path in document.keys or any(group in missing for group in above):
            continue
        if all(group in document.keys and group not in document.inline for group in above[1:]):
            missing.append(path)
    return missing


def _add(document: Document, path: tuple[str, ...]) -> str:
    lines = document.text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    ending = "\r\n" if "\r\n" in document.text else "\n"
    group = path[:-1]
    siblings = [key for key in document.keys if key[:-1] == group]
    column = document.keys[siblings[0]][1] if siblings else document.keys[group][1] + 2 if group else 1
    after = _end(lines, document.ends[group], column) if group else len(lines)
    new = [line + ending for line in render_entry(path, column - 1)]
    lines[after:after] = new if group else [ending, *new]
    return "".join(lines)


def _end(lines: list[str], last: int, column: int) -> int:
    """The number of lines up to a group's end: its last value and the comments below that are set in as far."""
    while last < len(lines) and lines[last].strip().startswith("#") and lines[last].index("#") >= column - 1:
        last += 1
    return last


def _check(old: Document, text: str, due: Sequence[Rename]) -> None:
    """Make sure that the new text says all that the old one said, before anything is written."""
    new = read_document(text, old.name)
    names: dict[Path, str] = {(*rename.group, rename.old): rename.new for rename in due}
    said = renamed(old.values, names)
    if new.problems or not isinstance(said, dict) or not _holds(new.values, {**said, "version": None}):
        hint = "add the settings by hand; the README lists them"
        raise ConfigError([Problem(old.name, 0, 0, "", "cannot be upgraded without changing what it says", hint)])


def _holds(new: Plain, old: Plain) -> bool:
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and _holds(new[key], inner) for key, inner in old.items())
    return old is None or new == old


def _replace(path: FilePath, text: str) -> FilePath:
    """Keep the file as a numbered backup and put the new text in its place in one step, with the same rights."""
    path = path.resolve()
    backup = next(
        name for number in range(1, 10_000) if not (name := path.with_name(f"{path.name}.{number}.bak")).exists()
    )
    try:
        shutil.copy2(path, backup)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            shutil.copymode(path, temporary)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        problem = Problem(
            str(path), 0, 0, "", f"cannot be written: {error.strerror}", "let this user write its directory"
        )
        raise ConfigError([problem]) from error
    return backup
