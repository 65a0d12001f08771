"""Who acts, and by which way they came: what the audit log keeps of every act."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who may act: by name, an account of the system or of Matrix, and by the way on which they came."""

    name: str
    way: str

    def __str__(self) -> str:
        return f"{self.name} ({self.way})"
