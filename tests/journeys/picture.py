"""Both sides read back as `Picture`s, from what the servers remember."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from tests.journeys.script import EMOJI, MATRIX, PEOPLE, SLACK, Picture, Shown
from tests.sandbox.homeserver.timeline import SHOWN, relation_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from tests.journeys.script import Tale
    from tests.sandbox.slack import Workspace

Json = dict[str, Any]

_NUMBER = re.compile(r"\bm(\d+)\b")
TOPIC = ("m.room.topic", "")
_SYSTEM = frozenset({"channel_join", "channel_leave", "channel_topic", "channel_name", "channel_purpose"})


def number_of(*texts: str) -> int:
    """Return the number that a message names in its words or file, 0 for none."""
    found = _NUMBER.search(" ".join(texts))
    return int(found[1]) if found else 0


def of_slack(workspace: Workspace, channel: str, tale: Tale) -> Picture:
    """Return what a channel shows."""
    entries = workspace.transcript(channel)
    numbers = [number_of(entry.text, *(name for name, _ in entry.files)) for entry in entries]
    parts: list[Shown] = []
    reactions: list[tuple[int, str, str]] = []
    for number, entry in zip(numbers, entries, strict=True):
        if entry.deleted or entry.subtype in _SYSTEM:
            continue
        root = numbers[entry.thread] if entry.thread is not None else 0
        digests = tuple(digest for _, digest in entry.files)
        parts.append(Shown(number, entry.author, _plain(entry.text), _alive(root, tale), digests))
        reactions += [(number, emoji, who) for emoji, people in entry.reactions for who in people]
    room = workspace.channel(channel)
    bot = workspace.installation.bot_user
    members = tuple(sorted(workspace.users[user].shown_name for user in room.members if user != bot))
    return _picture(parts, reactions, room.topic["value"], members, tale)


async def of_matrix(
    events: Sequence[Json], names: Mapping[str, str], media: Callable[[str], Awaitable[bytes]], tale: Tale
) -> Picture:
    """Return what a room shows; `names` are the names that its users have in the tale."""
    gone = {event["event_id"] for event in events if "redacted_because" in event.get("unsigned", {})}
    edits: dict[str, Json] = {}
    shown: dict[str, Json] = {}
    marks: list[Json] = []
    state: dict[tuple[str, str], Json] = {}
    for event in events:
        key: str | None = event.get("state_key")
        if key is not None:
            state[event["type"], key] = event
        elif event["event_id"] in gone:
            continue
        elif event["type"] == "m.reaction":
            marks.append(event)
        elif relation_of(event).get("rel_type") == "m.replace":
            edits[relation_of(event)["event_id"]] = event["content"]["m.new_content"]
        elif event["type"] in SHOWN:
            shown[event["event_id"]] = event
    numbers = {event_id: _number_of(event) for event_id, event in shown.items()}
    parts: list[Shown] = []
    for event_id, event in shown.items():
        content: Json = edits[event_id] if event_id in edits else event["content"]
        relation = relation_of(event)
        thread = numbers.get(relation["event_id"], 0) if relation.get("rel_type") == "m.thread" else 0
        who = names.get(event["sender"], event["sender"])
        if "url" in content:
            digest = hashlib.sha256(await media(content["url"])).hexdigest()
            parts.append(Shown(numbers[event_id], who, "", _alive(thread, tale), (digest,)))
        else:
            parts.append(Shown(numbers[event_id], who, _plain(content["body"]), _alive(thread, tale)))
    signs = {sign: name for name, sign in EMOJI.items()}
    reactions: list[tuple[int, str, str]] = []
    for mark in marks:
        relation = relation_of(mark)
        if relation["event_id"] in shown:
            sign, who = relation["key"], names.get(mark["sender"], mark["sender"])
            reactions.append((numbers[relation["event_id"]], signs.get(sign, sign), who))
    topic = state[TOPIC]["content"].get("topic", "") if TOPIC in state else ""
    members = sorted(
        names[user]
        for (kind, user), member in state.items()
        if kind == "m.room.member"
        and member["content"].get("membership") == "join"
        and names.get(user) in PEOPLE[SLACK]
    )
    return _picture(parts, reactions, topic, tuple(members), tale)


def _picture(
    parts: Iterable[Shown], reactions: list[tuple[int, str, str]], topic: str, members: tuple[str, ...], tale: Tale
) -> Picture:
    sides: dict[str, list[Shown]] = {SLACK: [], MATRIX: []}
    for part in parts:
        message = tale.messages.get(part.number)
        sides[message.post.side if message else SLACK].append(part)  # what nobody said differs from the tale anywhere
    return Picture(tuple(sides[SLACK]), tuple(sides[MATRIX]), tuple(sorted(reactions)), topic, members)


def _alive(root: int, tale: Tale) -> int:
    return 0 if root not in tale.messages or tale.messages[root].deleted else root


def _number_of(event: Json) -> int:
    content = event["content"]
    return number_of(content.get("body", ""), content.get("filename", ""))


def _plain(words: str) -> str:
    return words.replace("*", "")
