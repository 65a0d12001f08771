"""The kinds of value that a setting can have, and how each is read from what a person writes.

A duration is `24h`, a size `100 MiB`, a listening address `127.0.0.1:29330`, a secret is never shown. Reading is
strict: what is not clearly one thing is refused with a sentence that says what to write instead. Nothing here knows
which settings exist.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Strict, ValidationInfo
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def wrong(what: str, hint: str = "", at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """Say that a value cannot stand: `what` is wrong, `hint` is what to do, `at` the key below the current one."""
    return PydanticCustomError("wrong_value", "{what}", {"what": what, "hint": hint, "at": at})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a file's values may lean on: the directory that relative paths start from, and the environment."""

    directory: Path = field(default_factory=Path.cwd)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a setting's type is named to people, and how a value of it is written down."""

    name: str
    write: Callable[[Any], object] = str  # takes the one type that it is attached to
    literal: bool = True  # an environment variable holds the text itself rather than YAML


def around(info: ValidationInfo) -> Surroundings:
    return info.context if isinstance(info.context, Surroundings) else Surroundings()


class Listen(NamedTuple):
    """An address to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_listen(value: object) -> Listen:
    if isinstance(value, Listen):
        return value
    found = (
        re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]/]+)):(\d{1,5})", value) if isinstance(value, str) else None
    )
    if found is None or int(found[3]) > 65535:
        raise wrong(f"{shown(value)} is not an address to listen on", 'write host:port, such as "127.0.0.1:29330"')
    return Listen(found[1] or found[2], int(found[3]))


UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def read_duration(value: object) -> timedelta:
    """Read `90s`, `15m`, `24h`, `7d`, `2w` or several together, `1h 30m`; zero is `0s`."""
    if isinstance(value, timedelta):
        return value
    text = value.strip().lower() if isinstance(value, str) else ""
    if not re.fullmatch(r"(\d{1,9}(\.\d+)?\s*(ms|s|min|m|h|d|w)\s*)+", text):
        hint = f"{value}s" if isinstance(value, int) and not isinstance(value, bool) else "24h"
        raise wrong(f"{shown(value)} is not a duration", f"write a number with a unit (s, m, h, d, w), such as {hint}")
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)", text)
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    if seconds > timedelta(days=36500).total_seconds():
        raise wrong(f"{shown(value)} is longer than a century", "write something shorter, such as 30d")
    return timedelta(seconds=seconds)


def write_duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    for unit in ("d", "h", "m", "s"):
        if seconds >= UNITS[unit] and seconds % UNITS[unit] == 0:
            return f"{int(seconds // UNITS[unit])}{unit}"
    return f"{seconds:g}s"


SIZES = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 1024, "mi": 1024**2, "gi": 1024**3}


def read_size(value: object) -> int:
    """Read `100 MiB`, `500 kB`, `1 GiB` or a plain number of bytes."""
    text = str(value).strip().lower() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)\s*(|[kmg]i?)b?", text)
    if found is None:
        raise wrong(f"{shown(value)} is not a size", "write a number with a unit (kB, MB, MiB, GiB), such as 100 MiB")
    return int(float(found[1]) * SIZES[found[2]])


def write_size(value: int) -> str:
    for unit in ("GiB", "MiB", "KiB"):
        size = SIZES[unit[:-1].lower()]
        if value >= size and value % size == 0:
            return f"{value // size} {unit}"
    return f"{value} B"


def read_url(value: object) -> str:
    """Read an http(s) address without user, query or fragment; a closing slash is dropped."""
    if not isinstance(value, str):
        raise wrong(f"{shown(value)} is not a URL", "write it as text, such as https://matrix.example.org")
    text = value.strip()
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # reading it is what checks it
    except ValueError as error:
        raise wrong(f"{shown(value)} is not a URL: {error}", "write it like https://matrix.example.org") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        scheme = "http" if re.match(r"(localhost|127\.[\d.]+)\b", text) else "https"
        guess = f"{scheme}://{text}" if "://" not in text and re.fullmatch(r"[\w.-]+(:\d+)?(/\S*)?", text) else ""
        raise wrong(f"{shown(value)} is not an http or https URL", f"write {guess or 'https://…'}")
    if parts.username or parts.password or parts.query or parts.fragment or re.search(r"\s", text):
        raise wrong("the URL holds more than an address", "leave out user, password, query and fragment")
    return text.rstrip("/")


def read_api_url(value: object) -> str:
    """Read the base of the Web API, closing slash included; tokens never travel unencrypted to a distant host."""
    url = read_url(value)
    host = urlsplit(url).hostname or ""
    if url.startswith("http://") and "." in host and not _is_near(host):
        raise wrong(f"{shown(url)} would send tokens unencrypted over the network", f"write https://{url[7:]}")
    return url + "/"


def _is_near(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.endswith((".localhost", ".internal", ".local"))
    return address.is_loopback or address.is_private


def read_domain(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"([A-Za-z0-9.-]{1,230}|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", value):
        return value
    bare = (
        re.fullmatch(r"(?:https?://|@[^:]*:|:)?([A-Za-z0-9.-]+(?::\d+)?)/?", value) if isinstance(value, str) else None
    )
    raise wrong(
        f"{shown(value)} is not a server name",
        f"write {bare[1] if bare else 'the part after the colon of a user id, such as example.org'}",
    )


def pattern(regex: str, what: str, hint: str) -> Callable[[str], str]:
    """Make the check that a text has a form."""
    compiled = re.compile(regex)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise wrong(f"{shown(value)} is not {what}", hint)
        return value

    return check


def template(*places: str, localpart: bool = False) -> Callable[[str], str]:
    """Make the check of a text with `{places}` in it.

    A localpart template needs every place once, a fixed beginning and something between two places, so that ids can
    be told from other people's and be read back.
    """
    example = " and ".join(f"{{{place}}}" for place in places)

    def check(value: str) -> str:
        try:
            parts = list(Formatter().parse(value))
        except ValueError as error:
            raise wrong(
                f"{shown(value)} is not a template: {error}", f"use {example}; write a brace as {{{{"
            ) from error
        used = [name for _, name, spec, conversion in parts if name is not None and not (spec or conversion)]
        if len(used) != sum(name is not None for _, name, _, _ in parts) or not set(used) <= set(places):
            raise wrong(f"{shown(value)} has a place that is not known here", f"use only {example}")
        if localpart:
            _check_localpart(value, parts[0][0], [text for text, name, _, _ in parts if name is not None], used, places)
        return value

    return check


def _check_localpart(value: str, start: str, gaps: list[str], used: list[str], places: tuple[str, ...]) -> None:
    if sorted(used) != sorted(places):
        raise wrong(f"{shown(value)} must contain each of {', '.join(f'{{{place}}}' for place in places)} once")
    if not start or not all(re.search(r"[^a-z0-9]", gap) for gap in gaps[1:]):
        raise wrong(f"{shown(value)} is ambiguous", 'begin with a fixed text and keep "_" between the places')
    if not re.fullmatch(r"[a-z0-9._=/+-]*", re.sub(r"\{\w+\}", "", value)):
        raise wrong(f"{shown(value)} cannot be part of a Matrix id", "use only a-z, 0-9 and . _ = - / +")


def read_slack_channel(value: str) -> str:
    if not re.fullmatch(r"#[^\s#@,:]{1,80}|[CG][A-Z0-9]+", value):
        bare = re.fullmatch(r"[\w.-]{1,80}", value)
        raise wrong(
            f"{shown(value)} is not a Slack channel", f'write "#{bare[0] if bare else "general"}" in quotes, or its id'
        )
    return value


def read_matrix_room(value: str) -> str:
    if not re.fullmatch(r"create|[#][^\s:]+:\S+|![^\s]+", value):
        raise wrong(
            f"{shown(value)} is not a Matrix room", 'write create, an alias such as "#room:example.org" or a room id'
        )
    return value


def shown(value: object) -> str:
    """A value as a message may quote it: as YAML has it, short, on one line."""
    text = {"True": "true", "False": "false", "None": "nothing"}.get(repr(value), repr(value))
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]


Flag = Annotated[bool, Strict(), Kind("true or false", bool, literal=False)]
Count = Annotated[int, Strict(), Kind("whole number", int, literal=False)]
Duration = Annotated[timedelta, BeforeValidator(read_duration), Kind("duration", write_duration)]
Size = Annotated[int, BeforeValidator(read_size), Kind("size", write_size)]
Url = Annotated[str, BeforeValidator(read_url), Kind("URL")]
ApiUrl = Annotated[str, BeforeValidator(read_api_url), Kind("URL")]
Domain = Annotated[str, BeforeValidator(read_domain), Kind("server name")]
Address = Annotated[Listen, BeforeValidator(read_listen), Kind("host:port")]
Text = Annotated[str, Strict(), Kind("text")]
MatrixUser = Annotated[
    str,
    AfterValidator(pattern(r"@[^\s:]+:\S+", "a Matrix user id", 'write it in quotes, such as "@alice:example.org"')),
    Kind("Matrix user id"),
]
UserPattern = Annotated[
    str,
    AfterValidator(pattern(r"@[^\s:\[\]]+:\S+", "a pattern of user ids", 'write it like "@*:example.org", in quotes')),
    Kind("pattern"),
]
TypeGlob = Annotated[
    str,
    AfterValidator(pattern(r"[\w.+*-]+/[\w.+*-]+", "a content type", "write it like image/png, image/* or */*")),
    Kind("content type"),
]
Localpart = Annotated[
    str, AfterValidator(pattern(r"[a-z0-9._=/+-]+", "the local part of a user id", "use only a-z, 0-9, . _ and -"))
]
Name = Annotated[str, AfterValidator(pattern(r"[\w.-]{1,64}", "a name", "use letters, digits, . _ and -"))]
SlackChannel = Annotated[str, AfterValidator(read_slack_channel), Kind("channel")]
MatrixRoom = Annotated[str, AfterValidator(read_matrix_room), Kind("room")]
