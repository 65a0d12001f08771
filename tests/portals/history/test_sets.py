"""Who is in the room and what is pinned is compared as sets, and what is not so says why."""

from __future__ import annotations

from portals.history import sets
from portals.history.evidence import Tally
from portals.history.sets import INVITED, LARGE, MISSED, NOT_SHOWN, OWN_BOT, Membership

NEWER = "left since the source was made"


def members(
    wanted: list[str], there: dict[str, tuple[str, int]], limit: int = 100, wrote: str = ""
) -> tuple[Tally, list[str]]:
    tally = Tally()
    found = sets.members(
        wanted,
        {user: Membership(*stands) for user, stands in there.items()},
        tally,
        own="U0BOT",
        limit=limit,
        wrote=wrote.split().__contains__,
        is_newer=lambda at: at > 10,
    )
    told = [f"{one.what} {one.expected or one.found}" for one in found]
    assert tally.is_balanced
    return tally, told


def test_everybody_who_is_there_and_nobody_else_is_as_it_should_be() -> None:
    tally, told = members(
        ["U1", "U2", "U0BOT"], {"U1": ("join", 1), "U2": ("join", 1), "B1": ("join", 1), "U9": ("leave", 1)}
    )
    assert told == []
    assert (tally.source, tally.present, tally.explained) == (3, 2, {OWN_BOT: 1})


def test_who_is_missing_or_was_never_a_member_is_told() -> None:
    tally, told = members(["U1", "U2"], {"U1": ("leave", 1), "U3": ("join", 1)})
    assert told == ["missing U1", "missing U2", "unexpected U3"]
    assert (tally.missing, tally.unexpected) == (2, 1)


def test_who_may_rightly_be_elsewhere_is_explained() -> None:
    tally, told = members(
        ["U1", "U2"], {"U1": ("invite", 1), "U2": ("leave", 11), "U3": ("join", 11), "U4": ("join", 1)}, wrote="U4"
    )
    assert told == []
    assert tally.explained == {INVITED: 1, NEWER: 1}


def test_into_a_large_channel_come_those_who_write() -> None:
    tally, told = members(["U1", "U2", "U3"], {"U1": ("join", 1)}, limit=2, wrote="U3")
    assert told == ["missing U3"]
    assert tally.explained == {LARGE: 1}


def pins(wanted: list[str], pinned: dict[str, str], *, is_newer: bool = False) -> tuple[Tally, list[str]]:
    tally = Tally()
    events = {"1.0": "$1", "2.0": "$2", "3.0": ""}
    found = [f"{one.what} {one.ts}" for one in sets.pins(wanted, pinned, tally, stands=events.get, is_newer=is_newer)]
    assert tally.is_balanced
    return tally, found


def test_pins_are_there_or_told() -> None:
    tally, told = pins(["1.0", "2.0"], {"1.0": "$1", "9.0": "$9"})
    assert told == ["missing 2.0", "unexpected 9.0"]
    assert (tally.source, tally.present, tally.missing, tally.unexpected) == (2, 1, 1, 1)


def test_pins_on_what_is_not_there_are_explained_by_it() -> None:
    tally, told = pins(["3.0", "4.0"], {})
    assert told == []
    assert tally.explained == {MISSED: 1, NOT_SHOWN: 1}


def test_pins_that_changed_since_are_no_difference() -> None:
    tally, told = pins(["1.0", "2.0"], {"1.0": "$1", "9.0": "$9"}, is_newer=True)
    assert told == []
    assert tally.explained == {"taken off since the source was made": 1}
