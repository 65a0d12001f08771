from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.slack import SlackRefusal, bot_message
from tests.sandbox.slack.rich_text import compose, normalise

if TYPE_CHECKING:
    from tests.sandbox.slack_tests.conftest import Bench


def text(words: str, *styles: str) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "text", "text": words}
    return element | ({"style": dict.fromkeys(styles, True)} if styles else {})


CASES: list[tuple[str, list[dict[str, Any]]]] = [
    ("plain", [{"type": "rich_text_section", "elements": [text("plain")]}]),
    (
        "*bold* _it_ ~no~ `co_de` *_both_*",
        [
            {
                "type": "rich_text_section",
                "elements": [
                    text("bold", "bold"),
                    text(" "),
                    text("it", "italic"),
                    text(" "),
                    text("no", "strike"),
                    text(" "),
                    text("co_de", "code"),
                    text(" "),
                    text("both", "bold", "italic"),
                ],
            }
        ],
    ),
    ("snake_case_name 2*3*4", [{"type": "rich_text_section", "elements": [text("snake_case_name 2*3*4")]}]),
    (
        "a\n> b\n> c\nd",
        [
            {"type": "rich_text_section", "elements": [text("a\n")]},
            {"type": "rich_text_quote", "elements": [text("b"), text("\n"), text("c")]},
            {"type": "rich_text_section", "elements": [text("d")]},
        ],
    ),
    (
        "x ```if a < b:\n  c``` y",
        [
            {"type": "rich_text_section", "elements": [text("x ")]},
            {"type": "rich_text_preformatted", "elements": [text("if a < b:\n  c")]},
            {"type": "rich_text_section", "elements": [text(" y")]},
        ],
    ),
    (
        "a\n```b```\nc :no_emoji:",
        [
            {"type": "rich_text_section", "elements": [text("a\n")]},
            {"type": "rich_text_preformatted", "elements": [text("b")]},
            {"type": "rich_text_section", "elements": [text("c "), {"type": "emoji", "name": "no_emoji"}]},
        ],
    ),
    (
        "• one\n• two\n1. first",
        [
            {
                "type": "rich_text_list",
                "style": "bullet",
                "indent": 0,
                "border": 0,
                "elements": [
                    {"type": "rich_text_section", "elements": [text("one")]},
                    {"type": "rich_text_section", "elements": [text("two")]},
                ],
            },
            {
                "type": "rich_text_list",
                "style": "ordered",
                "indent": 0,
                "border": 0,
                "elements": [{"type": "rich_text_section", "elements": [text("first")]}],
            },
        ],
    ),
    (
        "<@U1> <#C1|x> <!subteam^S1> <!here> :wave::skin-tone-3: <https://e.org/?a&b|site>",
        [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "user", "user_id": "U1"},
                    text(" "),
                    {"type": "channel", "channel_id": "C1"},
                    text(" "),
                    {"type": "usergroup", "usergroup_id": "S1"},
                    text(" "),
                    {"type": "broadcast", "range": "here"},
                    text(" "),
                    {"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fc", "skin_tone": 3},
                    text(" "),
                    {"type": "link", "url": "https://e.org/?a&b", "text": "site"},
                ],
            }
        ],
    ),
]


@pytest.mark.parametrize(("typed", "elements"), CASES)
def test_what_is_typed_becomes_rich_text(typed: str, elements: list[dict[str, Any]]) -> None:
    assert compose(normalise(typed), "b") == [{"type": "rich_text", "block_id": "b", "elements": elements}]


async def test_a_persons_message_looks_like_one_of_slacks_clients(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    alice.post("#general", "1 < 2 & *so on*")
    await bench.slack.until(lambda: app.events)
    event = app.events[0]
    assert event["text"] == "1 &lt; 2 &amp; *so on*"
    assert (event["user"], event["team"]) == (alice.id, bench.team.id)
    assert len(event["client_msg_id"]) == 36
    assert event["blocks"][0]["elements"][0]["elements"][0] == text("1 < 2 & ")


async def test_people_are_held_to_the_rules_of_a_client(bench: Bench) -> None:
    alice, bob = bench.team.person("alice"), bench.team.person("bob")
    secret = alice.create("secret", private=True)
    said = alice.post("#general", "mine")
    for act, code in (
        (lambda: bob.post("#secret", "x"), "channel_not_found"),
        (lambda: bob.join("#secret"), "channel_not_found"),
        (lambda: bob.edit("#general", said.ts, "yours"), "cant_update_message"),
        (lambda: bob.delete("#general", said.ts), "cant_delete_message"),
        (lambda: bob.react("#general", said.ts, "nonsense"), "invalid_name"),
    ):
        with pytest.raises(SlackRefusal, match=code):
            act()
    alice.archive(secret.id)
    with pytest.raises(SlackRefusal, match="is_archived"):
        alice.post("#secret", "x")


async def test_the_post_of_another_app_carries_that_apps_names(bench: Bench) -> None:
    app = await bench.listen()
    bot_message(bench.team, "#general", "deployed", username="deploy")
    await bench.slack.until(lambda: app.events)
    event = app.of("message", "bot_message")[0]
    assert (event["username"], event["bot_id"], event["app_id"]) == ("deploy", "B0DEPLOYBOT", "A0DEPLOYBOT")
    assert "user" not in event


async def test_a_changed_profile_is_told(bench: Bench) -> None:
    app = await bench.listen()
    bench.team.person("bob").change_profile(display_name="Bobby")
    bench.team.person("bob").deactivate()
    await bench.slack.until(lambda: len(app.events) == 2)
    assert app.of("user_change")[0]["user"]["profile"]["display_name"] == "Bobby"
    assert app.of("user_change")[1]["user"]["deleted"] is True


async def test_a_transcript_is_equal_when_people_would_see_the_same(bench: Bench) -> None:
    before = bench.team.transcript("#general")
    alice = bench.team.person("alice")
    root = alice.post("#general", "root")
    alice.post("#general", "reply", thread_ts=root.ts)
    once = bench.team.transcript("#general")[len(before) :]
    assert [(entry.author, entry.text) for entry in once] == [("alice", "root"), ("alice", "reply")]
    assert once[1].thread == len(before)
    assert once != before
