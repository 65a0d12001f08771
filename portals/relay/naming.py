"""The names that a text needs, out of the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.crossing.policy import Kind
from portals.text import Channel, MatrixPerson, Names, SlackPerson

if TYPE_CHECKING:
    from portals.facts import Facts, Person
    from portals.ids import SlackUserId


def names_of(facts: Facts) -> Names:
    """Return what is known of the people and places that a text mentions."""
    ghosts = {str(person.ghost): MatrixPerson(person.name, str(person.user)) for person in facts.people.values()}
    members = {str(user): MatrixPerson(member.name, None) for user, member in facts.members.items()}
    for user, account in facts.accounts.items():
        known = facts.members.get(account.id) or facts.people.get(user)
        members[str(account.id)] = MatrixPerson(known.name if known else "", str(user))
    notifies = Kind.MENTIONS in facts.policy.kinds
    calls_all = notifies and Kind.BROADCASTS in facts.policy.kinds
    if not notifies:  # every mention becomes the name alone
        members = {user: one._replace(slack_id=None) for user, one in (members | ghosts).items()}
        ghosts = {}
    return Names(
        slack_users={
            str(user): SlackPerson(one.name, _account(user, one, facts) if notifies else None)
            for user, one in facts.people.items()
        },
        matrix_users=members | ghosts,
        channels={str(one): Channel(channel.name, channel.room) for one, channel in facts.channels.items()},
        rooms={str(room): str(channel.id) for room, channel in facts.rooms.items()},
        usergroups=facts.usergroups,
        emoji=facts.emoji,
        links=facts.permalinks,
        allow_room_mention=facts.rules.allow_room_mention and calls_all,
        allow_broadcast=facts.rules.allow_broadcast and facts.may_broadcast and calls_all,
    )


def _account(user: SlackUserId, person: Person, facts: Facts) -> str:
    """Return whom a mention of a Slack person is to reach: their own account, whoever speaks for them."""
    account = facts.accounts.get(user)
    return str(account.id if account is not None else person.ghost)
