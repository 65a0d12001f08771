"""The live transcript: what happens in Slack on the left, what happens in Matrix on the right, as it happens.

On a terminal there are two columns; elsewhere each line says its side. What was there before the watching began is
not shown again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from tests.demo.words import slack_lines
from tests.sandbox.homeserver.timeline import SHOWN, relation_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

    from tests.demo.matrix_side import MatrixSide, Room
    from tests.demo.slack_side import Said, SlackSide

Json = dict[str, Any]  # Any: JSON of Matrix's
_SLACK, _MATRIX = "Slack", "Matrix"
_STYLES = {_SLACK: "magenta", _MATRIX: "cyan"}
_LONGEST = 160


class Screen:
    """Prints one line a happening; silent until `begin`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = False
        self._before: dict[str, dict[str, Said]] = {}
        self._names: dict[str, str] = {}

    def begin(self, slack: SlackSide, people: Mapping[str, str]) -> None:
        """Show what happens from now on; `people` are names in Slack by id."""
        self._before = {channel: {one.ts: one for one in said} for channel, said in slack.channels.items()}
        self._names = dict(people)
        self._begun = True
        if self._console.is_terminal:
            half = self._console.width // 2
            self._console.print(
                Text(set_cell_size("  Slack", half), "bold magenta") + Text("│ ", "dim") + Text("Matrix", "bold cyan")
            )
            self._console.print(Text("─" * half + "┼" + "─" * (self._console.width - half - 1), "dim"))

    # --- Slack

    def look_at_slack(self, slack: SlackSide) -> None:
        """Show what differs from the last look."""
        if not self._begun:
            return
        for channel, said in slack.channels.items():
            before = self._before.get(channel, {})
            now = {one.ts: one for one in said}
            for line in _changes(before, now):
                self._show(_SLACK, slack.names[channel], self._plain(line))
            self._before[channel] = now

    def _plain(self, text: str) -> str:
        return " ⏎ ".join(slack_lines(text, self._names))

    # --- Matrix

    def hear_matrix(self, matrix: MatrixSide, room: Room, event: Json, target: str) -> None:
        """Show one event; `target` is the body of the message that it concerns."""
        channel = matrix.channel_of(room.room_id)
        if not self._begun or not channel:
            return
        who = room.name_of(event["sender"])
        for line in _told(event, who, target, room):
            self._show(_MATRIX, channel, line)

    # --- both

    def _show(self, side: str, channel: str, words: str) -> None:
        words = " ⏎ ".join(words.splitlines())
        words = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
        if not self._console.is_terminal:
            print(f"{time.strftime('%H:%M:%S')} {side:6} #{channel}: {words}", flush=True)
            return
        half = self._console.width // 2
        style = _STYLES[side]
        lines = list(_wrapped(f"#{channel} ", words, max(half - 3, 20)))
        for number, line in enumerate(lines):
            text = Text(" " + line)
            if not number:
                text.stylize(style, 1, 2 + len(channel))
            left = text if side == _SLACK else Text()
            pad = " " * max(half - cell_len(left.plain), 0)
            right = text if side == _MATRIX else Text()
            self._console.print(left + Text(pad) + Text("│", "dim") + right, no_wrap=True, crop=True)


def _wrapped(head: str, words: str, width: int) -> Iterator[str]:
    line = head
    for word in words.split(" "):
        if cell_len(line) + cell_len(word) > width and line.strip():
            yield line.rstrip()
            line = "    "
        line += f"{word} "
    if line.strip():
        yield line.rstrip()


def _changes(before: Mapping[str, Said], now: Mapping[str, Said]) -> Iterator[str]:
    for ts, one in now.items():
        was = before.get(ts)
        if was is None:
            place = "↳ " if one.thread else ""
            shared = "".join(f" 📎 {name}" for name, _ in one.files)
            if one.is_speech:
                yield f"{place}{one.author}: {one.text}{shared}"
            else:
                yield f"· {one.text}" if one.text.startswith("<@") else f"· {one.author} {one.text}"
            continue
        if one.subtype == "tombstone" and was.subtype != "tombstone":
            yield f"✂ “{_start(was.text)}”"
        elif one.text != was.text:
            yield f"✎ {one.author}: {one.text}"
        for name, who in sorted(_given(one) - _given(was)):
            yield f"{who} :{name}: on “{_start(one.text)}”"
        for name, who in sorted(_given(was) - _given(one)):
            yield f"{who} takes :{name}: off “{_start(one.text)}”"
    for ts, one in before.items():
        if ts not in now:
            yield f"✂ “{_start(one.text)}”"


def _given(one: Said) -> set[tuple[str, str]]:
    return {(name, who) for name, people in one.reactions for who in people}


def _told(event: Json, who: str, target: str, room: Room) -> Iterator[str]:
    kind, content, relation = event["type"], event["content"], relation_of(event)
    if kind == "m.reaction":
        key = relation.get("key", "")
        shown = content.get("shortcode", "a picture") if key.startswith("mxc:") else key
        yield f"{who} {shown} on “{_start(target)}”"
    elif kind == "m.room.redaction":
        yield f"✂ “{_start(target)}”" if target else f"{who} takes a reaction back"
    elif kind == "m.room.member":
        name = content.get("displayname") or room.name_of(event["state_key"])
        was = room.state.get((kind, event["state_key"]), {}).get("membership")
        if content.get("membership") != was and content.get("membership") in ("join", "leave"):
            yield f"· {name} {'joins' if content['membership'] == 'join' else 'leaves'}"
    elif kind in ("m.room.name", "m.room.topic"):
        yield f"· {kind.removeprefix('m.room.')}: {content.get(kind.removeprefix('m.room.'), '')}"
    elif relation.get("rel_type") == "m.replace":
        yield f"✎ {who}: {content.get('m.new_content', {}).get('body', '')}"
    elif kind in SHOWN:
        place = "↳ " if relation.get("rel_type") == "m.thread" else "⤷ " if relation.get("m.in_reply_to") else ""
        mark = "📎 " if "url" in content else ""
        body = content.get("body", "")
        yield f"{place}* {who} {body}" if content.get("msgtype") == "m.emote" else f"{place}{who}: {mark}{body}"


def _start(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) <= 30 else first[:29] + "…"
