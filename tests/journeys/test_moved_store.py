"""A bridge goes on over a store that was moved from one database to another as if it had always been there."""

from __future__ import annotations

import pytest

from bridge.store.moving import move
from tests.journeys.script import Delete, Edit, Post, React
from tests.journeys.stage import Stage, settings_for
from tests.journeys.world import World, people_of

BEFORE = (
    Post(1, "slack", "alice", "general", "m1 said"),
    Post(2, "matrix", "ada", "general", "m2 said", root=1),
    React(1, "slack", "bob", "+1"),
    React(2, "matrix", "brian", "tada"),
    Post(3, "slack", "bob", "general", "m3 said", size=2000),
    Post(4, "matrix", "brian", "general", "m4 said"),
)
UNSETTLED = (
    Post(9, "slack", "bob", "general", "m9 said"),
    Post(10, "matrix", "ada", "general", "m10 said"),
)
MEANWHILE = (
    Post(5, "slack", "carol", "general", "m5 said", root=1),
    Edit(1, "m1 said better"),
    Post(6, "matrix", "ada", "general", "m6 said", root=1),
)
AFTER = (
    Edit(2, "m2 said better"),
    React(2, "matrix", "brian", "tada", on=False),
    Delete(4),
    Delete(3),
    Post(7, "matrix", "brian", "general", "m7 said", root=1),
    Post(8, "slack", "alice", "general", "m8 said"),
)


@pytest.mark.parametrize("is_back", [False, True], ids=["to postgres", "to sqlite"])
async def test_a_moved_store_is_gone_on_with_and_both_sides_are_whole(
    sqlite_url: str, postgres_url: str, is_back: bool
) -> None:
    source, target = (postgres_url, sqlite_url) if is_back else (sqlite_url, postgres_url)
    async with Stage(source, seed=people_of) as stage:
        world = World(stage, patience=40)
        await world.open()
        await world.play(BEFORE)
        await world.settle()
        await world.play(UNSETTLED)
        await stage.stop()
        if stage.database is not None:
            await stage.database.close()
        world.down = len(MEANWHILE)
        await world.play(MEANWHILE)
        moved = await move(source, target)
        assert {"links", "portals", "people", "reactions"} <= {one.table for one in moved.contents if one.rows}
        stage.database_url = target
        port = stage.settings.appservice.listen.port
        stage.settings = settings_for(stage.slack, stage.homeserver.url, target, port)
        await world.start()
        await world.play(AFTER)
        await world.settle()
        assert await world.differences() == []
