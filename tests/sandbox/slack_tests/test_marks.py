from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.slack import Reality
from tests.sandbox.slack_tests.conftest import Bench, running


async def test_a_reaction_is_added_once_and_removed_once(bench: Bench) -> None:
    app = await bench.listen()
    said = bench.team.person("alice").post("#general", "x")
    where: dict[str, Any] = {"channel": bench.general, "timestamp": said.ts}
    await bench.web.reactions_add(**where, name="thumbsup")
    assert await bench.error(bench.web.reactions_add(**where, name="thumbsup")) == "already_reacted"
    await bench.web.reactions_remove(**where, name="thumbsup")
    assert await bench.error(bench.web.reactions_remove(**where, name="thumbsup")) == "no_reaction"
    await bench.slack.until(lambda: app.of("reaction_removed"))
    added = app.of("reaction_added")[0]
    assert added["user"] == bench.team.installation.bot_user
    assert added["item"] == {"type": "message", "channel": bench.general, "ts": said.ts}
    assert added["item_user"] == said.user


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("wave", True),
        ("wave::skin-tone-6", True),
        (":tada:", True),
        ("+1", True),
        ("shipit", True),
        ("no_such_emoji", False),
        ("wave::skin-tone-7", False),
        ("👍", False),
        ("wave tada", False),
    ],
)
async def test_reactions_have_names_that_slack_knows(bench: Bench, name: str, known: bool) -> None:
    bench.team.emoji["shipit"] = "custom"
    said = bench.team.person("alice").post("#general", "x")
    call = bench.web.reactions_add(channel=bench.general, timestamp=said.ts, name=name)
    if known:
        await call
    else:
        assert await bench.error(call) == "invalid_name"


@pytest.mark.parametrize(("names", "stored"), [("kept", "thumbsup::skin-tone-3"), ("first", "+1::skin-tone-3")])
async def test_a_reaction_keeps_its_name_or_gets_the_first_one(names: Any, stored: str) -> None:
    async with running(Reality(reaction_names=names)) as bench:
        said = bench.team.person("alice").post("#general", "x")
        where: dict[str, Any] = {"channel": bench.general, "timestamp": said.ts}
        await bench.web.reactions_add(**where, name="thumbsup::skin-tone-3")
        assert list(said.reactions) == [stored]
        await bench.web.reactions_remove(**where, name="thumbsup::skin-tone-3")


async def test_a_message_may_not_name_everybody_who_reacted() -> None:
    async with running(Reality(reaction_users_shown=1)) as bench:
        alice, bob = bench.team.person("alice"), bench.team.person("bob")
        said = alice.post("#general", "x")
        alice.react("#general", said.ts, "wave")
        bob.react("#general", said.ts, "wave")
        where: dict[str, Any] = {"channel": bench.general, "timestamp": said.ts}
        short = (await bench.web.reactions_get(**where))["message"]["reactions"]
        assert short == [{"name": "wave", "users": [alice.id], "count": 2}]
        full = (await bench.web.reactions_get(**where, full=True))["message"]["reactions"]
        assert full == [{"name": "wave", "users": [alice.id, bob.id], "count": 2}]


async def test_one_person_has_at_most_23_reactions_on_a_message(bench: Bench) -> None:
    said = bench.team.person("alice").post("#general", "x")
    for number in range(23):
        bench.team.emoji[f"e{number}"] = "custom"
        await bench.web.reactions_add(channel=bench.general, timestamp=said.ts, name=f"e{number}")
    call = bench.web.reactions_add(channel=bench.general, timestamp=said.ts, name="wave")
    assert await bench.error(call) == "too_many_reactions"


async def test_a_reaction_needs_its_message(bench: Bench) -> None:
    where: dict[str, Any] = {"channel": bench.general, "name": "wave"}
    assert await bench.error(bench.web.reactions_add(**where, timestamp="1.000001")) == "message_not_found"
    assert await bench.error(bench.web.reactions_add(**where, timestamp="yesterday")) == "bad_timestamp"
    assert await bench.error(bench.web.api_call("reactions.add", json=where)) == "no_item_specified"


async def test_pins_are_set_listed_and_taken_off(bench: Bench) -> None:
    app = await bench.listen()
    said = bench.team.person("alice").post("#general", "x")
    where: dict[str, Any] = {"channel": bench.general, "timestamp": said.ts}
    await bench.web.pins_add(**where)
    assert await bench.error(bench.web.pins_add(**where)) == "already_pinned"
    items = (await bench.web.pins_list(channel=bench.general))["items"]
    assert [item["message"]["ts"] for item in items] == [said.ts]
    await bench.web.pins_remove(**where)
    assert await bench.error(bench.web.pins_remove(**where)) == "no_pin"
    await bench.slack.until(lambda: app.of("pin_removed"))
    assert app.of("pin_added")[0]["channel_id"] == bench.general


async def test_custom_emoji_and_usergroups_are_told_and_listed(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    alice.add_emoji("shipit", b"\x89PNG")
    alice.add_emoji("ship", alias="shipit")
    alice.add_emoji("gone", b"x")
    alice.remove_emoji("gone")
    group = alice.add_usergroup("oncall", "bob")
    await bench.slack.until(lambda: app.of("subteam_created"))
    assert [event["subtype"] for event in app.events if event["type"] == "emoji_changed"] == ["add"] * 3 + ["remove"]
    emoji = (await bench.web.emoji_list())["emoji"]
    assert emoji["ship"] == "alias:shipit"
    async with bench.session.get(emoji["shipit"]) as answer:
        assert await answer.read() == b"\x89PNG"
    groups = (await bench.web.usergroups_list(include_users=True))["usergroups"]
    assert [(shown["id"], shown["handle"], shown["users"]) for shown in groups] == [
        (group.id, "oncall", [bench.team.user("bob").id])
    ]


async def test_bookmarks_are_listed_and_announced_by_nothing(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    first = alice.bookmark("#general", "Wiki", "https://wiki.example/", ":book:")
    alice.bookmark("#general", "Board", "https://board.example/")
    listed = (await bench.web.bookmarks_list(channel_id=bench.general))["bookmarks"]
    assert [(one["title"], one["link"], one["emoji"]) for one in listed] == [
        ("Wiki", "https://wiki.example/", ":book:"),
        ("Board", "https://board.example/", ""),
    ]
    alice.remove_bookmark("#general", first)
    assert len((await bench.web.bookmarks_list(channel_id=bench.general))["bookmarks"]) == 1
    where = {"channel_id": bench.general, "title": "x", "type": "link", "link": "https://x.example/"}
    assert await bench.error(bench.web.bookmarks_add(**where)) == "missing_scope"
    bench.team.installation.token.scopes.add("bookmarks:write")
    added = (await bench.web.bookmarks_add(**where))["bookmark"]
    assert await bench.error(bench.web.bookmarks_add(**where | {"link": "x"})) == "invalid_link"
    assert await bench.error(bench.web.bookmarks_add(**where | {"type": "file"})) == "invalid_bookmark_type"
    await bench.web.bookmarks_remove(channel_id=bench.general, bookmark_id=added["id"])
    gone = bench.web.bookmarks_remove(channel_id=bench.general, bookmark_id=added["id"])
    assert await bench.error(gone) == "not_found"
    assert [event for event in app.events if "bookmark" in event["type"]] == []
