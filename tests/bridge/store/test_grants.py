"""Grants: what is renewed, broken and ended is that very grant, and each change is in the audit log with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.audit import Audit
from bridge.store.consent_steps import ConsentSteps, Step, digest
from bridge.store.grants import Grants, GrantState, Tokens
from portals.ids import MatrixUserId, RoomId, SlackUserId, TeamId

if TYPE_CHECKING:
    from bridge.store.database import Database

TEAM, USER = TeamId("T1"), SlackUserId("U1")
ADA, ROOM = MatrixUserId("@ada:example.org"), RoomId("!own:example.org")


async def test_a_grant_lives_is_renewed_breaks_and_ends(database: Database) -> None:
    grants = Grants(database)
    await grants.connect(TEAM, USER, ADA, ROOM, Tokens("t1", "r1", 1000), "ada")
    first = await grants.of(TEAM, USER)
    assert first is not None
    assert (first.state, first.tokens, first.renewing) == (GrantState.LIVE, Tokens("t1", "r1", 1000), False)
    await grants.renewing(first)
    begun = await Grants(database).of(TEAM, USER)  # as another process finds it
    assert begun is not None
    assert begun.renewing
    await grants.renewed(begun, Tokens("t2", "r2", 2000))
    await grants.renewed(begun, Tokens("t3", "r3", 3000))  # r1 is not what it has any more
    assert not await grants.break_(first, "about the one before")
    second = await grants.of(TEAM, USER)
    assert second is not None
    assert (second.tokens, second.renewing) == (Tokens("t2", "r2", 2000), False)
    await grants.told(second, "C1")
    assert await grants.was_told(second, "C1")
    assert await grants.break_(second, "it was taken back")
    broken = await grants.of(TEAM, USER)
    assert broken is not None
    assert (broken.state, broken.tokens, broken.reason) == (GrantState.BROKEN, Tokens(""), "it was taken back")
    await grants.connect(TEAM, USER, ADA, ROOM, Tokens("t4"), "ada")
    third = await grants.of(TEAM, USER)
    assert third is not None
    assert not await grants.was_told(third, "C1")
    await grants.end(third, "by their own wish", "ada")
    ending = await grants.of(TEAM, USER)
    assert ending is not None
    assert (ending.state, ending.tokens) == (GrantState.ENDING, Tokens("t4"))
    await grants.ended(ending)
    ended = await grants.of(TEAM, USER)
    assert ended is not None
    assert (ended.state, ended.tokens) == (GrantState.ENDED, Tokens(""))
    acts = [entry.act for entry in await Audit(database).entries()]
    assert acts == ["connect", "connection broke", "connect", "disconnect"]


async def test_links_and_states_are_kept_as_digests_used_once_and_apart_by_their_kind(database: Database) -> None:
    steps, others = ConsentSteps(database, "connect"), ConsentSteps(database, "install")
    step = Step("acme", ADA, ROOM)
    await steps.add_link("old", step, 60)
    await steps.add_link("link", step, 60)
    assert await steps.look("old") is None, "the newest takes the place of any before"
    assert await others.look("link") is None
    assert await steps.look("link") == step
    rows = [tuple(row) for row in await database.fetch("SELECT * FROM consent_steps")]
    assert [row[0] for row in rows] == [digest("link")]
    expected = Step("acme", ADA, ROOM, digest("cookie"))
    assert await steps.go_on("link", "state", expected, 60)
    assert not await steps.go_on("link", "state 2", expected, 60)
    assert await others.take_state("state") is None
    taken = await steps.take_state("state")
    assert taken == expected
    assert taken.is_of("cookie")
    assert not taken.is_of("another")
    assert not step.is_of("")
    assert await steps.take_state("state") is None
    await steps.add_link("late", step, -1)
    assert await steps.look("late") is None
