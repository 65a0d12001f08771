"""Who of a workspace has an account on the homeserver, by what the homeserver itself knows of its accounts.

`candidates` reads Slack's user objects, of `users.list` or of an export; the shell asks the homeserver about the
`identity` of each; `match` says what became of everybody.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from portals.ids import MatrixUserId, SlackUserId
from portals.people.links import How, Wanted, is_person
from portals.reading.values import mapping, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from portals.people.links import Linked

Identity = Literal["email", "name", "id"]
"""What of a Slack person is their name at the provider of single sign-on: e-mail address, user name or Slack's id."""

_EMAIL = re.compile(r"[^\s@]{1,128}@[^\s@]{1,190}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Slack person; `left_out` says why nobody is looked for, where that is so."""

    user: SlackUserId
    name: str
    handle: str = ""
    email: str = ""
    left_out: str = ""

    def identity(self, kind: Identity) -> str:
        """Return by what the homeserver may know this person; nothing where Slack does not tell."""
        return {"email": self.email, "name": self.handle, "id": str(self.user)}[kind]


class Outcome(StrEnum):
    """What became of a person."""

    MATCHED = "matched"
    LINKED = "linked already"
    UNKNOWN = "no account"
    NAMELESS = "nothing to go by"
    AMBIGUOUS = "ambiguous"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one person; `account` is theirs, where it is known, `detail` says the rest in words."""

    candidate: Candidate
    outcome: Outcome
    account: MatrixUserId | None = None
    detail: str = ""


def candidates(users: Iterable[object]) -> list[Candidate]:
    """Return the people whom Slack's user objects describe; whatever describes nobody is passed over."""
    found = [candidate for user in users if (candidate := _candidate(mapping(user))) is not None]
    return list({candidate.user: candidate for candidate in found}.values())


def _candidate(user: Mapping[str, Any]) -> Candidate | None:  # Any: foreign JSON
    user_id, profile = text_of(user.get("id")), mapping(user.get("profile"))
    if not is_person(user_id):
        return None
    handle = text_of(user.get("name"))
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), handle)
    name = next((said.strip() for said in map(text_of, names) if said.strip()), user_id)
    email = text_of(profile.get("email")).strip().lower()
    return Candidate(
        SlackUserId(user_id), name, handle, email if _EMAIL.fullmatch(email) else "", _left_out(user, user_id)
    )


def _left_out(user: Mapping[str, Any], user_id: str) -> str:  # Any: foreign JSON
    if user.get("is_bot") is True or user.get("is_app_user") is True or user_id == "USLACKBOT":
        return "a bot"
    if user.get("deleted") is True:
        return "deactivated in Slack"
    return "of another workspace" if user.get("is_stranger") is True else ""


def asked(people: Iterable[Candidate], known: Collection[Linked], kind: Identity) -> list[str]:
    """Return the identities that the homeserver is to be asked about, each once."""
    there = {one.user for one in known}
    wanted = (one.identity(kind) for one in people if not one.left_out and one.user not in there)
    return list(dict.fromkeys(identity for identity in wanted if identity))


def match(
    people: Sequence[Candidate], found: Mapping[str, MatrixUserId], known: Collection[Linked], kind: Identity
) -> list[Finding]:
    """Return what became of everybody, where `found` are the accounts of those identities that have one.

    A link that is there already stays, whoever made it. Where two people share an identity, or an account is somebody
    else's already, none of them is linked: that is for an admin to say.
    """
    theirs = {one.user: one.account for one in known}
    owners = {one.account: one.user for one in known}
    shared = Counter(one.identity(kind) for one in people if not one.left_out and one.identity(kind))
    claimed = Counter(account for identity, account in found.items() if shared[identity])
    findings = []
    for person in people:
        identity = person.identity(kind)
        account = found.get(identity)
        if person.user in theirs:
            findings.append(Finding(person, Outcome.LINKED, theirs[person.user]))
        elif person.left_out:
            findings.append(Finding(person, Outcome.LEFT_OUT, detail=person.left_out))
        elif not identity:
            findings.append(Finding(person, Outcome.NAMELESS, detail=f"Slack tells no {kind} of this person"))
        elif account is None:
            findings.append(Finding(person, Outcome.UNKNOWN, detail=f"the homeserver knows no account of {identity}"))
        elif shared[identity] > 1:
            findings.append(Finding(person, Outcome.AMBIGUOUS, account, f"{identity} is of several people in Slack"))
        elif claimed[account] > 1:
            findings.append(Finding(person, Outcome.AMBIGUOUS, account, "the account answers to several people"))
        elif account in owners:
            words = f"the account is linked to {owners[account]} already"
            findings.append(Finding(person, Outcome.AMBIGUOUS, account, words))
        else:
            findings.append(Finding(person, Outcome.MATCHED, account))
    return findings


def to_link(findings: Iterable[Finding], how: How) -> tuple[Wanted, ...]:
    """Return the links that follow."""
    return tuple(
        Wanted(one.candidate.user, one.account, how)
        for one in findings
        if one.outcome is Outcome.MATCHED and one.account is not None
    )
