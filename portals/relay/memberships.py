"""Who comes and goes: people of Slack are in the room in their own accounts, where these may be brought, or as ghosts.

Whoever merely is not in the channel's list any more has perhaps been deactivated in Slack, as people are who have moved
to Matrix: their own account stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.actions import SetMembership
from portals.events import Ignored
from portals.ids import action_key

if TYPE_CHECKING:
    from portals.actions import Action
    from portals.events import SlackMembership
    from portals.facts import Facts, Portal


def decide(event: SlackMembership, portal: Portal, facts: Facts) -> tuple[Action, ...] | Ignored:
    """Have a person come in their own account, where it may be brought, or else as a ghost; and leave in both."""
    assert portal.room is not None
    if portal.has_moved and not event.joined:
        return Ignored("the channel has moved to Matrix: who leaves it in Slack stays in the room")
    key, room, ghost = action_key(event.source), portal.room, facts.names.ghost(portal.team, event.user)
    account = facts.accounts.get(event.user)
    if account is None or not (account.acts or facts.rules.invite or portal.is_conversation):
        return (SetMembership(key, room, ghost, event.joined),)
    if event.joined:
        return (SetMembership(key, room, account.id, True, ghost=ghost),)
    leaves = (SetMembership(key, room, ghost, False),)
    if not event.historic and (account.acts or portal.private):
        own = SetMembership(action_key(event.source, "account"), room, account.id, False)
        return (*leaves, own)
    return leaves
