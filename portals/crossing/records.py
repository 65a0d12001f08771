"""What the ledger must know of messages that are held, once an action is done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordHeld:
    """Remember that a message is held, in its newest state: that which stands in the row of this `source`.

    `subject` is what the audit log calls it. `until` is in milliseconds.
    """

    name: str
    source: str
    wait: str
    author: str
    rule: str
    subject: str
    since: int
    until: int
    approved: bool = False
    digest: str = ""
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class RecordHeldEnd:
    """Remember that a message is held no more; the audit log is told by its `subject`, if there is one, `how`."""

    name: str
    subject: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class RecordNotice:
    """A notice that keeps nothing else back where it cannot be given.

    With a `name`, it is where moderators are shown, in their `room`, the message of this name that is held.
    """

    name: str = ""
    room: str = ""
