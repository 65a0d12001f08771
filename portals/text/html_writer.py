"""Document → Matrix `formatted_body` and `body`.

Only tags and attributes of the Matrix specification are written, every foreign text is escaped, and a person is
mentioned only where the document mentions them. Runs of spaces are kept with no-break spaces, which the reader of
HTML turns back.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from portals.text.document import (
    BOLD,
    CODE,
    ITALIC,
    PLAIN,
    STRIKE,
    UNDERLINE,
    Block,
    Broadcast,
    ChannelMention,
    CodeBlock,
    Details,
    Document,
    Emoji,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    List,
    MatrixUser,
    Paragraph,
    Quote,
    RoomMention,
    SlackUser,
    Spoiler,
    Table,
    Text,
    Time,
    UsergroupMention,
)
from portals.text.matrix_links import is_safe, link_to
from portals.text.names import Names, label_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class MatrixText:
    """A message's text for Matrix; `user_ids` and `room` belong into `m.mentions`, which must always be sent."""

    body: str
    formatted_body: str | None
    user_ids: tuple[str, ...] = ()
    room: bool = False


_TAGS = ((BOLD, "strong"), (ITALIC, "em"), (UNDERLINE, "u"), (STRIKE, "del"), (CODE, "code"))
_ORDER: dict[int, tuple[str, ...]] = {
    style: tuple(tag for bit, tag in _TAGS if style & bit) for style in range(2 * CODE)
}
_ESCAPED = re.compile('[&<>"]')


def write(document: Document, names: Names) -> MatrixText:
    """Return the document for Matrix; without any formatting there is no `formatted_body`."""
    writer = _Writer(names)
    html = writer.blocks(document.blocks, paragraphs=len(document.blocks) > 1)
    body = "\n\n".join(writer.body_of(block) for block in document.blocks)
    return MatrixText(
        body, html if writer.formatted or _loose(document) else None, tuple(dict.fromkeys(writer.users)), writer.room
    )


def escape(text: str) -> str:
    """Escape text for HTML content and for attributes in double quotes."""
    if not _ESCAPED.search(text):
        return text
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _loose(document: Document) -> bool:
    return any(not isinstance(block, Paragraph) for block in document.blocks)


@dataclass(slots=True)
class _Writer:
    names: Names
    users: list[str] = field(default_factory=list)
    room: bool = False
    formatted: bool = False
    quiet: bool = False

    # -- HTML ----------------------------------------------------------------------------------------------------

    def blocks(self, blocks: Sequence[Block], paragraphs: bool) -> str:
        return "".join([self.block(block, paragraphs) for block in blocks])

    def block(self, block: Block, paragraphs: bool) -> str:
        if isinstance(block, Paragraph):
            inner = self.inlines(block.inlines)
            return f"<p>{inner}</p>" if paragraphs else inner
        if isinstance(block, Heading):
            return f"<h{block.level}>{self.inlines(block.inlines)}</h{block.level}>"
        if isinstance(block, Quote):
            return self._quote(block)
        if isinstance(block, List):
            return self._list(block)
        if isinstance(block, CodeBlock):
            language = f' class="language-{escape(block.language)}"' if block.language else ""
            return f"<pre><code{language}>{escape(block.text)}\n</code></pre>"
        if isinstance(block, Table):
            return self._table(block)
        if isinstance(block, Details):
            inner = self.blocks(block.blocks, len(block.blocks) > 1)
            return f"<details><summary>{self.inlines(block.summary)}</summary>{inner}</details>"
        return "<hr>"

    def _quote(self, block: Quote) -> str:
        with self._quoting(block):
            return f"<blockquote>{self.blocks(block.blocks, len(block.blocks) > 1)}</blockquote>"

    @contextmanager
    def _quoting(self, block: Quote) -> Iterator[None]:
        outer, self.quiet = self.quiet, self.quiet or block.quiet
        yield
        self.quiet = outer

    def _list(self, block: List) -> str:
        tag = "ol" if block.ordered else "ul"
        start = f' start="{block.start}"' if block.ordered and block.start != 1 else ""
        items = "".join(
            [f"<li>{self.blocks(item, sum(isinstance(b, Paragraph) for b in item) > 1)}</li>" for item in block.items]
        )
        return f"<{tag}{start}>{items}</{tag}>"

    def _table(self, block: Table) -> str:
        out = ["<table>"]
        for number, row in enumerate(block.rows):
            tag = "th" if block.header and number == 0 else "td"
            cells = "".join([f"<{tag}>{self.inlines(cell)}</{tag}>" for cell in row])
            part = f"<tr>{cells}</tr>"
            if block.header and number == 0:
                part = f"<thead>{part}</thead><tbody>" if len(block.rows) > 1 else f"<thead>{part}</thead>"
            elif number == 0:
                part = f"<tbody>{part}"
            out.append(part)
        if not block.header or len(block.rows) > 1:
            out.append("</tbody>")
        return "".join([*out, "</table>"])

    def inlines(self, inlines: Sequence[Inline]) -> str:
        out: list[str] = []
        opened: tuple[str, ...] = ()
        last = len(inlines) - 1
        spaced = True
        breaks = ""
        for number, inline in enumerate(inlines):
            if isinstance(inline, LineBreak):
                spaced = True
                breaks += "<br>"
                continue
            wanted = _ORDER[inline.style & 31]
            if wanted != opened:
                shared = 0
                while shared < min(len(wanted), len(opened)) and wanted[shared] == opened[shared]:
                    shared += 1
                out += [f"</{tag}>" for tag in reversed(opened[shared:])]
                out.append(breaks)
                out += [f"<{tag}>" for tag in wanted[shared:]]
                opened = wanted
                self.formatted = True
            elif breaks:
                out.append(breaks)
            breaks = ""
            if isinstance(inline, Text):
                end = number == last or isinstance(inlines[number + 1], LineBreak)
                out.append(_spaced(escape(inline.text), spaced, end))
                spaced = inline.text.endswith(" ")
            else:
                out.append(self._inline(inline))
                spaced = False
        out += [f"</{tag}>" for tag in reversed(opened)]
        return "".join(out)

    def _inline(self, inline: Inline) -> str:
        if isinstance(inline, Link):
            return self._link(inline)
        if isinstance(inline, (SlackUser, MatrixUser)):
            return self._person(inline)
        if isinstance(inline, Emoji):
            return self._emoji(inline)
        if isinstance(inline, (ChannelMention, RoomMention)):
            words, room = self.place(inline)
            return self._pill(room, words) if room else escape(words)
        if isinstance(inline, Broadcast):
            if self.names.allow_room_mention and not self.quiet:
                self.room = True
            return escape(self.everybody(inline))
        if isinstance(inline, Time):
            words = time_words(inline)
            if inline.url and is_safe(inline.url):
                self.formatted = True
                return f'<a href="{escape(inline.url)}">{escape(words)}</a>'
            return escape(words)
        if isinstance(inline, Image):
            return self._image(inline)
        if isinstance(inline, Spoiler):
            self.formatted = True
            reason = f'="{escape(inline.reason)}"' if inline.reason else ""
            return f"<span data-mx-spoiler{reason}>{self.inlines(inline.inlines)}</span>"
        return escape(self.words(inline))

    def _link(self, link: Link) -> str:
        url = self.names.links.get(link.url, link.url)
        words = url if link.text == link.url else link.text
        if not is_safe(url):
            return escape(self.words(link))
        self.formatted = self.formatted or words != url
        return f'<a href="{escape(url)}">{escape(words)}</a>'

    def _pill(self, identity: str, words: str) -> str:
        self.formatted = True
        return f'<a href="{escape(link_to(identity))}">{escape(words)}</a>'

    def _person(self, inline: SlackUser | MatrixUser) -> str:
        words, identity = self.person(inline)
        if not identity:
            return escape(words)
        if not self.quiet:
            self.users.append(identity)
        return self._pill(identity, words)

    def _emoji(self, inline: Emoji) -> str:
        address = None if inline.unicode else self.names.emoji.get(inline.name)
        if address is None or not address.startswith("mxc://"):
            return escape(self.words(inline))
        self.formatted = True
        shown = escape(f":{label_of(inline.name)}:")
        return f'<img data-mx-emoticon src="{escape(address)}" alt="{shown}" title="{shown}" height="32">'

    def _image(self, inline: Image) -> str:
        self.formatted = True
        words = inline.alt or "image"
        if inline.url.startswith("mxc://"):
            return f'<img src="{escape(inline.url)}" alt="{escape(words)}">'
        return f'<a href="{escape(inline.url)}">{escape(words)}</a>' if is_safe(inline.url) else escape(words)

    # -- words ---------------------------------------------------------------------------------------------------

    def person(self, inline: SlackUser | MatrixUser) -> tuple[str, str | None]:
        """The person's name, and their Matrix id where they have one."""
        if isinstance(inline, MatrixUser):
            known = self.names.matrix_users.get(inline.id)
            return label_of(known.name if known else inline.label, inline.id), inline.id
        person = self.names.slack_users.get(inline.id)
        if person is None:
            return "@" + label_of(inline.label.removeprefix("@"), inline.id), None
        name = label_of(person.name, inline.id)
        return (name, person.matrix_id) if person.matrix_id else (f"@{name}", None)

    def place(self, inline: ChannelMention | RoomMention) -> tuple[str, str | None]:
        """The words for a channel or room, and the room to link to where there is one."""
        if isinstance(inline, RoomMention):
            return label_of(inline.label, inline.id), inline.id
        channel = self.names.channels.get(inline.id)
        name = label_of((channel.name if channel else "") or inline.label, inline.id)
        return f"#{name.removeprefix('#')}", channel.room if channel else None

    def everybody(self, inline: Broadcast) -> str:
        return "@room" if self.names.allow_room_mention and not self.quiet else f"@{inline.kind}"

    def words(self, inline: Inline) -> str:
        """The inline as plain text."""
        if isinstance(inline, Text):
            return inline.text
        if isinstance(inline, LineBreak):
            return "\n"
        if isinstance(inline, Link):
            url = self.names.links.get(inline.url, inline.url)
            if inline.text == inline.url:
                return url
            bare = url.removeprefix("mailto:").removeprefix("tel:")
            return inline.text if inline.text in (url, bare) else _label_and_url(inline.text, url)
        if isinstance(inline, (SlackUser, MatrixUser)):
            return self.person(inline)[0]
        if isinstance(inline, (ChannelMention, RoomMention)):
            return self.place(inline)[0]
        if isinstance(inline, UsergroupMention):
            handle = self.names.usergroups.get(inline.id) or inline.label.removeprefix("@")
            return "@" + label_of(handle, inline.id)
        if isinstance(inline, Broadcast):
            return self.everybody(inline)
        if isinstance(inline, Emoji):
            known = inline.unicode or self.names.emoji.get(inline.name)
            return known if known and not known.startswith("mxc://") else f":{label_of(inline.name)}:"
        if isinstance(inline, Image):
            return _label_and_url(inline.alt, inline.url)
        if isinstance(inline, Time):
            return time_words(inline)
        reason = f" for {inline.reason}" if inline.reason else ""
        return f"[Spoiler{reason}]"

    # -- body ----------------------------------------------------------------------------------------------------

    def body_of(self, block: Block) -> str:
        if isinstance(block, Paragraph):
            return self._line(block.inlines)
        if isinstance(block, Heading):
            return f"{'#' * block.level} {self._line(block.inlines)}"
        if isinstance(block, Quote):
            with self._quoting(block):
                inner = "\n\n".join([self.body_of(part) for part in block.blocks])
            return "\n".join(f"> {line}" if line else ">" for line in inner.split("\n"))
        if isinstance(block, List):
            return self._list_body(block)
        if isinstance(block, CodeBlock):
            return f"```{block.language}\n{block.text}\n```"
        if isinstance(block, Table):
            return "\n".join(" | ".join(self._line(cell).replace("\n", " ") for cell in row) for row in block.rows)
        if isinstance(block, Details):
            return "\n".join([self._line(block.summary), *(self.body_of(part) for part in block.blocks)])
        return "---"

    def _list_body(self, block: List) -> str:
        out: list[str] = []
        for number, item in enumerate(block.items, block.start):
            mark = f"{number}. " if block.ordered else "- "
            inner = "\n".join(self.body_of(part) for part in item)
            out.append(mark + inner.replace("\n", "\n" + " " * len(mark)))
        return "\n".join(out)

    def _line(self, inlines: Sequence[Inline]) -> str:
        return "".join([self._marked(inline) for inline in inlines])

    def _marked(self, inline: Inline) -> str:
        words = self.words(inline)
        style = PLAIN if isinstance(inline, LineBreak) else inline.style
        if style & CODE:
            return f"`{words}`"
        return f"~~{words}~~" if style & STRIKE and words.strip() else words


def _label_and_url(label: str, url: str) -> str:
    return f"{label} ({url})" if label and url else label or url


def _spaced(text: str, after_space: bool, last: bool) -> str:
    """Keep the spaces that HTML would swallow."""
    text = text.replace("\t", "    ")
    if after_space and text.startswith(" "):
        text = "\u00a0" + text[1:]
    if last and text.endswith(" "):
        text = text[:-1] + "\u00a0"
    return text.replace("  ", " \u00a0") if "  " in text else text


_DATE_PARTS = re.compile(r"\{([a-z_]{1,30})\}")


def time_words(time: Time) -> str:
    """Return the moment in Slack's format, in UTC; the fallback where time or format cannot be shown."""
    try:
        moment = datetime.fromtimestamp(time.timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return time.fallback or str(time.timestamp)
    day = moment.day
    ordinal = f"{day}{'th' if 10 < day % 100 < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"
    clock = f"{moment:%H:%M} UTC"
    long_date = f"{moment:%A, %B} {ordinal}, {moment:%Y}"
    known = {
        "date_num": f"{moment:%Y-%m-%d}",
        "date": f"{moment:%B} {ordinal}, {moment:%Y}",
        "date_pretty": f"{moment:%B} {ordinal}, {moment:%Y}",
        "date_short": f"{moment:%b} {day}, {moment:%Y}",
        "date_short_pretty": f"{moment:%b} {day}, {moment:%Y}",
        "date_slash": f"{moment:%m/%d/%Y}",
        "date_long": long_date,
        "date_long_pretty": long_date,
        "date_long_full": long_date,
        "day_divider_pretty": long_date,
        "time": clock,
        "time_secs": f"{moment:%H:%M:%S} UTC",
        "ago": f"{moment:%Y-%m-%d} {clock}",
    }
    unknown = [match for match in _DATE_PARTS.findall(time.format) if match not in known]
    if not time.format or unknown:
        return time.fallback or f"{moment:%Y-%m-%d} {clock}"
    return _DATE_PARTS.sub(lambda match: known[match[1]], time.format)
