from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.slack import Reality
from tests.sandbox.slack_tests.conftest import Bench, running

pytestmark = pytest.mark.filterwarnings("ignore:.*text.* argument is missing:UserWarning", "ignore:The top-level")


def rich(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}]


async def test_an_own_post_comes_back_with_the_names_of_its_app(bench: Bench) -> None:
    app = await bench.listen()
    posted = await bench.web.chat_postMessage(channel=bench.general, text="hello *you*")
    await bench.slack.until(lambda: app.of("message"))
    event = app.of("message")[0]
    installation = bench.team.installation
    assert event["ts"] == posted["ts"]
    assert (event["user"], event["bot_id"]) == (installation.bot_user, installation.bot_id)
    assert event["app_id"] == event["bot_profile"]["app_id"] == installation.app.id
    assert event["blocks"][0]["elements"][0]["elements"][1] == {
        "type": "text",
        "text": "you",
        "style": {"bold": True},
    }


@pytest.mark.parametrize("form", ["bot_message", "plain"])
async def test_a_customised_post_comes_back_in_either_form(form: Any) -> None:
    async with running(Reality(customised_as=form)) as bench:
        app = await bench.listen()
        await bench.web.chat_postMessage(
            channel=bench.general, text="hi", username="Zoë (Matrix)", icon_url="https://example.org/zoe.png"
        )
        await bench.slack.until(lambda: app.events)
        event = app.events[0]
        assert event["username"] == "Zoë (Matrix)"
        assert event["icons"]["image_48"] == "https://example.org/zoe.png"
        assert event["app_id"] == bench.team.installation.app.id
        assert event.get("subtype") == ("bot_message" if form == "bot_message" else None)
        assert ("user" in event) == (form == "plain")


async def test_an_apps_messages_may_carry_no_app_id() -> None:
    async with running(Reality(app_id_in_messages=False)) as bench:
        app = await bench.listen()
        await bench.web.chat_postMessage(channel=bench.general, text="hi", username="Zoë")
        await bench.web.chat_postMessage(channel=bench.general, text="hi")
        await bench.slack.until(lambda: len(app.events) == 2)
        assert {event["bot_id"] for event in app.events} == {bench.team.installation.bot_id}
        assert not any("app_id" in event for event in app.events)


async def test_a_username_without_its_scope_is_ignored_or_refused() -> None:
    async with running(Reality()) as bench:
        bench.team.installation.token.scopes.discard("chat:write.customize")
        answer = await bench.web.chat_postMessage(channel=bench.general, text="hi", username="Zoë")
        assert "username" not in answer["message"]
    async with running(Reality(customize_without_scope="missing_scope")) as bench:
        bench.team.installation.token.scopes.discard("chat:write.customize")
        body = await bench.refusal(bench.web.chat_postMessage(channel=bench.general, text="hi", username="Zoë"))
        assert (body["error"], body["needed"]) == ("missing_scope", "chat:write.customize")


async def test_text_is_truncated_above_40000_characters_with_a_warning(bench: Bench) -> None:
    answer = await bench.web.chat_postMessage(channel=bench.general, text="x" * 40_001)
    assert len(answer["message"]["text"]) == 40_000
    assert answer["response_metadata"]["warnings"] == ["message_truncated"]


async def test_update_refuses_above_4000_characters(bench: Bench) -> None:
    posted = await bench.web.chat_postMessage(channel=bench.general, text="x")
    call = bench.web.chat_update(channel=bench.general, ts=posted["ts"], text="y" * 4001)
    assert await bench.error(call) == "msg_too_long"
    await bench.web.chat_update(channel=bench.general, ts=posted["ts"], text="y" * 4000)


@pytest.mark.parametrize("arguments", [{}, {"text": ""}, {"text": "  "}, {"blocks": []}])
async def test_a_post_needs_something_to_say(bench: Bench, arguments: dict[str, Any]) -> None:
    assert await bench.error(bench.web.chat_postMessage(channel=bench.general, **arguments)) == "no_text"


async def test_text_is_stored_with_slack_escapes_and_bracketed_links(bench: Bench) -> None:
    answer = await bench.web.chat_postMessage(channel=bench.general, text="a & b < c &amp; https://e.org/?a=1&b=2.")
    assert answer["message"]["text"] == "a &amp; b &lt; c &amp; <https://e.org/?a=1&amp;b=2>."


async def test_mentions_in_text_stay_and_lose_their_label(bench: Bench) -> None:
    text = "<@U0000000|bob> <#C0000000|general> <!here> <https://e.org|site>"
    answer = await bench.web.chat_postMessage(channel=bench.general, text=text)
    assert answer["message"]["text"] == "<@U0000000> <#C0000000|general> <!here> <https://e.org|site>"


async def test_blocks_alone_get_a_text_made_of_them(bench: Bench) -> None:
    blocks = rich({"type": "text", "text": "a < b "}, {"type": "user", "user_id": "U123456"})
    answer = await bench.web.chat_postMessage(channel=bench.general, blocks=blocks)
    assert answer["message"]["text"] == "a &lt; b <@U123456>"


async def test_posts_need_membership_or_chat_write_public_in_public_channels_only(bench: Bench) -> None:
    alice = bench.team.person("alice")
    public, private = alice.create("elsewhere"), alice.create("secret", private=True)
    await bench.web.chat_postMessage(channel=public.id, text="chat:write.public lets me")
    assert await bench.error(bench.web.chat_postMessage(channel=private.id, text="x")) == "channel_not_found"
    bench.team.installation.token.scopes.discard("chat:write.public")
    assert await bench.error(bench.web.chat_postMessage(channel=public.id, text="x")) == "not_in_channel"
    assert await bench.error(bench.web.chat_postMessage(channel="C0NOWHERE", text="x")) == "channel_not_found"


async def test_a_channel_can_be_named(bench: Bench) -> None:
    answer = await bench.web.chat_postMessage(channel="#general", text="x")
    assert answer["channel"] == bench.general
    assert await bench.error(bench.web.chat_postMessage(channel="#nowhere", text="x")) == "channel_not_found"


async def test_archived_channels_take_nothing(bench: Bench) -> None:
    posted = await bench.web.chat_postMessage(channel=bench.general, text="x")
    bench.team.person("alice").archive("#general")
    where: dict[str, Any] = {"channel": bench.general, "ts": posted["ts"]}
    assert await bench.error(bench.web.chat_postMessage(channel=bench.general, text="y")) == "is_archived"
    assert await bench.error(bench.web.chat_update(**where, text="y")) == "is_inactive"
    add = bench.web.reactions_add(channel=bench.general, timestamp=posted["ts"], name="wave")
    assert await bench.error(add) == "is_archived"


async def test_a_bot_changes_and_deletes_only_its_own(bench: Bench) -> None:
    theirs = bench.team.person("alice").post("#general", "mine")
    where: dict[str, Any] = {"channel": bench.general, "ts": theirs.ts}
    assert await bench.error(bench.web.chat_update(**where, text="y")) == "cant_update_message"
    assert await bench.error(bench.web.chat_delete(**where)) == "cant_delete_message"
    gone: dict[str, Any] = {"channel": bench.general, "ts": "1.000001"}
    assert await bench.error(bench.web.chat_update(**gone, text="y")) == "message_not_found"
    assert await bench.error(bench.web.chat_delete(**gone)) == "message_not_found"


async def test_a_customised_post_may_be_undeletable_but_stays_editable() -> None:
    async with running(Reality(delete_customised="cant_delete_message")) as bench:
        posted = await bench.web.chat_postMessage(channel=bench.general, text="x", username="Zoë")
        where = {"channel": bench.general, "ts": posted["ts"]}
        assert await bench.error(bench.web.chat_delete(**where)) == "cant_delete_message"
        changed = await bench.web.chat_update(**where, text="(deleted)")
        assert changed["message"]["username"] == "Zoë"


async def test_update_ignores_a_username_and_keeps_metadata_that_is_not_sent(bench: Bench) -> None:
    metadata = {"event_type": "causeway_relay", "event_payload": {"key": "k1"}}
    posted = await bench.web.chat_postMessage(channel=bench.general, text="x", username="Zoë", metadata=metadata)
    changed = await bench.web.api_call(
        "chat.update", json={"channel": bench.general, "ts": posted["ts"], "text": "y", "username": "Eve"}
    )
    assert changed["message"]["username"] == "Zoë"
    assert changed["message"]["metadata"] == metadata
    assert changed["message"]["edited"]["user"] == bench.team.installation.bot_id


async def test_an_update_with_blocks_carries_no_edited_mark(bench: Bench) -> None:
    posted = await bench.web.chat_postMessage(channel=bench.general, text="x")
    blocks = rich({"type": "text", "text": "y"})
    changed = await bench.web.chat_update(channel=bench.general, ts=posted["ts"], text="y", blocks=blocks)
    assert "edited" not in changed["message"]


async def test_an_update_of_text_alone_drops_the_old_blocks(bench: Bench) -> None:
    posted = await bench.web.chat_postMessage(
        channel=bench.general, text="x", blocks=rich({"type": "text", "text": "x"})
    )
    changed = await bench.web.chat_update(channel=bench.general, ts=posted["ts"], text="new")
    assert changed["message"]["blocks"][0]["elements"][0]["elements"] == [{"type": "text", "text": "new"}]


async def test_an_edit_is_announced_with_both_versions(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    said = alice.post("#general", "one")
    alice.edit("#general", said.ts, "two")
    await bench.slack.until(lambda: app.of("message", "message_changed"))
    event = app.of("message", "message_changed")[0]
    assert (event["message"]["text"], event["previous_message"]["text"]) == ("two", "one")
    assert event["message"]["edited"]["user"] == alice.id
    assert event["hidden"] is True
    assert event["ts"] != said.ts == event["message"]["ts"]


async def test_an_unfurl_is_a_change_without_a_change_of_text(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    said = alice.post("#general", "see https://example.org/")
    alice.unfurl("#general", said.ts)
    await bench.slack.until(lambda: app.of("message", "message_changed"))
    event = app.of("message", "message_changed")[0]
    assert event["message"]["text"] == event["previous_message"]["text"]
    assert "edited" not in event["message"]
    assert event["message"]["attachments"]


async def test_a_deleted_root_leaves_a_tombstone_and_a_deleted_leaf_nothing(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    root, leaf = alice.post("#general", "root"), alice.post("#general", "leaf")
    alice.post("#general", "reply", thread_ts=root.ts)
    alice.delete("#general", root.ts)
    alice.delete("#general", leaf.ts)
    await bench.slack.until(lambda: app.of("message", "message_deleted"))
    changed = app.of("message", "message_changed")[0]
    assert changed["message"]["subtype"] == "tombstone"
    assert changed["previous_message"]["text"] == "root"
    assert app.of("message", "message_deleted")[0]["deleted_ts"] == leaf.ts
    thread = await bench.web.conversations_replies(channel=bench.general, ts=root.ts)
    assert [message.get("subtype") for message in thread["messages"]] == ["tombstone", None]


async def test_a_reply_needs_a_root(bench: Bench) -> None:
    alice = bench.team.person("alice")
    root = alice.post("#general", "root")
    reply = alice.post("#general", "reply", thread_ts=root.ts)
    for ts in (reply.ts, "1.000001"):
        call = bench.web.chat_postMessage(channel=bench.general, text="x", thread_ts=ts)
        assert await bench.error(call) == "cannot_reply_to_message"


async def test_a_broadcast_reply_shows_in_the_channel_with_its_root(bench: Bench) -> None:
    app = await bench.listen()
    root = bench.team.person("alice").post("#general", "root")
    await bench.web.chat_postMessage(channel=bench.general, text="all", thread_ts=root.ts, reply_broadcast=True)
    await bench.slack.until(lambda: app.of("message", "thread_broadcast"))
    assert app.of("message", "thread_broadcast")[0]["root"]["reply_count"] == 1
    history = await bench.web.conversations_history(channel=bench.general, limit=1)
    assert history["messages"][0]["text"] == "all"


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ("not json", "invalid_metadata_format"),
        ([1], "invalid_metadata_format"),
        ({"event_type": "x"}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"k": "v" * 17_000}}, "metadata_too_large"),
    ],
)
async def test_metadata_keeps_its_rules(bench: Bench, metadata: Any, error: str) -> None:
    call = bench.web.api_call("chat.postMessage", json={"channel": bench.general, "text": "x", "metadata": metadata})
    assert await bench.error(call) == error


async def test_metadata_with_a_dotted_type_is_silently_lost(bench: Bench) -> None:
    metadata = {"event_type": "dev.causeway.key", "event_payload": {"key": "k"}}
    answer = await bench.web.chat_postMessage(channel=bench.general, text="x", metadata=metadata)
    assert "metadata" not in answer["message"]


async def test_markdown_text_stands_alone(bench: Bench) -> None:
    together = bench.web.api_call(
        "chat.postMessage", json={"channel": bench.general, "text": "x", "markdown_text": "y"}
    )
    assert await bench.error(together) == "markdown_text_conflict"
    await bench.web.api_call("chat.postMessage", json={"channel": bench.general, "markdown_text": "**y**"})


async def test_an_ephemeral_post_leaves_no_trace_but_with_its_reader(bench: Bench) -> None:
    app = await bench.listen()
    bob = bench.team.person("bob")
    await bench.web.chat_postEphemeral(channel=bench.general, user=bob.id, text="psst")
    stranger = bench.team.add_user("carol")
    call = bench.web.chat_postEphemeral(channel=bench.general, user=stranger.id, text="psst")
    assert await bench.error(call) == "user_not_in_channel"
    bob.post("#general", "after")
    await bench.slack.until(lambda: app.events)
    assert [event["text"] for event in app.events] == ["after"]
    assert bench.team.ephemerals[0]["user"] == bob.id


async def test_the_echo_may_come_before_the_answer() -> None:
    async with running(Reality(echo="before")) as bench:
        app = await bench.listen()
        await bench.web.chat_postMessage(channel=bench.general, text="x")
        assert app.events
