"""Rooms are held to their policies while the bridge runs and when it starts; who cannot be held is told of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bridge.work import room_watch
from tests.bridge.cli.bridged import bridged
from tests.bridge.cli.conftest import causeway
from tests.journeys.stage import Stage, until
from tests.journeys.world import people_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.bridge.cli.conftest import Causeway

__all__ = ["causeway"]

OURS = {"allow": ["localhost", "ministry.example"], "deny": [], "allow_ip_literals": False}
CLOSED = {"servers": ["ministry.example"], "guests": False, "join": []}
ADMIN = {"users": {"@causeway:localhost": 100}}


def policies(**room: Any) -> dict[str, Any]:
    return {"policies": [{"name": "default", "room": {**CLOSED, **room}, "keep": "30d"}]}


def state(stage: Stage, room: str, kind: str) -> dict[str, Any]:
    return stage.homeserver.world.rooms[room].content(kind)


async def test_what_somebody_opens_is_closed_again_and_so_is_what_was_opened_meanwhile(sqlite_url: str) -> None:
    more = {**policies(when_it_departs="mend"), "admins": ["@ada:localhost"], "rooms": {"join_rule": "invite"}}
    async with Stage(sqlite_url, more=more, seed=people_of) as stage:
        await stage.start()
        room = await stage.room("general", 30)
        world = stage.homeserver.world
        assert state(stage, room, "m.room.server_acl") == OURS
        assert state(stage, room, "m.room.retention") == {"max_lifetime": 30 * 86_400_000}
        world.append(world.rooms[room], "m.room.join_rules", "@ada:localhost", {"join_rule": "public"}, "")
        await until(lambda: state(stage, room, "m.room.join_rules") == {"join_rule": "invite"}, 30)
        await stage.stop()
        world.append(world.rooms[room], "m.room.server_acl", "@ada:localhost", {"allow": ["*"]}, "")
        await stage.start()
        await until(lambda: state(stage, room, "m.room.server_acl") == OURS, 30)
        assert stage.database is not None
        count = "SELECT COUNT(*) FROM audit WHERE act = 'room mended' AND actor = 'policy'"
        async with asyncio.timeout(30):
            while (await stage.database.fetch(count))[0][0] != 2:
                await asyncio.sleep(0.01)


async def test_who_sets_the_same_again_and_again_is_told_of_and_not_answered_for_ever(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_watch, "_MOST", 1)
    more = {**policies(when_it_departs="mend"), "rooms": {"join_rule": "invite"}}
    async with Stage(sqlite_url, more=more, seed=people_of) as stage:
        await stage.start()
        room, world = await stage.room("general", 30), stage.homeserver.world
        told = "departs from the policy of its bridge: guests may join it"
        for _ in range(2):
            world.append(world.rooms[room], "m.room.guest_access", "@ada:localhost", {"guest_access": "can_join"}, "")
            await until(
                lambda: (
                    state(stage, room, "m.room.guest_access") == {"guest_access": "forbidden"}
                    or any(told in line.body for line in stage.homeserver.timeline(room))
                ),
                30,
            )
        assert state(stage, room, "m.room.guest_access") == {"guest_access": "can_join"}


async def test_a_room_that_cannot_be_held_is_told_and_mended_when_it_can(
    sqlite_url: str, tmp_path: Path, causeway: Causeway
) -> None:
    async with bridged(causeway, tmp_path, sqlite_url, **policies()) as both:
        stage = both.stage
        ada = await stage.newcomer("ada")
        room = await ada.create_room(preset="public_chat")
        await stage.start()
        await both.say("portals", "add", "#general", "--matrix", room)
        told = "departs from the policy of its bridge: everybody may join it"
        await until(lambda: any(told in line.body for line in stage.homeserver.timeline(room)), 30)
        departing = (await both.say("check", "portal", "#general", "--mend", "--json", code=1)).data["departures"]
        assert [one["detail"] for one in departing] == [
            "every homeserver may take part in it",
            "everybody may join it",
            "it does not say that 30 days end a message",
        ]
        assert all("power level" in one["remedy"] and not one["mended"] for one in departing)
        await ada.set_state(room, "m.room.power_levels", ADMIN)
        assert "may set it" in (await both.say("check", "portal", code=1)).out
        assert "MENDED" in (await both.say("check", "portal", room, "--mend")).out
        assert state(stage, room, "m.room.server_acl") == OURS
        assert (await both.say("check", "portal", "--json")).data == {"ok": True, "portals": 1, "departures": []}
        await ada.set_state(room, "m.room.guest_access", {"guest_access": "can_join"})
        await until(lambda: any("guests may join it" in line.body for line in stage.homeserver.timeline(room)), 30)
