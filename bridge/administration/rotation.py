"""A key that seals secrets in the database is exchanged: all that it sealed is opened, and sealed with the new one.

It promises that it happens wholly or not at all, in one commit, with its line in the audit log, and that nothing is
written where anything does not open. Refuses to work beside a bridge, which would go on to seal with the old key.
What is sealed is in memory meanwhile, about a kilobyte for each session of encrypted rooms.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import vodozemac

from bridge.errors import Declined, Fatal
from bridge.matrix.encryption.vault import Vault
from bridge.oauth.seal import about_token
from bridge.store.audit import noted
from bridge.store.database import Statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bridge.store.database import Database

    _Pickled = vodozemac.Account | vodozemac.Session | vodozemac.GroupSession | vodozemac.InboundGroupSession

CHECKS = "SELECT sealed FROM key_check WHERE id = 1"
PUT_CHECK = "UPDATE key_check SET sealed = $1 WHERE id = 1"
ACCOUNTS = "SELECT user_id, account, signing FROM own_devices"
PUT_ACCOUNT = "UPDATE own_devices SET account = $2, signing = $3 WHERE user_id = $1"
OLM = "SELECT owner, their_key, session_id, session FROM olm_sessions"
PUT_OLM = "UPDATE olm_sessions SET session = $4 WHERE owner = $1 AND their_key = $2 AND session_id = $3"
OUTBOUND = "SELECT owner, room, session FROM outbound_sessions"
PUT_OUTBOUND = "UPDATE outbound_sessions SET session = $3 WHERE owner = $1 AND room = $2"
INBOUND = "SELECT room, session_id, sender, session FROM inbound_sessions WHERE session <> ''"
PUT_INBOUND = "UPDATE inbound_sessions SET session = $4 WHERE room = $1 AND session_id = $2 AND sender = $3"
FILES = "SELECT mxc, sealed FROM file_keys"
PUT_FILE = "UPDATE file_keys SET sealed = $2 WHERE mxc = $1"
TOKENS = "SELECT team, user_id, token, refresh FROM grants"
PUT_TOKENS = "UPDATE grants SET token = $3, refresh = $4 WHERE team = $1 AND user_id = $2"


class Key(StrEnum):
    """What a key seals, by the section of the configuration that names it."""

    ENCRYPTION = "encryption"
    OAUTH = "oauth"


async def rotate(database: Database, key: Key, old: str, new: str, actor: str) -> int:
    """Seal anew whatever `old` sealed, and return how much that was; raises Declined, StoreTaken, StoreUnavailable."""
    await database.own()
    exchange = _Exchange(Vault(old), Vault(new))
    try:
        unit = [statement async for statement in _SEALED[key](database, exchange)]
    except (Fatal, ValueError):  # another key, or what is no sealed text or pickle
        words = f"the database was not sealed with {key}.key of the configuration: nothing changed"
        raise Declined("other_key", words) from None
    await database.commit(*unit, noted(actor, "rotate", f"{key}.key", str(len(unit))))
    return len(unit)


class _Exchange:
    """Opens with one key and seals with the other; nothing stays nothing."""

    def __init__(self, old: Vault, new: Vault) -> None:
        self._old = old
        self._new = new

    def text(self, sealed: str, about: str) -> str:
        return self._new.seal(self._old.open(sealed, about), about) if sealed else ""

    def pickle(self, kind: type[_Pickled], sealed: str) -> str:
        return kind.from_pickle(sealed, self._old.pickle_key).pickle(self._new.pickle_key)


async def _keys_of_rooms(database: Database, exchange: _Exchange) -> AsyncIterator[Statement]:
    for (sealed,) in await database.fetch(CHECKS):
        yield Statement(PUT_CHECK, (exchange.text(sealed, "check"),))
    for user, account, signing in await database.fetch(ACCOUNTS):
        pickled = exchange.pickle(vodozemac.Account, account)
        yield Statement(PUT_ACCOUNT, (user, pickled, exchange.text(signing, f"signing {user}")))
    for owner, key, session, sealed in await database.fetch(OLM):
        yield Statement(PUT_OLM, (owner, key, session, exchange.pickle(vodozemac.Session, sealed)))
    for owner, room, sealed in await database.fetch(OUTBOUND):
        yield Statement(PUT_OUTBOUND, (owner, room, exchange.pickle(vodozemac.GroupSession, sealed)))
    for room, session, sender, sealed in await database.fetch(INBOUND):
        pickled = exchange.pickle(vodozemac.InboundGroupSession, sealed)
        yield Statement(PUT_INBOUND, (room, session, sender, pickled))
    for mxc, sealed in await database.fetch(FILES):
        yield Statement(PUT_FILE, (mxc, exchange.text(sealed, f"file {mxc}")))


async def _tokens(database: Database, exchange: _Exchange) -> AsyncIterator[Statement]:
    for team, user, token, refresh in await database.fetch(TOKENS):
        about = about_token(team, user)
        yield Statement(PUT_TOKENS, (team, user, exchange.text(token, about), exchange.text(refresh, about)))


_SEALED: Mapping[Key, Callable[[Database, _Exchange], AsyncIterator[Statement]]] = {
    Key.ENCRYPTION: _keys_of_rooms,
    Key.OAUTH: _tokens,
}
