"""Slack speaks, Matrix shows it: every kind of thing that is relayed in this direction."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.demo.looks import equal, shows, until_shown
from tests.demo.report import Seen, rows_seen
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from tests.demo.matrix_side import Shown
    from tests.demo.stage import Stage

_GROUP = "Slack → Matrix"


async def play(stage: Stage) -> None:
    """Play all of it, each channel's part at the same time."""
    await stage.play(_words, _thread, _file, _others, _long, _channel, _members)


async def _words(stage: Stage) -> None:
    slack, report, channel = stage.slack, stage.report, "general"
    text = "The *stand* is _nearly_ built, ~Friday~ `Thursday`: <https://northwind.example/stand|the plan>"
    wanted = '<strong>stand</strong> <em>nearly</em> <del>Friday</del> <code>Thursday</code> href="…/stand"'
    parts: tuple[str, ...] = ("<strong>stand</strong>", "<em>nearly</em>", "<del>Friday</del>", "<code>Thursday</code>")
    parts = (*parts, 'href="https://northwind.example/stand"')
    await slack.say("amara", channel, text)
    await report.expect(_GROUP, "formatted text", wanted, lambda: shows(stage.matrix.find(channel, "nearly"), parts))

    bruno = stage.ghost_of("bruno")
    await slack.say("greta", channel, f"<@{slack.user_id('bruno')}> could you bring the screws?")
    await report.expect(
        _GROUP,
        "mention of a person",
        f"a pill of {bruno}, and notified",
        lambda: _mention(stage.matrix.find(channel, "bring the screws"), bruno),
    )

    draft = await slack.say("ines", channel, "We open at nine o'clock")
    await until_shown(stage, channel, "We open at nine")
    await slack.act("ines", "edit", channel, ts=draft, text="We open at *ten* o'clock")
    await report.expect(
        _GROUP,
        "edit",
        "We open at ten o'clock (edited)",
        lambda: _edited(stage.matrix.find(channel, "We open at"), "<strong>ten</strong>"),
    )

    slip = await slack.say("bruno", channel, "ignore me, wrong window")
    gone = await until_shown(stage, channel, "wrong window")
    await slack.act("bruno", "delete", channel, ts=slip)
    await report.expect(
        _GROUP, "deletion", "redacted", lambda: Seen(bool(gone and gone.redacted), _state_of(gone, "redacted"))
    )

    cheered = await slack.say("amara", channel, "And we have a speaker for the evening")
    await slack.act("greta", "react", channel, ts=cheered, name="raised_hands::skin-tone-3")
    await slack.act("bruno", "react", channel, ts=cheered, name="shipit")
    await slack.act("ines", "react", channel, ts=cheered, name="wave")
    await report.expect(
        _GROUP,
        "reactions, skin tone and custom emoji",
        "Bruno :shipit: (a picture), Greta 🙌🏼, Ines 👋",
        lambda: _reactions(stage, channel, "speaker for the evening", {"🙌🏼", "👋", "mxc"}),
    )
    await slack.act("ines", "unreact", channel, ts=cheered, name="wave")
    await report.expect(
        _GROUP,
        "reaction taken back",
        "🙌🏼 and a picture are left",
        lambda: _reactions(stage, channel, "speaker for the evening", {"🙌🏼", "mxc"}),
    )

    await slack.say("greta", channel, "Ready to go :shipit: :rocket:")
    await report.expect(
        _GROUP,
        "custom emoji in text",
        "<img data-mx-emoticon src=mxc://… alt=:shipit:>",
        lambda: shows(stage.matrix.find(channel, "Ready to go"), ("data-mx-emoticon", "mxc://", ":shipit:", "🚀")),
    )


async def _thread(stage: Stage) -> None:
    slack, report, channel = stage.slack, stage.report, "engineering"
    root = await slack.say("jonas", channel, "Shall we deploy the new search today?")
    await slack.say("hiro", channel, "The tests are green", thread_ts=root)
    await report.expect(
        _GROUP,
        "reply in a thread",
        "m.thread under its root",
        lambda: _in_thread(stage, channel, "tests are green", "deploy the new search"),
    )
    await slack.say("farid", channel, "Deployed, all quiet", thread_ts=root, broadcast=True)
    await report.expect(
        _GROUP,
        "reply also sent to the channel",
        "once in the thread, once in the time line",
        lambda: _broadcast(stage, channel, "Deployed, all quiet"),
    )


async def _file(stage: Stage) -> None:
    slack, report, channel = stage.slack, stage.report, "design"
    picture = png(480, 300, (20, 90, 60), (250, 240, 200))
    digest = hashlib.sha256(picture).hexdigest()
    await slack.upload("chiara", channel, "poster-final.png", picture, "The poster, *final*")
    shown = await until_shown(stage, channel, "poster-final.png")
    found = hashlib.sha256(await stage.robin.download(shown.content["url"])).hexdigest() if shown else "none"
    kind = shown.kind if shown else "none"
    report.note(
        _GROUP,
        "file",
        f"m.image with sha256 {digest[:12]}…",
        Seen((kind, found) == ("m.image", digest), f"{kind} with sha256 {found[:12]}…"),
    )
    await report.expect(
        _GROUP,
        "words beside a file",
        "The poster, <strong>final</strong>",
        lambda: shows(stage.matrix.find(channel, "The poster"), ("<strong>final</strong>",)),
    )


async def _others(stage: Stage) -> None:
    slack, report, channel = stage.slack, stage.report, "support"
    await slack.act("daniel", "me", channel, text="is back from lunch")
    await report.expect(
        _GROUP,
        "/me",
        "m.emote: is back from lunch",
        lambda: _is_kind(stage.matrix.find(channel, "is back from lunch"), "m.emote"),
    )
    await slack.say_as_bot(channel, "Ticket 4712 was opened: *printer on fire*", "ticket-bot")
    await report.expect(
        _GROUP,
        "message of another bot, under its name",
        "ticket-bot",
        lambda: _named(stage, channel, "printer on fire", "ticket-bot"),
    )
    await slack.act("amara", "typing", channel)
    await report.expect(
        _GROUP,
        "typing, where Slack tells of it",
        "Amara is typing",
        lambda: _typed(stage, channel, stage.ghost_of("amara")),
    )


async def _long(stage: Stage) -> None:
    channel = "random"
    rows = [f"stock row {number:04d} of the long list, *checked* twice" for number in range(700)]
    await stage.slack.say("hiro", channel, "\n".join(rows))
    await stage.report.expect(
        _GROUP,
        "message too long for one event",
        "700 rows in order, in more than one event",
        lambda: _rows(stage, channel, 700),
    )


async def _channel(stage: Stage) -> None:
    slack, report, channel = stage.slack, stage.report, "support"
    topic = "Tickets first, coffee second & always in that order"
    await slack.act("daniel", "topic", channel, text=topic)
    await report.expect(_GROUP, "topic", topic, lambda: equal(stage.room(channel).topic, topic))
    await slack.act("daniel", "rename", channel, text="customer-care")
    await report.expect(
        _GROUP, "channel name", "#customer-care", lambda: equal(stage.room(channel).name, "#customer-care")
    )


async def _members(stage: Stage) -> None:
    slack, report, channel = stage.slack, stage.report, "random"
    ghost = stage.ghost_of("eszter")
    await slack.act("eszter", "join", channel)
    await report.expect(_GROUP, "joining a channel", "Eszter: join", lambda: _membership(stage, channel, ghost, True))
    await slack.act("eszter", "leave", channel)
    await report.expect(_GROUP, "leaving it", "Eszter: leave", lambda: _membership(stage, channel, ghost, False))


# --- what is looked at


def _mention(shown: Shown | None, user: str) -> Seen:
    if shown is None:
        return Seen(False, "nothing")
    notified = shown.content.get("m.mentions", {}).get("user_ids", [])
    return Seen(f"https://matrix.to/#/{user}" in shown.html and user in notified, f"{shown.body} → {notified}")


def _edited(shown: Shown | None, part: str) -> Seen:
    if shown is None:
        return Seen(False, "nothing")
    return Seen(shown.edited and part in shown.html, f"{shown.body}{' (edited)' if shown.edited else ''}")


def _state_of(shown: Shown | None, word: str) -> str:
    return "nothing" if shown is None else word if shown.redacted else shown.body


def _reactions(stage: Stage, channel: str, words: str, wanted: set[str]) -> Seen:
    shown = stage.matrix.find(channel, words)
    if shown is None:
        return Seen(False, "nothing")
    keys = {key.partition(":")[0] for key, _ in shown.reactions.values()}
    room = stage.room(channel)
    told = [
        f"{room.name_of(sender)} {'a picture' if key[:4] == 'mxc:' else key}"
        for key, sender in shown.reactions.values()
    ]
    return Seen(keys == wanted and len(shown.reactions) == len(wanted), ", ".join(sorted(told)) or "none")


def _in_thread(stage: Stage, channel: str, words: str, root: str) -> Seen:
    shown, above = stage.matrix.find(channel, words), stage.matrix.find(channel, root)
    if shown is None or above is None:
        return Seen(False, "nothing")
    right = shown.thread == above.event_id
    return Seen(right, f"{shown.body}, {'in the thread of “' + above.body + '”' if right else 'elsewhere'}")


def _broadcast(stage: Stage, channel: str, words: str) -> Seen:
    found = [one for one in stage.room(channel).messages.values() if words in one.body]
    places = sorted("thread" if one.thread else "time line" for one in found)
    return Seen(places == ["thread", "time line"], ", ".join(places) or "nothing")


def _is_kind(shown: Shown | None, kind: str) -> Seen:
    return Seen(shown is not None and shown.kind == kind, f"{shown.kind}: {shown.body}" if shown else "nothing")


def _named(stage: Stage, channel: str, words: str, name: str) -> Seen:
    shown = stage.matrix.find(channel, words)
    if shown is None:
        return Seen(False, "nothing")
    profile = shown.content.get("com.beeper.per_message_profile", {})
    seen = profile.get("displayname") or stage.room(channel).name_of(shown.sender)
    return Seen(seen == name, f"{seen}: {shown.body}")


def _typed(stage: Stage, channel: str, user: str) -> Seen:
    room = stage.room(channel)
    return Seen(user in room.typed, "Amara is typing" if user in room.typed else "nobody was typing")


def _rows(stage: Stage, channel: str, wanted: int) -> Seen:
    found = [one for one in stage.room(channel).messages.values() if "stock row" in one.body and not one.redacted]
    rows = [line.split(" of ")[0] for one in found for line in one.body.splitlines()]
    return rows_seen(rows, [f"stock row {number:04d}" for number in range(wanted)], len(found))


def _membership(stage: Stage, channel: str, ghost: str, joined: bool) -> Seen:
    content = stage.room(channel).state.get(("m.room.member", ghost), {})
    membership = content.get("membership", "never there")
    return Seen(membership == ("join" if joined else "leave"), f"Eszter: {membership}")
