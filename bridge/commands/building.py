"""The parts behind the desk, built by hand in one place."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from bridge.commands.acts import Acts
from bridge.commands.desk import Desk
from bridge.commands.moderating import Moderating
from bridge.commands.own_account import OwnAccount
from bridge.commands.own_hand import OwnHand
from bridge.commands.plumbing import Plumbing
from bridge.configured import rights_from
from bridge.store.questions import Questions

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.administration.office import Office
    from bridge.commands.acts import SignIn
    from bridge.matrix.client import MatrixClient
    from bridge.oauth.connecting import Connecting
    from bridge.work.conversations import Conversations
    from portals.crossing.policy import Policy
    from portals.facts import Portal

_OPEN_FOR = 3600.0
"""Seconds for which a question can be answered."""


def desk_for(
    office: Office,
    matrix: MatrixClient,
    sign_in: SignIn | None,
    connecting: Connecting | None,
    conversations: Conversations,
    policy_of: Callable[[Portal], Policy | None],
) -> Desk:
    """Return the desk of the bot in a running bridge."""
    secret = office.settings.appservice.hs_token.reveal().encode()

    def code_of(event: str) -> str:
        """Return eight signs that nobody can guess and that are the same whenever a command is walked again."""
        digest = hmac.digest(secret, b"code of " + event.encode(), hashlib.sha256)
        return base64.b32encode(digest[:5]).decode().lower()

    questions = Questions(office.store.database, _OPEN_FOR)
    acts = Acts(
        office,
        matrix,
        Plumbing(office, matrix, questions, code_of),
        OwnAccount(office, questions, code_of),
        OwnHand(office, connecting, conversations, matrix),
        sign_in,
    )
    moderating = Moderating(office.store, matrix, policy_of)
    return Desk(rights_from(office.settings), office.store, matrix, acts, moderating)
