"""What a check found: one line that an admin can act on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from bridge.errors import BridgeError, Refused

Outcome = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome for one thing: `detail` says what is so, `remedy` what to do where it should be otherwise."""

    subject: str
    outcome: Outcome
    detail: str
    remedy: str = ""


Findings = AsyncIterator[Finding]


def failed(subject: str, error: BridgeError, remedy: str = "") -> Finding:
    """A finding made of a failure; its own remedy comes before the general one."""
    if isinstance(error, Refused):
        return Finding(subject, "fail", f"{error.detail} ({error.code})", error.remedy or remedy)
    return Finding(subject, "fail", str(error), remedy)
