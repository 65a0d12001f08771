"""What a channel is, against what its room is: who is in it, and what is pinned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portals.history.evidence import Difference

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from portals.history.evidence import Tally

LARGE = "the channel is large: people come when they write"
INVITED = "invited, and not come yet"
NOT_SHOWN = "on messages that are not shown"
MISSED = "on messages that are missing, which are told as such"
CHANGED = "the channel is mirrored, and its topic may have changed since the source was made"
OWN_BOT = "the bridge's own bot, which is in the room by itself"


@dataclass(frozen=True, slots=True)
class Membership:
    """How somebody stands to the room, by Matrix's word, and since when (ms)."""

    membership: str
    at: int


def members(
    wanted: Collection[str],
    there: Mapping[str, Membership],
    tally: Tally,
    *,
    own: str,
    limit: int,
    wrote: Callable[[str], bool],
    is_newer: Callable[[int], bool],
) -> Iterator[Difference]:
    """Yield who of the channel's members is not in the room, and who of the room's is no member and never was.

    `there` is by Slack id. More members than `limit` do not come by themselves; `own` is the bridge's bot.
    """
    tally.source += len(wanted)
    for user in sorted(wanted):
        stands = there.get(user)
        if stands is not None and stands.membership == "join":
            tally.present += 1
        elif user == own:
            tally.explain(OWN_BOT)
        elif stands is not None and stands.membership == "invite":
            tally.explain(INVITED)
        elif stands is not None and is_newer(stands.at):
            tally.explain("left since the source was made")
        elif len(wanted) > limit and not wrote(user):
            tally.explain(LARGE)
        else:
            tally.missing += 1
            yield Difference("members", "missing", expected=user)
    for user, stands in sorted(there.items()):
        is_person = not user.startswith("B")
        is_known = user in wanted or wrote(user) or is_newer(stands.at)
        if stands.membership == "join" and is_person and not is_known:
            tally.unexpected += 1
            yield Difference("members", "unexpected", found=user)


def pins(
    wanted: Sequence[str],
    pinned: Mapping[str, str],
    tally: Tally,
    *,
    stands: Callable[[str], str | None],
    is_newer: bool,
    kept_back: Callable[[str], str] = lambda _: "",
) -> Iterator[Difference]:
    """Yield which pins of the channel the room lacks, and which it has besides.

    `pinned` are the pinned events by the ts of the messages that they show. `stands` returns the event that shows a
    message, an empty text for one that is expected and missing, None for one that is not to be shown; `kept_back` why
    no pin crossed.
    """
    tally.source += len(wanted)
    for ts in wanted:
        event = stands(ts)
        if ts in pinned:
            tally.present += 1
        elif event is None:
            tally.explain(NOT_SHOWN)
        elif not event:
            tally.explain(MISSED)
        elif reason := kept_back(ts):
            tally.explain(reason)
        elif is_newer:
            tally.explain("taken off since the source was made")
        else:
            tally.missing += 1
            yield Difference("pins", "missing", ts, event_id=event)
    for ts, event in pinned.items():
        if ts not in wanted and not is_newer:
            tally.unexpected += 1
            yield Difference("pins", "unexpected", ts, event_id=event)


def topic(wanted: Sequence[str], found: str, tally: Tally, *, is_newer: bool) -> Iterator[Difference]:
    """Yield that a room says something else than any of what it may say of its channel's topic and purpose."""
    has_one = any(wanted)
    tally.source += has_one
    if found in wanted:
        tally.present += has_one
    elif is_newer:
        tally.explain(CHANGED, has_one)
    else:
        tally.differing += has_one
        tally.unexpected += not has_one
        yield Difference("topics", "topic", expected=wanted[0], found=found)
