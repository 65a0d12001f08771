"""What an event would bring across, laid open for a policy: its words, where its links lead, the files that it shares.

Nothing that the other side would see is left out: not the words behind a spoiler, not a link's address, not the name of
a file or of a bot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portals.crossing.patterns import host_of, hosts_in
from portals.events import (
    MatrixMessage,
    MatrixTopic,
    SlackBookmarks,
    SlackChannelChange,
    SlackFileCame,
    SlackMessage,
)
from portals.relay import wording
from portals.text import from_slack
from portals.text.document import Document, Image, Link, Spoiler, joined, words_of
from portals.text.names import inlines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from portals.events import Event, SlackFile


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file as its sender describes it; a size of 0 is unsaid."""

    name: str
    type: str
    size: int
    is_here: bool = True
    """Whether it has bytes that would cross, rather than a link to where it is kept."""


@dataclass(frozen=True, slots=True)
class Said:
    """All that an event says."""

    words: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    files: tuple[SharedFile, ...] = ()
    has_text: bool = False


@dataclass(slots=True)
class _Gathering:
    permalinks: Mapping[str, str]
    words: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def document(self, document: Document) -> None:
        self.plain(words_of(joined(document.blocks)))
        for inline in inlines_of(document.blocks):
            if isinstance(inline, Link):
                self.link(inline.url)
                self.plain(inline.text)
            elif isinstance(inline, Image):
                self.words.append(inline.alt)
                if not inline.url.startswith("mxc:"):
                    self.link(inline.url)
            elif isinstance(inline, Spoiler):
                self.words.append(inline.reason)

    def plain(self, words: str) -> None:
        self.words.append(words)
        self.hosts.update(hosts_in(words))

    def link(self, url: str) -> None:
        """Take up a link, unless it leads to a message that the other side has as well."""
        if url not in self.permalinks:
            self.words.append(url)
            self.hosts.add(host_of(url))


def said(event: Event, permalinks: Mapping[str, str]) -> Said:
    """Return what an event says; `permalinks` are the links that lead to what is mirrored."""
    found = _Gathering(permalinks)
    files: list[SharedFile] = []
    has_text = False
    for document in _documents(event):
        has_text = has_text or not document.is_empty()
        found.document(document)
    for words in _lines(event):
        found.plain(words)
    if isinstance(event, SlackMessage | SlackFileCame):
        for file in event.files if isinstance(event, SlackMessage) else (event.file,):
            files.append(SharedFile(file.name, file.mimetype, file.size, not file.kind))
            _file_in_slack(file, found)
    elif isinstance(event, MatrixMessage) and event.file is not None:
        found.words.append(event.file.name)
        files.append(SharedFile(event.file.name, event.file.mimetype, event.file.size))
    elif isinstance(event, SlackBookmarks):
        for bookmark in event.bookmarks:
            found.words.append(bookmark.title)
            if bookmark.link:
                found.link(bookmark.link)
    return Said(tuple(found.words), frozenset(found.hosts), tuple(files), has_text)


def _documents(event: Event) -> Iterator[Document]:
    match event:
        case SlackMessage():
            yield event.document
        case MatrixMessage(file=None):
            yield wording.document(event)
        case MatrixMessage():
            yield wording.caption(event)
        case SlackChannelChange():
            yield from (from_slack(words) for words in (event.topic, event.purpose) if words)
        case _:
            return


def _lines(event: Event) -> Iterable[str]:
    match event:
        case SlackMessage():
            return (event.author.name,) if event.author.is_bot else ()
        case SlackChannelChange():
            return (event.name or "",)
        case MatrixTopic():
            return (event.topic,)
        case _:
            return ()


def _file_in_slack(file: SlackFile, found: _Gathering) -> None:
    found.words += [file.name, file.snippet or "", file.alt]
    if file.snippet:
        found.hosts.update(hosts_in(file.snippet))
    if file.kind and file.link:
        found.link(file.link)
