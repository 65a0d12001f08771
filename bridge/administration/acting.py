"""Who acts, and by which way they came: what the audit log keeps of every act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.audit import noted

if TYPE_CHECKING:
    from bridge.store.database import Statement


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who may act: by name, an account of the system or of Matrix, and by the way on which they came."""

    name: str
    way: str

    def refused(self, what: str, why: str) -> Statement:
        """Return what writes down that this was not done; `why` is a code, never what somebody wrote."""
        return noted(str(self), "refused", what, why)

    def __str__(self) -> str:
        return f"{self.name} ({self.way})"
