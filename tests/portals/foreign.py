"""Foreign JSON of every kind: what hypothesis may put in any place of a payload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
JSON: SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def objects(known: dict[str, SearchStrategy[Any]]) -> SearchStrategy[dict[str, Any]]:
    """Objects that have some of these fields, each with a likely value or with anything at all."""
    return st.fixed_dictionaries({}, optional={name: likely | JSON for name, likely in known.items()})
