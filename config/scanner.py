"""The settings of the scanner that looks at every file before it crosses."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.section import Section
from config.values import Duration, Kind, Text, pattern, read_duration, wrong

Place = Annotated[
    str,
    AfterValidator(pattern(r"(/\S+|[^\s/:]+:\d{1,5})?", "a socket", "write /run/clamav/clamd.ctl, or host:port")),
    Kind("path or host:port"),
]


class Scanner(Section):
    """What looks at every file before it crosses, in both directions; without one, nothing does."""

    clamd: Place = Field(
        default="", description="The socket of ClamAV's `clamd`: its path, or host:port; blank asks none."
    )
    command: Annotated[tuple[Text, ...], Kind("list of words", literal=False)] = Field(
        default=(),
        description="A command that reads the file on its standard input and ends with 0 for clean, 1 for harmful.",
    )
    timeout: Duration = Field(default=read_duration("2m"), description="How long a verdict on one file may take.")
    when_it_fails: Literal["withhold", "let_through"] = Field(
        default="withhold",
        description="What becomes of a file without a verdict: withheld, for a retry, or let through.",
    )

    @model_validator(mode="after")
    def _there_is_one(self) -> Self:
        if self.clamd and self.command:
            raise wrong("is set besides clamd", "keep one of the two", at=("command",))
        return self
