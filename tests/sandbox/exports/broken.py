"""Exports that are damaged or hostile, each in one way, made of a small good one.

for name in BROKEN: export = broken(name, tmp_path)
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.sandbox.exports.archive import Archive, Packing
from tests.sandbox.exports.damaged import DAMAGES, Entries
from tests.sandbox.exports.generated import Generated
from tests.sandbox.exports.hostile import FOLDER_TRAPS, ZIP_TRAPS

if TYPE_CHECKING:
    from tests.sandbox.exports.truth import Truth

BROKEN = (*DAMAGES, *ZIP_TRAPS, *FOLDER_TRAPS)
"""The names of all ways."""
UNREADABLE = ("no_channels", "truncated", "encrypted", "no_zip", "empty_zip")
"""Those of which nothing can be read; `zip_in_zip` is one more for whoever does not look into it."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken export. `at` is the entry that is wrong, "" for all; `truth` what was in it before it was broken."""

    path: Path
    at: str
    truth: Truth


def broken(name: str, where: Path, *, as_zip: bool = True, seed: int = 1) -> Broken:
    """Writes an export that is broken in this way into a folder, under this name. Raises KeyError.

    Damaged files come in a zip or, without `as_zip`, in a folder; the other ways are about one or the other.
    """
    entries, truth = _good(seed)
    if name in DAMAGES:
        at = DAMAGES[name](entries)
        target = where / (f"{name}.zip" if as_zip else name)
        with Archive(target, Packing(utf8_flag=True)) as archive:
            for path, body in entries.items():
                archive.put(path, body)
        return Broken(target, at, truth)
    if name in FOLDER_TRAPS:
        target = where / name
        return Broken(target, FOLDER_TRAPS[name](target, entries), truth)
    target = where / f"{name}.zip"
    return Broken(target, ZIP_TRAPS[name](target, entries), truth)


def _good(seed: int) -> tuple[Entries, Truth]:
    with tempfile.TemporaryDirectory() as folder:
        truth = Generated(seed=seed, messages=240, channels=5, people=12, days=60).write(Path(folder))
        found = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in found}, truth
