"""Tokens are sealed before they are stored, with a key of the configuration; each is bound to whose it is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bridge.errors import Fatal, Refused
from bridge.matrix.encryption.vault import Vault

if TYPE_CHECKING:
    from portals.ids import SlackUserId, TeamId

log = logging.getLogger(__name__)

WRONG_KEY = "wrong_oauth_key"
"""The code of a refusal because a token was sealed with another key than the configured one."""


class Seal:
    """Seals and opens tokens; without a `key` it opens none."""

    def __init__(self, key: str | None) -> None:
        self._vault = Vault(key) if key is not None else None

    def close(self, token: str, team: TeamId, user: SlackUserId) -> str:
        """Return a sealed token; nothing stays nothing."""
        return self._with_key().seal(token, about_token(team, user)) if token else ""

    def open(self, sealed: str, team: TeamId, user: SlackUserId) -> str:
        """Return what was sealed; raises Refused with the code WRONG_KEY where that cannot be."""
        if not sealed:
            return ""
        try:
            return self._with_key().open(sealed, about_token(team, user))
        except Fatal:
            log.error("oauth.key is not the one with which the tokens in the database were sealed: configure that one")
            raise Refused(WRONG_KEY, "the token is sealed with another key than oauth.key") from None

    def _with_key(self) -> Vault:
        if self._vault is None:
            raise Refused(WRONG_KEY, "tokens are sealed with oauth.key, which is not configured")
        return self._vault


def about_token(team: TeamId, user: SlackUserId) -> str:
    """Return what a token is bound to when it is sealed."""
    return f"oauth token {team}/{user}"
