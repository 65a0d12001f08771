"""A room is told once where its messages go, in a pinned notice that follows its policy through every start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bridge.store.database import Statement
from tests.journeys.talk import Talk, bodies, events, talk_on
from tests.journeys.test_holding import restart

if TYPE_CHECKING:
    from collections.abc import Callable

BANNER: dict[str, Any] = {"name": "default", "banner": True}


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not seen():
            await asyncio.sleep(0.01)


def banners(talk: Talk) -> list[dict[str, Any]]:
    return [event for event in events(talk) if str(event["content"].get("body", "")).startswith("This room is bridged")]


def pins(talk: Talk) -> list[str]:
    state = [event for event in talk.stage.homeserver.events(talk.room) if event["type"] == "m.room.pinned_events"]
    pinned: list[str] = state[-1]["content"]["pinned"] if state else []
    return pinned


async def test_a_room_is_told_once_and_anew_when_its_policy_changes(sqlite_url: str) -> None:
    async with talk_on(sqlite_url, policies=[BANNER]) as talk:
        await until(lambda: bool(pins(talk)))
        (shown,) = banners(talk)
        assert pins(talk) == [shown["event_id"]]
        assert "bridged to #general of Acme" in shown["content"]["body"]
        assert talk.stage.database is not None
        await talk.stage.database.commit(Statement("DELETE FROM banners"))  # as if it had died before it noted that
        await talk.stage.start()
        await talk.in_matrix("ada").say(talk.room, "hello")
        await talk.settle()
        database = talk.stage.database
        async with asyncio.timeout(30):
            while not await database.fetch("SELECT 1 FROM banners"):
                await asyncio.sleep(0.01)
        assert [one["event_id"] for one in banners(talk)] == [shown["event_id"]]
        await restart(talk, policies=[{**BANNER, "kinds": ["text"]}])
        await until(lambda: any("These do not cross: files" in one["content"]["body"] for one in banners(talk)))
        assert [one["event_id"] for one in banners(talk)] == pins(talk) == [shown["event_id"]]
        await restart(talk, policies=[{**BANNER, "banner": False}])
        await until(lambda: not banners(talk) and not pins(talk))
        assert [entry.text for entry in talk.entries() if entry.subtype != "channel_join"] == ["hello"]
        assert "hello" in bodies(talk)
