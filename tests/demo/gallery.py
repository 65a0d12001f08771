"""A channel of its own for every kind of message that looks otherwise on the other side.

It is made while the bridge runs. Elsewhere both sides are compared line by line; here each kind has a check of its own,
and at the end each is to be found exactly once on either side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.demo import kinds_from_matrix, kinds_from_slack
from tests.demo.report import Seen
from tests.demo.stage import GALLERY

if TYPE_CHECKING:
    from tests.demo.stage import Stage


async def play(stage: Stage) -> None:
    """Make the channel and fill it from both sides."""
    if await _is_open(stage):
        await stage.play(kinds_from_slack.play, kinds_from_matrix.play)
        await stage.play(kinds_from_matrix.play_room)


async def _is_open(stage: Stage) -> bool:
    bot = stage.slack.team["bot_user"]
    await stage.slack.create("chiara", GALLERY, ["amara", "hiro", bot])

    def look() -> Seen:
        room = stage.room(GALLERY)
        inside = [name for name in ("robin", "mira") if room.is_joined(f"@{name}:localhost")]
        return Seen(len(inside) == 2, f"{room.name or 'no room'} with {' and '.join(inside) or 'nobody'}")

    await stage.matrix.until_located(GALLERY, stage.report.patience)
    return await stage.report.expect(
        kinds_from_slack.GROUP, "a new channel that the bot is invited to", "#gallery with robin and mira", look
    )


async def check_both_sides(stage: Stage, group: str) -> None:
    """Read channel and room back and look for each kind on either side; that there is no room was noted before."""
    opened = stage.room(GALLERY).room_id
    if not opened:
        return
    said = await stage.slack.read_back(stage.slack.channel_id(GALLERY), stage.people)
    room = await stage.matrix.read_back(opened)
    in_slack = [f"{one.text} {' '.join(name for name, _ in one.files)}" for one in said]
    in_matrix = [f"{one.body} {one.html}" for one in room.messages.values()]
    samples = (*kinds_from_slack.SAMPLES, *kinds_from_matrix.SAMPLES)
    wrong = []
    for words in samples:
        seen = [sum(words in one for one in side) for side in (in_slack, in_matrix)]
        if seen != [1, 1]:
            wrong.append(f"{words}: {seen[0]} in Slack, {seen[1]} in Matrix")
    told = "; ".join(wrong) or f"{len(samples)} kinds, each once on either side"
    stage.report.note(
        group, f"#{GALLERY}: each kind of message is once on each side", "no difference", Seen(not wrong, told)
    )
