"""The example file and the README say what the settings are, no more and no less."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

import pytest

from config import reference, schema
from config.document import parse_value, read_document
from config.loader import parse
from config.settings import Settings
from tests.config.conftest import RIGHT

IN_COMMENTS = (
    ("portals", "map", "*"),
    ("policies", "*"),
    ("console", "tokens", "*"),
    ("permissions", "rules", "*"),
)
"""Lists that are empty by default: the example shows their items in a comment."""
GIVEN = {
    "CAUSEWAY_APPSERVICE_AS_TOKEN": "as-token-0123456789",
    "CAUSEWAY_APPSERVICE_HS_TOKEN": "hs-token-0123456789",
    "CAUSEWAY_BOT_TOKEN": "xoxb-1-abc",
    "CAUSEWAY_APP_TOKEN": "xapp-1-abc",
}


def test_the_example_file_is_the_one_that_the_settings_give() -> None:
    assert reference.EXAMPLE.read_text() == reference.example(), "run `python -m config`"


def test_the_readme_lists_every_setting_as_it_is() -> None:
    assert reference.section_of(reference.README.read_text()) == reference.table(), "run `python -m config`"


def test_every_setting_stands_in_the_example_and_nothing_else_does() -> None:
    keys = read_document(reference.example(), "example.yaml").keys
    written = {tuple("*" if isinstance(part, int) else part for part in path) for path in keys if path[-1] != "env"}
    in_comments = [path for path in schema.entries() if any(path[: len(one)] == one for one in IN_COMMENTS)]
    assert written == schema.entries().keys() - set(in_comments)
    for path in schema.entries():
        assert f"{path[-1]}:" in reference.example()


def test_the_example_means_the_defaults() -> None:
    assert parse(reference.example(), "example.yaml", Path("/srv"), GIVEN) == parse(RIGHT, "small", Path("/srv"), {})


def test_the_mapping_that_the_example_shows_in_a_comment_is_right() -> None:
    lines = reference.example().splitlines()
    start = lines.index("  # Each item is like this:") + 1
    shown = takewhile(lambda line: line.startswith("  #   "), lines[start:])
    item = [line.replace("  #", " ", 1) for line in shown]
    text = reference.example().replace("  map: []\n", "  map:\n" + "\n".join(item) + "\n")
    (mapping,) = parse(text, "example.yaml", Path("/srv"), GIVEN).portals.map
    assert (mapping.slack, mapping.matrix, mapping.direction) == ("#general", "create", "both")


def test_every_setting_has_a_meaning_of_one_sentence() -> None:
    for path, entry in schema.entries().items():
        assert entry.meaning.endswith("."), path
        assert ". " not in entry.meaning, path


def test_no_two_settings_share_an_environment_variable() -> None:
    settings = [path for path, entry in schema.entries().items() if entry.section is None or entry.is_list]
    assert len(schema.variables()) == len(settings)
    for variable, path in schema.variables().items():
        assert schema.path_of_variable(variable.replace("*", "3")) == tuple(3 if part == "*" else part for part in path)


def test_every_setting_is_read_by_the_program() -> None:
    root = Path(reference.__file__).parents[1]
    modules = [*(root / "bridge").rglob("*.py"), *(root / "config").glob("*.py")]
    source = "".join(path.read_text() for path in modules if path.name != "settings.py")
    for path, entry in schema.entries().items():
        if entry.section is None:
            assert re.search(rf"\.{path[-1]}\b", source), ".".join(path)


@pytest.mark.parametrize(
    "value",
    [
        "true",
        "12",
        "1.5",
        "null",
        "~",
        "#general",
        "a: b",
        "a #b",
        "- a",
        "@a:b",
        "100 MiB",
        "",
        " a",
        '"',
        "é\\n",
        "a,b",
    ],
)
def test_a_text_is_written_so_that_it_is_read_back(value: str) -> None:
    assert parse_value(reference.scalar(value)) == value
    assert parse_value(reference.scalar([value, {"k": value}])) == [value, {"k": value}]


def test_settings_cannot_be_changed() -> None:
    settings = parse(RIGHT, "small", Path("/srv"), {})
    with pytest.raises(ValueError, match="frozen"):
        settings.slack.mode = "events"
    assert isinstance(hash(settings), int)
    assert isinstance(settings, Settings)
