"""The settings of what admins look at: console, HTTP API, metrics and health."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.secrets import SharedToken
from config.section import Section
from config.values import Address, Duration, Kind, Listen, Name, Url, read_duration, wrong


class ApiToken(Section):
    """One token of the HTTP API."""

    name: Name = Field(description="Whose it is; the audit log names what is done with it so.")
    token: SharedToken = Field(description="The token: at least 16 characters, `openssl rand -hex 32` prints some.")
    role: Literal["user", "admin"] = Field(
        default="user", description="What it may do: a `user` reads, an `admin` changes as well."
    )


class Console(Section):
    """Console, HTTP API, metrics and health, on a listener of their own that belongs on no open network."""

    listen: Annotated[Address | None, Kind("host:port")] = Field(
        default=None, description="Where the bridge listens for it, such as `127.0.0.1:29333`; blank listens nowhere."
    )
    url: Annotated[Url | None, Kind("URL")] = Field(
        default=None, description="How admins' browsers reach that listener; blank is its own address."
    )
    session: Duration = Field(
        default=read_duration("12h"), description="How long somebody who has signed in to the console stays so."
    )
    tokens: Annotated[tuple[ApiToken, ...], Kind("list", literal=False)] = Field(
        default=(), description="Tokens for programs that use the HTTP API, each with `name`, `token` and `role`."
    )

    @model_validator(mode="after")
    def _tokens_are_apart(self) -> Self:
        names: set[str] = set()
        tokens: set[str] = set()
        for number, one in enumerate(self.tokens):
            if one.name in names:
                raise wrong(f"{one.name!r} is used twice", "give each its own name", at=("tokens", number, "name"))
            if one.token.reveal() in tokens:
                raise wrong("is used twice", "make one for each", at=("tokens", number, "token"))
            names.add(one.name)
            tokens.add(one.token.reveal())
        return self

    def address_at(self, listen: Listen) -> str:
        """How a browser on this machine, or wherever `url` says, reaches the console."""
        return self.url or f"http://{listen}"
