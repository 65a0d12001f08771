"""The sandbox's consents are as strict as Slack's: addresses, codes, refresh tokens and PKCE."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.sandbox.slack import SlackSandbox
from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.oauth import challenge_of
from tests.sandbox.slack.webapi.call import Args

BACK = "https://bridge.example.org/back"


@pytest.fixture
async def slack() -> SlackSandbox:
    slack = SlackSandbox()
    slack.team().installation.app.redirect_urls = {BACK}
    return slack


def address(slack: SlackSandbox, **other: str) -> str:
    app = slack.team().installation.app
    asked = {"client_id": app.client_id, "redirect_uri": BACK, "user_scope": "chat:write", "state": "s"}
    return f"https://slack.com/oauth/v2/authorize?{urlencode(asked | other)}"


def access(slack: SlackSandbox, **args: str) -> dict[str, object]:
    app = slack.team().installation.app
    return slack.oauth.access(Args({"client_id": app.client_id, "client_secret": app.client_secret, **args}))


def code_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"redirect_uri": f"{BACK}/other"}, "bad_redirect_uri"),
        ({"user_scope": ""}, "no_user_scopes"),
        ({"user_scope": "chat:write,everything"}, "invalid_scope"),
        ({"code_challenge": "x"}, "pkce_not_allowed"),
    ],
)
async def test_slack_asks_nobody_for_what_the_app_may_not_ask(
    slack: SlackSandbox, other: dict[str, str], code: str
) -> None:
    with pytest.raises(SlackRefusal, match=code):
        slack.oauth.consent(address(slack, **other), "alice")


async def test_a_code_is_good_once_at_its_address_and_with_its_verifier(slack: SlackSandbox) -> None:
    slack.team().installation.app.pkce = True
    code = code_of(slack.oauth.consent(address(slack, code_challenge=challenge_of("v" * 43)), "alice"))
    with pytest.raises(SlackRefusal, match="bad_redirect_uri"):
        access(slack, code=code)
    with pytest.raises(SlackRefusal, match="invalid_code_verifier"):
        access(slack, code=code, redirect_uri=BACK, code_verifier="x" * 43)
    answer = access(slack, code=code, redirect_uri=BACK, code_verifier="v" * 43)
    person = answer["authed_user"]
    assert isinstance(person, dict)
    assert (person["token_type"], person["scope"], "refresh_token" in person) == ("user", "chat:write", False)
    assert "access_token" not in answer
    with pytest.raises(SlackRefusal, match="invalid_code"):
        access(slack, code=code, redirect_uri=BACK, code_verifier="v" * 43)
    assert "error=access_denied" in slack.oauth.consent(address(slack), "alice", agrees=False)


async def test_a_refresh_token_is_good_once_and_goes_with_what_is_revoked(slack: SlackSandbox) -> None:
    slack.team().installation.app.rotation = True
    code = code_of(slack.oauth.consent(address(slack), "alice"))
    person = access(slack, code=code, redirect_uri=BACK)["authed_user"]
    assert isinstance(person, dict)
    assert person["access_token"].startswith("xoxe.xoxp-")
    renewed = access(slack, grant_type="refresh_token", refresh_token=person["refresh_token"])
    assert (renewed["token_type"], renewed["expires_in"]) == ("user", 43_200)
    with pytest.raises(SlackRefusal, match="invalid_refresh_token"):
        access(slack, grant_type="refresh_token", refresh_token=person["refresh_token"])
    slack.revoke(slack.tokens[str(renewed["access_token"])])
    with pytest.raises(SlackRefusal, match="invalid_refresh_token"):
        access(slack, grant_type="refresh_token", refresh_token=str(renewed["refresh_token"]))
    slack.oauth.uninstall(slack.team())
    assert {one.state for one in slack.tokens.values() if one.kind == "bot"} == {"account_inactive"}
