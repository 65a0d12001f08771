"""`/sync` of an instant homeserver, as far as a waiting test needs it: new events, invitations, who left."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.homeserver.call import Call
    from tests.sandbox.homeserver.transport import Json
    from tests.sandbox.homeserver.world import Event, Room, World

FIRST_TIMELINE = 10


class Sync:
    """Answers at once when there is news, else when there is some or the time is up."""

    def __init__(self, world: World) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        world.on_event.append(self._wake)

    async def __call__(self, world: World, call: Call) -> Json:
        since = int(call.query["since"][1:]) if "since" in call.query else None
        deadline = asyncio.get_running_loop().time() + call.number("timeout", 0) / 1000
        while True:
            answer = _news(world, call.sender, since)
            left = deadline - asyncio.get_running_loop().time()
            if since is None or "rooms" in answer or left <= 0:
                return answer
            news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(news)
            with suppress(TimeoutError):
                await asyncio.wait_for(news, left)
            self._waiting.discard(news)

    def _wake(self, _room: Room, _event: Event) -> None:
        for news in self._waiting:
            if not news.done():
                news.set_result(None)
        self._waiting.clear()


def _news(world: World, user_id: str, since: int | None) -> Json:
    rooms: dict[str, Json] = {"join": {}, "invite": {}, "leave": {}}
    for room in world.rooms.values():
        member = room.state.get(("m.room.member", user_id))
        if member is None:
            continue
        membership = member.content["membership"]
        if membership == "join":
            first = since is None or member.position > since
            events = room.events[-FIRST_TIMELINE:] if first else room.after(since or 0)
            if events:
                state = [event.shown() for event in room.state.values()] if first else []
                rooms["join"][room.room_id] = {
                    "timeline": {"events": [event.shown() for event in events], "limited": first},
                    "state": {"events": state},
                }
        elif since is None or member.position > since:
            if membership == "invite":
                state = [*member.unsigned.get("invite_room_state", ()), member.shown()]
                rooms["invite"][room.room_id] = {"invite_state": {"events": state}}
            elif since is not None:
                rooms["leave"][room.room_id] = {"timeline": {"events": [member.shown()]}}
    answer: Json = {"next_batch": f"s{world.position}"}
    found = {kind: there for kind, there in rooms.items() if there}
    return answer | ({"rooms": found} if found else {})
