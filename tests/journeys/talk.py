"""People talk in one channel and its room; and what the room shows, as raw contents, for tests of more than words."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.journeys.stage import Stage
from tests.journeys.world import World, people_of
from tests.sandbox.homeserver.timeline import SHOWN, relation_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.sandbox.homeserver.person import Person
    from tests.sandbox.slack import Entry, Reality, SlackSandbox
    from tests.sandbox.slack import Person as SlackPerson

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Talk:
    """A bridge that runs, and people of both sides in #general and its room."""

    stage: Stage
    world: World

    @property
    def room(self) -> str:
        """The room that mirrors #general."""
        return self.world.rooms["general"]

    def in_matrix(self, name: str) -> Person:
        """Return ada or brian."""
        return self.world.people[name]

    def in_slack(self, name: str) -> SlackPerson:
        """Return alice, bob or carol."""
        return self.stage.workspace.person(name)

    async def settle(self) -> None:
        """Return when nothing is under way any more."""
        await self.world.settle()

    def entries(self) -> tuple[Entry, ...]:
        """Return what #general shows."""
        return self.stage.entries("general")


@asynccontextmanager
async def talk_on(
    database_url: str,
    seed: Callable[[SlackSandbox], object] = people_of,
    reality: Reality | None = None,
    **more: Any,
) -> AsyncIterator[Talk]:
    """Open a talk with a Slack as it is, or of this `reality`; `more` are groups of settings."""
    async with Stage(database_url, seed=seed, reality=reality, more=more) as stage:
        world = World(stage)
        await world.open()
        await world.settle()
        yield Talk(stage, world)


def events(talk: Talk) -> list[Json]:
    """Return the messages of a room, oldest first, each with its last edit as its content; redacted ones are gone."""
    found: dict[str, Json] = {}
    for event in talk.stage.homeserver.events(talk.room):
        if "redacted_because" in event.get("unsigned", {}) or event["type"] not in SHOWN:
            continue
        relation = relation_of(event)
        if relation.get("rel_type") == "m.replace":
            if relation["event_id"] in found:
                found[relation["event_id"]]["content"] = event["content"]["m.new_content"]
        else:
            found[event["event_id"]] = dict(event)
    return list(found.values())


def contents(talk: Talk) -> list[Json]:
    """Return what the messages of a room say."""
    return [event["content"] for event in events(talk)]


def bodies(talk: Talk) -> list[str]:
    """Return the plain words of the messages of a room."""
    return [content["body"] for content in contents(talk)]


def marks(talk: Talk) -> list[tuple[str, str]]:
    """Return (key, sender) of the reactions in a room that were not taken back."""
    return [
        (relation_of(event)["key"], event["sender"])
        for event in talk.stage.homeserver.events(talk.room)
        if event["type"] == "m.reaction" and "redacted_because" not in event.get("unsigned", {})
    ]
