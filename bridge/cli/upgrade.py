"""`causeway upgrade`: bring the configuration file up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, print_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    epilog="""\b
    Examples:
      causeway upgrade
      causeway upgrade --config /etc/causeway/config.yaml --json""",
    short_help="Add new settings to the configuration file.",
)
@config_option
@json_option
def upgrade(config: Path, as_json: bool) -> None:
    """Add settings that are new to the configuration file, with their meaning and default.

    Everything that is in the file stays as it is, comments and order included, and a copy of the old file is kept
    beside it. A file that has everything is not touched.
    """
    from config.upgrade import upgrade as upgrade_file

    done = upgrade_file(config)
    if as_json:
        backup = str(done.backup) if done.backup else None
        print_json({"added": done.added, "renamed": dict(done.renamed), "backup": backup})
        return
    for key in done.added:
        click.echo(f"added    {key}")
    for old, new in done.renamed:
        click.echo(f"renamed  {old} -> {new}")
    click.echo(f"The old file is {done.backup}" if done.backup else f"{config} is up to date")
