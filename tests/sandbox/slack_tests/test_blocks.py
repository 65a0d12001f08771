from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.slack.blocks import check_blocks
from tests.sandbox.slack.errors import SlackRefusal


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def rich(element: Any) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [element]}]}


GOOD: list[dict[str, Any]] = [
    section("x" * 3000),
    {"type": "divider"},
    {"type": "header", "text": {"type": "plain_text", "text": "Title"}},
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}]},
    {"type": "image", "image_url": "https://example.org/a.png", "alt_text": "a"},
    rich({"type": "text", "text": "x", "style": {"bold": True, "underline": True}}),
    rich({"type": "user", "user_id": "U012345"}),
    rich({"type": "broadcast", "range": "here"}),
    rich({"type": "link", "url": "https://example.org", "text": "site"}),
    rich({"type": "emoji", "name": "wave", "skin_tone": 3}),
    rich({"type": "date", "timestamp": 1_700_000_000, "format": "{date}", "fallback": "then"}),
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_list",
                "style": "ordered",
                "indent": 1,
                "offset": 2,
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
            },
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "x"}]},
            {"type": "rich_text_preformatted", "border": 0, "elements": [{"type": "text", "text": "x"}]},
        ],
    },
]

BAD: list[tuple[Any, str]] = [
    (section("x" * 3001), "/blocks/0/text/text"),
    (section(""), "/blocks/0/text/text"),
    ({"type": "section"}, "/blocks/0"),
    ({"type": "section", "text": {"type": "html", "text": "x"}}, "/blocks/0/text/type"),
    ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "/blocks/0/text/type"),
    ({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}, "/blocks/0/text/text"),
    ({"type": "context", "elements": []}, "/blocks/0/elements"),
    ({"type": "image", "image_url": "https://example.org/a.png"}, "/blocks/0/alt_text"),
    ({"type": "image", "image_url": "mxc://a/b", "alt_text": "a"}, "/blocks/0/image_url"),
    ({"type": "marquee"}, "/blocks/0/type"),
    ("text", "/blocks/0"),
    ({"type": "rich_text", "elements": []}, "/blocks/0/elements"),
    ({"type": "rich_text", "elements": [{"type": "text", "text": "x"}]}, "/blocks/0/elements/0/type"),
    (rich({"type": "text", "text": ""}), "/blocks/0/elements/0/elements/0/text"),
    (rich({"type": "text"}), "/blocks/0/elements/0/elements/0/text"),
    (rich({"type": "canvas", "id": "F1"}), "/blocks/0/elements/0/elements/0/type"),
    (rich({"type": "text", "text": "x", "style": {"blink": True}}), "/blocks/0/elements/0/elements/0/style"),
    (rich({"type": "text", "text": "x", "style": {"bold": 1}}), "/blocks/0/elements/0/elements/0/style"),
    (rich({"type": "broadcast", "range": "all"}), "/blocks/0/elements/0/elements/0/range"),
    (rich({"type": "user", "user_id": "@alice:example.org"}), "/blocks/0/elements/0/elements/0/user_id"),
    (
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_preformatted", "elements": [{"type": "emoji", "name": "wave"}]},
            ],
        },
        "/blocks/0/elements/0/elements/0/type",
    ),
    (
        {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "dash", "elements": []}]},
        "/blocks/0/elements/0/style",
    ),
]


@pytest.mark.parametrize("block", GOOD)
def test_blocks_that_slack_documents_are_taken(block: dict[str, Any]) -> None:
    assert check_blocks([block]) == [block]


@pytest.mark.parametrize(("block", "pointer"), BAD)
def test_a_wrong_block_is_refused_with_its_place(block: Any, pointer: str) -> None:
    with pytest.raises(SlackRefusal) as caught:
        check_blocks([block])
    assert caught.value.code == "invalid_blocks"
    assert f"[json-pointer:{pointer}]" in caught.value.messages[0]


def test_a_message_has_at_most_50_blocks() -> None:
    check_blocks([{"type": "divider"}] * 50)
    with pytest.raises(SlackRefusal, match="invalid_blocks"):
        check_blocks([{"type": "divider"}] * 51)


def test_all_blocks_together_have_at_most_13200_characters() -> None:
    check_blocks([section("x" * 3000)] * 4)
    with pytest.raises(SlackRefusal, match="msg_blocks_too_long"):
        check_blocks([section("x" * 3000)] * 5)


def test_two_blocks_share_no_id() -> None:
    with pytest.raises(SlackRefusal, match="invalid_blocks"):
        check_blocks([{"type": "divider", "block_id": "a"}] * 2)


@pytest.mark.parametrize("blocks", ["x", {}, 3])
def test_blocks_are_a_list(blocks: Any) -> None:
    with pytest.raises(SlackRefusal, match="invalid_blocks_format"):
        check_blocks(blocks)
