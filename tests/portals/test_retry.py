"""Pauses grow to a bound, what the other side asks for is kept to, and some refusals are nobody's message's fault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.actions import Note, PostFile, PostMessage, RecordDeletion, RecordLink
from portals.ids import ActionKey, ChannelId, Ts
from portals.retry import is_installation_trouble, out_of_thread, pause


def test_pauses_double_up_to_a_minute() -> None:
    assert [pause(attempt) for attempt in range(1, 10)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(("asked", "kept"), [(0.0, 0.0), (7.5, 7.5), (-3.0, 0.0), (90_000.0, 3600.0)])
def test_what_the_other_side_asks_for_is_kept_to_within_an_hour(asked: float, kept: float) -> None:
    assert pause(9, asked) == kept


@given(st.integers(0, 10**9), st.none() | st.floats())
def test_a_pause_can_always_be_slept(attempt: int, asked: float | None) -> None:
    assert 0 <= pause(attempt, asked) <= 3600


@pytest.mark.parametrize(
    "code",
    [
        "invalid_auth",
        "missing_scope",
        "token_revoked",
        "not_allowed_token_type",
        "forbidden_team",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "org_login_required",
        "M_UNKNOWN_TOKEN",
    ],
)
def test_a_refusal_that_would_meet_every_message_is_the_installations(code: str) -> None:
    assert is_installation_trouble(code)


@pytest.mark.parametrize("code", ["msg_too_long", "channel_not_found", "M_FORBIDDEN", "M_TOO_LARGE", ""])
def test_a_refusal_of_one_message_is_its_own(code: str) -> None:
    assert not is_installation_trouble(code)


def answer(**more: object) -> PostMessage:
    link = RecordLink("matrix", "@ada:x", event_id="$e", thread_ts="1.1")
    given = {"thread_ts": Ts("1.1"), "record": link} | more
    return PostMessage(ActionKey("k"), ChannelId("C1"), "words", (), "Ada", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["cannot_reply_to_message", "thread_not_found"])
def test_an_answer_whose_thread_is_gone_becomes_a_message_of_the_channel(code: str) -> None:
    alone = out_of_thread(answer(), code)
    assert isinstance(alone, PostMessage)
    assert (alone.key, alone.text, alone.thread_ts) == ("k", "words", None)
    assert isinstance(alone.record, RecordLink)
    assert (alone.record.event_id, alone.record.thread_ts) == ("$e", None)
    file = PostFile(ActionKey("k"), ChannelId("C1"), "mxc://x/y", "f", "text/plain", 1, (), thread_ts=Ts("1.1"))
    assert out_of_thread(file, code) == PostFile(file.key, file.channel, file.uri, "f", "text/plain", 1, ())
    other = answer(record=RecordDeletion("1.1"))
    assert getattr(out_of_thread(other, code), "record", None) == RecordDeletion("1.1")


def test_other_refusals_and_messages_without_a_thread_stay_as_they_are() -> None:
    assert out_of_thread(answer(), "is_archived") is None
    assert out_of_thread(answer(thread_ts=None), "thread_not_found") is None
    assert out_of_thread(Note(ActionKey("k")), "thread_not_found") is None
