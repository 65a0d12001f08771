"""Where an answer goes in Slack, and what of the message that it answers is quoted before it.

A reply opens a thread under what it answers, or stays in the time line behind a quotation, as configured. A quotation
also stands where a thread alone would not tell what is meant: before a reply within a thread, and before one to a
message that Slack does not have. It is short, links to the message, and notifies nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals import text
from portals.permalinks import slack_address
from portals.relay import wording
from portals.text.document import BOLD, Document, Link, Paragraph, Quote, Text, joined, words_of

if TYPE_CHECKING:
    from portals.events import MatrixMessage
    from portals.facts import Facts, Portal, Rules
    from portals.ids import Ts
    from portals.text.document import Inline

_LONGEST = 200


def is_quoted(message: MatrixMessage, rules: Rules, *, is_in_slack: bool) -> bool:
    """Tell whether what a message answers is quoted before it."""
    return message.reply_to is not None and (
        rules.reply_style != "thread" or message.thread_root is not None or not is_in_slack
    )


def thread(event: MatrixMessage, facts: Facts) -> Ts | None:
    """Return the thread in which a message belongs: never a reply's own ts, always its root's."""
    for target in (event.thread_root, event.reply_to if facts.rules.reply_style == "thread" else None):
        if target is None:
            continue
        links = facts.of_event(target)
        link = next((one for one in links if not one.deleted), next(iter(links), None))
        if link is not None:
            return link.thread_ts or link.ts
    return None


def with_quotation(said: Document, portal: Portal, facts: Facts) -> Document:
    """Return a message's words behind the quotation of what it answers, where the facts tell of one."""
    quoted = facts.quoted
    if quoted is None or said.is_empty():
        return said
    name = text.label_of(quoted.name, quoted.message.sender)
    author: Inline = Text(name, BOLD)
    link = next((one for one in facts.of_event(quoted.message.event_id) if not one.deleted), None)
    if link is not None and facts.workspace.url:
        author = Link(slack_address(facts.workspace.url, portal.channel, link.ts, link.thread_ts), name, BOLD)
    words = _shortened(quoted.message)
    lead = Paragraph((author, Text(f": {words}")) if words else (author,))
    return Document((Quote((lead,), quiet=True), *said.blocks))


def _shortened(message: MatrixMessage) -> str:
    """Return the beginning of a message in plain words on one line."""
    if message.encrypted:
        return ""
    said = wording.caption(message) if message.file is not None else wording.document(message)
    words = " ".join(words_of(joined(said.blocks)).split()) or (message.file.name if message.file else "")
    if len(words) <= _LONGEST:
        return words
    return f"{words[:_LONGEST].rpartition(' ')[0] or words[:_LONGEST]}…"
