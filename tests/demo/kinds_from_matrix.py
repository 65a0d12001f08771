"""What people of Matrix can send besides words, and how the channel shows it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tests.demo.kinds_from_slack import pinned
from tests.demo.looks import equal, event_of, has_file, says
from tests.demo.report import Seen
from tests.demo.stage import GALLERY
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from tests.demo.stage import Stage

_GROUP = "Every kind of message, Matrix → Slack"
SAMPLES = ("Plan of the stand", "is lunch ready", "what was agreed", "Hall 4", "party.png", "note.ogg")
"""Words of each that stand on both sides; what a poll says in Matrix is no message there."""
_POLL = "org.matrix.msc3381.poll"


async def play(stage: Stage) -> None:
    """Play one sample after the other; Slack takes one post a second."""
    await _blocks(stage)
    await _harmless(stage)
    await _link(stage)
    await _place(stage)
    await _media(stage)
    await _poll(stage)


async def _blocks(stage: Stage) -> None:
    html = (
        "<h3>Plan of the stand</h3><blockquote><p>as agreed</p></blockquote><ol><li>carpet<ul><li>grey</li></ul></li>"
        '<li>lights</li></ol><pre><code class="language-sh">make stand\n</code></pre><table><thead><tr><th>Part</th>'
        "<th>Count</th></tr></thead><tbody><tr><td>wall</td><td>12</td></tr></tbody></table>"
    )
    await stage.mira.say(stage.room(GALLERY).room_id, "Plan of the stand", html)
    wanted = ("*Plan of the stand*", "&gt; as agreed", "1. carpet", "2. lights", "```\nmake stand\n```", "wall | 12")
    await stage.report.expect(
        _GROUP,
        "heading, quotation, list, code and table",
        " ".join(wanted),
        lambda: says(stage.slack.find(GALLERY, "Plan of the stand"), wanted),
    )


async def _harmless(stage: Stage) -> None:
    """Text that merely looks like a mention pings nobody."""
    farid = stage.slack.user_id("farid")
    text = f"@channel <!here> <@{farid}> is lunch ready?"
    await stage.mira.say(stage.room(GALLERY).room_id, text)

    def look() -> Seen:
        said = stage.slack.find(GALLERY, "is lunch ready")
        text = said.text if said else ""
        return Seen("&lt;!here&gt;" in text and "<" not in text, text or "nothing")

    await stage.report.expect(_GROUP, "text that looks like a mention", f"&lt;!here&gt; &lt;@{farid}&gt;", look)


async def _link(stage: Stage) -> None:
    event = await event_of(stage, GALLERY, "Form follows")
    room = stage.room(GALLERY).room_id
    rules = stage.slack.find(GALLERY, "Form follows")
    html = f'See <a href="https://matrix.to/#/{room}/{event}?via=localhost">what was agreed</a>'
    await stage.robin.say(room, "See what was agreed", html)
    number = rules.ts.replace(".", "") if rules else "?"
    wanted = f".slack.com/archives/{stage.slack.channel_id(GALLERY)}/p{number}|what was agreed>"
    await stage.report.expect(
        _GROUP,
        "link to a message that is mirrored",
        f"<https://…{wanted}",
        lambda: says(stage.slack.find(GALLERY, "what was agreed"), (wanted,)),
    )


async def _place(stage: Stage) -> None:
    place = {"msgtype": "m.location", "body": "Hall 4, stand 12", "geo_uri": "geo:51.8903,4.5131;u=30"}
    await stage.mira.send(stage.room(GALLERY).room_id, place)
    wanted = ("openstreetmap.org", "mlat=51.8903", "Hall 4, stand 12")
    await stage.report.expect(
        _GROUP,
        "location",
        "its name with a map behind it",
        lambda: says(stage.slack.find(GALLERY, "Hall 4"), wanted),
    )


async def _media(stage: Stage) -> None:
    robin, room = stage.robin, stage.room(GALLERY).room_id
    picture, sound = png(96, 96, (200, 60, 120), (255, 255, 255)), b"OggS" + bytes(range(256)) * 16
    sticker: dict[str, Any] = {"body": "party.png", "url": await robin.upload(picture, "image/png", "party.png")}
    sticker["info"] = {"mimetype": "image/png", "size": len(picture), "w": 96, "h": 96}
    await robin.send(room, sticker, "m.sticker")
    voice: dict[str, Any] = {"msgtype": "m.audio", "body": "note.ogg", "org.matrix.msc3245.voice": {}}
    voice |= {"url": await robin.upload(sound, "audio/ogg", "note.ogg")}
    voice |= {"info": {"mimetype": "audio/ogg", "size": len(sound), "duration": 2_000}}
    await robin.send(room, voice)
    await _arrives(stage, "sticker", "party.png", picture)
    await _arrives(stage, "voice message", "note.ogg", sound)


async def _arrives(stage: Stage, kind: str, name: str, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    await stage.report.expect(
        _GROUP, kind, f"{name} with sha256 {digest[:12]}…", lambda: has_file(stage, GALLERY, name, digest)
    )


async def _poll(stage: Stage) -> None:
    robin, mira, room = stage.robin, stage.mira, stage.room(GALLERY).room_id
    answers = [{"id": name, "org.matrix.msc1767.text": words} for name, words in (("t", "Tea"), ("c", "Coffee"))]
    question = {"question": {"org.matrix.msc1767.text": "What shall we serve?"}, "answers": answers}
    poll = await mira.send(room, {f"{_POLL}.start": question | {"max_selections": 1}}, f"{_POLL}.start")
    await stage.report.expect(
        _GROUP,
        "poll",
        "*What shall we serve?* with numbered answers",
        lambda: says(
            stage.slack.find(GALLERY, "What shall we serve?"), ("*What shall we serve?*", "1. Tea", "2. Coffee")
        ),
    )
    relation = {"m.relates_to": {"rel_type": "m.reference", "event_id": poll}}
    for person, choice in ((robin, "t"), (mira, "c"), (mira, "t")):
        await person.send(room, relation | {f"{_POLL}.response": {"answers": [choice]}}, f"{_POLL}.response")
    await mira.send(room, relation | {f"{_POLL}.end": {}}, f"{_POLL}.end")
    await stage.report.expect(
        _GROUP,
        "its votes when it is closed",
        "*Tea* – 2 votes",
        lambda: says(stage.slack.find(GALLERY, "has ended"), ("*Tea* – 2 votes", "Coffee – no votes")),
    )


async def play_room(stage: Stage) -> None:
    """Change what both sides have one of: the topic, and what is pinned."""
    robin, slack, room, report = stage.robin, stage.slack, stage.room(GALLERY).room_id, stage.report
    topic = "Samples & swatches"
    await robin.set_state(room, "m.room.topic", {"topic": topic})
    await report.expect(
        _GROUP,
        "topic that is set in Matrix",
        "Samples &amp; swatches",
        lambda: equal(slack.topics[slack.channel_id(GALLERY)], "Samples &amp; swatches"),
    )
    kept, added = pinned(stage), await event_of(stage, GALLERY, "is lunch ready")
    rules, lunch = "Form follows", "is lunch ready"
    await robin.set_state(room, "m.room.pinned_events", {"pinned": [*kept, added]})
    await report.expect(_GROUP, "pin that is set in Matrix", "both", lambda: _pins(stage, {rules, lunch}))
    await robin.set_state(room, "m.room.pinned_events", {"pinned": [added]})
    await report.expect(_GROUP, "pin that is taken off in Matrix", "one", lambda: _pins(stage, {lunch}))


def _pins(stage: Stage, wanted: set[str]) -> Seen:
    found = [stage.slack.of(GALLERY, ts) for ts in stage.slack.pins[stage.slack.channel_id(GALLERY)]]
    texts = [said.text.splitlines()[0] for said in found if said is not None]
    right = len(texts) == len(wanted) and all(any(words in text for text in texts) for words in wanted)
    return Seen(right, "; ".join(texts) or "none")
