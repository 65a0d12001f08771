"""Keys of encrypted rooms: our devices, sessions with others, and what is known of others' devices.

What is secret comes here sealed and leaves sealed; this module could not read it. Reads return values, and whatever
changes is returned as statements, so that the caller commits what belongs together as one unit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.database import Statement, any_of
from portals.ids import MatrixUserId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.store.database import Database, Row
    from bridge.store.ledger import Unit

_AT_ONCE = 500
"""Values in one IN: less than any database's limit."""
_DAY_MS = 24 * 3600 * 1000

CHECK = "SELECT sealed FROM key_check WHERE id = 1"
ADD_CHECK = "INSERT INTO key_check (id, sealed) VALUES (1, $1) ON CONFLICT (id) DO NOTHING"
OWN = "SELECT user_id, device_id, account, signing, published, since FROM own_devices WHERE user_id = $1"
ADD_OWN = """
INSERT INTO own_devices (user_id, device_id, account, signing) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id) DO NOTHING
"""
RENEW_OWN = """
UPDATE own_devices SET device_id = $2, account = $3, published = 0, since = '' WHERE user_id = $1
"""
NO_OLM = "DELETE FROM olm_sessions WHERE owner = $1"
NO_OUTBOUND_OF = "DELETE FROM outbound_sessions WHERE owner = $1"
NO_SHARES_OF = "DELETE FROM outbound_shares WHERE owner = $1"
PUT_ACCOUNT = "UPDATE own_devices SET account = $2 WHERE user_id = $1"
PUBLISHED = "UPDATE own_devices SET published = 1 WHERE user_id = $1"
PUT_SINCE = "UPDATE own_devices SET since = $2 WHERE user_id = $1"
OLM = """
SELECT their_key, session_id, session FROM olm_sessions WHERE owner = $1 AND their_key IN {keys}
ORDER BY used_at DESC, session_id
"""
PUT_OLM = """
INSERT INTO olm_sessions (owner, their_key, session_id, session, used_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (owner, their_key, session_id) DO UPDATE SET session = excluded.session, used_at = excluded.used_at
"""
PUT_OLM_SENT = "UPDATE olm_sessions SET session = $4 WHERE owner = $1 AND their_key = $2 AND session_id = $3"
FORGET_OLM = """
DELETE FROM olm_sessions WHERE owner = $1 AND their_key = $2 AND session_id NOT IN (
  SELECT session_id FROM olm_sessions WHERE owner = $1 AND their_key = $2 ORDER BY used_at DESC, session_id LIMIT 10
)
"""
"""More than a few sessions with one device mean that it is broken, or hostile."""
TRACKED = "SELECT user_id, stale, master_key FROM tracked WHERE user_id IN {users}"
ALL_TRACKED = "UPDATE tracked SET stale = 1"
PUT_TRACKED = """
INSERT INTO tracked (user_id, stale, master_key) VALUES ($1, 0, $2)
ON CONFLICT (user_id) DO UPDATE SET stale = 0, master_key = excluded.master_key
"""
STALE = "UPDATE tracked SET stale = 1 WHERE user_id = $1"
DEVICES = """
SELECT user_id, device_id, curve25519, ed25519, signed FROM their_devices WHERE user_id IN {users}
ORDER BY user_id, device_id
"""
DEVICE_OF_KEY = """
SELECT user_id, device_id, curve25519, ed25519, signed FROM their_devices WHERE user_id = $1 AND curve25519 = $2
"""
NO_DEVICES = "DELETE FROM their_devices WHERE user_id = $1"
PUT_DEVICE = """
INSERT INTO their_devices (user_id, device_id, curve25519, ed25519, signed) VALUES ($1, $2, $3, $4, $5)
"""
ROOM = "SELECT period_ms, messages FROM encrypted_rooms WHERE room = $1"
PUT_ROOM = """
INSERT INTO encrypted_rooms (room, period_ms, messages) VALUES ($1, $2, $3)
ON CONFLICT (room) DO UPDATE SET period_ms = excluded.period_ms, messages = excluded.messages
"""
OUTBOUND = "SELECT session_id, session, made_at, sent FROM outbound_sessions WHERE owner = $1 AND room = $2"
BEGIN_OUTBOUND = """
INSERT INTO outbound_sessions (owner, room, session_id, session, made_at, sent) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (owner, room) DO UPDATE SET session_id = excluded.session_id, session = excluded.session,
  made_at = excluded.made_at, sent = excluded.sent
WHERE outbound_sessions.session_id = $7 RETURNING session_id
"""
ADVANCE_OUTBOUND = """
UPDATE outbound_sessions SET session = $4, sent = $5
WHERE owner = $1 AND room = $2 AND session_id = $3 AND sent = $5 - 1 RETURNING session_id
"""
"""A command may speak in a room beside the bridge: whoever comes second begins again from what the first wrote."""
NO_OUTBOUND = "DELETE FROM outbound_sessions WHERE owner = $1 AND room = $2"
SHARES = "SELECT user_id, device_id, curve25519 FROM outbound_shares WHERE owner = $1 AND room = $2"
NO_SHARES = "DELETE FROM outbound_shares WHERE owner = $1 AND room = $2"
NO_FORMER_SHARES = """
DELETE FROM outbound_shares WHERE owner = $1 AND room = $2 AND session_id NOT IN (
  SELECT session_id FROM outbound_sessions WHERE owner = $1 AND room = $2
)
"""
PUT_SHARE = """
INSERT INTO outbound_shares (owner, room, session_id, user_id, device_id, curve25519) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (owner, room, user_id, device_id) DO UPDATE SET session_id = excluded.session_id,
  curve25519 = excluded.curve25519
"""
INBOUND = """
SELECT room, session_id, sender, sender_key, signing_key, first_index, session FROM inbound_sessions
WHERE room = $1 AND session_id = $2 AND sender = $3
"""
PUT_INBOUND = """
INSERT INTO inbound_sessions (room, session_id, sender, sender_key, signing_key, first_index, session, used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (room, session_id, sender)
DO UPDATE SET first_index = excluded.first_index, session = excluded.session, used_at = excluded.used_at
WHERE inbound_sessions.sender_key = excluded.sender_key AND excluded.first_index < inbound_sessions.first_index
"""
"""A key that comes again is taken where it opens more, and only from the device that it came from first. Whoever passes
another's key off as their own gets a row of their own, which opens nothing that the other sends."""
READ = "SELECT event_id FROM read_indices WHERE room = $1 AND session_id = $2 AND message_index = $3"
PUT_READ = """
INSERT INTO read_indices (room, session_id, message_index, event_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (room, session_id, message_index) DO NOTHING
"""
USED = "UPDATE inbound_sessions SET used_at = $3 WHERE room = $1 AND session_id = $2 AND used_at < $4"
"""Noted once a day, for the sake of keys that are given up when nothing is read with them for long."""
AWAIT = """
INSERT INTO awaited_keys (room, session_id, sender, inbox_seq) VALUES ($1, $2, $3, $4)
ON CONFLICT (room, session_id, inbox_seq) DO NOTHING
"""
AWAITED = "SELECT inbox_seq FROM awaited_keys WHERE room = $1 AND session_id = $2 ORDER BY inbox_seq"
NOT_AWAITED = "DELETE FROM awaited_keys WHERE room = $1 AND session_id = $2"
FILE = "SELECT sealed FROM file_keys WHERE mxc = $1"
PUT_FILE = """
INSERT INTO file_keys (mxc, sealed) VALUES ($1, $2) ON CONFLICT (mxc) DO UPDATE SET sealed = excluded.sealed
"""
HOLDINGS = """
SELECT (SELECT COUNT(*) FROM own_devices), (SELECT COUNT(*) FROM encrypted_rooms),
  (SELECT COUNT(*) FROM inbound_sessions), (SELECT COUNT(*) FROM outbound_sessions),
  (SELECT COUNT(*) FROM awaited_keys)
"""
RESET = (
    "key_check",
    "own_devices",
    "olm_sessions",
    "tracked",
    "their_devices",
    "outbound_sessions",
    "outbound_shares",
    "inbound_sessions",
    "read_indices",
    "file_keys",
)


@dataclass(frozen=True, slots=True)
class OwnDevice:
    """A device of one of our users: `account` and `signing` are sealed, `since` is where its /sync goes on."""

    user: MatrixUserId
    device: str
    account: str
    signing: str
    published: bool = False
    since: str = ""


@dataclass(frozen=True, slots=True)
class TheirDevice:
    """A device of somebody else, whose keys it signed itself; `signed` says that its owner vouches for it."""

    user: MatrixUserId
    device: str
    curve25519: str
    ed25519: str
    signed: bool


@dataclass(frozen=True, slots=True)
class Outbound:
    """The session in which one of our devices speaks in a room; `made_at` is in ms."""

    session_id: str
    session: str
    made_at: int
    sent: int


@dataclass(frozen=True, slots=True)
class Inbound:
    """A session that opens messages of one device in one room, from `first_index` on; without `session`, it is over."""

    room: str
    session_id: str
    sender: str
    sender_key: str
    signing_key: str
    first_index: int
    session: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much there is: our devices, encrypted rooms, sessions to read and to write in, and keys that did not come."""

    devices: int
    rooms: int
    read: int
    written: int
    awaited: int


class Keys:
    """All keys of one bridge."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, unit: Iterable[Statement]) -> None:
        """Commit what belongs together."""
        statements = tuple(unit)
        if statements:
            await self._database.commit(*statements)

    async def check_text(self, sealed: str) -> str:
        """Return the text that was kept first for comparison: this one, in a new store."""
        await self._database.commit(Statement(ADD_CHECK, (sealed,)))
        return str((await self._database.fetch(CHECK))[0][0])

    async def holdings(self) -> Holdings:
        """Return how much there is of everything."""
        return Holdings(*map(int, (await self._database.fetch(HOLDINGS))[0]))

    async def reset(self) -> None:
        """Forget all keys; which rooms are encrypted is not forgotten."""
        await self._database.commit(*(Statement(f"DELETE FROM {table}") for table in RESET))

    # --- our devices

    async def own(self, user: MatrixUserId) -> OwnDevice | None:
        """Return the device of one of our users."""
        rows = await self._database.fetch(OWN, user)
        if not rows:
            return None
        user_id, device, account, signing, published, since = rows[0]
        return OwnDevice(MatrixUserId(user_id), device, account, signing, bool(published), since)

    async def add_own(self, own: OwnDevice) -> OwnDevice:
        """Remember a new device; returns the user's device, which another process may have made first."""
        await self._database.commit(Statement(ADD_OWN, (own.user, own.device, own.account, own.signing)))
        return await self.own(own.user) or own

    def renew_own(self, user: MatrixUserId, device: str, account: str) -> Unit:
        """Return what remembers another device in place of one that is gone, and forgets what was that one's."""
        forget = (NO_OLM, NO_OUTBOUND_OF, NO_SHARES_OF)
        return (Statement(RENEW_OWN, (user, device, account)), *(Statement(sql, (user,)) for sql in forget))

    def put_account(self, user: MatrixUserId, account: str) -> Unit:
        """Return what remembers the changed account of a device."""
        return (Statement(PUT_ACCOUNT, (user, account)),)

    def published(self, user: MatrixUserId) -> Unit:
        """Return what remembers that the homeserver knows a device."""
        return (Statement(PUBLISHED, (user,)),)

    def put_since(self, user: MatrixUserId, since: str) -> Unit:
        """Return what remembers up to where a device's arrivals are taken."""
        return (Statement(PUT_SINCE, (user, since)),)

    # --- sessions with devices

    async def olm(self, owner: MatrixUserId, their_keys: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        """Return (id, sealed session) of all sessions with some devices, by their keys, the one used last first."""
        found: dict[str, list[tuple[str, str]]] = {}
        for start in range(0, len(their_keys), _AT_ONCE):
            part = their_keys[start : start + _AT_ONCE]
            rows = await self._database.fetch(OLM.format(keys=any_of(2, len(part))), owner, *part)
            for their_key, session_id, session in rows:
                found.setdefault(their_key, []).append((session_id, session))
        return found

    def put_olm(self, owner: MatrixUserId, their_key: str, session_id: str, session: str) -> Unit:
        """Return what remembers a session that is new, or that a letter came in: the one to write in from now on."""
        put = Statement(PUT_OLM, (owner, their_key, session_id, session, time.time_ns() // 1000))
        return (put, Statement(FORGET_OLM, (owner, their_key)))

    def put_olm_written(self, owner: MatrixUserId, their_key: str, session_id: str, session: str) -> Unit:
        """Return what remembers a session as it is after something was written in it."""
        return (Statement(PUT_OLM_SENT, (owner, their_key, session_id, session)),)

    # --- others' devices

    async def tracked(self, users: Sequence[MatrixUserId]) -> dict[MatrixUserId, tuple[bool, str]]:
        """Return of users who were asked about whether that is stale, and their master key."""
        return {
            MatrixUserId(user): (bool(stale), str(master)) for user, stale, master in await self._in(TRACKED, users)
        }

    def put_devices(self, user: MatrixUserId, master: str, devices: Iterable[TheirDevice]) -> Unit:
        """Return what remembers all that is known of a user, in place of what was known before."""
        return (
            Statement(PUT_TRACKED, (user, master)),
            Statement(NO_DEVICES, (user,)),
            *(
                Statement(PUT_DEVICE, (one.user, one.device, one.curve25519, one.ed25519, int(one.signed)))
                for one in devices
            ),
        )

    def stale(self, users: Iterable[str]) -> Unit:
        """Return what remembers that users are to be asked about again."""
        return tuple(Statement(STALE, (user,)) for user in users)

    def all_stale(self) -> Unit:
        """Return what remembers that everybody is to be asked about again."""
        return (Statement(ALL_TRACKED),)

    async def devices(self, users: Sequence[MatrixUserId]) -> list[TheirDevice]:
        """Return the devices of users."""
        return [_device(row) for row in await self._in(DEVICES, users)]

    async def device_of_key(self, user: MatrixUserId, curve25519: str) -> TheirDevice | None:
        """Return the device of a user that has this key."""
        rows = await self._database.fetch(DEVICE_OF_KEY, user, curve25519)
        return _device(rows[0]) if rows else None

    async def _in(self, sql: str, users: Sequence[MatrixUserId]) -> list[Row]:
        found: list[Row] = []
        for start in range(0, len(users), _AT_ONCE):
            part = users[start : start + _AT_ONCE]
            found += await self._database.fetch(sql.format(users=any_of(1, len(part))), *part)
        return found

    # --- rooms

    async def room(self, room: str) -> tuple[int, int] | None:
        """Return after how many ms and messages a room's sessions end; None for one not known to be encrypted."""
        rows = await self._database.fetch(ROOM, room)
        return (int(rows[0][0]), int(rows[0][1])) if rows else None

    def put_room(self, room: str, period_ms: int, messages: int) -> Unit:
        """Return what remembers that a room is encrypted, for good."""
        return (Statement(PUT_ROOM, (room, period_ms, messages)),)

    # --- sessions of rooms

    async def outbound(self, owner: MatrixUserId, room: str) -> Outbound | None:
        """Return the session in which one of ours speaks in a room."""
        rows = await self._database.fetch(OUTBOUND, owner, room)
        return Outbound(str(rows[0][0]), str(rows[0][1]), int(rows[0][2]), int(rows[0][3])) if rows else None

    async def begin(self, owner: MatrixUserId, new: Outbound, before: str, reading: Inbound) -> bool:
        """Begin a session in place of the one `before`, with its own reading; false where another process did."""
        room = reading.room
        values = (owner, room, new.session_id, new.session, new.made_at, new.sent, before)
        results = await self._database.commit(
            Statement(BEGIN_OUTBOUND, values),
            Statement(NO_FORMER_SHARES, (owner, room)),
            *self.put_inbound(reading),
        )
        return bool(results[0])

    async def advance(self, owner: MatrixUserId, room: str, used: Outbound) -> bool:
        """Remember a session as it is after one more message; false where another process has used it as well."""
        values = (owner, room, used.session_id, used.session, used.sent)
        [rows] = await self._database.commit(Statement(ADVANCE_OUTBOUND, values))
        return bool(rows)

    def no_outbound(self, owner: MatrixUserId, room: str) -> Unit:
        """Return what has the next message begin a new session."""
        return (Statement(NO_OUTBOUND, (owner, room)), Statement(NO_SHARES, (owner, room)))

    async def shares(self, owner: MatrixUserId, room: str) -> frozenset[tuple[str, str, str]]:
        """Return (user, device, curve25519) of those who have the key of a room's session."""
        rows = await self._database.fetch(SHARES, owner, room)
        return frozenset((str(row[0]), str(row[1]), str(row[2])) for row in rows)

    def put_shares(self, owner: MatrixUserId, room: str, session_id: str, devices: Iterable[TheirDevice]) -> Unit:
        """Return what remembers that devices have the key of a session."""
        return tuple(
            Statement(PUT_SHARE, (owner, room, session_id, one.user, one.device, one.curve25519)) for one in devices
        )

    async def inbound(self, room: str, session_id: str, sender: str) -> Inbound | None:
        """Return the session that opens messages of a sender."""
        rows = await self._database.fetch(INBOUND, room, session_id, sender)
        return Inbound(*rows[0]) if rows else None

    def put_inbound(self, found: Inbound) -> Unit:
        """Return what remembers a session, unless it is known from as early on, or from another device."""
        values = (
            found.room,
            found.session_id,
            found.sender,
            found.sender_key,
            found.signing_key,
            found.first_index,
            found.session,
            time.time_ns() // 1_000_000,
        )
        return (Statement(PUT_INBOUND, values),)

    async def read_first(self, room: str, session_id: str, index: int, event_id: str) -> str:
        """Return the event that was first read with this place of a session: this one, if none was."""
        put = Statement(PUT_READ, (room, session_id, index, event_id))
        now = time.time_ns() // 1_000_000
        await self._database.commit(put, Statement(USED, (room, session_id, now, now - _DAY_MS)))
        return str((await self._database.fetch(READ, room, session_id, index))[0][0])

    # --- keys that did not come

    def awaiting(self, room: str, session_id: str, sender: str, inbox_seq: int) -> Unit:
        """Return what remembers that a parked row waits for a key."""
        return (Statement(AWAIT, (room, session_id, sender, inbox_seq)),)

    async def awaited(self, room: str, session_id: str) -> list[int]:
        """Return the rows that wait for a key."""
        return [int(row[0]) for row in await self._database.fetch(AWAITED, room, session_id)]

    def no_longer_awaited(self, room: str, session_id: str) -> Unit:
        """Return what remembers that nothing waits for a key."""
        return (Statement(NOT_AWAITED, (room, session_id)),)

    # --- files

    async def file(self, mxc: str) -> str | None:
        """Return the sealed keys of a file that we encrypted."""
        rows = await self._database.fetch(FILE, mxc)
        return str(rows[0][0]) if rows else None

    def put_file(self, mxc: str, sealed: str) -> Unit:
        """Return what remembers the keys of a file."""
        return (Statement(PUT_FILE, (mxc, sealed)),)


def _device(row: Row) -> TheirDevice:
    return TheirDevice(MatrixUserId(row[0]), str(row[1]), str(row[2]), str(row[3]), bool(row[4]))
