"""What is said is the same on both sides, whatever a room knows besides; and every change of it has another digest."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals import text
from portals.history.digest import Digest, line, plain, rank, said, short
from portals.relay.content import pieces, with_profile
from portals.text import Channel, Names, SlackPerson

GHOSTS = {"@slack_t1_u1:example.org": "U1", "@slack_t1_u0stranger:example.org": "U0STRANGER"}
HTML = "org.matrix.custom.html"


def who(user: str) -> str:
    return GHOSTS.get(user, "")


def shown(mrkdwn: str, names: Names) -> dict[str, Any]:
    (piece,) = pieces(text.from_slack(mrkdwn), names, "m.text")
    return piece


ADA = Names(slack_users={"U1": SlackPerson("Ada", "@slack_t1_u1:example.org")})
LATER = Names(slack_users={"U1": SlackPerson("Ada <Lovelace> & Co", "@slack_t1_u1:example.org")})
ROOM = "https://matrix.to/#/!room:example.org/$event?via=example.org"
MIRRORED = Names(
    channels={"C1": Channel("general", "!room:example.org")},
    emoji={"party": "mxc://example.org/party"},
    links={"https://acme.slack.com/archives/C1/p1700000000000100": ROOM},
)
NOBODY = Names()
STRANGER = Names(slack_users={"U0STRANGER": SlackPerson("Stan", "@slack_t1_u0stranger:example.org")})
ALONE = Names(channels={"C1": Channel("general", None)})


@pytest.mark.parametrize(
    ("mrkdwn", "one", "other"),
    [
        ("hello <@U1>, *you*", ADA, LATER),
        ("<@U1> and <@U1> and Ada", ADA, LATER),
        ("<@U0STRANGER>, (<@U0STRANGER>) and @U0STRANGER: *you*", STRANGER, NOBODY),
        ("see <#C1|general>.", MIRRORED, ALONE),
        ("nice :party:", MIRRORED, ALONE),
        ("nice  :party: ", MIRRORED, ALONE),
        ("one\n\ntwo :party:", MIRRORED, ALONE),
        ("look at <https://acme.slack.com/archives/C1/p1700000000000100>.", MIRRORED, ALONE),
        ("(<https://acme.slack.com/archives/C1/p1700000000000100|there>) *and* so on", MIRRORED, ALONE),
    ],
)
def test_what_a_room_knows_besides_does_not_count(mrkdwn: str, one: Names, other: Names) -> None:
    left, right = shown(mrkdwn, one), shown(mrkdwn, other)
    assert left != right
    assert said(left, who) == said(right, who)
    assert plain(left, who) == plain(right, who)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hello", "hello!"),
        ("*hello*", "hello"),
        ("hello <@U1>", "hello Ada"),
        ("a <https://example.org/1|link>", "a <https://example.org/2|link>"),
        ("1 < 2", "1 > 2"),
        ("a\nb", "a b"),
    ],
)
def test_what_is_said_otherwise_is_another_thing(one: str, other: str) -> None:
    assert said(shown(one, ADA), who) != said(shown(other, ADA), who)


def test_who_is_mentioned_is_told_by_the_slack_id() -> None:
    assert said(shown("hi <@U1>", ADA), who) == "hi <@U1>"
    assert said(shown("hi <@U1>", ADA), lambda _: "") == "hi <@@slack_t1_u1:example.org>"
    assert plain(shown("hi <@U1>", ADA), who) == "hi <@U1>"


def test_a_mention_whose_name_the_plain_words_lack_leaves_them_as_they_are() -> None:
    content = {"body": "hi you", "format": HTML, "formatted_body": shown("hi <@U1>", ADA)["formatted_body"]}
    assert plain(content, who) == "hi you"


def test_a_name_put_before_the_words_for_old_clients_is_not_said() -> None:
    content = shown("build *passed*", ALONE)
    named = with_profile(content, "CI & <bot>")
    assert named["body"] == "CI & <bot>: build passed"
    assert said(named, who) == said(content, who)
    assert plain(named, who) == plain(content, who)
    assert said(with_profile(shown("ok", ALONE), "CI"), who) == "ok"


def test_words_without_formatting_are_what_they_are() -> None:
    assert said({"body": 'a < b & "c"'}, who) == "a &lt; b &amp; &quot;c&quot;"
    assert said({"body": "words", "formatted_body": "<b>other</b>"}, who) == "words"
    assert said({}, who) == ""


def test_a_line_names_everything_that_is_proven() -> None:
    assert (
        line("1700000000.000100", "", "U1", "m.text", "Grüße")
        == hashlib.sha256('["1700000000.000100","","U1","m.text","Grüße"]'.encode()).hexdigest()
    )
    ones = [("1.0", "", "U1", "m.text", "a")] * 2 + [
        ("1.1", "", "U1", "m.text", "a"),
        ("1.0", "1", "U1", "m.text", "a"),
        ("1.0", "", "U2", "m.text", "a"),
        ("1.0", "", "U1", "m.emote", "a"),
        ("1.0", "", "U1", "m.text", "b"),
    ]
    assert len({line(*one) for one in ones}) == len(ones) - 1


def test_the_digest_is_that_of_the_lines_in_their_order() -> None:
    first, second = line("1.0", "", "U1", "m.text", "a"), line("2.0", "", "U1", "m.text", "b")
    digest = Digest([first])
    digest.add(second)
    assert str(digest) == hashlib.sha256(f"{first}\n{second}\n".encode()).hexdigest()
    assert digest.lines == 2
    assert str(Digest([second, first])) != str(digest)


@given(st.text(), st.text())
def test_any_text_has_a_name_and_no_two_the_same(one: str, other: str) -> None:
    assert (short(one) == short(other)) is (one == other)
    said({"body": one, "format": HTML, "formatted_body": other}, who)
    plain({"body": one, "format": HTML, "formatted_body": other}, who)
    line("1.0", "", "U1", "m.text", one)


def test_time_stamps_are_ordered_by_time() -> None:
    assert sorted(["1700000000.000100", "999999999.000100", "1700000000.000099"], key=rank) == [
        "999999999.000100",
        "1700000000.000099",
        "1700000000.000100",
    ]


def test_hostile_html_is_read_in_linear_time() -> None:
    for attack in (
        '<a href="https://matrix.to/#/@',
        "<img data-mx-emoticon ",
        "https://matrix.to/#/!a.",
        "<strong data-mx-profile-fallback>",
    ):
        said({"format": HTML, "formatted_body": attack * 20_000}, who)
