"""What a room shows, as raw contents: for tests that look at more than words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.homeserver.timeline import SHOWN, relation_of

if TYPE_CHECKING:
    from tests.journeys.stage import Stage

Json = dict[str, Any]


def events(stage: Stage, room: str) -> list[Json]:
    """Return the messages of a room, oldest first, each with its last edit as its content; redacted ones are gone."""
    found: dict[str, Json] = {}
    for event in stage.homeserver.events(room):
        if "redacted_because" in event.get("unsigned", {}) or event["type"] not in SHOWN:
            continue
        relation = relation_of(event)
        if relation.get("rel_type") == "m.replace":
            if relation["event_id"] in found:
                found[relation["event_id"]]["content"] = event["content"]["m.new_content"]
        else:
            found[event["event_id"]] = dict(event)
    return list(found.values())


def contents(stage: Stage, room: str) -> list[Json]:
    """Return what the messages of a room say."""
    return [event["content"] for event in events(stage, room)]


def bodies(stage: Stage, room: str) -> list[str]:
    """Return the plain words of the messages of a room."""
    return [content["body"] for content in contents(stage, room)]


def annotations(stage: Stage, room: str) -> list[tuple[str, str]]:
    """Return (key, sender) of the reactions in a room that were not taken back."""
    return [
        (relation_of(event)["key"], event["sender"])
        for event in stage.homeserver.events(room)
        if event["type"] == "m.reaction" and "redacted_because" not in event.get("unsigned", {})
    ]
