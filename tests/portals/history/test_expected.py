"""What is expected of a record is what the conversion makes of it, in every form that a room may rightly show."""

from __future__ import annotations

from typing import Any

import pytest

from portals.facts import Person
from portals.history.evidence import EXCERPT, OURS, TOMBSTONE
from portals.history.expected import Expecting, excerpt
from portals.history.export import ExportedChannel
from portals.ids import SlackUserId
from tests.portals.history.mirrored import CHANNEL, NAMES, TEAM, WORKSPACE, file, known, record

TS = "1700000000.000100"


def expected(text: str = "hello", *, facts: dict[str, Any] | None = None, **more: Any) -> Any:
    return Expecting(CHANNEL, known(**(facts or {}))).of(
        {**record(TS, "U1", text), **more}, "general/2023-11-14.json[0]"
    )


def test_a_message_has_its_author_place_and_words() -> None:
    one = expected("hello *you*", thread_ts=TS, reactions=[{"name": "tada", "users": ["U2"], "count": 1}])
    assert (one.ts, one.place, one.author, one.name, one.absence) == (TS, "general/2023-11-14.json[0]", "U1", "", "")
    assert [(part.part, part.words, len(part.forms)) for part in one.parts] == [("", "hello you", 1)]
    assert one.is_root
    assert one.thread == ""
    assert one.reactions == (("U2", "🎉"),)


def test_a_reply_that_was_sent_to_the_channel_has_a_copy() -> None:
    one = expected("hello", subtype="thread_broadcast", thread_ts="1600000000.000100")
    assert [part.part for part in one.parts] == ["", "channel"]
    assert one.thread == "1600000000.000100"
    assert not one.is_root


@pytest.mark.parametrize(
    ("more", "absence"),
    [
        ({"subtype": "tombstone", "user": "USLACKBOT"}, TOMBSTONE),
        ({"subtype": "channel_join"}, "messages of subtype 'channel_join' are not shown"),
        ({"user": None}, "a message without an author"),
        ({"user": WORKSPACE.bot_user, "app_id": WORKSPACE.app}, OURS),
        ({"text": ""}, "a message without content"),
        ({"hidden": True}, "a message that Slack does not show, or to one person alone"),
    ],
)
def test_what_is_not_shown_says_why(more: dict[str, Any], absence: str) -> None:
    one = expected(**more)
    assert one.absence == absence
    assert one.parts == ()


def test_a_record_without_a_time_is_told_by_its_place() -> None:
    one = expected(ts=None)
    assert (one.ts, one.absence) == ("", "a message without a time stamp")


def test_a_bots_name_is_expected_and_not_put_into_its_words() -> None:
    one = expected("passed", subtype="bot_message", bot_id="B1", username="CI", user=None)
    assert (one.author, one.name) == ("B1", "CI")
    assert one.parts[0].words == "passed"


def test_a_preview_that_slack_added_later_may_be_shown_or_not() -> None:
    preview = {"from_url": "https://example.org", "title": "An example", "text": "what it says"}
    own = {"text": "of the message's own"}
    one = expected("see https://example.org", attachments=[preview, own])
    assert len(one.parts[0].forms) == 2
    assert len(expected("see it", attachments=[own]).parts[0].forms) == 1
    assert len(expected("", attachments=[preview]).parts[0].forms) == 1
    assert expected("", attachments=[preview], user=None).parts == ()


def test_somebody_unknown_is_mentioned_by_their_id_or_not_at_all() -> None:
    assert len(expected("hi <@U1>").parts[0].forms) == 1
    assert len(expected("hi <@UNKNOWN1>").parts[0].forms) == 1


def test_somebody_who_became_known_later_may_be_called_by_either_name_in_a_topic() -> None:
    stan = Person(SlackUserId("U0STAN"), "Stan", NAMES.ghost(TEAM, SlackUserId("U0STAN")))
    channel = ExportedChannel(CHANNEL, "general", "public", topic="ask <@U0STAN>")
    expecting = Expecting(CHANNEL, known(met={stan.user: stan}))
    assert {"ask Stan", "ask U0STAN"} <= set(expecting.topics(channel))


def test_names_of_channels_groups_and_emoji_are_used() -> None:
    facts = {"channels": {"C2": "random"}, "usergroups": {"S1": "crew"}, "emoji": {"yes": "👍"}}
    said = "<#C2> <!subteam^S1> :yes:"
    assert expected(said, facts=facts).parts[0].words == "#random @crew 👍"
    assert expected(said, facts=facts, reactions=[{"name": "yes", "users": ["U1"], "count": 1}]).reactions == (
        ("U1", "👍"),
    )


def test_files_are_parts_with_what_slack_tells_of_them() -> None:
    one = expected("look", files=[file("F1"), file("F2", mode="tombstone"), file("F3", mode="hidden_by_limit")])
    assert [part.part for part in one.parts] == ["", "F1", "F3"]
    about = one.parts[1].file
    assert about is not None
    assert (about.name, about.mimetype, about.size, about.has_bytes) == ("plan.pdf", "application/pdf", 10, True)
    assert about.absence == "The file “plan.pdf” (10 bytes) was not brought over: "
    told = one.parts[2].file
    assert told is not None
    assert not told.has_bytes
    assert one.gone == 1


def test_a_file_that_the_conversion_does_not_know_is_expected_all_the_same() -> None:
    one = expected("joined", subtype="channel_join", files=[file("F1"), {"id": 5}])
    assert [(part.part, part.forms) for part in one.parts] == [("F1", ())]
    assert one.gone == 1


def test_a_file_that_is_only_spoken_of_is_counted_and_not_expected() -> None:
    one = expected("<@U1> mentioned a file", subtype="file_mention", file=file("F1"))
    assert [part.part for part in one.parts] == [""]
    assert (one.mentioned, one.gone) == (1, 0)


def test_reactions_are_counted_as_slack_does() -> None:
    one = expected(
        reactions=[
            {"name": "+1", "users": ["U1", "U2", WORKSPACE.bot_user], "count": 9},
            {"name": "thumbsup", "users": ["U1"], "count": 1},
            {"name": "party", "users": ["U2"], "count": 1},
            {"name": "odd", "users": None, "count": 2},
        ]
    )
    assert one.reactions == (("U1", "👍"), ("U2", ":party:"), ("U2", "👍"))
    assert (one.unnamed, one.renamed, one.own) == (8, 1, 1)


def test_an_excerpt_is_short_and_can_be_written() -> None:
    assert excerpt({"body": "a" * (EXCERPT + 1)}) == "a" * EXCERPT + "…"
    assert excerpt({"body": "half \ud83d"}) == "half ?"
    assert excerpt({}) == ""


def test_a_topic_is_what_the_room_is_told_with_or_without_the_names_that_nobody_knows() -> None:
    channel = ExportedChannel(CHANNEL, "general", "public", topic="for <@U1> and <@U9>", purpose="for all")
    assert Expecting(CHANNEL, known()).topics(channel) == ("for Ada and U9\nfor all", "for Ada and @U9\nfor all")
