"""`causeway register` and `causeway manifest`: the two files that follow from the configuration."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json
from bridge.cli.written import OPEN, SECRET, refuse_existing, write_files

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Where to write it; - is standard output. Without it, beside the configuration file.",
)
force_option = click.option("--force", is_flag=True, help="Overwrite a file that is there.")


@click.command(
    epilog="""\b
    Examples:
      causeway register
      causeway register --force             after a change of names, tokens or address
      causeway register -o - | ssh matrix.example.org 'cat > /etc/matrix-synapse/causeway.yaml'
      causeway register -o - --json""",
    short_help="Write the registration file for the homeserver.",
)
@config_option
@output_option
@force_option
@json_option
def register(config: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Write the registration file that tells the homeserver about the bridge.

    It follows from the settings under `appservice`. The homeserver has to be told where it is (Synapse: in
    app_service_config_files) and restarted when it has changed.
    """
    from config import registration

    settings = load_settings(config)
    values, text = registration.registration(settings), registration.render(settings)
    path = output or config.parent / "registration.yaml"
    if str(path) != "-" and path.exists() and not force and not registration.differences(path, settings):
        _say(path, False, as_json)
        return
    _write(path, text, values, SECRET, force, as_json)


@click.command(
    epilog="""\b
    Examples:
      causeway manifest
      causeway manifest --link              an address that opens Slack's form with the manifest in it
      causeway manifest -o - --json""",
    short_help="Write the manifest of the Slack app.",
)
@config_option
@output_option
@force_option
@click.option("--link", is_flag=True, help="Print the address that creates the app in Slack.")
@json_option
def manifest(config: Path, output: Path | None, force: bool, link: bool, as_json: bool) -> None:
    """Write the manifest of the Slack app, with the permissions that the bridge uses and no others.

    For an app that exists, paste it under App Manifest at https://api.slack.com/apps and install the app again.
    """
    from config import manifest as slack

    settings = load_settings(config)
    if link:
        address = slack.link(settings)
        if as_json:
            print_json({"link": address})
        else:
            click.echo(address)
        return
    path = output or config.parent / "slack-manifest.yaml"
    _write(path, slack.render(settings), slack.manifest(settings), OPEN, force, as_json)


def _write(path: Path, text: str, values: object, mode: int, force: bool, as_json: bool) -> None:
    if str(path) == "-":
        if as_json:
            print_json(values)
        else:
            click.echo(text, nl=False)
        return
    if not force:
        refuse_existing([path])
    write_files({path: (text, mode)})
    _say(path, True, as_json)


def _say(path: Path, written: bool, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(path), "written": written})
    else:
        click.echo(f"{path} {'written' if written else 'is up to date'}")
