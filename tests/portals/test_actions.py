"""An action survives the outbox: what is read back is what was planned, whatever it holds."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals import actions
from portals.actions import Action, Record, decode, encode
from portals.facts import Origin
from portals.ids import ActionKey

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**53), 2**53)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)
CONTENT = st.dictionaries(TEXT, JSON, max_size=4)
RECORDS: tuple[type[Record], ...] = get_args(Record)
ACTIONS: tuple[type[Action], ...] = (*get_args(actions.MatrixAction), *get_args(actions.SlackAction), actions.Note)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "int": NUMBERS,
    "int | None": st.none() | NUMBERS,
    "bool": st.booleans(),
    "str | None": st.none() | TEXT,
    "Ts | None": st.none() | TEXT,
    "Content": CONTENT,
    "tuple[Content, ...]": st.lists(CONTENT, max_size=3).map(tuple),
    "tuple[EventId, ...]": st.lists(TEXT, max_size=3).map(tuple),
    "bool | None": st.none() | st.booleans(),
}


def values(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a dataclass, by the types of its fields; every id is a text."""
    names = {one.name: str(one.type) for one in fields(kind)}
    return st.builds(
        kind, **{name: records if hint == "Record | None" else KINDS.get(hint, TEXT) for name, hint in names.items()}
    )


records: st.SearchStrategy[Any] = st.none() | st.one_of([values(kind) for kind in RECORDS])


@pytest.mark.parametrize("kind", ACTIONS, ids=lambda kind: kind.__name__)
def test_every_action_is_read_back_as_it_was_written(kind: type[Action]) -> None:
    @given(values(kind))
    def check(action: Action) -> None:
        again = decode(orjson.loads(orjson.dumps(encode(action))))
        assert again == action
        assert type(again.record) is type(action.record)

    check()


def test_every_action_and_record_is_known() -> None:
    assert {kind.__name__ for kind in ACTIONS} == set(actions._ACTIONS)
    assert {kind.__name__ for kind in RECORDS} == set(actions._RECORDS)


def test_an_origin_is_written_as_its_word() -> None:
    record = actions.RecordLink(Origin.SLACK, "@ghost:x")
    written = orjson.dumps(encode(actions.Note(ActionKey("k"), record)))
    assert b'"origin":"slack"' in written


@pytest.mark.parametrize("data", [{}, {"action": "Explode", "record": None, "fields": {}}])
def test_what_no_version_wrote_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        decode(data)
