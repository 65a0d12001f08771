"""Connecting: how somebody of Matrix comes to write in Slack as themself, and that nobody else comes to it for them.

    command ─▶ link ─▶ our page: who asks for what ─▶ go (cookie, state) ─▶ Slack's consent ─▶ back (code, state)
                                                        exchange ─▶ who is it? ─▶ linked, sealed, stored, told

The page stands before Slack's, because that does not say who of Matrix asks: whoever is sent a link of somebody else's
reads there as whom they would let that one write. Each step is good once and for minutes, and the way from the page to
the end has to be gone in one browser. A token that was given by the wrong person is revoked at once.
"""

from __future__ import annotations

import base64
import hmac
import logging
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, Declined, Later, Refused, Unsure
from bridge.store.consent_steps import ConsentSteps, Step, digest
from bridge.store.grants import GrantState
from bridge.work.hands import sealed
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

CONNECT = "/slack/connect"
_LASTS = 600.0
_BYTES = 32


class Turned(Exception):
    """Somebody cannot go on; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Page:
    """What our page says: who would write as whom."""

    account: MatrixUserId
    workspace: str


class Connecting:
    """Leads people through; `apps` are those of the workspaces in which people may connect, by their names."""

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
        secret: str,
    ) -> None:
        self._apps = apps
        self._installations = installations
        self._store = store
        self._steps = ConsentSteps(store.database)
        self._grants = grants
        self._hands = hands
        self._seal = seal
        self._matrix = matrix
        self._public_url = public_url
        self._secret = secret.encode()

    # --- what commands ask

    async def link(self, account: MatrixUserId, room: RoomId, team: TeamId) -> str:
        """Return a link by which somebody connects their account of a workspace, once; raises Declined."""
        name = self._installations[team].name
        if name not in self._apps:
            raise Declined(
                "no_client_id", f"nobody can connect their account of {name}: an admin has to set its client_id"
            )
        secret = secrets.token_urlsafe(_BYTES)
        await self._steps.add_link(secret, Step(name, account, room), _LASTS)
        return f"{self._public_url}{CONNECT}?link={secret}"

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

    async def page(self, link: str) -> Page:
        """Return what a link is about, which is not used up by that; raises Turned."""
        step = await self._steps.look(link) if link else None
        if step is None:
            raise Turned("This link is not good, or no longer. Ask the bot for a new one: connect")
        return Page(step.account, step.workspace)

    def new_cookie(self) -> str:
        """Return what tells one browser from all others."""
        return secrets.token_urlsafe(_BYTES)

    def token(self, link: str, cookie: str) -> str:
        """Return what the way on from our page carries: nobody can know it who does not hold the cookie."""
        return hmac.digest(self._secret, f"connect {link} {cookie}".encode(), sha256).hex()

    async def go(self, link: str, cookie: str, token: str) -> str:
        """Use up a link and return the address of Slack's consent; raises Turned."""
        shown = hmac.compare_digest(self.token(link, cookie).encode(), token.encode(errors="replace"))
        if not cookie or not shown:
            raise Turned("Open the link that the bot gave you once more, and let this site set a cookie.")
        step = await self._steps.look(link)
        team = self._team(step.workspace) if step is not None else None
        if step is None or team is None:
            raise Turned("This link is not good, or no longer. Ask the bot for a new one: connect")
        state = secrets.token_urlsafe(_BYTES)
        expected = Step(step.workspace, step.account, step.room, digest(cookie))
        if not await self._steps.go_on(link, state, expected, _LASTS):
            raise Turned("This link was used already. Ask the bot for a new one: connect")
        return self._apps[step.workspace].consent_address(state, team, self._verifier(state))

    async def back(self, state: str, code: str, error: str, cookie: str) -> Page:
        """Take up what Slack's consent led to; raises Turned where nothing came of it."""
        step = await self._steps.take_state(state) if state else None
        if step is None or not step.is_of(cookie):
            log.warning("somebody came back from Slack with a state that is none, used, too old or another browser's")
            raise Turned("This was not begun in this browser, or too long ago. Ask the bot for a new link: connect")
        team = self._team(step.workspace)
        if error or not code or team is None:
            raise Turned("You did not agree, so nothing has changed. You can close this page.")
        app = self._apps[step.workspace]
        try:
            given = await app.exchange(code, self._verifier(state))
        except Unsure as unsure:
            log.warning("%s: %s", step.account, unsure)
            raise Turned("Slack's answer was lost. Ask the bot for a new link: connect") from unsure
        except Later as later:
            log.warning("%s: %s", step.account, later)
            raise Turned("Slack cannot be reached. Ask the bot for a new link later: connect") from later
        except Refused as refused:
            log.warning("%s: %s", step.account, refused)
            raise Turned(f"Slack did not take it ({refused.code}). Ask the bot for a new link: connect") from refused
        await self._keep(step, team, given)
        return Page(step.account, step.workspace)

    # --- who is it?

    async def _keep(self, step: Step, team: TeamId, given: Given) -> None:
        """Keep what somebody gave who may; raises Turned for anybody else, whose token is revoked."""
        flaw = await self._flaw_of(step, team, given)
        if flaw:
            log.warning("%s: not connected as %s/%s: %s", step.account, given.team, given.user, flaw)
            await self._give_back(team, given.token)
            raise Turned(f"{flaw} Nothing has changed, and what you allowed was taken back.")
        actor = f"{step.account} (OAuth consent)"
        if (await self._store.people.known(team)).accounts.get(given.user) != step.account:
            try:
                await self._store.people.link(team, [Wanted(given.user, step.account, How.OAUTH)], actor)
            except Refused as refused:
                await self._give_back(team, given.token)
                raise Turned(f"You could not be linked: {refused.detail}") from refused
            await self._store.tell_of_people(team)
        tokens = sealed(self._seal, team, given.user, given.token, given.refresh, given.expires_at)
        await self._grants.connect(team, given.user, step.account, step.room, tokens, actor)
        said = content.notice(
            f"You are connected to your account of Slack ({step.workspace}): what you write, edit, delete, react and "
            "share in bridged rooms is done there as yourself. To end that, write: disconnect"
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

    def _team(self, name: str) -> TeamId | None:
        return next((team for team, one in self._installations.items() if one.name == name), None)

    def _verifier(self, state: str) -> str:
        """Return the PKCE verifier of a state: secret, and the same before and behind Slack's consent."""
        made = hmac.digest(self._secret, b"pkce " + state.encode(errors="replace"), sha256)
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
