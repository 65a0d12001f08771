"""Slack's message objects: who wrote them, what they say, who reacted; and rubbish in any place of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.events import AuthorProfile, Ignored, SlackAuthor, SlackMessage
from portals.facts import Workspace
from portals.ids import SlackUserId
from portals.reading.slack import read
from portals.reading.slack_messages import cut_reactions, message_of, reactions_of
from tests.portals.foreign import JSON, objects
from tests.portals.reading.slack_payloads import MESSAGE, SOURCE, TEAM, WORKSPACE, message, payload, read_event, without

# --- authors


def test_a_bot_message_has_its_own_name_and_icon() -> None:
    found = read_event(
        {
            **without(MESSAGE, "user"),
            "subtype": "bot_message",
            "bot_id": "BB12033",
            "username": "github",
            "icons": {"emoji": ":tada:", "image_48": "https://x/48.png", "image_64": "https://x/64.png"},
        }
    )
    assert isinstance(found, SlackMessage)
    assert found.author == SlackAuthor(SlackUserId("BB12033"), True, "github", "https://x/64.png", "tada")


def test_a_bot_without_a_name_has_that_of_its_profile_whose_icon_is_its_ghosts() -> None:
    profile = {"id": "BB12033", "name": "GitHub", "icons": {"image_72": "https://x/72.png"}, "app_id": "A0THEIRS"}
    found = message(user="U0THEIRBOT", bot_id="BB12033", bot_profile=profile)
    assert found.author == SlackAuthor(SlackUserId("U0THEIRBOT"), True, "GitHub")
    nameless = message(user=None, bot_id="BB12033", bot_profile=profile)
    told = AuthorProfile(SlackUserId("BB12033"), "GitHub", "https://x/72.png", True)
    assert nameless.author == SlackAuthor(SlackUserId("BB12033"), True, "GitHub", profile=told)


def test_an_icon_that_is_no_address_is_none() -> None:
    icons = {"image_72": "data:image/png;base64,", "image_48": 7}
    assert message(user=None, bot_id="BB12033", icons=icons).author.icon == ""


def test_a_person_may_bring_a_name_along() -> None:
    spock = SlackUserId("U2147483697")
    profile = {"display_name": "spock", "real_name": "S'chn T'gai", "image_72": "https://x/spock.png"}
    told = AuthorProfile(spock, "spock", "https://x/spock.png")
    assert message(user_profile=profile).author == SlackAuthor(spock, False, "spock", profile=told)
    unnamed = message(user_profile={"display_name": " ", "real_name": "Spock"}).author.profile
    assert unnamed == AuthorProfile(spock, "Spock")
    assert message(user_profile={"image_72": "https://x/spock.png"}).author.profile is None


@pytest.mark.parametrize(
    ("fields", "own"),
    [
        ({}, False),
        ({"app_id": "A0OURS", "bot_id": "B9"}, True),
        ({"bot_profile": {"app_id": "A0OURS"}, "bot_id": "B9"}, True),
        ({"app_id": "A0THEIRS", "bot_id": "B0BOT"}, False),
        ({"bot_id": "B0BOT"}, True),
        ({"user": "U0BOT"}, True),
        ({"bot_id": "B9", "user": "U9"}, False),
    ],
)
def test_our_own_messages_are_known_by_our_app(fields: dict[str, Any], own: bool) -> None:
    assert message(**fields).own is own


def test_a_workspace_that_tells_nothing_of_us_makes_nobody_us() -> None:
    nobody = Workspace(TEAM, "Acme", SlackUserId(""), SlackUserId(""), "")
    found = read(payload({**MESSAGE, "bot_id": "", "app_id": "A0OURS"}), SOURCE, nobody)
    assert isinstance(found, SlackMessage)
    assert not found.own


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ({"id": "B7", "name": "CI", "icons": {"image_48": "https://x/48", "image_72": "https://x/72"}}, "https://x/72"),
        ({"id": "B7", "name": "CI", "icons": {"image_48": "javascript:", "image_72": 1}}, ""),
        ({"id": "B7", "name": "CI"}, ""),
        ({"id": "B8", "name": "CI"}, None),
        ({"id": "B7", "name": " "}, None),
        (None, None),
    ],
)
def test_a_message_tells_what_its_bot_is_called(profile: object, told: str | None) -> None:
    author = message(user=None, bot_id="B7", username="deploy", bot_profile=profile).author
    assert author.profile == (None if told is None else AuthorProfile(SlackUserId("B7"), "CI", told, True))
    assert message(bot_id="B7", bot_profile=profile).author.profile is None


# --- what a digest tells apart


def digest(**more: Any) -> str:
    return message(**more).digest


def test_a_digest_changes_with_what_is_said() -> None:
    block = {"type": "section", "block_id": "a", "text": {"type": "mrkdwn", "text": "hi"}}
    other = {"type": "section", "block_id": "b", "text": {"type": "mrkdwn", "text": "ho"}}
    said = [digest(), digest(text="x"), digest(blocks=[block]), digest(blocks=[other]), digest(attachments=[{"a": 1}])]
    assert len(set(said)) == len(said)


def test_a_digest_does_not_change_with_what_slack_adds() -> None:
    block = {"type": "section", "block_id": "a", "text": {"type": "mrkdwn", "text": "hi"}}
    assert digest(blocks=[block]) == digest(blocks=[{**block, "block_id": "b"}])
    unfurl = {"from_url": "https://example.org", "title": "Example"}
    assert digest() == digest(attachments=[unfurl]) == digest(attachments=[{"app_unfurl_url": "https://x"}])
    assert digest() == digest(files=[{"id": "F1"}], reactions=[{"name": "tada"}], reply_count=3)


# --- reactions that a message carries


def test_reactions_of_a_message() -> None:
    carried = [
        {"name": "tada", "users": ["U1", "U2", 7, "nobody"], "count": 4},
        {"name": "+1", "users": "U1", "count": 1},
        {"users": ["U1"]},
        "x",
    ]
    assert list(reactions_of({"reactions": carried})) == [("tada", "U1"), ("tada", "U2")]
    assert list(reactions_of({"reactions": None})) == []


def test_a_cut_list_of_people_is_known() -> None:
    whole = {"name": "tada", "users": ["U1", "U2"], "count": 2}
    cut = {"name": "+1", "users": ["U1"], "count": 60}
    assert cut_reactions({"reactions": [whole, cut, {"name": "eyes", "count": 3}]}) == {"+1", "eyes"}
    assert cut_reactions({}) == frozenset()


# --- rubbish

TS = st.sampled_from(["1355517523.000005", "1.1", "", "١.١"])
IDS = st.sampled_from(["C1", "U1", "B1", "U0BOT", "A0OURS", "F1", ""])
MESSAGES = objects(
    {
        "subtype": st.sampled_from(["bot_message", "file_share", "thread_broadcast"]),
        "ts": TS,
        "thread_ts": TS,
        "user": IDS,
        "bot_id": IDS,
        "text": st.text(max_size=20),
        "icons": objects({"image_72": st.text(), "emoji": st.text()}),
        "attachments": st.lists(objects({"from_url": st.text(), "text": st.text()}), max_size=2),
        "files": JSON,
        "reactions": st.lists(
            objects({"name": st.text(), "users": st.lists(IDS, max_size=2), "count": st.integers()}), max_size=2
        ),
    }
)


@given(MESSAGES)
def test_a_rubbish_message_of_history_never_raises(rubbish: dict[str, Any]) -> None:
    found = message_of(rubbish, SOURCE, message().channel, WORKSPACE, historic=True)
    assert isinstance(found, Ignored | SlackMessage)
    assert all(isinstance(name, str) for name, _ in reactions_of(rubbish))
    cut_reactions(rubbish)


def test_a_file_of_before_2018_stands_alone() -> None:
    file = {"id": "F1", "name": "a.txt", "mode": "hosted", "url_private": "https://files.slack.com/a"}
    shared = message(subtype="file_share", file=file, upload=True)
    assert [one.id for one in shared.files] == ["F1"]
    mentioned = message(subtype="file_mention", file=file)
    assert mentioned.files == ()


def test_a_comment_on_a_file_of_before_2018_is_its_authors() -> None:
    said = message(user=None, subtype="file_comment", comment={"user": "U2"})
    assert (said.author.id, said.system) == ("U2", "")
