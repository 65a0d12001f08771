"""Ghosts come into being when they first speak: account, profile and membership, each once, and remembered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bridge.errors import BridgeError
from portals.facts import Person
from portals.text import label_of

if TYPE_CHECKING:
    from bridge.matrix.client import MatrixClient
    from bridge.store.directory import Directory
    from bridge.work.answers import Answers
    from bridge.work.transfers import Transfers
    from portals.ids import GhostNames, MatrixUserId, RoomId, SlackUserId, TeamId

log = logging.getLogger(__name__)


class Ghosts:
    """Makes ghosts ready to act in rooms."""

    def __init__(
        self,
        *,
        names: GhostNames,
        name_template: str,
        directory: Directory,
        answers: Answers,
        matrix: MatrixClient,
        transfers: Transfers,
    ) -> None:
        self._names = names
        self._name_template = name_template
        self._directory = directory
        self._answers = answers
        self._matrix = matrix
        self._transfers = transfers

    async def ready(self, room: RoomId, user: MatrixUserId) -> None:
        """Have the user able to act in the room: a ghost gets account, profile and membership; the bot has them."""
        author = self._names.slack_author(user)
        if author is None:
            return
        await self._appear(*author, user)
        if not await self._directory.is_joined(room, user):
            await self._matrix.rooms.ensure_joined(room, user)
            await self._directory.set_joined(room, user, True)

    async def leave(self, room: RoomId, user: MatrixUserId) -> None:
        """Have a ghost leave the room."""
        author = self._names.slack_author(user)
        if author is None or not await self._directory.shown(*author):
            return
        await self._matrix.rooms.leave(room, user)
        await self._directory.set_joined(room, user, False)

    async def refresh(self, team: TeamId, person: Person) -> None:
        """Take up a changed profile; a ghost that never spoke has none to change."""
        await self._directory.learn_people(team, [person])
        if await self._directory.shown(team, person.user):
            await self._appear(team, person.user, person.ghost)

    async def _appear(self, team: TeamId, user: SlackUserId, ghost: MatrixUserId) -> None:
        shown = await self._directory.shown(team, user)
        person = await self._answers.person(team, user)
        if person is None:
            person = Person(user, user, ghost)
            await self._directory.learn_people(team, [person])
        display = self._name_template.format(name=label_of(person.name, user), user=user)
        now = f"{display}\n{person.avatar_url}"
        if shown == now:
            return
        if not shown:
            await self._matrix.register(ghost)
        was_name, _, was_avatar = shown.partition("\n")
        if was_name != display:
            await self._matrix.set_profile(ghost, displayname=display)
        if was_avatar != person.avatar_url:
            await self._matrix.set_profile(ghost, avatar_url=await self._avatar(team, user, person.avatar_url))
        await self._directory.set_shown(team, user, now)

    async def _avatar(self, team: TeamId, user: SlackUserId, url: str) -> str:
        """Return the avatar's `mxc:` address; a picture that cannot be had is no reason to hold a message back."""
        if not url:
            return ""
        try:
            return await self._transfers.picture(team, url)
        except BridgeError as error:
            log.info("%s: the picture of %s was not brought over: %s", team, user, error)
            return ""
