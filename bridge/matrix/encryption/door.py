"""The one door: what the client asks about encryption, and what it is told.

A room that is encrypted once is so for good, whatever its state says later. That a room is clear is believed for a
second: the homeserver tells of a change with its transactions, which may be late. A second from when the homeserver was
asked, or from when something of ours left for the room that has come back with a transaction since: whatever happened
in the room before it came before it, so that a busy room need not be asked about at all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.errors import Later, Refused
from bridge.matrix.encryption.arrivals import Arrivals
from bridge.matrix.encryption.audience import Audiences
from bridge.matrix.encryption.files import SealedFiles
from bridge.matrix.encryption.identity import Identities
from bridge.matrix.encryption.inbound import Inbounds, Undecryptable
from bridge.matrix.encryption.key_server import NO_DEVICE, KeyServer
from bridge.matrix.encryption.letters import Letters
from bridge.matrix.encryption.outbound import MEGOLM, Outbounds
from bridge.matrix.encryption.turns import Turns
from bridge.matrix.encryption.vault import Vault
from bridge.store.keys import Keys
from bridge.store.old_keys import OldKeys
from portals.actions import STAMP
from portals.ids import MatrixUserId, RoomId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bridge.matrix.media import Media
    from bridge.matrix.wire import Wire
    from bridge.store.database import Database

    Json = Mapping[str, Any]  # Any: a foreign JSON object, checked field by field

log = logging.getLogger(__name__)

ENCRYPTED = "room_is_encrypted"
"""The code of a refusal because a room is encrypted and encryption is switched off."""
_IN_CLEAR = frozenset({"m.reaction", "m.room.redaction"})
"""What clients send in clear even into encrypted rooms, for the homeserver has to understand it."""
_BELIEVED = 1.0
"""Seconds for which it is believed that a room is clear, unless the homeserver tells otherwise before."""
_PERIOD_MS = 7 * 24 * 3600 * 1000
_MESSAGES = 100
"""After what a session ends where the room does not say (client-server API, `m.room.encryption`)."""
_MANY = 4
"""Requests under way from which on the homeserver has enough to do."""
_LEAST_PERIOD_MS = 3600 * 1000
_LOOK_FOR_OLD_KEYS = 6 * 3600.0
_BREATH = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """How encryption is done; `key` None switches it off, and then nothing is sent into encrypted rooms."""

    key: str | None
    bot: MatrixUserId
    is_ours: Callable[[str], bool]
    acts_as: Callable[[str], bool]
    """Whether the bridge acts as somebody's own account."""
    ghosts: str = "own"
    """`own`: every ghost has a device; `bridge`: all speak with the bot's."""
    otherwise: frozenset[str] = frozenset()
    """Rooms in which it is the other way round."""
    all_devices: bool = True
    aside: bool = False
    """Whether this is another process than the bridge's, such as a command's, which reads no keys."""
    keep_ms: int = 0
    """After how long without a message a session's key is given up; 0 never."""


class Encryption:
    """Encrypts and decrypts for the client."""

    def __init__(
        self, wire: Wire, database: Database, options: Options, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._options = options
        self._clock = clock
        self._keys = keys = Keys(database)
        self._old_keys = OldKeys(database)
        self._server = server = KeyServer(wire)
        self._rules: dict[RoomId, tuple[int, int]] = {}
        self._clear: dict[RoomId, float] = {}
        """When a room was last certain to be clear."""
        self._out: dict[RoomId, dict[str, float]] = {}
        """What left for each clear room and has not come back yet: its stamp, and when it left."""
        self._told: set[RoomId] = set()
        """Rooms of whose encryption there is news that nobody looked at yet."""
        self._vault = vault = Vault(options.key or "")
        turns = Turns()
        bot = options.bot
        self._identities = identities = Identities(keys, vault, server, turns, bot)
        self._audiences = audiences = Audiences(
            keys=keys,
            server=server,
            identities=identities,
            turns=turns,
            bot=bot,
            is_ours=options.is_ours,
            all_devices=options.all_devices,
            aside=options.aside,
        )
        letters = Letters(keys, vault, server, identities, turns, aside=options.aside)
        self._outbounds = outbounds = Outbounds(keys, vault, letters, turns)
        self._inbounds = inbounds = Inbounds(keys, vault, audiences, bot, self._speaks_as, options.all_devices)
        self._arrivals = Arrivals(
            keys=keys,
            server=server,
            identities=identities,
            letters=letters,
            inbounds=inbounds,
            outbounds=outbounds,
            audiences=audiences,
            turns=turns,
            bot=bot,
            is_busy=lambda: wire.in_flight >= _MANY,
        )

    @property
    def is_on(self) -> bool:
        """Whether encryption is switched on."""
        return self._options.key is not None

    def files(self, media: Media) -> SealedFiles:
        """Return what encrypts files on their way into the homeserver's media repository."""
        return SealedFiles(media, self._keys, self._vault)

    def _speaks_as(self, user: str) -> bool:
        return self._options.is_ours(user) or self._options.acts_as(user)

    async def begin(self) -> None:
        """Raise Fatal where the stored keys cannot be used with the configured one."""
        if self.is_on:
            await self._vault.check(self._keys)

    async def run(
        self, heal: Callable[[Sequence[int]], Awaitable[None]], appear: Callable[[], Awaitable[None]]
    ) -> None:
        """Read keys that come until cancelled; `heal` is told, at every one, which parked rows waited for it.

        `appear` has the bot's account exist.
        """
        if not self.is_on:
            return

        async def came(sessions: Sequence[tuple[str, str]]) -> None:
            rows = [row for session in sessions for row in await self._keys.awaited(*session)]
            await heal(rows)
            await self._keys.keep(one for session in sessions for one in self._keys.no_longer_awaited(*session))

        await self._arrivals.run(came, appear)

    async def give_up_keys(self) -> None:
        """Give up keys that are too old, again and again until cancelled."""
        while self.is_on and self._options.keep_ms:
            try:
                given_up = await self._old_keys.give_up(time.time_ns() // 1_000_000, self._options.keep_ms)
            except Later as later:
                log.warning("old keys could not be given up yet: %s", later)
                given_up = 0
            if given_up:
                log.info("the keys of %d sessions were given up, in which nothing was said for long", given_up)
            await asyncio.sleep(_BREATH if given_up else _LOOK_FOR_OLD_KEYS)

    # --- rooms

    def observe(self, events: Sequence[Json]) -> None:
        """Take note of events that change who is in a room, or that it is encrypted."""
        for event in events:
            room = RoomId(str(event.get("room_id")))
            self._note_return(room, event)
            if event.get("type") == "m.room.encryption" and event.get("state_key") == "":
                self._told.add(room)
                self._rules.pop(room, None)
                self._clear.pop(room, None)
                self._out.pop(room, None)
            elif event.get("type") == "m.room.member" and not self._options.is_ours(str(event.get("state_key"))):
                self._audiences.membership_changed(room)

    def _note_departure(self, room: RoomId, content: Json) -> None:
        """Remember what leaves for a clear room; not the first of it, which may have left before."""
        if (out := self._out.get(room)) is None:
            self._out[room] = {}
            return
        now = self._clock()
        for stamp in [one for one, since in out.items() if now - since >= _BELIEVED]:
            del out[stamp]
        out.setdefault(str(content.get(STAMP)), now)

    def _note_return(self, room: RoomId, event: Json) -> None:
        out, content = self._out.get(room), event.get("content")
        if out and isinstance(content, Mapping) and self._options.is_ours(str(event.get("sender"))):
            since = out.pop(str(content.get(STAMP)), None)
            if since is not None:
                self._clear[room] = max(since, self._clear.get(room, since))

    def lose_track(self, room: RoomId) -> None:
        """Forget what left for a room: something is to leave a second time, and its return would not tell of when."""
        self._out.pop(room, None)

    async def is_encrypted(self, room: RoomId, reader: MatrixUserId | None) -> bool:
        """Tell whether what is sent into a room will be encrypted; raises as `outgoing` does where it cannot be."""
        if await self._rules_of(room, reader) is None:
            return False
        if not self.is_on:
            raise _switched_off(room)
        return True

    async def _rules_of(self, room: RoomId, reader: MatrixUserId | None) -> tuple[int, int] | None:
        """Return after how many ms and messages a room's sessions end, or None for a clear room."""
        rules = self._rules.get(room)
        if rules is not None:
            return rules
        if self._clock() - self._clear.get(room, float("-inf")) < _BELIEVED:
            return None
        rules = await self._keys.room(room)
        if rules is None or room in self._told:
            self._told.discard(room)
            state = await self._server.encryption_of(room, reader)
            if state is not None:
                rules = _rules(state)
                await self._keys.keep(self._keys.put_room(room, *rules))
        if room not in self._told:  # else there was news meanwhile, and it is asked for anew the next time
            if rules is None:
                self._clear[room] = self._clock()
            else:
                self._rules[room] = rules
        return rules

    # --- events

    async def outgoing(
        self, room: RoomId, sender: MatrixUserId | None, type: str, content: Json
    ) -> tuple[str, Mapping[str, Any]]:
        """Return type and content of an event as they may leave the house: encrypted where the room is.

        Raises Refused with the code ENCRYPTED where it is and encryption is switched off.
        """
        if type in _IN_CLEAR:
            return type, content
        rules = await self._rules_of(room, sender)
        if rules is None:
            self._note_departure(room, content)
            return type, content
        if not self.is_on:
            raise _switched_off(room)
        inside = {name: value for name, value in content.items() if name != STAMP}
        owner = self._owner(room, sender)
        try:
            audience = await self._audiences.of(room, sender)
            own = await self._identities.of(owner)
            sealed = await self._outbounds.encrypt(own, room, audience, rules, type, inside)
        except Refused as refused:
            if refused.code not in NO_DEVICE:
                raise
            for user in {owner, self._options.bot}:
                await self._identities.renew(user)
            raise Later(f"a device of ours was removed on the homeserver: {refused.detail}", 0.0) from refused
        if STAMP in content:
            sealed[STAMP] = content[STAMP]
        return "m.room.encrypted", sealed

    def _owner(self, room: RoomId, sender: MatrixUserId | None) -> MatrixUserId:
        """Return whose device a sender speaks with: people's own accounts speak with the bot's."""
        have_own = (self._options.ghosts == "own") is not (room in self._options.otherwise)
        if have_own and sender is not None and self._options.is_ours(sender):
            return sender
        return self._options.bot

    async def opened(self, event: Json) -> dict[str, Any]:
        """Return an event in clear, with the edit that the homeserver folds into it; raises Undecryptable."""
        if event.get("type") != "m.room.encrypted" or not event.get("content"):
            return dict(event)
        if not self.is_on:
            raise Undecryptable("it is encrypted, and this bridge has encryption switched off")
        return await self._inbounds.opened(await self._with_edit(event))

    async def can_open(self, event: Json) -> bool:
        """Tell whether an event can be decrypted."""
        try:
            await self.opened(event)
        except Undecryptable:
            return False
        return True

    async def readable(self, event: Json) -> dict[str, Any]:
        """Return an event in clear if that can be had, else as it is."""
        try:
            return await self.opened(event)
        except Undecryptable as error:
            log.info("%s: %s cannot be read back: %s", event.get("room_id"), event.get("event_id"), error.detail)
            return dict(event)

    async def _with_edit(self, event: Json) -> Json:
        try:
            edit = event["unsigned"]["m.relations"]["m.replace"]
            encrypted = edit["type"] == "m.room.encrypted"
        except (KeyError, TypeError):
            return event
        if not encrypted:
            return event
        clear = await self.readable(edit)
        relations = {**event["unsigned"]["m.relations"], "m.replace": clear}
        return {**event, "unsigned": {**event["unsigned"], "m.relations": relations}}

    # --- keys that did not come

    async def ask_for_key(self, missing: Undecryptable, sender: str) -> str | None:
        """Ask for a key that did not come; returns why it will not come, empty where no reason was given, else None."""
        assert missing.session is not None
        refusal = self._arrivals.withheld.get(missing.session)
        if refusal is None:
            await self._arrivals.ask_for(missing.session, MatrixUserId(sender), missing.sender_key)
        return refusal

    async def await_key(self, missing: Undecryptable, sender: str, row: int) -> None:
        """Have a row that is parked for want of a key be told of when the key comes."""
        if missing.session is not None:
            await self._keys.keep(self._keys.awaiting(*missing.session, sender, row))


def _switched_off(room: RoomId) -> Refused:
    return Refused(
        ENCRYPTED,
        f"the room {room} is encrypted, and encryption is switched off",
        "Give encryption.key, and load the registration that `causeway register` writes",
    )


def _rules(state: Json) -> tuple[int, int]:
    if state.get("algorithm") != MEGOLM:
        raise Refused(
            "unknown_encryption",
            f"the room is encrypted by {str(state.get('algorithm'))[:60]!r}, which the bridge does not know",
        )
    period, messages = state.get("rotation_period_ms"), state.get("rotation_period_msgs")
    return (
        max(period, _LEAST_PERIOD_MS) if isinstance(period, int) else _PERIOD_MS,
        min(max(messages, 1), 10_000) if isinstance(messages, int) else _MESSAGES,
    )
