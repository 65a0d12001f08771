"""What the files of a Slack export hold, as values: its channels, its days, and what is wrong with them.

Whatever a file holds instead of what it should, nothing here raises: what can be used is returned, and beside it a
`Problem` for everything that cannot, with its place in the archive. Source of the shapes:
https://slack.com/help/articles/220556107-How-to-read-Slack-data-exports
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from portals.ids import ChannelId, SlackUserId, TeamId, Ts, is_slack_id, is_ts
from portals.reading.values import mapping, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portals.events import Json

Kind = Literal["public", "private", "dm", "group_dm"]

KINDS: tuple[Kind, ...] = ("public", "private", "dm", "group_dm")

CHANNEL_FILES: Mapping[str, Kind] = {
    "channels.json": "public",
    "groups.json": "private",
    "mpims.json": "group_dm",
    "dms.json": "dm",
}
"""The files that list channels, and of which kind theirs are unless a channel's own flags say otherwise."""

_NO_TEAM = TeamId("")
_NOBODY = SlackUserId("")
_LATEST = 2**40
"""No second of Slack's lies behind this one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in an archive that cannot be used: `where` is its path, with the index of a record inside a file."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class ExportedChannel:
    """A channel as an export lists it.

    `folder` is the path of its days in the archive, empty where there are none. `team` is empty where nothing tells
    it. `pins` are in the order in which they were set, oldest first. `created` is in whole seconds. One that is not
    `listed` has days in the archive and stands in none of its lists.
    """

    id: ChannelId
    name: str
    kind: Kind
    folder: str = ""
    team: TeamId = _NO_TEAM
    topic: str = ""
    purpose: str = ""
    members: tuple[SlackUserId, ...] = ()
    pins: tuple[Ts, ...] = ()
    archived: bool = False
    created: int = 0
    creator: SlackUserId = _NOBODY
    general: bool = False
    listed: bool = True


def channel_of(entry: object, listed_in: Kind, where: str) -> tuple[ExportedChannel | None, list[Problem]]:
    """Return the channel that an entry of a list describes, and what of the entry cannot be used."""
    if not isinstance(entry, Mapping):
        return None, [Problem(where, f"{_kind_of(entry)} stands where a channel should be")]
    channel_id = text_of(entry.get("id"))
    if not is_slack_id(channel_id):
        return None, [Problem(where, "a channel without an id: it is left out")]
    problems: list[Problem] = []
    team = text_of(entry.get("context_team_id")) or text_of(entry.get("team_id"))
    creator = text_of(entry.get("creator"))
    channel = ExportedChannel(
        id=ChannelId(channel_id),
        name=text_of(entry.get("name")) or channel_id,
        kind=_kind(entry, listed_in),
        team=TeamId(team if is_slack_id(team) else ""),
        topic=text_of(mapping(entry.get("topic")).get("value")),
        purpose=text_of(mapping(entry.get("purpose")).get("value")),
        members=_members(entry.get("members"), where, problems),
        pins=_pins(entry.get("pins"), where, problems),
        archived=entry.get("is_archived") is True,
        created=whole_seconds(entry.get("created")),
        creator=SlackUserId(creator if is_slack_id(creator) else ""),
        general=entry.get("is_general") is True,
    )
    return channel, problems


def unlisted_channel(channel_id: ChannelId, folder: str, name: str) -> ExportedChannel:
    """Return a channel of which only the days are there; nobody may see it who could not prove that they should."""
    kind: Kind = "private"
    if channel_id.startswith("D"):
        kind = "dm"
    elif name.startswith("mpdm-"):
        kind = "group_dm"
    return ExportedChannel(id=channel_id, name=name, kind=kind, folder=folder, listed=False)


def channel_told_by(records: Iterable[Json]) -> ChannelId | None:
    """Return the channel in which records say that they were written, where they say so and agree."""
    told = {found for record in records if is_slack_id(found := text_of(record.get("channel")))}
    return ChannelId(told.pop()) if len(told) == 1 else None


def is_channel_id(text: str) -> bool:
    """Tell whether a folder's name is the id of a channel, a private one or a conversation; names are lower case."""
    return text[:1] in ("C", "G", "D") and is_slack_id(text)


def _kind(entry: Json, listed_in: Kind) -> Kind:
    if entry.get("is_im") is True:
        return "dm"
    if entry.get("is_mpim") is True:
        return "group_dm"
    if listed_in == "public" and entry.get("is_private") is True:
        return "private"
    return listed_in


def _members(value: object, where: str, problems: list[Problem]) -> tuple[SlackUserId, ...]:
    found: dict[SlackUserId, None] = {}
    for index, member in enumerate(_listed(value, where, "members", problems)):
        if isinstance(member, str) and is_slack_id(member):
            found[SlackUserId(member)] = None
        else:
            problems.append(Problem(f"{where}.members[{index}]", f"{_kind_of(member)} is no id of a person"))
    return tuple(found)


def _pins(value: object, where: str, problems: list[Problem]) -> tuple[Ts, ...]:
    found: dict[Ts, int] = {}
    for index, pin in enumerate(_listed(value, where, "pins", problems)):
        ts = mapping(pin).get("id")
        if isinstance(ts, str) and is_ts(ts):
            found.setdefault(Ts(ts), whole_seconds(mapping(pin).get("created")))
        else:
            problems.append(Problem(f"{where}.pins[{index}]", "a pin that names no message"))
    return tuple(sorted(found, key=lambda ts: (found[ts], moment(ts))))


def _listed(value: object, where: str, name: str, problems: list[Problem]) -> Sequence[object]:
    if value is None:
        return ()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return value
    problems.append(Problem(f"{where}.{name}", f"{_kind_of(value)} stands where a list should be"))
    return ()


def whole_seconds(value: object) -> int:
    """Return a time in whole seconds, which exports write as a number or as its digits; 0 for anything else."""
    if isinstance(value, str):
        digits = value.partition(".")[0]
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else 0
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LATEST:
        return int(value)
    return 0


# --- the records of a day


def records_of(values: Sequence[object], path: str, first: int = 0) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Return the records among the values of a day file in the order of their time, and what is wrong with the others.

    `first` is the index of the first value in its file. A record without a time keeps its place behind the one before.
    """
    records: list[dict[str, Any]] = []
    problems: list[Problem] = []
    times: list[str] = []
    timed: list[str] = []
    in_order, before = True, ""
    for index, value in enumerate(values, first):
        if not isinstance(value, dict):
            problems.append(Problem(f"{path}[{index}]", f"{_kind_of(value)} stands where a message should be"))
            continue
        ts = value.get("ts")
        if not isinstance(ts, str) or not is_ts(ts):
            problems.append(Problem(f"{path}[{index}]", "a message without a time stamp"))
            ts = before
        else:
            if in_order and before and not _follows(ts, before):
                in_order = False
            timed.append(ts)
        records.append(value)
        times.append(ts)
        before = ts
    if not in_order:
        ordered = sorted(range(len(records)), key=lambda index: moment(times[index]))
        records = [records[index] for index in ordered]
    if repeated := len(timed) - len(set(timed)):
        problems.append(Problem(path, f"{repeated} of its messages have the time stamp of another one"))
    return records, problems


def _follows(ts: str, before: str) -> bool:
    """Tell whether a time is not before another one; the usual ones, of ten digits and a point, without a parse."""
    if len(ts) == len(before) and ts[10:11] == before[10:11] == ".":
        return ts >= before
    return moment(ts) >= moment(before)


def moment(ts: str) -> tuple[int, str]:
    """Return what orders time stamps by time, however many digits they have; no time comes before all."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds or 0), fraction.ljust(9, "0")


def files_in(record: Json) -> tuple[Json, ...]:
    """Return the file objects of a record, each id once: those of `files`, and the one of `file` as before 2018."""
    files, old = record.get("files"), record.get("file")
    if not files and not old:
        return ()
    found: dict[object, Json] = {}
    for file in (*objects(files), *objects([old])):
        file_id = file.get("id")
        found.setdefault(file_id if isinstance(file_id, str) else id(file), file)
    return tuple(found.values())


_KINDS_OF = {
    str: "a text",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def _kind_of(value: object) -> str:
    return "nothing" if value is None else _KINDS_OF.get(type(value), "something else")
