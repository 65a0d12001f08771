"""How a Slack user stands to a workspace, by the object `user`.

Source: https://docs.slack.dev/reference/objects/user-object
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.crossing.policy import Standing
from portals.reading.values import mapping

if TYPE_CHECKING:
    from portals.events import Json
    from portals.ids import TeamId


def standing_of(user: Json, team: TeamId) -> Standing:
    """Return how a user stands: whoever is of another workspace of the same organisation is a member as well."""
    home = user.get("team_id")
    if user.get("is_bot") is True:
        return Standing.BOT
    if user.get("is_restricted") is True or user.get("is_ultra_restricted") is True:
        return Standing.GUEST
    teams = mapping(user.get("enterprise_user")).get("teams")
    is_of_ours = isinstance(teams, list) and team in teams
    if user.get("is_stranger") is True or (isinstance(home, str) and home != team and not is_of_ours):
        return Standing.STRANGER
    return Standing.MEMBER if home == team or is_of_ours else Standing.UNKNOWN
