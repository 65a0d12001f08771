"""Joining a room that is there already to a channel: first it is explained what will cross, then it is confirmed.

Whoever asks must have the power to say in the room's state that it is bridged, and so must the bot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.administration import portals
from bridge.administration.channels import find_channel
from bridge.errors import Declined
from portals.commands import replies
from portals.facts import Direction, PortalState
from portals.ids import TeamId
from portals.reading.power_levels import power_for_state, power_of, power_to_invite
from portals.text import label_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.administration.office import Office
    from bridge.commands.asker import Asker
    from bridge.matrix.client import MatrixClient
    from bridge.store.questions import Questions
    from portals.commands.command import Plumb
    from portals.text import Document

_SHOWN_AS = "m.bridge"


class Plumbing:
    """Asks and does; `code_of` makes the code of an event, always the same."""

    def __init__(
        self, office: Office, matrix: MatrixClient, questions: Questions, code_of: Callable[[str], str]
    ) -> None:
        self._office = office
        self._matrix = matrix
        self._questions = questions
        self._code_of = code_of

    async def explain(self, command: Plumb, asker: Asker) -> Document:
        """Say what will cross, and by which code it is agreed to; nothing is joined yet."""
        await self._may(asker)
        team, client = self._office.workspace(command.workspace or None)
        channel = await find_channel(client, self._office.store.directory, team, command.channel)
        way = command.direction or Direction.BOTH
        code = self._code_of(asker.event_id)
        body = {"what": "plumb", "team": team, "channel": channel.id, "name": channel.name, "direction": way}
        await self._questions.ask(asker.user, asker.room, code, body)
        workspace = await self._office.store.workspace_name(team)
        people = [user for user in await self._matrix.rooms.joined_members(asker.room) if user != self._matrix.bot]
        return replies.explained(channel.name, workspace, way, len(people), code, asker.prefix)

    async def confirm(self, code: str, asker: Asker) -> Document:
        """Join the room, as the question of this code says."""
        asked = await self._questions.asked(asker.user, asker.room, code)
        if asker.done:
            await self._questions.forget(asker.user, asker.room)
            return replies.said("This room is joined to its channel now: whatever is said from here on crosses.")
        if asked is None or asked["what"] != "plumb":
            raise Declined(
                "no_question", "there is nothing to confirm by that code, or no longer: begin with `plumb #channel`"
            )
        await self._may(asker)
        team, client = self._office.workspace(asked["team"])
        made, _ = await portals.add(
            self._office.store,
            client,
            TeamId(team),
            asked["channel"],
            asker.actor,
            matrix=asker.room,
            direction=Direction(asked["direction"]),
        )
        await self._questions.forget(asker.user, asker.room)
        return replies.said(
            f"This room is joined to #{label_of(made.name)} now: whatever is said from here on crosses.",
            f"`{asker.prefix}pause` holds that up, `{asker.prefix}unbridge` ends it.",
        )

    async def _may(self, asker: Asker) -> None:
        """Raise Declined where the room is taken, or where the person or the bot has no power over it."""
        if asker.portal is not None and asker.portal.state is not PortalState.REMOVED:
            raise Declined("taken", f"this room is joined to #{asker.portal.name} already")
        if asker.alone:
            raise Declined("alone", "this room is for commands: invite me into the one that is to be joined, ask there")
        levels = await self._matrix.get_state(asker.room, "m.room.power_levels") or {}
        creators = await self._matrix.rooms.creators(asker.room)
        needed = power_for_state(levels, _SHOWN_AS)
        if asker.user not in creators and power_of(levels, asker.user) < needed:
            raise Declined(
                "no_power",
                f"that takes power over this room, {needed} at least, for the sake of everybody in it: ask one of its "
                "moderators to do it",
            )
        bot = self._matrix.bot
        wanted = max(needed, power_to_invite(levels))
        if bot not in creators and power_of(levels, bot) < wanted:
            raise Declined("bot_has_no_power", f"give {bot} a power of {wanted} in this room first, then ask again")
