"""The steps of any consent: a link, our page, the way on to Slack, and back.

Each is good once and for minutes, and the way from the page to the end has to be gone in one browser.
"""

from __future__ import annotations

import base64
import hmac
import logging
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.errors import Later, Refused, Unsure
from bridge.store.consent_steps import ConsentSteps, Step, digest

if TYPE_CHECKING:
    from bridge.oauth.slack_app import Given, SlackApp
    from bridge.store.database import Database

log = logging.getLogger(__name__)

_LASTS = 600.0
_BYTES = 32


class Turned(Exception):
    """Somebody cannot go on; the text says why, and what to do."""


class Consent:
    """The steps of one kind of consent, which `name` keeps apart from others; `again` says how to begin anew."""

    def __init__(self, database: Database, key: str, name: str, again: str) -> None:
        self._steps = ConsentSteps(database, name)
        self._name = name
        self._secret = key.encode()
        self._again = again

    async def begin(self, step: Step) -> str:
        """Return the secret of a link, in place of any that the same person was given before."""
        secret = secrets.token_urlsafe(_BYTES)
        await self._steps.add_link(secret, step, _LASTS)
        return secret

    async def look(self, link: str) -> Step:
        """Return what a link is about, which is not used up by that; raises Turned."""
        step = await self._steps.look(link) if link else None
        if step is None:
            raise Turned(f"This link is not good, or no longer. {self._again}")
        return step

    def token(self, link: str, cookie: str) -> str:
        """Return what the way on from our page carries: nobody can know it who does not hold the cookie."""
        return hmac.digest(self._secret, f"{self._name} {link} {cookie}".encode(), sha256).hex()

    async def go(self, link: str, cookie: str, token: str) -> tuple[str, Step]:
        """Use up a link; returns the state that is expected back from Slack, and what it is about. Raises Turned."""
        shown = hmac.compare_digest(self.token(link, cookie).encode(), token.encode(errors="replace"))
        if not cookie or not shown:
            raise Turned("Open the link that you were given once more, and let this site set a cookie.")
        step = await self.look(link)
        state = secrets.token_urlsafe(_BYTES)
        expected = Step(step.workspace, step.account, step.room, digest(cookie))
        if not await self._steps.go_on(link, state, expected, _LASTS):
            raise Turned(f"This link was used already. {self._again}")
        return state, step

    async def back(self, state: str, cookie: str) -> Step:
        """Return what a state is about that comes back from Slack, and use it up; raises Turned."""
        step = await self._steps.take_state(state) if state else None
        if step is None or not step.is_of(cookie):
            log.warning("somebody came back from Slack with a state that is none, used, too old or another browser's")
            raise Turned(f"This was not begun in this browser, or too long ago. {self._again}")
        return step

    async def exchanged(self, app: SlackApp, state: str, code: str, error: str) -> Given:
        """Return what somebody gave who came back from Slack; raises Turned where that is nothing."""
        if error or not code:
            raise Turned("You did not agree, so nothing has changed. You can close this page.")
        try:
            return await app.exchange(code, self.verifier(state))
        except Unsure as unsure:
            log.warning("%s", unsure)
            raise Turned(f"Slack's answer was lost. {self._again}") from unsure
        except Later as later:
            log.warning("%s", later)
            raise Turned(f"Slack cannot be reached. Later: {self._again}") from later
        except Refused as refused:
            log.warning("%s", refused)
            raise Turned(f"Slack did not take it ({refused.code}). {self._again}") from refused

    def verifier(self, state: str) -> str:
        """Return the PKCE verifier of a state: secret, and the same before and behind Slack's consent."""
        made = hmac.digest(self._secret, b"pkce " + state.encode(errors="replace"), sha256)
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def new_cookie() -> str:
    """Return what tells one browser from all others."""
    return secrets.token_urlsafe(_BYTES)
