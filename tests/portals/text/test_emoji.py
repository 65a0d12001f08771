"""Emoji names and Unicode."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from portals.text import emoji

DATA = Path(emoji.__file__).with_name("data")
TABLE = json.loads((DATA / "emoji.json").read_text(encoding="utf-8"))
EVERY = sorted(TABLE["names"])


def test_every_name_and_form_leads_to_the_other() -> None:
    for name in EVERY:
        form = emoji.unicode_of(name)
        assert form is not None
        back = emoji.name_of(form)
        assert back is not None
        assert emoji.unicode_of(back) == form
        assert emoji.name_of(form.replace("\ufe0f", "")) == back


def test_every_form_is_found_whole_in_text() -> None:
    for name in EVERY:
        form = emoji.unicode_of(name) or ""
        assert list(emoji.pieces(f"ä{form}ß")) == [("ä", None), (form, emoji.name_of(form)), ("ß", None)]


def test_every_toned_form_leads_back_to_its_name() -> None:
    for name in TABLE["plain"]:
        for tone in range(2, 7):
            toned = f"{name}::skin-tone-{tone}"
            assert emoji.name_of(emoji.unicode_of(toned) or "") == toned


@pytest.mark.parametrize(
    ("name", "form"),
    [
        (":wave:", "👋"),
        ("thumbsup", "👍"),
        ("thumbsup::skin-tone-3", "👍🏼"),
        ("people_holding_hands::skin-tone-2-6", "🧑🏻‍🤝‍🧑🏿"),
        ("tada::skin-tone-3", "🎉"),
        ("flag-ch", "🇨🇭"),
        ("skin-tone-4", "🏽"),
    ],
)
def test_a_name_says_its_form(name: str, form: str) -> None:
    assert emoji.unicode_of(name) == form


@pytest.mark.parametrize("name", ["", "party_parrot", "zz::skin-tone-2", "x" * 500, "👋"])
def test_an_unknown_name_is_not_guessed_at(name: str) -> None:
    assert emoji.unicode_of(name) is None


@pytest.mark.parametrize("form", ["", "a", "👋👋", "x" * 500])
def test_what_is_not_one_emoji_has_no_name(form: str) -> None:
    assert emoji.name_of(form) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain", [("plain", None)]),
        ("ä", [("ä", None)]),
        ("👩‍🦱‍🦱", [("👩‍🦱", "curly_haired_woman"), ("\u200d", None), ("🦱", None)]),
        ("🇩🇩", [("🇩🇩", None)]),
        ("©", [("©", None)]),
        ("©️!", [("©️", "copyright"), ("!", None)]),
        ("👋👍", [("👋", "wave"), ("👍", "+1")]),
        ("\u2640\u2642", [("\u2640\u2642", None)]),
    ],
)
def test_emoji_are_found_in_text(text: str, found: list[tuple[str, str | None]]) -> None:
    assert "".join(piece for piece, _ in emoji.pieces(text)) == text
    pieces = list(emoji.pieces(text))
    assert [piece for piece in pieces if piece[1]] == [piece for piece in found if piece[1]]


def test_the_table_is_made_from_the_source_of_the_names() -> None:
    generate = runpy.run_path(str(DATA / "generate.py"))
    tones = {f"1F3F{tone}": {"unified": f"1F44B-1F3F{tone}"} for tone in "BCDEF"}
    source = [
        {"short_name": "+1", "short_names": ["+1", "thumbsup"], "unified": "1F44D", "sort_order": 2},
        {"short_name": "wave", "short_names": ["wave"], "unified": "1F44B", "sort_order": 1, "skin_variations": tones},
        {
            "short_name": "pair",
            "short_names": ["pair"],
            "unified": "1F91D",
            "sort_order": 3,
            "skin_variations": {"1F3FB-1F3FC": {"unified": "1FAF1-1F3FB-200D-1FAF2-1F3FC"}},
        },
    ]
    assert generate["table"](source) == {
        "names": {"wave": "👋", "+1": "👍", "thumbsup": "👍", "pair": "🤝"},
        "plain": ["wave"],
        "toned": {"pair": {"2-3": "🫱🏻‍🫲🏼"}},
    }


def test_names_are_shown_where_only_characters_fit() -> None:
    assert emoji.shown("go :wave: :nope: now") == "go 👋 :nope: now"
    assert emoji.shown("10:30") == "10:30"
