"""The demo that stays up: a short conversation to begin with, then whatever its visitors say, on both sides.

Who watches may log in with any Matrix client, speak as a person in Slack from a shell, or type right here.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.panel import Panel
from rich.table import Table

from tests.demo import migration
from tests.demo.history import settled
from tests.demo.parts import CAUSEWAY, GUESTS, PASSWORD, Parts
from tests.demo.stage import BRIDGED, mirrored, stage_on
from tests.demo.words import slack_pieces

if TYPE_CHECKING:
    from rich.console import Console

    from tests.demo.stage import Stage

_PAUSE = 1.2
_HELP = (
    "Or type here:",
    "  #general hello from Matrix            (as Robin)",
    "  amara #general hello from Slack       (as Amara)",
)


async def stay(directory: Path, console: Console) -> int:
    """Show both sides until told to stop."""
    console.print("Starting the Slack sandbox, a Synapse and the bridge …")
    async with Parts(directory) as parts, stage_on(parts, console) as stage:
        console.print("The bridge mirrors the workspace …")
        await mirrored(stage)
        await settled(stage)
        _show_what_is_there(stage)
        await migration.show(stage, console)
        _show_how_to_take_part(stage, await parts.sign_in_link())
        stage.screen.begin(stage.slack, stage.people)
        async with asyncio.TaskGroup() as group:
            group.create_task(_converse(stage))
            if sys.stdin.isatty():
                group.create_task(_listen(stage))
            await asyncio.Event().wait()
    return 0


def _show_what_is_there(stage: Stage) -> None:
    table = Table(title=f"{stage.slack.team['name']}, on both sides", title_justify="left", show_edge=False)
    for column in ("Slack", "Matrix", "Lines", "Threads", "Files", "Reactions", "People"):
        table.add_column(column, justify="left" if column in ("Slack", "Matrix") else "right")
    for channel in BRIDGED:
        said, room = stage.slack.said(channel), stage.room(channel)
        files = sum(len(one.files) for one in said)
        people = sum(room.is_joined(stage.ghost(user)) for user in stage.slack.team["people"].values())
        table.add_row(
            f"#{stage.slack.names[stage.slack.channel_id(channel)]}",
            room.name,
            str(slack_pieces(said, stage.people, "Causeway").total() - files),
            str(len({one.thread for one in said if one.thread})),
            str(files),
            str(sum(len(who) for one in said for _, who in one.reactions)),
            str(people),
        )
    stage.console.print()
    stage.console.print(table)


def _show_how_to_take_part(stage: Stage, console: str) -> None:
    url = stage.parts.info["url"]
    slack = f"{_shown(sys.executable)} -m tests.sandbox.slack"
    robin, mira = GUESTS
    lines = [
        "In Matrix, with any client:",
        f"  homeserver {stage.parts.homeserver.url}   user {robin} (or {mira})   password {PASSWORD}",
        "  rooms are in the Space “Northwind Supply”; Element in a browser on this machine will do",
        "In Slack, from another terminal in this directory (as amara, bruno, chiara, daniel, eszter, farid …):",
        f'  {slack} speak  --url {url} --as amara "#general" "hello from Slack"',
        f'  {slack} reply  --url {url} --as bruno "#general" last "hi *Amara*"',
        f'  {slack} react  --url {url} --as bruno "#general" last tada',
        f'  {slack} upload --url {url} --as chiara "#design" README.md --text "have a look"',
        f'  {slack} read   --url {url} "#general"',
        *(_HELP if sys.stdin.isatty() else ()),
        f"The bridge, in a browser, as {GUESTS[0]} (the link works once, within ten minutes):",
        f"  {console}",
        "The bridge, here:",
        f"  {_shown(CAUSEWAY)} portals list --config {stage.parts.config}",
        f"  tail -f {stage.parts.directory}/bridge.log",
        "Ctrl-C stops all of it.",
    ]
    if stage.console.is_terminal:
        stage.console.print(Panel.fit("\n".join(lines), title="Take part"), markup=False, soft_wrap=True)
    else:
        stage.console.print("\n".join(lines), markup=False, soft_wrap=True)
    stage.console.print()


def _shown(program: str | Path) -> str:
    """A program as one types it here."""
    path = Path(program)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


async def _converse(stage: Stage) -> None:
    """A short conversation, slowly enough to follow."""
    slack, robin, mira = stage.slack, stage.robin, stage.mira
    room = stage.room("general").room_id
    asked = await slack.say("amara", "general", "Is anybody *on the other side* yet?")
    await asyncio.sleep(_PAUSE)
    await robin.say(room, "Yes! Reading you in Matrix", "Yes! Reading you in <strong>Matrix</strong>")
    await asyncio.sleep(_PAUSE)
    await slack.act("bruno", "react", "general", ts=asked, name="wave")
    shown = stage.matrix.find("general", "on the other side")
    if shown is not None:
        await mira.react(room, shown.event_id, "🎉")
        await asyncio.sleep(_PAUSE)
        await mira.thread(room, shown.event_id, "I am here as well, in the thread")
    await asyncio.sleep(_PAUSE)
    await slack.say("greta", "general", "Welcome :shipit:", thread_ts=asked)
    await asyncio.sleep(_PAUSE)
    lunch = await slack.say("ines", "general", "Lunch at 12:30?")
    await asyncio.sleep(_PAUSE)
    await slack.act("ines", "edit", "general", ts=lunch, text="Lunch at *13:00*?")
    await asyncio.sleep(_PAUSE)
    await robin.send_file(room, b"Soup\nSalad\nStrudel\n", "menu.txt", "text/plain", "Here is the menu")
    await asyncio.sleep(_PAUSE)


async def _listen(stage: Stage) -> None:
    """Speak what is typed in the terminal, until it is closed."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode(errors="replace").strip():
        try:
            await _speak(stage, line)
        except RuntimeError as refused:
            stage.console.print("\n".join([f"Not said: {refused}", *_HELP]), style="dim", markup=False)


async def _speak(stage: Stage, line: str) -> None:
    first, _, rest = line.partition(" ")
    if first.startswith("#"):
        room = stage.room(first.removeprefix("#")).room_id
        if not room:
            raise RuntimeError(f"there is no channel {first}")
        await stage.robin.say(room, rest)
        return
    channel, _, text = rest.partition(" ")
    await stage.slack.say(first, channel.removeprefix("#"), text)
