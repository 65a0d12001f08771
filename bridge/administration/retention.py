"""Retention as admins see it: what each portal keeps, who and what is held, and people who are to be forgotten."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.administration.people import flaw_of_id
from bridge.errors import Declined
from bridge.store.forgetting import Forgetting
from bridge.store.holds import Holds
from bridge.store.retention import Retention
from portals.ids import Ts, channel_queue

if TYPE_CHECKING:
    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from bridge.store.forgetting import Trace
    from bridge.store.holds import Hold
    from portals.crossing.policy import Policy
    from portals.facts import Portal
    from portals.ids import TeamId


@dataclass(frozen=True, slots=True)
class Kept:
    """What a portal keeps: for how many days (None: always), how many messages are older, and whether it is held."""

    name: str
    channel: str
    policy: str
    days: float | None
    due: int
    is_held: bool


async def kept(store: Store, portal: Portal, policy: Policy) -> Kept:
    """Return what a portal keeps."""
    is_held = channel_queue(portal.team, portal.channel) in await holds_of(store).holding(portal.team)
    if not policy.room.keep_ms:
        return Kept(portal.name, portal.channel, policy.name, None, 0, is_held)
    before = Ts(f"{time.time() - policy.room.keep_ms / 1000:.6f}")
    due = await Retention(store.database).due(portal.id, before)
    return Kept(portal.name, portal.channel, policy.name, policy.room.keep_ms / 86_400_000, due, is_held)


def holds_of(store: Store) -> Holds:
    """Return the holds of a store."""
    return Holds(store.database, store.names)


def checked_person(person: str) -> str:
    """Return a person's Slack id or Matrix user id; raises Declined for anything else."""
    if person.startswith("@"):
        if ":" not in person:
            raise Declined("bad_person", f"{person} is not a Matrix user id: write it like @alice:example.org")
        return person
    if flaw := flaw_of_id(person):
        raise Declined("bad_person", flaw)
    return person


async def subject_of(store: Store, wanted: str, team: TeamId | None) -> tuple[TeamId, str]:
    """Return the workspace and the name of what is to be held: a person where `team` is given, else a portal."""
    if team is not None:
        return team, checked_person(wanted)
    portal = await store.find(wanted)
    return portal.team, channel_queue(portal.team, portal.channel)


async def all_holds(store: Store) -> list[Hold]:
    """Return every hold, the oldest first."""
    return await holds_of(store).all()


async def traces(store: Store, team: TeamId, person: str) -> list[Trace]:
    """Return what the store holds of a person."""
    holds = holds_of(store)
    who, portals = await holds.identity(team, checked_person(person)), await _portals(store, team)
    return await Forgetting(store.database, Retention(store.database)).traces(
        team, who, portals, await holds.holding(team)
    )


async def forget(store: Store, team: TeamId, person: str, reason: str, actor: Actor) -> list[Trace]:
    """Forget a person; returns what the store held, and still holds where it says so. Raises Declined."""
    holds, forgetting = holds_of(store), Forgetting(store.database, Retention(store.database))
    who = await holds.identity(team, checked_person(person))
    if held := set(who.names) & await holds.held_names(team):
        raise Declined("held", f"{', '.join(sorted(held))} is under hold: first causeway retention release")
    if await forgetting.is_connected(team, who):
        raise Declined(
            "connected",
            f"{who.user} has connected their Slack account: have them send `disconnect` to the bot first, "
            "so that Slack takes the token back",
        )
    found = await traces(store, team, person)
    await forgetting.forget(team, who, await _portals(store, team), await holds.holding(team), str(actor), reason)
    await store.tell_of_people(team)
    return found


async def _portals(store: Store, team: TeamId) -> list[Portal]:
    return [portal for portal in await store.portals() if portal.team == team]
