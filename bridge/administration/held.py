"""Messages that wait for a moderator, or for the end of quiet hours: looked at, let go and refused."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from bridge.administration.times import moment
from bridge.errors import Declined
from bridge.store.audit import noted
from bridge.store.held import HeldMessages
from portals.crossing.waiting import Verdict, Wait
from portals.reading.values import mapping, text_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from bridge.store.held import HeldRow
    from portals.facts import Portal

_PAGE = 100
_ENCRYPTED = "(it is encrypted: what it says is shown in the moderators' room alone, if that is encrypted too)"


@dataclass(frozen=True, slots=True)
class ShownHeld:
    """A message that waits, as admins see it in a list: never what it says."""

    number: int
    waits_for: str
    direction: str
    name: str | None
    channel: str | None
    room: str | None
    author: str
    rule: str
    since: str
    until: str
    seconds_left: int


@dataclass(frozen=True, slots=True)
class HeldWhole:
    """A message that waits, with what it says in plain words and as it came."""

    held: ShownHeld
    says: str
    event: object


async def shown(store: Store, row: HeldRow) -> ShownHeld:
    """Return a message that waits as admins see it."""
    portal = await store.directory.portal(row.portal)
    return ShownHeld(
        number=row.id,
        waits_for=row.wait,
        direction=row.direction,
        name=portal.name if portal else None,
        channel=portal.channel if portal else None,
        room=portal.room if portal else None,
        author=row.author,
        rule=row.rule,
        since=moment(row.since),
        until=moment(row.until),
        seconds_left=max(0, row.until // 1000 - int(time.time())),
    )


async def find(store: Store, number: int) -> HeldRow:
    """Return the message that waits under this number; raises Declined."""
    rows = await HeldMessages(store.database).rows(number=number) if 0 < number < 2**63 else []
    if not rows:
        raise Declined("not_found", f"nothing is held as number {number}: causeway held list shows what is")
    return rows[0]


async def rows(store: Store, only: Portal | None = None, after: int = 0) -> AsyncIterator[HeldRow]:
    """Yield what waits behind a number, of one portal where it is given."""
    while page := await HeldMessages(store.database).rows(after, _PAGE):
        for row in page:
            if only is None or row.portal == only.id:
                yield row
        after = page[-1].id


async def read(store: Store, row: HeldRow, actor: Actor) -> HeldWhole:
    """Return what waits with its content, which the audit log notes."""
    await store.database.commit(noted(str(actor), "read", f"held {row.id}", row.name))
    event = mapping(orjson.loads(row.raw))
    return HeldWhole(await shown(store, row), _words(event), event)


async def decide(store: Store, row: HeldRow, verdict: Verdict, actor: Actor) -> None:
    """Let a message go, or refuse it; raises Declined for what is decided already, or the actor's own."""
    if verdict is Verdict.APPROVED and row.wait is Wait.MODERATOR and actor.name in await _authors(store, row):
        raise Declined("own", "nobody lets through what they wrote themself: somebody else decides")
    if not await HeldMessages(store.database).decide(row.id, verdict, actor.name, str(actor)):
        raise Declined("decided", f"number {row.id} is decided already")


async def approve(store: Store, row: HeldRow, actor: Actor) -> None:
    """Let a message go; raises Declined."""
    await decide(store, row, Verdict.APPROVED, actor)


async def refuse(store: Store, row: HeldRow, actor: Actor) -> None:
    """Refuse a message; raises Declined."""
    await decide(store, row, Verdict.REFUSED, actor)


async def _authors(store: Store, row: HeldRow) -> set[str]:
    """Return by which names its author may come: their id, and the account that is linked with it."""
    portal = await store.directory.portal(row.portal)
    accounts = await store.people.accounts(portal.team) if portal is not None else {}
    return {row.author} | {str(account) for user, account in accounts.items() if user == row.author}


def _words(event: object) -> str:
    """Return what an event of either side says, in plain words."""
    said = mapping(event)
    if said.get("type") == "m.room.encrypted":
        return _ENCRYPTED
    content = mapping(said.get("content"))
    if content:
        return text_of(mapping(content.get("m.new_content") or content).get("body"))
    told = mapping(said.get("event"))
    message = mapping(told.get("message") or told)
    files = message.get("files")
    names = [text_of(mapping(one).get("name")) for one in files] if isinstance(files, list) else []
    return "\n".join(filter(None, [text_of(message.get("text")), *names]))
