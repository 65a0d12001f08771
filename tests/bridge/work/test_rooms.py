"""The rooms that the bridge makes are in its hands and in those of its admins."""

from __future__ import annotations

import pytest

from tests.journeys.stage import Stage, until
from tests.journeys.world import people_of
from tests.sandbox.homeserver.transport import RequestRefused


async def test_an_admin_sets_topics_in_the_bridges_rooms_and_nobody_else_does(sqlite_url: str) -> None:
    async with Stage(sqlite_url, more={"admins": ["@ada:localhost"]}, seed=people_of) as stage:
        await stage.start()
        room = await stage.room("general")
        ada, brian = [await stage.person(name, "general") for name in ("ada", "brian")]
        with pytest.raises(RequestRefused, match="M_FORBIDDEN"):
            await brian.set_state(room, "m.room.topic", {"topic": "mine"})
        await ada.set_state(room, "m.room.topic", {"topic": "Lunch at one"})
        await until(lambda: stage.workspace.channel("general").topic["value"] == "Lunch at one")


async def test_new_rooms_are_closed_to_other_servers_than_those_that_may_take_part(sqlite_url: str) -> None:
    more = {"rooms": {"servers": ["*.ministry.example"], "federate": True}}
    async with Stage(sqlite_url, more=more, seed=people_of) as stage:
        await stage.start()
        room = await stage.room("general")
        said = [event["content"] for event in await stage.events(room) if event["type"] == "m.room.server_acl"]
        assert said == [{"allow": ["*.ministry.example", "localhost"], "deny": [], "allow_ip_literals": False}]


async def test_without_a_list_of_servers_rooms_are_open_to_all(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=people_of) as stage:
        await stage.start()
        room = await stage.room("general")
        assert not [event for event in await stage.events(room) if event["type"] == "m.room.server_acl"]
