"""What a piece of Slack's history tells that the ledger does not know: new messages, edits, deletions, reactions.

The result are payloads of the form in which Slack delivers events, each with its rank, so that they are read, decided
and performed like live ones. Comparing first keeps a look back over thousands of known messages from admitting any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portals.events import SlackMessage
from portals.facts import Origin
from portals.ids import AFTER_ALL, NO_TS, Ts, is_ts
from portals.reading.slack import ANNOUNCED, LOOK_BACK
from portals.reading.slack_messages import cut_reactions, is_hidden, message_of, reactions_of
from portals.relay import by_hand, system_notices
from portals.text import emoji

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from portals.events import Json
    from portals.facts import Link, ReactionLink, Workspace
    from portals.ids import ChannelId, TeamId


@dataclass(frozen=True, slots=True)
class News:
    """One thing that is not known yet; `rank` puts it in its place among the others."""

    rank: str
    payload: Json


def differences(
    messages: Iterable[Json],
    links: Sequence[Link],
    reactions: Sequence[ReactionLink],
    *,
    channel: ChannelId,
    workspace: Workspace,
    gap: int,
    since: Ts,
    as_of: Ts,
    archive: bool = False,
    system: str = system_notices.AS_LIVE,
    unreadable: list[tuple[Json, str]] | None = None,
) -> list[News]:
    """Return what history tells anew.

    `messages` are all that Slack has from `since` on (of a channel's time line, or of a thread), `links` and
    `reactions` what was known of the same span *before* Slack was asked: a link without a message was deleted.
    `reactions` hold the removed ones as well. `as_of` is when Slack said all this; an `archive` may be older than what
    is known, and then says nothing against it. What it shows of an edited message is shown with the mark of the edit.
    `system` says which of Slack's own words are brought (`system_notices.is_brought`).
    `unreadable` takes what is no message that anybody could show, and why.
    """
    made = _Maker(channel, workspace.team, gap, as_of, archive=archive)
    known: dict[Ts, list[Link]] = {}
    for link in links:
        known.setdefault(link.ts, []).append(link)
    reacted: dict[Ts, list[ReactionLink]] = {}
    for reaction in reactions:
        reacted.setdefault(reaction.ts, []).append(reaction)
    news: list[News] = []
    present: set[Ts] = set()
    for foreign in messages:
        message = message_of(foreign, "", channel, workspace, historic=True)
        if not isinstance(message, SlackMessage):
            if foreign.get("subtype") != "tombstone":
                present.add(Ts(str(foreign.get("ts"))))  # it is there, although it cannot be shown any more
            if unreadable is not None and not is_hidden(foreign):
                unreadable.append((foreign, message.reason))
            if archive and _is_lost_root(foreign) and Ts(foreign["ts"]) not in known:
                news.extend(made.lost_root(Ts(foreign["ts"]), foreign))
            continue
        present.add(message.ts)
        if not system_notices.is_brought(message, system):
            continue
        shown = known.get(message.ts, [])
        if message.own and not shown:
            continue
        if shown and all(link.deleted for link in shown):
            continue
        if not shown and archive and message.version:
            news.extend(made.edited_message(message, foreign))
        elif not shown or (_is_changed(message, shown) and not (archive and _is_older(message, shown))):
            news.append(made.message(message.ts, foreign, announced=not system_notices.is_shown(message)))
        news.extend(made.reactions(message.ts, foreign, reacted.get(message.ts, []), workspace))
    for ts, shown in known.items():
        if ts >= since and ts not in present and not all(link.deleted for link in shown):
            news.append(made.deletion(ts))
    return news


def _is_lost_root(foreign: Json) -> bool:
    """Tell whether a record is what is left of a deleted message that was answered."""
    ts = foreign.get("ts")
    return foreign.get("subtype") == "tombstone" and is_ts(str(ts)) and foreign.get("thread_ts") == ts


def shows(foreign: Json, channel: ChannelId, workspace: Workspace, system: str = system_notices.AS_LIVE) -> bool:
    """Tell whether a record would make anything to be seen in a room that does not have it yet."""
    message = message_of(foreign, "", channel, workspace, historic=True)
    return isinstance(message, SlackMessage) and not message.own and system_notices.is_brought(message, system)


def _is_changed(message: SlackMessage, shown: Sequence[Link]) -> bool:
    if any(link.origin is Origin.MATRIX for link in shown):
        return by_hand.edited(message, shown) is not None
    if system_notices.is_fixed(message) or any(message.digest in link.shown for link in shown):
        return False
    if (message.version or message.author.is_bot) and message.digest != shown[0].digest:
        return True
    files = {file.id for file in message.files}
    return files != {link.part for link in shown if link.part.startswith("F") and not link.deleted}


def _is_older(message: SlackMessage, shown: Sequence[Link]) -> bool:
    """Tell whether a message was edited after the state that is seen; Slack tells whole seconds of an edit."""
    return message.version.partition(".")[0] < max(link.version for link in shown).partition(".")[0]


class _Maker:
    """Makes payloads as Slack would have delivered them."""

    def __init__(self, channel: ChannelId, team: str, gap: int, as_of: Ts, *, archive: bool = False) -> None:
        self._channel = channel
        self._team = team
        self._gap = gap
        self._as_of = as_of
        self._archive = archive

    def message(self, ts: Ts, foreign: Json, *, announced: bool = False) -> News:
        payload = self._payload({**foreign, "type": "message", "channel": self._channel}, "")
        return News(ts, {**payload, ANNOUNCED: 1} if announced else payload)

    def edited_message(self, message: SlackMessage, foreign: Json) -> Iterable[News]:
        """Yield the message as if it had been written so, and its edit, which leaves the mark and its time alone."""
        first = {name: value for name, value in foreign.items() if name != "edited"}
        yield self.message(message.ts, first)
        event = {
            "type": "message",
            "subtype": "message_changed",
            "channel": self._channel,
            "message": foreign,
            "event_ts": message.version,
        }
        yield News(f"{message.ts}/changed", self._payload(event, f"{message.ts}/changed"))

    def lost_root(self, ts: Ts, foreign: Json) -> Iterable[News]:
        """Yield a message that stands for a deleted one, and its deletion: its answers are a thread as they were."""
        left_out = ("subtype", "hidden", "edited")
        stand_in = {name: value for name, value in foreign.items() if name not in left_out}
        yield self.message(ts, {**stand_in, "user": "USLACKBOT", "text": "This message was deleted."})
        yield self.deletion(ts)

    def deletion(self, ts: Ts) -> News:
        event = {"type": "message", "subtype": "message_deleted", "deleted_ts": ts, "channel": self._channel}
        return News(f"{ts}/deleted", self._payload(event, ""))

    def reactions(self, ts: Ts, foreign: Json, known: Sequence[ReactionLink], workspace: Workspace) -> Iterable[News]:
        there = {(name, str(user)) for name, user in reactions_of(foreign) if user != workspace.bot_user}
        shown = {(one.emoji, one.person) for one in known if one.origin is Origin.SLACK and not one.removed}
        hands = [one for one in known if one.hand and not one.removed]
        ours = {
            (name, user) for name, user in there for one in hands if user == one.hand and emoji.is_same(name, one.emoji)
        }
        newer = {(one.emoji, one.person) for one in known if self._archive and one.as_of > self._as_of}
        for name, user in sorted(there - shown - newer - ours):
            yield self._reaction("reaction_added", ts, name, user)
        cut = cut_reactions(foreign)
        for name, person in sorted(shown - there - newer):
            if name in cut:
                continue  # not named is not gone
            yield self._reaction("reaction_removed", ts, name, person)

    def _reaction(self, kind: str, ts: Ts, name: str, user: str) -> News:
        item = {"type": "message", "channel": self._channel, "ts": ts}
        event = {"type": kind, "user": user, "reaction": name, "item": item, "event_ts": self._as_of}
        return News(f"{ts}/{kind}", self._payload(event, f"{ts}/{kind}/{name}/{user}"))

    def pin(self, kind: str, ts: Ts, number: int) -> News:
        item = {"type": "message", "channel": self._channel, "message": {"ts": ts}}
        event = {"type": kind, "channel_id": self._channel, "item": item}
        return News(f"{AFTER_ALL}/{number:03d}", self._payload(event, f"{ts}/{kind}"))

    def _payload(self, event: Mapping[str, Any], name: str) -> Json:
        payload: dict[str, Any] = {"team_id": self._team, "event": event, LOOK_BACK: self._gap}
        if name:
            payload["event_id"] = f"seen:{self._gap}/{self._channel}/{name}"
        return payload


def pinned_in(message: Json, channel: ChannelId) -> bool:
    """Tell whether a message object says that it is pinned to the channel."""
    return channel in _sequence(message.get("pinned_to"))


def pins(items: Iterable[object], known: Collection[Ts], *, channel: ChannelId, team: TeamId, gap: int) -> list[News]:
    """Return what `pins.list` (newest first) tells anew, after all messages: oldest first, then what is gone."""
    listed: dict[Ts, None] = {}
    for item in items:
        message = item.get("message") if isinstance(item, Mapping) else None
        ts = message.get("ts") if isinstance(message, Mapping) else None
        if isinstance(ts, str) and is_ts(ts):
            listed[Ts(ts)] = None
    made = _Maker(channel, team, gap, NO_TS)
    added = [made.pin("pin_added", ts, number) for number, ts in enumerate(reversed(listed)) if ts not in known]
    return added + [made.pin("pin_removed", ts, len(listed)) for ts in sorted(set(known) - listed.keys())]


def described(changed: Mapping[str, str], *, channel: ChannelId, team: TeamId, gap: int) -> list[News]:
    """Return that a channel has another topic, purpose or name from now on, by the names that Slack has for these."""
    found = []
    for what, words in sorted(changed.items()):
        event = {"type": "message", "subtype": f"channel_{what}", "channel": channel, what: words}
        payload = {"team_id": team, "event": event, "event_id": f"seen:{gap}/{channel}/{what}", LOOK_BACK: gap}
        found.append(News(f"{AFTER_ALL}/{what}", payload))
    return found


def archived(*, channel: ChannelId, team: TeamId, gap: int, name: str = "archived") -> News:
    """Return that a channel is archived, after all that was said in it."""
    return _closed("channel_archive", f"{AFTER_ALL}/archived", channel, team, gap, name)


def opened(*, channel: ChannelId, team: TeamId, gap: int) -> News:
    """Return that a channel is archived no more, after all that was said in it."""
    return _closed("channel_unarchive", f"{AFTER_ALL}/opened", channel, team, gap, "opened")


def reopened(news: Sequence[News], *, channel: ChannelId, team: TeamId, gap: int) -> list[News]:
    """Return the news of a channel whose room is closed, with what opens it before them and closes it behind them.

    So it was in Slack: in an archived channel nobody can say, edit or react to anything.
    """
    spoken = [one for one in news if one.payload["event"]["type"] in ("message", "reaction_added")]
    if not spoken:
        return list(news)
    name = spoken[0].rank
    first = _closed("channel_unarchive", "", channel, team, gap, f"{name}/opened")
    return [first, *news, archived(channel=channel, team=team, gap=gap, name=f"{name}/archived")]


def _closed(kind: str, rank: str, channel: ChannelId, team: TeamId, gap: int, name: str) -> News:
    event = {"type": kind, "channel": channel}
    return News(rank, {"team_id": team, "event": event, "event_id": f"seen:{gap}/{channel}/{name}"})


def memberships(
    members: Collection[str],
    here: Collection[str],
    *,
    channel: ChannelId,
    team: TeamId,
    gap: int,
    at_the_end: bool = False,
) -> list[News]:
    """Return who joins and who leaves the room, where Slack has `members` in the channel and the room has `here`.

    Who joins comes before anything else that is shown, or `at_the_end` of it, so that nobody is told of what is old;
    who leaves comes after all of it.
    """

    def news(rank: str, kind: str, user: str) -> News:
        event = {"type": kind, "user": user, "channel": channel}
        name = f"seen:{gap}/{channel}/{kind}/{user}"
        return News(rank, {"team_id": team, "event": event, "event_id": name, LOOK_BACK: gap})

    return [
        *(
            news(AFTER_ALL if at_the_end else "", "member_joined_channel", user)
            for user in sorted(set(members) - set(here))
        ),
        *(news(AFTER_ALL, "member_left_channel", user) for user in sorted(set(here) - set(members))),
    ]


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else ()


def roots(messages: Iterable[Json]) -> list[tuple[Ts, int, Ts]]:
    """Return (ts, replies, newest reply) of every message that is the root of a thread, as Slack counts them."""
    found: list[tuple[Ts, int, Ts]] = []
    for message in messages:
        ts, count, latest = message.get("ts"), message.get("reply_count"), message.get("latest_reply")
        if isinstance(ts, str) and is_ts(ts) and isinstance(count, int) and count > 0:
            found.append((Ts(ts), count, Ts(latest) if isinstance(latest, str) and is_ts(latest) else Ts("")))
    return found
