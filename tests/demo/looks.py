"""How messages are looked for and looked at, on either side, by more than one part of the script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.demo.report import Seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.demo.matrix_side import Shown
    from tests.demo.slack_side import Said
    from tests.demo.stage import Stage


async def until_shown(stage: Stage, channel: str, words: str) -> Shown | None:
    """Wait for a message in a channel's room; None when patience ended."""
    await stage.report.await_that(lambda: is_there(stage.matrix.find(channel, words)))
    return stage.matrix.find(channel, words)


async def event_of(stage: Stage, channel: str, words: str) -> str:
    """The event id of a message in a channel's room, as soon as it is there; one of no message when it never comes."""
    found = await until_shown(stage, channel, words)
    return found.event_id if found else "$none"


async def until_said(stage: Stage, channel: str, words: str) -> Said | None:
    """Wait for a message in a channel; None when patience ended."""
    await stage.report.await_that(lambda: Seen(stage.slack.find(channel, words) is not None, ""))
    return stage.slack.find(channel, words)


def is_there(shown: Shown | None) -> Seen:
    """Whether a room shows it."""
    return Seen(shown is not None, shown.body if shown else "nothing")


def shows(shown: Shown | None, parts: Sequence[str]) -> Seen:
    """Whether the markup of a room's message has all these parts."""
    if shown is None:
        return Seen(False, "nothing")
    return Seen(all(part in shown.html for part in parts), shown.html or shown.body)


def says(said: Said | None, parts: Sequence[str]) -> Seen:
    """Whether the text of a channel's message has all these parts."""
    if said is None:
        return Seen(False, "nothing")
    return Seen(all(part in said.text for part in parts), f"{said.author}: {said.text}")


def has_file(stage: Stage, channel: str, name: str, digest: str) -> Seen:
    """Whether a channel has one file of this name, with these bytes."""
    found = [seen for one in stage.slack.said(channel) for seen in one.files if seen[0] == name]
    return Seen(
        found == [(name, digest)], ", ".join(f"{name} with sha256 {seen[:12]}…" for name, seen in found) or "nothing"
    )


def equal(seen: str, wanted: str) -> Seen:
    """Whether it is exactly this."""
    return Seen(seen == wanted, seen)
