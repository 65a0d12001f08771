"""The settings of what the bridge shows to the internet."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated, Self

from pydantic import Field, model_validator

from config.section import Section
from config.values import Address, Flag, Kind, Url, wrong


class Public(Section):
    """What the bridge shows to the internet, on a listener of its own: redirects of old Slack links, and avatars."""

    listen: Annotated[Address | None, Kind("host:port")] = Field(
        default=None, description="Where the bridge listens for it, such as `127.0.0.1:29332`; blank listens nowhere."
    )
    url: Annotated[Url | None, Kind("URL")] = Field(
        default=None, description="That listener's public address; needed for avatars."
    )
    avatars: Flag = Field(
        default=False, description="Whether Slack shows avatars of Matrix people, which its servers fetch there."
    )

    @model_validator(mode="after")
    def _avatars_can_be_fetched(self) -> Self:
        if self.avatars and self.listen is None:
            raise wrong("is needed for avatars", 'write host:port, such as "127.0.0.1:29332"', at=("listen",))
        if self.avatars and self.url is None:
            raise wrong("is needed for avatars", "write the address that Slack's servers can reach", at=("url",))
        return self
