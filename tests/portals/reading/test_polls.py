"""Polls by their stable and unstable names; what is no poll, and rubbish, is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.events import Ballot, Ignored, MatrixMessage, MatrixPollEnd, Poll
from portals.ids import MatrixUserId
from portals.reading.matrix import address, read
from portals.reading.polls import poll_of, running_poll
from tests.portals.foreign import JSON, objects

UNSTABLE = {
    "org.matrix.msc3381.poll.start": {
        "question": {"org.matrix.msc1767.text": "Lunch?", "body": "Lunch"},
        "kind": "org.matrix.msc3381.poll.disclosed",
        "max_selections": 1,
        "answers": [{"id": "1", "org.matrix.msc1767.text": "Pizza"}, {"id": "2", "org.matrix.msc1767.text": "Soup"}],
    }
}
STABLE = {
    "m.poll": {
        "question": {"m.text": [{"mimetype": "text/html", "body": "<b>Lunch?</b>"}, {"body": "Lunch?"}]},
        "max_selections": 1,
        "answers": [
            {"m.id": "1", "m.text": [{"body": "Pizza", "mimetype": "text/plain"}]},
            {"m.id": "2", "m.text": [{"body": " Soup\n"}]},
        ],
    }
}
LUNCH = Poll("Lunch?", (("1", "Pizza"), ("2", "Soup")))


def event(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": kind, "room_id": "!r:x", "event_id": "$e", "sender": "@a:x", "content": content, **more}


@pytest.mark.parametrize(
    ("kind", "content"),
    [("org.matrix.msc3381.poll.start", UNSTABLE), ("m.poll.start", STABLE), ("m.poll.start", UNSTABLE)],
)
def test_a_poll_is_read_by_either_name(kind: str, content: dict[str, Any]) -> None:
    assert address(event(kind, content)) is not None
    found = read(event(kind, content), "s")
    assert isinstance(found, MatrixMessage)
    assert found.poll == LUNCH
    assert found.file is None


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"m.poll": {"question": {}, "answers": STABLE["m.poll"]["answers"]}},
        {"m.poll": {"question": {"m.text": "?"}, "answers": []}},
        {"m.poll": {"question": {"m.text": "?"}, "answers": [{"m.id": "1"}, {"m.text": "x"}, 7]}},
        {"m.poll": {"question": {"m.text": [{"mimetype": "text/html", "body": "<b>"}]}, "answers": [{"m.id": "1"}]}},
    ],
)
def test_what_lacks_question_or_answers_is_no_poll(content: dict[str, Any]) -> None:
    assert poll_of(content) is None
    assert isinstance(read(event("m.poll.start", {"x": 1, **content}), "s"), Ignored)


def test_there_are_at_most_twenty_answers_and_none_twice() -> None:
    answers = [{"m.id": str(n // 2), "m.text": f"answer {n}"} for n in range(100)]
    found = poll_of({"m.poll": {"question": {"m.text": "?"}, "answers": answers, "max_selections": 0}})
    assert found is not None
    assert (len(found.answers), found.answers[0], found.most) == (10, ("0", "answer 0"), 1)


def test_the_end_of_a_poll_names_it() -> None:
    content = {"m.relates_to": {"rel_type": "m.reference", "event_id": "$p"}}
    found = read(event("m.poll.end", content, origin_server_ts=5), "s")
    assert isinstance(found, MatrixPollEnd)
    assert (found.poll, found.at) == ("$p", 5)
    assert isinstance(read(event("org.matrix.msc3381.poll.end", {"x": 1}), "s"), Ignored)


def test_a_running_poll_has_its_votes_its_author_and_those_who_may_close_it() -> None:
    vote = {"org.matrix.msc3381.poll.response": {"answers": ["1", 7]}}
    related = [
        event("org.matrix.msc3381.poll.response", vote, sender="@b:x", origin_server_ts=3),
        event("m.poll.response", {"m.selections": ["2"]}, sender="@c:x", origin_server_ts=4),
        event("m.poll.response", {"m.selections": "2"}),
        event("m.poll.response", {}),
        event("m.poll.end", {"m.selections": ["2"]}),
        event("m.poll.response", {"m.selections": ["2"]}, sender=7),
    ]
    levels = {"redact": 60, "users": {"@mod:x": 60, "@helper:x": 50, "@odd:x": "100"}}
    found = running_poll(event("m.poll.start", STABLE), related, levels)
    assert found is not None
    assert (found.poll, found.author, found.moderators) == (LUNCH, "@a:x", frozenset(["@mod:x"]))
    bob, carol = MatrixUserId("@b:x"), MatrixUserId("@c:x")
    assert found.ballots == (Ballot(carol, 4, ("2",)), Ballot(bob, 3, ("1",)))
    usual = running_poll(event("m.poll.start", STABLE), [], {"users": {"@helper:x": 50}})
    assert usual is not None
    assert usual.moderators == {"@helper:x"}


def test_an_edited_poll_is_counted_as_it_stands_and_a_redacted_one_not_at_all() -> None:
    edit = {"content": {"m.new_content": UNSTABLE}}
    first = {"m.poll": {"question": {"m.text": "Dinner?"}, "answers": [{"m.id": "1", "m.text": "Pizza"}]}}
    found = running_poll(event("m.poll.start", first, unsigned={"m.relations": {"m.replace": edit}}), [], {})
    assert found is not None
    assert found.poll == LUNCH
    assert running_poll(event("m.poll.start", {}), [], {}) is None


TEXTS = st.sampled_from(["", "?", "1"]) | objects({"m.text": JSON, "body": JSON}) | JSON
RUBBISH = objects(
    {
        "type": st.sampled_from(["m.poll.start", "m.poll.response", "m.poll.end"]),
        "sender": JSON | st.just("@a:x"),
        "content": objects(
            {
                "m.poll": objects(
                    {"question": TEXTS, "answers": st.lists(TEXTS, max_size=2) | JSON, "max_selections": JSON}
                ),
                "m.selections": JSON,
                "org.matrix.msc3381.poll.response": JSON,
            }
        ),
    }
)


@given(RUBBISH, st.lists(RUBBISH, max_size=2), objects({"redact": JSON, "users": JSON}))
def test_rubbish_never_raises(start: Any, related: list[Any], levels: Any) -> None:
    running_poll(start, related, levels)
