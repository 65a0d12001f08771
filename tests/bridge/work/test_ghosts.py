"""Ghosts show their people as Slack shows them: changed when they change, and not otherwise."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from bridge import workspaces
from bridge.work import ghosts
from tests.journeys.stage import Stage, until
from tests.sandbox.slack.people import bot_message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.homeserver.call import Call
    from tests.sandbox.slack import SlackSandbox


def town(slack: SlackSandbox) -> None:
    workspace = slack.new_team("Acme")
    for name in ("alice", "bob"):
        workspace.add_user(name, name.title(), display_name=name)
    workspace.person("alice").create("general", members=["alice", "bob", workspace.installation.bot_user])


class Profiles:
    """What the bridge has written into profiles, and how often it has uploaded a picture."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.writes: Counter[str] = Counter()
        stage.homeserver.watch.append(self._count)

    def _count(self, call: Call, _answer: object) -> None:
        if call.method == "PUT" and "/profile/" in call.path:
            self.writes[call.path.rpartition("/")[2]] += 1
        if call.path.endswith("/upload"):
            self.writes["upload"] += 1

    def ghost(self, name: str) -> dict[str, Any]:
        workspace = self.stage.workspace
        user = f"@slack_{workspace.id}_{workspace.user(name).id}:localhost".lower()
        account = self.stage.homeserver.world.accounts.get(user)
        return dict(account.profile) if account else {}

    def picture(self, name: str) -> bytes:
        address = self.ghost(name).get("avatar_url", "")
        found = self.stage.homeserver.world.media.get(address.rpartition("/")[2])
        return found.data if found else b""


@pytest.fixture
async def stage(sqlite_url: str) -> AsyncIterator[Stage]:
    async with Stage(sqlite_url, seed=town) as stage:
        yield stage


async def said(stage: Stage, who: str, words: str) -> None:
    """Return when the room shows what somebody has just said in Slack."""
    stage.workspace.person(who).post("general", words)
    room = await stage.room("general")
    await until(lambda: any(line.body == words for line in stage.homeserver.timeline(room)))


async def quiet(stage: Stage) -> None:
    """Return when nothing of the start is left to do."""
    database = stage.database
    assert database is not None

    async def open_rows() -> int:
        return int((await database.fetch("SELECT COUNT(*) FROM inbox WHERE state < 2"))[0][0])

    await until(lambda: stage.gate.answered["/api/usergroups.list"])
    async with asyncio.timeout(10):
        while await open_rows() or stage.gate.requests or stage.gate.commits:
            await asyncio.sleep(0.005)


def new_picture(stage: Stage, name: str, colour: bytes) -> str:
    """Have somebody use another picture; return its address."""
    workspace = stage.workspace
    user = workspace.user(name)
    workspace.avatars[user.id] = colour
    address = f"{workspace.site.base_url}/avatars/{workspace.id}-{user.id}_{colour.decode()}.png"
    workspace.person(name).change_profile(avatar=address)
    return address


async def test_a_profile_is_written_once_however_much_is_said(stage: Stage) -> None:
    profiles = Profiles(stage)
    await stage.start()
    for number in range(3):
        await said(stage, "alice", f"m{number}")
    await quiet(stage)
    assert profiles.ghost("alice")["displayname"] == "alice"
    assert profiles.picture("alice")
    before = dict(profiles.writes)
    await said(stage, "alice", "more")
    stage.workspace.person("alice").change_profile(title="Engineer", status_text="at lunch")
    await said(stage, "alice", "most")
    await stage.start()
    await said(stage, "alice", "and after a restart")
    await quiet(stage)
    assert dict(profiles.writes) == before


async def test_a_changed_name_leaves_the_picture_alone_and_a_changed_picture_the_name(stage: Stage) -> None:
    profiles = Profiles(stage)
    await stage.start()
    await said(stage, "alice", "m1")
    await quiet(stage)
    before = Counter(profiles.writes)
    stage.workspace.person("alice").change_profile(display_name="Alice L.")
    await until(lambda: profiles.ghost("alice")["displayname"] == "Alice L.")
    await quiet(stage)
    assert profiles.writes - before == Counter(displayname=1)
    before = Counter(profiles.writes)
    new_picture(stage, "alice", b"blue")
    await until(lambda: profiles.picture("alice") == b"blue")
    await quiet(stage)
    assert profiles.writes - before == Counter(avatar_url=1, upload=1)


async def test_what_slack_repeats_of_a_person_does_not_undo_what_happened_since(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = Profiles(stage)
    await stage.start()
    await said(stage, "alice", "m1")
    await quiet(stage)
    alice, delivery = stage.workspace.person("alice"), stage.slack.delivery
    with monkeypatch.context() as trouble:
        trouble.setattr(delivery.sockets, "send", lambda parcel: delivery.failed(parcel, "timeout"))
        alice.change_profile(display_name="Alice K.")
    alice.change_profile(display_name="Alice L.")
    await until(lambda: not delivery.open)
    await quiet(stage)
    assert profiles.ghost("alice")["displayname"] == "Alice L."


async def test_what_changed_while_the_bridge_was_down_is_shown_without_a_word_being_said(stage: Stage) -> None:
    profiles = Profiles(stage)
    await stage.start()
    await said(stage, "alice", "m1")
    await quiet(stage)
    await stage.stop()
    stage.slack.faults.lost_envelopes = 100
    stage.workspace.person("alice").change_profile(display_name="Alice L.")
    new_picture(stage, "alice", b"green")
    await stage.start()
    await until(lambda: profiles.picture("alice") == b"green")
    assert profiles.ghost("alice")["displayname"] == "Alice L."


async def test_what_changed_unheard_while_the_connection_was_lost_is_shown_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspaces, "_PEOPLE_EVERY", 0.0)
    profiles = Profiles(stage)
    await stage.start()
    await said(stage, "alice", "hello")
    await quiet(stage)
    stage.slack.faults.lost_envelopes = 1
    stage.workspace.person("alice").change_profile(display_name="Alice the Second")
    await stage.slack.sockets.kill()
    await until(lambda: profiles.ghost("alice")["displayname"] == "Alice the Second", 30)


async def test_a_new_template_renames_every_ghost_at_the_next_start(stage: Stage) -> None:
    profiles = Profiles(stage)
    await stage.start()
    await said(stage, "alice", "m1")
    await quiet(stage)
    appservice = stage.settings.appservice.model_copy(update={"ghost_name": "{name} (Slack)"})
    stage.settings = stage.settings.model_copy(update={"appservice": appservice})
    await stage.start()
    await until(lambda: profiles.ghost("alice")["displayname"] == "alice (Slack)")


async def test_somebody_deactivated_keeps_name_and_picture(stage: Stage) -> None:
    profiles = Profiles(stage)
    await stage.start()
    new_picture(stage, "alice", b"red")
    await said(stage, "alice", "m1")
    await until(lambda: profiles.picture("alice") == b"red")
    user = stage.workspace.user("alice")
    user.display_name, user.real_name, user.avatar = "", "Deactivated User", ""
    stage.workspace.avatars.pop(user.id)
    stage.workspace.person("alice").deactivate()
    await said(stage, "bob", "alice has left us")
    for _ in range(2):
        await quiet(stage)
        assert profiles.ghost("alice")["displayname"] == "alice"
        assert profiles.picture("alice") == b"red"
        await stage.start()


async def test_somebody_who_was_gone_before_the_bridge_came_is_called_as_slack_calls_them(stage: Stage) -> None:
    profiles = Profiles(stage)
    stage.workspace.person("bob").post("general", "goodbye")
    stage.workspace.person("bob").deactivate()
    await stage.start()
    await until(lambda: profiles.ghost("bob").get("displayname") == "bob")


async def test_a_picture_that_cannot_be_had_holds_nothing_up_and_is_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = Profiles(stage)
    asked = 0

    def away(_request: web.BaseRequest) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        return web.Response(status=503)

    await stage.start()
    new_picture(stage, "alice", b"old")
    await said(stage, "alice", "m1")
    await until(lambda: profiles.picture("alice") == b"old")
    await quiet(stage)
    with monkeypatch.context() as outage:
        outage.setattr(stage.slack.hosting, "picture", away)
        new_picture(stage, "alice", b"new")
        await until(lambda: asked)
        await quiet(stage)
        for number in range(3):
            await said(stage, "alice", f"while it is away {number}")
        await quiet(stage)
        assert asked == 1
        assert profiles.picture("alice") == b"old"
    monkeypatch.setattr(ghosts, "_AGAIN", 0.0)
    await said(stage, "alice", "it is back")
    await until(lambda: profiles.picture("alice") == b"new")


async def test_a_bot_is_shown_as_its_latest_message_tells_and_bots_info_is_not_asked_for_that(stage: Stage) -> None:
    profiles = Profiles(stage)
    await stage.start()
    workspace = stage.workspace
    picture = f"{workspace.site.base_url}/avatars/{workspace.id}-{workspace.user('bob').id}_72.png"

    async def built(words: str) -> None:
        bot_message(workspace, "general", words, username="build", bot_id="B0BUILD")
        room = await stage.room("general")
        await until(lambda: any(words in line.body for line in stage.homeserver.timeline(room)))
        await quiet(stage)

    user = f"@slack_{workspace.id}_b0build:localhost".lower()
    await built("m1")
    assert stage.homeserver.world.accounts[user].profile == {"displayname": "build"}
    asked = stage.slack.calls.counts["bots.info"]
    workspace.other_bots["B0BUILD"] |= {"name": "Build II", "icons": {"image_72": picture}}
    await built("m2")
    ghost = stage.homeserver.world.accounts[user].profile
    assert (ghost["displayname"], ghost["avatar_url"][:6]) == ("Build II", "mxc://")
    before = dict(profiles.writes)
    await built("m3")
    assert dict(profiles.writes) == before
    assert stage.slack.calls.counts["bots.info"] == asked


async def test_a_picture_that_slack_refuses_is_none(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = Profiles(stage)
    await stage.start()
    await said(stage, "alice", "m1")
    await quiet(stage)

    def gone(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=404)

    monkeypatch.setattr(stage.slack.hosting, "picture", gone)
    new_picture(stage, "alice", b"gone")
    await until(lambda: "avatar_url" not in profiles.ghost("alice"))
    await said(stage, "alice", "still here")


async def test_a_ghost_that_the_homeserver_does_not_let_be_changed_keeps_no_other_from_it(stage: Stage) -> None:
    profiles = Profiles(stage)
    await stage.start()
    await said(stage, "alice", "m1")
    await said(stage, "bob", "m2")
    await quiet(stage)
    await stage.stop()
    stage.slack.faults.lost_envelopes = 100
    for name in ("alice", "bob"):
        stage.workspace.person(name).change_profile(display_name=f"{name} II")
    first = min(("alice", "bob"), key=lambda name: stage.workspace.user(name).id)
    stage.homeserver.faults.refuse(403, "M_USER_DEACTIVATED", method="PUT", path="/profile/")
    await stage.start()
    other = {"alice": "bob", "bob": "alice"}[first]
    await until(lambda: profiles.ghost(other)["displayname"] == f"{other} II")
    assert profiles.ghost(first)["displayname"] == first


async def test_people_of_matrix_are_shown_as_they_are_when_they_speak(stage: Stage) -> None:
    await stage.start()
    room = await stage.room("general")
    ada = await stage.person("ada", "general")
    await ada.say(room, "m1")
    await until(lambda: [entry.author for entry in stage.entries("general") if entry.text == "m1"] == ["ada"])
    await ada.set_name("Ada Lovelace")
    await ada.say(room, "m2")
    await until(lambda: [entry.author for entry in stage.entries("general") if entry.text == "m2"] == ["Ada Lovelace"])
