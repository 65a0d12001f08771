"""People: which Slack person has which Matrix account, and who agreed that direct messages cross."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import Declined
from bridge.store.grants import Grants, GrantState
from bridge.store.registers import Registers
from portals.ids import SlackUserId
from portals.people.links import How, Wanted, flaw_of, is_person

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from portals.ids import MatrixUserId, TeamId

    Missing = Callable[[Sequence[MatrixUserId]], Awaitable[list[MatrixUserId]]]
    """Tells which of these accounts the homeserver does not have, or nothing where it cannot be asked."""


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """A Slack person as admins see them; `linked_at` in milliseconds since the epoch."""

    slack_id: str
    name: str
    matrix_id: str | None
    how: str | None
    linked_at: int | None
    linked_by: str | None
    direct_messages: bool
    own_hand: str | None = None
    """`live` where they write in Slack as themself; `broken`, `ending` or `ended` where they did."""


async def shown(store: Store, team: TeamId) -> list[ShownPerson]:
    """Return everybody of a workspace whom the bridge has met, or about whom something is decided."""
    names = await store.people.names(team)
    links = {one.user: one for one in await store.people.links(team)}
    agreed = await store.people.consents(team)
    hands = await _hands(store, team)
    return [
        ShownPerson(
            slack_id=user,
            name=names.get(user, ""),
            matrix_id=theirs.account if (theirs := links.get(user)) else None,
            how=theirs.how if theirs else None,
            linked_at=theirs.at if theirs else None,
            linked_by=theirs.by if theirs else None,
            direct_messages=user in agreed,
            own_hand=hands.get(user),
        )
        for user in sorted({*names, *links, *agreed, *hands})
    ]


async def _hands(store: Store, team: TeamId) -> dict[SlackUserId, str]:
    grants = await Grants(store.database).all()
    return {user: str(one.state) for (its, user), one in grants.items() if its == team and user}


async def page(
    store: Store, team: TeamId, after: str, limit: int, *, linked: bool | None = None, search: str = ""
) -> list[ShownPerson]:
    """Return some of a workspace's people in the order of their ids: all, the linked, or the others."""
    found = await Registers(store.database).people(team, after, limit, linked=linked, search=search)
    hands = await _hands(store, team)
    return [
        ShownPerson(
            slack_id=one.user,
            name=one.name,
            matrix_id=one.account,
            how=one.how,
            linked_at=one.linked_at,
            linked_by=one.linked_by,
            direct_messages=one.agrees,
            own_hand=hands.get(SlackUserId(one.user)),
        )
        for one in found
    ]


async def workspace(store: Store, wanted: str | None) -> TeamId:
    """Return a workspace that the bridge has met, by id or name, or the only one; raises Declined."""
    known = await store.people.workspaces()
    found = [team for team, name in known.items() if wanted is None or wanted in (team, name)]
    if len(found) == 1:
        return found[0]
    choices = " or ".join(f"{name} ({team})" for team, name in known.items()) or "none yet"
    if found:
        raise Declined("ambiguous", f"there are several workspaces: name one of {choices}")
    raise Declined("not_found", f"the bridge has met no workspace {wanted or ''}: those that it knows are {choices}")


async def link(
    store: Store,
    team: TeamId,
    user: SlackUserId,
    account: MatrixUserId,
    actor: Actor,
    *,
    missing: Missing,
    domain: str,
) -> bool:
    """Link a person to an account; returns whether that is new. Raises Declined, and Refused where others are linked.

    An account of `domain` must be there, where the homeserver can be asked.
    """
    if flaw := flaw_of(account, store.names):
        raise Declined("bad_account", flaw)
    known = await store.people.names(team)
    if known and user not in known:
        raise Declined(
            "not_found", f"the bridge has met no {user} in {team}: `causeway people list --all` shows everybody"
        )
    if await missing([account]):
        raise Declined("no_account", f"{account} is no account of {domain} that can be used")
    made = await store.people.link(team, [Wanted(user, account, How.HAND)], str(actor))
    await store.tell_of_people(team)
    return bool(made)


async def unlink(store: Store, team: TeamId, user: SlackUserId, actor: Actor) -> MatrixUserId:
    """End the link of a person, and return the account that it was to; raises Declined where there was none."""
    account = await store.people.unlink(team, user, str(actor))
    await store.tell_of_people(team)
    if account is None:
        raise Declined("not_found", f"{user} is not linked: `causeway people list` shows who is")
    return account


async def disconnect(store: Store, team: TeamId, user: SlackUserId, actor: Actor) -> MatrixUserId:
    """End that a person writes in Slack as themself, and return their account; raises Declined where they do not.

    The running bridge follows at once, and takes what they allowed back at Slack.
    """
    grants = Grants(store.database)
    grant = await grants.of(team, user)
    if grant is None or grant.state not in (GrantState.LIVE, GrantState.BROKEN):
        raise Declined("not_found", f"{user} does not write as themself: `causeway people list` shows who does")
    await grants.end(grant, "by an admin", str(actor))
    await store.tell_of_people(team)
    return grant.account


def flaw_of_id(text: str) -> str | None:
    """Return what is wrong with the id of a Slack person, or nothing."""
    if is_person(text):
        return None
    return (
        f"{text!r} is not the id of a Slack person, such as U0123456789: their profile in Slack shows it "
        "under ⋮, Copy member ID"
    )
