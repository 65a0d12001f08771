"""Words become commands, or say what to write: the table is `tests/cases/commands.json`."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.commands import command
from portals.commands.grammar import ENTRIES, Mistake, entry_of, parse

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "cases" / "commands.json").read_text())
KINDS = get_args(command.Command)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["said"][:40])
def test_words_are_read_as_the_table_says(case: dict[str, Any]) -> None:
    found = parse(case["said"])
    if "error" in case:
        assert isinstance(found, Mistake)
        assert case["error"] in found.reason
        return
    ((name, given_fields),) = case["command"].items()
    values = {field: tuple(value) if isinstance(value, list) else value for field, value in given_fields.items()}
    assert found == getattr(command, name)(**values)


def test_the_table_has_every_command() -> None:
    named = {next(iter(case["command"])) for case in CASES if "command" in case}
    assert named == {kind.__name__ for kind in KINDS}


def test_every_command_has_its_words() -> None:
    assert {one.kind for one in ENTRIES} | {command.LinkPerson} == set(KINDS)
    assert all(entry_of(one.words) is one for one in ENTRIES)
    assert entry_of("nothing") is None


@given(
    st.text(max_size=600)
    | st.lists(st.sampled_from([*"#!-—'“", "link", "plumb", "--workspace", "=", "\n"])).map(" ".join)
)
def test_no_words_whatever_raise(words: str) -> None:
    found = parse(words)
    if isinstance(found, Mistake):
        assert found.reason
    else:
        assert all(
            not isinstance(value, str) or len(value) <= 500 for value in (getattr(found, f.name) for f in fields(found))
        )
