"""Figures are told as people read them."""

from __future__ import annotations

import pytest

from bridge.pages.words import duration, grouped, size


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_960, "1.0 MB"), (10**18, "1000.0 PB")],
)
def test_bytes_are_told_in_the_unit_that_fits(number: int, words: str) -> None:
    assert size(number) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3569, "59 min"),
        (3600, "1 h 0 min"),
        (9000, "2 h 30 min"),
        (172_799, "2 days 0 h"),
        (180_000, "2 days 2 h"),
    ],
)
def test_time_is_told_in_its_two_largest_units(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_thousands_stand_apart() -> None:
    assert grouped(1234567) == "1,234,567"
