"""`causeway import`: a whole history, from an export, and what one asks about it.

The first word is the path of an export, unless it is one of the commands below `import`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from bridge.cli.import_files import files
from bridge.cli.import_quarantine import quarantine
from bridge.cli.import_status import pause, resume, status
from bridge.cli.options import config_option, json_option, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from portals.history.selection import Selection

KINDS = ("public", "private", "dm", "group_dm")
_FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")
_FOLDER = Path("causeway-plan")


class _AsItsGroup(click.Context):
    """Usage errors speak of the command as people type it."""

    @property
    def command_path(self) -> str:
        return self.parent.command_path if self.parent is not None else super().command_path


class DefaultCommand(click.Command):
    """The command that a group runs where no other is named."""

    context_class = _AsItsGroup


class ImportGroup(click.Group):
    """A group with a command of its own: whatever begins with no other command's name is that one's."""

    def __init__(self, *args: object, default: click.Command, **attributes: object) -> None:
        super().__init__(*args, **attributes)  # type: ignore[arg-type]  # click's own, passed on as they are
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [self.default.name or "", *args]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self.default if cmd_name == self.default.name else super().get_command(ctx, cmd_name)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "PATH [OPTIONS]")
        formatter.write_usage(ctx.command_path, "--api [OPTIONS]", prefix="       ")
        if self.commands:
            formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.default.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.3 on
    """A day, or a moment, as Slack's time stamp; a day that ends something is part of it."""

    name = "date"

    def __init__(self, *, ends: bool) -> None:
        self.ends = ends

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        for form in _FORMATS:
            try:
                found = datetime.strptime(value, form).replace(tzinfo=UTC)
            except ValueError:
                continue
            if self.ends and form == _FORMATS[0] and found.year < datetime.max.year:
                found += timedelta(days=1)
            return f"{max(int(found.timestamp()), 0)}.000000"
        self.fail(f"{value!r} is no date: write 2024-05-31, or 2024-05-31T18:00:00Z for a moment (in UTC)", param, ctx)


def selection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what says which part of a history is meant; `selected` makes a Selection of it."""
    for option in (
        click.option("--until", type=Moment(ends=True), help="Only messages up to this day (in UTC), and of it."),
        click.option("--since", type=Moment(ends=False), help="Only messages from this day on (in UTC)."),
        click.option(
            "--kind",
            "kinds",
            type=click.Choice(KINDS),
            multiple=True,
            help="Only channels of this kind; may be given several times.",
        ),
        click.option(
            "--channel",
            "channels",
            metavar="NAME_OR_ID",
            multiple=True,
            help="Only this channel; may be given several times.",
        ),
    ):
        command = option(command)
    return command


def selected(channels: tuple[str, ...], kinds: tuple[str, ...], since: str | None, until: str | None) -> Selection:
    """Return the selection that the options say; raises UsageError where nothing can be in it."""
    from portals.history.export import moment
    from portals.history.selection import Selection
    from portals.ids import Ts

    if since and until and moment(since) >= moment(until):
        raise click.UsageError("--since is not before --until: nothing lies between them")
    return Selection(frozenset(channels), frozenset(kinds), Ts(since or ""), Ts(until or ""))


@click.command("PATH", cls=DefaultCommand)
@click.argument("path", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--dry-run", is_flag=True, help="Only plan: read everything, change nothing. Needs no configuration.")
@selection_options
@click.option("--api", is_flag=True, help="Read the history from Slack itself, by the bot token in the configuration.")
@click.option("--workspace", metavar="NAME", help="With --api: which workspace, where the configuration has several.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --api: the folder that the history is kept in. It holds people's messages; only you can open it."
    "  [default: slack-NAME]",
)
@click.option(
    "--join",
    "joins",
    is_flag=True,
    help="With --api: let the bot join public channels to read them, which is announced in them.",
)
@click.option(
    "--without-files",
    is_flag=True,
    help="Fetch no files from Slack: a notice with the name of each stands in its place.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"The folder that a plan is written to, as JSON and as a page.  [default: {_FOLDER}; none with --json]",
)
@click.option(
    "--rate", type=click.FloatRange(min=0.01), help="Events a second that a plan reckons with, where you measured it."
)
@click.option(
    "--bandwidth",
    type=click.FloatRange(min=0.01),
    help="Megabytes of files a second that a plan reckons with.  [default: 5]",
)
@config_option
@json_option
@click.pass_context
def import_path(
    ctx: click.Context,
    path: Path | None,
    dry_run: bool,
    channels: tuple[str, ...],
    kinds: tuple[str, ...],
    since: str | None,
    until: str | None,
    api: bool,
    workspace: str | None,
    into: Path | None,
    joins: bool,
    without_files: bool,
    out: Path | None,
    rate: float | None,
    bandwidth: float | None,
    config: Path,
    as_json: bool,
) -> None:
    """Import an export, or plan it."""
    selection = selected(channels, kinds, since, until)
    if not api and (workspace or into or joins):
        raise click.UsageError("--workspace, --into and --join belong to --api")
    if api:
        if path is not None:
            raise click.UsageError("an export or --api, not both")
        from bridge.cli.import_api import read_api

        path = read_api(load_settings(config), workspace, into, selection, joins=joins)
    if path is None:
        raise click.UsageError("name the export, a zip or a folder; or read from Slack itself with --api")
    if dry_run:
        from bridge.cli.import_plan import plan

        named = api or ctx.get_parameter_source("config") is not ParameterSource.DEFAULT
        folder = out or (None if as_json else _FOLDER)
        plan(path, selection, config if named else None, folder, rate, bandwidth, as_json)
        return
    from bridge.cli.import_run import run_import

    run_import(path=path, selection=selection, config=config, files=not without_files, as_json=as_json)


@click.group(
    "import",
    cls=ImportGroup,
    default=import_path,
    epilog="""\b
    Examples:
      causeway import export.zip --dry-run
      causeway import export.zip --dry-run --json | jq .totals
      causeway import export.zip --dry-run --kind public --since 2023-01-01
      causeway import export.zip --dry-run --channel general --channel C0123ABCD
      causeway import export.zip
      causeway import --api --into history --channel general""",
    short_help="Bring a history across, or plan it first.",
)
def importing() -> None:
    """Bring the history of an export across: the zip that Slack made, or the folder that it was unpacked into.

    With --dry-run nothing happens: the whole export is read, and what would be imported is shown and written as a page
    (plan.html) and as JSON (plan.json), with the time it takes, what you have to decide, and every problem with its
    place in the archive. With -c the plan also tells which channels are bridged and who has no Matrix account, and is
    kept for the console.

    With --api there is no export: the history is read from Slack, at the pace that Slack allows, and kept in a folder
    as an export would be. Stopped, the same command goes on; run again later, it brings what is new. With --dry-run as
    well it reads and plans, and imports nothing.
    """


for _command in (status, pause, resume, quarantine, files):
    importing.add_command(_command)
