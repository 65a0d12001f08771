"""Who says what, and to whom, the whole way: strangers, third persons, notices, odd names, and words that only look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.stage import until
from tests.journeys.talk import Talk, bodies, contents, events, talk_on
from tests.sandbox.slack import messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RTL = "Eve\u202e\u200b\n<!channel> *x* <@U1>"


@pytest.fixture
async def talk(sqlite_url: str) -> AsyncIterator[Talk]:
    async with talk_on(sqlite_url) as talk:
        yield talk


def stranger_says(talk: Talk, user: str, words: str, **profile: str) -> None:
    """Have somebody of another workspace speak, of whom Slack tells nothing but what stands in the message."""
    workspace = talk.stage.workspace
    extra = {"user_team": "T0OTHER", "user_profile": {"team": "T0OTHER", **profile}} if profile else None
    draft = messages.Draft(words, user, extra=extra)
    messages.post(workspace, workspace.channel("general"), draft)


async def test_strangers_are_called_as_their_messages_tell_and_slack_is_not_asked_again(talk: Talk) -> None:
    workspace = talk.stage.workspace
    picture = f"{workspace.site.base_url}/avatars/{workspace.id}-U0OTHER_72.png"
    stranger_says(talk, "U0OTHER", "hello from afar", display_name="Mallory", image_72=picture)
    stranger_says(talk, "U0NAMELESS", "me too")
    await talk.settle()
    asked = talk.stage.slack.calls.counts["users.info"]
    stranger_says(talk, "U0OTHER", "again", display_name="Mallory", image_72=picture)
    await talk.settle()
    assert bodies(talk) == ["hello from afar", "me too", "again"]
    assert talk.stage.slack.calls.counts["users.info"] == asked
    members = await talk.in_matrix("ada").members(talk.room)
    senders = [event["sender"] for event in events(talk)]
    assert [members[sender] for sender in senders] == ["Mallory", "U0NAMELESS", "Mallory"]
    assert talk.stage.homeserver.world.accounts[senders[0]].profile["avatar_url"].startswith("mxc://")


async def test_the_third_person_is_that_on_both_sides_and_a_notice_is_words(talk: Talk) -> None:
    room, alice, ada = talk.room, talk.in_slack("alice"), talk.in_matrix("ada")
    alice.me("general", "waves")
    await talk.settle()
    await ada.send(room, {"msgtype": "m.emote", "body": "waves *back*"})
    await ada.send(room, {"msgtype": "m.notice", "body": "from a bot"})
    await talk.settle()
    (content, *_) = contents(talk)
    assert (content["msgtype"], content["body"]) == ("m.emote", "waves")
    third, notice = talk.entries()[-2:]
    assert (third.text, third.author) == ("_waves *back*_", "ada")
    assert (notice.text, notice.author) == ("from a bot", "ada")
    blocks = talk.stage.workspace.channel("general").messages[third.ts].blocks
    (word,) = blocks[0]["elements"][0]["elements"]
    assert (word["text"], word["style"]) == ("waves *back*", {"italic": True})


async def test_what_only_looks_like_a_mention_mentions_nobody(talk: Talk) -> None:
    room, alice, ada = talk.room, talk.in_slack("alice"), talk.in_matrix("ada")
    typed = f"<!here> <!channel> @channel @here <@{alice.id}> <#C1> <!subteam^S1>"
    await ada.say(room, typed)
    pill = '<a href="https://matrix.to/#/@room">@room</a> @room'
    await ada.send(room, {"msgtype": "m.text", "body": "@room", "format": "org.matrix.custom.html"} | body(pill))
    await talk.settle()
    channel = talk.stage.workspace.channel("general")
    for entry in talk.entries()[-2:]:
        elements = [one for part in channel.messages[entry.ts].blocks[0]["elements"] for one in part["elements"]]
        assert {one["type"] for one in elements} <= {"text", "link"}
        assert "<!" not in entry.text
        assert "<@" not in entry.text
    said = "".join(one["text"] for one in channel.messages[talk.entries()[-2].ts].blocks[0]["elements"][0]["elements"])
    assert said == typed
    alice.post("general", "<@U0NOBODY> &lt;!here&gt; @room")
    await talk.settle()
    last = contents(talk)[-1]
    assert last["m.mentions"] == {}
    assert last["body"] == "@U0NOBODY <!here> @room"


def body(html: str) -> dict[str, str]:
    return {"formatted_body": html}


async def test_names_cannot_break_out_of_their_place(talk: Talk) -> None:
    stage, room, alice, ada = talk.stage, talk.room, talk.in_slack("alice"), talk.in_matrix("ada")
    alice.change_profile(display_name=RTL)
    await ada.put("profile", ada.user_id, "displayname", displayname=RTL)
    await ada.say(room, "hello")
    await ada.send_file(room, b"x", "x.txt", "text/plain")
    await talk.settle()
    alice.post("general", f"I am {alice.mention}")
    await talk.settle()
    label = "Eve <!channel> *x* <@U1>"
    said, shared = talk.entries()[-3:-1]
    signed = f"{label} ({ada.user_id})"  # for alice is called the same
    assert said.author == signed
    blocks = stage.workspace.channel("general").messages[shared.ts].blocks
    assert blocks[0]["elements"][0]["elements"] == [{"type": "text", "text": f"{signed}:"}]
    last = contents(talk)[-1]
    assert last["body"] == f"I am {label}"
    assert last["formatted_body"].endswith(">Eve &lt;!channel&gt; *x* &lt;@U1&gt;</a>")
    ghost = events(talk)[-1]["sender"]
    assert last["m.mentions"] == {"user_ids": [ghost]}
    assert (await ada.members(room))[ghost] == label


async def test_typing_is_shown_where_slack_tells_it(talk: Talk) -> None:
    alice = talk.in_slack("alice")
    alice.post("general", "hello")
    await talk.settle()
    ghost = events(talk)[-1]["sender"]
    alice.typing("general")
    typing = talk.stage.homeserver.world.rooms[talk.room].typing
    await until(lambda: ghost in typing)


async def test_the_whole_room_is_notified_both_ways_where_that_is_wanted_and_by_who_may(sqlite_url: str) -> None:
    async with talk_on(sqlite_url, relay={"allow_room_mention": True, "allow_broadcast": True}) as talk:
        room, alice, ada = talk.room, talk.in_slack("alice"), talk.in_matrix("ada")
        called = {"msgtype": "m.text", "body": "@room lunch", "m.mentions": {"room": True}}
        alice.post("general", "<!here> lunch")
        await talk.settle()
        assert contents(talk)[-1]["m.mentions"] == {"room": True}
        await ada.send(room, called)
        await talk.settle()
        assert talk.entries()[-1].text == "<!channel> lunch"
        levels = talk.stage.homeserver.world.rooms[room].state["m.room.power_levels", ""].content
        assert levels["notifications"] == {"room": 0}
        levels["notifications"] = {"room": 50}
        await ada.send(room, called)
        await talk.settle()
        assert talk.entries()[-1].text == "@room lunch"
