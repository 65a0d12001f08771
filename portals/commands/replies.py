"""What the bot answers: documents, so that nothing foreign in them can become a mention or markup.

Words between backquotes are shown as code; nothing else in a text means anything. Every answer is one event: what
would be longer is cut off, and says how much is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portals.commands.grammar import ENTRIES, entry_of
from portals.commands.levels import NEEDED, Level
from portals.relay import content
from portals.text import Names, label_of
from portals.text.document import CODE, PLAIN, Document, List, Paragraph, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portals.commands.grammar import Mistake
    from portals.ids import EventId, MatrixUserId
    from portals.text.document import Block, Inline

MOST_LINES = 50
_LONGEST_LINE = 600
_ON_THE_COMMAND_LINE = re.compile(r"causeway (portals|parked|import) (list|add|remove|pause|resume|retry|drop|status)")


@dataclass(frozen=True, slots=True)
class PortalLine:
    """A portal as an answer shows it; `waiting` are rows to Matrix and to Slack, `caught_up` None where it need not."""

    name: str
    room: str
    direction: str
    state: str
    waiting: tuple[int, int] = (0, 0)
    caught_up: bool | None = None
    trouble: str = ""
    parked: int = 0


@dataclass(frozen=True, slots=True)
class ParkedLine:
    """A parked row as an answer shows it: never what the message says."""

    number: int
    direction: str
    name: str
    reason: str
    since: str


def said(*lines: str) -> Document:
    """Return a paragraph for each line."""
    return Document(tuple(_paragraph(line) for line in lines))


def listed(before: str, lines: Sequence[str], after: str = "") -> Document:
    """Return a list between two paragraphs, the second of which may be empty."""
    shown = lines[:MOST_LINES]
    blocks: list[Block] = [_paragraph(before)]
    if shown:
        blocks.append(List(False, tuple((_paragraph(line),) for line in shown)))
    if len(lines) > len(shown):
        blocks.append(_paragraph("There are more, which are not shown here."))
    if after:
        blocks.append(_paragraph(after))
    return Document(tuple(blocks))


def _paragraph(line: str) -> Paragraph:
    inlines: list[Inline] = []
    for number, words in enumerate(line.replace("\n", " ")[:_LONGEST_LINE].split("`")):
        if words:
            inlines.append(Text(words, CODE if number % 2 else PLAIN))
    return Paragraph(tuple(inlines) or (Text("–"),))


def event(document: Document, answered: EventId, thread: EventId | None = None) -> dict[str, Any]:
    """Return the content of the event that answers a command, in its thread where it was given in one."""
    (first, *_) = content.pieces(document, Names(), "m.notice")
    relation: dict[str, Any] = {"m.in_reply_to": {"event_id": answered}}
    if thread is not None:
        relation |= {"rel_type": "m.thread", "event_id": thread, "is_falling_back": True}
    return {**first, "m.relates_to": relation}


def in_matrix(words: str, prefix: str) -> str:
    """Return a hint that names commands of the command line with those that are given here."""
    return _ON_THE_COMMAND_LINE.sub(lambda found: f"{prefix}{found[1]} {found[2]}", words)


# --- what goes wrong


def mistake(found: Mistake, prefix: str) -> Document:
    """Say what to write instead."""
    begins = found.word.split()[:1]
    usages = [f"`{prefix}{one.usage}`: {one.meaning}" for one in ENTRIES if one.words.split()[:1] == begins]
    why = sentence(found.reason)
    if usages:
        return listed(f"{why} Write:", usages)
    return said(f"{why} `{prefix}help` says what there is.")


def sentence(words: str) -> str:
    """Return words as a sentence: with a capital, and an end."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?", "!")) else ".")


def refused(level: Level, prefix: str) -> Document:
    """Say that somebody may not ask this."""
    if level is Level.NONE:
        return said(
            "You may not give this bot commands. An admin of the bridge can let you, by a line under permissions in "
            "its configuration."
        )
    return said(f"Only admins of the bridge may do that. `{prefix}help` says what you may ask.")


def elsewhere(prefix: str) -> Document:
    """Say that an answer is for nobody else's eyes."""
    return said(
        f"The answer to that is for you alone: invite me into a room with nobody else, and ask there. `{prefix}help` "
        "says what can be asked here."
    )


# --- answers


def help_(level: Level, prefix: str, topic: str = "") -> Document:
    """Say what somebody may ask, or what one command takes."""
    entry = entry_of(topic) if topic else None
    if entry is not None:
        options = "".join(f" [--{option} …]" for option in entry.options)
        also = f" Also: {', '.join(f'`{prefix}{one}`' for one in entry.others)}." if entry.others else ""
        return said(f"`{prefix}{entry.usage}{options}`: {entry.meaning}.{also}")
    lines = [f"`{prefix}{one.usage}`: {one.meaning}" for one in ENTRIES if NEEDED[one.kind] <= level]
    unknown = f"There is no command “{label_of(topic[:60])}”. " if topic else ""
    return listed(f"{unknown}This is what you may ask:", lines, "Without a channel, the room's own is meant.")


def portal(one: PortalLine) -> Document:
    """Say how one portal does."""
    lines = [f"To Matrix wait {one.waiting[0]}, to Slack {one.waiting[1]}; {one.parked} could not be delivered."]
    if one.caught_up is False:
        lines.append("It is still looking back over what was said in Slack during an interruption.")
    if one.trouble:
        lines.append(f"Trouble: {one.trouble}")
    return listed(f"{_name(one.name)} is {one.state}, {_way(one.direction)}.", lines)


def portals(every: Sequence[PortalLine], hidden: bool, prefix: str) -> Document:
    """Say which portals there are; `hidden` says that private ones are left out."""
    after = "Private channels are not shown here: ask in a room of your own with me." if hidden else ""
    if not every:
        return listed(f"There are no portals yet: `{prefix}bridge #channel` makes one.", [], after)
    lines = [
        f"{_name(one.name)}: {one.state}, {_way(one.direction)}" + (f"; {one.trouble}" if one.trouble else "")
        for one in every
    ]
    return listed(f"{len(every)} portals:" if len(every) > 1 else "One portal:", lines, after)


def parked(rows: Sequence[ParkedLine], prefix: str) -> Document:
    """Say what could not be delivered, and what to do about it."""
    if not rows:
        return said("Nothing is parked: everything was delivered.")
    lines = [
        f"{one.number}, {_name(one.name) if one.name else 'no portal'}, {one.direction}, {one.since}: {one.reason}"
        for one in rows
    ]
    return listed(
        "Parked:", lines, f"`{prefix}parked retry NUMBER` tries again, `{prefix}parked drop NUMBER` gives up."
    )


def explained(name: str, workspace: str, direction: str, people: int, code: str, prefix: str) -> Document:
    """Say what will cross when this room is joined to a channel, and how to agree."""
    to_slack = f"Whatever anybody writes here is shown in {_name(name)}, under their name, to everybody there."
    to_matrix = f"Whatever is written in {_name(name)} is shown here, to everybody who is here or joins."
    lines = [text for way, text in (("to_slack", to_slack), ("to_matrix", to_matrix)) if direction in ("both", way)]
    lines.append("Edits, reactions, files and deletions go the same way as messages.")
    lines.append("What was said here before stays here alone.")
    lines.append("The room shows in its state that it is bridged.")
    count = "one person is" if people == 1 else f"{people} people are"
    return listed(
        f"You are about to join this room, in which {count}, to {_name(name)} of {label_of(workspace)} in Slack:",
        lines,
        f"If that is what everybody here agrees to, write within an hour: `{prefix}plumb confirm {spelt(code)}`",
    )


def spelt(code: str) -> str:
    """Return a code as people read it."""
    return f"{code[:4]}-{code[4:]}"


def welcome(bot: MatrixUserId) -> dict[str, Any]:
    """Return the content of what greets somebody in a room of their own with the bot."""
    document = listed(
        f"Hello, I am {label_of(bot)}, the bot of the bridge to Slack. Every message in this room is a command to me.",
        ["`help` says what you may ask", "`status` says how the bridge does"],
    )
    (first, *_) = content.pieces(document, Names(), "m.notice")
    return first


def _name(name: str) -> str:
    return f"#{label_of(name).replace('`', '')}"


def _way(direction: str) -> str:
    return {"both": "both ways", "to_matrix": "to Matrix only", "to_slack": "to Slack only"}.get(direction, direction)
