"""Text between Slack and Matrix, by way of one neutral document.

`from_slack` and `from_matrix` read, `mentions` says what must be looked up, `to_matrix` and `to_slack` write with the
answers in `Names`. Any foreign value is accepted and none raises; nothing becomes a mention that its author did not
make one; nothing is cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portals.text import attachments as _attachments
from portals.text import blocks as _blocks
from portals.text import html_writer, matrix_content, mrkdwn, slack_message
from portals.text.document import Document
from portals.text.halving import halves
from portals.text.html_writer import MatrixText
from portals.text.mrkdwn import escape as escape_mrkdwn
from portals.text.names import Channel, MatrixPerson, Mentioned, Names, SlackPerson, label_of, mentions
from portals.text.slack_message import SlackText
from portals.text.splitting import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Channel",
    "Document",
    "Limits",
    "MatrixPerson",
    "MatrixText",
    "Mentioned",
    "Names",
    "SlackPerson",
    "SlackText",
    "escape_mrkdwn",
    "from_matrix",
    "from_slack",
    "halves",
    "label_of",
    "mentions",
    "to_matrix",
    "to_slack",
]

_LIMITS = Limits()


def from_slack(
    message_text: str, blocks: Sequence[Mapping[str, Any]] = (), attachments: Sequence[Mapping[str, Any]] = ()
) -> Document:
    """Return the document of a Slack message.

    Blocks are the message where every one of them can be read; the text speaks where there are none or where one is
    unknown and silent; attachments follow. The arguments are foreign JSON and may in truth be anything.
    """
    words = message_text if isinstance(message_text, str) else ""
    read = _blocks.parse(blocks) if blocks else None
    body = read or mrkdwn.parse(words).blocks or tuple(_blocks.readable(blocks))
    return Document((*body, *_attachments.parse(attachments)))


def to_matrix(document: Document, names: Names) -> MatrixText:
    """Return a document's body, HTML (None where plain text says it all) and whom it mentions."""
    return html_writer.write(document, names)


def from_matrix(content: Mapping[str, Any]) -> Document:
    """Return the document of a message event's content (of `m.new_content` for an edit)."""
    return matrix_content.read(content)


def to_slack(document: Document, names: Names, limits: Limits = _LIMITS) -> tuple[SlackText, ...]:
    """Return the Slack messages that show a document, split at Slack's limits; none for an empty document."""
    return slack_message.write(document, names, limits)
