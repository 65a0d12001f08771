"""What strangers may ask for is bounded, and comes back with time."""

from __future__ import annotations

from bridge.public.allowance import Allowance


def test_what_is_spent_comes_back_with_time() -> None:
    now = [0.0]
    allowance = Allowance(2.0, 3.0, lambda: now[0])
    assert [allowance.spend() for _ in range(3)] == [None] * 3
    refusal = allowance.spend()
    assert refusal is not None
    assert (refusal.status, refusal.headers["Retry-After"]) == (429, "5")
    now[0] = 0.5
    assert allowance.spend() is None
    assert allowance.spend() is not None
    now[0] = 1000.0
    assert [allowance.spend() for _ in range(3)] == [None] * 3
    assert allowance.spend() is not None
