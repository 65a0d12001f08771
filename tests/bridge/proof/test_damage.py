"""Whatever history and whatever damage: a room that shows it proves to be whole, and a damaged one tells the damage.

Hypothesis makes a history of every kind of message, shows it in a room by the bridge's own conversion, then does
several things to the room, each to a message of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bridge.proof.listed import Listed, proof_of, told, with_members
from tests.portals.history.mirrored import NOW, Mirrored, file, ghost, record

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
Told = tuple[str, str, str]

USERS = ("U1", "U2", "U3", "U4")
WORDS = ("hello", "*bold* words", "<@U2> look", "a\n> quote", "`code`", "&amp; more", "see <https://example.org|it>")
EMOJI = ("tada", "+1", "wave::skin-tone-3", "party")


def ts(number: int) -> str:
    return f"{1_700_000_000 + number}.000100"


@st.composite
def histories(draw: st.DrawFn) -> list[Json]:
    """Return records, oldest first."""
    made: list[Json] = []
    for number in range(draw(st.integers(6, 16))):
        one = record(ts(number), draw(st.sampled_from(USERS)), f"{number} {draw(st.sampled_from(WORDS))}")
        kind = draw(st.sampled_from(("plain", "plain", "plain", "reply", "file", "edited", "bot", "reacted", "pinned")))
        roots = [other for other in made if "thread_ts" not in other and "bot_id" not in other]
        if kind == "reply" and roots:
            root = draw(st.sampled_from(roots))
            root["thread_ts"] = root["ts"]
            one["thread_ts"] = root["ts"]
        elif kind == "file":
            one["files"] = [file(f"F{number}", size=number + 1)]
            one["text"] = one["text"] if draw(st.booleans()) else ""
        elif kind == "edited":
            one["edited"] = {"user": one["user"], "ts": f"{1_700_000_500 + number}.000000"}
        elif kind == "bot":
            one |= {"subtype": "bot_message", "bot_id": "B1", "username": "CI"}
            del one["user"]
        elif kind == "reacted":
            names = draw(st.lists(st.sampled_from(EMOJI), min_size=1, max_size=3, unique=True))
            one["reactions"] = [{"name": name, "users": ["U1", "U2"], "count": 2} for name in names]
        made.append(one)
    return made


def lose(room: Mirrored, one: Json) -> Told:
    """Lose everything that shows a message."""
    gone = {event["event_id"] for event in room.events if shows(event, one)}
    reactions = [event for event in room.events if relation(event) in gone and event["type"] == "m.reaction"]
    room.events = [event for event in room.events if event["event_id"] not in gone and event not in reactions]
    return "messages", "missing", one["ts"]


def change(room: Mirrored, one: Json) -> Told:
    event = room.event_of(one["ts"])
    if event["content"].get("url"):
        event["content"] = {**event["content"], "filename": "another.pdf"}
        return "files", "file", one["ts"]
    content = event["content"]
    for later in room.events:
        if relation(later) == event["event_id"] and "m.new_content" in later["content"]:
            content = later["content"]["m.new_content"]
    content |= {"body": "something else", "formatted_body": "something else"}
    return "messages", "content", one["ts"]


def edit(room: Mirrored, one: Json) -> Told:
    event = room.event_of(one["ts"])
    if event["content"].get("url"):
        return change(room, one)
    room.edit(event, {"msgtype": "m.text", "body": "something else"}, ts=NOW)
    return "messages", "content", one["ts"]


def another_author(room: Mirrored, one: Json) -> Told:
    event = room.event_of(one["ts"])
    event["sender"] = ghost("U9")
    return ("files" if event["content"].get("url") else "messages"), "author", one["ts"]


def twice(room: Mirrored, one: Json) -> Told:
    event = room.event_of(one["ts"])
    room.events.append({**event, "event_id": f"{event['event_id']}-again"})
    return ("files" if event["content"].get("url") else "messages"), "twice", one["ts"]


def react(room: Mirrored, one: Json) -> Told:
    target = room.event_of(one["ts"])["event_id"]
    room.add("m.reaction", ghost("U4"), {"m.relates_to": {"event_id": target, "key": "👀"}}, NOW)
    return "reactions", "unexpected", one["ts"]


def unreact(room: Mirrored, one: Json) -> Told:
    target = room.event_of(one["ts"])["event_id"]
    found = next((one for one in room.events if one["type"] == "m.reaction" and relation(one) == target), None)
    if found is None:
        return react(room, one)
    room.events.remove(found)
    return "reactions", "missing", one["ts"]


def another_time(room: Mirrored, one: Json) -> Told:
    room.event_of(one["ts"])["origin_server_ts"] += 2
    return "messages", "time", one["ts"]


def out_of_the_thread(room: Mirrored, one: Json) -> Told:
    if "thread_ts" not in one or one["thread_ts"] == one["ts"]:
        return another_time(room, one)
    event = room.event_of(one["ts"])
    event["content"] = {name: value for name, value in event["content"].items() if name != "m.relates_to"}
    return "threads", "thread", one["ts"]


def lose_the_file(room: Mirrored, one: Json) -> Told:
    if "files" not in one:
        return change(room, one)
    event = room.event_of(one["ts"], one["files"][0]["id"])
    room.events.remove(event)
    return ("files" if one["text"] else "messages"), "missing", one["ts"]


def unpin(room: Mirrored, one: Json) -> Told:
    pinned = next(event for event in reversed(room.events) if event["type"] == "m.room.pinned_events")
    pinned["content"]["pinned"].remove(room.event_of(one["ts"])["event_id"])
    return "pins", "missing", one["ts"]


DAMAGE: list[Callable[[Mirrored, Json], Told]] = [
    lose, change, edit, another_author, twice, react, unreact, another_time, out_of_the_thread, lose_the_file, unpin,
]  # fmt: skip


SAID = ("messages", "files")
"""What has lines in the digest, which tells who said what, and when."""


def shows(event: Json, one: Json) -> bool:
    return bool(event["content"].get("dev.causeway.slack", {}).get("ts") == one["ts"])


def relation(event: Json) -> str:
    return str(event["content"].get("m.relates_to", {}).get("event_id", ""))


@settings(max_examples=150)
@given(histories(), st.data())
def test_exactly_the_damage_is_told(records: list[Json], data: st.DataObject) -> None:
    source = with_members(Listed(records), *USERS, pins=[one["ts"] for one in records])
    room = Mirrored().show(records).enter(*map(ghost, USERS)).pin(*(one["ts"] for one in records))
    whole = proof_of(room, source)
    assert told(whole) == []
    assert all(tally.is_balanced for tally in whole.tallies.values())
    assert str(whole.source_digest) == str(whole.room_digest)
    hurt = data.draw(st.lists(st.sampled_from(records), min_size=1, max_size=3, unique_by=lambda one: str(one["ts"])))
    wanted = [data.draw(st.sampled_from(DAMAGE), label="damage")(room, one) for one in hurt]
    found = proof_of(room, source)
    assert sorted(told(found)) == sorted(wanted)
    assert all(tally.is_balanced for tally in found.tallies.values())
    is_seen_in_digest = any(
        what in ("content", "author", "twice", "missing") for kind, what, _ in wanted if kind in SAID
    )
    assert (str(found.source_digest) != str(found.room_digest)) is is_seen_in_digest
