"""Reactions both ways: who reacted with what is the same on both sides, and goes when they take it back."""

from __future__ import annotations

from typing import Any

from portals.actions import AddReaction, Note, RecordReaction, RecordUnreaction, RedactEvent, RemoveReaction, SendEvent
from portals.events import Ignored, Undeliverable
from portals.facts import Origin
from portals.relay import to_matrix, to_slack
from portals.relay.reactions import MOST
from tests.portals.relay.scene import (
    ADA,
    ALICE,
    CHANNEL,
    FACTS,
    PORTAL,
    facts,
    ghost,
    link,
    reaction,
    said_in_matrix,
    said_in_slack,
)

TS = "1700000000.000100"
PARTY = "mxc://example.org/party"


def in_slack(name: str, *, added: bool = True) -> Any:
    kind = "reaction_added" if added else "reaction_removed"
    return said_in_slack(type=kind, reaction=name, item={"type": "message", "channel": CHANNEL, "ts": TS})


def in_matrix(key: str, **more: Any) -> Any:
    relation = {"rel_type": "m.annotation", "event_id": "$a", "key": key}
    return said_in_matrix({"m.relates_to": relation} | more, "m.reaction")


def redaction(target: str) -> Any:
    return said_in_matrix({"redacts": target}, "m.room.redaction")


def shown(event: Any, known: Any = FACTS) -> Any:
    """The one action of a reaction in Slack, or why there is none."""
    decision = to_matrix.decide(event, PORTAL, known)
    return decision.reason if isinstance(decision, Ignored) else decision[0]


def passed_on(event: Any, known: Any = FACTS) -> Any:
    """The one action of a reaction in Matrix, or why there is none."""
    decision = to_slack.decide(event, PORTAL, known)
    return decision.reason if isinstance(decision, Ignored | Undeliverable) else decision[0]


# --- towards Matrix


def test_a_reaction_is_its_persons_own() -> None:
    action = shown(in_slack("+1"), facts(link(TS, "$a")))
    assert isinstance(action, SendEvent)
    assert (action.type, action.sender) == ("m.reaction", ghost(ALICE))
    assert action.content["m.relates_to"] == {"rel_type": "m.annotation", "event_id": "$a", "key": "👍"}
    assert action.record == RecordReaction(Origin.SLACK, TS, "+1", ALICE)
    assert "not mirrored" in shown(in_slack("+1"))


def test_each_tone_is_a_reaction_of_its_own() -> None:
    known = facts(link(TS, "$a"), reactions=(reaction(TS, "wave", ALICE, "$r", Origin.SLACK),))
    action = shown(in_slack("wave::skin-tone-4"), known)
    assert action.content["m.relates_to"]["key"] == "👋🏽"
    assert action.record.emoji == "wave::skin-tone-4"


def test_a_custom_emoji_reacts_as_its_picture_and_an_unknown_one_as_its_name() -> None:
    event = in_slack("party")
    assert to_matrix.needs(event).emoji == {"party"}
    action = shown(event, facts(link(TS, "$a"), emoji={"party": PARTY}))
    assert action.content["m.relates_to"]["key"] == PARTY
    assert action.content["shortcode"] == action.content["com.beeper.reaction.shortcode"] == ":party:"
    assert shown(event, facts(link(TS, "$a"))).content["m.relates_to"]["key"] == ":party:"


def test_an_alias_of_a_standard_emoji_reacts_as_that() -> None:
    action = shown(in_slack("yes"), facts(link(TS, "$a"), emoji={"yes": "👍"}))
    assert action.content["m.relates_to"]["key"] == "👍"
    assert "shortcode" not in action.content
    assert action.record.emoji == "yes"


def test_a_reaction_that_is_taken_back_is_redacted() -> None:
    known = facts(link(TS, "$a"), reactions=(reaction(TS, "tada", ALICE, "$r", Origin.SLACK),))
    action = shown(in_slack("tada", added=False), known)
    assert isinstance(action, RedactEvent)
    assert (action.event_id, action.sender) == ("$r", ghost(ALICE))
    assert action.record == RecordUnreaction(TS, "tada", ALICE)
    never_shown = shown(in_slack("tada", added=False), facts(link(TS, "$a")))
    assert never_shown == Note(never_shown.key, RecordUnreaction(TS, "tada", ALICE))
    assert "not mirrored" in shown(in_slack("tada", added=False), facts())
    assert "already" in shown(in_slack("tada"), known)


def test_two_names_of_one_emoji_are_one_annotation_that_goes_with_the_last_of_them() -> None:
    plus, thumb = (reaction(TS, name, ALICE, "$r", Origin.SLACK) for name in ("+1", "thumbsup"))
    first = shown(in_slack("+1", added=False), facts(link(TS, "$a"), reactions=(plus, thumb)))
    assert first == Note(first.key, RecordUnreaction(TS, "+1", ALICE))
    assert isinstance(shown(in_slack("thumbsup", added=False), facts(link(TS, "$a"), reactions=(thumb,))), RedactEvent)


def test_a_reaction_without_an_event_is_only_forgotten() -> None:
    known = facts(link(TS, "$a"), reactions=(reaction(TS, "tada", ALICE, "", Origin.SLACK),))
    assert isinstance(shown(in_slack("tada", added=False), known), Note)


# --- towards Slack


def test_the_bot_reacts_once_for_everybody() -> None:
    first = passed_on(in_matrix("👍"), facts(link(TS, "$a")))
    assert isinstance(first, AddReaction)
    assert first.record == RecordReaction(Origin.MATRIX, TS, "+1", ADA, "$new")
    others = (reaction(TS, "+1", "@bob:x", "$other", Origin.MATRIX),)
    assert isinstance(passed_on(in_matrix("👍"), facts(link(TS, "$a"), reactions=others)), Note)
    mine = (reaction(TS, "+1", ADA, "$new", Origin.MATRIX),)
    assert passed_on(in_matrix("👍"), facts(link(TS, "$a"), reactions=mine)) == "relayed already"


def test_the_same_emoji_in_another_form_is_the_same_reaction() -> None:
    mine = (reaction(TS, "heart", ADA, "$r", Origin.MATRIX),)
    said = passed_on(in_matrix("\u2764"), facts(link(TS, "$a"), reactions=mine))
    assert said == "the same reaction by the same person is in Slack already"


def test_the_last_one_takes_the_bots_reaction_back() -> None:
    mine = reaction(TS, "+1", ADA, "$r", Origin.MATRIX)
    last = passed_on(redaction("$r"), facts(reactions=(mine,)))
    assert isinstance(last, RemoveReaction)
    assert last.record == RecordUnreaction(TS, "+1", ADA)
    other = reaction(TS, "+1", "@bob:x", "$other", Origin.MATRIX)
    assert isinstance(passed_on(redaction("$r"), facts(reactions=(mine, other))), Note)


def test_a_moderators_redaction_of_a_slack_reaction_forgets_all_names_that_it_stood_for() -> None:
    both = tuple(reaction(TS, name, ALICE, "$r", Origin.SLACK) for name in ("+1", "thumbsup"))
    decision = to_slack.decide(redaction("$r"), PORTAL, facts(reactions=both))
    assert isinstance(decision, tuple)
    assert [one.record for one in decision] == [RecordUnreaction(TS, name, ALICE) for name in ("+1", "thumbsup")]
    assert len({one.key for one in decision}) == 2


def test_a_reaction_beyond_what_slack_takes_is_told_to_its_author() -> None:
    names = ["+1", "tada", *(f"emoji{n}" for n in range(MOST - 2))]
    there = tuple(reaction(TS, name, "@bob:x", f"${name}", Origin.MATRIX) for name in names)
    known = facts(link(TS, "$a"), reactions=there)
    assert "no more than 23 different reactions" in passed_on(in_matrix("👀"), known)
    assert isinstance(passed_on(in_matrix("👍"), known), Note)
    slacks = reaction(TS, "eyes", ALICE, "$s", Origin.SLACK)
    assert isinstance(passed_on(in_matrix("👀"), facts(link(TS, "$a"), reactions=(*there[1:], slacks))), AddReaction)


def test_a_custom_emoji_crosses_by_its_picture_or_by_a_name_that_slack_has() -> None:
    wanted = to_slack.needs(in_matrix(PARTY, shortcode=":partyparrot:"))
    assert (set(wanted.pictures), set(wanted.emoji)) == ({PARTY}, {"partyparrot"})
    there = link(TS, "$a")
    assert passed_on(in_matrix(PARTY), facts(there, pictures={PARTY: "party"})).name == "party"
    assert passed_on(in_matrix("mxc://x/y", shortcode=":party:"), facts(there, emoji={"party": PARTY})).name == "party"
    assert passed_on(in_matrix("mxc://x/y", shortcode="tada"), facts(there)).name == "tada"
    assert "no emoji" in passed_on(in_matrix("mxc://x/y", shortcode="unheard-of"), facts(there))


def test_who_joins_a_reaction_that_shows_as_its_name_gives_the_same_one() -> None:
    assert to_slack.needs(in_matrix(":party:")).emoji == {"party"}
    alices = (reaction(TS, "party", ALICE, "$r", Origin.SLACK),)
    assert passed_on(in_matrix(":party:"), facts(link(TS, "$a"), reactions=alices)).name == "party"


def test_a_reaction_needs_a_message_and_an_emoji() -> None:
    assert "not in Slack" in passed_on(in_matrix("👍"))
    assert "no emoji" in passed_on(in_matrix("lol"), facts(link(TS, "$a")))
    wanted = to_slack.needs(in_matrix("👍"))
    assert wanted.reactions
    assert wanted.targets == {"$a"}
    assert not wanted.emoji
    assert not wanted.pictures
