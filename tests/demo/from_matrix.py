"""Matrix speaks, Slack shows it: every kind of thing that is relayed in this direction.

Slack takes one post a second in a channel, so the parts are spread over the channels.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.demo.looks import event_of, has_file, says, until_said
from tests.demo.report import Seen, rows_seen
from tests.sandbox.homeserver.person import message
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from tests.demo.slack_side import Said
    from tests.demo.stage import Stage

_GROUP = "Matrix → Slack"


async def play(stage: Stage) -> None:
    """Play all of it, each channel's part at the same time."""
    await stage.play(_person)
    await stage.play(_words, _changes, _threads, _file, _long)


async def _person(stage: Stage) -> None:
    """A person gets an avatar; what they say then bears it beside their name."""
    robin, channel = stage.robin, "design"
    picture = png(64, 64, (200, 80, 40), (255, 255, 255))
    avatar = await robin.upload(picture, "image/png", "robin.png")
    await robin.set_avatar(avatar)
    await _until_they_have(stage, channel, avatar)
    await robin.say(stage.room(channel).room_id, "Hello from the other side")
    said = await until_said(stage, channel, "Hello from the other side")
    seen = "nothing"
    if said is not None:
        only = {"latest": said.ts, "inclusive": "true", "limit": "1"}
        place = stage.slack.channel_id(channel)
        found = (await stage.slack.call("conversations.history", channel=place, **only))["messages"][0]
        address = next(iter((found.get("icons") or {}).values()), "")
        fetched = await stage.slack.picture(address) if address else "no picture"
        seen = f"{found.get('username')}, {fetched}"
    wanted = "Robin Vale, image/png"
    stage.report.note(_GROUP, "people under their own name and avatar", wanted, Seen(seen == wanted, seen))


async def _words(stage: Stage) -> None:
    mira, report, channel = stage.mira, stage.report, "general"
    room = stage.room(channel).room_id
    html = (
        "The <strong>van</strong> is <em>almost</em> full, <del>two</del> <code>three</code> boxes fit: "
        '<a href="https://northwind.example/van">the list</a>'
    )
    await mira.say(room, "The van is almost full", html)
    wanted = ("*van*", "_almost_", "~two~", "`three`", "<https://northwind.example/van|the list>")
    await report.expect(
        _GROUP, "formatted text", " ".join(wanted), lambda: says(stage.slack.find(channel, "almost"), wanted)
    )
    ghost, farid = stage.ghost_of("farid"), stage.slack.user_id("farid")
    pill = f'<a href="https://matrix.to/#/{ghost}">Farid</a>: the keys are with you?'
    await mira.send(room, message("Farid: the keys are with you?", pill) | {"m.mentions": {"user_ids": [ghost]}})
    await report.expect(
        _GROUP,
        "mention of a person",
        f"<@{farid}>",
        lambda: says(stage.slack.find(channel, "the keys are with you"), (f"<@{farid}>",)),
    )
    await mira.send(room, message("waves from the van", msgtype="m.emote"))
    await report.expect(
        _GROUP,
        "/me",
        "_waves from the van_ by Mira Sol",
        lambda: says(stage.slack.find(channel, "waves from the van"), ("_waves from the van_",)),
    )
    picture = await mira.upload(png(32, 32, (90, 160, 90)), "image/png", "shipit.png")
    emoji = f'On the way <img data-mx-emoticon src="{picture}" alt=":shipit:" title=":shipit:" height="32"> 🚚'
    await mira.say(room, "On the way :shipit: 🚚", emoji)
    await report.expect(
        _GROUP,
        "emoji, also custom ones, in text",
        ":shipit: :truck:",
        lambda: says(stage.slack.find(channel, "On the way"), (":shipit:", ":truck:")),
    )


async def _changes(stage: Stage) -> None:
    robin, mira, report, channel = stage.robin, stage.mira, stage.report, "support"
    room = stage.room(channel).room_id
    draft = await robin.say(room, "The printer burns on floor two")
    await until_said(stage, channel, "printer burns")
    await robin.edit(room, draft, "The printer burns on floor three", "The printer burns on floor <b>three</b>")
    await report.expect(
        _GROUP,
        "edit",
        "The printer burns on floor *three*",
        lambda: _alone(stage, channel, "The printer burns", "*three*"),
    )
    slip = await robin.say(room, "this was meant for somebody else")
    said = await until_said(stage, channel, "meant for somebody else")
    await robin.redact(room, slip)
    await report.expect(
        _GROUP,
        "redaction",
        "deleted in Slack",
        lambda: _gone(stage, channel, said),
    )
    cheered = await event_of(stage, channel, "Ticket 4711")
    thumb = await robin.react(room, cheered, "👍️")
    await mira.react(room, cheered, "🎉")
    relation = {"rel_type": "m.annotation", "event_id": cheered, "key": ":shipit:"}
    await mira.send(room, {"m.relates_to": relation, "shortcode": ":shipit:"}, "m.reaction")
    await report.expect(
        _GROUP,
        "reactions, also custom ones",
        "+1, shipit, tada",
        lambda: _reactions(stage.slack.find(channel, "Ticket 4711"), {"+1", "shipit", "tada"}),
    )
    await robin.redact(room, thumb)
    await report.expect(
        _GROUP,
        "reaction taken back",
        "shipit, tada",
        lambda: _reactions(stage.slack.find(channel, "Ticket 4711"), {"shipit", "tada"}),
    )


async def _threads(stage: Stage) -> None:
    robin, mira, report, channel = stage.robin, stage.mira, stage.report, "engineering"
    room = stage.room(channel).room_id
    root = await event_of(stage, channel, "queue of orders-api")
    await robin.thread(room, root, "The queue is empty again")
    await report.expect(
        _GROUP,
        "reply in a thread that Slack began",
        "in the thread of the queue",
        lambda: _in_thread(stage, channel, "queue is empty again", "queue of orders-api"),
    )
    own = await mira.say(room, "Who reviews the migration?")
    await mira.thread(room, own, "It is forty lines")
    await report.expect(
        _GROUP,
        "reply in a thread that Matrix began",
        "in the thread of the migration",
        lambda: _in_thread(stage, channel, "forty lines", "Who reviews"),
    )
    await robin.reply(room, await event_of(stage, channel, "Todo before the release"), "The translations are done")
    await report.expect(
        _GROUP,
        "reply outside a thread",
        "in a thread of what it answers",
        lambda: _in_thread(stage, channel, "translations are done", "Todo before the release"),
    )


async def _file(stage: Stage) -> None:
    robin, report, channel = stage.robin, stage.report, "design"
    content = b"".join(b"%05d,crate,%d\n" % (number, number * 7) for number in range(30_000))
    digest = hashlib.sha256(content).hexdigest()
    await robin.send_file(stage.room(channel).room_id, content, "crates.csv", "text/csv", "All crates, counted")
    await report.expect(
        _GROUP,
        "file",
        f"crates.csv with sha256 {digest[:12]}…",
        lambda: has_file(stage, channel, "crates.csv", digest),
    )
    await report.expect(
        _GROUP,
        "words and author beside a file",
        "Robin Vale: All crates, counted",
        lambda: says(stage.slack.find(channel, "All crates"), ("Robin Vale: All crates, counted",)),
    )


async def _long(stage: Stage) -> None:
    channel = "random"
    rows = [f"shelf {number:04d} holds nothing that anybody needs" for number in range(160)]
    await stage.robin.say(stage.room(channel).room_id, "\n".join(rows))
    await stage.report.expect(
        _GROUP,
        "message too long for one post",
        "160 rows in order, in more than one message",
        lambda: _rows(stage, channel, 160),
    )


# --- what is looked at


async def _until_they_have(stage: Stage, channel: str, avatar: str) -> None:
    """A homeserver tells the rooms of a new avatar in its own time."""

    def look() -> Seen:
        member = stage.room(channel).state.get(("m.room.member", stage.robin.user_id), {})
        return Seen(member.get("avatar_url") == avatar, "")

    await stage.report.await_that(look)


def _alone(stage: Stage, channel: str, words: str, part: str) -> Seen:
    found = [one for one in stage.slack.said(channel) if words in one.text]
    right = len(found) == 1 and part in found[0].text
    return Seen(right, "; ".join(one.text for one in found) or "nothing")


def _gone(stage: Stage, channel: str, said: Said | None) -> Seen:
    if said is None:
        return Seen(False, "it never came to Slack")
    left = stage.slack.of(channel, said.ts)
    return Seen(left is None, "deleted in Slack" if left is None else left.text)


def _reactions(said: Said | None, wanted: set[str]) -> Seen:
    if said is None:
        return Seen(False, "nothing")
    names = {name for name, _ in said.reactions}
    return Seen(names == wanted, ", ".join(sorted(names)) or "none")


def _in_thread(stage: Stage, channel: str, words: str, root: str) -> Seen:
    said = stage.slack.find(channel, words)
    if said is None:
        return Seen(False, "nothing")
    above = stage.slack.of(channel, said.thread or "")
    where = f"in the thread of “{above.text}”" if above else "in no thread"
    return Seen(above is not None and root in above.text, f"{said.author}: {said.text}, {where}")


def _rows(stage: Stage, channel: str, wanted: int) -> Seen:
    found = [one for one in stage.slack.said(channel) if one.text.startswith("shelf ")]
    rows = [line.split(" holds")[0] for one in found for line in one.text.splitlines() if line]
    return rows_seen(rows, [f"shelf {number:04d}" for number in range(wanted)], len(found))
