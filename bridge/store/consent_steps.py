"""Consents under way: which link or state leads on to which consent in Slack, once and for a while.

What leads on is random and long, so a plain SHA-256 of it is kept: whoever reads the store cannot go on with it, and
looking it up tells nothing about it, however long that takes.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.store.database import Statement
from portals.ids import MatrixUserId, RoomId

if TYPE_CHECKING:
    from bridge.store.database import Database, Row

ADD_STEP = """
INSERT INTO consent_steps (secret, step, workspace, account, room, browser, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
STEP = "SELECT workspace, account, room, browser FROM consent_steps WHERE secret = $1 AND step = $2 AND expires_at > $3"
TAKE_STEP = """
DELETE FROM consent_steps WHERE secret = $1 AND step = $2 AND expires_at > $3
RETURNING workspace, account, room, browser
"""
OLD_STEPS = "DELETE FROM consent_steps WHERE expires_at <= $1"
OTHERS_OF_THEIRS = "DELETE FROM consent_steps WHERE workspace = $1 AND account = $2"


@dataclass(frozen=True, slots=True)
class Step:
    """Who asked for a consent, in which workspace, and where they are answered; `browser` is the digest of a cookie."""

    workspace: str
    account: MatrixUserId
    room: RoomId
    browser: str = ""

    def is_of(self, cookie: str) -> bool:
        """Tell whether a cookie is that of the browser which began this."""
        return bool(self.browser) and hmac.compare_digest(self.browser, digest(cookie))


class ConsentSteps:
    """Links and states of one kind of consent.

    A link leads to our page, which says who asks for what; a state leads back from Slack.
    """

    def __init__(self, database: Database, kind: str) -> None:
        self._database = database
        self._link, self._state = f"{kind} link", f"{kind} state"

    async def add_link(self, secret: str, step: Step, seconds: float) -> None:
        """Let this link be followed, in place of any that the same person asked for before."""
        now = _now()
        await self._database.commit(
            Statement(OLD_STEPS, (now,)),
            Statement(OTHERS_OF_THEIRS, (step.workspace, step.account)),
            _adding(secret, self._link, step, now + int(seconds * 1000)),
        )

    async def look(self, secret: str) -> Step | None:
        """Return what a link leads to, without using it up."""
        rows = await self._database.fetch(STEP, digest(secret), self._link, _now())
        return _step(rows[0]) if rows else None

    async def go_on(self, link: str, state: str, step: Step, seconds: float) -> bool:
        """Use up a link, and expect this state back from Slack in its place; false for a link that is not good."""
        results = await self._database.commit(Statement(TAKE_STEP, (digest(link), self._link, _now())))
        if not results[0]:
            return False
        await self._database.commit(_adding(state, self._state, step, _now() + int(seconds * 1000)))
        return True

    async def take_state(self, secret: str) -> Step | None:
        """Return what a state is about, and use it up; None for one that is used, too old or none of ours."""
        results = await self._database.commit(Statement(TAKE_STEP, (digest(secret), self._state, _now())))
        return _step(results[0][0]) if results[0] else None


def digest(secret: str) -> str:
    """Return what is kept of a secret."""
    return sha256(secret.encode(errors="replace")).hexdigest()


def _adding(secret: str, name: str, step: Step, until: int) -> Statement:
    values = (digest(secret), name, step.workspace, step.account, step.room, step.browser, until)
    return Statement(ADD_STEP, values)


def _step(row: Row) -> Step:
    workspace, account, room, browser = row
    return Step(str(workspace), MatrixUserId(account), RoomId(room), str(browser))


def _now() -> int:
    return time.time_ns() // 1_000_000
