"""An export's token leaves the addresses of its files, and nothing else does."""

from __future__ import annotations

import json

import pytest

from portals.reading.file_tokens import split, tokens_in, without_tokens

FILE = "https://files.slack.com/files-pri/T1-F1/a.png"


@pytest.mark.parametrize(
    ("url", "bare", "token"),
    [
        (f"{FILE}?t=xoxe-1-a", FILE, "xoxe-1-a"),
        (f"{FILE}?token=xoxe-1-a", FILE, "xoxe-1-a"),
        (f"{FILE}?t=xoxe-1-a&x=1", f"{FILE}?x=1", "xoxe-1-a"),
        (f"{FILE}?x=1&t=xoxe-1-a", f"{FILE}?x=1", "xoxe-1-a"),
        (f"{FILE}?x=1&t=xoxe-1-a&y=2", f"{FILE}?x=1&y=2", "xoxe-1-a"),
        (f"{FILE}?t=17", f"{FILE}?t=17", ""),
        (f"{FILE}?at=xoxe-1-a", f"{FILE}?at=xoxe-1-a", ""),
        (FILE, FILE, ""),
        ("", "", ""),
    ],
)
def test_the_token_is_taken_out_of_an_address(url: str, bare: str, token: str) -> None:
    assert split(url) == (bare, token)


@pytest.mark.parametrize("ampersand", ["&", "\\u0026"])
def test_a_record_loses_its_tokens_and_nothing_else(ampersand: str) -> None:
    record = {
        "text": "see https://example.com/?t=1&u=2",
        "files": [{"url_private": f"{FILE}?t=xoxe-1-a"}, {"thumb_360": f"{FILE}?x=1&token=xoxe-2-b&y=2"}],
    }
    written = json.dumps(record).replace("&", ampersand)
    cleaned = without_tokens(written)
    assert tokens_in(written) == ["xoxe-1-a", "xoxe-2-b"]
    assert tokens_in(cleaned) == []
    assert json.loads(cleaned) == {
        "text": record["text"],
        "files": [{"url_private": FILE}, {"thumb_360": f"{FILE}?x=1&y=2"}],
    }


def test_a_text_without_tokens_stays_as_it_is() -> None:
    assert without_tokens("xoxo, ?t=me") == "xoxo, ?t=me"
    assert tokens_in("nothing here") == []
