"""Secrets among the settings: read from the file, the environment or a file of their own, and never shown.

A refusal says what kind of thing stands where a token should, never the thing itself.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from config.values import Kind, Surroundings, around, wrong

SECRET_FILE_LIMIT = 64 * 1024


class Secret:
    """A text that neither `str`, `repr`, a log line nor a dump of the settings shows; only `reveal()` does."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            read_secret, serialization=core_schema.plain_serializer_function_ser_schema(repr)
        )


def read_secret(value: object, info: ValidationInfo) -> Secret:
    """Take a secret as it stands, or from where `{env: …}`, `{file: …}` or `{credential: …}` says; refuse blanks."""
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        text, origin = value, "it"
    elif isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in SOURCES:
        (source, name), *_ = value.items()
        if not isinstance(name, str) or not name:
            raise wrong(f"`{source}` needs a name", f'write {{{source}: "…"}}')
        read, what = SOURCES[source]
        text, origin = read(name, around(info)), f"{what} {name}"
    elif isinstance(value, bool | int | float):
        raise wrong("is read as a number, which may lose some of it", "put it in quotes")
    else:
        raise wrong("is not a secret", "write the text itself, {env: NAME}, {file: path} or {credential: NAME}")
    if not text:
        raise wrong(f"is empty ({origin} holds nothing)" if origin != "it" else "is empty", "fill it in")
    if any(char.isspace() or not char.isprintable() for char in text):
        raise wrong(f"is no token: {origin} contains a blank, a line break or a control character", "copy it again")
    return Secret(text)


def _from_environment(name: str, surroundings: Surroundings) -> str:
    text = surroundings.environ.get(name)
    if text is None:
        raise wrong(f"the environment variable {name} is not set", f"set {name} for the process that runs causeway")
    return text.strip()


def _from_file(name: str, surroundings: Surroundings) -> str:
    path = surroundings.directory / Path(name).expanduser()
    try:
        with path.open("rb") as stream:
            content = stream.read(SECRET_FILE_LIMIT + 1)
    except OSError as error:
        raise wrong(
            f"{path} cannot be read: {error.strerror}", "make it readable for the user that runs causeway"
        ) from error
    if len(content) > SECRET_FILE_LIMIT:
        raise wrong(f"{path} is too large for a secret", "put nothing but the secret in that file")
    try:
        return content.decode().strip()
    except UnicodeDecodeError as error:
        raise wrong(f"{path} is not UTF-8 text", "put nothing but the secret in that file") from error


def _from_credential(name: str, surroundings: Surroundings) -> str:
    """Read what systemd hands to a service (https://systemd.io/CREDENTIALS), which may lie encrypted on the disk."""
    directory = surroundings.environ.get("CREDENTIALS_DIRECTORY")
    if directory is None:
        raise wrong("there are no credentials here: systemd passed none", "see docker/causeway.service")
    if "/" in name:
        raise wrong(f"{name} is the path of a file, not the name of a credential", "write {file: …}")
    return _from_file(str(Path(directory) / name), surroundings)


SOURCES: Mapping[str, tuple[Callable[[str, Surroundings], str], str]] = {
    "env": (_from_environment, "the environment variable"),
    "file": (_from_file, "the file"),
    "credential": (_from_credential, "the credential"),
}
"""Where a secret may be kept instead of the configuration, and how that is called in words."""


def token(*prefixes: str, name: str) -> Callable[[Secret], Secret]:
    """Make the check that a Slack token is of the wanted kind; the token itself never gets into the message."""
    known = {
        "xoxb-": "a bot token",
        "xoxp-": "a user token",
        "xapp-": "an app-level token",
        "xoxe.xoxb-": "a bot token",
    }

    def check(value: Secret) -> Secret:
        text = value.reveal()
        if not text.startswith(prefixes):
            kind = next((kind for prefix, kind in known.items() if text.startswith(prefix)), "")
            raise wrong(f"is {kind}, not {name}" if kind else f"is not {name}", f"{name} begins with {prefixes[0]}")
        return value

    return check


def long_enough(value: Secret) -> Secret:
    if len(value.reveal()) < 16:
        raise wrong("is too short to be safe", "use at least 16 random characters: `openssl rand -hex 32` prints some")
    return value


def read_database_url(value: Secret, info: ValidationInfo) -> Secret:
    """Accept `sqlite:///path` (made absolute) and `postgres://…`; the address is secret, it may hold a password."""
    url = value.reveal()
    if url.startswith(("postgres://", "postgresql://")):
        return value
    path = url.removeprefix("sqlite:///")
    if path == url or not path or path.startswith(":"):
        raise wrong("is no database address", "write sqlite:///causeway.db or postgres://user:password@host/name")
    return Secret(f"sqlite:///{around(info).directory.absolute() / Path(path).expanduser()}")


SharedToken = Annotated[Secret, AfterValidator(long_enough), Kind("secret")]
BotToken = Annotated[Secret, AfterValidator(token("xoxb-", "xoxe.xoxb-", name="a bot token")), Kind("secret")]
AppToken = Annotated[Secret, AfterValidator(token("xapp-", name="an app-level token")), Kind("secret")]
DatabaseUrl = Annotated[Secret, AfterValidator(read_database_url), Kind("database URL", Secret.reveal)]
