"""What the bot asked is known by its code alone, in its room alone, to whom it was asked alone, and for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.questions import Questions
from portals.ids import MatrixUserId, RoomId

if TYPE_CHECKING:
    from bridge.store.database import Database

ADA, BERT = MatrixUserId("@ada:here"), MatrixUserId("@bert:here")
ROOM, OTHER = RoomId("!room:here"), RoomId("!other:here")


async def test_a_question_is_answered_by_its_code_where_and_by_whom_it_was_asked(database: Database) -> None:
    questions = Questions(database, 3600)
    await questions.ask(ADA, ROOM, "abcdefgh", {"what": "plumb"})
    assert await questions.asked(ADA, ROOM, "abcdefgh") == {"what": "plumb"}
    assert await questions.asked(ADA, ROOM, "aaaaaaaa") is None
    assert await questions.asked(BERT, ROOM, "abcdefgh") is None
    assert await questions.asked(ADA, OTHER, "abcdefgh") is None
    rows = await database.fetch("SELECT code FROM questions")
    assert "abcdefgh" not in str([tuple(row) for row in rows])


async def test_the_newest_question_takes_the_place_of_the_one_before(database: Database) -> None:
    questions = Questions(database, 3600)
    await questions.ask(ADA, ROOM, "abcdefgh", {"what": "plumb"})
    await questions.ask(ADA, ROOM, "22222222", {"what": "link"})
    assert await questions.asked(ADA, ROOM, "abcdefgh") is None
    assert await questions.asked(ADA, ROOM, "22222222") == {"what": "link"}
    await questions.forget(ADA, ROOM)
    assert await questions.asked(ADA, ROOM, "22222222") is None


async def test_a_question_is_open_for_a_while_only(database: Database) -> None:
    await Questions(database, 3600).ask(ADA, ROOM, "abcdefgh", {"what": "plumb"})
    assert await Questions(database, -1).asked(ADA, ROOM, "abcdefgh") is None
