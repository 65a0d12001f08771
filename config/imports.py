"""The settings of bringing history over."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated

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
