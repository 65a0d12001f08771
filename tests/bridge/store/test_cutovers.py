"""A move has one row while it is under way, and each of its steps one, with who did it and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.store.audit import Audit
from bridge.store.cutovers import Cutovers, ended, forgotten, frozen, told
from portals.cutover import Phase, Step
from portals.ids import ChannelId, TeamId

if TYPE_CHECKING:
    from bridge.store.cutovers import Cutover
    from bridge.store.database import Database
    from bridge.store.directory import Directory
    from bridge.store.links import Links
    from portals.facts import Portal


ACTOR = "ada (command line)"


@pytest.fixture
async def portal(directory: Directory) -> Portal:
    return await directory.add_portal(TeamId("T1"), ChannelId("C1"), name="general")


@pytest.fixture
def cutovers(database: Database) -> Cutovers:
    return Cutovers(database)


@pytest.fixture
async def move(cutovers: Cutovers, portal: Portal) -> Cutover:
    return await cutovers.begin(portal.id, Phase.ANNOUNCED, ACTOR)


async def test_a_move_is_begun_once_until_it_has_ended(
    cutovers: Cutovers, database: Database, portal: Portal, move: Cutover
) -> None:
    again = await cutovers.begin(portal.id, Phase.FREEZING, "somebody else")
    assert (again.id, again.phase, again.begun_by) == (move.id, Phase.ANNOUNCED, ACTOR)
    await cutovers.set_phase(move, Phase.REVERTING)
    await database.commit(ended(move, Phase.REVERTED))
    newest = await cutovers.newest(portal.id)
    assert newest is not None
    assert newest.phase is Phase.REVERTED
    assert newest.ended_at is not None
    anew = await cutovers.begin(portal.id, Phase.FREEZING, ACTOR)
    assert anew.id != move.id
    assert (await cutovers.newest(portal.id)) == anew
    assert await cutovers.portals() == [portal.id]


async def test_a_step_is_begun_before_it_is_done_and_logged_when_it_is(
    cutovers: Cutovers, database: Database, portal: Portal, move: Cutover
) -> None:
    assert await cutovers.step(move, Step.SET_TOPIC) is None
    await cutovers.begin_step(move, Step.SET_TOPIC, "", ACTOR)
    await cutovers.note(move, Step.SET_TOPIC, "", {"before": "Tickets"})
    await cutovers.begin_step(move, Step.SET_TOPIC, "", "somebody else")
    row = await cutovers.step(move, Step.SET_TOPIC)
    assert row is not None
    assert (row.actor, row.done_at, row.note) == (ACTOR, None, {"before": "Tickets"})
    await cutovers.done(move, portal, row, actor=ACTOR, note=row.note, detail="it was so", beside=[frozen(move)])
    (row,) = await cutovers.steps(move)
    assert row.done_at is not None
    newest = await cutovers.newest(portal.id)
    assert newest is not None
    assert newest.frozen_at is not None
    (entry,) = await Audit(database).entries()
    assert (entry.actor, entry.act, entry.subject, entry.detail) == (
        ACTOR,
        "cutover: set the topic",
        "T1/C1",
        "it was so",
    )


async def test_announcements_of_several_dates_are_steps_of_their_own(
    cutovers: Cutovers, portal: Portal, move: Cutover
) -> None:
    for date in ("Monday", "Tuesday"):
        await cutovers.begin_step(move, Step.ANNOUNCE_IN_SLACK, date, ACTOR)
        row = await cutovers.step(move, Step.ANNOUNCE_IN_SLACK, date)
        assert row is not None
        await cutovers.done(move, portal, row, actor=ACTOR, note={})
    assert {row.part for row in await cutovers.steps(move)} == {"Monday", "Tuesday"}


async def test_whoever_was_told_is_told_no_more_until_it_is_forgotten(
    database: Database, links: Links, portal: Portal, move: Cutover
) -> None:
    assert await links.moved_at(portal.id, "U1") is None
    await database.commit(frozen(move))
    assert await links.moved_at(portal.id, "U1") is not None
    await database.commit(told(portal.id, "U1"))
    await database.commit(told(portal.id, "U1"))
    assert await links.moved_at(portal.id, "U1") is None
    assert await links.moved_at(portal.id, "U2") is not None
    await database.commit(forgotten(portal.id))
    assert await links.moved_at(portal.id, "U1") is not None
    await database.commit(ended(move, Phase.FINISHED))
    assert await links.moved_at(portal.id, "U2") is None
