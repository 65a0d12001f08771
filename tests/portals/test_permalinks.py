"""Addresses of messages and places are read exactly, and written so that they are read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.ids import ChannelId, EventId, TeamId, Ts
from portals.permalinks import (
    MatrixPlace,
    SlackPlace,
    matrix_address,
    matrix_place,
    message_ts,
    slack_address,
    slack_place,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ACME = "https://acme.slack.com/"
C1 = ChannelId("C0123ABC")
T1 = TeamId("T1")
TS = Ts("1700000000.000100")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://acme.slack.com/archives/C0123ABC/p1700000000000100", SlackPlace(ACME, C1, TS)),
        (
            "https://acme.slack.com/archives/C0123ABC/p1700000000000100?thread_ts=1700000000.000050&cid=C0123ABC",
            SlackPlace(ACME, C1, TS),
        ),
        ("https://Acme.Slack.com/archives/C0123ABC/p1700000000000100/", SlackPlace(ACME, C1, TS)),
        ("https://acme.slack.com/archives/C0123ABC", SlackPlace(ACME, C1, None)),
        ("https://acme.slack.com/archives/C0123ABC/#x", SlackPlace(ACME, C1, None)),
        (
            "https://acme.enterprise.slack.com/archives/G9/p1000000001",
            SlackPlace("https://acme.enterprise.slack.com/", ChannelId("G9"), Ts("1000.000001")),
        ),
        ("https://slack.com/archives/C0123ABC/p1700000000000100", SlackPlace("https://slack.com/", C1, TS)),
        ("https://app.slack.com/client/T1/C0123ABC", SlackPlace("", C1, None, T1)),
        ("https://app.slack.com/client/T1/C0123ABC/p1700000000000100?x", SlackPlace("", C1, TS, T1)),
        ("https://app.slack.com/client/T1/C0123ABC/thread/C0123ABC-1700000000.000100", SlackPlace("", C1, TS, T1)),
        ("https://app.slack.com/client/E1/C0123ABC", SlackPlace("", C1, None)),
        ("https://slack.com/app_redirect?channel=C0123ABC", SlackPlace("", C1, None)),
        ("https://acme.slack.com/app_redirect?team=T1&channel=C0123ABC", SlackPlace("", C1, None, T1)),
        ("https://slack.com/app_redirect?channel=C0123ABC&message_ts=1700000000.000100#", SlackPlace("", C1, TS)),
    ],
)
def test_a_link_of_slack_says_where_it_leads(url: str, place: SlackPlace) -> None:
    assert slack_place(url) == place


@pytest.mark.parametrize(
    ("url", "shared"),
    [
        ("https://acme.slack.com/archives/C1", False),
        ("https://acme.enterprise.slack.com/archives/C1", True),
        ("https://slack.com/archives/C1", True),
        ("https://app.slack.com/archives/C1", True),
        ("https://app.slack.com/client/T1/C1", False),
        ("https://app.slack.com/client/E1/C1", True),
        ("https://slack.com/app_redirect?channel=C1", True),
    ],
)
def test_an_address_is_of_one_workspace_or_of_several(url: str, shared: bool) -> None:
    place = slack_place(url)
    assert place is not None
    assert place.shared is shared


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.slack.com/",
        "https://app.slack.com/client/T1",
        "https://app.slack.com/client/T1/C1/p123456",
        "https://app.slack.com/client/T1/later",
        "https://slack.com/app_redirect?team=T1",
        "https://slack.com/app_redirect?channel=C1&message_ts=x",
        "https://slack.com.example.org/app_redirect?channel=C1",
        "https://acme.slack.com/archives/",
        "https://acme.slack.com/archives/c0123abc/p1700000000000100",
        "https://acme.slack.com/archives/C0123ABC/1700000000000100",
        "https://acme.slack.com/archives/C0123ABC/p123456",
        "https://acme.slack.com/archives/C0123ABC/p1700000000000100/more",
        "https://acme.slack.com/files/U1/F1/name",
        "https://acme.slack.com.evil.org/archives/C0123ABC/p1700000000000100",
        "https://evil.org/acme.slack.com/archives/C0123ABC/p1700000000000100",
        "https://evil.org@acme.slack.com/archives/C0123ABC",
        "http://acme.slack.com/archives/C0123ABC/p1700000000000100",
        "https://acme.slack.com/archives/C0123ABC p",
        "",
    ],
)
def test_what_only_looks_like_a_link_of_slack_is_none(url: str) -> None:
    assert slack_place(url) is None


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://matrix.to/#/!r:hs/$e?via=hs", MatrixPlace("!r:hs", EventId("$e"))),
        ("https://matrix.to/#/%21r%3Ahs/%24e", MatrixPlace("!r:hs", EventId("$e"))),
        ("https://matrix.to/#/#a:hs/$e", MatrixPlace("#a:hs", EventId("$e"))),
        ("https://matrix.to/#/!r", MatrixPlace("!r", None)),
        ("matrix:roomid/r:hs/e/e?via=hs", MatrixPlace("!r:hs", EventId("$e"))),
        ("matrix:r/a:hs", MatrixPlace("#a:hs", None)),
    ],
)
def test_a_link_of_matrix_says_where_it_leads(url: str, place: MatrixPlace) -> None:
    assert matrix_place(url) == place


@pytest.mark.parametrize("url", ["https://matrix.to/#/@a:hs", "https://matrix.to/#/!r/e", "matrix:u/a:hs", "x", ""])
def test_a_link_to_a_person_or_to_nothing_is_no_place(url: str) -> None:
    assert matrix_place(url) is None


def test_links_are_written_as_both_sides_write_them() -> None:
    assert slack_address(ACME, C1) == "https://acme.slack.com/archives/C0123ABC"
    assert slack_address(ACME, C1, TS) == "https://acme.slack.com/archives/C0123ABC/p1700000000000100"
    assert slack_address(ACME, C1, TS, TS) == slack_address(ACME, C1, TS)
    assert (
        slack_address(ACME, C1, TS, Ts("1700000000.000050"))
        == "https://acme.slack.com/archives/C0123ABC/p1700000000000100?thread_ts=1700000000.000050&cid=C0123ABC"
    )
    assert matrix_address("!r:hs", None, "hs") == "https://matrix.to/#/!r:hs?via=hs"
    assert matrix_address("!r:hs", EventId("$e"), "hs:8448") == "https://matrix.to/#/!r:hs/$e?via=hs:8448"


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_id_leads_a_link_elsewhere(room: str, event: str) -> None:
    room, event = f"!{room[:30]}", f"${event[:30]}"
    if not all(character.isprintable() for character in room + event):
        return
    written = matrix_address(room, EventId(event), "hs")
    assert written.isascii()
    assert written.isprintable()
    assert matrix_place(written) == MatrixPlace(room, EventId(event))


@pytest.mark.parametrize(
    ("name", "ts"), [("p1700000000000100", TS), ("p170", None), ("1700000000000100", None), ("p" + "1" * 30, None)]
)
def test_the_name_of_a_message_is_its_time_without_the_point(name: str, ts: Ts | None) -> None:
    assert message_ts(name) == ts


@pytest.mark.parametrize("read", [slack_place, matrix_place, message_ts])
@given(text=st.text())
def test_any_text_may_be_asked_about(read: Callable[[str], object], text: str) -> None:
    read(text)
