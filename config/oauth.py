"""The settings of consents in Slack, by which people let the bridge write there as themselves."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated

from pydantic import Field

from config.secrets import SharedToken
from config.section import Section
from config.values import Flag, Kind


class OAuth(Section):
    """Consents in Slack (OAuth), over the public listener: people who write there as themselves."""

    key: Annotated[SharedToken | None, Kind("secret")] = Field(
        default=None,
        description="Seals the tokens in the database that people give, so keep it elsewhere; needed with a client_id.",
    )
    rotation: Flag = Field(
        default=False,
        description="Whether the app has tokens expire, which the bridge renews; in Slack that is for good.",
    )
    pkce: Flag = Field(
        default=False,
        description="Whether codes are bound by PKCE (S256): Slack takes it of apps that opted in, for good.",
    )
