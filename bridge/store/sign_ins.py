"""Who may sign in to the console, and who has: links that work once, and sessions; neither can be read out of here.

What opens them is random and long, so a plain SHA-256 of it is kept: whoever reads the store cannot sign in with it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.store.audit import noted
from bridge.store.database import Statement

if TYPE_CHECKING:
    from bridge.store.database import Database

ADD_SIGN_IN_LINK = "INSERT INTO sign_in_links (secret, user_id, expires_at) VALUES ($1, $2, $3)"
TAKE_SIGN_IN_LINK = "DELETE FROM sign_in_links WHERE secret = $1 AND expires_at > $2 RETURNING user_id"
OLD_SIGN_IN_LINKS = "DELETE FROM sign_in_links WHERE expires_at <= $1"
ADD_SESSION = "INSERT INTO console_sessions (secret, user_id, form_token, expires_at) VALUES ($1, $2, $3, $4)"
SESSION = "SELECT user_id, form_token FROM console_sessions WHERE secret = $1 AND expires_at > $2"
REMOVE_SESSION = "DELETE FROM console_sessions WHERE secret = $1"
OLD_SESSIONS = "DELETE FROM console_sessions WHERE expires_at <= $1"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in; `form_token` is what every form of theirs carries."""

    user: str
    form_token: str


class SignIns:
    """Links and sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_link(self, secret: str, user: str, seconds: float) -> None:
        """Let whoever shows this secret in time sign in as this user, once; what is too old is forgotten."""
        now = _now()
        await self._database.commit(
            Statement(OLD_SIGN_IN_LINKS, (now,)),
            Statement(ADD_SIGN_IN_LINK, (_hash(secret), user, now + int(seconds * 1000))),
        )

    async def take_link(self, secret: str) -> str | None:
        """Return whom a link is for, and use it up; None for one that is used, too old or none of ours."""
        results = await self._database.commit(Statement(TAKE_SIGN_IN_LINK, (_hash(secret), _now())))
        return str(results[0][0][0]) if results[0] else None

    async def add_session(self, secret: str, session: Session, seconds: float, came_from: str) -> None:
        """Remember that somebody is signed in, and write it down; sessions that have ended are forgotten."""
        now = _now()
        values = (_hash(secret), session.user, session.form_token, now + int(seconds * 1000))
        await self._database.commit(
            Statement(OLD_SESSIONS, (now,)),
            Statement(ADD_SESSION, values),
            noted(f"{session.user} (console, {came_from})", "sign in", "console"),
        )

    async def session(self, secret: str) -> Session | None:
        """Return who is signed in by this secret."""
        rows = await self._database.fetch(SESSION, _hash(secret), _now())
        return Session(str(rows[0][0]), str(rows[0][1])) if rows else None

    async def remove_session(self, secret: str) -> None:
        """Sign out."""
        await self._database.commit(Statement(REMOVE_SESSION, (_hash(secret),)))


def _hash(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()


def _now() -> int:
    return time.time_ns() // 1_000_000
