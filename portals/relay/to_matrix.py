"""What becomes of something that happened in Slack: `needs` says what must be known, `decide` what to do in the room.

A Slack message is shown as *parts*: its text (part `""`; further pieces `"1"`, `"2"` … only where Matrix's limit for an
event forces them), each file (its part is the file's id), and for a reply that was also sent to the channel a copy in
the time line (part `"channel"`), and how something that was written in Matrix reads since it was edited in Slack (part
`"edited"`). The name of a part decides the key of the action that sends it, so that a message has
the same actions whether it came live, again, or from history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portals import text
from portals.actions import (
    SOURCE,
    STAMP,
    Note,
    RecordDeletion,
    RecordLink,
    RedactEvent,
    SendEvent,
    SendFile,
)
from portals.crossing import holding, withholding
from portals.crossing.held import as_new_in_slack, flaw_of, is_news
from portals.crossing.judge import Waits, Withheld, judge
from portals.events import (
    Ignored,
    SlackAuthor,
    SlackBookmarks,
    SlackBotMembership,
    SlackChannelChange,
    SlackChannelIdChange,
    SlackDeletion,
    SlackEvent,
    SlackFile,
    SlackFileCame,
    SlackMembership,
    SlackMessage,
    SlackNamesChange,
    SlackPersonChange,
    SlackPin,
    SlackReaction,
    SlackTokensEnd,
)
from portals.facts import Needs, Origin, PortalState
from portals.ids import ActionKey, ChannelId, SlackUserId, action_key, ts_to_ms
from portals.permalinks import slack_place
from portals.relay import (
    bookmarks,
    by_hand,
    channel_changes,
    content,
    files,
    late_files,
    memberships,
    moved,
    reactions,
    system_notices,
)
from portals.relay.naming import names_of
from portals.text import emoji

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portals.actions import Action
    from portals.events import AuthorProfile
    from portals.facts import Facts, Link, Person, Portal
    from portals.ids import EventId

CHANNEL_COPY = "channel"


def needs(event: SlackEvent) -> Needs:
    """Return what must be known before the event can be decided."""
    match event:
        case SlackMessage(own=True, edited=False):
            return Needs(messages=frozenset([event.ts]))
        case SlackMessage():
            said, author = text.mentions(event.document), event.author
            places = {link: place for link in said.links if (place := slack_place(link))}
            linked = [place.ts for place in places.values() if place.ts and place.channel == event.channel]
            thread = frozenset([event.thread_ts] if event.thread_ts else [])
            return Needs(
                slack_users=frozenset(map(SlackUserId, said.slack_users)) | {author.id},
                channels=frozenset(map(ChannelId, said.channels)),
                usergroups=said.usergroups,
                emoji=said.emoji | ({author.icon_emoji} if author.icon_emoji else frozenset()),
                icons=frozenset([author.icon] if author.icon else []),
                profiles=_profiles(event),
                files=frozenset(file.id for file in event.files if file.must_ask),
                links=frozenset(places),
                messages=thread | {event.ts, *linked},
                targets=frozenset({*thread, *([event.ts] if event.changed and not event.own else ())}),
                whole=event.edited,
                tails=thread,
                writer=moved.writer_of(event),
                author=event.author.id,
            )
        case SlackDeletion():
            return Needs(messages=frozenset([event.ts]), targets=frozenset([event.ts]))
        case SlackReaction():
            return reactions.needs_in_matrix(event)
        case SlackMembership():
            return Needs(slack_users=frozenset([event.user]))
        case SlackBookmarks():
            return bookmarks.needs(event)
        case SlackChannelChange() | SlackPin() | SlackBotMembership():
            return channel_changes.needs(event)
        case SlackFileCame():
            return late_files.needs(event)
        case SlackPersonChange() | SlackNamesChange() | SlackChannelIdChange() | SlackTokensEnd():
            return Needs()


def _profiles(event: SlackMessage) -> frozenset[AuthorProfile]:
    """Return what a message tells of its author; what an old one tells of a bot may be out of date."""
    told = event.author.profile
    return frozenset() if told is None or (told.is_bot and event.historic) else frozenset([told])


def decide(event: SlackEvent, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    """Return what to do in the portal's room, or why nothing is to be done."""
    if portal.room is None:
        return Ignored("the portal has no room yet")
    is_past = portal.state is PortalState.IMPORTING or isinstance(event, SlackFileCame)
    if facts.closed and not is_past:  # what an import brings was agreed to where it was begun
        return Ignored(facts.closed)
    flaw = flaw_of(event, facts)
    if flaw:
        return Ignored(flaw)
    event = as_new_in_slack(event, facts)
    judged = judge(event, portal, facts)
    if isinstance(judged, Waits):
        return holding.in_matrix(judged, event, portal, facts)
    if isinstance(judged, Withheld):
        withheld = withholding.in_matrix(judged, event, portal, facts)
        return holding.ended(withheld, event, portal, facts, crosses=False)
    return holding.ended(_done(event, portal, facts), event, portal, facts, crosses=True)


def _done(event: SlackEvent, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    match event:
        case SlackMessage():
            return moved.with_word(_Message(event, portal, facts).decide(), event, portal, facts)
        case SlackDeletion():
            return _delete(event, portal, facts)
        case SlackReaction():
            return reactions.in_matrix(event, portal, facts)
        case SlackMembership():
            return memberships.decide(event, portal, facts)
        case SlackBookmarks():
            return bookmarks.decide(event, portal, facts)
        case SlackChannelChange() | SlackPin() | SlackBotMembership():
            return channel_changes.decide(event, portal, facts)
        case SlackFileCame():
            return late_files.decide(event, portal, facts)
        case SlackPersonChange() | SlackNamesChange() | SlackChannelIdChange() | SlackTokensEnd():
            return Ignored("names, ids and tokens are no matter of a portal")


class _Message:
    """One message and what is known about it."""

    def __init__(self, event: SlackMessage, portal: Portal, facts: Facts) -> None:
        assert portal.room is not None
        self.event = event
        self.portal = portal
        self.facts = facts
        self.room = portal.room
        self.links = facts.of_message(event.ts)
        shown_by = (link.sender for link in self.links if link.origin is Origin.SLACK and link.sender)
        self.sender = next(shown_by, None) or facts.sender(event.author.id)
        self.ghost = facts.stand_in(event.author.id, self.sender)
        self.time = ts_to_ms(event.ts)

    def decide(self) -> tuple[Action, ...] | Ignored:
        event = self.event
        said = by_hand.edited(event, self.links)
        if said is not None:
            return tuple(self._edits_by_hand(said))
        if event.own:
            return Ignored("our own message")
        if not system_notices.is_shown(event):
            return Ignored(f"messages of subtype {event.system[:40]!r} are not shown")
        if self.links:
            return self._compare()
        if not is_news(event):
            return Ignored("a change of a message that is not mirrored")
        actions = [*self._texts(), *(self._file(file) for file in event.files)]
        return tuple(actions) or Ignored("a message without content")

    # --- a new message

    def _texts(self) -> Iterator[Action]:
        for number, piece in enumerate(self._contents()):
            yield self._send(_part("", number), piece, self._relation())
        yield from self._copy()

    def _copy(self) -> Iterator[Action]:
        """Yield what shows a reply in the time line as well, where its author sent it there."""
        if self.event.broadcast and self.event.thread_ts:
            for number, piece in enumerate(self._contents()):
                yield self._send(_part(CHANNEL_COPY, number), piece, None)

    def _send(self, part: str, piece: dict[str, Any], relation: dict[str, Any] | None) -> SendEvent:
        key = self._key(part)
        said = {**piece, STAMP: key, **self._from(part), **_related(relation)}
        return SendEvent(key, self.room, self.sender, "m.room.message", said, self.time, self._record(part), self.ghost)

    def _file(self, file: SlackFile) -> Action:
        file = self.facts.files.get(file.id, file)
        key = self._key(file.id)
        beside = {STAMP: key, **self._from(file.id), **_related(self._relation())}
        told = files.told(file, self.facts.rules)
        if told is not None:
            said = {**self._signed(told), **beside}
            record = self._record(file.id)
            return SendEvent(key, self.room, self.sender, "m.room.message", said, self.time, record, self.ghost)
        return SendFile(
            key=key,
            room=self.room,
            sender=self.sender,
            file_id=file.id,
            url=file.url,
            name=file.name,
            mimetype=file.mimetype,
            size=file.size,
            content={**self._signed(files.shown(file), in_words=False), **beside},
            fallback=files.absence(file, "{reason}"),
            thumbnail=file.thumbnail.url if file.thumbnail else "",
            ts=self.time,
            record=self._record(file.id),
            ghost=self.ghost,
        )

    def _contents(self) -> list[dict[str, Any]]:
        """Return the content of each piece of the text, without relation and stamp; none where there is no text."""
        document = system_notices.words_of(self.event)
        if document.is_empty():
            return []
        msgtype = "m.emote" if self.event.emote else "m.notice" if self.event.system else "m.text"
        return [self._signed(piece) for piece in content.pieces(document, names_of(self.facts), msgtype)]

    def _signed(self, piece: dict[str, Any], *, in_words: bool = True) -> dict[str, Any]:
        """Put a bot's name and icon of this very message on it, where they are not the ghost's (MSC4144)."""
        author, person = self.event.author, self.facts.people.get(self.event.author.id)
        if not author.is_bot:
            return piece
        icon, name = self._icon(author, person), author.name or (person.name if person else "")
        avatar = icon if icon.startswith("mxc://") else ""
        renamed = bool(author.name) and (person is None or person.name != author.name)
        if not name or not (renamed or icon):
            return piece
        shown = f"{icon} {name}" if icon and not avatar else name
        return content.with_profile(piece, shown, avatar, in_words=in_words and renamed)

    def _icon(self, author: SlackAuthor, person: Person | None) -> str:
        """Return the `mxc:` address of the icon, or the emoji that stands in its place; nothing for the ghost's own."""
        if author.icon and (person is None or person.avatar_url != author.icon):
            known = self.facts.icons.get(author.icon)
            if known:
                return known
        name = author.icon_emoji
        return (self.facts.emoji.get(name) or emoji.unicode_of(name) or "") if name else ""

    def _relation(self) -> dict[str, Any] | None:
        thread = self.event.thread_ts
        if thread is None:
            return None
        ends = self.facts.tails.get(thread)
        root = next((link.event_id for link in self.facts.of_message(thread) if link.event_id), None)
        if root is None:
            if ends is None:
                return None
            root = ends[0]
        tail = ends[1] if ends is not None else root
        return {
            "rel_type": "m.thread",
            "event_id": root,
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": tail},
        }

    def _record(self, part: str) -> RecordLink:
        event = self.event
        return RecordLink(
            origin=Origin.SLACK,
            sender=self.sender,
            part=part,
            ts=event.ts,
            thread_ts=event.thread_ts,
            digest=event.digest,
            version=event.version,
        )

    def _from(self, part: str) -> dict[str, dict[str, str]]:
        """Name the message of Slack's that an event is a part of; what was said in Matrix is part of none."""
        if any(link.origin is Origin.MATRIX for link in self.links):
            return {}
        source = {"team": self.portal.team, "channel": self.event.channel, "ts": self.event.ts}
        return {SOURCE: {**source, "part": part} if part else source}

    def _key(self, part: str) -> ActionKey:
        return action_key("slack", self.portal.team, self.portal.channel, self.event.ts, part)

    # --- a message that is shown already

    def _compare(self) -> tuple[Action, ...] | Ignored:
        event, links = self.event, self.links
        if all(link.deleted for link in links):
            return Ignored("a message that was deleted")
        if any(link.origin is Origin.MATRIX for link in links):
            return Ignored("our own message, as Slack shows it")
        if not (event.changed or event.historic):
            return Ignored("shown already")
        if event.changed and event.version and event.version < max(link.version for link in links):
            return Ignored("an older state than the one shown")
        if any(event.digest in link.shown for link in links):
            return Ignored("our own edit, by its author's hand")
        return tuple(self._edits()) or Ignored("shown already, as it stands")

    def _edits(self) -> Iterator[Action]:
        event = self.event
        shown = {link.part: link for link in self.links}
        edited = event.digest != next(iter(shown.values())).digest
        if system_notices.is_fixed(event):
            edited = False
        if event.historic and not event.version and not event.author.is_bot:
            edited = False  # never edited: a difference is one of Slack's forms, not of what was said
        if event.historic and event.changed and event.version > max(link.version for link in self.links):
            edited = True  # an archive knows of an edit only that there was one, and when
        if edited:
            yield Note(action_key(event.source, "edited"), by_hand.seen(event, self.links))
            copies = [CHANNEL_COPY] if CHANNEL_COPY in shown else []
            yield from self._edit_texts(shown, ["", *copies], self._contents())
        if CHANNEL_COPY not in shown:
            yield from self._copy()  # "also send to channel", ticked later
        for file in event.files:
            if file.id not in shown:
                yield self._file(file)
        present = {file.id for file in event.files}
        for part, link in shown.items():
            if _is_file(part) and part not in present and not link.deleted:
                yield self._remove(link)

    def _edits_by_hand(self, said: Link) -> Iterator[Action]:
        """Yield what shows how a message from Matrix reads since its author edited it in Slack."""
        yield Note(action_key(self.event.source, "edited"), by_hand.seen(self.event, self.links))
        document, names = self.event.document, names_of(self.facts)
        if by_hand.is_replaced(said, self.facts) and not document.is_empty():
            first, *more = content.pieces(document, names, "m.text")
            if not more:
                yield self._replace(said, first)
                return
        pieces = content.pieces(by_hand.answer(document), names, "m.notice")
        answers = {link.part: link for link in self.links if link.part.startswith(by_hand.EDITED)}
        yield from self._edit_texts(answers, [by_hand.EDITED], pieces, said)

    def _edit_texts(
        self, shown: dict[str, Link], prefixes: list[str], pieces: list[dict[str, Any]], answered: Link | None = None
    ) -> Iterator[Action]:
        wanted: set[str] = set()
        for prefix in prefixes:
            for number, piece in enumerate(pieces):
                part = _part(prefix, number)
                wanted.add(part)
                link = shown.get(part)
                if link is None:
                    relation = self._relation() if prefix != CHANNEL_COPY else None
                    yield self._send(part, piece, relation if answered is None else _answering(answered, relation))
                elif not link.deleted:
                    yield self._replace(link, piece)
        for part, link in shown.items():
            if not _is_file(part) and part not in wanted and not link.deleted:
                yield self._remove(link)

    def _replace(self, link: Link, piece: dict[str, Any]) -> SendEvent:
        key = action_key(self.event.source, "edit", link.part)
        full = content.edit(piece | self._from(link.part), link.event_id) | {STAMP: key}
        time = ts_to_ms(self.event.version) if self.event.version else None
        ghost = self.facts.stand_in(self.event.author.id, link.sender)
        record = by_hand.coming_back(link) if ghost is not None else None
        return SendEvent(key, self.room, link.sender, "m.room.message", full, time, record, ghost)

    def _remove(self, link: Link) -> RedactEvent:
        key = action_key(self.event.source, "remove", link.part)
        return RedactEvent(key, self.room, link.sender, link.event_id, record=RecordDeletion(self.event.ts, link.part))


# --- everything but messages


def _delete(event: SlackDeletion, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    links = facts.of_message(event.ts)
    if links and all(link.deleted for link in links):
        return Ignored("deleted already")
    assert portal.room is not None
    actions: list[Action] = [
        RedactEvent(
            action_key(event.source, link.part),
            portal.room,
            link.sender if link.origin is Origin.SLACK else facts.names.bot,
            link.event_id,
        )
        for link in _once(links)
        if not link.deleted and link.event_id
    ]
    actions.append(Note(action_key(event.source, "deleted"), RecordDeletion(event.ts)))
    return tuple(actions)


def _once(links: tuple[Link, ...]) -> Iterator[Link]:
    """Yield one link an event: a Matrix message that was split for Slack is one event still."""
    seen: set[EventId] = set()
    for link in links:
        if link.event_id not in seen:
            seen.add(link.event_id)
            yield link


def _answering(link: Link, relation: dict[str, Any] | None) -> dict[str, Any]:
    """Return the relation of an answer to what somebody said, in its thread if it is in one."""
    return {**(relation or {}), "is_falling_back": False, "m.in_reply_to": {"event_id": link.event_id}}


def _part(prefix: str, number: int) -> str:
    return prefix + (str(number) if number else "")


def _is_file(part: str) -> bool:
    return part.startswith("F")


def _related(relation: dict[str, Any] | None) -> dict[str, Any]:
    return {} if relation is None else {"m.relates_to": relation}
