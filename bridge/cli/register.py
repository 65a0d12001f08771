"""`causeway register` and `causeway manifest`: the two files that follow from the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json
from bridge.cli.written import OPEN, SECRET, refuse_existing, write_files

if TYPE_CHECKING:
    from config.document import Plain
    from config.settings import Settings

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
      causeway register -o - --json
      causeway register --double-puppet -o -      the second file alone""",
    short_help="Write the registration files for the homeserver.",
)
@config_option
@output_option
@force_option
@click.option("--double-puppet", "puppets", is_flag=True, help="Write the second file alone.")
@json_option
def register(config: Path, output: Path | None, force: bool, puppets: bool, as_json: bool) -> None:
    """Write the registration file that tells the homeserver about the bridge.

    It follows from the settings under `appservice`. Where double_puppet.as_token is set, a second file, named
    doublepuppet.yaml, is written beside it, which lets the bridge act as people's own accounts. The homeserver has to
    be told where both are (Synapse: in app_service_config_files) and restarted when they have changed.
    """
    from config import registration

    settings = load_settings(config)
    own = registration.double_puppet(settings)
    if puppets and own is None:
        raise click.ClickException("double puppeting is switched off: set double_puppet.as_token first")
    path = output or config.parent / "registration.yaml"
    said = []
    if not puppets:
        values = registration.registration(settings)
        said.append(_registered(path, registration.render(settings), values, settings, force, as_json))
    if own is not None and (puppets or str(path) != "-"):
        beside = path if puppets and output else path.with_name("doublepuppet.yaml")
        said.append(_registered(beside, registration.written(settings, own), own, settings, force, as_json))
    if as_json and None not in said:
        first, *second = said
        print_json({**(first or {}), **({"double_puppet": second[0]} if second else {})})


def _registered(
    path: Path, text: str, values: dict[str, Plain], settings: Settings, force: bool, as_json: bool
) -> dict[str, object] | None:
    """Write a registration unless it is there as it should be; returns what to say as JSON, None where it was shown."""
    from config import registration

    if str(path) == "-":
        _write(path, text, values, SECRET, force, as_json)
        return None
    written = force or not path.exists() or bool(registration.differences(path, settings, values))
    if written:
        if not force:
            refuse_existing([path])
        write_files({path: (text, SECRET)})
    if not as_json:
        _say(path, written, False)
    return {"file": str(path), "written": written}


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
    written = force or not (path.is_file() and path.read_bytes() == text.encode())
    if written:
        if not force:
            refuse_existing([path])
        write_files({path: (text, mode)})
    _say(path, written, as_json)


def _say(path: Path, written: bool, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(path), "written": written})
    else:
        click.echo(f"{path} {'written' if written else 'is up to date'}")
