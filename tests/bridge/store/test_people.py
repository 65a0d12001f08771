"""Links between people, consents and the audit log: all or nothing, clear about conflicts, and never forgotten."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Refused
from bridge.store.audit import Audit
from bridge.store.database import Statement
from bridge.store.people import TAKEN, People
from portals.ids import MatrixUserId, RoomId, SlackUserId, TeamId
from portals.people.links import How, Wanted

if TYPE_CHECKING:
    from bridge.store.database import Database

TEAM, OTHER = TeamId("T1"), TeamId("T2")
ALICE, BOB = SlackUserId("U1"), SlackUserId("U2")
ADA, BRIAN = MatrixUserId("@ada:example.org"), MatrixUserId("@brian:example.org")
ROOM = RoomId("!room:example.org")


@pytest.fixture
def people(database: Database) -> People:
    return People(database)


def wanted(user: SlackUserId, account: MatrixUserId, how: How = How.HAND) -> Wanted:
    return Wanted(user, account, how)


async def accounts(people: People, team: TeamId = TEAM) -> dict[SlackUserId, MatrixUserId]:
    known = await people.known(team)
    assert known.users == {account: user for user, account in known.accounts.items()}
    assert await people.accounts(team) == known.accounts
    return known.accounts


async def test_a_link_is_found_by_its_person_in_its_workspace_alone(people: People) -> None:
    assert await accounts(people) == {}
    assert await people.link(TEAM, [wanted(ALICE, ADA)], "admin") == [wanted(ALICE, ADA)]
    assert await people.link(OTHER, [wanted(ALICE, ADA)], "admin")
    assert await accounts(people) == {ALICE: ADA}
    (link,) = await people.links(TEAM)
    assert (link.how, link.by) == (How.HAND, "admin")
    assert await people.link(TEAM, [wanted(ALICE, ADA, How.CSV)], "admin") == []
    assert (await people.links(TEAM))[0].how is How.HAND


async def test_a_person_and_an_account_have_one_link_each(people: People) -> None:
    await people.link(TEAM, [wanted(ALICE, ADA)], "admin")
    for taken in (wanted(BOB, ADA), wanted(ALICE, BRIAN)):
        with pytest.raises(Refused, match=r"is linked to .* already") as caught:
            await people.link(TEAM, [wanted(SlackUserId("U3"), MatrixUserId("@c:x.org")), taken], "admin")
        assert caught.value.code == TAKEN
    assert await accounts(people) == {ALICE: ADA}


async def test_two_people_may_change_places_in_one_go(people: People) -> None:
    await people.link(TEAM, [wanted(ALICE, ADA), wanted(BOB, BRIAN)], "admin")
    swapped = [wanted(ALICE, BRIAN), wanted(BOB, ADA)]
    assert await people.link(TEAM, swapped, "admin", move=True) == swapped
    assert await accounts(people) == {ALICE: BRIAN, BOB: ADA}


async def test_of_two_who_link_at_once_one_is_told(database: Database, people: People) -> None:
    other = People(database)
    outcomes = await asyncio.gather(
        people.link(TEAM, [wanted(ALICE, ADA)], "one"),
        other.link(TEAM, [wanted(BOB, ADA)], "two"),
        return_exceptions=True,
    )
    (refused,) = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert refused.code == TAKEN
    assert len(await people.links(TEAM)) == 1
    assert len(await Audit(database).entries()) == 1


async def test_what_another_process_changed_is_seen_once_the_links_are_forgotten(
    database: Database, people: People
) -> None:
    assert await accounts(people) == {}
    await People(database).link(TEAM, [wanted(ALICE, ADA)], "admin")
    assert await accounts(people) == {}
    people.forget()
    assert await accounts(people) == {ALICE: ADA}


async def test_a_link_ends_once(database: Database, people: People) -> None:
    await people.link(TEAM, [wanted(ALICE, ADA)], "admin")
    assert await people.unlink(TEAM, ALICE, "admin") == ADA
    assert await people.unlink(TEAM, ALICE, "admin") is None
    assert await accounts(people) == {}
    assert [one.act for one in await Audit(database).entries()] == ["link", "unlink"]


async def test_a_consent_is_kept_with_its_actor_and_reason(database: Database, people: People) -> None:
    assert await people.consent(TEAM, ALICE, given=True, actor="admin", reason="signed form 7")
    assert not await people.consent(TEAM, ALICE, given=True, actor="admin", reason="again")
    assert await people.consents(TEAM) == {ALICE}
    assert await people.consents(OTHER) == frozenset()
    assert await people.consent(TEAM, ALICE, given=False, actor="alice", reason="asked by mail")
    assert await people.consents(TEAM) == frozenset()
    entries = await Audit(database).entries()
    assert [(one.actor, one.subject, one.detail) for one in entries] == [
        ("admin", "T1/U1", "signed form 7"),
        ("alice", "T1/U1", "asked by mail"),
    ]
    assert await Audit(database).entries(after=entries[0].id) == entries[1:]


async def test_what_a_room_was_before_it_was_muted_is_remembered_once(people: People) -> None:
    assert await people.quieted(ROOM, ADA) is None
    await people.add_quieted(ROOM, ADA, "before")
    await people.add_quieted(ROOM, ADA, "muted by us")
    assert await people.quieted(ROOM, ADA) == "before"
    await people.remove_quieted(ROOM, ADA)
    assert await people.quieted(ROOM, ADA) is None


async def test_people_and_workspaces_are_listed_by_name(database: Database, people: People) -> None:

    person = "INSERT INTO people (team, user_id, name, is_bot) VALUES ($1, $2, $3, $4)"
    workspace = "INSERT INTO workspaces (team, name, bot_user, bot, app) VALUES ('T1', 'Acme', 'U', 'B', 'A')"
    await database.commit(
        Statement(person, (TEAM, ALICE, "Alice", 0)), Statement(person, (TEAM, "B1", "CI", 1)), Statement(workspace)
    )
    assert await people.names(TEAM) == {ALICE: "Alice"}
    assert await people.workspaces() == {TEAM: "Acme"}
