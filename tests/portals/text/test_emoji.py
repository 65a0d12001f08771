"""Emoji names and Unicode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portals.text import emoji

TABLE = json.loads(Path(emoji.__file__).with_name("data").joinpath("emoji.json").read_text(encoding="utf-8"))
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


def test_names_are_shown_where_only_characters_fit() -> None:
    assert emoji.shown("go :wave: :nope: now") == "go 👋 :nope: now"
    assert emoji.shown("10:30") == "10:30"
