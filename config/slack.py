"""The settings of Slack: how the bridge reaches it, and which workspaces it bridges."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.secrets import AppToken, BotToken, Secret
from config.section import Section
from config.values import Address, ApiUrl, Count, Kind, Listen, Name, Text, Url, pattern, wrong


class SlackEvents(Section):
    """Delivery over signed HTTP requests; read only in the mode `events`."""

    listen: Address = Field(default=Listen("127.0.0.1", 29331), description="Where the bridge listens for Slack.")
    path: Annotated[str, AfterValidator(pattern(r"/[\w./-]*", "a path", "begin with /"))] = Field(
        default="/slack/events", description="The path of the request URL."
    )
    url: Annotated[Url | None, Kind("URL")] = Field(
        default=None,
        description="That listener's public address without the path; needed in the mode `events`.",
    )


class Workspace(Section):
    """One Slack workspace."""

    name: Name = Field(default="main", description="A short name of your own for the workspace.")
    bot_token: Annotated[BotToken | None, Kind("secret")] = Field(
        default=None,
        description="The bot token of the app in this workspace, `xoxb-…`; blank where it is installed by consent.",
    )
    app_token: Annotated[AppToken | None, Kind("secret")] = Field(
        default=None, description="The app-level token with connections:write, `xapp-…`; needed in the mode `socket`."
    )
    signing_secret: Annotated[Secret | None, Kind("secret")] = Field(
        default=None, description="The app's signing secret; needed in the mode `events`."
    )
    client_id: Annotated[Text | None, Kind("text")] = Field(
        default=None, description="The app's client id, in quotes; with it people can connect their own accounts."
    )
    client_secret: Annotated[Secret | None, Kind("secret")] = Field(
        default=None, description="The app's client secret; needed with a client_id."
    )

    policy: Annotated[Name | None, Kind("text")] = Field(
        default=None,
        description="What may cross in its portals: one of `policies`; a line of portals.map goes before it.",
    )

    def secrets(self) -> list[Secret]:
        """What of it must not be shown."""
        held = (self.bot_token, self.app_token, self.signing_secret, self.client_secret)
        return [secret for secret in held if secret is not None]


class Slack(Section):
    """How the bridge reaches Slack, and which workspaces it bridges."""

    api_url: ApiUrl = Field(default="https://slack.com/api/", description="The base address of Slack's Web API.")
    mode: Literal["socket", "events"] = Field(
        default="socket",
        description="How Slack delivers: over `socket` (nothing inbound from the internet) or as signed HTTP `events`.",
    )
    connections: Annotated[Count, Field(ge=1, le=10)] = Field(
        default=1,
        description="Sockets kept open in the mode `socket`, 1 to 10; several may swap messages of the same moment.",
    )
    events: SlackEvents = Field(default=SlackEvents(), description=SlackEvents.__doc__)
    workspaces: Annotated[tuple[Workspace, ...], Kind("list", literal=False)] = Field(
        default=(), description="The workspaces; [] where only the history of an export is brought over."
    )

    @model_validator(mode="after")
    def _each_workspace_can_connect(self) -> Self:
        if self.mode == "events" and self.events.url is None:
            raise wrong("is needed in the mode events", "write the address that Slack can reach", at=("events", "url"))
        names: set[str] = set()
        for number, workspace in enumerate(self.workspaces):
            at = ("workspaces", number)
            if workspace.name in names:
                raise wrong(f"{workspace.name!r} is used twice", "give each workspace its own name", at=(*at, "name"))
            names.add(workspace.name)
            if workspace.bot_token is None and workspace.client_id is None:
                raise wrong("has no value", "fill it in", at=(*at, "bot_token"))
            if self.mode == "socket" and workspace.app_token is None:
                hint = "make an app-level token with connections:write, or set slack.mode to events"
                raise wrong("is needed in the mode socket", hint, at=(*at, "app_token"))
            if self.mode == "events" and workspace.signing_secret is None:
                hint = "copy it from the app's Basic Information page, or set slack.mode to socket"
                raise wrong("is needed in the mode events", hint, at=(*at, "signing_secret"))
            if workspace.client_id is not None and workspace.client_secret is None:
                hint = "copy it from the app's Basic Information page"
                raise wrong("is needed with a client_id", hint, at=(*at, "client_secret"))
        return self
