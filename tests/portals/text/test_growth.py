"""Work grows with the length of a message, not with its square.

Counted in executed calls, which no busy machine can falsify: ten times the text may cost little more than ten times
the calls. `make fuzz` asks it of longer texts.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from portals.text import Names, from_matrix, from_slack, to_matrix, to_slack
from tests.portals.text.documents import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def calls_of(act: Callable[[], object]) -> int:
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def slack(text: str) -> None:
    to_matrix(from_slack(text), Names())


def html(text: str) -> None:
    to_slack(from_matrix({"body": "", "format": "org.matrix.custom.html", "formatted_body": text}), Names())


def plain(text: str) -> None:
    to_slack(from_matrix({"body": text}), Names())


SHORT = 10 * EXAMPLES
DEEP = 20 * EXAMPLES
"""More than the tags within tags that are read as such."""
HOSTILE = {
    slack: [
        "*",
        "_*",
        "*a ",
        "`",
        "```",
        "```a",
        "<",
        "<@",
        "&gt;\n",
        ":",
        ":a",
        "~a~ ",
        "\n",
        "<a|",
        " *a _b ~c",
        "👋",
    ],
    html: ["<b>", "<a>", "<p>", "<br>", "<ul><li>", "</b>", "&", "<sup>", "<table><tr><td>", "<b>x</b>", "<details>"],
    plain: ["https://", "https://x ", "*", "\n", "@room ", "> ", "http://x)", " x", "👨‍"],
}


@pytest.mark.parametrize(
    ("convert", "piece"),
    [
        pytest.param(convert, piece, id=f"{convert.__name__} {piece!r}")
        for convert in HOSTILE
        for piece in HOSTILE[convert]
    ],
)
def test_ten_times_the_text_is_ten_times_the_work(convert: Callable[[str], None], piece: str) -> None:
    times = DEEP if convert is html else SHORT
    small = calls_of(lambda: convert(piece * times))
    large = calls_of(lambda: convert(piece * 10 * times))
    assert large <= 14 * small + 10_000


def test_a_megabyte_of_marks_is_converted() -> None:
    assert to_matrix(from_slack("*" * 1_000_000), Names()).body == "*" * 1_000_000


def test_absurdly_nested_html_is_read_as_text() -> None:
    deep = {"body": "", "format": "org.matrix.custom.html", "formatted_body": "<div>" * 50_000 + "hello"}
    assert to_slack(from_matrix(deep), Names())[0].text == "hello"


def test_nesting_beyond_the_limit_keeps_its_words() -> None:
    nested = {"body": "", "format": "org.matrix.custom.html", "formatted_body": "<blockquote>" * 300 + "hello"}
    messages = to_slack(from_matrix(nested), Names())
    assert messages[0].text.endswith("hello")


def test_blocks_nested_without_end_are_read() -> None:
    attachment: dict[str, object] = {"text": "innermost"}
    for _ in range(300):
        attachment = {"text": "level", "attachments": [attachment]}
    assert "level" in to_matrix(from_slack("", (), [attachment]), Names()).body
