"""The settings as the bridge runs with them, without what is secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from config.secrets import Secret

if TYPE_CHECKING:
    from config.settings import Settings


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting by its path, such as `slack.workspaces[0].name`; of a secret it is told only whether it is set."""

    name: str
    value: str


def in_use(settings: Settings) -> list[ShownSetting]:
    """Return all settings, in their order."""
    database = settings.database.shown
    told = [_told(name, getattr(settings, name), database) for name in type(settings).model_fields]
    return [ShownSetting(*line) for lines in told for line in lines]


def _told(path: str, value: Any, database: str) -> list[tuple[str, str]]:  # Any: whatever a setting may be
    """Return a setting by its path, or those in it; whatever is a secret says only that it is set."""
    if path == "database.url":
        return [(path, database)]
    if isinstance(value, Secret):
        return [(path, "set, and secret")]
    if isinstance(value, BaseModel):
        inside = [_told(f"{path}.{name}", getattr(value, name), database) for name in type(value).model_fields]
        return [line for lines in inside for line in lines]
    if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        return [line for number, one in enumerate(value) for line in _told(f"{path}[{number}]", one, database)]
    if isinstance(value, tuple):
        return [(path, ", ".join(map(str, value)) or "none")]
    return [(path, "not set" if value is None else str(value))]
