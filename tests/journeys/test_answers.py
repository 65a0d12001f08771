"""Answers, polls and places of Matrix as people in Slack see them, the whole way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.talk import Talk, events, talk_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

POLL = {
    "org.matrix.msc1767.text": "Lunch?",
    "org.matrix.msc3381.poll.start": {
        "question": {"org.matrix.msc1767.text": "Lunch?"},
        "answers": [{"id": "p", "org.matrix.msc1767.text": "Pizza"}, {"id": "s", "org.matrix.msc1767.text": "Soup"}],
    },
}


@pytest.fixture(params=["thread", "quote"])
def style(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def talk(sqlite_url: str, style: str) -> AsyncIterator[Talk]:
    async with talk_on(sqlite_url, relay={"reply": style}) as talk:
        yield talk


def last(talk: Talk) -> Any:
    return talk.entries()[-1]


def words(talk: Talk) -> str:
    """The text of the last message, in which Slack has escaped what begins a quotation."""
    text: str = last(talk).text
    return text.replace("&gt; ", "> ")


def root_of(talk: Talk) -> str | None:
    """The words of the thread's root in which the last message stands."""
    place = last(talk).thread
    return None if place is None else talk.entries()[place].text


async def test_a_reply_is_a_thread_or_quotes_as_configured_and_its_edit_too(talk: Talk, style: str) -> None:
    room, ada, stage = talk.room, talk.in_matrix("ada"), talk.stage
    ts = talk.in_slack("alice").post("general", "Are *we* ready?").ts
    await talk.settle()
    event = events(talk)[-1]["event_id"]
    answer = await ada.reply(room, event, "yes")
    await talk.settle()
    address = f"{stage.workspace.url}archives/{stage.workspace.channel('general').id}/p{ts.replace('.', '')}"
    quotation = f"> *<{address}|alice>*: Are we ready?\n" if style == "quote" else ""
    assert words(talk) == f"{quotation}yes"
    assert root_of(talk) == ("Are *we* ready?" if style == "thread" else None)
    await ada.edit(room, answer, "no")
    await talk.settle()
    assert words(talk) == f"{quotation}no"


async def test_a_reply_within_a_thread_says_what_it_answers(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    alice = talk.in_slack("alice")
    root = alice.post("general", "root").ts
    alice.post("general", "first", thread_ts=root)
    alice.post("general", "second", thread_ts=root)
    await talk.settle()
    first_event, asked = (event["event_id"] for event in events(talk)[-3:-1])
    relation = {"rel_type": "m.thread", "event_id": first_event, "m.in_reply_to": {"event_id": asked}}
    await ada.send(room, {"msgtype": "m.text", "body": "to the first", "m.relates_to": relation})
    await talk.settle()
    assert root_of(talk) == "root"
    assert last(talk).text.endswith("|alice>*: first\nto the first")
    falling_back = {**relation, "is_falling_back": True}
    await ada.send(room, {"msgtype": "m.text", "body": "to all", "m.relates_to": falling_back})
    await talk.settle()
    assert (root_of(talk), last(talk).text) == ("root", "to all")


async def test_an_answer_to_what_slack_never_had_quotes_it(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    unheard = await ada.send(room, {"msgtype": "m.text", "body": "x"}, "org.example.unheard-of")
    await ada.reply(room, unheard, "what was that?")
    await talk.settle()
    assert last(talk).text == "what was that?"
    told = await ada.send_file(room, b"", "empty.txt", "text/plain")
    await talk.settle()
    await ada.reply(room, told, "that was empty")
    await talk.settle()
    assert words(talk) == "> *ada*: empty.txt\nthat was empty"
    assert last(talk).thread is None


async def test_a_poll_is_asked_and_its_count_is_told_at_its_end(talk: Talk) -> None:
    room, ada, brian = talk.room, talk.in_matrix("ada"), talk.in_matrix("brian")
    poll = await ada.send(room, POLL, "org.matrix.msc3381.poll.start")
    await talk.settle()
    assert last(talk).text.splitlines()[:3] == [":bar_chart: *Lunch?*", "1. Pizza", "2. Soup"]
    count = len(talk.entries())

    async def vote(person: Any, *chosen: str) -> str:
        relation = {"rel_type": "m.reference", "event_id": poll}
        content = {"m.relates_to": relation, "org.matrix.msc3381.poll.response": {"answers": list(chosen)}}
        sent: str = await person.send(room, content, "org.matrix.msc3381.poll.response")
        return sent

    await vote(ada, "s")
    await vote(brian, "s")
    await vote(ada, "p")
    relation = {"m.relates_to": {"rel_type": "m.reference", "event_id": poll}}
    await brian.send(room, {**relation, "org.matrix.msc3381.poll.end": {}}, "org.matrix.msc3381.poll.end")
    await vote(brian, "p")
    await talk.settle()
    assert len(talk.entries()) == count, "brian may not close it, and votes do not cross"
    end = await ada.send(room, {**relation, "org.matrix.msc3381.poll.end": {}}, "org.matrix.msc3381.poll.end")
    await talk.settle()
    assert last(talk).text.splitlines() == [
        ":bar_chart: The poll has ended: *Lunch?*",
        "1. *Pizza* – 2 votes",
        "2. Soup – no votes",
        "_2 people voted._",
    ]
    await ada.redact(room, end)
    await talk.settle()
    assert len(talk.entries()) == count


async def test_a_place_is_a_link_to_a_map(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    await ada.send(room, {"msgtype": "m.location", "body": "The tower", "geo_uri": "geo:48.8584,2.2945;u=10"})
    await talk.settle()
    assert last(talk).text.startswith(":round_pushpin: <https://www.openstreetmap.org/?mlat=48.8584")
    assert last(talk).text.endswith("|The tower>")
