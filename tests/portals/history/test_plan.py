"""A plan adds up, says how long it takes, and names what an admin has to decide."""

from __future__ import annotations

from typing import Any

import pytest

from portals.history.export import ExportedChannel, Problem
from portals.history.plan import Bridged, Known, Pace, Plan, Source, estimate, plan_of
from portals.history.plan_json import as_json, moment_of
from portals.history.selection import Selection
from portals.history.tally import Authors, Counted, Figures
from portals.ids import ChannelId, MatrixUserId, SlackUserId, TeamId, Ts
from portals.people.matching import candidates

ANN = {"id": "U0ANN", "name": "ann", "profile": {"email": "ann@example.org", "display_name": "Ann"}}
BEN = {"id": "U0BEN", "name": "ben", "profile": {"display_name": "Ben"}}
BOT = {"id": "U0BOT", "name": "bot", "is_bot": True, "profile": {}}
GONE = {"id": "U0GONE", "name": "gone", "deleted": True, "profile": {}}
ELSEWHERE = {"id": "U0ELSE", "name": "else", "is_stranger": True, "profile": {}}


def channel(number: int, name: str = "", kind: Any = "public", *members: str) -> ExportedChannel:  # Any: a Kind
    users = tuple(SlackUserId(user) for user in members)
    return ExportedChannel(ChannelId(f"C0{number}"), name or f"channel-{number}", kind, members=users)


def counted(of: ExportedChannel, **figures: int) -> Counted:
    return Counted(of, Figures(**figures), Ts("1700000000.000100"), Ts("1700086400.000100"))


def planned(
    *channels: Counted,
    users: tuple[object, ...] = (),
    authors: Authors | None = None,
    known: Known = Known(),  # noqa: B008  frozen
    teams: tuple[str, ...] = (),
    emoji: tuple[str, ...] = (),
) -> Plan:
    return plan_of(
        Source("export.zip", tuple(map(TeamId, teams)), candidates(users), {"known"}, (("canvases.json", 2),)),
        Selection(),
        channels,
        authors or Authors(),
        emoji,
        known,
        Pace(),
        not_selected=1,
        problems=[Problem("a.json", "is empty")],
    )


def wrote(*users: str) -> Authors:
    authors = Authors()
    for user in users:
        authors.wrote(user, {"user_profile": {"display_name": f"{user} herself"}})
    return authors


def kinds(plan: Plan) -> list[str]:
    return [decision.kind for decision in plan.decisions]


def test_totals_are_the_sums_of_the_channels() -> None:
    plan = planned(counted(channel(1), messages=3, members=2), counted(channel(2), messages=4, members=2))
    assert (plan.totals.messages, plan.totals.members) == (7, 4)


def test_the_estimate_is_the_longer_of_events_and_files() -> None:
    found = estimate(Figures(messages=100, reactions=50, files=50, bytes=10**9), Pace(rate=10, bandwidth=10))
    assert (found.events, found.event_seconds, found.file_seconds, found.seconds) == (200, 20, 100, 100)


def test_people_are_unmatched_where_nothing_names_their_account() -> None:
    twins = tuple({"id": f"U0TWIN{n}", "profile": {"email": "both@example.org"}} for n in (1, 2))
    authors = wrote("U0ANN", "U0BEN", "U0BEN", "U0BOT", "U0GONE", "U0ELSE", "U0WHO", "USLACKBOT", "U00", "U0TWIN1")
    authors.bots.add("B01")
    plan = planned(
        counted(channel(1, "", "public", "U0IDLE")), users=(ANN, BEN, BOT, GONE, ELSEWHERE, *twins), authors=authors
    )
    found = [(one.user, one.name, one.why, one.messages) for one in plan.people.unmatched]
    assert found == [
        ("U0BEN", "Ben", "the export tells no e-mail address", 2),
        ("U0ELSE", "else", "of another workspace", 1),
        ("U0TWIN1", "U0TWIN1", "both@example.org is the address of several people", 1),
        ("U0WHO", "U0WHO herself", "not in the export's list of people", 1),
        ("U0IDLE", "", "not in the export's list of people", 0),
    ]
    people = plan.people
    assert (people.listed, people.with_email, people.taking_part, people.authors, people.bots) == (7, 3, 7, 6, 1)
    assert (people.deactivated, kinds(plan)) == (1, ["people"])


def test_with_a_store_everybody_without_an_account_is_unmatched() -> None:
    known = Known(accounts={SlackUserId("U0BEN"): MatrixUserId("@ben:example.org")})
    plan = planned(users=(ANN, BEN), authors=wrote("U0ANN", "U0BEN"), known=known)
    assert [(one.user, one.why) for one in plan.people.unmatched] == [("U0ANN", "no Matrix account is linked")]


def test_channels_that_are_bridged_are_told() -> None:
    known = Known(
        bridged=(Bridged(ChannelId("C01"), "!room:example.org", "live"), Bridged(ChannelId("C02"), "", "planned"))
    )
    plan = planned(*(counted(channel(number)) for number in (1, 2, 3)), known=known)
    assert [(one.kind, one.about) for one in plan.decisions] == [("bridged", ("C01",)), ("bridged", ("C02",))]
    assert "!room:example.org (live)" in plan.decisions[0].what
    assert "a room still to be made (planned)" in plan.decisions[1].what


def test_channels_of_one_name_are_told() -> None:
    plan = planned(counted(channel(1, "Plans")), counted(channel(2, "plans", "private")), counted(channel(3, "other")))
    (decision,) = plan.decisions
    assert (decision.kind, decision.about) == ("names", ("C01", "C02"))


def test_direct_conversations_need_consent() -> None:
    plan = planned(counted(channel(1, "", "dm")), counted(channel(2, "", "group_dm")), counted(channel(3)))
    (decision,) = plan.decisions
    assert (decision.kind, decision.about) == ("consent", ("C01", "C02"))


@pytest.mark.parametrize(
    ("teams", "workspaces", "told"),
    [(("T1",), ("T2",), True), (("T1",), ("T1", "T2"), False), (("T1",), (), False), ((), ("T1",), False)],
)
def test_an_export_of_another_workspace_is_told(
    teams: tuple[str, ...], workspaces: tuple[str, ...], told: bool
) -> None:
    plan = planned(teams=teams, known=Known(workspaces=tuple(map(TeamId, workspaces))))
    assert ("workspace" in kinds(plan)) is told


def test_custom_emoji_without_a_picture_are_told() -> None:
    assert planned(emoji=("b", "known", "a")).custom_emoji == ("a", "b")


def test_the_json_holds_what_programs_are_promised() -> None:
    found = as_json(planned(counted(channel(1, "general"), messages=3, bytes=5), teams=("T1",)))
    promised = {"messages", "thread_roots", "replies", "reactions", "files", "bytes", "pins", "members"}
    (listed,) = found["channels"]
    for figures in (listed, found["totals"]):
        assert promised <= figures.keys()
        assert all(type(figures[name]) is int for name in promised)
    assert (listed["id"], listed["name"], listed["kind"]) == ("C01", "general", "public")
    assert found["problems"] == [{"where": "a.json", "what": "is empty"}]
    assert (found["totals"]["first"], found["totals"]["last"]) == ("2023-11-14T22:13:20Z", "2023-11-15T22:13:20Z")
    assert found["not_imported"] == [{"where": "canvases.json", "bytes": 2}]
    assert as_json(planned())["totals"]["first"] is None


@pytest.mark.parametrize(("ts", "moment"), [("0.000001", "1970-01-01T00:00:00Z"), ("", None), ("999999999999.0", None)])
def test_a_moment_is_told_where_a_calendar_has_it(ts: str, moment: str | None) -> None:
    assert moment_of(Ts(ts)) == moment
