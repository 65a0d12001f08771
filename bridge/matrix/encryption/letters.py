"""What one device writes to another: Olm, over to-device messages.

    send     sessions from the store ─ new ones with claimed keys ─ encrypt ─ commit ─ send
    Opening  a batch of what came: decrypted one after the other, committed as one by whoever opened it

Everything that changes a session or an account of one of our devices has that device's turn. A letter counts when it
names us as its reader and its true sender as its writer; what it says about anything else is for its reader to judge.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import vodozemac

from bridge.errors import BridgeError
from bridge.matrix.encryption.identity import ALGORITHMS
from bridge.matrix.encryption.key_server import SIGNED
from bridge.matrix.encryption.signing import from_base64, is_signed, unpadded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from bridge.matrix.encryption.identity import Identities, Identity
    from bridge.matrix.encryption.key_server import KeyServer
    from bridge.matrix.encryption.turns import Turns
    from bridge.matrix.encryption.vault import Vault
    from bridge.store.database import Statement
    from bridge.store.keys import Keys, OwnDevice, TheirDevice

    Json = Mapping[str, Any]  # Any: a foreign JSON object, checked field by field

log = logging.getLogger(__name__)

OLM = ALGORITHMS[0]
_SENT_AT_ONCE = 100
_CLAIMED_AT_ONCE = 500


class Unreadable(Exception):
    """A letter that does not open; `is_broken` says that a new session with its writer may help."""

    def __init__(self, reason: str, *, is_broken: bool = False) -> None:
        super().__init__(reason)
        self.is_broken = is_broken


@dataclass(frozen=True, slots=True)
class Letter:
    """An opened letter: who wrote it, with which keys, and what it says."""

    sender: str
    sender_key: str
    signing_key: str
    type: str
    content: Json


class Letters:
    """Writes to devices as one of ours, and opens what comes to one of ours.

    `aside` is another process than the bridge's: it begins sessions of its own, for a session has one user at a time.
    """

    def __init__(
        self, keys: Keys, vault: Vault, server: KeyServer, identities: Identities, turns: Turns, *, aside: bool
    ) -> None:
        self._keys = keys
        self._vault = vault
        self._server = server
        self._identities = identities
        self._turns = turns
        self._aside = aside

    async def send(
        self,
        own: Identity,
        devices: Sequence[TheirDevice],
        type: str,
        content: Json,
        *,
        anew: bool = False,
    ) -> list[TheirDevice]:
        """Write the same to some devices; returns those that it was sent to: others have no key to begin with.

        With `anew`, new sessions are begun even where there are some.
        """
        async with self._turns.of(f"olm {own.user}"):
            written: dict[str, dict[str, dict[str, Any]]] = {}
            reached: list[TheirDevice] = []
            unit: list[Statement] = []
            async for device, session, is_new in self._sessions(own, devices, anew):
                written.setdefault(device.user, {})[device.device] = _sealed(own, device, session, type, content)
                put = self._keys.put_olm if is_new else self._keys.put_olm_written
                pickled = session.pickle(self._vault.pickle_key)
                unit += put(own.user, device.curve25519, session.session_id, pickled)
                reached.append(device)
            await self._keys.keep(unit)
        for start in range(0, len(reached), _SENT_AT_ONCE):
            part = reached[start : start + _SENT_AT_ONCE]
            messages: dict[str, dict[str, dict[str, Any]]] = {}
            for device in part:
                messages.setdefault(device.user, {})[device.device] = written[device.user][device.device]
            await self._server.send(own.user, own.device, "m.room.encrypted", secrets.token_hex(12), messages)
        return reached

    async def _sessions(
        self, own: Identity, devices: Sequence[TheirDevice], anew: bool
    ) -> AsyncIterator[tuple[TheirDevice, vodozemac.Session, bool]]:
        """Yield a session with each device that has one or can have one, and whether it is new."""
        known = {} if anew or self._aside else await self._keys.olm(own.user, [device.curve25519 for device in devices])
        lacking: list[TheirDevice] = []
        for device in devices:
            if sessions := known.get(device.curve25519):
                yield device, vodozemac.Session.from_pickle(sessions[0][1], self._vault.pickle_key), False
            else:
                lacking.append(device)
        if not lacking:
            return
        stored = await self._keys.own(own.user)
        assert stored is not None, "an identity is stored before it is known"
        account = self._identities.account(stored)
        for start in range(0, len(lacking), _CLAIMED_AT_ONCE):
            part = lacking[start : start + _CLAIMED_AT_ONCE]
            wanted: dict[str, list[str]] = {}
            for device in part:
                wanted.setdefault(device.user, []).append(device.device)
            claimed = await self._server.claim(own.user, own.device, wanted)
            for device in part:
                session = _begun(account, device, _part(_part(claimed, device.user), device.device))
                if session is not None:
                    yield device, session, True

    async def begin_anew(self, own: Identity, device: TheirDevice) -> None:
        """Begin a new session with a device whose letters do not open, so that its next one does."""
        try:
            await self._send_dummy(own, device)
        except BridgeError as error:
            log.warning("%s: no new session with the device %s could be begun: %s", device.user, device.device, error)

    async def _send_dummy(self, own: Identity, device: TheirDevice) -> None:
        if await self.send(own, [device], "m.dummy", {}, anew=True):
            log.info("%s: a new session with the device %s was begun", device.user, device.device)

    def opening(self, own: OwnDevice) -> Opening:
        """Return a batch in which letters to a device are opened; whoever opens it holds the device's turn."""
        return Opening(self._keys, self._vault.pickle_key, own, self._identities.account(own))


class Opening:
    """A batch of letters under way: what was opened of it is known here and nowhere else until `unit` is committed."""

    def __init__(self, keys: Keys, pickle_key: bytes, own: OwnDevice, account: vodozemac.Account) -> None:
        self._keys = keys
        self._pickle_key = pickle_key
        self._own = own
        self._account = account
        self._sessions: dict[str, list[vodozemac.Session]] = {}
        self._used: dict[tuple[str, str], vodozemac.Session] = {}
        self._account_changed = False

    async def open(self, sender: object, content: Json) -> Letter:
        """Open a letter; raises Unreadable."""
        sender_key = content.get("sender_key")
        if content.get("algorithm") != OLM or not isinstance(sender_key, str) or not isinstance(sender, str):
            raise Unreadable("it is not a letter of this kind")
        sealed = _part(_part(content, "ciphertext"), self._account.curve25519_key.to_base64())
        try:
            message = vodozemac.AnyOlmMessage.from_parts(sealed["type"], from_base64(sealed["body"]))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Unreadable("it is not written to this device") from error
        return self._checked(sender, sender_key, await self._decrypted(sender_key, message))

    async def _decrypted(self, sender_key: str, message: vodozemac.AnyOlmMessage) -> bytes:
        if sender_key not in self._sessions:
            stored = (await self._keys.olm(self._own.user, [sender_key])).get(sender_key, [])
            self._sessions[sender_key] = [vodozemac.Session.from_pickle(one, self._pickle_key) for _, one in stored]
        sessions = self._sessions[sender_key]
        first = message.to_pre_key()
        for session in sessions:
            if first is not None and not session.session_matches(first):
                continue
            try:
                plain = session.decrypt(message)
            except ValueError:
                continue
            self._used[sender_key, session.session_id] = session
            return plain
        if first is None or any(session.session_matches(first) for session in sessions):
            raise Unreadable("no session opens it", is_broken=True)
        try:
            their_key = vodozemac.Curve25519PublicKey.from_base64(sender_key)
            session, plain = self._account.create_inbound_session(their_key, first)
        except ValueError as error:
            raise Unreadable(f"no session can be begun with it: {error}", is_broken=True) from error
        self._account_changed = True
        sessions.insert(0, session)
        self._used[sender_key, session.session_id] = session
        return plain

    def _checked(self, sender: str, sender_key: str, plain: bytes) -> Letter:
        try:
            said = orjson.loads(plain)
            signing_key = said["keys"]["ed25519"]
            ours = said["recipient_keys"]["ed25519"]
            kind, content = said["type"], said["content"]
            is_to_us = (said["sender"], said["recipient"]) == (sender, self._own.user)
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable("what it says cannot be understood") from error
        if not is_to_us or ours != self._account.ed25519_key.to_base64():
            raise Unreadable("it names another sender or reader than it came from and to")
        if not isinstance(signing_key, str) or not isinstance(kind, str) or not isinstance(content, dict):
            raise Unreadable("what it says cannot be understood")
        return Letter(sender, sender_key, signing_key, kind, content)

    def unit(self) -> Iterable[Statement]:
        """Return what remembers all that was opened."""
        for (their_key, session_id), session in self._used.items():
            yield from self._keys.put_olm(self._own.user, their_key, session_id, session.pickle(self._pickle_key))
        if self._account_changed:
            yield from self._keys.put_account(self._own.user, self._account.pickle(self._pickle_key))


def _sealed(own: Identity, device: TheirDevice, session: vodozemac.Session, type: str, content: Json) -> dict[str, Any]:
    plain = {
        "type": type,
        "content": content,
        "sender": own.user,
        "sender_device": own.device,
        "sender_device_keys": own.device_keys,
        "keys": {"ed25519": own.ed25519},
        "recipient": device.user,
        "recipient_keys": {"ed25519": device.ed25519},
    }
    kind, body = session.encrypt(orjson.dumps(plain)).to_parts()
    return {
        "algorithm": OLM,
        "sender_key": own.curve25519,
        "ciphertext": {device.curve25519: {"type": kind, "body": unpadded(body)}},
        "org.matrix.msgid": secrets.token_hex(8),
    }


def _begun(account: vodozemac.Account, device: TheirDevice, claimed: Json) -> vodozemac.Session | None:
    """Begin a session with a one-time key, if the device signed it."""
    for name, key in claimed.items():
        if not name.startswith(f"{SIGNED}:") or not isinstance(key, dict):
            continue
        if not is_signed(key, device.user, device.device, device.ed25519):
            log.warning("%s: the device %s did not sign its one-time key", device.user, device.device)
            continue
        try:
            return account.create_outbound_session(
                vodozemac.Curve25519PublicKey.from_base64(device.curve25519),
                vodozemac.Curve25519PublicKey.from_base64(key["key"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            log.warning("%s: no session with the device %s can be begun: %s", device.user, device.device, error)
    return None


def _part(whole: Json, name: str) -> Json:
    found = whole.get(name)
    return found if isinstance(found, dict) else {}
