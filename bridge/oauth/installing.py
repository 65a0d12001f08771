"""Installing: how the app comes into a workspace by an admin's consent, in place of a bot token in the configuration.

`causeway slack install-link` gives the link to whoever has a shell beside the bridge, and the bot gives it to an admin
in a room of their own; what leads on from there is as strict as for people. The bot's token is sealed and stored; the
bridge that runs takes the workspace up by itself.
"""

from __future__ import annotations

import logging
from html import escape
from typing import TYPE_CHECKING, Final

from bridge.errors import BridgeError, Declined
from bridge.oauth.consent import Consent, Turned
from bridge.oauth.renewal import sealed
from bridge.store.consent_steps import Step
from config.manifest import INSTALLED
from portals.ids import MatrixUserId, RoomId, SlackUserId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bridge.oauth.seal import Seal
    from bridge.oauth.slack_app import Given, SlackApp
    from bridge.slack.client import Identity
    from bridge.slack.installation import Installation
    from bridge.store.database import Database
    from bridge.store.grants import Grants
    from config.settings import Settings
    from config.slack import Workspace
    from portals.ids import TeamId

log = logging.getLogger(__name__)

INSTALL: Final = "/slack/install"
_AGAIN = "For a new link: causeway slack install-link, or install-link to the bot"
_NOBODY = MatrixUserId("")


def steps_of(database: Database, key: str) -> Consent:
    """Return the steps by which an app is installed, for the bridge and for the command line beside it."""
    return Consent(database, key, "install", _AGAIN)


async def install_link(consent: Consent, public_url: str, workspace: str) -> str:
    """Return a link by which the app is installed to a workspace of the configuration, once."""
    return f"{public_url}{INSTALL}?link={await consent.begin(Step(workspace, _NOBODY, RoomId('')))}"


def workspace_named(settings: Settings, name: str | None) -> Workspace:
    """Return the workspace of the configuration that has this name, or the only one; raises Declined."""
    workspaces = settings.slack.workspaces
    if not workspaces:
        raise Declined("no_workspace", "the configuration names no workspace of Slack: add one under slack.workspaces")
    names = ", ".join(workspace.name for workspace in workspaces)
    if name is None:
        if len(workspaces) > 1:
            raise Declined("ambiguous", f"there are several workspaces: add --workspace with one of {names}")
        return workspaces[0]
    found = next((workspace for workspace in workspaces if workspace.name == name), None)
    if found is None:
        raise Declined("not_found", f"there is no workspace {name!r} in the configuration: write one of {names}")
    return found


async def link_for(settings: Settings, database: Database, workspace: Workspace) -> str:
    """Return a link by which the app is installed to a workspace, once; raises Declined where it cannot be."""
    key, url = settings.oauth.key, settings.public.url
    if workspace.bot_token is not None:
        raise Declined("has_token", f"{workspace.name} has a bot_token in the configuration: take that out first")
    if key is None or url is None:
        raise Declined("no_oauth", "oauth.key and public.url are needed for that")
    return await install_link(steps_of(database, key.reveal()), url, workspace.name)


class Installing:
    """Leads admins through; `apps` are those that may be installed so, by the names of their workspaces."""

    path: Final = INSTALL
    back_path: Final = INSTALLED

    def __init__(
        self,
        *,
        apps: Mapping[str, SlackApp],
        installations: Mapping[TeamId, Installation],
        whose: Callable[[str], Awaitable[Identity]],
        grants: Grants,
        seal: Seal,
        consent: Consent,
    ) -> None:
        self._apps = apps
        self._installations = installations
        self._whose = whose
        self._grants = grants
        self._seal = seal
        self.consent = consent

    def asks(self, step: Step) -> tuple[str, str, str]:
        """Return the title of our page, what it says, and the words of the way on, as HTML."""
        return (
            "Install the bridge in Slack",
            f"<p>The app of this bridge is about to be installed to the workspace that it calls "
            f"<strong>{escape(step.workspace)}</strong>. Choose that one in Slack.</p>"
            "<p>Go on only if you asked for this link, on the command line or the bot. Otherwise close this page.</p>",
            "Go on to Slack",
        )

    async def go(self, link: str, cookie: str, token: str) -> str:
        """Use up a link and return the address of Slack's consent; raises Turned."""
        state, step = await self.consent.go(link, cookie, token)
        return self._app(step.workspace).consent_address(state, None, self.consent.verifier(state))

    async def back(self, state: str, code: str, error: str, cookie: str) -> str:
        """Take up what Slack's consent led to, and return what to say; raises Turned where nothing came of it."""
        step = await self.consent.back(state, cookie)
        given = await self.consent.exchanged(self._app(step.workspace), state, code, error)
        await self._keep(step.workspace, given)
        return f"The app is installed in {given.team} as {step.workspace}. The bridge takes it up; close this page."

    async def _keep(self, name: str, given: Given) -> None:
        try:
            team = (await self._whose(given.token)).team_id
        except BridgeError as error:
            raise Turned(f"Slack does not say which workspace that is ({error}). {_AGAIN}") from error
        known = {one.name: its for its, one in self._installations.items()}
        others = [other for other, its in known.items() if its == given.team and other != name]
        if team != given.team or others or known.get(name, given.team) != given.team:
            log.warning("%s: a token of %s was not taken, which is another workspace", name, team)
            raise Turned(f"That is not the workspace {name}, but {others[0] if others else team}. {_AGAIN}")
        tokens = sealed(self._seal, given.team, given.user, given.token, given.refresh, given.expires_at)
        account = MatrixUserId(name)
        await self._grants.connect(given.team, SlackUserId(""), account, RoomId(""), tokens, "install link (OAuth)")

    def _app(self, name: str) -> SlackApp:
        if name not in self._apps:
            raise Turned(f"The configuration has no client_id for {name}.")
        return self._apps[name]
