"""Tools that know the provisioning calls of mautrix bridges are answered as they expect, by the rules of the API."""

from __future__ import annotations

import asyncio
from typing import Any

from bridge.administration.guesses import BURST
from bridge.store.audit import Audit
from tests.bridge.api.conftest import ADMIN, USER, Api

AMARA, ZOE = "@amara:localhost", "@zoe:localhost"


async def call(
    api: Api, method: str, path: str, token: str | None = ADMIN, user: str | None = AMARA, **more: Any
) -> tuple[int, Any]:
    url = api.url.replace("/api/v1", "/_matrix/provision") + path
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    params = {**({"user_id": user} if user else {}), **more.pop("params", {})}
    async with api.session.request(method, url, headers=headers, params=params, **more) as response:
        return response.status, await response.json()


async def linked(api: Api) -> tuple[str, str]:
    """Link amara to her account, once the bridge has met her."""
    team, user = api.stage.workspace.id, api.stage.workspace.user("amara").id
    async with asyncio.timeout(30):
        while not (await api("GET", "/people", params={"search": user})).data["items"]:
            await asyncio.sleep(0.05)
    assert (await api("PUT", f"/people/{team}/{user}/link", json={"matrix_id": AMARA})).status == 200
    return team, user


async def test_who_is_linked_has_a_login_people_are_found_and_logging_out_ends_the_link(api: Api) -> None:
    team, user = await linked(api)
    status, me = await call(api, "GET", "/v3/whoami", USER)
    assert (status, me["homeserver"], me["bridge_bot"]) == (200, "localhost", "@causeway:localhost")
    assert (me["network"]["network_id"], me["login_flows"], me["command_prefix"]) == ("slack", [], "!slack")
    (login,) = me["logins"]
    assert (login["id"], login["state_event"], login["state"]["state_event"]) == (f"{team}-{user}", *["CONNECTED"] * 2)
    assert await call(api, "GET", "/v3/logins", USER) == (200, {"login_ids": [f"{team}-{user}"]})
    contacts = (await call(api, "GET", "/v3/contacts", USER, params={"login_id": login["id"]}))[1]["contacts"]
    mine = next(one for one in contacts if one["id"] == f"{team}-{user}")
    assert mine["mxid"] == f"@slack_{team}_{user}:localhost".lower()
    assert (await call(api, "POST", "/v3/search_users", USER, json={"query": user}))[1] == {"results": [mine]}
    for wanted in (user, f"{team}-{user}", mine["name"]):
        assert await call(api, "GET", f"/v3/resolve_identifier/{wanted}", USER) == (200, mine)
    assert await call(api, "POST", "/v3/logout/all") == (200, {})
    assert await call(api, "GET", "/v3/logins") == (200, {"login_ids": []})
    assert (await call(api, "POST", "/v3/logout/all"))[0] == 404


async def test_a_room_is_connected_and_disconnected_and_the_log_says_for_whom(api: Api) -> None:
    room = await api.stage.room("#general")
    async with asyncio.timeout(30):  # the alias is there a moment before the store knows the room
        while (answer := await call(api, "GET", f"/v1/portal/{room}", USER))[0] != 200:
            await asyncio.sleep(0.05)
    portal = answer[1]
    assert (portal["mxid"], portal["chat_id"], portal["title"]) == (
        room,
        api.stage.workspace.channel("general").id,
        "general",
    )
    assert await call(api, "POST", f"/v1/portal/{room}/disconnect", user=None) == (202, {})
    assert (await call(api, "GET", f"/v1/portal/{portal['chat_id']}", USER))[1]["state"] == "removed"
    assert await call(api, "POST", f"/v1/portal/{room}/connect/{portal['chat_id']}", user=None) == (202, {})
    status, said = await call(api, "POST", f"/v1/portal/{room}/connect/nowhere", user=None)
    assert (status, said["errcode"]) == (404, "M_NOT_FOUND")
    assert api.stage.database is not None
    entries = await Audit(api.stage.database).entries()
    assert [(one.act, one.actor) for one in entries] == [
        (act, "ops (provisioning by ops, 127.0.0.1)") for act in ("remove portal", "add portal", "refused")
    ]


async def test_token_and_person_must_both_be_allowed_and_errors_are_those_of_matrix(api: Api) -> None:
    disconnect = "/v1/portal/!room:localhost/disconnect"
    for path, method, token, user, expected in (
        ("/v3/whoami", "GET", None, AMARA, (401, "M_MISSING_TOKEN")),
        ("/v3/whoami", "GET", "another", AMARA, (401, "M_UNKNOWN_TOKEN")),
        ("/v3/whoami", "GET", USER, None, (400, "M_MISSING_PARAM")),
        ("/v3/whoami", "GET", USER, "@somebody:elsewhere", (403, "M_FORBIDDEN")),
        (disconnect, "POST", USER, None, (403, "M_FORBIDDEN")),
        (disconnect, "POST", ADMIN, ZOE, (403, "M_FORBIDDEN")),
        (disconnect, "POST", ADMIN, None, (404, "M_NOT_FOUND")),
        (disconnect, "GET", ADMIN, None, (405, "M_UNRECOGNIZED")),
        ("/v3/search_users", "POST", USER, AMARA, (400, "M_BAD_JSON")),
        ("/v3/resolve_identifier/nobody", "GET", USER, AMARA, (404, "M_NOT_FOUND")),
        ("/v3/contacts?login_id=T0-U0", "GET", USER, AMARA, (404, "M_NOT_FOUND")),
        ("/v3/login/start/token", "POST", USER, AMARA, (501, "M_UNRECOGNIZED")),
        ("/v3/create_dm/U0", "POST", USER, AMARA, (501, "M_UNRECOGNIZED")),
        ("/v3/nothing", "GET", USER, AMARA, (404, "M_UNRECOGNIZED")),
    ):
        status, said = await call(api, method, path, token, user)
        assert (status, said["errcode"]) == expected, path
    for _ in range(BURST):
        status, said = await call(api, "GET", "/v3/whoami", "another")
    assert (status, said["errcode"]) == (429, "M_LIMIT_EXCEEDED")
    assert said["retry_after_ms"] > 0
