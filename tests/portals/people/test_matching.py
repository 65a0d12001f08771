"""People are matched by what the homeserver knows for certain, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.ids import MatrixUserId, SlackUserId
from portals.people.links import How, Linked, Wanted
from portals.people.matching import Candidate, Outcome, asked, candidates, match, to_link
from tests.portals.foreign import JSON, objects

ADA, BRIAN = MatrixUserId("@ada:example.org"), MatrixUserId("@brian:example.org")


def user(id_: str, email: object = "", **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": id_.lower(), "profile": {"email": email, "real_name": f"Real {id_}"}, **more}


def person(id_: str, email: str = "", left_out: str = "") -> Candidate:
    return Candidate(SlackUserId(id_), id_.lower(), id_.lower(), email, left_out)


def linked(id_: str, account: MatrixUserId) -> Linked:
    return Linked(SlackUserId(id_), account, How.HAND, 1, "admin")


def outcomes(found: list[Any]) -> list[Outcome]:
    return [finding.outcome for finding in found]


def test_slack_s_user_objects_become_people_with_their_addresses_in_one_form() -> None:
    (alice,) = candidates([user("U1", " Alice@Example.ORG ")])
    assert alice == Candidate(SlackUserId("U1"), "Real U1", "u1", "alice@example.org")
    assert [alice.identity(kind) for kind in ("email", "name", "id")] == ["alice@example.org", "u1", "U1"]


def test_a_name_is_what_people_see_or_the_id() -> None:
    shown = {"id": "U1", "profile": {"display_name": "  ", "real_name": ""}, "real_name": " Ada "}
    assert [one.name for one in candidates([shown, {"id": "U2"}])] == ["Ada", "U2"]


@pytest.mark.parametrize("email", [None, 7, "nobody", "a b@x.org", "@x.org", "a@", "a@b@c"])
def test_what_is_no_address_is_none(email: object) -> None:
    assert candidates([user("U1", email)])[0].email == ""


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"is_bot": True}, "a bot"),
        ({"is_app_user": True}, "a bot"),
        ({"deleted": True}, "deactivated in Slack"),
        ({"is_stranger": True}, "of another workspace"),
        ({"is_restricted": True}, ""),
    ],
)
def test_bots_the_deactivated_and_strangers_are_left_out(more: dict[str, Any], why: str) -> None:
    assert candidates([user("U1", **more)])[0].left_out == why


def test_slackbot_is_a_bot_and_what_is_nobody_is_passed_over() -> None:
    found = candidates([user("USLACKBOT"), user("B1"), None, [], "U1", {"id": 7}, user("U1", "a@x.org"), user("U1")])
    assert [(one.user, one.left_out, one.email) for one in found] == [("USLACKBOT", "a bot", ""), ("U1", "", "")]


@given(
    objects({"id": st.sampled_from(["U1", "USLACKBOT", "B1"]), "profile": JSON, "deleted": JSON, "name": JSON}), JSON
)
def test_no_user_object_raises(user: dict[str, Any], other: Any) -> None:
    found = candidates([user, other])
    match(found, {"": ADA}, [], "email")


def test_only_those_are_asked_about_for_whom_something_is_to_be_found() -> None:
    people = [person("U1", "a@x.org"), person("U2", "a@x.org"), person("U3", "b@x.org"), person("U4")]
    people.append(person("U5", "c@x.org", left_out="a bot"))
    assert asked(people, [linked("U3", ADA)], "email") == ["a@x.org"]
    assert asked(people, [], "id") == ["U1", "U2", "U3", "U4"]


def test_whoever_s_account_the_homeserver_knows_is_matched() -> None:
    found = match([person("U1", "a@x.org"), person("U2", "b@x.org")], {"a@x.org": ADA}, [], "email")
    assert outcomes(found) == [Outcome.MATCHED, Outcome.UNKNOWN]
    assert to_link(found, How.EMAIL) == (Wanted(SlackUserId("U1"), ADA, How.EMAIL),)


def test_a_name_that_is_alike_links_nobody() -> None:
    found = match([Candidate(SlackUserId("U1"), "ada", "ada")], {"ada": ADA}, [], "email")
    assert outcomes(found) == [Outcome.NAMELESS]
    assert to_link(found, How.EMAIL) == ()


def test_a_link_that_is_there_stays_whatever_the_homeserver_says() -> None:
    found = match(
        [person("U1", "a@x.org"), person("U2", "", "a bot")], {"a@x.org": ADA}, [linked("U1", BRIAN)], "email"
    )
    assert outcomes(found) == [Outcome.LINKED, Outcome.LEFT_OUT]
    assert found[0].account == BRIAN


def test_who_is_ambiguous_is_told_and_not_linked() -> None:
    shared = [person("U1", "a@x.org"), person("U2", "a@x.org")]
    twofold = [person("U3", "b@x.org"), person("U4", "c@x.org")]
    taken = [person("U5", "d@x.org")]
    accounts = {"a@x.org": ADA, "b@x.org": BRIAN, "c@x.org": BRIAN, "d@x.org": MatrixUserId("@dora:example.org")}
    known = [linked("U9", MatrixUserId("@dora:example.org"))]
    found = match([*shared, *twofold, *taken], accounts, known, "email")
    assert outcomes(found) == [Outcome.AMBIGUOUS] * 5
    assert "several people in Slack" in found[0].detail
    assert "answers to several people" in found[2].detail
    assert "linked to U9" in found[4].detail
    assert to_link(found, How.EMAIL) == ()


def test_a_bot_with_somebody_s_address_makes_nobody_ambiguous() -> None:
    found = match([person("U1", "a@x.org"), person("U2", "a@x.org", "a bot")], {"a@x.org": ADA}, [], "email")
    assert outcomes(found) == [Outcome.MATCHED, Outcome.LEFT_OUT]
