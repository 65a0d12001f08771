from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.slack import ALL_BOT_SCOPES
from tests.sandbox.slack.webapi import METHODS

if TYPE_CHECKING:
    from tests.sandbox.slack_tests.conftest import Bench


async def test_an_unknown_method_says_so(bench: Bench) -> None:
    assert await bench.error(bench.web.api_call("files.upload")) == "unknown_method"


@pytest.mark.parametrize(("token", "error"), [(" ", "not_authed"), ("xoxb-wrong", "invalid_auth")])
async def test_a_missing_and_a_wrong_token_differ(bench: Bench, token: str, error: str) -> None:
    assert await bench.error(bench.client(token).auth_test()) == error


@pytest.mark.parametrize("state", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_an_ended_token_says_how_it_ended(bench: Bench, state: str) -> None:
    bench.slack.revoke(bench.team.installation.token, state)
    assert await bench.error(bench.web.auth_test()) == state


async def test_auth_revoke_ends_the_token(bench: Bench) -> None:
    assert (await bench.web.auth_revoke(test=True))["revoked"] is False
    assert (await bench.web.auth_revoke())["revoked"] is True
    assert await bench.error(bench.web.auth_test()) == "token_revoked"


async def test_tokens_are_good_for_their_kind_of_method_only(bench: Bench) -> None:
    app = bench.client(bench.team.app_token)
    assert await bench.error(app.chat_postMessage(channel=bench.general, text="x")) == "not_allowed_token_type"
    call = bench.web.apps_connections_open(app_token=bench.team.bot_token)
    assert await bench.error(call) == "not_allowed_token_type"


async def test_a_socket_address_is_asked_for_by_post(bench: Bench) -> None:
    headers = {"Authorization": f"Bearer {bench.team.app_token}"}
    async with bench.session.get(f"{bench.slack.api_url}apps.connections.open", headers=headers) as answer:
        assert (await answer.json())["error"] == "insecure_request"


async def test_two_workspaces_know_nothing_of_each_other(bench: Bench) -> None:
    other = bench.slack.new_team("Other")
    assert (await bench.client(other.bot_token).auth_test())["team"] == "Other"
    call = bench.client(other.bot_token).chat_postMessage(channel=bench.general, text="x")
    assert await bench.error(call) == "channel_not_found"


async def test_auth_test_says_who_one_is(bench: Bench) -> None:
    answer = await bench.web.auth_test()
    installation = bench.team.installation
    assert (answer["user_id"], answer["bot_id"]) == (installation.bot_user, installation.bot_id)
    assert (answer["team_id"], answer["team"]) == (bench.team.id, "Acme")
    assert answer.headers["X-OAuth-Scopes"] == ",".join(sorted(ALL_BOT_SCOPES))
    bot = await bench.web.bots_info(bot=answer["bot_id"])
    assert bot["bot"]["app_id"] == installation.app.id


@pytest.mark.parametrize("method", sorted(name for name, method in METHODS.items() if method.kinds[0] == "bot"))
async def test_every_method_with_scopes_refuses_without_them(bench: Bench, method: str) -> None:
    bench.team.installation.token.scopes.clear()
    scopes = METHODS[method].scopes
    if not scopes:
        return
    body = await bench.refusal(bench.web.api_call(method, json={"channel": bench.general}))
    assert (body["error"], body["needed"], body["provided"]) == ("missing_scope", ",".join(scopes), "")


@pytest.mark.parametrize("spelling", ["json", "form", "query", "token argument"])
async def test_arguments_come_as_json_form_or_query(bench: Bench, spelling: str) -> None:
    url = f"{bench.slack.api_url}chat.postMessage"
    values = {"channel": bench.general, "text": "x", "reply_broadcast": "false"}
    headers = {"Authorization": f"Bearer {bench.team.bot_token}"}
    sent: dict[str, Any] = {"headers": headers}
    if spelling == "json":
        sent["json"] = values
    elif spelling == "form":
        sent["data"] = values
    elif spelling == "query":
        sent["params"] = values
    else:
        sent = {"data": values | {"token": bench.team.bot_token}}
    async with bench.session.post(url, **sent) as answer:
        assert (await answer.json())["ok"] is True


async def test_a_token_in_a_json_body_counts_for_nothing(bench: Bench) -> None:
    body = {"token": bench.team.bot_token, "channel": bench.general, "text": "x"}
    async with bench.session.post(f"{bench.slack.api_url}chat.postMessage", json=body) as answer:
        assert (await answer.json())["error"] == "not_authed"


async def test_reading_methods_take_no_json(bench: Bench) -> None:
    call = bench.web.api_call("conversations.history", json={"channel": bench.general})
    body = await bench.refusal(call)
    assert body["error"] == "invalid_arguments"
    assert body["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


async def test_json_without_a_charset_gets_a_warning(bench: Bench) -> None:
    url = f"{bench.slack.api_url}chat.postMessage"
    headers = {"Authorization": f"Bearer {bench.team.bot_token}", "Content-Type": "application/json"}
    async with bench.session.post(url, headers=headers, data=f'{{"channel":"{bench.general}","text":"x"}}') as answer:
        assert (await answer.json())["warning"] == "missing_charset"


async def test_the_plain_test_method_needs_no_token(bench: Bench) -> None:
    nobody = bench.client("")
    assert (await nobody.api_test(foo="bar"))["args"] == {"foo": "bar"}
    assert await bench.error(nobody.api_test(error="my_error")) == "my_error"


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # used by the SDK itself
async def test_a_code_buys_the_token_once(bench: Bench) -> None:
    installation = bench.team.installation
    code = bench.slack.oauth_code(installation.token)
    app = {"client_id": installation.app.client_id, "client_secret": installation.app.client_secret}
    nobody = bench.client("")
    wrong = nobody.oauth_v2_access(**{**app, "client_secret": "x"}, code=code)
    assert await bench.error(wrong) == "bad_client_secret"
    answer = await nobody.oauth_v2_access(**app, code=code)
    assert answer["access_token"] == bench.team.bot_token
    assert await bench.error(nobody.oauth_v2_access(**app, code=code)) == "invalid_code"


async def test_a_user_token_speaks_as_its_person(bench: Bench) -> None:
    token = bench.slack.user_token(bench.team, "alice", ["chat:write"])
    answer = await bench.client(token.value).chat_postMessage(channel=bench.general, text="x")
    assert answer["message"]["user"] == bench.team.user("alice").id
    assert await bench.error(bench.client(token.value).users_list()) == "missing_scope"
