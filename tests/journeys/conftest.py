"""What all journeys share: a bridge that tries again soon."""

from __future__ import annotations

import pytest

from portals import retry


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between tries, which are made for people and not for tests."""
    monkeypatch.setattr(retry, "_FIRST", 0.02)
    monkeypatch.setattr(retry, "_LONGEST", 0.3)
