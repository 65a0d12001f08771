"""Who may ask what: each person has a level, each command one that it takes.

The rule that names a person counts before one for their server, and that before one for everybody; who is an admin by
the list of admins is one whatever the rules say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from portals.commands.command import (
    AskLink,
    Bridge,
    ChangeParked,
    ChangePortal,
    ConfirmLink,
    ConfirmPlumb,
    Connect,
    Consent,
    Console,
    Disconnect,
    Help,
    ImportStatus,
    InstallLink,
    InviteBot,
    InviteMe,
    LinkPerson,
    ListParked,
    ListPortals,
    Plumb,
    Report,
    Status,
    Talk,
    Unlink,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from portals.commands.command import Command
    from portals.ids import MatrixUserId

EVERYBODY = "*"


class Level(IntEnum):
    """What somebody may ask of the bot."""

    NONE = 0
    USER = 1
    ADMIN = 2


def level_of(user: MatrixUserId, rules: Mapping[str, Level], admins: Collection[str] = ()) -> Level:
    """Return a person's level; the rules are by user id, by `*:server` and by `*`."""
    if user in admins:
        return Level.ADMIN
    _, _, server = user.partition(":")
    return next((rules[one] for one in (user, f"*:{server}", EVERYBODY) if one in rules), Level.NONE)


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may ask what, and by which prefix in a room with others."""

    rules: Mapping[str, Level]
    admins: Collection[str]
    prefix: str

    def level(self, user: MatrixUserId) -> Level:
        """Return a person's level."""
        return level_of(user, self.rules, self.admins)


NEEDED: Mapping[type[Command], Level] = {
    **dict.fromkeys((Help, Status, ListPortals, InviteMe, AskLink, ConfirmLink, Unlink, Consent), Level.USER),
    **dict.fromkeys((Connect, Disconnect, Talk), Level.USER),
    **dict.fromkeys((Bridge, ChangePortal, Plumb, ConfirmPlumb, InviteBot, LinkPerson), Level.ADMIN),
    **dict.fromkeys((ListParked, ChangeParked, ImportStatus, InstallLink, Report, Console), Level.ADMIN),
}
"""The level that each command takes."""


def needed(command: Command) -> Level:
    """Return the level that a command takes: what concerns others than oneself takes more."""
    if isinstance(command, Unlink) and command.user:
        return Level.ADMIN
    return NEEDED[type(command)]
