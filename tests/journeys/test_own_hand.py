"""Who has connected their account of Slack posts, edits, deletes, reacts and shares there as themself, and once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from bridge.administration import people
from bridge.administration.acting import Actor
from bridge.administration.store import Store
from bridge.configured import names_from
from bridge.errors import Declined
from bridge.proof.making import make_report
from bridge.store.database import Statement
from bridge.store.opening import open_database
from portals.history.selection import Selection
from portals.ids import SlackUserId, TeamId
from tests.journeys.consenting import Consents, consents_on
from tests.journeys.stage import until
from tests.journeys.talk import bodies, events, marks
from tests.journeys.test_commands import said_by_bot
from tests.sandbox.exports import export_of
from tests.sandbox.slack.faults import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

FILE = b"what ada shares"


@pytest.fixture
async def consents(sqlite_url: str) -> AsyncIterator[Consents]:
    async with consents_on(sqlite_url) as consents:
        yield consents


def authors(consents: Consents) -> list[tuple[str, str]]:
    return [(entry.author, entry.text) for entry in consents.talk.entries() if entry.subtype != "channel_join"]


async def test_what_somebody_says_edits_reacts_shares_and_deletes_is_done_as_themself(consents: Consents) -> None:
    talk = consents.talk
    await consents.connect()
    ada, brian, room = talk.in_matrix("ada"), talk.in_matrix("brian"), talk.room
    said = await ada.say(room, "hello")
    await brian.say(room, "hello too")
    await talk.settle()
    assert authors(consents)[-2:] == [("alice", "hello"), ("brian", "hello too")]
    (first, _) = talk.entries()[-2:]
    message = talk.stage.workspace.channel("general").messages[first.ts]
    assert (message.user, message.username) == (talk.in_slack("alice").id, None)
    await ada.edit(room, said, "hello again")
    mark = await ada.react(room, said, "👍")
    await brian.react(room, said, "👍")
    await ada.send_file(room, FILE, "x.txt", "text/plain", caption="look")
    await talk.settle()
    (first, _, shared) = talk.entries()[-3:]
    assert (first.author, first.text, first.reactions) == ("alice", "hello again", (("+1", ("Causeway", "alice")),))
    assert (shared.author, shared.text) == ("alice", "look")
    assert shared.files == (("x.txt", hashlib.sha256(FILE).hexdigest()),)
    assert bodies(talk)[-3:] == ["hello again", "hello too", "look"]
    assert [user for _, user in marks(talk)] == [ada.user_id, brian.user_id]
    await ada.redact(room, mark)
    await ada.redact(room, said)
    await ada.redact(room, events(talk)[-1]["event_id"])
    await talk.settle()
    assert authors(consents)[-1:] == [("brian", "hello too")]
    assert talk.entries()[-1].files == ()
    assert await talk.stage.left_over() == []


async def test_a_reaction_that_is_taken_back_in_slack_goes_in_matrix_too(consents: Consents, tmp_path: Path) -> None:
    talk = consents.talk
    await consents.connect()
    ada, room, alice = talk.in_matrix("ada"), talk.room, talk.in_slack("alice")
    said = alice.post("general", "lunch?")
    await talk.settle()
    await ada.react(room, events(talk)[-1]["event_id"], "👍")
    await talk.settle()
    assert talk.entries()[-1].reactions == (("+1", ("alice",)),)
    export_of(talk.stage.workspace, tmp_path / "now")
    report = await make_report(talk.stage.settings, [tmp_path / "now"], Selection(), False)
    tally = report.totals()["reactions"]
    assert (report.unexplained, tally.source, tally.present) == (0, 1, 1)
    alice.unreact("general", said.ts, "+1")
    await talk.settle()
    assert marks(talk) == []


async def test_where_the_token_breaks_the_app_speaks_again_and_the_person_is_told_once(consents: Consents) -> None:
    talk = consents.talk
    ada, own = await consents.connect()
    before = await ada.say(talk.room, "as myself")
    await talk.settle()
    (token,) = consents.slack.oauth.tokens_of("alice")
    token.state = "token_revoked"  # and Slack does not say so
    await ada.say(talk.room, "by the app")
    await ada.say(talk.room, "still by the app")
    await ada.send_file(talk.room, FILE, "x.txt", "text/plain")
    await talk.settle()
    shared = talk.entries()[-1]
    assert authors(consents)[-4:-1] == [("alice", "as myself"), ("ada", "by the app"), ("ada", "still by the app")]
    assert (shared.text, shared.author) == ("ada:", "Causeway")
    told = [one["body"] for one in said_by_bot(talk.stage, own) if "has ended" in one["body"]]
    assert told == [
        "Your connection to your account of Slack (acme) has ended: it was taken back in Slack. What you write is "
        "shown there by the app again, under your name. To speak as yourself, write: connect"
    ]
    assert await consents.rows("SELECT state, token, refresh FROM grants") == [("broken", "", "")]
    await ada.edit(talk.room, before, "changed")  # which Slack lets nobody but herself do
    await until(lambda: any("its author's connection to Slack has ended" in body for body in bodies(talk)))


async def test_slack_says_that_a_token_ends_and_what_is_old_news_ends_nothing(consents: Consents) -> None:
    talk = consents.talk
    ada, own = await consents.connect()
    (token,) = consents.slack.oauth.tokens_of("alice")
    consents.slack.revoke(token)
    await until(lambda: any("has ended" in one["body"] for one in said_by_bot(talk.stage, own)), 30)
    status, _ = await consents.back(await consents.link(ada, own), "alice")
    assert status == 200
    old = consents.slack.user_token(talk.stage.workspace, "alice", ["chat:write"])
    consents.slack.revoke(old)  # another one of hers
    await talk.settle()
    await ada.say(talk.room, "as myself")
    await talk.settle()
    assert authors(consents)[-1] == ("alice", "as myself")


async def test_somebody_who_is_not_in_the_channel_is_told_there_once_and_the_app_speaks(consents: Consents) -> None:
    talk = consents.talk
    await consents.connect()
    talk.in_slack("alice").leave("general")
    await talk.settle()
    ada = talk.in_matrix("ada")
    await ada.say(talk.room, "one")
    await ada.say(talk.room, "two")
    await talk.settle()
    assert authors(consents)[-2:] == [("ada", "one"), ("ada", "two")]
    (word,) = [body for body in bodies(talk) if "posted by the app" in body]
    assert "you are not in the channel there" in word
    assert await consents.rows("SELECT state FROM grants") == [("live",)]


async def test_an_answer_that_is_lost_doubles_nothing(consents: Consents) -> None:
    talk = consents.talk
    await consents.connect()
    ada = talk.in_matrix("ada")
    for method in ("chat.postMessage", "files.completeUploadExternal", "reactions.add"):
        consents.slack.faults.next_calls(method, Kind.DROP_AFTER, 1)
    said = await ada.say(talk.room, "once")
    await ada.react(talk.room, said, "👍")
    await ada.send_file(talk.room, FILE, "x.txt", "text/plain", caption="once more")
    await talk.settle()
    assert authors(consents)[-2:] == [("alice", "once"), ("alice", "once more")]
    assert bodies(talk)[-2:] == ["once", "once more"]
    assert len(marks(talk)) == 1
    assert talk.entries()[-2].reactions == (("+1", ("alice",)),)


@pytest.mark.parametrize("steps", [5, 11])
async def test_a_bridge_that_is_cut_off_says_it_once_all_the_same(consents: Consents, steps: int) -> None:
    talk = consents.talk
    await consents.connect()
    ada = talk.in_matrix("ada")
    talk.stage.gate.arm(steps)
    await ada.say(talk.room, "once")
    await ada.send_file(talk.room, FILE, "x.txt", "text/plain", caption="once more")
    await until(talk.stage.gate.cut.is_set, 30)
    await talk.stage.start()
    await talk.settle()
    assert authors(consents)[-2:] == [("alice", "once"), ("alice", "once more")]
    assert bodies(talk)[-2:] == ["once", "once more"]


@pytest.mark.parametrize("steps", [5, 17])
async def test_a_cut_off_and_a_token_that_ends_meanwhile_say_it_once_too(consents: Consents, steps: int) -> None:
    talk = consents.talk
    ada, _ = await consents.connect()
    said = await ada.say(talk.room, "before")
    await talk.settle()
    talk.stage.gate.on_cut.append(lambda: setattr(consents.slack.oauth.tokens_of("alice")[0], "state", "token_revoked"))
    talk.stage.gate.arm(steps)
    await ada.say(talk.room, "once")
    await ada.react(talk.room, said, "👍")
    await ada.say(talk.room, "and more")
    await until(talk.stage.gate.cut.is_set, 30)
    await talk.stage.start()
    await talk.settle()
    assert [text for _, text in authors(consents)][-3:] == ["before", "once", "and more"]
    assert len(marks(talk)) == 1


async def test_who_disconnects_is_revoked_at_slack_and_not_acted_for_any_more(consents: Consents) -> None:
    talk = consents.talk
    ada, own = await consents.connect()
    assert "You are disconnected, and Slack knows" in await consents.ask(ada, own, "logout")
    (token,) = consents.slack.oauth.tokens_of("alice")
    assert token.state == "token_revoked"
    await ada.say(talk.room, "by the app")
    await talk.settle()
    assert authors(consents)[-1] == ("ada", "by the app")
    assert await consents.rows("SELECT state, token, refresh FROM grants") == [("ended", "", "")]
    assert "is not connected" in await consents.ask(ada, own, "disconnect")


async def test_tokens_that_expire_are_renewed_and_each_is_stored_before_it_is_used(sqlite_url: str) -> None:
    async with consents_on(sqlite_url, rotation=True, pkce=True) as consents:
        talk = consents.talk
        ada, own = await consents.connect()
        await _expire(consents)
        await ada.say(talk.room, "renewed")
        await talk.settle()
        assert authors(consents)[-1] == ("alice", "renewed")
        assert len(consents.slack.oauth.tokens_of("alice")) == 2
        await _expire(consents)
        consents.slack.faults.next_calls("oauth.v2.access", Kind.DROP_AFTER, 1)  # a refresh token is used up
        await ada.say(talk.room, "and lost")
        await talk.settle()
        assert authors(consents)[-1] == ("ada", "and lost")
        (word,) = [one["body"] for one in said_by_bot(talk.stage, own) if "has ended" in one["body"]]
        assert "Slack has renewed it, and that answer was lost on its way" in word


async def _expire(consents: Consents) -> None:
    """Let twelve hours go by, for Slack and for the bridge."""
    talk = consents.talk
    await talk.stage.stop()
    consents.slack.oauth.expire("alice")
    database = await open_database(talk.stage.database_url)
    await database.commit(Statement("UPDATE grants SET expires_at = 1"))
    await database.close()
    await talk.stage.start()
    await talk.settle()


async def test_an_admin_ends_it_on_the_command_line_and_the_bridge_tells_slack(consents: Consents) -> None:
    await consents.connect()
    stage, alice = consents.talk.stage, SlackUserId(consents.talk.in_slack("alice").id)
    team = TeamId(stage.workspace.id)
    database = await open_database(stage.database_url)
    try:
        store = Store.on(database, names_from(stage.settings))
        (hers,) = [one for one in await people.shown(store, team) if one.slack_id == alice]
        assert hers.own_hand == "live"
        await people.disconnect(store, team, alice, Actor("root", "command line"))
        with pytest.raises(Declined, match="does not write as themself"):
            await people.disconnect(store, team, alice, Actor("root", "command line"))
    finally:
        await database.close()
    (token,) = consents.slack.oauth.tokens_of("alice")
    await until(lambda: token.state == "token_revoked", 30)
