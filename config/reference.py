"""Writes the settings down for people: the commented file, and the table in the README.

`python -m config` renews both; a test fails where they have fallen behind. `causeway init` writes a person's own file
with the same function, so that every setting stands in it with its meaning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from textwrap import wrap

from config import schema
from config.document import Plain, parse_value
from config.problems import ConfigError

WIDTH = 100
HERE = FilePath(__file__).parent
EXAMPLE = HERE / "example.yaml"
README = HERE.parent / "README.md"
BEGIN, END = "<!-- settings -->", "<!-- /settings -->"

HEADER = """\
# Causeway's settings. Every setting is here with its default; a line may be deleted where the default will do.
# A secret can stand here itself, as {env: NAME} of an environment variable, as {file: path} of a file that holds it,
# or as {credential: NAME} of what systemd hands to the service (LoadCredential=, LoadCredentialEncrypted=).
# Any setting can be overridden from the environment: CAUSEWAY_HOMESERVER_ADDRESS, CAUSEWAY_SLACK_WORKSPACES_0_NAME ...
# `causeway check` tells whether all of it works.
"""

PLACEHOLDERS: Mapping[tuple[str, ...], Plain] = {
    ("homeserver", "domain"): "example.org",
    ("appservice", "as_token"): {"env": "CAUSEWAY_APPSERVICE_AS_TOKEN"},
    ("appservice", "hs_token"): {"env": "CAUSEWAY_APPSERVICE_HS_TOKEN"},
    ("slack", "workspaces", "*", "bot_token"): {"env": "CAUSEWAY_BOT_TOKEN"},
    ("slack", "workspaces", "*", "app_token"): {"env": "CAUSEWAY_APP_TOKEN"},
    ("portals", "map", "*", "slack"): "#general",
}
"""What the example has in the place of settings without a default."""


def example() -> str:
    """The example file's text."""
    return render({"slack": {"workspaces": [{}]}})


def render(values: Mapping[str, Plain]) -> str:
    """Write the whole commented file with these values, defaults elsewhere and placeholders where there are none."""
    return HEADER + "".join(line + "\n" for line in _group((), values))


def render_entry(path: tuple[str, ...], indent: int) -> list[str]:
    """The commented lines of one setting or group with its defaults, as an upgrade adds them."""
    return [" " * indent + line if line else "" for line in _entry(schema.entries()[path], {})]


def _group(path: tuple[str, ...], values: Mapping[str, Plain]) -> Iterator[str]:
    for entry in schema.entries().values():
        if entry.path[:-1] == path:
            if not path:
                yield ""
            yield from _entry(entry, values)


def _entry(entry: schema.Entry, values: Mapping[str, Plain]) -> Iterator[str]:
    name = entry.path[-1]
    for line in wrap(entry.meaning, WIDTH):
        yield f"# {line}"
    given = values.get(name)
    if entry.section is not None and not entry.is_list:
        yield f"{name}:"
        yield from _indented(_group(entry.path, given if isinstance(given, dict) else {}))
    elif entry.section is not None:
        items = [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
        yield f"{name}:" if items else f"{name}: []"
        for item in items:
            yield from _indented(_item(entry, item))
        if not items:
            yield "# Each item is like this:"
            yield from (f"#   {line}" for line in _item(entry, {}))
    else:
        value = given if name in values else PLACEHOLDERS.get(entry.path, entry.default)
        yield f"{name}: {scalar(value)}".rstrip()


def _item(entry: schema.Entry, values: Mapping[str, Plain]) -> Iterator[str]:
    begun = False
    for line in _group((*entry.path, "*"), values):
        comes_before = not begun and line.startswith("#")
        yield line if comes_before else f"  {line}" if begun else f"- {line}"
        begun = not comes_before


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def scalar(value: object) -> str:
    """Write a value on one line as YAML: plain where that is safe, else in double quotes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {scalar(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(scalar(inner) for inner in value) + "]"
    text = str(value)
    if not isinstance(value, str) or (re.fullmatch(r"[\w./][\w./: -]*", text) and _reads_as(text)):
        return text
    return json.dumps(text, ensure_ascii=False)


def block(values: Mapping[str, Plain]) -> Iterator[str]:
    """Write plain values as lines of YAML; lists hold scalars or one-line groups."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield f"{key}:"
            yield from _indented(block(value))
        elif isinstance(value, list) and value:
            yield f"{key}:"
            yield from (f"  - {scalar(item)}" for item in value)
        else:
            yield f"{key}: {scalar(value)}".rstrip()


def _reads_as(text: str) -> bool:
    try:
        return parse_value(text) == text
    except ConfigError:
        return False


def table() -> str:
    """The Markdown table of all settings."""
    rows = ["| Setting | Type | Default | Meaning |", "| --- | --- | --- | --- |"]
    for path, entry in schema.entries().items():
        name = ".".join(path).replace(".*", "[]")
        if entry.section is not None and not entry.is_list:
            rows.append(f"| **`{name}`** | | | {_cell(entry.meaning)} |")
        else:
            default = (
                "*required*" if entry.required else f"`{scalar(entry.default)}`" if entry.default is not None else ""
            )
            rows.append(f"| `{name}` | {_cell(entry.kind.name)} | {_cell(default)} | {_cell(entry.meaning)} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def section_of(readme: str) -> str:
    """The part of the README that holds the table; empty where the markers are missing."""
    found = re.search(f"{re.escape(BEGIN)}\n(.*?){re.escape(END)}", readme, re.DOTALL)
    return found[1] if found else ""


def renew() -> None:
    """Write the example file and the README's table anew."""
    EXAMPLE.write_text(example(), encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    before, begin, rest = readme.partition(BEGIN + "\n")
    _, end, after = rest.partition(END)
    README.write_text(before + begin + table() + end + after, encoding="utf-8")
