"""What a room should show of the records of an archive: the bridge's own conversion, asked without a ledger.

A record is read and decided as a new message would be, so that what is expected is what the relaying makes of its final
state. Where a room may rightly show one of several forms, all of them are expected: a preview of a linked page that
Slack added later, or the name of somebody whom the archive does not know.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from portals import text
from portals.actions import SOURCE, SendEvent, SendFile
from portals.events import Ignored, SlackAuthor, SlackMessage
from portals.facts import Channel, Direction, Facts, Person, Portal, PortalState, Rules
from portals.history import digest
from portals.history.evidence import EXCERPT, OURS, TOMBSTONE, Expected, ExpectedFile, ExpectedPart
from portals.history.export import files_in
from portals.ids import PortalId, RoomId, SlackUserId
from portals.reading.slack_messages import message_of, reactions_of
from portals.reading.values import number, objects, text_of, ts_of
from portals.relay import to_matrix
from portals.relay.channel_changes import mentioned
from portals.relay.content import topic
from portals.relay.naming import names_of
from portals.relay.system_notices import AS_LIVE, is_shown
from portals.relay.system_notices import is_brought as is_brought_over
from portals.text import emoji, label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from portals.actions import Action
    from portals.events import Json
    from portals.facts import Needs, Workspace
    from portals.history.export import ExportedChannel
    from portals.ids import ChannelId, GhostNames

_ROOM = RoomId("!room")
_REASON = "{reason}"
LEFT_OUT = "Slack's own words, which imports leave out as configured"
_MENTIONS = frozenset({"file_mention", "file_comment"})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the records: who is who, how places are called, and what the configuration says.

    `who` returns the Slack id that a Matrix user id stands for, or nothing.
    """

    names: GhostNames
    workspace: Workspace
    who: Callable[[str], str]
    hands: Mapping[str, str] = field(default_factory=dict)
    """The Slack ids as which people of Matrix act there by tokens of their own, by their Matrix ids."""
    rules: Rules = field(default_factory=Rules)
    people: Mapping[SlackUserId, Person] = field(default_factory=dict)
    met: Mapping[SlackUserId, Person] = field(default_factory=dict)
    """Whom the source does not list, and the bridge came to know at some time: before a message, or after it."""
    channels: Mapping[ChannelId, str] = field(default_factory=dict)
    usergroups: Mapping[str, str] = field(default_factory=dict)
    emoji: Mapping[str, str] = field(default_factory=dict)
    """The standard emoji of which each of the workspace's own names is another name."""
    system: str = AS_LIVE
    """Which of Slack's own words imports bring."""


class Expecting:
    """Says of each record of one channel what a room should show of it."""

    def __init__(self, channel: ChannelId, known: Known) -> None:
        self._channel = channel
        self._known = known
        self._portal = Portal(PortalId(0), known.workspace.team, channel, _ROOM, Direction.TO_MATRIX, PortalState.LIVE)

    def of(self, record: Json, place: str) -> Expected:
        """Return what is expected of a record that stands at a place of the archive."""
        ts = ts_of(record.get("ts"))
        message = self._read(record)
        if isinstance(message, Ignored):
            gone = text_of(record.get("subtype")) == "tombstone"
            expected = Expected(ts, place, absence=TOMBSTONE if gone else message.reason)
            return self._reacted(_filed(expected, record), record)
        author = message.author
        expected = Expected(
            ts,
            place,
            author.id,
            name=label_of(author.name) if author.is_bot else "",
            thread=message.thread_ts or "",
            is_root=record.get("thread_ts") == ts,
            absence=OURS if message.own else "",
            edited="" if message.system else message.version,
        )
        is_brought = is_brought_over(message, self._known.system)
        expected = replace(expected, optional=is_brought != is_shown(message))
        if not is_brought and expected.optional:
            expected = replace(expected, absence=LEFT_OUT)
        elif not message.own:
            parts, absence = self._parts(record, replace(message, announced=is_brought))
            expected = replace(expected, parts=parts, absence=absence)
        return self._reacted(_filed(expected, record), record)

    def topics(self, channel: ExportedChannel) -> tuple[str, ...]:
        """Return what the topic of a room may say of the channel's topic and purpose, the likeliest first."""
        nobody = SlackAuthor(SlackUserId(""), False, "")
        needs = mentioned(channel.topic, channel.purpose)
        said = (topic(channel.topic, channel.purpose, names_of(facts)) for facts in self._facts(needs, nobody))
        return tuple(dict.fromkeys(said))

    def _read(self, record: Json) -> SlackMessage | Ignored:
        return message_of(record, "expected", self._channel, self._known.workspace, historic=True)

    # --- its parts

    def _parts(self, record: Json, message: SlackMessage) -> tuple[tuple[ExpectedPart, ...], str]:
        """Return the parts of a message, or why it has none."""
        found: dict[str, ExpectedPart] = {}
        reason = ""
        for variant in self._variants(record, message):
            for facts in self._facts(to_matrix.needs(variant), variant.author):
                decision = to_matrix.decide(variant, self._portal, facts)
                if isinstance(decision, Ignored):
                    reason = reason or decision.reason
                    continue
                for part in self._made(decision, variant):
                    found[part.part] = _with_form(found.get(part.part), part)
        return tuple(found.values()), "" if found else reason

    def _variants(self, record: Json, message: SlackMessage) -> Iterator[SlackMessage]:
        """Yield a message, and as it was before Slack showed beside it what its links lead to."""
        yield message
        attachments = objects(record.get("attachments"))
        own = [one for one in attachments if not one.get("from_url") and not one.get("app_unfurl_url")]
        if len(own) < len(attachments):
            bare = self._read({**record, "attachments": own})
            assert isinstance(bare, SlackMessage)
            yield replace(bare, announced=message.announced)

    def _facts(self, needs: Needs, author: SlackAuthor) -> Iterator[Facts]:
        """Yield what is known, with those of whom nothing is known by their ids, and then without them.

        The same follows with those who may not have been known at that time.
        """
        met = {user: self._known.met[user] for user in needs.slack_users if user in self._known.met}
        yield from self._facts_with(met, needs, author)
        if met:
            yield from self._facts_with({}, needs, author)

    def _facts_with(self, met: Mapping[SlackUserId, Person], needs: Needs, author: SlackAuthor) -> Iterator[Facts]:
        known, team = self._known, self._known.workspace.team
        people = {**met, **{user: known.people[user] for user in needs.slack_users if user in known.people}}
        unknown = needs.slack_users - people.keys() - {author.id}
        if author.is_bot:
            people[author.id] = Person(author.id, author.name, known.names.ghost(team, author.id), is_bot=True)
        facts = Facts(
            names=known.names,
            workspace=known.workspace,
            rules=known.rules,
            people=people | {user: Person(user, user, known.names.ghost(team, user)) for user in unknown},
            channels={one: Channel(one, known.channels[one], _ROOM) for one in needs.channels if one in known.channels},
            usergroups={one: known.usergroups[one] for one in needs.usergroups if one in known.usergroups},
            emoji={one: known.emoji[one] for one in needs.emoji if one in known.emoji},
        )
        yield facts
        if unknown:
            yield replace(facts, people=people)

    def _made(self, actions: tuple[Action, ...], message: SlackMessage) -> Iterator[ExpectedPart]:
        files = {file.id: file for file in message.files}
        for action in actions:
            if isinstance(action, SendFile):
                about = ExpectedFile(
                    id=action.file_id,
                    name=text_of(action.content["filename"]),
                    mimetype=action.mimetype,
                    size=action.size,
                    absence=action.fallback.partition(_REASON)[0],
                    has_bytes=True,
                    untold=files[action.file_id].must_ask,
                )
                yield self._part(action.file_id, action.content, message, about)
                continue
            assert isinstance(action, SendEvent)
            part = text_of(action.content[SOURCE].get("part"))
            file = files.get(part)
            told = ExpectedFile(part, label_of(file.name, part), untold=file.must_ask) if file else None
            yield self._part(part, action.content, message, told)

    def _part(self, part: str, content: Json, message: SlackMessage, file: ExpectedFile | None) -> ExpectedPart:
        form, plain, line, nameless = form_of(message.ts, part, message.author.id, content, self._known.who)
        mentions = bool(text.mentions(message.document).channels)
        return ExpectedPart(part, ((form, plain, line),), excerpt(content), file, (nameless,) if mentions else ())

    # --- its reactions

    def _reacted(self, expected: Expected, record: Json) -> Expected:
        bot = self._known.workspace.bot_user
        named = list(reactions_of(record))
        others = [(str(user), self.key(name)) for name, user in named if not (bot and user == bot)]
        reactions = tuple(sorted(set(others)))
        counted = sum(
            max(number(one.get("count")), len(users) if isinstance(users := one.get("users"), list) else 0)
            for one in objects(record.get("reactions"))
        )
        return replace(
            expected,
            reactions=reactions,
            unnamed=max(counted - len(named), 0),
            renamed=len(others) - len(reactions),
            own=len(named) - len(others),
        )

    def key(self, name: str) -> str:
        """Return how a reaction is told from others in the room, from Slack's name of its emoji."""
        return emoji.unicode_of(name) or self._known.emoji.get(name) or f":{name}:"


def _filed(expected: Expected, record: Json) -> Expected:
    """Add the files that the record names and the conversion knows nothing of, and count those that are gone."""
    shown = {part.file.id for part in expected.parts if part.file is not None}
    parts, gone, mentioned = list(expected.parts), 0, 0
    only_mentioned = text_of(record.get("subtype")) in _MENTIONS and not record.get("files")
    for file in files_in(record):
        file_id = text_of(file.get("id"))
        if file_id in shown:
            continue
        if only_mentioned:
            mentioned += 1
        elif file_id and file.get("mode") != "tombstone":
            name = label_of(text_of(file.get("name")), file_id)
            parts.append(ExpectedPart(file_id, (), name, ExpectedFile(file_id, name, untold=True)))
        else:
            gone += 1
    return replace(expected, parts=tuple(parts), gone=gone, mentioned=mentioned)


def _with_form(before: ExpectedPart | None, part: ExpectedPart) -> ExpectedPart:
    if before is None:
        return part
    return replace(
        before,
        forms=tuple(dict.fromkeys((*before.forms, *part.forms))),
        nameless=tuple(dict.fromkeys((*before.nameless, *part.nameless))),
    )


def form_of(ts: str, part: str, author: str, content: Json, who: Callable[[str], str]) -> tuple[str, str, str, str]:
    """Return names of what a content says: with its msgtype, without its formatting, as a line of the digest, nameless.

    They are those that ExpectedPart and ShownPart speak of.
    """
    msgtype, words, plain = text_of(content.get("msgtype")), digest.said(content, who), digest.plain(content, who)
    return (
        digest.short(f"{msgtype}\n{words}"),
        digest.short(plain),
        digest.line(ts, part, author, msgtype, words),
        digest.short(digest.without_channels(f"{msgtype}\n{words}\n{plain}")) if "#" in plain else "",
    )


def excerpt(content: Json) -> str:
    """Return the beginning of what a content says, for a reader of the report."""
    body = text_of(content.get("body"))
    words = body[:EXCERPT] + ("…" if len(body) > EXCERPT else "")
    return words.encode(errors="replace").decode()
