"""What comes for the bot's device, read by /sync: keys of sessions, devices that changed, keys that ran low.

    sync ─▶ letters opened, one after the other ─▶ one commit: sessions, keys, stale devices, token ─▶ answers

By /sync and not with the transactions of the homeserver, because Synapse repeats a transaction that failed with its
events only: keys that came while the bridge was down would be lost. Here the homeserver forgets what came when it is
asked for what comes after it, and it is asked so only once all of it is committed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any

from bridge.errors import Later, Refused
from bridge.matrix.encryption.key_server import NO_DEVICE, SIGNED, counts_of
from bridge.matrix.encryption.letters import Unreadable
from bridge.store.recent import Recent
from portals.ids import MatrixUserId, RoomId
from portals.retry import pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bridge.matrix.encryption.audience import Audiences
    from bridge.matrix.encryption.identity import Identities, Identity
    from bridge.matrix.encryption.inbound import Inbounds
    from bridge.matrix.encryption.key_server import KeyServer
    from bridge.matrix.encryption.letters import Letter, Letters
    from bridge.matrix.encryption.outbound import Outbounds
    from bridge.matrix.encryption.turns import Turns
    from bridge.store.database import Statement
    from bridge.store.keys import Inbound, Keys

    Json = Mapping[str, Any]  # Any: a foreign JSON object, checked field by field
    Session = tuple[str, str]

log = logging.getLogger(__name__)

_WAIT_MS = 10_000
_BUSY = 0.5
"""Seconds between two looks while much is sent: a request that waits costs the homeserver a look at every event."""
_ANEW = 3600.0
"""Seconds between two new sessions that are begun with one device because its letters do not open."""
_REMEMBERED = 10_000


class Arrivals:
    """Reads what comes for the bot's device."""

    def __init__(
        self,
        *,
        keys: Keys,
        server: KeyServer,
        identities: Identities,
        letters: Letters,
        inbounds: Inbounds,
        outbounds: Outbounds,
        audiences: Audiences,
        turns: Turns,
        bot: MatrixUserId,
        is_busy: Callable[[], bool],
    ) -> None:
        self._keys = keys
        self._server = server
        self._identities = identities
        self._letters = letters
        self._inbounds = inbounds
        self._outbounds = outbounds
        self._audiences = audiences
        self._turns = turns
        self._bot = bot
        self._is_busy = is_busy
        self._asked: Recent[Session, MatrixUserId] = Recent(_REMEMBERED)
        """Sessions whose keys we asked for, and whom: only from them a forwarded key is taken."""
        self.withheld: Recent[Session, str] = Recent(_REMEMBERED)
        """Sessions whose keys somebody said that we shall not have, and why."""
        self._renewed: dict[str, float] = {}

    async def run(
        self, came: Callable[[Sequence[Session]], Awaitable[None]], appear: Callable[[], Awaitable[None]]
    ) -> None:
        """Read until cancelled; `came` is told of sessions whose keys came, or certainly will not.

        `appear` has the bot's account exist, whose device this is.
        """
        failures, wait_ms = 0, 0
        while True:
            try:
                if not self._audiences.is_current.is_set():
                    await appear()
                    await self._start()
                own = await self._identities.of(self._bot)
                await self.read(own, wait_ms, came)
                failures, wait_ms = 0, _WAIT_MS
                if self._is_busy():
                    wait_ms = 0
                    await asyncio.sleep(_BUSY)
            except (Later, Refused) as error:
                failures, wait_ms = failures + 1, 0
                log.error("the keys of encrypted rooms cannot be read: %s", error)
                if isinstance(error, Refused) and error.code in NO_DEVICE:
                    await self._renew()
                await asyncio.sleep(pause(failures))

    async def _start(self) -> None:
        """At a start: without a place to go on from, nothing is known of what changed meanwhile."""
        stored = await self._keys.own(self._bot)
        if stored is None or not stored.since:
            await self._keys.keep(self._keys.all_stale())

    async def _renew(self) -> None:
        """Have another device in place of one that somebody removed on the homeserver."""
        try:
            await self._identities.renew(self._bot)
        except (Later, Refused) as error:
            log.error("the bot cannot have another device: %s", error)

    async def read(self, own: Identity, wait_ms: int, came: Callable[[Sequence[Session]], Awaitable[None]]) -> None:
        """Read once what came, and deal with all of it."""
        stored = await self._keys.own(own.user)
        assert stored is not None, "an identity is stored before it is known"
        answer = await self._server.sync(own.user, own.device, stored.since, wait_ms)
        letters, broken, found, replies, told = [], [], [], [], []
        async with self._turns.of(f"olm {own.user}"), self._turns.of(f"account {own.user}"):
            stored = await self._keys.own(own.user) or stored
            opening = self._letters.opening(stored)
            for event in _events(answer):
                sender, kind, content = event.get("sender"), event.get("type"), _part(event, "content")
                if kind == "m.room.encrypted":
                    try:
                        letters.append(await opening.open(sender, content))
                    except Unreadable as error:
                        log.warning("%s: a letter to the bot's device: %s", sender, error)
                        if error.is_broken:
                            broken.append((sender, content.get("sender_key")))
                elif kind == "m.room_key_request" and content.get("action") == "request":
                    replies.append((sender, content))
                elif kind in ("m.room_key.withheld", "org.matrix.room_key.withheld"):
                    told += self._refused_key(content)
            unit: list[Statement] = []
            for letter in letters:
                if (session := self._key_of(letter)) is not None:
                    found.append(session)
                    unit += self._keys.put_inbound(session)
            changed = _changed(answer)
            unit += self._keys.stale(changed)
            unit += opening.unit()
            unit += self._keys.put_since(own.user, answer["next_batch"])
            await self._keys.keep(unit)
        if changed:
            self._audiences.devices_changed()
        self._audiences.is_current.set()
        told += [(one.room, one.session_id) for one in found]
        if told:
            await came(told)
        await self._stock_up(answer)
        for sender, sender_key in broken:
            await self._begin_anew(own, sender, sender_key)
        for sender, content in replies:
            await self._reply(own, sender, content)

    def _key_of(self, letter: Letter) -> Inbound | None:
        """Return the session whose key a letter brings: from its own device, or one that we asked for."""
        if letter.type == "m.room_key":
            return self._inbounds.taken(letter)
        if letter.type == "m.forwarded_room_key":
            session = (str(letter.content.get("room_id")), str(letter.content.get("session_id")))
            if self._asked.get(session) == letter.sender:
                return self._inbounds.taken(letter)
            log.warning("%s forwarded a key that nobody asked for", letter.sender)
        return None

    def _refused_key(self, content: Json) -> list[Session]:
        session = (content.get("room_id"), content.get("session_id"))
        if not all(isinstance(one, str) for one in session):
            return []
        known: Session = (str(session[0]), str(session[1]))
        reason = content.get("reason")
        self.withheld.put(known, reason[:200] if isinstance(reason, str) else "")
        return [known]

    async def _stock_up(self, answer: Json) -> None:
        """Have enough one-time keys be there, and a fallback key that nobody used yet."""
        counts = counts_of(answer.get("device_one_time_keys_count"))
        unused = answer.get("device_unused_fallback_key_types")
        if unused is None:
            unused = answer.get("org.matrix.msc2732.device_unused_fallback_key_types")
        used = isinstance(unused, list) and SIGNED not in unused
        await self._identities.refill(counts if "device_one_time_keys_count" in answer else None, used)

    # --- keys that are missing

    async def ask_for(self, session: Session, sender: MatrixUserId, sender_key: str) -> None:
        """Ask the sender's devices for a key that did not come, once; a device that gave it to us may do so again."""
        if self._asked.get(session) is not None:
            return
        self._asked.put(session, sender)
        own = await self._identities.of(self._bot)
        body = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": session[0], "session_id": session[1]}
        content = {
            "action": "request",
            "body": {**body, "sender_key": sender_key} if sender_key else body,
            "request_id": secrets.token_hex(8),
            "requesting_device_id": own.device,
        }
        transaction = secrets.token_hex(12)
        try:
            await self._server.send(own.user, own.device, "m.room_key_request", transaction, {sender: {"*": content}})
        except (Later, Refused) as error:
            log.warning("%s: a missing key could not be asked for: %s", sender, error)
            self._asked.forget(session)

    async def _reply(self, own: Identity, sender: object, content: Json) -> None:
        """Give a key again to a device that was given it before; to others nothing is said."""
        body, asks = _part(content, "body"), content.get("requesting_device_id")
        room, session_id = body.get("room_id"), body.get("session_id")
        if not (isinstance(sender, str) and isinstance(room, str) and isinstance(session_id, str)):
            return
        devices = await self._keys.devices([MatrixUserId(sender)])
        device = next((one for one in devices if one.device == asks), None)
        try:
            if device is not None and await self._outbounds.give_again(own, RoomId(room), session_id, device):
                log.info("%s: the key of a session was given to %s again", sender, device.device)
        except (Later, Refused) as error:
            log.warning("%s: a key that was asked for could not be given: %s", sender, error)

    async def _begin_anew(self, own: Identity, sender: object, sender_key: object) -> None:
        if not isinstance(sender, str) or not isinstance(sender_key, str):
            return
        now = time.monotonic()
        if now - self._renewed.get(sender_key, -_ANEW) < _ANEW:
            return
        try:
            device = await self._audiences.device(MatrixUserId(sender), sender_key)
        except (Later, Refused) as error:
            log.warning("%s: its devices cannot be asked for: %s", sender, error)
            return
        if device is not None:
            self._renewed[sender_key] = now
            await self._letters.begin_anew(own, device)


def _events(answer: Json) -> list[Json]:
    found = _part(answer, "to_device").get("events")
    return [event for event in found if isinstance(event, dict)] if isinstance(found, list) else []


def _changed(answer: Json) -> list[str]:
    lists = _part(answer, "device_lists")
    both = [*(lists.get("changed") or ()), *(lists.get("left") or ())]
    return [user for user in both if isinstance(user, str)]


def _part(whole: Json, name: str) -> Json:
    found = whole.get(name)
    return found if isinstance(found, dict) else {}
