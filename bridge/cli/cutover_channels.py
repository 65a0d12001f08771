"""Which channels a `causeway cutover` command is about, and what became of each: one that fails holds up no other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from bridge.administration.cutover import chosen
from bridge.errors import BridgeError, Fatal
from portals.cohort import read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from bridge.administration.cutover import CuttingOver
    from bridge.administration.store import Store
    from bridge.store.cutovers import StepRow
    from portals.facts import Portal

Json = dict[str, Any]  # Any: what is printed as JSON


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one channel: how far it is now, its steps, words of the command, and why it failed, if it did."""

    portal: Portal
    phase: str
    steps: Sequence[StepRow]
    said: str = ""
    error: str = ""

    def as_json(self) -> Json:
        """Return it as a program reads it."""
        portal = self.portal
        return {
            "team": portal.team,
            "channel": portal.channel,
            "name": portal.name,
            "room": portal.room,
            "state": str(portal.state),
            "phase": self.phase,
            "steps": [_step(one) for one in self.steps],
            "error": self.error,
        }


def _step(row: StepRow) -> Json:
    from bridge.administration.times import moment

    return {
        "step": str(row.step),
        "part": row.part,
        "begun": moment(row.begun_at),
        "done": moment(row.done_at) if row.done_at is not None else None,
        "actor": row.actor,
        "note": row.note,
    }


async def named_by(store: Store, channels: Sequence[str], cohort: Path | None) -> list[Portal]:
    """Return the portals that are named, each once; raises Declined with every name that means none."""
    problems: list[str] = []
    named = [*(("", name) for name in channels), *_named(cohort, problems)]
    return await chosen(store, named, problems)


def _named(cohort: Path | None, problems: list[str]) -> list[tuple[str, str]]:
    """Return the channels of a cohort's file, each with where it stands; what cannot be used joins the problems."""
    if cohort is None:
        return []
    try:
        text = cohort.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{cohort} cannot be read: {error}") from error
    named, bad = read(text)
    problems += [f"{cohort.name}:{one.line}: {one.why}" for one in bad]
    if not named and not bad:
        problems.append(f"{cohort.name} names no channel: write one a line")
    return [(f"{cohort.name}:{one.line}: ", one.channel) for one in named]


async def each(
    parts: CuttingOver, portals: Sequence[Portal], work: Callable[[Portal], Awaitable[str]], *, at_once: int = 1
) -> list[Outcome]:
    """Do some work on each channel, and return what became of each, in their order."""
    turns = asyncio.Semaphore(at_once)

    async def one(portal: Portal) -> Outcome:
        said = error = ""
        async with turns:
            try:
                said = await work(portal)
            except Fatal:
                raise
            except (BridgeError, click.ClickException) as failed:
                error = str(failed)
        return await outcome_of(parts, portal, said, error)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(portal)) for portal in portals]
    return [task.result() for task in tasks]


async def outcome_of(parts: CuttingOver, portal: Portal, said: str = "", error: str = "") -> Outcome:
    """Return how far a channel is."""
    now = await parts.store.directory.portal(portal.id) or portal
    found, phase = await parts.cutover.phase(now)
    return Outcome(now, str(phase), await parts.cutovers.steps(found) if found else (), said, error)


def tell(outcomes: Sequence[Outcome], as_json: bool) -> None:
    """Print what became of the channels; exits with 1 where one failed."""
    from bridge.cli.options import print_json
    from bridge.cli.tables import visible

    failed = [one for one in outcomes if one.error]
    if as_json:
        print_json({"ok": not failed, "channels": [one.as_json() for one in outcomes]})
    else:
        for one in outcomes:
            if one.error:
                click.echo(f"#{visible(one.portal.name)}: {visible(one.error)}", err=True)
            else:
                click.echo(f"#{visible(one.portal.name)} {one.said}")
    if failed:
        if not as_json and len(outcomes) > 1:
            click.echo(f"{len(failed)} of {len(outcomes)} failed; the same command goes on with them", err=True)
        raise click.exceptions.Exit(1)
