"""The settings of commands in Matrix: who may give them, and how."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.section import Section
from config.values import Flag, Kind, pattern, wrong

Who = Annotated[
    str,
    AfterValidator(
        pattern(
            r"@[^\s:*?]+:[^\s*?]+|\*:[^\s*?]+|\*",
            "a person, a server or everybody",
            'write it like "@alice:example.org", "*:example.org" or "*", in quotes',
        )
    ),
    Kind("person or server"),
]


class Rule(Section):
    """What one person, or everybody of a server, may ask of the bot."""

    who: Who = Field(description="A user id, `*:example.org` for a server's people, or `*` for everybody.")
    level: Literal["none", "user", "admin"] = Field(
        description="`user` may ask and see to their own account, `admin` may do everything, `none` nothing."
    )


class Permissions(Section):
    """Who may command the bot besides `admins`: the rule of the person counts, else of the server, else of `*`."""

    rules: Annotated[tuple[Rule, ...], Kind("list", literal=False)] = Field(
        default=(), description="The rules, each with `who` and `level`; without any, only `admins` may."
    )

    @model_validator(mode="after")
    def _each_is_said_once(self) -> Self:
        seen: set[str] = set()
        for number, rule in enumerate(self.rules):
            if rule.who in seen:
                raise wrong(f"{rule.who!r} is there twice", "keep one of the two", at=("rules", number, "who"))
            seen.add(rule.who)
        return self


class Commands(Section):
    """How commands are given to the bot in Matrix."""

    prefix: Annotated[
        str,
        AfterValidator(
            pattern(r"[^\s`<>/]{1,32}", "a prefix", 'write one word that does not begin with /, such as "!slack"')
        ),
        Kind("text"),
    ] = Field(default="!slack", description="With what a message begins that is a command, in a room with others.")
    self_link: Flag = Field(
        default=False,
        description="Whether people may link their own Slack account by a code sent there; the app then asks for that.",
    )
