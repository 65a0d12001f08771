"""Policies the whole way: what may not cross does not, its author is told once, and the audit log knows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store.audit import Audit
from tests.journeys.talk import Talk, bodies, talk_on
from tests.sandbox.slack import Upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

POLICY: dict[str, Any] = {
    "name": "default",
    "words": ["VS-NfD"],
    "links": ["*.example.org"],
    "matrix": {"deny_users": ["@brian:*"]},
    "files": {"types": ["text/*", "image/*"]},
}
PROGRAM = "import sys; d = sys.stdin.buffer.read(); sys.exit(1 if b'harm' in d else 2 if b'odd' in d else 0)"
SCANNER = {"scanner": {"command": [sys.executable, "-c", PROGRAM]}}
MARKED = "it bears a mark or a word that may not leave here"


@pytest.fixture
async def talk(sqlite_url: str) -> AsyncIterator[Talk]:
    async with talk_on(sqlite_url, policies=[POLICY], files=SCANNER) as talk:
        yield talk


def texts(talk: Talk) -> list[str]:
    return [entry.text for entry in talk.entries() if entry.subtype != "channel_join" and not entry.deleted]


async def rules(talk: Talk) -> list[str]:
    assert talk.stage.database is not None
    entries = await Audit(talk.stage.database).entries()
    assert all("VS-NfD" not in f"{entry.subject} {entry.detail}" for entry in entries)
    return [entry.detail for entry in entries if (entry.actor, entry.act) == ("policy", "withheld")]


async def test_a_marked_message_of_matrix_does_not_reach_slack_and_its_author_is_told(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    await ada.say(room, "the plan is VS-NfD")
    await ada.say(room, "the plan is public")
    await talk.settle()
    assert texts(talk) == ["the plan is public"]
    assert f"This did not reach Slack: {MARKED}." in bodies(talk)
    assert await rules(talk) == ["words"]


async def test_a_marked_message_of_slack_does_not_reach_matrix_and_its_author_is_told_once(talk: Talk) -> None:
    alice = talk.in_slack("alice")
    ts = alice.post("general", "the plan is VS-NfD").ts
    await talk.settle()
    assert bodies(talk) == []
    assert texts(talk) == ["the plan is VS-NfD", f"This was not carried to Matrix: {MARKED}."]
    alice.edit("general", ts, "the plan is public")
    await talk.stage.start()
    await talk.settle()
    assert bodies(talk) == []
    assert len(texts(talk)) == 2
    assert await rules(talk) == ["words"]


async def test_an_edit_that_adds_a_mark_takes_the_copy_away(talk: Talk) -> None:
    room, alice, ada = talk.room, talk.in_slack("alice"), talk.in_matrix("ada")
    ts = alice.post("general", "said in Slack").ts
    event = await ada.say(room, "said in Matrix")
    await talk.settle()
    assert "said in Slack" in bodies(talk)
    assert "said in Matrix" in texts(talk)
    alice.edit("general", ts, "VS-NfD in Slack")
    await ada.edit(room, event, "VS-NfD in Matrix")
    await talk.settle()
    assert not any("in Slack" in body for body in bodies(talk))
    assert not any("in Matrix" in text for text in texts(talk))
    assert await rules(talk) == ["words", "words"]


async def test_who_may_not_write_is_told_and_what_they_say_stays(talk: Talk) -> None:
    room, brian = talk.room, talk.in_matrix("brian")
    await brian.say(room, "hello")
    await talk.settle()
    assert texts(talk) == []
    assert "This did not reach Slack: you are not among those who may write to Slack here." in bodies(talk)


async def test_a_quotation_brings_nothing_across_that_was_withheld(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    event = await ada.say(room, "the plan is VS-NfD")
    await talk.settle()
    await ada.reply(room, event, "yes, it is")
    await talk.settle()
    assert texts(talk) == ["yes, it is"]


async def test_files_are_what_they_hold_and_pass_the_scanner(talk: Talk) -> None:
    room, alice, ada = talk.room, talk.in_slack("alice"), talk.in_matrix("ada")
    alice.post("general", files=[Upload("fine.txt", b"fine in Slack")])
    alice.post("general", files=[Upload("harm.txt", b"harm in Slack")])
    await ada.send_file(room, b"fine in Matrix", "fine.txt", "text/plain")
    await ada.send_file(room, b"harm in Matrix", "harm.txt", "text/plain")
    await ada.send_file(room, b"%PDF-1.7 hidden", "picture.png", "image/png")
    await talk.settle()
    shown = [body for body in bodies(talk) if body.endswith((".txt", ".png"))]
    assert sorted(shown) == ["fine.txt", "fine.txt", "harm.txt", "picture.png"]  # all but one of them Ada's own
    kept = [one.data for one in talk.stage.homeserver.world.media.values()]
    assert b"fine in Slack" in kept
    assert b"harm in Slack" not in kept
    files = [file.content or b"" for file in talk.stage.workspace.files.values() if file.bot_id]
    assert b"fine in Matrix" in files
    assert b"harm in Matrix" not in files
    assert not any(data.startswith(b"%PDF") for data in files)
    assert sorted(await rules(talk)) == ["file_types", "scanner", "scanner"]
    told = " ".join(texts(talk))
    assert "A file of this message was not carried to Matrix: a scanner found it harmful." in told
    assert "This did not reach Slack: a scanner found it harmful." in bodies(talk)
    assert "This did not reach Slack: what the file holds is of a type that may not cross here." in bodies(talk)


async def test_without_a_verdict_a_file_is_withheld_and_can_be_tried_again(talk: Talk) -> None:
    await talk.in_matrix("ada").send_file(talk.room, b"odd", "odd.txt", "text/plain")
    talk.in_slack("alice").post("general", files=[Upload("odd2.txt", b"odd as well")])
    await talk.settle()
    assert not any(file.content == b"odd" for file in talk.stage.workspace.files.values())
    notices = [body for body in bodies(talk) if "the scanner ended with 2" in body]
    assert len(notices) == 2
    assert all("causeway parked retry" in notice for notice in notices)


async def test_whoever_looks_like_somebody_of_slack_is_shown_with_their_id(sqlite_url: str) -> None:
    async with talk_on(sqlite_url) as talk:
        room, ada = talk.room, talk.in_matrix("ada")
        await ada.say(room, "as myself")
        await talk.settle()
        shown = talk.stage.workspace.user("alice").name
        await ada.set_name(shown.replace("a", "\u0430").replace("A", "\u0410"))
        await ada.say(room, "as another")
        await talk.settle()
        names = [entry.author for entry in talk.entries() if entry.text.startswith("as ")]
        assert ada.user_id not in names[0]
        assert f"({ada.user_id})" in names[1]
