"""What the table does not show: quotations, bookmarks, late files, polls, mentions, and what is not judged again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.actions import Note, PostFile, PostMessage, RecordLink, RecordWithheld, SendEvent, SendFile
from portals.crossing.judge import Allowed, Withheld, judge
from portals.crossing.policies import Policies
from portals.crossing.policy import OPEN, Globs, Kind, Policy, Standing
from portals.crossing.withholding import instead_of
from portals.events import (
    Bookmark,
    Event,
    MatrixMessage,
    MatrixPollEnd,
    SlackBookmarks,
    SlackChannelChange,
    SlackFile,
    SlackFileCame,
    SlackMessage,
)
from portals.facts import Facts, Quoted
from portals.ids import EventId, MatrixUserId, RoomId, Ts, action_key, past_of
from portals.reading.standing import standing_of
from portals.relay import to_matrix, to_slack
from tests.portals.relay.scene import (
    ADA,
    ALICE,
    CHANNEL,
    NAMES,
    PORTAL,
    ROOM,
    TEAM,
    facts,
    from_ada,
    ghost,
    link,
    said_in_matrix,
    said_in_slack,
)

MARKED = Policy(name="strict", words=("VS-NfD",))
REPLY = {"msgtype": "m.text", "body": "yes", "m.relates_to": {"m.in_reply_to": {"event_id": "$asked"}}}


def with_policy(policy: Policy, *links: Any, **more: Any) -> Facts:
    return replace(facts(*links), policy=policy, **more)


def rule_of(event: Event, known: Facts) -> str:
    judged = judge(event, PORTAL, known)
    return judged.rule if isinstance(judged, Withheld) else ""


def quoted_by(sender: str, words: str) -> Quoted:
    message = said_in_matrix({"msgtype": "m.text", "body": words}, event_id="$asked", sender=sender)
    assert isinstance(message, MatrixMessage)
    return Quoted(message, "Somebody")


@pytest.mark.parametrize(
    ("policy", "sender", "words", "stays"),
    [
        (MARKED, ADA, "VS-NfD", False),
        (MARKED, ADA, "harmless", True),
        (MARKED, ghost(ALICE), "VS-NfD", True),
        (Policy("strict", servers=Globs(deny=("evil.example",))), "@eve:evil.example", "harmless", False),
        (Policy("strict", power_level=50), "@eve:example.org", "harmless", False),
    ],
)
def test_a_quotation_brings_nothing_across_that_would_be_withheld(
    policy: Policy, sender: str, words: str, stays: bool
) -> None:
    known = with_policy(policy, quoted=quoted_by(sender, words), power=100)
    judged = judge(said_in_matrix(REPLY), PORTAL, known)
    assert isinstance(judged, Allowed)
    assert (judged.facts.quoted is not None) is stays
    posted = to_slack.decide(said_in_matrix(REPLY), PORTAL, known)
    assert isinstance(posted, tuple)
    assert (words in str(posted)) is stays


def test_what_is_quoted_is_in_slack_already_where_its_author_was_let_through() -> None:
    known = with_policy(
        Policy("strict", power_level=50), from_ada("1.000001", "$asked"), quoted=quoted_by(ADA, "hello"), power=50
    )
    judged = judge(said_in_matrix(REPLY), PORTAL, known)
    assert isinstance(judged, Allowed)
    assert judged.facts.quoted is not None


def test_bookmarks_are_judged_by_their_titles_and_links() -> None:
    def shown(**bookmark: str) -> SlackBookmarks:
        return SlackBookmarks("s", CHANNEL, (Bookmark(**{"title": "Docs", **bookmark}),))

    policy = Policy("strict", words=("VS-NfD",), domains=Globs(("*.example.org",)))
    assert rule_of(shown(title="VS-NfD"), with_policy(policy)) == "words"
    assert rule_of(shown(link="https://example.com/"), with_policy(policy)) == "links"
    assert rule_of(shown(link="https://a.example.org/"), with_policy(policy)) == ""
    assert rule_of(shown(), with_policy(policy)) == ""


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"topic": "VS-NfD"}, "words"),
        ({"name": "vs-nfd"}, "words"),
        ({"purpose": "fine"}, ""),
        ({"archived": True}, ""),
    ],
)
def test_the_words_of_a_channel_are_judged(change: dict[str, Any], rule: str) -> None:
    assert rule_of(SlackChannelChange("s", CHANNEL, **change), with_policy(MARKED)) == rule


def test_a_topic_of_slack_does_not_cross_where_topics_do_not() -> None:
    policy = Policy("strict", kinds=frozenset({Kind.TEXT}))
    assert rule_of(SlackChannelChange("s", CHANNEL, topic="x"), with_policy(policy)) == "kinds: topics"
    assert rule_of(SlackChannelChange("s", CHANNEL, name="x"), with_policy(policy)) == ""
    decided = to_matrix.decide(SlackChannelChange("s", CHANNEL, topic="x"), PORTAL, with_policy(policy))
    assert isinstance(decided, tuple)
    assert isinstance(decided[0].record, RecordWithheld)
    assert decided[0].record.subject == f"{CHANNEL} (s)", "it is no message's"


def test_a_file_that_comes_late_is_judged_like_every_other() -> None:
    file = SlackFile("F1", "a.exe", "application/x-dosexec", 5, "")
    event = SlackFileCame("s", CHANNEL, Ts("1.000001"), file)
    known = with_policy(Policy("strict", file_names=Globs(deny=("*.exe",))), link("1.000001", "$old", part="F1"))
    decided = to_matrix.decide(event, PORTAL, known)
    assert isinstance(decided, tuple)
    (note,) = decided
    assert isinstance(note, Note)
    assert isinstance(note.record, RecordWithheld)


def test_a_file_that_is_kept_elsewhere_counts_as_a_link() -> None:
    kept = {"id": "F1", "mode": "external", "is_external": True, "external_type": "gdrive", "name": "Plan"}
    event = said_in_slack(ts="1.000001", text="", files=[{**kept, "url_private": "https://docs.example.com/1"}])
    assert rule_of(event, with_policy(Policy("strict", domains=Globs(("*.example.org",))))) == "links"
    assert rule_of(event, with_policy(Policy("strict", file_types=Globs(("image/*",))))) == ""


def test_links_in_a_snippet_are_links() -> None:
    file = {"id": "F1", "mode": "snippet", "preview": "https://example.com/", "size": 20, "name": "a.txt"}
    event = said_in_slack(ts="1.000001", text="", files=[file])
    assert rule_of(event, with_policy(Policy("strict", domains=Globs(("*.example.org",))))) == "links"


def test_pictures_in_a_text_are_links_and_words() -> None:
    blocks = [{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "VS-NfD"}]
    event = said_in_slack(ts="1.000001", text="", blocks=blocks)
    assert rule_of(event, with_policy(MARKED)) == "words"
    assert rule_of(event, with_policy(Policy("strict", domains=Globs(("*.example.org",))))) == "links"
    own = said_in_matrix(
        {
            "msgtype": "m.text",
            "body": "x",
            "format": "org.matrix.custom.html",
            "formatted_body": '<img src="mxc://a/b">',
        }
    )
    assert rule_of(own, with_policy(Policy("strict", domains=Globs(("*.example.org",))))) == ""


def test_a_link_to_what_is_mirrored_is_no_link_out() -> None:
    url = "https://acme.slack.com/archives/C1/p1700000000000100"
    event = said_in_slack(ts="1.000001", text=f"<{url}|there>")
    policy = Policy("strict", domains=Globs(()))
    assert rule_of(event, with_policy(policy)) == "links"
    assert rule_of(event, with_policy(policy, permalinks={url: "https://matrix.to/#/x"})) == ""


def test_the_end_of_a_poll_is_its_authors_to_write() -> None:
    end = MatrixPollEnd("matrix:$new", ROOM, EventId("$new"), ADA, EventId("$poll"), 1)
    decided = to_slack.decide(end, PORTAL, with_policy(Policy("strict", matrix_users=Globs(deny=("@ada:*",)))))
    assert isinstance(decided, tuple)
    (told,) = decided
    assert isinstance(told, SendEvent)
    assert told.room == RoomId(ROOM)


def test_what_is_shown_as_it_stands_is_not_judged_again() -> None:
    shown = link("1.000001", "$old", digest="x")
    seen = said_in_slack(1, ts="1.000001", text="VS-NfD")
    assert rule_of(seen, with_policy(MARKED, shown)) == ""
    edited = said_in_slack(1, ts="1.000001", text="VS-NfD", edited={"ts": "2.000001"})
    assert rule_of(edited, with_policy(MARKED, shown)) == "words"
    assert isinstance(edited, SlackMessage)
    assert rule_of(edited, with_policy(MARKED, replace(shown, digest=edited.digest))) == ""


def test_what_the_bridge_wrote_is_not_judged() -> None:
    own = said_in_slack(ts="1.000001", text="VS-NfD", user="UBOT", bot_id="BBOT", app_id="A1")
    assert rule_of(own, with_policy(MARKED)) == ""
    assert rule_of(said_in_slack(ts="1.000001", text="VS-NfD"), with_policy(MARKED, from_ada("1.000001", "$a"))) == ""


def test_without_mentions_everybody_becomes_a_name() -> None:
    policy = Policy("strict", kinds=frozenset(Kind) - {Kind.MENTIONS})
    known = with_policy(policy, rules=replace(facts().rules, allow_room_mention=True, allow_broadcast=True))
    decided = to_matrix.decide(said_in_slack(ts="1.000001", text=f"<@{ALICE}> <!channel> look"), PORTAL, known)
    assert isinstance(decided, tuple)
    (shown,) = decided
    assert isinstance(shown, SendEvent)
    assert shown.content["m.mentions"] == {}
    assert "Alice" in shown.content["body"]
    assert "matrix.to" not in str(shown.content)
    mention = f'<a href="https://matrix.to/#/{ghost(ALICE)}">Alice</a> look'
    said = said_in_matrix(
        {"msgtype": "m.text", "body": "x", "format": "org.matrix.custom.html", "formatted_body": mention}
    )
    posted = to_slack.decide(said, PORTAL, replace(known, may_broadcast=True))
    assert isinstance(posted, tuple)
    (post,) = posted
    assert isinstance(post, PostMessage)
    assert ALICE not in f"{post.text} {post.blocks}"
    assert "Alice" in post.text


def test_without_broadcasts_nobody_is_called_and_people_are_still_mentioned() -> None:
    policy = Policy("calm", kinds=frozenset(Kind) - {Kind.BROADCASTS})
    known = with_policy(policy, rules=replace(facts().rules, allow_room_mention=True, allow_broadcast=True))
    said = said_in_slack(ts="1.000001", text=f"<@{ALICE}> <!channel> look")
    for one, is_called in ((known, False), (replace(known, policy=OPEN), True)):
        decided = to_matrix.decide(said, PORTAL, one)
        assert isinstance(decided, tuple)
        assert isinstance(decided[0], SendEvent)
        mentions = decided[0].content["m.mentions"]
        assert mentions["user_ids"] == [ghost(ALICE)]
        assert mentions.get("room", False) is is_called
    everybody = said_in_matrix({"msgtype": "m.text", "body": "@room look", "m.mentions": {"room": True}})
    posted = to_slack.decide(everybody, PORTAL, replace(known, may_broadcast=True))
    assert isinstance(posted, tuple)
    assert isinstance(posted[0], PostMessage)
    assert posted[0].text == "@room look"


def test_a_file_that_turns_out_on_its_way_to_be_forbidden_is_told_to_its_author_alone() -> None:
    withheld = Withheld("scanner", "it was found to be harmful")
    sent = SendFile(
        key=action_key("x"),
        room=ROOM,
        sender=ghost(ALICE),
        file_id="F1",
        url="https://s/f",
        name="a",
        mimetype="a/b",
        size=1,
        content={"dev.causeway.slack": {"ts": "1.000001"}},
        fallback="",
    )
    told = instead_of(sent, withheld, PORTAL, NAMES.bot)
    assert isinstance(told, PostMessage)
    assert told.thread_ts == "1.000001"
    assert isinstance(told.record, RecordWithheld)
    assert isinstance(instead_of(replace(sent, content={}), withheld, PORTAL, NAMES.bot), Note)
    posted = PostFile(action_key("y"), CHANNEL, "mxc://a/b", "a", "a/b", 1, (), record=RecordLink("matrix", ADA))
    answer = instead_of(
        replace(posted, record=RecordLink("matrix", ADA, event_id="$file")), withheld, PORTAL, NAMES.bot
    )
    assert isinstance(answer, SendEvent)
    assert answer.content["m.relates_to"]["m.in_reply_to"]["event_id"] == "$file"
    assert instead_of(Note(action_key("z")), withheld, PORTAL, NAMES.bot) is None


def test_an_edit_withdraws_only_what_its_author_wrote_and_is_still_there() -> None:
    content = {"msgtype": "m.text", "body": "VS-NfD"}
    relation = {"rel_type": "m.replace", "event_id": "$old"}
    edit = said_in_matrix({"msgtype": "m.text", "body": "*", "m.new_content": content, "m.relates_to": relation})
    others = [
        from_ada("1.000001", "$old", deleted=True),
        link("2.000001", "$old"),
        replace(from_ada("3.000001", "$old"), sender=MatrixUserId("@eve:example.org")),
    ]
    decided = to_slack.decide(edit, PORTAL, with_policy(MARKED, *others))
    assert isinstance(decided, tuple)
    assert [type(one) for one in decided] == [SendEvent]  # the word to the author alone


def test_the_policy_of_a_portal_is_its_channels_own_before_the_one_for_all() -> None:
    every, own = Policy("default", line="x"), Policy("strict")
    theirs = Policy("supplier")
    policies = Policies(
        {"default": every, "strict": own, "supplier": theirs},
        {("main", "C1"): "strict", ("", "C2"): "strict", ("outside", "C3"): "default"},
        {"outside": "supplier"},
    )
    assert policies.of("main", CHANNEL) is own
    assert policies.of("other", CHANNEL) is every
    assert policies.of("other", type(CHANNEL)("C2")) is own
    assert policies.of("main", past_of(CHANNEL)) is own
    assert policies.of("outside", CHANNEL) is theirs
    assert policies.of("outside", type(CHANNEL)("C3")) is every
    assert Policies().of("main", CHANNEL) is OPEN


@pytest.mark.parametrize(
    ("user", "standing"),
    [
        ({"team_id": TEAM}, Standing.MEMBER),
        ({"team_id": TEAM, "is_restricted": True}, Standing.GUEST),
        ({"team_id": TEAM, "is_ultra_restricted": True}, Standing.GUEST),
        ({"team_id": TEAM, "is_bot": True}, Standing.BOT),
        ({"team_id": "T9"}, Standing.STRANGER),
        ({"team_id": TEAM, "is_stranger": True}, Standing.STRANGER),
        ({"team_id": "T9", "enterprise_user": {"teams": [TEAM]}}, Standing.MEMBER),
        ({"team_id": "T9", "enterprise_user": {"teams": "T1"}}, Standing.STRANGER),
        ({}, Standing.UNKNOWN),
    ],
)
def test_slack_tells_how_somebody_stands_to_the_workspace(user: dict[str, Any], standing: Standing) -> None:
    assert standing_of(user, TEAM) is standing


def test_a_policy_looks_into_files_where_their_type_matters() -> None:
    assert not OPEN.looks_into_files
    assert Policy("strict", file_types=Globs(("image/*",))).looks_into_files
