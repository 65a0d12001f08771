"""The sessions of others, and ours once more: their keys come in letters, their messages are opened here.

A message is its sender's only if the session's key came from a device of that very sender, whose published keys are the
ones that the letter was written with. Each place of a session is read for one event only, so that nobody can have a
message said twice. What we say as ghosts and accounts of people is said in sessions of ours.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import orjson
import vodozemac

from bridge.errors import Refused
from bridge.matrix.encryption.outbound import MEGOLM
from bridge.store.keys import Inbound
from portals.actions import STAMP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.matrix.encryption.audience import Audiences
    from bridge.matrix.encryption.letters import Letter
    from bridge.matrix.encryption.vault import Vault
    from bridge.store.keys import Keys
    from portals.ids import MatrixUserId

    Json = Mapping[str, Any]  # Any: a foreign JSON object, checked field by field

log = logging.getLogger(__name__)

UNDECRYPTABLE = "cannot_be_decrypted"
"""The code of a refusal because a message cannot be decrypted."""
_OUTSIDE = ("m.relates_to", STAMP)
"""What is read outside of the seal: nothing else there is the sender's."""


class Undecryptable(Refused):
    """A message that cannot be decrypted; `session` is what it lacks the key of, where a key is all that it lacks."""

    def __init__(self, reason: str, session: tuple[str, str] | None = None, sender_key: str = "") -> None:
        super().__init__(UNDECRYPTABLE, reason)
        self.session = session
        self.sender_key = sender_key


class Inbounds:
    """Opens messages; `speaks_as` tells whether the bridge may have said in its own session what a user said."""

    def __init__(
        self,
        keys: Keys,
        vault: Vault,
        audiences: Audiences,
        bot: MatrixUserId,
        speaks_as: Callable[[str], bool],
        all_devices: bool,
    ) -> None:
        self._keys = keys
        self._vault = vault
        self._audiences = audiences
        self._bot = bot
        self._speaks_as = speaks_as
        self._all_devices = all_devices

    def taken(self, letter: Letter) -> Inbound | None:
        """Return the session that a letter gives the key of, or None for one that gives none."""
        content = letter.content
        room, session_id, key = (content.get(name) for name in ("room_id", "session_id", "session_key"))
        if content.get("algorithm") != MEGOLM or not all(isinstance(one, str) for one in (room, session_id, key)):
            return None
        try:
            if letter.type == "m.forwarded_room_key":
                session = vodozemac.InboundGroupSession.import_session(vodozemac.ExportedSessionKey(str(key)))
            else:
                session = vodozemac.InboundGroupSession(vodozemac.SessionKey(str(key)))
        except ValueError as error:
            log.warning("%s: the key of a session is none: %s", letter.sender, error)
            return None
        if session.session_id != session_id:
            return None
        return Inbound(
            room=str(room),
            session_id=session_id,
            sender=letter.sender,
            sender_key=letter.sender_key,
            signing_key=letter.signing_key,
            first_index=session.first_known_index,
            session=session.pickle(self._vault.pickle_key),
        )

    async def opened(self, event: Json) -> dict[str, Any]:
        """Return an encrypted event as it was before; raises Undecryptable."""
        content = event.get("content")
        content = content if isinstance(content, dict) else {}
        room, event_id, sender = (str(event.get(name)) for name in ("room_id", "event_id", "sender"))
        session_id, ciphertext, key = (content.get(name) for name in ("session_id", "ciphertext", "sender_key"))
        if content.get("algorithm") != MEGOLM or not isinstance(session_id, str) or not isinstance(ciphertext, str):
            raise Undecryptable("it is encrypted in a way that the bridge does not know")
        found = await self._session(room, session_id, sender)
        if found is None:
            lacks = "its sender's device has not given the bridge its key"
            raise Undecryptable(lacks, (room, session_id), key if isinstance(key, str) else "")
        if not found.session:
            raise Undecryptable("its key was given up, for nothing had been said in its session for long")
        try:
            session = vodozemac.InboundGroupSession.from_pickle(found.session, self._vault.pickle_key)
            message = vodozemac.MegolmMessage.from_base64(ciphertext)
            if message.message_index() < found.first_index:
                lacks = "its sender's device has given the bridge a key for later messages only"
                raise Undecryptable(lacks, (room, session_id), found.sender_key)
            plain = session.decrypt(message)
        except ValueError as error:
            raise Undecryptable(f"it does not open with its key: {error}") from error
        said = self._understood(plain.plaintext, room)
        if not self._speaks_as(sender):
            await self._check(found, sender)
            if await self._keys.read_first(room, session_id, plain.message_index, event_id) != event_id:
                raise Undecryptable("it repeats another message, which only an attacker does")
        return _clear(event, content, said)

    async def _session(self, room: str, session_id: str, sender: str) -> Inbound | None:
        found = await self._keys.inbound(room, session_id, sender)
        if found is None and self._speaks_as(sender):
            found = await self._keys.inbound(room, session_id, self._bot)
        return found

    async def _check(self, found: Inbound, sender: str) -> None:
        """Raise Undecryptable where the session is not that of a device of the sender's that the bridge accepts."""
        device = await self._audiences.device(sender, found.sender_key)  # type: ignore[arg-type]  # a user id it is
        if device is not None and device.ed25519 != found.signing_key:
            raise Undecryptable("the device that it came from uses keys that are not its own")
        if not self._all_devices and (device is None or not device.signed):
            raise Undecryptable("it came from a device that its owner has not verified")

    def _understood(self, plain: bytes, room: str) -> dict[str, Any]:
        try:
            said = orjson.loads(plain)
        except ValueError:
            said = None
        if not isinstance(said, dict) or not isinstance(said.get("type"), str):
            raise Undecryptable("what it says is no event")
        if said.get("room_id") != room:
            raise Undecryptable("it was written for another room")
        if said["type"].startswith("m.room.") and said["type"] != "m.room.message":
            raise Undecryptable("it holds what only counts when the homeserver has checked it")
        return said


def _clear(event: Json, sealed: Json, said: Json) -> dict[str, Any]:
    """Return the event with what was sealed in it; a relation stands outside, where the homeserver sees it."""
    inner = said.get("content")
    content = dict(inner) if isinstance(inner, dict) else {}
    outside = {name: sealed[name] for name in _OUTSIDE if name in sealed}
    return {**event, "type": said["type"], "content": {**content, **outside}}
