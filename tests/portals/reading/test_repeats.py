"""What a repeated event is about, so that Slack can be asked how it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.ids import Ts
from portals.reading.repeats import REPEATED, Subject, is_repeated, subject

MESSAGE = {"ts": "2.1", "thread_ts": "1.1"}
REPLY = Subject("message", Ts("2.1"), Ts("1.1"))


@pytest.mark.parametrize(
    ("event", "about"),
    [
        ({"type": "message", "ts": "1.1"}, Subject("message", Ts("1.1"))),
        ({"type": "message", "ts": "1.1", "thread_ts": "1.1"}, Subject("message", Ts("1.1"))),
        ({"type": "message", **MESSAGE}, REPLY),
        ({"type": "message", "subtype": "message_changed", "ts": "9.9", "message": MESSAGE}, REPLY),
        ({"type": "message", "subtype": "message_deleted", "deleted_ts": "2.1", "previous_message": MESSAGE}, REPLY),
        ({"type": "message", "subtype": "message_deleted", "deleted_ts": "2.1"}, Subject("message", Ts("2.1"))),
        ({"type": "message", "subtype": "message_deleted"}, None),
        ({"type": "message", "subtype": "channel_topic", "ts": "1.1"}, Subject("channel")),
        ({"type": "message"}, None),
        ({"type": "reaction_removed", "item": {"ts": "1.1"}}, Subject("message", Ts("1.1"))),
        ({"type": "reaction_added", "item": "C1"}, None),
        ({"type": "member_left_channel"}, Subject("members")),
        ({"type": "group_rename"}, Subject("channel")),
        ({"type": "user_change"}, None),
        ({}, None),
    ],
)
def test_a_repeated_event_is_about_a_message_its_members_or_the_channel(
    event: dict[str, Any], about: Subject | None
) -> None:
    assert subject({"event": event}) == about


def test_a_repetition_is_known_by_the_mark_of_the_edge() -> None:
    payload = {"event": {"text": f'"{REPEATED}"'}}
    assert not is_repeated(json.dumps(payload, separators=(",", ":")))
    assert is_repeated(json.dumps({**payload, REPEATED: 1}, separators=(",", ":")))


@given(
    st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=8)
)
def test_no_event_raises(event: object) -> None:
    subject({"event": event})
