"""The command `causeway`: what an admin types.

Each command lives in its own module, which imports nothing heavy before the command runs, so that `--help` is there at
once. Whatever the bridge or its configuration raises on purpose ends here as plain words on standard error and an exit
code: 1 when something failed, 2 when the command was misused, 78 when the configuration is wrong.
"""

from __future__ import annotations

import click

from bridge.cli.audit import audit
from bridge.cli.check import check
from bridge.cli.console import console
from bridge.cli.cutover import cutover
from bridge.cli.encryption import encryption
from bridge.cli.held import held
from bridge.cli.importing import importing
from bridge.cli.init import init
from bridge.cli.keys import keys
from bridge.cli.migrate_db import migrate_db
from bridge.cli.parked import parked
from bridge.cli.people import people
from bridge.cli.portals import portals
from bridge.cli.preview import preview
from bridge.cli.register import manifest, register
from bridge.cli.report import report
from bridge.cli.retention import retention
from bridge.cli.run import run
from bridge.cli.selftest import selftest
from bridge.cli.slack_app import slack
from bridge.cli.tables import visible_lines
from bridge.cli.upgrade import upgrade
from bridge.cli.verify import verify
from bridge.errors import BridgeError
from config.problems import ConfigError

BAD_CONFIGURATION = 78


class Commands(click.Group):
    """A group whose commands may raise what the bridge raises."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            click.echo(f"The configuration cannot be used:\n{visible_lines(str(error))}", err=True)
            ctx.exit(BAD_CONFIGURATION)
        except BridgeError as error:
            click.echo(f"Error: {visible_lines(str(error))}", err=True)
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="causeway", message="%(prog)s %(version)s")
def cli() -> None:
    """A durable two-way bridge between Slack and Matrix.

    \b
    A first set-up:
      causeway init        asks, then writes config.yaml, registration.yaml and slack-manifest.yaml
      causeway check       tests tokens, scopes, addresses and the database, and says what to do
      causeway run         bridges until it is told to stop
    """


for command in (
    *(init, register, manifest, check, selftest, upgrade, migrate_db, run),
    *(
        portals,
        people,
        retention,
        importing,
        report,
        verify,
        cutover,
        parked,
        held,
        audit,
        console,
        encryption,
        keys,
        preview,
        slack,
    ),
):
    cli.add_command(command)


def main() -> None:
    """The console script."""
    cli(prog_name="causeway")
