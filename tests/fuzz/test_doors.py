"""No input that is kept does harm, nor does what a short search makes of it; `make fuzz` searches long."""

from __future__ import annotations

import traceback

import pytest

from tests.fuzz.doors import DOORS, Door
from tests.fuzz.search import Search

STEPS = 20


@pytest.mark.parametrize("door", DOORS, ids=[door.name for door in DOORS])
def test_nothing_hostile_does_harm(door: Door) -> None:
    search = Search(door, 1, guided=False)
    for _ in range(STEPS * door.weight):
        search.step()
    for find in search.searched.finds:
        told = "".join(traceback.format_exception(find.error)[-3:])
        pytest.fail(f"{door.name} {find.data[:400]!r}\n{told}")
    assert search.searched.inputs > STEPS


def test_a_search_finds_what_does_harm() -> None:
    def harmed(data: bytes) -> None:
        assert b"<b>" not in data

    search = Search(Door("address", harmed), 1, guided=False)
    for _ in range(20_000):
        search.step()
    assert search.searched.finds
