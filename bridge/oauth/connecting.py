"""Connecting: how somebody of Matrix comes to write in Slack as themself, and that nobody else comes to it for them.

    command ─▶ link ─▶ our page: who asks for what ─▶ go (cookie, state) ─▶ Slack's consent ─▶ back (code, state)
                                                        exchange ─▶ who is it? ─▶ linked, sealed, stored, told

The page stands before Slack's, because that does not say who of Matrix asks: whoever is sent a link of somebody else's
reads there as whom they would let that one write. A token that was given by the wrong person is revoked at once.
"""

from __future__ import annotations

import logging
from html import escape
from typing import TYPE_CHECKING, Final

from bridge.errors import BridgeError, Declined, Refused
from bridge.oauth.consent import Consent, Turned
from bridge.oauth.renewal import sealed
from bridge.store.consent_steps import Step, digest
from bridge.store.grants import GIVEN_BY_CONSENT, GrantState
from config.manifest import CONNECTED
from portals.ids import action_key
from portals.people.links import How, Wanted
from portals.relay import content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.administration.store import Store
    from bridge.matrix.client import MatrixClient
    from bridge.oauth.seal import Seal
    from bridge.oauth.slack_app import Given, SlackApp
    from bridge.slack.installation import Installation
    from bridge.store.grants import Grants
    from bridge.work.hands import Hands
    from portals.ids import MatrixUserId, RoomId, TeamId

log = logging.getLogger(__name__)


class Connecting:
    """Leads people through; `apps` are those of the workspaces in which people may connect, by their names."""

    path: Final = "/slack/connect"
    back_path: Final = CONNECTED

    def __init__(
        self,
        *,
        apps: Mapping[str, SlackApp],
        installations: Mapping[TeamId, Installation],
        store: Store,
        grants: Grants,
        hands: Hands,
        seal: Seal,
        matrix: MatrixClient,
        public_url: str,
        key: str,
        with_conversations: bool = False,
    ) -> None:
        self._apps = apps
        self._installations = installations
        self._store = store
        self._grants = grants
        self._hands = hands
        self._seal = seal
        self._matrix = matrix
        self._public_url = public_url
        self._with_conversations = with_conversations
        self.consent = Consent(store.database, key, "connect", "Ask the bot for a new link: connect")

    # --- what commands ask

    async def link(self, account: MatrixUserId, room: RoomId, team: TeamId) -> str:
        """Return a link by which somebody connects their account of a workspace, once; raises Declined."""
        name = self._installations[team].name
        if name not in self._apps:
            raise Declined(
                "no_client_id", f"nobody can connect their account of {name}: an admin has to set its client_id"
            )
        return f"{self._public_url}{self.path}?link={await self.consent.begin(Step(name, account, room))}"

    async def end(self, account: MatrixUserId, actor: str) -> tuple[int, bool]:
        """Disconnect somebody everywhere; returns from how many workspaces, and whether Slack was told already."""
        theirs = [
            one
            for one in (await self._grants.all()).values()
            if one.account == account and one.state in (GrantState.LIVE, GrantState.BROKEN)
        ]
        done = True
        for grant in theirs:
            await self._grants.end(grant, "by their own wish", actor)
            done = await self._hands.revoke(grant) and done
        return len(theirs), done

    # --- what a browser asks

    def asks(self, step: Step) -> tuple[str, str, str]:
        """Return the title of our page, what it says, and the words of the way on, as HTML."""
        account, workspace = escape(step.account), escape(step.workspace)
        direct = (
            "<p>Your <strong>direct messages</strong> are shown to that account as well, where those with whom you "
            "talk have agreed: by going on, you agree.</p>"
            if self._with_conversations
            else ""
        )
        return (
            "Write in Slack as yourself",
            f"<p>The Matrix account <strong>{account}</strong> asks to write, edit, delete, react and share files in "
            f"Slack ({workspace}) <strong>as you</strong>.</p>"
            f"{direct}"
            f"<p>Go on only if {account} is your own account. Otherwise close this page: nothing has happened.</p>",
            f"{account} is mine: go on to Slack",
        )

    async def go(self, link: str, cookie: str, token: str) -> str:
        """Use up a link and return the address of Slack's consent; raises Turned."""
        state, step = await self.consent.go(link, cookie, token)
        return self._apps[step.workspace].consent_address(
            state, self._team(step.workspace), self.consent.verifier(state)
        )

    async def back(self, state: str, code: str, error: str, cookie: str) -> str:
        """Take up what Slack's consent led to, and return what to say; raises Turned where nothing came of it."""
        step = await self.consent.back(state, cookie)
        team = self._team(step.workspace)
        await self._keep(step, team, await self.consent.exchanged(self._apps[step.workspace], state, code, error))
        return f"{step.account} writes in Slack ({step.workspace}) as you from now on. You can close this page."

    # --- who is it?

    async def _keep(self, step: Step, team: TeamId, given: Given) -> None:
        """Keep what somebody gave who may; raises Turned for anybody else, whose token is revoked."""
        flaw = await self._flaw_of(step, team, given)
        if flaw:
            log.warning("%s: not connected as %s/%s: %s", step.account, given.team, given.user, flaw)
            await self._give_back(team, given.token)
            raise Turned(f"{flaw} Nothing has changed, and what you allowed was taken back.")
        actor = f"{step.account} {GIVEN_BY_CONSENT}"
        if (await self._store.people.known(team)).accounts.get(given.user) != step.account:
            try:
                await self._store.people.link(team, [Wanted(given.user, step.account, How.OAUTH)], actor)
            except Refused as refused:
                await self._give_back(team, given.token)
                raise Turned(f"You could not be linked: {refused.detail}") from refused
            await self._store.tell_of_people(team)
        tokens = sealed(self._seal, team, given.user, given.token, given.refresh, given.expires_at)
        await self._grants.connect(team, given.user, step.account, step.room, tokens, actor)
        if self._with_conversations:
            reason = "connected their account, direct messages included"
            await self._store.people.consent(team, given.user, given=True, actor=actor, reason=reason)
        direct = (
            "Your direct messages come into rooms of their own, where those with whom you have them agreed. "
            if self._with_conversations
            else ""
        )
        said = content.notice(
            f"You are connected to your account of Slack ({step.workspace}): what you write, edit, delete, react and "
            f"share in bridged rooms is done there as yourself. {direct}To end that, write: disconnect"
        )
        try:
            key = action_key("connected", digest(given.token))
            await self._matrix.send(step.room, None, "m.room.message", said, key)
        except BridgeError as error:
            log.info("%s could not be told that they are connected: %s", step.account, error)

    async def _flaw_of(self, step: Step, team: TeamId, given: Given) -> str:
        """Return why a token is not that of the person who asked; Slack is asked whose it is."""
        if given.team != team:
            return f"That was another workspace than {step.workspace}."
        try:
            own = await self._installations[team].by(given.token).client.auth()
        except BridgeError as error:
            return f"Slack does not say whose account that is ({error})."
        if (own.team_id, own.user_id) != (team, given.user):
            return f"Slack says that this is the account of somebody else, or not of {step.workspace}."
        if "chat:write" not in given.scopes:
            return "You did not allow the app to write."
        known = await self._store.people.known(team)
        theirs, owner = known.users.get(step.account), known.accounts.get(given.user)
        if theirs is not None and theirs != given.user:
            return f"You are linked to another account of Slack ({theirs}): sign in to Slack as that one, or `unlink`."
        if owner is not None and owner != step.account:
            return "That account of Slack belongs to somebody else of Matrix."
        return ""

    async def _give_back(self, team: TeamId, token: str) -> None:
        try:
            await self._installations[team].by(token).client.call("auth.revoke")
        except BridgeError as error:
            log.warning("a token that the wrong person gave could not be revoked, and was forgotten: %s", error)

    def _team(self, name: str) -> TeamId:
        for team, one in self._installations.items():
            if one.name == name:
                return team
        raise Turned(f"The bridge is not connected to {name} at the moment. Ask the bot for a new link later: connect")
