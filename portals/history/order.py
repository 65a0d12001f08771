"""Which of many things would have to move for all to be in order: the fewest."""

from __future__ import annotations

from array import array
from bisect import bisect_left


def longest_rise(values: array[int]) -> set[int]:
    """Return the indices of a longest rising part of a sequence."""
    ends, tails = array("q"), array("q")
    before = array("q", [-1] * len(values))
    for index, value in enumerate(values):
        at = bisect_left(tails, value)
        before[index] = ends[at - 1] if at else -1
        if at == len(tails):
            tails.append(value)
            ends.append(index)
        else:
            tails[at] = value
            ends[at] = index
    kept: set[int] = set()
    at = ends[-1] if ends else -1
    while at >= 0:
        kept.add(at)
        at = before[at]
    return kept
