"""Our own devices: the bot's, and one for each ghost that speaks for itself; made once, published, cross-signed.

    new ──▶ stored ──▶ device made ──▶ keys uploaded ──▶ cross-signed ──▶ published

Its keys are stored before anybody hears of them, and all that follows may be repeated, so a start that was cut off goes
on where it was. Only the bot's device has one-time keys: nobody needs to write to a ghost's.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import vodozemac

from bridge.matrix.encryption.key_server import SIGNED
from bridge.matrix.encryption.signing import CrossSigning, with_signature
from bridge.store.keys import OwnDevice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.matrix.encryption.key_server import KeyServer
    from bridge.matrix.encryption.turns import Turns
    from bridge.matrix.encryption.vault import Vault
    from bridge.store.keys import Keys
    from portals.ids import MatrixUserId

log = logging.getLogger(__name__)

ALGORITHMS = ("m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2")


@dataclass(frozen=True, slots=True)
class Identity:
    """A published device of ours, with what it tells of itself in every letter."""

    user: MatrixUserId
    device: str
    curve25519: str
    ed25519: str
    device_keys: Mapping[str, Any]


class Identities:
    """Makes and remembers our devices; `name` is what people see in the list of a user's devices."""

    def __init__(
        self, keys: Keys, vault: Vault, server: KeyServer, turns: Turns, bot: MatrixUserId, name: str = "Causeway"
    ) -> None:
        self._keys = keys
        self._vault = vault
        self._server = server
        self._turns = turns
        self._bot = bot
        self._name = name
        self._known: dict[MatrixUserId, Identity] = {}

    async def of(self, user: MatrixUserId) -> Identity:
        """Return the published device of one of our users, made when it has none."""
        known = self._known.get(user)
        if known is not None:
            return known
        async with self._turns.of(f"identity {user}"):
            if user not in self._known:
                self._known[user] = await self._published(user)
            return self._known[user]

    async def renew(self, gone: MatrixUserId) -> None:
        """Have one of our users have another device, if the homeserver does not know theirs any more.

        A device that was removed does not come back in the eyes of others; its user's own vouching stays what it was.
        """
        async with self._turns.of(f"identity {gone}"):
            own = await self._keys.own(gone)
            if own is None or await self._server.knows(gone, own.device):
                return
            log.warning("%s: the device %s was removed on the homeserver; another takes its place", gone, own.device)
            account = vodozemac.Account().pickle(self._vault.pickle_key)
            unit = self._keys.renew_own(gone, _new_name(), account)
            await self._keys.keep((*unit, *self._keys.all_stale()) if gone == self._bot else unit)
            self._known.pop(gone, None)
        await self.of(gone)

    def account(self, own: OwnDevice) -> vodozemac.Account:
        """Return the keys of a device."""
        return vodozemac.Account.from_pickle(own.account, self._vault.pickle_key)

    async def _published(self, user: MatrixUserId) -> Identity:
        own = await self._keys.own(user) or await self._made(user)
        account = self.account(own)
        signing = CrossSigning.read(self._vault.open(own.signing, f"signing {user}"))
        keys = _device_keys(user, own.device, account)
        vouched = signing.signed(keys, user)
        if not own.published:
            await self._server.create_device(user, own.device, self._name)
            await self._server.upload_keys(user, own.device, {"device_keys": keys})
            await self._server.upload_cross_signing(user, own.device, signing.upload(user))
            await self._server.upload_signature(user, own.device, vouched)
            await self._server.remove_others(user, own.device)
            await self._keys.keep(self._keys.published(user))
            log.info("%s has the device %s", user, own.device)
        return Identity(user, own.device, account.curve25519_key.to_base64(), account.ed25519_key.to_base64(), vouched)

    async def _made(self, user: MatrixUserId) -> OwnDevice:
        account = vodozemac.Account().pickle(self._vault.pickle_key)
        signing = self._vault.seal(CrossSigning.made().written(), f"signing {user}")
        return await self._keys.add_own(OwnDevice(user, _new_name(), account, signing))

    async def refill(self, counts: Mapping[str, int] | None, fallback_is_used: bool) -> None:
        """Have the homeserver hold one-time keys of the bot's device, and a fallback for when they run out.

        `counts` is how many it has by its own account, None where it did not say.
        """
        async with self._turns.of(f"account {self._bot}"):
            own = await self._keys.own(self._bot)
            if own is None:
                return
            account = self.account(own)
            lacking = 0 if counts is None else account.max_number_of_one_time_keys - counts.get(SIGNED, 0)
            if lacking < account.max_number_of_one_time_keys // 3:
                lacking = 0
            lacking -= len(account.one_time_keys)
            if lacking > 0:
                account.generate_one_time_keys(lacking)
            if fallback_is_used and not _fallback(account):
                account.generate_fallback_key()  # type: ignore[attr-defined]  # the stubs leave it out
            fresh, fallback = account.one_time_keys, _fallback(account)
            if not fresh and not fallback:
                return
            await self._keys.keep(self._keys.put_account(self._bot, account.pickle(self._vault.pickle_key)))
            content = {
                "one_time_keys": self._signed(own, account, fresh),
                "fallback_keys": self._signed(own, account, fallback, fallback=True),
            }
            await self._server.upload_keys(
                self._bot, own.device, {name: keys for name, keys in content.items() if keys}
            )
            account.mark_keys_as_published()
            await self._keys.keep(self._keys.put_account(self._bot, account.pickle(self._vault.pickle_key)))

    def _signed(
        self,
        own: OwnDevice,
        account: vodozemac.Account,
        keys: Mapping[str, vodozemac.Curve25519PublicKey],
        **more: bool,
    ) -> dict[str, Any]:
        return {
            f"{SIGNED}:{key_id}": with_signature(
                {"key": key.to_base64(), **more}, own.user, own.device, lambda data: account.sign(data).to_base64()
            )
            for key_id, key in keys.items()
        }


def _new_name() -> str:
    return f"CW{secrets.token_hex(4).upper()}"


def _fallback(account: vodozemac.Account) -> dict[str, vodozemac.Curve25519PublicKey]:
    found: dict[str, vodozemac.Curve25519PublicKey] = account.fallback_key  # type: ignore[attr-defined]  # likewise
    return found


def _device_keys(user: MatrixUserId, device: str, account: vodozemac.Account) -> dict[str, Any]:
    keys = {
        "user_id": user,
        "device_id": device,
        "algorithms": list(ALGORITHMS),
        "keys": {
            f"curve25519:{device}": account.curve25519_key.to_base64(),
            f"ed25519:{device}": account.ed25519_key.to_base64(),
        },
    }
    return with_signature(keys, user, device, lambda data: account.sign(data).to_base64())
