from __future__ import annotations

import asyncio
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from bridge.errors import BridgeError, Later, Refused, Unsure
from bridge.slack.client import DELETED, SlackClient
from bridge.slack.limits import Limits
from bridge.slack.web import is_repeatable
from tests.bridge.slack.conftest import APP_TOKEN, TOKEN

if TYPE_CHECKING:
    from tests.bridge.slack.stub import Answer, StubSlack


def no(error: str, **more: Any) -> dict[str, Any]:
    return {"ok": False, "error": error, **more}


UNCLEAR: list[Answer] = [
    None,
    web.Response(status=502, text="bad gateway", content_type="text/html"),
    web.Response(status=503, text="busy"),
    web.Response(status=200, text="<html>", content_type="text/html"),
    web.Response(status=200, text="not json", content_type="application/json"),
    web.Response(status=200, text="[1]", content_type="application/json"),
    web.Response(status=200, text="plain"),
    web.Response(status=200, body=b"\x1f", content_type="application/gzip"),
    no("fatal_error"),
    no("internal_error"),
    {"ok": False},
    {},
]


async def post(client: SlackClient) -> str:
    return await client.post("C1", "hello", key="k1")


class TestOutcomes:
    @pytest.mark.parametrize("number", range(len(UNCLEAR)))
    async def test_a_post_without_a_clear_answer_is_unsure_and_sent_once(
        self, client: SlackClient, stub: StubSlack, number: int
    ) -> None:
        answer = UNCLEAR[number]
        stub.script["chat.postMessage"] = [_fresh(answer)]
        with pytest.raises(Unsure):
            await post(client)
        assert len(stub.calls("chat.postMessage")) == 1

    @pytest.mark.parametrize("number", range(len(UNCLEAR)))
    async def test_a_call_that_may_run_twice_is_told_later(
        self, client: SlackClient, stub: StubSlack, number: int
    ) -> None:
        stub.script["chat.update"] = [_fresh(UNCLEAR[number])]
        with pytest.raises(Later):
            await client.update("C1", "1.1", "text")

    async def test_an_answer_that_never_comes_is_unsure(self, client: SlackClient, stub: StubSlack) -> None:
        stub.script["chat.postMessage"] = [_Never()]
        with pytest.raises(Unsure):
            await post(client)

    async def test_a_post_without_ts_is_unsure(self, client: SlackClient, stub: StubSlack) -> None:
        stub.script["chat.postMessage"] = [{"ok": True}]
        with pytest.raises(Unsure):
            await post(client)

    async def test_a_refused_connection_is_told_later_even_for_a_post(self, session: aiohttp.ClientSession) -> None:
        client = SlackClient("acme", TOKEN, session=session, limits=Limits(), api_url="http://127.0.0.1:1/api/")
        with pytest.raises(Later):
            await post(client)

    async def test_rate_limited_is_later_and_pauses_what_slack_named(
        self, client: SlackClient, stub: StubSlack
    ) -> None:
        limited = web.json_response(no("ratelimited"), status=429, headers={"Retry-After": "1"})
        stub.script["chat.postMessage"] = [limited, {"ok": True, "ts": "1.1"}, {"ok": True, "ts": "1.2"}]
        with pytest.raises(Later) as later:
            await post(client)
        assert later.value.retry_after == 1
        assert await client.post("C2", "elsewhere", key="k2") == "1.1"
        waiting = asyncio.create_task(post(client))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert await waiting == "1.2"

    @pytest.mark.parametrize("header", [{}, {"Retry-After": "soon"}])
    async def test_rate_limited_without_a_time_waits_as_long_as_slacks_own_clients(
        self, client: SlackClient, stub: StubSlack, header: dict[str, str]
    ) -> None:
        stub.script["users.info"] = [web.Response(status=429, headers=header)]
        with pytest.raises(Later) as later:
            await client.user("U1")
        assert later.value.retry_after == 30

    @pytest.mark.parametrize("code", ["team_added_to_org", "request_timeout", "message_limit_exceeded"])
    async def test_a_busy_workspace_is_told_later(self, client: SlackClient, stub: StubSlack, code: str) -> None:
        stub.script["chat.postMessage"] = [no(code)]
        with pytest.raises(Later):
            await post(client)

    async def test_a_request_that_is_too_large_is_refused(self, client: SlackClient, stub: StubSlack) -> None:
        stub.script["chat.postMessage"] = [web.Response(status=413)]
        with pytest.raises(Refused):
            await post(client)

    async def test_cancelling_a_call_is_passed_on(self, client: SlackClient, stub: StubSlack) -> None:
        stub.script["chat.postMessage"] = [_Never()]
        task = asyncio.create_task(post(client))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    def test_a_method_that_nobody_listed_is_never_repeated(self) -> None:
        assert not is_repeatable("surprise.method")
        assert not is_repeatable("chat.postMessage")
        assert not is_repeatable("files.completeUploadExternal")
        assert is_repeatable("conversations.history")
        assert is_repeatable("usergroups.users.list")


class TestRefusals:
    async def test_a_missing_scope_is_named_with_its_manifest_line(self, client: SlackClient, stub: StubSlack) -> None:
        stub.script["chat.postMessage"] = [no("missing_scope", needed="chat:write.customize", provided="chat:write")]
        with pytest.raises(Refused, match=r'"- chat:write\.customize" under oauth_config, scopes, bot') as refused:
            await post(client)
        assert refused.value.code == "missing_scope"

    async def test_a_scope_of_the_app_token_is_not_looked_for_in_the_manifest(
        self, client: SlackClient, stub: StubSlack
    ) -> None:
        stub.script["apps.connections.open"] = [no("missing_scope", needed="connections:write")]
        with pytest.raises(Refused, match="App-Level Tokens"):
            await client.connections_open()

    @pytest.mark.parametrize(
        "code", ["token_revoked", "invalid_auth", "account_inactive", "not_in_channel", "channel_not_found"]
    )
    async def test_what_an_admin_can_mend_has_a_remedy(self, client: SlackClient, stub: StubSlack, code: str) -> None:
        stub.script["chat.postMessage"] = [no(code)]
        with pytest.raises(Refused) as refused:
            await post(client)
        assert refused.value.code == code
        assert refused.value.remedy

    async def test_an_unknown_code_is_passed_on_with_slacks_own_words(
        self, client: SlackClient, stub: StubSlack
    ) -> None:
        notes = {"messages": ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]}
        stub.script["chat.postMessage"] = [no("surprising_code", response_metadata=notes)]
        with pytest.raises(Refused, match="no more than 50 items") as refused:
            await post(client)
        assert refused.value.code == "surprising_code"

    async def test_no_token_is_in_any_url_error_or_log(
        self, client: SlackClient, stub: StubSlack, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, "bridge")
        caplog.set_level(logging.DEBUG, "slack_sdk")
        stub.script["chat.postMessage"] = [no("invalid_auth"), None, _fresh(UNCLEAR[1])]
        stub.script["apps.connections.open"] = [no("invalid_auth")]
        told = []
        for call in (post(client), post(client), post(client), client.connections_open()):
            with pytest.raises(BridgeError) as error:
                await call
            told.append("".join(traceback.format_exception(error.value)) + repr(error.value))
        everything = "".join(told) + caplog.text + str(stub.asked)
        assert TOKEN not in everything
        assert APP_TOKEN not in everything
        assert [headers["Authorization"] for headers in stub.headers] == [f"Bearer {TOKEN}"] * 3 + [
            f"Bearer {APP_TOKEN}"
        ]


class TestPosting:
    async def test_a_post_carries_its_key_and_leaves_out_what_is_not_given(
        self, client: SlackClient, stub: StubSlack
    ) -> None:
        stub.script["chat.postMessage"] = [{"ok": True, "ts": "1.1"}]
        blocks = [{"type": "rich_text", "elements": []}]
        ts = await client.post(
            "C1", "hé & ho", key="k1", blocks=blocks, username="Ann", icon_url="", unfurl_links=False
        )
        assert ts == "1.1"
        (asked,) = stub.calls("chat.postMessage")
        assert json.loads(asked.pop("metadata")) == {"event_type": "causeway_relay", "event_payload": {"key": "k1"}}
        assert json.loads(asked.pop("blocks")) == blocks
        assert asked == {"channel": "C1", "text": "hé & ho", "username": "Ann", "unfurl_links": "false"}

    async def test_text_that_no_encoding_takes_is_sent_all_the_same(self, client: SlackClient, stub: StubSlack) -> None:
        stub.script["chat.postMessage"] = [{"ok": True, "ts": "1.1"}]
        await client.post("C1", "a\ud800b", key="k", blocks=[{"text": "\ud800"}])
        assert stub.calls("chat.postMessage")[0]["text"] == "a?b"

    @pytest.mark.parametrize(
        ("act", "method", "code"),
        [
            ("react", "reactions.add", "already_reacted"),
            ("unreact", "reactions.remove", "no_reaction"),
            ("unreact", "reactions.remove", "message_not_found"),
            ("delete", "chat.delete", "message_not_found"),
            ("pin", "pins.add", "already_pinned"),
            ("unpin", "pins.remove", "no_pin"),
        ],
    )
    async def test_what_is_done_already_is_done(
        self, client: SlackClient, stub: StubSlack, act: str, method: str, code: str
    ) -> None:
        stub.script[method] = [no(code), no("is_archived")]
        args = ("C1", "1.1", "tada") if "react" in act else ("C1", "1.1")
        await getattr(client, act)(*args)
        with pytest.raises(Refused):
            await getattr(client, act)(*args)

    async def test_a_message_that_may_not_be_deleted_says_that_it_is(
        self, client: SlackClient, stub: StubSlack
    ) -> None:
        stub.script["chat.delete"] = [no("cant_delete_message")]
        await client.delete("C1", "1.1")
        (asked,) = stub.calls("chat.update")
        assert asked["text"] == DELETED
        assert asked["ts"] == "1.1"


class TestLooking:
    async def test_a_stamp_is_found_on_a_later_page_and_among_own_messages_only(
        self, client: SlackClient, stub: StubSlack
    ) -> None:
        stamp = {"metadata": {"event_type": "causeway_relay", "event_payload": {"key": "k1"}}}
        stub.script["auth.test"] = [{"ok": True, "bot_id": "B1", "user_id": "UB"}]
        stub.script["conversations.history"] = [
            {
                "ok": True,
                "messages": [
                    {"ts": "9.0", "bot_id": "B2", "user": "U2", **stamp},
                    {"ts": "8.0", "bot_id": "B1", "metadata": {"event_type": "other", "event_payload": {"key": "k1"}}},
                ],
                "response_metadata": {"next_cursor": "more"},
            },
            {"ok": True, "messages": [{"ts": "7.0", "bot_id": "B1", **stamp}]},
        ]
        assert await client.find_stamp("C1", "k1", "5.0") == "7.0"
        first, second = stub.calls("conversations.history")
        assert first["oldest"] == "5.0"
        assert first["inclusive"] == "true"
        assert first["include_all_metadata"] == "true"
        assert second["cursor"] == "more"

    async def test_a_stamp_that_is_not_there_is_none(self, client: SlackClient, stub: StubSlack) -> None:
        stub.script["auth.test"] = [{"ok": True, "bot_id": "B1", "user_id": "UB"}]
        assert await client.find_stamp("C1", "k1", "5.0") is None
        stub.script["conversations.replies"] = [no("thread_not_found")]
        assert await client.find_stamp("C1", "k1", "5.0", thread_ts="1.0") is None
        assert stub.calls("conversations.replies")[0]["ts"] == "1.0"

    async def test_an_own_file_is_known_by_its_id(self, client: SlackClient, stub: StubSlack) -> None:
        stub.script["auth.test"] = [{"ok": True, "bot_id": "B1", "user_id": "UB"}]
        files = {"files": [{"id": "F1"}]}
        messages = [{"ts": "9.0", "user": "U2", **files}, {"ts": "8.0", "user": "UB", **files}]
        stub.script["conversations.history"] = [{"ok": True, "messages": messages}]
        assert await client.find_stamp("C1", "k1", "5.0", file_id="F1") == "8.0"

    async def test_a_long_reading_waits_for_slack_and_goes_on_where_it_was(
        self, client: SlackClient, stub: StubSlack
    ) -> None:
        stub.script["conversations.history"] = [
            {"ok": True, "messages": [{"ts": "2"}], "response_metadata": {"next_cursor": "more"}},
            web.json_response(no("ratelimited"), status=429, headers={"Retry-After": "0"}),
            {"ok": True, "messages": [{"ts": "1"}], "response_metadata": {"next_cursor": ""}},
        ]
        pages = [page async for page in client.history("C1", "0", "3")]
        assert pages == [[{"ts": "2"}], [{"ts": "1"}]]
        assert [asked.get("cursor") for asked in stub.calls("conversations.history")] == [None, "more", "more"]

    async def test_the_token_tells_who_it_is_and_what_it_may_do(self, client: SlackClient, stub: StubSlack) -> None:
        fields = {"ok": True, "team_id": "T1", "team": "Acme", "url": "https://a/", "user_id": "UB", "bot_id": "B1"}
        stub.script["auth.test"] = [web.json_response(fields, headers={"X-OAuth-Scopes": "chat:write, users:read,"})]
        identity = await client.auth()
        assert (identity.team_id, identity.bot_id) == ("T1", "B1")
        assert identity.scopes == {"chat:write", "users:read"}

    async def test_answers_of_another_shape_do_no_harm(self, client: SlackClient, stub: StubSlack) -> None:
        stub.script["users.info"] = [{"ok": True, "user": "odd"}]
        stub.script["users.list"] = [{"ok": True, "members": None, "response_metadata": "odd"}]
        stub.script["emoji.list"] = [{"ok": True, "emoji": []}]
        assert await client.user("U1") == {}
        assert [page async for page in client.users()] == [[]]
        assert await client.emoji() == {}


class _Never(web.Response):
    """Is prepared only after the client has lost its patience."""

    async def prepare(self, request: web.BaseRequest) -> Any:
        await asyncio.sleep(1)
        return await super().prepare(request)


def _fresh(answer: Answer) -> Answer:
    """A response can be sent only once."""
    if isinstance(answer, web.Response):
        return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)
    return answer
