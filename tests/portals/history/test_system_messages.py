"""Which of Slack's own words come with a history is the installation's choice; a report knows what was chosen."""

from __future__ import annotations

import pytest

from portals import text
from portals.events import Ignored, SlackMessage
from portals.history.compare import differences, shows
from portals.history.expected import LEFT_OUT, Expecting
from portals.history.reconcile import SHOWN_BY_IMPORTS, SHOWN_LIVE, Circumstances, Reconciliation
from portals.ids import NO_TS, Ts
from portals.reading.slack import read
from tests.portals.history.compared import ts
from tests.portals.history.mirrored import CHANNEL, WORKSPACE, Mirrored, known, record, shown

RECORDS = [
    record(ts(1), "U1", "<@U1> has joined the channel", subtype="channel_join"),
    record(ts(2), "U1", "set the channel topic: plans", subtype="channel_topic", topic="plans"),
    record(ts(3), "U1", "added an integration", subtype="bot_add"),
    record(ts(4), "U1", "for apps alone", subtype="bot_enable"),
    record(ts(5), "U1", "hello"),
]
CHOICES = {"live": (3, 5), "all": (1, 2, 3, 5), "without_membership": (2, 3, 5), "none": (5,)}


@pytest.mark.parametrize(("choice", "brought"), CHOICES.items())
def test_what_is_chosen_is_brought_as_a_notice(choice: str, brought: tuple[int, ...]) -> None:
    news = differences(
        RECORDS,
        [],
        [],
        channel=CHANNEL,
        workspace=WORKSPACE,
        gap=7,
        since=NO_TS,
        as_of=Ts(ts(9)),
        archive=True,
        system=choice,
    )
    events = [read(one.payload, "x", WORKSPACE) for one in news]
    found = [one for one in events if isinstance(one, SlackMessage)]
    assert [one.ts for one in found] == [ts(number) for number in brought]
    assert [number for number, one in enumerate(RECORDS, 1) if shows(one, CHANNEL, WORKSPACE, choice)] == list(brought)
    if choice == "all":
        assert text.to_matrix(found[0].document, text.Names()).body == "has joined the channel"


def test_what_is_announced_and_is_no_message_is_ignored() -> None:
    (news,) = differences(
        RECORDS[:1],
        [],
        [],
        channel=CHANNEL,
        workspace=WORKSPACE,
        gap=7,
        since=NO_TS,
        as_of=Ts(ts(9)),
        archive=True,
        system="all",
    )
    event = {**news.payload["event"], "user": ""}
    assert isinstance(read({**news.payload, "event": event}, "x", WORKSPACE), Ignored)


def compared(choice: str, room: Mirrored) -> tuple[list[str], dict[str, int]]:
    expecting = Expecting(CHANNEL, known(system=choice))
    expected = [expecting.of(one, "d.json[0]") for one in RECORDS]
    found = Reconciliation(Circumstances(), lambda _: ("", "", ""))
    told = [f"{one.what} {one.ts}" for one in found.differences(expected, shown(room.events))]
    assert found.tallies["messages"].is_balanced
    return told, found.tallies["messages"].explained


def test_a_report_expects_what_was_chosen_and_takes_what_live_traffic_shows() -> None:
    live = Mirrored().show(RECORDS)
    nothing = "messages of subtype 'bot_enable' are not shown"
    assert compared("all", live) == ([], {SHOWN_BY_IMPORTS: 2, nothing: 1})
    told, explained = compared("none", live)
    assert (told, explained[SHOWN_LIVE]) == ([], 1)
    lost = Mirrored().show(RECORDS[:2] + RECORDS[3:])
    assert compared("all", lost)[0] == [f"missing {ts(3)}"]
    told, explained = compared("none", lost)
    assert (told, explained[LEFT_OUT]) == ([], 1)
