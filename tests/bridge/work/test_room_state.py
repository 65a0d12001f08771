"""A room's state is brought to what it should be, once, and keeps all that others said in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import Refused
from bridge.work.room_state import RoomState
from portals.ids import EventId, RoomId

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOM = RoomId("!room:x")
LEVELS = "m.room.power_levels"
PINS = "m.room.pinned_events"
MARK = "dev.causeway.events_default"
A, B, C = EventId("$a"), EventId("$b"), EventId("$c")


class Homeserver:
    """Keeps states and counts what was written."""

    def __init__(self, **states: dict[str, Any]) -> None:
        self.states = dict(states)
        self.written = 0
        self.refusal: Refused | None = None

    async def get_state(self, room: RoomId, type: str, state_key: str = "") -> dict[str, Any] | None:
        return self.states.get(type)

    async def set_state(
        self, room: RoomId, sender: None, type: str, state_key: str, content: Mapping[str, Any]
    ) -> EventId:
        if self.refusal is not None:
            raise self.refusal
        self.states[type] = dict(content)
        self.written += 1
        return EventId("$state")


@pytest.fixture
def homeserver() -> Homeserver:
    return Homeserver()


@pytest.fixture
def state(homeserver: Homeserver) -> RoomState:
    return RoomState(homeserver)  # type: ignore[arg-type]  # the two calls of the client that it makes


async def test_what_is_so_already_is_not_written(homeserver: Homeserver, state: RoomState) -> None:
    homeserver.states["m.room.topic"] = {"topic": "tea", "m.topic": {"m.text": [{"body": "tea"}]}}
    await state.show(ROOM, "m.room.topic", "", {"topic": "tea"})
    assert homeserver.written == 0
    await state.show(ROOM, "m.room.topic", "", {"topic": "coffee"})
    assert homeserver.states["m.room.topic"] == {"topic": "coffee"}


@pytest.mark.parametrize(
    ("before", "events", "pinned", "after"),
    [
        ({}, [A], True, [A]),
        ({"pinned": [C]}, [A, B], True, [C, A]),
        ({"pinned": [C, B]}, [A, B], True, None),
        ({"pinned": [A, C, B]}, [A, B], False, [C]),
        ({"pinned": [C]}, [A, B], False, None),
        ({"pinned": "nonsense"}, [A], True, [A]),
    ],
)
async def test_a_message_is_pinned_by_one_of_its_events_or_none(
    homeserver: Homeserver,
    state: RoomState,
    before: dict[str, Any],
    events: list[EventId],
    pinned: bool,
    after: list[EventId] | None,
) -> None:
    homeserver.states[PINS] = before
    for _ in range(2):
        await state.pin(ROOM, events, pinned)
    assert homeserver.written == (0 if after is None else 1)
    assert homeserver.states[PINS] == (before if after is None else {"pinned": after})


@pytest.mark.parametrize("level", [0, 25, 100, None])
async def test_closing_and_opening_gives_back_what_was(
    homeserver: Homeserver, state: RoomState, level: int | None
) -> None:
    before: dict[str, Any] = {"users": {"@ada:x": 50}, "events": {"m.room.name": 50}}
    if level is not None:
        before["events_default"] = level
    homeserver.states[LEVELS] = before
    for _ in range(2):
        await state.close(ROOM, True)
    assert homeserver.written == 1
    assert homeserver.states[LEVELS] == {**before, "events_default": max(level or 0, 50), MARK: level or 0}
    for _ in range(2):
        await state.close(ROOM, False)
    assert homeserver.written == 2
    assert homeserver.states[LEVELS] == {**before, "events_default": level or 0}


async def test_what_others_set_while_it_was_closed_stays(homeserver: Homeserver, state: RoomState) -> None:
    homeserver.states[LEVELS] = {"events_default": 0}
    await state.close(ROOM, True)
    homeserver.states[LEVELS] |= {"events_default": 10, "users": {"@ada:x": 100}}
    await state.close(ROOM, False)
    assert homeserver.states[LEVELS] == {"events_default": 10, "users": {"@ada:x": 100}}


async def test_a_room_in_which_the_bot_has_no_power_stays_as_it_is(homeserver: Homeserver, state: RoomState) -> None:
    homeserver.refusal = Refused("M_FORBIDDEN", "no power")
    await state.close(ROOM, True)
    homeserver.refusal = Refused("M_TOO_LARGE", "too many pins")
    with pytest.raises(Refused):
        await state.pin(ROOM, [A], True)
