"""The seeded workspace in Matrix: rooms, Space, people and everything that was said before the bridge came.

`check_both_sides` is also the reading back at the end: every line, file and reaction exactly once on each side.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.demo import words
from tests.demo.looks import equal
from tests.demo.report import Seen
from tests.demo.stage import BOT, BRIDGED
from tests.sandbox.homeserver.transport import RequestRefused

if TYPE_CHECKING:
    from tests.demo.matrix_side import Json, Room
    from tests.demo.slack_side import Said
    from tests.demo.stage import Stage

_GROUP = "The workspace, mirrored"
_MOST_SHOWN = 3


async def check_mirror(stage: Stage) -> None:
    """Check what the bridge made of the seed."""
    await _check_rooms(stage)
    await _check_space(stage)
    await _check_people(stage)
    await settled(stage)
    await check_both_sides(stage, _GROUP)


async def _check_rooms(stage: Stage) -> None:
    report = stage.report
    names = " ".join(f"#{channel}" for channel in BRIDGED)
    await report.expect(
        _GROUP,
        "a room for each channel that the bot may be in, by name",
        names,
        lambda: equal(" ".join(stage.room(channel).name for channel in BRIDGED), names),
    )
    topic = "Deploys on Tuesdays and Thursdays & never on Fridays"
    await report.expect(_GROUP, "its topic", topic, lambda: equal(stage.room("engineering").topic, topic))
    none = "M_NOT_FOUND"
    hidden = stage.slack.channel_id("finance-private")
    try:
        seen = await stage.robin.resolve(f"#slack_{stage.slack.team['id']}_{hidden}:localhost".lower())
    except RequestRefused as refused:
        seen = refused.code
    report.note(_GROUP, "no room for a private channel without the bot", none, Seen(seen == none, seen))
    channel = stage.slack.channel_id("design")
    wanted = f"slack / Northwind Supply / design ({channel})"
    await report.expect(
        _GROUP, "m.bridge and uk.half-shot.bridge state", wanted, lambda: _bridges(stage, channel, wanted)
    )


def _bridges(stage: Stage, channel: str, wanted: str) -> Seen:
    bridges = [_bridge(stage.room("design"), kind, channel) for kind in ("m.bridge", "uk.half-shot.bridge")]
    return Seen(bridges == [wanted] * 2, "; ".join(bridges))


def _bridge(room: Room, kind: str, channel: str) -> str:
    content: Json = next((said for (which, _), said in room.state.items() if which == kind), {})
    if not content:
        return "none"
    shown = content["channel"]
    return f"{content['protocol']['id']} / {content['network']['displayname']} / {shown['displayname']} ({shown['id']})"


async def _check_space(stage: Stage) -> None:
    await stage.report.expect(
        _GROUP, "a Space that holds the rooms", f"Northwind Supply with {len(BRIDGED)} rooms", lambda: _space(stage)
    )


def _space(stage: Stage) -> Seen:
    wanted = {stage.room(channel).room_id for channel in BRIDGED}
    space = next((room for room in stage.matrix.rooms.values() if _is_space(room)), None)
    children = set() if space is None else {key for kind, key in space.state if kind == "m.space.child"}
    name = space.name if space else "none"
    return Seen(name == "Northwind Supply" and children == wanted, f"{name} with {len(children & wanted)} rooms")


def _is_space(room: Room) -> bool:
    return room.state.get(("m.room.create", ""), {}).get("type") == "m.space"


async def _profile(stage: Stage, user: str) -> str:
    try:
        profile = await stage.robin.profile(stage.ghost(user))
        found = hashlib.sha256(await stage.robin.download(profile.get("avatar_url", ""))).hexdigest()
    except RequestRefused as refused:
        return str(refused)
    return f"{profile.get('displayname')}, picture {found[:8]}"


async def _check_people(stage: Stage) -> None:
    amara = stage.slack.user_id("amara")
    avatar = await stage.slack.avatar_of(amara)
    wanted = f"Amara, picture {avatar[:8]}"
    seen = await _profile(stage, amara)
    deadline = time.monotonic() + stage.report.patience
    while seen != wanted and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        seen = await _profile(stage, amara)
    stage.report.note(_GROUP, "people under their own name and avatar", wanted, Seen(seen == wanted, seen))
    members = len(stage.slack.team["people"])
    await stage.report.expect(
        _GROUP,
        "members of a channel are members of its room",
        "10 people",
        lambda: _seen_members(stage, members),
    )


def _seen_members(stage: Stage, most: int) -> Seen:
    room = stage.room("general")
    ghosts = [user for user in map(stage.ghost, stage.slack.team["people"].values()) if room.is_joined(user)]
    return Seen(len(ghosts) == 10, f"{len(ghosts)} of the workspace's {most} people")


async def settled(stage: Stage) -> None:
    """Wait until as much is in Matrix as in Slack; whether it is the same is another question."""
    deadline = time.monotonic() + stage.report.patience
    while time.monotonic() < deadline:
        counts = [await _count(stage, channel) for channel in BRIDGED]
        if all(slack <= matrix for slack, matrix in counts):
            return
        await asyncio.sleep(0.1)


async def _count(stage: Stage, channel: str) -> tuple[int, int]:
    said = stage.slack.said(channel)
    in_slack = words.slack_pieces(said, stage.people, "Causeway")
    in_matrix = words.matrix_pieces(stage.room(channel), {}, BOT)
    reactions = sum(words.slack_reactions(said, "Causeway").values())
    shown = [sender for one in stage.room(channel).messages.values() for _, sender in one.reactions.values()]
    return in_slack.total() + reactions, in_matrix.total() + sum(sender.startswith("@slack_") for sender in shown)


# --- reading both sides back


async def check_both_sides(stage: Stage, group: str) -> None:
    """Read each channel over the Web API and each room as a person, and compare all that is said there."""
    deadline = time.monotonic() + stage.report.patience
    for channel in BRIDGED:
        seen = await _read_back(stage, channel)
        while not seen.holds and time.monotonic() < deadline:
            await asyncio.sleep(1)
            seen = await _read_back(stage, channel)
        stage.report.note(
            group, f"#{channel}: every line, file and reaction is once on each side", "no difference", seen
        )


async def _read_back(stage: Stage, channel: str) -> Seen:
    said = await stage.slack.read_back(stage.slack.channel_id(channel), stage.people)
    room = await stage.matrix.read_back(stage.room(channel).room_id)
    return await _compare(stage, said, room)


async def _compare(stage: Stage, said: tuple[Said, ...], room: Room) -> Seen:
    digests = {}
    for one in room.messages.values():
        url = one.content.get("url")
        if url and not one.redacted:
            digests[url] = hashlib.sha256(await stage.robin.download(url)).hexdigest()
    in_slack = words.slack_pieces(said, stage.people, "Causeway")
    in_matrix = words.matrix_pieces(room, digests, BOT)
    reacted = Counter(who for who, _ in words.slack_reactions(said, "Causeway").elements())
    shown = Counter(
        room.name_of(sender)
        for one in room.messages.values()
        for _, sender in one.reactions.values()
        if sender.startswith("@slack_")
    )
    wrong = [
        *_differences("only in Slack", in_slack - in_matrix),
        *_differences("only in Matrix", in_matrix - in_slack),
        *(f"reactions only in Slack: {name} ×{count}" for name, count in (reacted - shown).items()),
        *(f"reactions only in Matrix: {name} ×{count}" for name, count in (shown - reacted).items()),
    ]
    if wrong:
        more = f" and {len(wrong) - _MOST_SHOWN} more" if len(wrong) > _MOST_SHOWN else ""
        return Seen(False, "; ".join(wrong[:_MOST_SHOWN]) + more)
    files = sum(len(one.files) for one in said)
    return Seen(True, f"{in_slack.total() - files} lines, {files} files, {reacted.total()} reactions")


def _differences(where: str, pieces: Counter[words.Piece]) -> list[str]:
    return [f"{where}: {who} “{what[:60]}” ×{count}" for (who, what), count in pieces.items()]
