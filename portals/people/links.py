"""Which Slack person has which Matrix account: one account each in a workspace, and each account for one person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from portals.ids import GhostNames, MatrixUserId, SlackUserId

_ACCOUNT = re.compile(r"@[!-9;-~]+:[A-Za-z0-9.\-\[\]:]{1,230}")
_PERSON = re.compile(r"[UW][A-Z0-9]{1,31}")
_LONGEST = 255


class How(StrEnum):
    """On whose word an account is somebody's."""

    EMAIL = "email"
    SSO = "sso"
    CSV = "csv"
    HAND = "hand"
    OAUTH = "oauth"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A link that is to be made; `line` is where it stands in a file, 0 where it stands in none."""

    user: SlackUserId
    account: MatrixUserId
    how: How
    line: int = 0


@dataclass(frozen=True, slots=True)
class Linked:
    """A link that was made; `at` in milliseconds since the epoch, `by` names whoever made it."""

    user: SlackUserId
    account: MatrixUserId
    how: How
    at: int
    by: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps something from being done; `line` is where it stands in a file, 0 where it stands in none."""

    what: str
    line: int = 0

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}" if self.line else self.what


def is_person(text: str) -> bool:
    """Tell whether the text has the form of the id of a person in Slack; bots have none."""
    return _PERSON.fullmatch(text) is not None


def flaw_of(account: str, names: GhostNames) -> str:
    """Return why a text cannot be the account of a person, nothing where it can."""
    if not _ACCOUNT.fullmatch(account) or len(account) > _LONGEST:
        return f"{account!r} is not a Matrix user id: write it like @alice:{names.domain}"
    if names.is_ours(account):
        return f"{account} is the bridge's own: choose the account that the person logs in to"
    return ""


def conflicts(wanted: Iterable[Wanted], known: Collection[Linked]) -> list[Problem]:
    """Return what keeps these links from being made beside those that are known.

    A person who is wanted with another account moves to it, which frees the one they had.
    """
    asked = list(wanted)
    moved = {one.user for one in asked}
    owners = {one.account: one.user for one in known if one.user not in moved}
    seen: dict[str, Wanted] = {}
    problems: list[Problem] = []
    for one in asked:
        owner = owners.get(one.account)
        if owner is not None:
            problems.append(Problem(f"{one.account} is linked to {owner} already: unlink that one first", one.line))
        for key in (str(one.user), str(one.account)):
            before = seen.setdefault(key, one)
            if before is not one:
                where = f" (line {before.line})" if before.line else ""
                problems.append(Problem(f"{key} is there twice{where}: keep one of them", one.line))
    return problems


def changes(wanted: Iterable[Wanted], known: Collection[Linked]) -> tuple[Wanted, ...]:
    """Return those of these links that are not made yet."""
    there = {(one.user, one.account) for one in known}
    return tuple(one for one in wanted if (one.user, one.account) not in there)
