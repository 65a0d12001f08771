"""What the settings' classes say about themselves: paths, kinds, defaults, meanings, environment variables.

Everything that describes the settings (errors, the example, the README) asks here, so that they cannot disagree.
A list's items stand under `*` in a path: `("slack", "workspaces", "*", "name")`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from config.section import Section
from config.settings import Settings
from config.values import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

    from config.problems import Path

TEXT = Kind("text")


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting, or one group of settings."""

    path: tuple[str, ...]
    kind: Kind
    meaning: str
    required: bool
    default: object  # as it would stand in the file: a text, number, truth value, list, or None
    section: type[Section] | None  # the class of a group, or of a list's items
    is_list: bool
    optional: bool
    options: tuple[str, ...]


@cache
def entries() -> dict[tuple[str, ...], Entry]:
    """Every setting and group, in the order of the file."""
    return {entry.path: entry for entry in _walk(Settings, ())}


def _walk(section: type[Section], path: tuple[str, ...]) -> Iterator[Entry]:
    for name, info in section.model_fields.items():
        entry = _entry((*path, name), info)
        yield entry
        if entry.section is not None:
            yield from _walk(entry.section, (*entry.path, "*") if entry.is_list else entry.path)


def _entry(path: tuple[str, ...], info: FieldInfo) -> Entry:
    options = (
        tuple(str(option) for option in get_args(info.annotation)) if get_origin(info.annotation) is Literal else ()
    )
    kinds = [item for item in info.metadata if isinstance(item, Kind)]
    kind = Kind(", ".join(options)) if options else kinds[-1] if kinds else TEXT
    parts = (info.annotation, *get_args(info.annotation))
    section = next((part for part in parts if isinstance(part, type) and issubclass(part, Section)), None)
    is_list = get_origin(info.annotation) is tuple
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    return Entry(
        path=path,
        kind=kind,
        meaning=info.description or "",
        required=info.is_required(),
        default=None if default is None or (section and not is_list) else _written(default, kind, is_list),
        section=section,
        is_list=is_list,
        optional=type(None) in parts,
        options=options,
    )


def _written(value: Any, kind: Kind, is_list: bool) -> object:  # a default of any setting's type
    return [str(item) for item in value] if is_list else kind.write(value)


def entry_of(path: Path) -> Entry | None:
    return entries().get(tuple("*" if isinstance(part, int) else part for part in path))


def paths() -> list[tuple[str, ...]]:
    return [path for path in entries() if "*" not in path]


def children(path: Path) -> list[str]:
    """The names of the settings directly within a group."""
    above = tuple("*" if isinstance(part, int) else part for part in path)
    return [known[-1] for known in entries() if known[:-1] == above]


def options(path: Path) -> tuple[str, ...]:
    entry = entry_of(path)
    return entry.options if entry else ()


def meaning(path: Path) -> str:
    entry = entry_of(path)
    return entry.meaning if entry else ""


def is_literal(path: Path) -> bool:
    entry = entry_of(path)
    return entry is not None and entry.kind.literal and entry.section is None


def may_be_blank(path: Path) -> bool:
    entry = entry_of(path)
    return entry is not None and (entry.optional or entry.is_list or entry.section is not None)


def variables() -> dict[str, tuple[str, ...]]:
    """The environment variables' names after the prefix, `*` standing for a number, and the settings they set."""
    return {"_".join(path).upper(): path for path, entry in entries().items() if entry.section is None or entry.is_list}


def path_of_variable(name: str) -> Path | None:
    """The setting that a variable (without its prefix) sets, or None."""
    numbers = iter(re.findall(r"(?<=_)\d+(?=_)", name))
    path = variables().get(re.sub(r"(?<=_)\d+(?=_)", "*", name))
    return None if path is None else tuple(int(next(numbers)) if part == "*" else part for part in path)
