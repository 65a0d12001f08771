"""What Slack's `users.info`, `users.list`, `bots.info` and messages say about a person, as the directory keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portals.facts import Person
from portals.ids import SlackUserId, is_slack_id
from portals.reading.values import picture_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portals.events import AuthorProfile
    from portals.ids import GhostNames, TeamId


def person_of_user(user: Mapping[str, Any], user_id: SlackUserId, names: GhostNames, team: TeamId) -> Person:
    """Return the person that a user object describes: the display name where they chose one, else the real name."""
    profile = _object(user.get("profile"))
    choices = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return Person(
        user=user_id,
        name=next((name for name in choices if isinstance(name, str) and name.strip()), user_id),
        ghost=names.ghost(team, user_id),
        avatar_url=picture_of(profile),
        is_bot=user.get("is_bot") is True,
        deactivated=user.get("deleted") is True,
    )


def person_of_bot(bot: Mapping[str, Any], bot_id: SlackUserId, names: GhostNames, team: TeamId) -> Person:
    """Return the bot that a bot object describes."""
    name = bot.get("name")
    shown = name if isinstance(name, str) and name.strip() else bot_id
    return Person(bot_id, shown, names.ghost(team, bot_id), picture_of(_object(bot.get("icons"))), True)


def person_of_profile(profile: AuthorProfile, names: GhostNames, team: TeamId) -> Person:
    """Return the author whom a message describes."""
    return Person(profile.user, profile.name, names.ghost(team, profile.user), profile.picture, profile.is_bot)


def people_of(users: list[Any], names: GhostNames, team: TeamId) -> list[Person]:
    """Return the people of one page of `users.list`; what is no user object is left out."""
    found = [user for user in users if isinstance(user, dict) and is_slack_id(str(user.get("id") or ""))]
    return [person_of_user(user, SlackUserId(user["id"]), names, team) for user in found]


def strangers_of(records: Iterable[Mapping[str, Any]], names: GhostNames, team: TeamId) -> list[Person]:
    """Return the authors whom messages themselves describe: people of other workspaces, and bots, which no list has."""
    found: dict[str, Person] = {}
    for record in records:
        user, bot = record.get("user"), record.get("bot_id")
        profile, of_bot = _object(record.get("user_profile")), _object(record.get("bot_profile"))
        if profile and isinstance(user, str) and is_slack_id(user):
            described = {"real_name": profile.get("real_name"), "name": profile.get("name"), "profile": profile}
            found[user] = person_of_user(described, SlackUserId(user), names, team)
        if isinstance(bot, str) and is_slack_id(bot) and bot not in found:
            name = of_bot.get("name") or record.get("username")
            found[bot] = person_of_bot({**of_bot, "name": name}, SlackUserId(bot), names, team)
    return list(found.values())


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
