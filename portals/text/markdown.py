"""Standard Markdown (Slack's `markdown` block) → document, by way of a library's HTML.

Raw HTML inside the Markdown stays text. A text beyond what Slack accepts many times over is taken as plain text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from portals.text import matrix_html
from portals.text.document import paragraphs, text_inlines

if TYPE_CHECKING:
    from portals.text.document import Blocks

_LONGEST = 100_000
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def parse(text: str) -> Blocks:
    """Return the blocks of a Markdown text."""
    if len(text) > _LONGEST:
        return tuple(paragraphs(text_inlines(text)))
    return matrix_html.parse(_MARKDOWN.render(text)).blocks
