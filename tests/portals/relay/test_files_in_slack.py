"""Files of Matrix in Slack: with their author's words beside them, exchanged by edits, gone with their messages."""

from __future__ import annotations

import html
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.actions import DeleteMessage, PostFile, PostMessage, RecordDeletion, RecordLink
from portals.events import Ignored, Undeliverable
from portals.facts import Member, Origin
from portals.ids import Ts
from portals.relay.to_slack import decide
from tests.portals.relay.scene import ADA, CHANNEL, FACTS, PORTAL, facts, from_ada, rules, said_in_matrix


def done(event: Any, known: Any = FACTS) -> tuple[Any, ...]:
    decision = decide(event, PORTAL, known)
    assert not isinstance(decision, Ignored | Undeliverable), decision
    return decision


def refused(event: Any, known: Any = FACTS) -> str:
    decision = decide(event, PORTAL, known)
    assert isinstance(decision, Undeliverable), decision
    return decision.reason


IMAGE = {"msgtype": "m.image", "body": "cat.png", "url": "mxc://x/cat", "info": {"mimetype": "image/png", "size": 9}}


def test_a_file_is_shared_with_its_authors_name_beside_it() -> None:
    (action,) = done(said_in_matrix(IMAGE))
    assert isinstance(action, PostFile)
    assert (action.uri, action.name, action.mimetype, action.size) == ("mxc://x/cat", "cat.png", "image/png", 9)
    assert beside(action) == [{"type": "text", "text": "Ada Lovelace:"}]
    (captioned,) = done(said_in_matrix(IMAGE | {"filename": "cat.png", "body": "my <cat>"}))
    assert beside(captioned) == [{"type": "text", "text": "Ada Lovelace: my <cat>"}]
    rich = {"format": "org.matrix.custom.html", "formatted_body": "my <b>cat</b>"}
    (formatted,) = done(said_in_matrix(IMAGE | rich | {"filename": "cat.png", "body": "my cat"}))
    bold = {"type": "text", "text": "cat", "style": {"bold": True}}
    assert beside(formatted) == [{"type": "text", "text": "Ada Lovelace: my "}, bold]
    (unnamed,) = done(said_in_matrix(IMAGE | {"filename": "cat.png"}))
    assert beside(unnamed) == beside(action)
    code = {"format": "org.matrix.custom.html", "formatted_body": "<pre><code>x</code></pre>"}
    (listed,) = done(said_in_matrix(IMAGE | code | {"filename": "cat.png", "body": "x"}))
    assert [one["type"] for one in listed.blocks[0]["elements"]] == ["rich_text_section", "rich_text_preformatted"]


def test_a_caption_that_is_too_long_goes_on_in_a_message_behind_the_file() -> None:
    first, second = done(said_in_matrix(IMAGE | {"filename": "cat.png", "body": "words " * 1000}))
    assert isinstance(first, PostFile)
    assert isinstance(second, PostMessage)
    assert second.record == RecordLink(Origin.MATRIX, ADA, event_id="$new")


def edited(to: dict[str, Any], *links: Any) -> tuple[Any, ...]:
    """What becomes of an edit of Ada's by which her message says this now."""
    return done(said_in_matrix({**to, "m.new_content": to, "m.relates_to": EDITS}), facts(*links))


EDITS = {"rel_type": "m.replace", "event_id": "$a"}


def test_another_file_takes_the_place_of_the_one_that_is_shown() -> None:
    shown = from_ada("1.0", "$a", digest="mxc://x/cat", thread_ts="0.5")
    post, delete = edited(IMAGE | {"url": "mxc://x/dog", "body": "dog.png"}, shown)
    assert (post.uri, post.thread_ts) == ("mxc://x/dog", "0.5")
    assert post.record == RecordLink(Origin.MATRIX, ADA, event_id="$a", thread_ts=Ts("0.5"), digest="mxc://x/dog")
    assert delete == DeleteMessage(delete.key, CHANNEL, Ts("1.0"), RecordDeletion("1.0"), True, Ts("0.5"))
    assert post.key != delete.key


def test_words_take_the_place_of_a_file_and_a_file_that_of_words() -> None:
    post, delete = edited({"msgtype": "m.text", "body": "no cat"}, from_ada("1.0", "$a", digest="mxc://x/cat"))
    assert (post.text, post.record.event_id, post.record.digest) == ("no cat", "$a", "")
    assert delete.has_file
    post, *deletes = edited(IMAGE, from_ada("1.0", "$a"), from_ada("2.0", "$a"))
    assert isinstance(post, PostFile)
    assert [(one.ts, one.has_file) for one in deletes] == [("1.0", False), ("2.0", False)]


def test_the_same_file_with_other_words_is_the_same_file() -> None:
    captioned = IMAGE | {"filename": "cat.png", "body": "my cat"}
    (update,) = edited(captioned, from_ada("1.0", "$a", digest="mxc://x/cat"))
    assert (update.ts, update.text) == ("1.0", "Ada Lovelace: my cat")
    assert update.blocks


def test_a_file_that_may_not_cross_leaves_the_one_that_is_shown() -> None:
    shown = from_ada("1.0", "$a", digest="mxc://x/cat")
    new = IMAGE | {"url": "mxc://x/dog", "info": {"size": 10**12}}
    edit = said_in_matrix({**new, "m.new_content": new, "m.relates_to": EDITS})
    assert isinstance(decide(edit, PORTAL, facts(shown)), Undeliverable)


def test_a_redacted_file_is_deleted_with_its_message() -> None:
    shown = from_ada("1.0", "$a", digest="mxc://x/cat")
    (delete,) = done(said_in_matrix({"redacts": "$a"}, "m.room.redaction"), facts(shown))
    assert delete.has_file


HOSTILE = (
    "<!here>",
    "<!channel|x>",
    "<@UALICE>",
    "<#C1>",
    "<!subteam^S1>",
    "@room",
    "@here",
    "*",
    "_",
    "`",
    "\n> ",
    "|",
)
WORDS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8), max_size=8).map("".join)


@given(WORDS, WORDS, st.booleans())
def test_no_caption_and_no_name_can_notify_anybody_or_format_what_its_author_did_not(
    words: str, name: str, in_html: bool
) -> None:
    said = IMAGE | {"filename": "cat.png", "body": words}
    if in_html:
        said |= {"format": "org.matrix.custom.html", "formatted_body": html.escape(words)}
    (first, *_) = done(said_in_matrix(said), facts(members={ADA: Member(ADA, name)}))
    for block in first.blocks:
        for part in block["elements"]:
            inner = [one for item in part["elements"] for one in item.get("elements", [item])]
            assert {one["type"] for one in inner} <= {"text", "link", "emoji"}
            assert not any("style" in one for one in inner)


def beside(action: PostFile) -> list[dict[str, Any]]:
    """The elements of the one section of words beside a file."""
    ((section,),) = [block["elements"] for block in action.blocks]
    assert section["type"] == "rich_text_section"
    return list(section["elements"])


def test_a_sticker_and_a_voice_message_are_files_with_a_fitting_name() -> None:
    info = {"mimetype": "image/webp"}
    (sticker,) = done(said_in_matrix({"body": "Cat waves", "url": "mxc://x/s", "info": info}, "m.sticker"))
    assert isinstance(sticker, PostFile)
    assert (sticker.name, sticker.alt) == ("Cat waves.webp", "Cat waves")
    voice = {"msgtype": "m.audio", "body": "Voice message", "org.matrix.msc3245.voice": {}, "url": "mxc://x/v"}
    (clip,) = done(said_in_matrix(voice | {"info": {"mimetype": "audio/ogg"}}))
    assert (clip.name, clip.alt) == ("Voice message.ogg", "")


def test_what_an_encrypted_file_needs_goes_with_it() -> None:
    secret = {"url": "mxc://x/c", "key": {"k": "abc"}, "iv": "iv", "hashes": {"sha256": "h"}, "v": "v2"}
    (action,) = done(said_in_matrix({"msgtype": "m.file", "body": "x.txt", "file": secret}))
    assert (action.uri, action.encryption) == ("mxc://x/c", secret)
    assert done(said_in_matrix(IMAGE))[0].encryption is None


def test_a_message_of_an_unknown_kind_is_its_body() -> None:
    (action,) = done(said_in_matrix({"msgtype": "org.example.unheard-of", "body": "fallback *words*"}))
    assert action.text.startswith("fallback")
    (notice,) = done(said_in_matrix({"msgtype": "m.notice", "body": "beep"}))
    assert notice.text == "beep"


@pytest.mark.parametrize(
    ("given_rules", "reason"), [({"max_file_size": 8}, "larger"), ({"refused_types": ("image/*",)}, "may not cross")]
)
def test_a_file_that_may_not_cross_is_refused_with_a_reason(given_rules: dict[str, Any], reason: str) -> None:
    assert reason in refused(said_in_matrix(IMAGE), facts(rules=rules(**given_rules)))
