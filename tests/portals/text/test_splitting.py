"""Slack's limits: nothing is cut off, and the break is where a reader would put it."""

from __future__ import annotations

import json
import re

import pytest

from portals.text import Limits, Names, SlackText, from_matrix, from_slack, to_matrix, to_slack

LIMITS = Limits()
SMALL = Limits(text=700, blocks=5, json=3_000)


def split(html: str, limits: Limits = LIMITS) -> tuple[SlackText, ...]:
    content = {"body": "", "format": "org.matrix.custom.html", "formatted_body": html}
    return to_slack(from_matrix(content), Names(), limits)


def words(messages: tuple[SlackText, ...]) -> str:
    read = "".join(to_matrix(from_slack("", message.blocks), Names()).body for message in messages)
    return re.sub(r"[\s>`•-]|\d+\. ", "", read)


def keeps(messages: tuple[SlackText, ...], limits: Limits) -> bool:
    return all(
        len(message.text) <= limits.text
        and len(json.dumps(message.blocks, ensure_ascii=False)) <= limits.json
        and len(message.blocks) <= limits.blocks
        for message in messages
    )


@pytest.mark.parametrize("limits", [LIMITS, SMALL], ids=["Slack's", "small"])
@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<p>" + "word " * 5000 + "</p>", "word" * 5000),
        ("x" * 20_000, "x" * 20_000),
        ("漢字" * 8_000, "漢字" * 8_000),
        ("&lt;&amp;" * 3_000, "<&" * 3_000),
        ("a<br>" * 6_000, "a" * 6_000),
        ("<b>a</b><i>b</i>" * 2_000, "ab" * 2_000),
        ("<p>one two</p>" * 1_500, "onetwo" * 1_500),
        ("<blockquote>" + "<p>said</p>" * 1_500 + "</blockquote>", "said" * 1_500),
        ("<ul>" + "<li>item</li>" * 1_500 + "</ul>", "item" * 1_500),
        ("<ul><li>" + "deep " * 3_000 + "</li></ul>", "deep" * 3_000),
        ("<pre>" + "code\n" * 3_000 + "</pre>", "code" * 3_000),
        ("a<hr>" * 60, "a" * 60),
    ],
    ids=lambda value: value[:12],
)
def test_nothing_is_lost_and_no_limit_broken(html: str, said: str, limits: Limits) -> None:
    messages = split(html, limits)
    assert keeps(messages, limits)
    assert words(messages) == said


def test_a_message_that_fits_is_one() -> None:
    assert len(split("<p>" + "word " * 700 + "</p>")) == 1


def test_the_break_is_between_paragraphs_where_possible() -> None:
    first, second = split("<p>" + "a" * 2_500 + "</p><p>" + "b" * 2_500 + "</p>")
    assert (first.text, second.text) == ("a" * 2_500, "b" * 2_500)


def test_the_break_is_between_lines_rather_than_words() -> None:
    lines = [f"line {number} of some words" for number in range(400)]
    messages = split("<br>".join(lines))
    assert [line for message in messages for line in message.text.split("\n")] == lines


def test_the_break_is_between_words_rather_than_within() -> None:
    messages = split("word " * 3_000)
    assert {word for message in messages for word in message.text.split()} == {"word"}


def test_an_ordered_list_goes_on_counting_in_the_next_message() -> None:
    messages = split("<ol>" + f"<li>{'x' * 300}</li>" * 30 + "</ol>")
    assert len(messages) > 1
    numbers = [int(line.split(".")[0]) for message in messages for line in message.text.split("\n")]
    assert numbers == list(range(1, 31))
    assert messages[1].blocks[0]["elements"][0]["offset"] == numbers.index(int(messages[1].text.split(".")[0]))


def test_only_the_first_part_of_a_long_item_carries_its_number() -> None:
    messages = split(f"<ol start='7'><li>{'long words ' * 800}</li><li>next</li></ol>")
    marks = [line for message in messages for line in message.text.split("\n") if re.match(r"\d+\. ", line)]
    assert [mark.split(".")[0] for mark in marks] == ["7", "8"]


def test_a_long_link_text_keeps_its_link_in_every_part() -> None:
    messages = split(f"<a href='https://x.org/{'p' * 300}'>{'words ' * 2_000}</a>")
    kinds = {one["type"] for message in messages for part in message.blocks[0]["elements"] for one in part["elements"]}
    assert keeps(messages, LIMITS)
    assert kinds <= {"link", "text"}
    assert words(messages).replace(f"(https://x.org/{'p' * 300})", "").count("words") == 2_000


def test_an_address_too_long_for_a_link_is_text() -> None:
    messages = split(f"<a href='https://x.org/{'p' * 9_000}'>page</a>")
    assert keeps(messages, LIMITS)
    assert words(messages) == f"page(https://x.org/{'p' * 9_000})"


def test_blank_lines_at_a_break_are_no_message() -> None:
    code = "a" * 2_000 + "\n" * 3_000 + "b" * 2_000
    messages = split(f"<pre>{code}</pre>")
    assert keeps(messages, LIMITS)
    assert words(messages) == "a" * 2_000 + "b" * 2_000
    assert all(message.text.strip("`\n") for message in messages)


def test_mentions_and_emoji_survive_a_break() -> None:
    messages = split("👋 some words " * 600)
    found = [
        one["name"]
        for message in messages
        for part in message.blocks[0]["elements"]
        for one in part["elements"]
        if one["type"] == "emoji"
    ]
    assert found == ["wave"] * 600
    assert keeps(messages, LIMITS)
