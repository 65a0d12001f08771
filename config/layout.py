"""The layout of the configuration file, and what settings were called in earlier ones.

A file of an earlier layout is read as it is; `causeway upgrade` writes it anew. To rename a setting: raise LAYOUT and
add a Rename.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.document import Document, Plain
    from config.problems import Path

LAYOUT = 1


@dataclass(frozen=True, slots=True)
class Rename:
    """From `layout` on, the setting `old` is called `new`; both stand in the same group."""

    layout: int
    group: tuple[str, ...]
    old: str
    new: str


RENAMES: tuple[Rename, ...] = ()


def is_due(rename: Rename, document: Document) -> bool:
    """Tell whether a file still has a setting's old name."""
    layout = document.values.get("version", 0)
    is_older = not isinstance(layout, int) or layout < rename.layout
    return (
        is_older and (*rename.group, rename.old) in document.keys and (*rename.group, rename.new) not in document.keys
    )


def renamed(value: Plain, names: Mapping[Path, str], path: Path = ()) -> Plain:
    """The same values under new names; `names` has the key paths that change."""
    if isinstance(value, dict):
        return {names.get((*path, key), key): renamed(inner, names, (*path, key)) for key, inner in value.items()}
    return value
