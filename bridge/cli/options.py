"""Options that several commands share, and the two ways in which commands print data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings

config_option = click.option(
    "-c",
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("config.yaml"),
    envvar="CAUSEWAY_CONFIG",
    show_default=True,
    help="The configuration file (or environment variable CAUSEWAY_CONFIG).",
)

workspace_option = click.option(
    "--workspace", metavar="NAME_OR_ID", help="The workspace, where the bridge knows several."
)

exports_option = click.option(
    "--export",
    "exports",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="An export to compare with, the earlier one first; without it, those that were imported.",
)

checksums_option = click.option(
    "--checksums", is_flag=True, help="Fetch every file from the homeserver and compare its bytes as well."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of text.")


def load_settings(config: Path) -> Settings:
    """Read the configuration; raises ConfigError."""
    from config.loader import load

    return load(config)


_UNPRINTABLE = re.compile("[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def json_text(value: Any) -> str:  # Any: whatever json can write
    """Return JSON to read; what a terminal would obey, reorder or refuse is escaped, which JSON allows anywhere."""
    written = json.dumps(value, indent=2, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def print_json(value: Any) -> None:  # Any: whatever json can write
    click.echo(json_text(value))


def checked(kind: Any) -> Callable[[str], str]:
    """Make a reader for an answer or flag of one of the kinds that settings have; mypy has no type for such kinds."""

    def read(text: str) -> str:
        from pydantic import TypeAdapter, ValidationError

        try:
            TypeAdapter(kind).validate_python(text.strip())
        except ValidationError as failed:
            context = failed.errors()[0].get("ctx", {})
            words = f"{context.get('what', 'cannot be used')}: {context.get('hint', '')}"
            raise click.BadParameter(words.rstrip(": ")) from None
        return text.strip()

    return read
