"""Whether a conversation may be brought over: one of two or of a few only with the consent of those who had it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.ids import SlackUserId
from portals.people.consent import dm_is_allowed

if TYPE_CHECKING:
    from bridge.store.directory import Directory
    from bridge.store.people import People
    from portals.history.export import ExportedChannel
    from portals.ids import TeamId
    from portals.people.consent import Rule

_OF_FEW = frozenset({"dm", "group_dm"})


class Entitled:
    """Knows who agreed; `rule` says whether each of them must have."""

    def __init__(self, people: People, directory: Directory, rule: Rule) -> None:
        self._people = people
        self._directory = directory
        self._rule = rule

    async def refusal(self, channel: ExportedChannel, team: TeamId) -> str:
        """Return why a channel may not be brought over, with what to do; nothing where it may."""
        if channel.kind not in _OF_FEW:
            return ""
        persons = [await self._directory.person(team, SlackUserId(user)) for user in channel.members]
        bots = {person.user for person in persons if person is not None and person.is_bot}
        members = [user for user in channel.members if user not in bots]
        consents = await self._people.consents(team)
        if dm_is_allowed(members, consents, self._rule):
            return ""
        missing = [user for user in members if user not in consents]
        asked = " ".join(missing[:5]) or "its people"
        return f"{asked} did not agree that it is brought over: causeway people consent {asked} --reason …"
