"""Slack's JSON becomes events: each kind of payload, and rubbish in any place of it."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.events import (
    Ignored,
    SlackAuthor,
    SlackBotMembership,
    SlackChannelChange,
    SlackChannelIdChange,
    SlackDeletion,
    SlackEvent,
    SlackMembership,
    SlackMessage,
    SlackNamesChange,
    SlackPersonChange,
    SlackPin,
    SlackReaction,
    SlackTokensEnd,
)
from portals.ids import ChannelId, SlackUserId, TeamId, Ts
from portals.reading.bookmarks import BOOKMARKS
from portals.reading.slack import LOOK_BACK, Address, address, channel_of, read
from portals.text import from_slack
from tests.portals.foreign import JSON, objects
from tests.portals.reading.slack_payloads import (
    MESSAGE,
    SOURCE,
    TEAM,
    WORKSPACE,
    ignored,
    message,
    payload,
    read_event,
    without,
)

# --- messages


def test_a_message() -> None:
    found = message()
    assert found == SlackMessage(
        source=SOURCE,
        channel=found.channel,
        ts=found.ts,
        author=SlackAuthor(SlackUserId("U2147483697")),
        document=from_slack("Live long and prosper.", (), ()),
        digest=found.digest,
    )
    assert (found.channel, found.ts) == ("C2147483705", "1355517523.000005")
    assert found.digest


def test_a_message_of_history_says_so() -> None:
    found = read_event(MESSAGE, **{LOOK_BACK: 7})
    assert isinstance(found, SlackMessage)
    assert found.historic
    assert not found.changed


@pytest.mark.parametrize(
    ("fields", "thread", "broadcast"),
    [
        ({"thread_ts": "1355517500.000001"}, "1355517500.000001", False),
        ({"thread_ts": "1355517523.000005"}, None, False),
        ({"thread_ts": "soon"}, None, False),
        ({"thread_ts": "1355517500.000001", "subtype": "thread_broadcast"}, "1355517500.000001", True),
    ],
)
def test_a_reply_knows_its_thread_and_a_root_is_no_reply(
    fields: dict[str, str], thread: str | None, broadcast: bool
) -> None:
    found = message(**fields)
    assert (found.thread_ts, found.broadcast) == (thread, broadcast)


def test_a_me_message_is_an_emote() -> None:
    assert message(subtype="me_message").emote


@pytest.mark.parametrize("subtype", ["channel_join", "bot_add", "pinned_item", "x" * 90])
def test_what_nobody_said_has_its_subtype(subtype: str) -> None:
    assert message(subtype=subtype).system == subtype


@pytest.mark.parametrize("subtype", ["", "bot_message", "file_share", "me_message", "slackbot_response"])
def test_what_somebody_said_has_none(subtype: str) -> None:
    assert message(subtype=subtype).system == ""


@pytest.mark.parametrize("mention", ["<@U2147483697> ", "<@U2147483697|spock> ", ""])
def test_slacks_words_about_somebody_do_not_name_them_twice(mention: str) -> None:
    found = message(subtype="bot_add", text=f"{mention}added an integration for <@U2147483697>")
    assert found.document == from_slack("added an integration for <@U2147483697>")


@pytest.mark.parametrize("mark", [{"hidden": True}, {"is_ephemeral": True}, {"subtype": "tombstone"}])
def test_what_slack_shows_to_nobody_or_to_one_alone_is_left_out(mark: dict[str, Any]) -> None:
    assert ignored({**MESSAGE, **mark}) == "a message that Slack does not show, or to one person alone"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (without(MESSAGE, "channel"), "without a channel"),
        ({**MESSAGE, "channel": "general"}, "without a channel"),
        (without(MESSAGE, "ts"), "without a time stamp"),
        (without(MESSAGE, "user"), "without an author"),
        ({**MESSAGE, "user": "somebody"}, "without an author"),
    ],
)
def test_a_message_that_lacks_what_it_needs_is_ignored(event: dict[str, Any], reason: str) -> None:
    assert reason in ignored(event)


# --- changes


def changed(now: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": "C2147483705",
        "ts": "1358878755.000001",
        "event_ts": "1358878755.000002",
        "message": now,
        **more,
    }


NOW = {**without(MESSAGE, "channel", "event_ts"), "edited": {"user": "U1", "ts": "1358878755.000000"}}


def test_a_change_is_the_message_as_it_stands_now() -> None:
    found = read_event(changed(NOW))
    assert isinstance(found, SlackMessage)
    assert found.changed
    assert (found.ts, found.version) == ("1355517523.000005", "1358878755.000002")


@pytest.mark.parametrize(
    ("event_ts", "ts", "version"),
    [(None, "1358878755.000001", "1358878755.000001"), ("soon", "1358878755.000001", "1358878755.000001")],
)
def test_a_change_has_a_version_by_any_means(event_ts: Any, ts: Any, version: str) -> None:
    found = read_event(changed(NOW, event_ts=event_ts, ts=ts))
    assert isinstance(found, SlackMessage)
    assert found.version == version


def test_a_message_of_history_has_the_version_of_its_edit() -> None:
    assert message(edited={"user": "U1", "ts": "1358878755.000000"}).version == "1358878755.000000"


def test_a_root_that_becomes_a_tombstone_is_deleted() -> None:
    found = read_event(changed({**NOW, "subtype": "tombstone"}))
    assert found == SlackDeletion(SOURCE, found.channel, found.ts)
    assert found.ts == "1355517523.000005"


def test_a_deletion() -> None:
    event = {**without(MESSAGE, "text", "user"), "subtype": "message_deleted", "deleted_ts": "1358878749.000002"}
    found = read_event(event)
    assert isinstance(found, SlackDeletion)
    assert found.ts == "1358878749.000002"
    assert ignored(without(event, "deleted_ts")) == "a deletion without a time stamp"


# --- everything else

REACTION = {
    "type": "reaction_added",
    "user": "U024BE7LH",
    "reaction": "thumbsup::skin-tone-3",
    "item_user": "U0G9QF9C6",
    "item": {"type": "message", "channel": "C0G9QF9GZ", "ts": "1360782400.498405"},
    "event_ts": "1360782804.083113",
}


@pytest.mark.parametrize(("kind", "added"), [("reaction_added", True), ("reaction_removed", False)])
def test_a_reaction(kind: str, added: bool) -> None:
    found = read_event({**REACTION, "type": kind})
    assert found == SlackReaction(
        SOURCE,
        found.channel,
        found.ts,
        SlackUserId("U024BE7LH"),
        "thumbsup::skin-tone-3",
        added,
        as_of=Ts(str(REACTION["event_ts"])),
    )
    assert (found.channel, found.ts) == ("C0G9QF9GZ", "1360782400.498405")


def test_our_own_reactions_and_those_to_files_are_left_out() -> None:
    assert ignored({**REACTION, "user": "U0BOT"}) == "our own reaction"
    file = {"type": "file", "file": "F0HS27V1Z"}
    assert ignored({**REACTION, "item": file}) == "a reaction to something that is not a message"


@pytest.mark.parametrize("kind", ["channel_left", "group_left"])
def test_the_bots_removal_is_told_to_the_bot_alone(kind: str) -> None:
    assert read_event({"type": kind, "channel": "C0698JE0H"}) == SlackBotMembership(
        SOURCE, ChannelId("C0698JE0H"), False
    )
    assert ignored({"type": kind}) == "a removal from nowhere"


@pytest.mark.parametrize(("kind", "pinned"), [("pin_added", True), ("pin_removed", False)])
def test_a_pin(kind: str, pinned: bool) -> None:
    item = {"type": "message", "channel": "C1", "message": {"ts": "1360782400.498405"}, "created_by": "U1"}
    event = {"type": kind, "user": "U1", "channel_id": "C1", "item": item}
    assert read_event(event) == SlackPin(SOURCE, ChannelId("C1"), Ts("1360782400.498405"), pinned)
    assert ignored({**event, "item": {}}) == "a pin on something that is not a message"
    assert ignored({**event, "item": {"type": "file", "file": {"id": "F1"}}}).startswith("a pin on something")


@pytest.mark.parametrize(("kind", "joined"), [("member_joined_channel", True), ("member_left_channel", False)])
def test_a_membership(kind: str, joined: bool) -> None:
    event = {"type": kind, "user": "W06GH7XHN", "channel": "C0698JE0H", "channel_type": "C", "team": TEAM}
    found = read_event(event)
    assert found == SlackMembership(SOURCE, found.channel, SlackUserId("W06GH7XHN"), joined)
    assert read_event({**event, "user": "U0BOT"}) == SlackBotMembership(SOURCE, found.channel, joined)
    assert ignored(without(event, "user")) == "a membership without channel or person"


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ({"type": "channel_rename", "channel": {"id": "C1", "name": "new", "created": 1}}, {"name": "new"}),
        ({"type": "group_rename", "channel": {"id": "C1", "name": "new"}}, {"name": "new"}),
        ({"type": "channel_archive", "channel": "C1", "user": "U1"}, {"archived": True}),
        ({"type": "channel_unarchive", "channel": "C1", "user": "U1"}, {"archived": False}),
        ({"type": "group_unarchive", "channel": "C1"}, {"archived": False}),
        ({"type": "message", "subtype": "channel_topic", "channel": "C1", "topic": "hi"}, {"topic": "hi"}),
        ({"type": "message", "subtype": "group_topic", "channel": "C1", "topic": ""}, {"topic": ""}),
        ({"type": "message", "subtype": "channel_purpose", "channel": "C1", "purpose": "hi"}, {"purpose": "hi"}),
        ({"type": "message", "subtype": "channel_name", "channel": "C1", "name": "new"}, {"name": "new"}),
    ],
)
def test_a_change_of_a_channel_says_only_what_changed(event: dict[str, Any], change: dict[str, Any]) -> None:
    found = read_event(event)
    assert isinstance(found, SlackChannelChange)
    assert found == SlackChannelChange(SOURCE, found.channel, **change)
    assert found.channel == "C1"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "channel_rename", "channel": {"id": "C1"}}, "a rename without a name"),
        ({"type": "message", "subtype": "channel_name", "channel": "C1"}, "a rename without a name"),
        ({"type": "channel_archive"}, "an archive of nothing"),
        ({"type": "user_change", "user": "U1"}, "a profile without a person"),
        ({"type": BOOKMARKS, "bookmarks": []}, "bookmarks of no channel"),
        ({"type": "app_home_opened", "user": "U1"}, "events of type 'app_home_opened' are not relayed"),
        ({}, "events of type '' are not relayed"),
    ],
)
def test_other_events_are_ignored_with_the_reason(event: dict[str, Any], reason: str) -> None:
    assert ignored(event) == reason


@pytest.mark.parametrize(
    ("more", "change"),
    [
        ({"subtype": "add", "name": "ship", "value": "https://x/s.png"}, {"given": (("ship", "https://x/s.png"),)}),
        ({"subtype": "remove", "names": ["ship", 1, ""]}, {"gone": ("ship",)}),
        ({"subtype": "rename", "old_name": "ship", "new_name": "boat", "value": "https://x/s.png"}, {}),
        ({"subtype": "add", "name": "ship"}, {}),
        ({"subtype": "remove", "names": "ship"}, {}),
        ({}, {}),
    ],
)
def test_a_changed_emoji_is_told_or_has_all_read_anew(more: dict[str, Any], change: dict[str, Any]) -> None:
    assert read_event({"type": "emoji_changed", **more}) == SlackNamesChange(SOURCE, "emoji", **change)


def test_a_user_group_has_a_handle_or_all_are_read_anew() -> None:
    group = {"id": "S1", "handle": "crew", "date_delete": 1}
    found = read_event({"type": "subteam_updated", "subteam": group})
    assert found == SlackNamesChange(SOURCE, "usergroup", given=(("S1", "crew"),))
    assert read_event({"type": "subteam_created"}) == SlackNamesChange(SOURCE, "usergroup")


def test_tokens_end_for_people_or_all_of_them_with_the_app() -> None:
    revoked = {"type": "tokens_revoked", "tokens": {"oauth": ["U1", 2, "no id"], "bot": ["U9"]}}
    assert read_event(revoked) == SlackTokensEnd(SOURCE, (SlackUserId("U1"),))
    assert read_event({"type": "tokens_revoked", "tokens": "all"}) == SlackTokensEnd(SOURCE)
    assert read_event({"type": "app_uninstalled"}) == SlackTokensEnd(SOURCE, all=True)


@pytest.mark.parametrize("kind", ["user_change", "team_join"])
def test_a_profile(kind: str) -> None:
    profile = {"id": "U1", "profile": {"display_name": "spock"}}
    assert read_event({"type": kind, "user": profile}) == SlackPersonChange(SOURCE, profile)


# --- addresses


def address_of(event: dict[str, Any], **more: Any) -> Address | None:
    return address(payload(event, **more), TEAM)


QUEUE = "T024BE7LD/C2147483705"


def test_a_message_has_one_name_on_every_way() -> None:
    name = Address(QUEUE, f"slack:{QUEUE}/1355517523.000005")
    assert address_of(MESSAGE) == name
    assert address_of(MESSAGE, event_id="EvOTHER") == name
    assert address_of({**MESSAGE, "subtype": "file_share"}, event_id=None) == name


def test_what_a_look_back_saw_has_a_name_of_its_own_for_each_gap() -> None:
    names = [address_of(MESSAGE, **{LOOK_BACK: gap}) for gap in (1, 2)]
    assert [one.source_key for one in names if one] == [f"slack:{QUEUE}/1355517523.000005/seen:{gap}" for gap in (1, 2)]


def test_a_channel_that_two_workspaces_share_has_a_name_in_each() -> None:
    first, second = address(payload(MESSAGE), TEAM), address(payload(MESSAGE), TeamId("T2"))
    assert first is not None
    assert second is not None
    assert first.source_key != second.source_key


def test_a_deletion_has_one_name_on_every_way() -> None:
    event = {**MESSAGE, "subtype": "message_deleted", "deleted_ts": "1.1"}
    assert address_of(event) == address_of(event, event_id="EvOTHER") == Address(QUEUE, f"slack:{QUEUE}/1.1/deleted")


@pytest.mark.parametrize(
    "event",
    [
        changed(NOW),
        {**MESSAGE, "subtype": "message_replied", "message": NOW},
        {**without(MESSAGE, "user", "text"), "hidden": True, "message": NOW},
        {**MESSAGE, "ts": "soon"},
        {**MESSAGE, "subtype": "message_deleted", "deleted_ts": "soon"},
    ],
)
def test_news_about_a_message_does_not_take_its_name(event: dict[str, Any]) -> None:
    assert address_of(event) == Address(QUEUE, f"slack:{TEAM}/Ev08MFMKH6")
    assert address_of(event, event_id=None) is None


@pytest.mark.parametrize(
    ("event", "queue"),
    [
        (REACTION, "T024BE7LD/C0G9QF9GZ"),
        ({"type": "channel_rename", "channel": {"id": "C1"}}, "T024BE7LD/C1"),
        ({"type": "user_change", "user": {"id": "U1"}}, "T024BE7LD"),
        ({"type": "channel_archive", "channel": "../../etc"}, "T024BE7LD"),
    ],
)
def test_other_events_have_slacks_name_in_the_queue_of_their_channel(event: dict[str, Any], queue: str) -> None:
    assert address_of(event) == Address(queue, f"slack:{TEAM}/Ev08MFMKH6")


def test_the_channel_of_a_payload() -> None:
    assert channel_of(payload(REACTION)) == "C0G9QF9GZ"
    assert channel_of(payload({"type": "user_change"})) is None


# --- rubbish

TS = st.sampled_from(["1355517523.000005", "1.1", "", "١.١"])
IDS = st.sampled_from(["C1", "U1", "B1", "U0BOT", "A0OURS", "F1", ""])
INNER = objects(
    {
        "type": st.just("message"),
        "subtype": st.sampled_from(["bot_message", "file_share", "tombstone", "thread_broadcast"]),
        "ts": TS,
        "thread_ts": TS,
        "user": IDS,
        "bot_id": IDS,
        "app_id": IDS,
        "text": st.text(max_size=20),
        "bot_profile": objects({"name": st.text(), "icons": JSON, "app_id": IDS}),
        "icons": objects({"image_72": st.text()}),
        "user_profile": objects({"display_name": st.text()}),
        "edited": objects({"ts": TS}),
        "blocks": st.lists(objects({"type": st.sampled_from(["rich_text", "section"]), "elements": JSON}), max_size=2),
        "attachments": st.lists(objects({"from_url": st.text(), "text": st.text()}), max_size=2),
        "files": st.lists(objects({"id": IDS, "size": st.integers(), "mode": st.just("tombstone")}), max_size=2),
        "reactions": st.lists(
            objects({"name": st.text(), "users": st.lists(IDS, max_size=2), "count": st.integers()}), max_size=2
        ),
    }
)
EVENTS = st.one_of(
    JSON,
    INNER.flatmap(
        lambda inner: st.tuples(
            st.sampled_from(
                [
                    *("message", "reaction_added", "reaction_removed", "member_joined_channel", "channel_rename"),
                    *("channel_archive", "user_change", "team_join", "emoji_changed", "subteam_updated"),
                ]
            ),
            objects(
                {
                    "subtype": st.sampled_from(
                        ["message_changed", "message_deleted", "channel_topic", "channel_name", "channel_purpose"]
                    ),
                    "channel": IDS | objects({"id": IDS, "name": st.text()}),
                    "message": INNER,
                    "item": objects({"channel": IDS, "ts": TS}),
                    "deleted_ts": TS,
                    "event_ts": TS,
                    "reaction": st.text(),
                    "names": JSON,
                    "subteam": objects({"id": IDS, "handle": st.text()}),
                    "user": IDS | objects({"id": IDS}),
                }
            ),
        ).map(lambda pair: {**inner, **pair[1], "type": pair[0]})
    ),
)
PAYLOADS = objects({"event": EVENTS, "event_id": st.text(), LOOK_BACK: st.integers()})


@pytest.mark.parametrize("ids", [{}, {"old_channel_id": "C1", "new_channel_id": "C1"}, {"new_channel_id": "C2"}])
def test_a_new_id_of_a_channel_tells_both(ids: dict[str, str]) -> None:
    event = {"type": "channel_id_changed", "old_channel_id": "G1", "new_channel_id": "C1"}
    payload = {"event": event, "event_id": "Ev1"}
    assert read(payload, SOURCE, WORKSPACE) == SlackChannelIdChange(SOURCE, ChannelId("G1"), ChannelId("C1"))
    assert address(payload, TEAM) == Address(TEAM, f"slack:{TEAM}/Ev1")
    assert isinstance(read({"event": {"type": "channel_id_changed", **ids}}, SOURCE, WORKSPACE), Ignored)


@given(PAYLOADS)
def test_rubbish_never_raises(rubbish: dict[str, Any]) -> None:
    found = read(rubbish, SOURCE, WORKSPACE)
    assert isinstance(found, (Ignored, *get_args(SlackEvent)))
    where = address(rubbish, TEAM)
    assert where is None or where.queue.startswith(TEAM)
    channel_of(rubbish)
