"""Exports read back without any of the code that wrote them."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]
"""One JSON object of an export. `Any`, because it is foreign."""


def entries(target: Path) -> dict[str, bytes]:
    """Every file of an export by its path."""
    if target.suffix != ".zip":
        return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    with zipfile.ZipFile(target) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}


def parsed(target: Path) -> dict[str, Any]:
    """Every JSON file of an export by its path."""
    return {path: json.loads(body) for path, body in entries(target).items() if path.endswith(".json")}


def messages(target: Path, folder: str) -> list[Json]:
    """The messages of a folder in the order of its days."""
    if target.suffix != ".zip":
        days = sorted((target / folder).glob("[12]*.json"))
        return [message for day in days for message in json.loads(day.read_bytes())]
    with zipfile.ZipFile(target) as archive:
        inside = [name for name in archive.namelist() if name.startswith(f"{folder}/") and name[-15:-13].isdigit()]
        return [message for name in sorted(inside) for message in json.loads(archive.read(name))]
