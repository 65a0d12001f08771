"""What people and apps can put into a channel besides words, and how the room shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.demo.looks import equal, event_of, shows, until_shown
from tests.demo.report import Seen
from tests.demo.stage import GALLERY

if TYPE_CHECKING:
    from tests.demo.slack_side import Json
    from tests.demo.stage import Stage

GROUP = "Every kind of message, Slack → Matrix"
SAMPLES = (
    "Form follows function",
    "News of the build",
    "grid.py",
    "these three rules",
    "the calendar of the fair",
    "Guten Appetit",
    "is open to everybody in",
)
"""Words of each that stand on both sides."""


async def play(stage: Stage) -> None:
    """Play one sample after the other."""
    rules = await _blocks(stage)
    await _card(stage)
    await _snippet(stage)
    await _links(stage, rules)
    await _unfurl(stage)
    await _pin(stage, rules)
    await _words_of_slack(stage)


async def _blocks(stage: Stage) -> str:
    text = "> Form follows function\nThree rules:\n• less\n• but *better*\n```grid = 8\nmargin = 2```"
    ts = await stage.slack.say("chiara", GALLERY, text)
    wanted = ("<blockquote>Form follows function", "<li>", "<strong>better</strong>", "<pre><code>grid = 8\nmargin = 2")
    await stage.report.expect(
        GROUP,
        "quotation, list and code",
        "<blockquote>, <ul>, <pre>",
        lambda: shows(stage.matrix.find(GALLERY, "Form follows"), wanted),
    )
    return ts


async def _card(stage: Stage) -> None:
    field = {"title": "Branch", "value": "main", "short": True}
    card: Json = {"color": "#2eb67d", "title": "Build 7", "title_link": "https://ci.northwind.example/7"}
    card |= {"text": "All *twelve* steps are green", "fields": [field], "fallback": "Build 7: green"}
    await stage.slack.say_as_bot(GALLERY, "News of the build", "ci", [card])
    wanted = ('href="https://ci.northwind.example/7"', "<strong>twelve</strong>", "Branch", "main")
    await stage.report.expect(
        GROUP,
        "card of another app",
        "title with its link, words, fields",
        lambda: shows(stage.matrix.find(GALLERY, "News of the build"), wanted),
    )


async def _snippet(stage: Stage) -> None:
    await stage.slack.upload("hiro", GALLERY, "grid.py", b"for row in range(8):\n    print(row)\n", snippet=True)
    wanted = ('<pre><code class="language-python">for row in range(8):\n    print(row)',)
    await stage.report.expect(
        GROUP,
        "snippet",
        "its code, in its language",
        lambda: shows(stage.matrix.find(GALLERY, "grid.py"), wanted),
    )


async def _links(stage: Stage, rules: str) -> None:
    slack, report = stage.slack, stage.report
    path = f"archives/{slack.channel_id(GALLERY)}/p{rules.replace('.', '')}"
    event = await event_of(stage, GALLERY, "Form follows")
    wanted = f"https://matrix.to/#/{stage.room(GALLERY).room_id}/{event}"
    general = slack.channel_id("general")
    link = f"https://{slack.team['domain']}.slack.com/{path}"
    await slack.say("amara", GALLERY, f"<{link}|these three rules>, please. It is open to everybody in <#{general}>.")
    await report.expect(
        GROUP,
        "link to a message that is mirrored",
        f"{wanted}…",
        lambda: shows(stage.matrix.find(GALLERY, "these three rules"), (wanted,)),
    )
    await report.expect(
        GROUP,
        "mention of a channel",
        "a pill of its room",
        lambda: shows(
            stage.matrix.find(GALLERY, "these three rules"),
            (f"https://matrix.to/#/{stage.room('general').room_id}",),
        ),
    )
    led = await slack.redirect(f"http://{stage.parts.public}/{path}")
    report.note(GROUP, "old link at the bridge's own address", f"{wanted}…", Seen(led.startswith(wanted), led))


async def _unfurl(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.say("chiara", GALLERY, "<https://fair.northwind.example|the calendar of the fair>")
    await until_shown(stage, GALLERY, "calendar of the fair")
    await slack.act("chiara", "unfurl", GALLERY, ts=said)
    await slack.say("hiro", GALLERY, "Guten Appetit")
    await until_shown(stage, GALLERY, "Guten Appetit")
    shown = stage.matrix.find(GALLERY, "calendar of the fair")
    told = "nothing" if shown is None else "an edit" if shown.edited else "no edit"
    stage.report.note(GROUP, "preview that Slack adds to a link", "no edit", equal(told, "no edit"))


async def _pin(stage: Stage, rules: str) -> None:
    event = await event_of(stage, GALLERY, "Form follows")
    await stage.slack.act("chiara", "pin", GALLERY, ts=rules)
    await stage.report.expect(
        GROUP,
        "pin",
        "pinned in the room",
        lambda: Seen(event in pinned(stage), f"{len(pinned(stage))} pinned in the room"),
    )


async def _words_of_slack(stage: Stage) -> None:
    slack, report = stage.slack, stage.report
    await slack.act("chiara", "purpose", GALLERY, text="Everything that is not words")
    await report.expect(
        GROUP,
        "purpose",
        "in the room's topic",
        lambda: equal(stage.room(GALLERY).topic, "Everything that is not words"),
    )
    await slack.act("hiro", "system", GALLERY, subtype="bot_add", text="added an integration: Calendar")
    await report.expect(
        GROUP,
        "what Slack says itself",
        "m.notice: … added an integration …",
        lambda: _notice(stage, "added an integration"),
    )


def pinned(stage: Stage) -> list[str]:
    """The events that the room has pinned."""
    content = stage.room(GALLERY).state.get(("m.room.pinned_events", ""), {})
    return list(content.get("pinned", ()))


def _notice(stage: Stage, words: str) -> Seen:
    shown = stage.matrix.find(GALLERY, words)
    return Seen(shown is not None and shown.kind == "m.notice", f"{shown.kind}: {shown.body}" if shown else "nothing")
