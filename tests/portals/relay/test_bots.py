"""The name and icon that a bot gives a single message are on that message, and nowhere else."""

from __future__ import annotations

from typing import Any

from portals.actions import SendEvent, SendFile
from portals.events import AuthorProfile
from portals.facts import Person
from portals.ids import SlackUserId
from portals.relay import to_matrix
from tests.portals.relay.scene import FACTS, PORTAL, facts, ghost, said_in_slack

TS = "1700000000.000100"
ICON = "https://avatars.slack-edge.com/1.png"
DEPLOY = Person(SlackUserId("B7"), "deploy", ghost("B7"), ICON, True)


def said(known: Any = FACTS, **more: Any) -> Any:
    given = {"ts": TS, "text": "built", "subtype": "bot_message", "bot_id": "B7", "user": None} | more
    decision = to_matrix.decide(said_in_slack(**given), PORTAL, known)
    assert isinstance(decision, tuple)
    return decision


def profile(action: Any) -> dict[str, Any]:
    found: dict[str, Any] = action.content.get("com.beeper.per_message_profile", {})
    return {name: value for name, value in found.items() if name != "id"}


def test_a_name_is_told_in_words_for_clients_that_know_no_profiles() -> None:
    (action,) = said(username="CI <1>")
    assert action.sender == ghost("B7")
    assert action.content["body"] == "CI <1>: built"
    assert action.content["formatted_body"].startswith("<strong data-mx-profile-fallback>CI &lt;1&gt;: </strong>")
    assert profile(action) == {"displayname": "CI <1>", "has_fallback": True}


def test_the_ghosts_own_name_and_icon_are_not_repeated() -> None:
    known = facts(people={DEPLOY.user: DEPLOY}, icons={ICON: "mxc://x/i"})
    (action,) = said(known, username="deploy", icons={"image_48": ICON})
    assert (action.content["body"], profile(action)) == ("built", {})


def test_an_icon_is_a_picture_of_this_message() -> None:
    other = "https://avatars.slack-edge.com/2.png"
    event = said_in_slack(ts=TS, text="x", subtype="bot_message", bot_id="B7", user=None, icons={"image_48": other})
    assert to_matrix.needs(event).icons == {other}
    assert to_matrix.needs(event).profiles == frozenset()
    known = facts(people={DEPLOY.user: DEPLOY}, icons={other: "mxc://x/i"})
    (action,) = said(known, username="deploy", icons={"image_48": other})
    assert action.content["body"] == "built"
    assert profile(action) == {"displayname": "deploy", "avatar_url": "mxc://x/i"}
    (nameless,) = said(known, icons={"image_48": other})
    assert profile(nameless) == {"displayname": "deploy", "avatar_url": "mxc://x/i"}
    (renamed,) = said(known, username="CI", icons={"image_48": other})
    assert profile(renamed) == {"displayname": "CI", "avatar_url": "mxc://x/i", "has_fallback": True}
    assert profile(said(icons={"image_48": other})[0]) == {}


def test_an_emoji_in_place_of_an_icon_stands_before_the_name_or_is_its_picture() -> None:
    (standard,) = said(username="CI", icons={"emoji": ":tada:"})
    assert profile(standard)["displayname"] == "🎉 CI"
    event = said_in_slack(ts=TS, text="x", subtype="bot_message", bot_id="B7", user=None, icons={"emoji": ":party:"})
    assert to_matrix.needs(event).emoji == {"party"}
    (custom,) = said(facts(emoji={"party": "mxc://x/p"}), username="CI", icons={"emoji": ":party:"})
    assert (profile(custom)["displayname"], profile(custom)["avatar_url"]) == ("CI", "mxc://x/p")
    (unknown,) = said(username="CI", icons={"emoji": ":party:"})
    assert profile(unknown)["displayname"] == "CI"


def test_a_bots_file_has_its_name_too_without_words_in_the_way() -> None:
    file = {"id": "F1", "name": "log.txt", "size": 1, "url_private": "https://files.slack.com/l"}
    text, sent, told = said(username="CI", files=[file, {"id": "F2"}])
    assert isinstance(text, SendEvent)
    assert isinstance(sent, SendFile)
    assert sent.content["body"] == "log.txt"
    assert profile(sent) == {"displayname": "CI"}
    assert told.content["body"].startswith("CI: The file")


def test_a_person_has_no_other_name() -> None:
    (action,) = said(subtype=None, bot_id=None, user="UALICE", username="Mallory", icons={"emoji": ":tada:"})
    assert profile(action) == {}


def test_what_a_bots_message_of_today_tells_of_it_is_to_be_known() -> None:
    event: dict[str, Any] = {"ts": TS, "user": None, "bot_id": "B7", "bot_profile": {"id": "B7", "name": "CI"}}
    assert to_matrix.needs(said_in_slack(**event)).profiles == {AuthorProfile(SlackUserId("B7"), "CI", "", True)}
    assert to_matrix.needs(said_in_slack(seen=3, **event)).profiles == frozenset()


def test_what_a_message_tells_of_a_person_is_to_be_known_however_old_it_is() -> None:
    event = said_in_slack(seen=3, ts=TS, user_profile={"display_name": "Spock"})
    assert to_matrix.needs(event).profiles == {AuthorProfile(SlackUserId("UALICE"), "Spock")}
