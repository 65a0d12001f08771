"""What rightly is not there, or otherwise, is counted with its reason, and is no difference."""

from __future__ import annotations

from portals.history.parts import HIDDEN, NOT_GIVEN
from portals.history.reconcile import CALLED_OTHERWISE, MENTIONED, NEWER
from portals.history.selection import Selection
from portals.ids import ChannelId, Ts
from tests.portals.history.compared import Compared, again, content, figures, history, later, lose, reaction, room, ts
from tests.portals.history.mirrored import ACCOUNT, NOW, at, file, ghost, record


def test_what_is_not_shown_is_counted_with_its_reason() -> None:
    liked = [{"name": "+1", "users": ["U1"], "count": 3}]
    records = [
        record(ts(1), "U1", "joined", subtype="channel_join"),
        record(ts(2), "U1", "<@U1> mentioned a file", subtype="file_mention", file=file("F1")),
        record(ts(3), "U1", "see", files=[{"id": "F2", "mode": "tombstone"}]),
        record(ts(4), "U1", "joined", subtype="channel_join", files=[file("F3")], reactions=liked),
        record(ts(5), "U1", "popular", reactions=liked),
    ]
    found = Compared(records, room(records))
    assert found.told == []
    assert found.tallies["messages"].explained == {"messages of subtype 'channel_join' are not shown": 2}
    assert found.tallies["files"].explained == {
        MENTIONED: 1,
        "Slack keeps no more than their place": 1,
        "of messages that are not shown": 1,
    }
    assert found.tallies["reactions"].explained == {
        "Slack counts more people than it names": 4,
        "on messages that are not shown": 1,
    }


def test_what_should_not_be_shown_and_is_is_told() -> None:
    records = [record(ts(1), "U1", "joined", subtype="channel_join")]
    found = Compared(records, room([record(ts(1), "U1", "joined")]))
    assert found.told == [("messages", "unexpected", ts(1))]


def test_what_is_set_aside_is_quarantined_with_all_that_belongs_to_it() -> None:
    records = history()
    mirrored = room(records)
    for n in (2, 3, 7):
        lose(ts(n))(mirrored)
    mirrored.events = [event for event in mirrored.events if event["type"] != "m.reaction"]
    found = Compared(records, mirrored, quarantined={ts(n): "too odd" for n in (2, 3, 7)})
    assert found.told == []
    assert {kind: tally.quarantined for kind, tally in found.tallies.items()} == {
        "messages": 3, "threads": 1, "reactions": 2, "files": 1, "pins": 0, "members": 0, "topics": 0,
    }  # fmt: skip
    unreadable = [record(ts(1), None, "no author")]  # type: ignore[arg-type]
    assert Compared(unreadable, room([]), quarantined={ts(1): "no author"}).tallies["messages"].quarantined == 1


def test_a_notice_stands_for_a_file_that_slack_gives_no_more() -> None:
    mirrored = room()
    event = mirrored.event_of(ts(4), "F1")
    words = "The file “plan.pdf” (10 bytes) was not brought over: it does not exist any more."
    event["content"] = {
        "msgtype": "m.notice",
        "body": words,
        "dev.causeway.slack": event["content"]["dev.causeway.slack"],
    }
    found = Compared(history(), mirrored)
    assert found.told == []
    assert found.tallies["files"].explained == {NOT_GIVEN: 1}
    event["content"]["body"] = "The file “another.pdf” was not brought over: it does not exist any more."
    assert Compared(history(), mirrored).told == [("files", "file", ts(4))]


def test_a_file_that_an_earlier_export_still_had_is_as_good_or_better() -> None:
    before, now = record(ts(1), files=[file("F1")]), record(ts(1), files=[file("F1", mode="hidden_by_limit")])
    found = Compared([now], room([before]))
    assert found.told == []
    assert found.tallies["files"].explained == {HIDDEN: 1}
    assert Compared([now], room([now])).tallies["files"].present == 1
    assert Compared([before], room([now])).tallies["files"].explained == {NOT_GIVEN: 1}


def test_a_file_that_is_told_by_its_id_alone_may_be_anything() -> None:
    untold = record(ts(1), files=[{"id": "F1", "file_access": "check_file_info"}])
    assert Compared([untold], room([record(ts(1), files=[file("F1")])])).told == []
    found = Compared([untold], room([untold]))
    assert (found.told, found.tallies["files"].explained) == ([], {NOT_GIVEN: 1})


def test_a_channel_may_be_called_as_it_was_when_it_was_mentioned() -> None:
    records = [record(ts(1), "U1", "see <#C2|about-c2> and *so* on #1"), record(ts(2), "U1", "see #typed")]
    mirrored = room(records)
    found = Compared(records, mirrored, channels={ChannelId("C2"): "renamed"})
    assert found.told == []
    assert found.tallies["messages"].explained == {CALLED_OTHERWISE: 1}
    assert found.tallies["messages"].is_balanced
    later(ts(1))(mirrored)
    assert Compared(records, mirrored, channels={ChannelId("C2"): "renamed"}).told == [("messages", "order", ts(1))]
    content(ts(1), body="see #about-c2 and no further #1")(mirrored)
    assert ("messages", "content", ts(1)) in Compared(records, mirrored, channels={ChannelId("C2"): "renamed"}).told
    content(ts(2), body="see #other")(mirrored)
    assert ("messages", "content", ts(2)) in Compared(records, mirrored).told


def test_a_linked_account_stands_for_its_person() -> None:
    mirrored = room()
    mirrored.event_of(ts(3)).update(sender=ACCOUNT)
    for event in mirrored.events:
        if event["type"] == "m.reaction" and event["sender"] == ghost("U3"):
            event["sender"] = ACCOUNT
    assert Compared(history(), mirrored).told == []


# --- what is newer than the source


def test_in_a_live_channel_what_is_newer_than_the_source_is_no_difference() -> None:
    end = at(ts(9))
    mirrored = room()
    mirrored.show([record(ts(10), "U1", "since then")])
    mirrored.edit(mirrored.event_of(ts(9)), {"msgtype": "m.text", "body": "no end"}, ts=NOW)
    mirrored.redact(mirrored.event_of(ts(3)))
    reaction(ghost("U2"), "👍")(mirrored)
    again(ts(4), "F1")(mirrored)
    mirrored.events[-1]["origin_server_ts"] = NOW
    redacted = {("U3", at(ts(3))): ("$e", NOW)}
    found = Compared(history(), mirrored, until=end, live=True, redacted=redacted)
    assert found.told == []
    assert found.newer == 2
    assert found.tallies["messages"].explained == {NEWER: 1}
    assert figures(found.tallies["threads"]) == (1, 1, 0, 0, 0)
    found = Compared(history(), mirrored, until=end, redacted=redacted)
    assert sorted(found.told) == [
        ("files", "twice", ts(4)),
        ("messages", "content", ts(9)),
        ("messages", "missing", ts(3)),
        ("messages", "unexpected", ts(10)),
        ("reactions", "unexpected", ts(2)),
    ]
    missing = next(one for one in found.differences if one.what == "missing")
    assert (missing.event_id, missing.found) == ("$e", "its event was redacted")


def test_what_was_deleted_since_is_explained_with_all_that_belongs_to_it() -> None:
    mirrored = room()
    mirrored.redact(mirrored.event_of(ts(7)))
    found = Compared(history(), mirrored, until=at(ts(9)), live=True, redacted={("U1", at(ts(7))): ("$e", NOW)})
    assert found.told == []
    assert found.tallies["files"].explained == {"of messages that are not shown": 1}


def test_a_message_of_which_only_something_else_is_there_lacks_its_parts() -> None:
    mirrored = room()
    event = mirrored.event_of(ts(9))
    event["content"]["dev.causeway.slack"] = {**event["content"]["dev.causeway.slack"], "part": "5"}
    found = Compared(history(), mirrored)
    assert found.told == [("messages", "unexpected", ts(9)), ("messages", "content", ts(9))]
    lost = record(ts(1), "U1", "lost", subtype="", files=[{"id": "X1", "name": "odd"}])
    assert Compared([lost], room([lost])).told == [("files", "missing", ts(1))]


def test_a_thread_whose_replies_all_went_since_is_none() -> None:
    records = [record(ts(1), "U1", "root", thread_ts=ts(1)), record(ts(2), "U2", "reply", thread_ts=ts(1))]
    mirrored = room(records)
    mirrored.redact(mirrored.event_of(ts(2)))
    found = Compared(records, mirrored, until=at(ts(2)), live=True, redacted={("U2", at(ts(2))): ("$e", NOW)})
    assert found.told == []
    assert figures(found.tallies["threads"]) == (0, 0, 0, 0, 0)


def test_nothing_is_said_of_what_is_not_selected() -> None:
    chosen = [one for one in history() if one["ts"] < ts(5)]
    assert Compared(chosen, room(), selection=Selection(until=Ts(ts(5)))).told == []
    assert Compared(chosen, room()).told == [("messages", "unexpected", ts(n)) for n in (5, 6, 7, 8, 9)]
