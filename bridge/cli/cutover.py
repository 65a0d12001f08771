"""`causeway cutover`: channels move to Matrix for good, announced and with proof, and back until that is finished."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import (
    checksums_option,
    config_option,
    exports_option,
    json_option,
    load_settings,
    print_json,
)
from bridge.cli.tables import visible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from typing import TypeVar

    from bridge.administration.cutover import CuttingOver, Order
    from bridge.cli.cutover_channels import Outcome
    from bridge.work.cutover_steps import Proven
    from config.settings import Settings
    from portals.facts import Portal

    Result = TypeVar("Result")

_AT_ONCE = 8

channels_argument = click.argument("channels", nargs=-1, metavar="[CHANNEL]...")
cohort_option = click.option(
    "--cohort",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that names the channels, by name or id, one a line; # and a space begin a comment.",
)
archive_option = click.option("--archive", is_flag=True, help="Archive the channel in Slack, too.")
topic_option = click.option("--no-topic", is_flag=True, help="Leave the channel's topic as it is.")
wait_option = click.option(
    "--wait",
    default="15m",
    show_default=True,
    metavar="DURATION",
    help="How long to wait for what must still come across, and for a service that is away.",
)


@click.group(
    epilog="""\b
    Examples:
      causeway cutover plan "#general"
      causeway cutover announce --cohort first.txt --date "1 December"
      causeway cutover freeze --cohort first.txt --archive""",
    short_help="Move channels to Matrix for good, and back until the end.",
)
def cutover() -> None:
    """Move channels to Matrix for good: plan, announce, freeze, finish; revert until it is finished.

    Every command takes channels by name or id, or a cohort's file, and may be given again: what was done is not done
    twice, and what failed is gone on with. One channel that fails holds up no other; the exit status is then 1. Who
    did what and when is kept in the audit log.
    """


# --- looking


@cutover.command(
    epilog="""\b
    Examples:
      causeway cutover plan "#general"
      causeway cutover plan --cohort first.txt --archive
      causeway cutover plan --cohort first.txt --json | jq -r '.channels[] | select(.ready | not) | .name'""",
    short_help="Show what a move would do, and what stands against it.",
)
@channels_argument
@cohort_option
@archive_option
@topic_option
@config_option
@json_option
def plan(
    channels: tuple[str, ...], cohort: Path | None, archive: bool, no_topic: bool, config: Path, as_json: bool
) -> None:
    """Show what a move of the channels would do; the exit status is 1 when something stands against it.

    It tells what waits, what is parked or in quarantine, whether the history is in, who is not in the room in an
    account of their own, and which scopes are missing. Nothing is changed.
    """
    from bridge.administration.move_plans import plan_of
    from bridge.cli import cutover_plan as shown
    from portals.cutover import Wish

    wish = Wish(not no_topic, archive)

    async def work(parts: CuttingOver, portals: Sequence[Portal]) -> tuple[list[Any], list[Outcome]]:
        from bridge.cli.cutover_channels import each

        plans: list[Any] = []  # Any: pairs of Circumstances and Readiness
        await parts.looking.read()

        async def look(portal: Portal) -> str:
            given = await parts.looking.at(portal)
            plans.append((given, shown.of(given, wish)))
            return ""

        return plans, await each(parts, portals, look)

    plans, outcomes = _run(config, channels, cohort, work)
    failed = [one for one in outcomes if one.error]
    ready = not failed and all(found.is_ready for _, found in plans)
    if as_json:
        broken = [{"channel": one.portal.channel, "name": one.portal.name, "error": one.error} for one in failed]
        print_json({"ready": ready, "channels": [plan_of(given, wish) for given, _ in plans], "failed": broken})
    else:
        for one in plans:
            shown.show(*one)
        for outcome in failed:
            click.echo(f"#{visible(outcome.portal.name)}: {visible(outcome.error)}", err=True)
    if not ready:
        raise click.exceptions.Exit(1)


@cutover.command(
    epilog="""\b
    Examples:
      causeway cutover status
      causeway cutover status "#general"
      causeway cutover status --json | jq -r '.channels[] | select(.phase == "frozen") | .name'""",
    short_help="Show how far each move is, and who did what.",
)
@channels_argument
@cohort_option
@config_option
@json_option
def status(channels: tuple[str, ...], cohort: Path | None, config: Path, as_json: bool) -> None:
    """Show how far each move is, step by step, with who did it and when; of all channels where none is named."""
    from bridge.cli.cutover_plan import show_status

    async def work(parts: CuttingOver, portals: Sequence[Portal]) -> list[Outcome]:
        from bridge.cli.cutover_channels import outcome_of

        if not portals:
            found = [await parts.store.directory.portal(number) for number in await parts.cutovers.portals()]
            portals = [portal for portal in found if portal is not None]
        return [await outcome_of(parts, portal) for portal in portals]

    outcomes = _run(config, channels, cohort, work, connect=False, every=True)
    if as_json:
        print_json({"channels": [one.as_json() for one in outcomes]})
    elif outcomes:
        show_status(outcomes)
    else:
        click.echo("No channel has begun to move.")


# --- moving


@cutover.command(
    epilog="""\b
    Examples:
      causeway cutover announce "#general" --date "1 December, 18:00"
      causeway cutover announce --cohort first.txt --date 2026-12-01""",
    short_help="Tell both sides when a channel will move.",
)
@channels_argument
@cohort_option
@click.option("--date", required=True, help="When it will be, in the words that people are to read.")
@wait_option
@config_option
@json_option
def announce(channels: tuple[str, ...], cohort: Path | None, date: str, wait: str, config: Path, as_json: bool) -> None:
    """Tell each channel and its room at once that it will move, with the link to the room: once for the same date.

    The words are those of cutover.announcement and cutover.announcement_in_matrix in the configuration.
    """
    date = " ".join(date.split())
    if not date:
        raise click.BadParameter("say when it will be", param_hint="--date")

    from bridge.administration.cutover import Order
    from portals.cutover import Command

    _do(config, channels, cohort, Order(Command.ANNOUNCE, date), wait, as_json)


@cutover.command(
    epilog="""\b
    Examples:
      causeway cutover freeze "#general"
      causeway cutover freeze --cohort first.txt --archive --wait 1h""",
    short_help="Bring the rest across, then relay nothing more to Slack.",
)
@channels_argument
@cohort_option
@archive_option
@topic_option
@click.option("--anyway", is_flag=True, help="Freeze although messages are parked or in quarantine, or history lacks.")
@wait_option
@config_option
@json_option
def freeze(
    channels: tuple[str, ...],
    cohort: Path | None,
    archive: bool,
    no_topic: bool,
    anyway: bool,
    wait: str,
    config: Path,
    as_json: bool,
) -> None:
    """Bring across what is left, then relay nothing more to Slack: its topic and a notice lead to the room.

    What people still write in Slack comes across until the move is finished, and each of them is told once. Where no
    bridge runs, this command runs it meanwhile.
    """
    from bridge.administration.cutover import Order
    from portals.cutover import Command, Wish

    order = Order(Command.FREEZE, wish=Wish(not no_topic, archive), anyway=anyway)
    _do(config, channels, cohort, order, wait, as_json, at_once=_AT_ONCE, bridge=True)


@cutover.command(
    epilog="""\b
    Examples:
      causeway cutover finish "#general"
      causeway cutover finish --cohort first.txt --export final.zip --reports reports --yes""",
    short_help="Prove it, attach the report, and end the move for good.",
)
@channels_argument
@cohort_option
@exports_option
@checksums_option
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    help="A directory in which the reports are kept, too.",
)
@click.option("--accept-differences", is_flag=True, help="Finish although the report leaves something unexplained.")
@click.option("--no-report", is_flag=True, help="Finish without any proof.")
@click.option("--yes", is_flag=True, help="Do not ask whether it is to be for good.")
@wait_option
@config_option
@json_option
def finish(
    channels: tuple[str, ...],
    cohort: Path | None,
    exports: tuple[Path, ...],
    checksums: bool,
    reports: Path | None,
    accept_differences: bool,
    no_report: bool,
    yes: bool,
    wait: str,
    config: Path,
    as_json: bool,
) -> None:
    """Compare each room with Slack's history, put the report into the room, and relay nothing any more. For good.

    A report that leaves anything unexplained stops it, unless that is accepted, which the audit log keeps.
    """
    if not yes:
        _ask()
    from bridge.administration.cutover import Order
    from portals.cutover import Command

    settings = load_settings(config)

    def prover_of(portal: Portal) -> Callable[[], Awaitable[Proven]]:
        from bridge.cli.cutover_proof import prover

        return prover(settings, portal, exports, checksums=checksums, reports=reports)

    order = Order(Command.FINISH, accept_differences=accept_differences)
    _do(config, channels, cohort, order, wait, as_json, bridge=True, prover_of=None if no_report else prover_of)


@cutover.command(
    epilog="""\b
    Examples:
      causeway cutover revert "#general"
      causeway cutover revert --cohort first.txt""",
    short_help="Undo a move that is not finished.",
)
@channels_argument
@cohort_option
@wait_option
@config_option
@json_option
def revert(channels: tuple[str, ...], cohort: Path | None, wait: str, config: Path, as_json: bool) -> None:
    """Undo all that was done: open the channel, restore its topic, tell both sides, relay again.

    What was said in Matrix meanwhile is not carried to Slack: what is said from now on is. A channel that was archived
    must be opened in Slack by a person first, for Slack lets no bot do that.
    """
    from bridge.administration.cutover import Order
    from portals.cutover import Command

    _do(config, channels, cohort, Order(Command.REVERT), wait, as_json)


# --- how each is carried out


def _ask() -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("this cannot be undone: add --yes where nobody can be asked")
    click.confirm("This cannot be undone. Go on?", abort=True, err=True)


def _do(
    config: Path,
    channels: tuple[str, ...],
    cohort: Path | None,
    order: Order,
    wait: str,
    as_json: bool,
    *,
    at_once: int = 1,
    bridge: bool = False,
    prover_of: Callable[[Portal], Callable[[], Awaitable[Proven]]] | None = None,
) -> None:
    """Carry out an order for each channel, and print what became of it."""
    from bridge.cli.cutover_channels import tell

    async def work(parts: CuttingOver, portals: Sequence[Portal]) -> list[Outcome]:
        from bridge.cli.cutover_channels import each

        await parts.looking.read()

        def one(portal: Portal) -> Awaitable[str]:
            return parts.carry_out(portal, order, prover_of(portal) if prover_of is not None else None)

        return await each(parts, portals, one, at_once=at_once)

    tell(_run(config, channels, cohort, work, patience=_seconds(wait), bridge=bridge), as_json)


def _seconds(wait: str) -> float:
    from pydantic_core import PydanticCustomError

    from config.values import read_duration

    try:
        return read_duration(wait).total_seconds()
    except PydanticCustomError as error:
        raise click.BadParameter(f"{error.message()}: write it like 15m or 1h", param_hint="--wait") from None


def _run(
    config: Path,
    channels: tuple[str, ...],
    cohort: Path | None,
    work: Callable[[CuttingOver, Sequence[Portal]], Coroutine[Any, Any, Result]],
    *,
    patience: float = 60.0,
    bridge: bool = False,
    connect: bool = True,
    every: bool = False,
) -> Result:
    """Build the parts and do some work on the chosen channels; with `bridge`, while the bridge runs."""
    import asyncio

    from bridge.cli.logs import set_up_logging
    from bridge.cli.run import quick_loop

    if not channels and cohort is None and not every:
        raise click.UsageError("name a channel, or a file with many: --cohort PATH")
    settings = load_settings(config)
    level = "warning" if settings.logging.level == "info" else settings.logging.level
    set_up_logging(level, settings.logging.format, settings.secrets())

    async def run(settings: Settings) -> Result:
        from bridge.beside import with_bridge
        from bridge.cli.actor import actor
        from bridge.cli.cutover_channels import named_by
        from bridge.cutting_over import cutting_over

        async with cutting_over(settings, str(actor()), patience=patience, connect=connect) as parts:
            doing = work(parts, await named_by(parts.store, channels, cohort))
            return await (with_bridge(settings, doing) if bridge else doing)

    with asyncio.Runner(loop_factory=quick_loop()) as runner:
        try:
            return runner.run(run(settings))
        except KeyboardInterrupt:
            raise click.ClickException("stopped: the same command goes on where it was") from None
