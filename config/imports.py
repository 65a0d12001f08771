"""The settings of bringing history over."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated, Literal

from pydantic import Field

from config.section import Section
from config.values import Count


class Imports(Section):
    """How history is brought over by `causeway import`."""

    channels_at_once: Annotated[Count, Field(ge=1, le=256)] = Field(
        default=16, description="Channels whose history comes at once; more gain little on one Synapse."
    )
    files_at_once: Annotated[Count, Field(ge=1, le=64)] = Field(
        default=4, description="Files that are fetched from Slack at the same time, ahead of their messages."
    )
    system_messages: Literal["live", "all", "without_membership", "none"] = Field(
        default="live",
        description="Which of Slack's own messages come with a history: those that are shown of live traffic "
        "(not joins, names and topics, which rooms show as such), `all`, all but joins, or `none`; "
        "choose before the first import.",
    )
