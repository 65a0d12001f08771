"""One call of a Web API method: its arguments, who calls, and what a method is.

Arguments come as a query, a form or JSON; a form carries structures as JSON text and booleans as words, and both
spellings are read here so that a method sees typed values. Refusals are Slack's.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.state import micros

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.slack.server import SlackSandbox
    from tests.sandbox.slack.state import Channel, Installation, Json, Message, Token, User
    from tests.sandbox.slack.workspace import Workspace

READ_SCOPES = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY_SCOPES = ("channels:history", "groups:history", "im:history", "mpim:history")
MANAGE_SCOPES = ("channels:manage", "groups:write", "im:write", "mpim:write")
_KINDS = ("public", "private", "im", "mpim")
T = TypeVar("T")
_TRUE = {"1", "true", "True", "yes"}


def scope_for(kind: str, family: tuple[str, ...]) -> str:
    """The scope of a family (read, history, manage) that a kind of conversation needs."""
    return family[_KINDS.index(kind)]


class Args:
    """Typed access to what was sent."""

    def __init__(self, values: Json) -> None:
        self.values = values

    def has(self, name: str) -> bool:
        """Whether there is a value that is not empty."""
        return self.values.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (dict, list)):
            raise SlackRefusal("invalid_arguments", (f"[ERROR] must be a string [json-pointer:/{name}]",))
        return str(value)

    def optional(self, name: str) -> str | None:
        """A string, or None when it is missing or empty."""
        return self.text(name) or None

    def need(self, name: str) -> str:
        """A string that must be there. Raises `invalid_arguments`."""
        value = self.text(name)
        if not value:
            raise SlackRefusal("invalid_arguments", (f"[ERROR] missing required field: {name}",))
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        return value if isinstance(value, bool) else str(value) in _TRUE

    def count(self, name: str, default: int, most: int) -> int:
        """A page size that is cut to the most there may be. Raises `invalid_arguments`."""
        try:
            return min(self.number(name, default, 1_000_000), most)
        except SlackRefusal:
            raise SlackRefusal("invalid_arguments", (f"[ERROR] must be a number [json-pointer:/{name}]",)) from None

    def number(self, name: str, default: int, most: int) -> int:
        """A page size. Raises `invalid_limit`."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise SlackRefusal("invalid_limit") from None
        if number < 0 or number > most:
            raise SlackRefusal("invalid_limit")
        return number or default

    def structure(self, name: str, refusal: str) -> Any:
        """A JSON structure, also when a form carries it as text. None when there is none."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise SlackRefusal(refusal) from None

    def moment(self, name: str, refusal: str) -> int | None:
        """A timestamp in microseconds, or None when there is none (0 and now count as none)."""
        value = self.text(name)
        if value in ("", "0", "now"):
            return None
        try:
            return micros(value)
        except ValueError:
            raise SlackRefusal(refusal) from None


@dataclass(frozen=True, slots=True)
class Call:
    """What a method gets."""

    sandbox: SlackSandbox
    workspace: Workspace
    token: Token
    args: Args
    warnings: list[str]

    @property
    def me(self) -> User:
        """The member who calls: the app's bot, or a person through a user token."""
        return self.workspace.users[self.token.user_id]

    @property
    def installation(self) -> Installation:
        """The app that calls, in this workspace."""
        return self.workspace.installations[self.token.app.id]

    def may(self, scope: str) -> bool:
        """Whether the token has a scope."""
        return scope in self.token.scopes

    def need_scope(self, *accepted: str) -> None:
        """Refuses with `missing_scope` unless the token has one of these."""
        if not self.token.scopes.isdisjoint(accepted):
            return
        provided = ",".join(sorted(self.token.scopes))
        raise SlackRefusal("missing_scope", needed=",".join(accepted), provided=provided)

    def conversation(self, ref: str, family: tuple[str, ...] | None = None) -> Channel:
        """A conversation that the caller can see. Raises `channel_not_found`, `missing_scope`."""
        channel = self.workspace.channels.get(ref)
        if channel is None:
            raise SlackRefusal("channel_not_found")
        if family is not None:
            self.need_scope(scope_for(channel.kind, family))
        if channel.kind != "public" and self.token.user_id not in channel.members:
            raise SlackRefusal("channel_not_found")
        return channel

    def message(self, channel: Channel, name: str, refusal: str = "message_not_found") -> Message:
        """The message that an argument names."""
        ts = self.args.text(name)
        try:
            micros(ts)
        except ValueError:
            raise SlackRefusal("bad_timestamp" if name == "timestamp" else refusal) from None
        message = channel.messages.get(ts)
        if message is None:
            raise SlackRefusal(refusal)
        return message


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method: how it is done, how often, and with which scope (any of them is enough).

    `json` methods read JSON bodies too; `posts` ones are held to the rate of a channel.
    """

    do: Callable[[Call], Json]
    tier: int
    scopes: tuple[str, ...] = ()
    json: bool = False
    posts: bool = False
    kinds: tuple[str, ...] = ("bot", "user")


def encode_cursor(word: str) -> str:
    """A cursor as Slack makes them: opaque base64."""
    return base64.b64encode(word.encode()).decode()


def decode_cursor(cursor: str, prefix: str) -> str:
    """What stands behind a cursor. Raises `invalid_cursor`."""
    try:
        word = base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise SlackRefusal("invalid_cursor") from None
    if not word.startswith(prefix):
        raise SlackRefusal("invalid_cursor")
    return word.removeprefix(prefix)


def page(items: list[T], args: Args, default: int, most: int, prefix: str) -> tuple[list[T], Json]:
    """One page of a list and the `response_metadata` that leads to the next."""
    limit = args.number("limit", default, most)
    start = 0
    if args.has("cursor"):
        word = decode_cursor(args.text("cursor"), prefix)
        if not word.isdigit():
            raise SlackRefusal("invalid_cursor")
        start = int(word)
    rest = start + limit < len(items)
    cursor = encode_cursor(f"{prefix}{start + limit}") if rest else ""
    return items[start : start + limit], {"next_cursor": cursor}
