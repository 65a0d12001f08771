"""Which rows a lane leaves where they are: all in a pause, and what is newer than a past that comes first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.store.ledger import TO_MATRIX, TO_SLACK, InboxRow
from bridge.work.lanes import rests
from portals.facts import PortalState
from tests.portals.relay.scene import PORTAL


def row(place: int, direction: str = TO_MATRIX) -> InboxRow:
    fields = dict.fromkeys(InboxRow.__dataclass_fields__)
    return InboxRow(**{**fields, "place": place, "direction": direction})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "place", "direction", "is_left"),
    [
        (PortalState.LIVE, 9, TO_MATRIX, False),
        (PortalState.PAUSED, 1, TO_MATRIX, True),
        (PortalState.PAUSED, 1, TO_SLACK, True),
        (PortalState.IMPORTING, 5, TO_MATRIX, False),
        (PortalState.IMPORTING, 6, TO_MATRIX, True),
        (PortalState.IMPORTING, 6, TO_SLACK, False),
    ],
)
def test_what_comes_before_its_time_is_left(state: PortalState, place: int, direction: str, is_left: bool) -> None:
    portal = replace(PORTAL, state=state, history=5)
    assert rests(portal, row(place, direction)) is is_left
    assert rests(None, row(place, direction)) is False
