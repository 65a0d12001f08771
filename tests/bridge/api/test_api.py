"""What the API does is done in the bridge, by those who may, and is in the audit log; every refusal says what to do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.administration import moving
from bridge.administration.guesses import BURST, EVERY
from bridge.api.contract import Role
from bridge.api.operations import OPERATIONS
from bridge.api.server import LARGEST_BODY
from bridge.store.audit import Audit
from bridge.store.cutovers import Cutovers
from bridge.store.papers import Kind, Papers
from portals.cutover import Phase
from portals.history.selection import Selection
from portals.ids import PortalId
from tests.bridge.api.conftest import ADMIN, USER, with_api
from tests.journeys.importing import bring
from tests.sandbox.exports import export_of
from tests.sandbox.slack.faults import Kind as Fault

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.bridge.api.conftest import Api


async def portal_of(api: Api, name: str) -> str:
    found = (await api("GET", "/portals", params={"search": name})).data["items"][0]
    return f"/portals/{found['team']}/{found['channel']}"


# --- what it does


async def test_a_portal_is_added_paused_resumed_and_removed_and_the_log_says_who_did_it(database_url: str) -> None:
    async with with_api(database_url) as api:
        made = await api("POST", "/portals", json={"channel": "#support", "direction": "to_matrix"})
        assert (made.status, made.data["was_there"]) == (201, False)
        where = await portal_of(api, "support")
        async with asyncio.timeout(10):
            while (await api("GET", where)).data["state"] != "live":
                await asyncio.sleep(0.05)
        assert (await api("POST", f"{where}/pause")).data["state"] == "paused"
        assert (await api("POST", f"{where}/resume")).data["state"] == "live"
        assert (await api("DELETE", where)).data["state"] == "removed"
        refused = await api("POST", f"{where}/resume")
        assert (refused.status, refused.data["type"]) == (409, "urn:causeway:removed")
        assert "take it up again" in refused.data["detail"]
        log = (await api("GET", "/audit")).data["items"]
        acts = [one["act"] for one in log]
        assert acts == ["add portal", "pause portal", "resume portal", "remove portal", "refused"]
        assert (log[-1]["subject"], log[-1]["detail"]) == ("resume_portal", "removed")
        assert {one["actor"] for one in log} == {"ops (API, 127.0.0.1)"}


async def test_a_channel_that_is_not_there_is_declined_with_what_to_do(api: Api) -> None:
    said = await api("POST", "/portals", json={"channel": "#suport"})
    assert said.status == 404
    assert "did you mean #support?" in said.data["detail"]
    said = await api("POST", "/portals", json={"channel": "#support", "workspace": "another"})
    assert (said.status, said.data["type"]) == (409, "urn:causeway:not_connected")
    assert "those that are: acme" in said.data["detail"]


async def test_a_parked_message_is_listed_without_its_words_and_shown_tried_again_and_dropped(api: Api) -> None:
    database = api.stage.database
    assert database is not None
    from bridge.store.database import Statement

    add = (
        "INSERT INTO inbox (direction, queue, source_key, raw, state, admitted_at, reason) "
        "VALUES ('to_matrix', 'T1/C1', $1, '{\"secret\": \"words\"}', 3, 1, 'too odd')"
    )
    await database.commit(*[Statement(add, (f"slack:{number}",)) for number in range(3)])
    listed = await api("GET", "/parked", USER, params={"limit": "2"})
    assert [one["reason"] for one in listed.data["items"]] == ["too odd"] * 2
    assert "words" not in str(listed.data)
    rest = await api("GET", "/parked", USER, params={"after": listed.data["next"]})
    assert (len(rest.data["items"]), rest.data["next"]) == (1, None)
    first, second, third = (one["number"] for one in listed.data["items"] + rest.data["items"])
    assert (await api("GET", f"/parked/{first}")).data["event"] == {"secret": "words"}
    assert (await api("GET", f"/parked/{first}", USER)).status == 403
    assert (await api("DELETE", f"/parked/{first}")).data["number"] == first
    assert (await api("GET", f"/parked/{first}")).status == 404
    assert (await api("POST", f"/parked/{second}/retry")).status == 200
    assert (await api("GET", f"/parked/{third}")).status == 200
    acts = [(one["act"], one["subject"]) for one in (await api("GET", "/audit")).data["items"]]
    assert acts == [
        ("read", f"parked {first}"),
        ("refused", "show_parked"),
        ("drop", f"parked {first}"),
        ("retry", f"parked {second}"),
        ("read", f"parked {third}"),
    ]


async def test_people_are_linked_listed_and_unlinked(database_url: str) -> None:
    async with with_api(database_url) as api:
        team, user = api.stage.workspace.id, api.stage.workspace.user("amara").id
        async with asyncio.timeout(10):
            while not (await api("GET", "/people", params={"search": user})).data["items"]:
                await asyncio.sleep(0.05)
        link = f"/people/{team}/{user}/link"
        assert (await api("PUT", link, json={"matrix_id": "@amara:localhost"})).data["new"] is True
        linked = (await api("GET", "/people", params={"linked": "true"})).data["items"]
        assert [(one["slack_id"], one["matrix_id"]) for one in linked] == [(user, "@amara:localhost")]
        others = (await api("GET", "/people", params={"linked": "false"})).data["items"]
        assert user not in [one["slack_id"] for one in others]
        assert others
        refused = await api("PUT", link, json={"matrix_id": "@somebody-else:localhost"})
        assert refused.status == 409
        assert (await api("DELETE", link)).data["matrix_id"] == "@amara:localhost"
        assert (await api("DELETE", link)).status == 404


async def test_people_come_in_pages(api: Api) -> None:
    async with asyncio.timeout(10):
        while len(whole := (await api("GET", "/people")).data["items"]) < 4:
            await asyncio.sleep(0.05)
    pages, after = [], ""
    while after is not None:
        said = (await api("GET", "/people", params={"limit": "2", "after": after})).data
        pages += said["items"]
        after = said["next"]
    assert [one["slack_id"] for one in pages][: len(whole)] == [one["slack_id"] for one in whole]


async def test_the_state_of_the_bridge_is_told(api: Api) -> None:
    async with asyncio.timeout(10):
        while (told := (await api("GET", "/status", USER)).data)["portals"] != {"live": 1} or not told["ready"]:
            await asyncio.sleep(0.05)
    assert told["workspaces"][0]["name"] == "acme"
    assert told["to_matrix"]["parked"] == 0


async def test_plans_and_moves_are_listed_and_a_plan_is_for_admins(api: Api) -> None:
    assert api.stage.database is not None
    papers = Papers(api.stage.database)
    for name in ("a.zip", "b.zip"):
        await papers.keep(Kind.PLAN, name, "3 messages", "root (command line)", "<p>words</p>")
    first = (await api("GET", "/papers", USER, params={"limit": "1"})).data
    assert [one["title"] for one in first["items"]] == ["b.zip"]
    assert "words" not in str(first)
    rest = (await api("GET", "/papers", USER, params={"after": first["next"]})).data
    assert [one["title"] for one in rest["items"]] == ["a.zip"]
    assert (await api("GET", "/papers/1")).data["html"] == "<p>words</p>"
    assert (await api("GET", "/papers/1", USER)).status == 403
    assert (await api("DELETE", "/papers/1")).data["title"] == "a.zip"
    assert (await api("DELETE", "/papers/1")).status == 404
    assert (await api("GET", "/moves", USER)).data == {"items": [], "next": None}
    await Cutovers(api.stage.database).begin(PortalId(1), Phase.ANNOUNCED, "root (command line)")
    (move,) = (await api("GET", "/moves", USER)).data["items"]
    assert (move["name"], move["phase"], move["steps"]) == ("general", "announced", [])


async def test_a_channel_moves_by_orders_and_each_order_says_what_became_of_it(api: Api) -> None:
    asked = {"channels": ["#general"]}
    async with asyncio.timeout(30):
        while not (plan := (await api("POST", "/moves/plan", json=asked)).data["items"][0])["ready"]:
            await asyncio.sleep(0.05)
    assert (plan["phase"], plan["freeze"][0]) == ("", "relay nothing to Slack")

    async def order(command: str, **more: object) -> str:
        said = await api("POST", f"/moves/{command}", json={"channels": ["#general"], **more})
        assert said.status == 202
        (line,) = said.data["items"]
        assert (line["command"], line["given_by"]) == (command, "ops (API, 127.0.0.1)")
        async with asyncio.timeout(30):
            while (now := (await api("GET", "/moves/orders", USER)).data["items"][0])["ended"] is None:
                await asyncio.sleep(0.05)
        return str(now["error"] or now["said"])

    assert await order("announce", date=" 1  December ") == "is announced for 1 December, in Slack and in its room"
    assert "not frozen yet" in await order("finish", for_good=True)
    assert (await order("freeze", topic=False)).startswith("is frozen")
    assert await order("finish", for_good=True, report=False) == "has moved to Matrix for good"
    assert "cannot be undone" in await order("revert")
    (move,) = (await api("GET", "/moves", USER)).data["items"]
    assert (move["phase"], move["state"]) == ("finished", "archived")
    assert {one["actor"] for one in move["steps"]} == {"ops (API, 127.0.0.1)"}
    assert "set the topic" not in [one["step"] for one in move["steps"]]


async def test_a_move_is_proven_in_the_bridge_and_the_report_is_kept(api: Api, tmp_path: Path) -> None:
    export_of(api.stage.workspace, tmp_path / "export.zip")
    await bring(api.stage.settings, tmp_path / "export.zip", Selection(channels=frozenset({"general"})))
    body = {"channels": ["general"]}

    async def ended(command: str, **more: object) -> str:
        assert (await api("POST", f"/moves/{command}", json={**body, **more})).status == 202
        async with asyncio.timeout(60):
            while (now := (await api("GET", "/moves/orders")).data["items"][0])["ended"] is None:
                await asyncio.sleep(0.1)
        return str(now["error"] or now["said"])

    assert (await ended("freeze", anyway=True)).startswith("is frozen")
    assert await ended("finish", for_good=True, accept_differences=True) == "has moved to Matrix for good"
    (report,) = (await api("GET", "/papers")).data["items"]
    assert (report["kind"], report["title"], report["made_by"]) == ("report", "export.zip", "ops (API, 127.0.0.1)")
    steps = {one["step"]: one for one in (await api("GET", "/moves")).data["items"][0]["steps"]}
    assert {"prove", "attach the report"} <= {name for name, one in steps.items() if one["done"]}


async def test_an_order_that_cannot_be_begun_is_declined(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    said = await api("POST", "/moves/finish", json={"channels": ["#general"]})
    assert (said.status, said.data["flaws"][0]["where"]) == (422, "body.for_good")
    said = await api("POST", "/moves/freeze", json={"channels": ["#general", "#genral"]})
    assert (said.status, "did you mean #general?" in said.data["detail"]) == (404, True)
    said = await api("POST", "/moves/announce", json={"channels": ["#general"], "date": "  "})
    assert (said.status, said.data["detail"]) == (422, "say when it will be")
    monkeypatch.setattr(moving, "_ANSWERS_WITHIN", 0.05)
    api.stage.slack.faults.next_calls("chat.postMessage", Fault.HANG_BEFORE)
    said = await api("POST", "/moves/announce", json={"channels": ["#general"], "date": "Monday"})
    assert [one["ended"] for one in said.data["items"]] == [None]
    said = await api("POST", "/moves/revert", json={"channels": ["#general"]})
    assert (said.status, said.data["type"]) == (409, "urn:causeway:busy")
    assert "announce, ordered by ops (API, 127.0.0.1), is still carried out" in said.data["detail"]


# --- who may


async def test_each_operation_asks_for_a_token_of_its_role(api: Api) -> None:
    for operation in OPERATIONS:
        path = operation.path.format(team="T0", channel="C0", user="U0", number=1, id="q1")
        said = await api(operation.method, path, None)
        assert (said.status, said.headers["WWW-Authenticate"]) == (401, 'Bearer realm="causeway"'), operation.name
        assert "console.tokens" in said.data["detail"]
        said = await api(operation.method, path, USER)
        assert (said.status == 403) is (operation.role is Role.ADMIN), operation.name


async def test_tokens_cannot_be_tried_fast(api: Api) -> None:
    for number in range(BURST):
        said = await api("GET", "/status", f"a-token-nobody-gave-out-{number}")
        assert (said.status, said.headers["WWW-Authenticate"]) == (401, 'Bearer realm="causeway"')
    for token in ("another-one", ADMIN):
        held = await api("GET", "/status", token)
        assert (held.status, held.data["type"]) == (429, "urn:causeway:too_many")
        assert held.headers["Retry-After"] == str(int(EVERY))
    assert (await api("GET", "/status", None)).status == 401
    assert api.stage.database is not None
    entries = await Audit(api.stage.database).entries()
    assert [(one.actor, one.act, one.subject, one.detail) for one in entries] == [
        ("somebody (API, 127.0.0.1)", "refused", "token", "unknown_token"),
        ("somebody (API, 127.0.0.1)", "refused", "token", "too_many"),
    ]


# --- what it refuses


async def test_what_cannot_be_read_is_told_part_by_part(api: Api) -> None:
    said = await api("GET", "/portals", params={"limit": "0", "colour": "red"})
    assert said.status == 422
    assert {one["where"] for one in said.data["flaws"]} == {"query.limit", "query.colour"}
    said = await api("POST", "/portals", json={"chanel": "general"})
    assert {one["where"] for one in said.data["flaws"]} == {"body.channel", "body.chanel"}
    assert (await api("POST", "/portals", data=b"{", headers={"Content-Type": "application/json"})).status == 400
    assert (await api("POST", "/portals", data=b"channel=general")).status == 415
    assert (await api("POST", "/portals", json={"channel": "x" * LARGEST_BODY})).status == 413
    assert (await api("GET", "/portals?after=1&after=2")).status == 422
    assert (await api("GET", "/nowhere")).status == 404
    said = await api("PUT", "/portals", json={})
    assert (said.status, said.headers["Allow"]) == (405, "GET, POST")


async def test_no_other_origin_is_let_in(api: Api) -> None:
    said = await api("GET", "/status", headers={"Origin": "https://elsewhere.example"})
    assert not [name for name in said.headers if name.lower().startswith("access-control-")]
    assert said.headers["Cache-Control"] == "no-store"


async def test_tokens_are_in_no_answer(api: Api) -> None:
    everything = [await api("GET", path) for path in ("/status", "/portals", "/people", "/audit", "/settings")]
    settings = {one["name"]: one["value"] for one in everything[-1].data["items"]}
    assert settings["slack.workspaces[0].bot_token"] == "set, and secret"
    assert settings["homeserver.domain"] == "localhost"
    assert not [one for one in everything if ADMIN in str(one.data) or "xoxb" in str(one.data)]
