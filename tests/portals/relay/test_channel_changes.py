"""A change of a channel shows in its room's state, once, and only where it is one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.actions import (
    ChangePins,
    CloseRoom,
    Note,
    RecordChannel,
    RecordPin,
    RecordTrouble,
    SendEvent,
    SetState,
)
from portals.events import Ignored
from portals.facts import Origin, Person, Portal
from portals.ids import ChannelId, EventId, SlackUserId
from portals.relay.channel_changes import mentioned
from portals.relay.to_matrix import decide, needs
from tests.portals.relay.scene import (
    ALICE,
    CHANNEL,
    FACTS,
    NAMES,
    PORTAL,
    ROOM,
    WORKSPACE,
    facts,
    from_ada,
    ghost,
    link,
    said_in_slack,
)

TS = "1700000000.000100"


def done(event: Any, portal: Portal = PORTAL, known: Any = FACTS) -> tuple[Any, ...]:
    decision = decide(event, portal, known)
    assert not isinstance(decision, Ignored), decision
    return decision


def ignored(event: Any, portal: Portal = PORTAL, known: Any = FACTS) -> str:
    decision = decide(event, portal, known)
    assert isinstance(decision, Ignored), decision
    return decision.reason


def pin(kind: str = "pin_added", ts: str = TS) -> Any:
    return said_in_slack(type=kind, channel_id=CHANNEL, item={"type": "message", "message": {"ts": ts}})


# --- name, topic and purpose


def test_a_new_name() -> None:
    (name,) = done(said_in_slack(type="channel_rename", channel={"id": CHANNEL, "name": "new"}))
    assert name == SetState(name.key, ROOM, NAMES.bot, "m.room.name", "", {"name": "#new"}, RecordChannel(name="new"))
    assert "already" in ignored(said_in_slack(type="channel_rename", channel={"id": CHANNEL, "name": "general"}))


@pytest.mark.parametrize(
    ("topic", "purpose", "shown"),
    [
        ("Tickets", "", "Tickets"),
        ("", "For all", "For all"),
        ("Tickets", "For all", "Tickets\nFor all"),
        ("Same", "Same", "Same"),
        ("", "", ""),
        ("a &amp; b", "see <https://x.org|here>", "a & b\nsee here (https://x.org)"),
    ],
)
def test_topic_and_purpose_have_a_line_each(topic: str, purpose: str, shown: str) -> None:
    (action,) = done(said_in_slack(subtype="channel_topic", topic=topic), replace(PORTAL, topic="old", purpose=purpose))
    assert (action.type, action.content) == ("m.room.topic", {"topic": shown})
    assert action.record == RecordChannel(topic=topic)
    (action,) = done(
        said_in_slack(subtype="channel_purpose", purpose=purpose), replace(PORTAL, topic=topic, purpose="x")
    )
    assert action.content == {"topic": shown}
    assert action.record == RecordChannel(purpose=purpose)


def test_what_the_room_shows_already_is_not_set_again() -> None:
    portal = replace(PORTAL, topic="t", purpose="p")
    assert "already" in ignored(said_in_slack(subtype="channel_topic", topic="t"), portal)
    assert "already" in ignored(said_in_slack(subtype="channel_purpose", purpose="p"), portal)


def test_whom_a_topic_mentions_is_named() -> None:
    event = said_in_slack(subtype="channel_topic", topic="ask <@UALICE>")
    assert needs(event).slack_users == {ALICE}
    known = facts(people={ALICE: Person(ALICE, "Alice", ghost(ALICE))})
    assert "Alice" in done(event, PORTAL, known)[0].content["topic"]


def test_both_halves_of_a_topic_are_to_be_known_whichever_changed() -> None:
    assert needs(said_in_slack(subtype="channel_topic", topic="t")).description
    assert needs(said_in_slack(subtype="channel_purpose", purpose="")).description
    assert not needs(said_in_slack(type="channel_archive")).description
    found = mentioned("ask <@UALICE>", "in <#C2> or <!subteam^S1>, see <https://x.slack.com/archives/C3>")
    assert found.slack_users == {ALICE}
    assert found.channels == {ChannelId("C2")}
    assert found.usergroups == {"S1"}
    assert found.links == {"https://x.slack.com/archives/C3"}


# --- archived, private, gone


def test_an_archived_channels_room_is_closed_and_told() -> None:
    close, told = done(said_in_slack(type="channel_archive"))
    assert close == CloseRoom(close.key, ROOM, True)
    assert isinstance(told, SendEvent)
    assert (told.sender, told.content["msgtype"], told.record) == (NAMES.bot, "m.notice", RecordChannel(archived=True))
    assert "archived" in told.content["body"]


@pytest.mark.parametrize("how", [{"type": "channel_unarchive"}, {"subtype": "channel_unarchive", "ts": TS}])
def test_one_that_is_open_again_is_opened(how: dict[str, Any]) -> None:
    opened, told = done(said_in_slack(**how), replace(PORTAL, archived=True))
    assert opened == CloseRoom(opened.key, ROOM, False)
    assert told.record == RecordChannel(archived=False)


def test_the_second_telling_changes_nothing() -> None:
    archived = replace(PORTAL, archived=True)
    assert "already" in ignored(said_in_slack(type="channel_archive"), archived)
    assert "already" in ignored(said_in_slack(subtype="channel_archive", ts=TS), archived)
    assert "not archived" in ignored(said_in_slack(type="channel_unarchive"))


def test_a_deleted_channel_has_words_of_its_own() -> None:
    close, told = done(said_in_slack(type="channel_deleted"))
    assert close.closed
    assert "deleted" in told.content["body"]


def test_a_channel_that_becomes_private_shuts_the_room_that_the_bridge_made() -> None:
    event = said_in_slack(subtype="channel_convert_to_private", ts=TS)
    shut, told = done(event)
    assert (shut.type, shut.content) == ("m.room.join_rules", {"join_rule": "invite"})
    assert told.record == RecordChannel(private=True)
    assert "already" in ignored(event, replace(PORTAL, private=True))


def test_a_room_of_others_keeps_its_door() -> None:
    (told,) = done(said_in_slack(subtype="channel_convert_to_private", ts=TS), replace(PORTAL, target="!x:y"))
    assert "moderators" in told.content["body"]


def test_a_channel_that_becomes_public_opens_no_door() -> None:
    event = said_in_slack(subtype="channel_convert_to_public", ts=TS)
    (told,) = done(event, replace(PORTAL, private=True))
    assert told.record == RecordChannel(private=False)
    assert "already" in ignored(event)


# --- the bot


def test_a_removed_bot_is_a_trouble_that_is_told_once() -> None:
    event = said_in_slack(type="member_left_channel", user=WORKSPACE.bot_user)
    (told,) = done(event)
    assert isinstance(told.record, RecordTrouble)
    removed = replace(PORTAL, trouble=told.record.trouble)
    assert "known" in ignored(said_in_slack(type="channel_left"), removed)
    assert done(event, replace(PORTAL, trouble="its history cannot be read"))
    (back,) = done(said_in_slack(type="member_joined_channel", user=WORKSPACE.bot_user), removed)
    assert back.record == RecordTrouble("")


def test_the_bots_first_joining_is_nothing() -> None:
    event = said_in_slack(type="member_joined_channel", user=WORKSPACE.bot_user)
    assert "there" in ignored(event)
    assert needs(event).slack_users == frozenset[SlackUserId]()


# --- pins


def test_a_pinned_message_is_pinned_by_the_events_that_show_it() -> None:
    known = facts(link(TS, "$text"), link(TS, "$file", part="F1"))
    (action,) = done(pin(), known=known)
    assert action == ChangePins(action.key, ROOM, (EventId("$text"), EventId("$file")), True, RecordPin(TS, True))
    (action,) = done(pin("pin_removed"), known=known)
    assert (action.pinned, action.record) == (False, RecordPin(TS, False))
    assert needs(pin()).targets == {TS}


def test_a_message_of_matrix_can_be_pinned_in_slack() -> None:
    (action,) = done(pin(), known=facts(from_ada(TS, "$hers")))
    assert action.events == ("$hers",)


def test_a_pin_on_what_is_not_shown_is_known_all_the_same() -> None:
    (action,) = done(pin())
    assert action == Note(action.key, RecordPin(TS, True))
    gone = link(TS, "$gone", deleted=True, origin=Origin.SLACK)
    assert isinstance(done(pin(), known=facts(gone))[0], Note)
    assert isinstance(done(pin("pin_removed"), known=facts(gone))[0], ChangePins)
