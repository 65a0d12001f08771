"""Ghosts come into being when they first speak: account, profile and membership, each once, and remembered.

A profile is written when it differs from the one that was written last, and not otherwise; a picture that cannot be had
at the moment leaves the former one in place and is tried again later, without a message waiting for it.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import Later, Refused, Unsure
from portals.facts import Person
from portals.text import label_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.matrix.client import MatrixClient
    from bridge.store.directory import Directory
    from bridge.work.answers import Answers
    from bridge.work.transfers import Transfers
    from portals.ids import GhostNames, MatrixUserId, RoomId, SlackUserId, TeamId

log = logging.getLogger(__name__)

_AGAIN = 600.0
"""Seconds until a picture that could not be had is tried again."""


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names = names
        self._name_template = name_template
        self._directory = directory
        self._answers = answers
        self._matrix = matrix
        self._transfers = transfers
        self._clock = clock
        self._failed: dict[str, float] = {}
        """When a picture could not be had, by its address; kept in memory only, for nothing but politeness."""

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

    async def refresh_all(self, team: TeamId) -> None:
        """Bring the profile of every ghost up to date with what is known of people, and with the template of names."""
        after = ""
        while users := await self._directory.shown_people(team, after):
            for user in users:
                try:
                    await self._appear(team, user, self._names.ghost(team, user))
                except Refused as refused:
                    log.warning("%s: the profile of %s could not be brought up to date: %s", team, user, refused)
            after = users[-1]

    async def _appear(self, team: TeamId, user: SlackUserId, ghost: MatrixUserId) -> None:
        shown = await self._directory.shown(team, user)
        person = await self._answers.person(team, user)
        if person is None:
            person = Person(user, user, ghost)
            await self._directory.learn_people(team, [person])
        display = self._name_template.format(name=label_of(person.name, user), user=user)
        was_name, _, was_avatar = shown.partition("\n")
        wanted = person.avatar_url if self._may_try(person.avatar_url) else was_avatar
        if shown == f"{display}\n{wanted}":
            return
        if not shown:
            await self._matrix.register(ghost)
        if was_name != display:
            await self._matrix.set_profile(ghost, displayname=display)
        if was_avatar != wanted:
            address = await self._avatar(team, user, wanted)
            if address is None:
                wanted = was_avatar
            else:
                await self._matrix.set_profile(ghost, avatar_url=address)
        await self._directory.set_shown(team, user, f"{display}\n{wanted}")

    def _may_try(self, url: str) -> bool:
        failed = self._failed.get(url)
        return failed is None or self._clock() - failed >= _AGAIN

    async def _avatar(self, team: TeamId, user: SlackUserId, url: str) -> str | None:
        """Return the avatar's `mxc:` address, empty for none, None for one that cannot be had at the moment.

        A picture that cannot be had is no reason to hold a message back.
        """
        if not url:
            return ""
        try:
            address = await self._transfers.picture(team, url)
        except Refused as refused:
            log.info("%s: the picture of %s was not brought over: %s", team, user, refused)
            return ""
        except (Later, Unsure) as error:
            log.info("%s: the picture of %s cannot be had at the moment: %s", team, user, error)
            self._failed[url] = self._clock()
            return None
        self._failed.pop(url, None)
        return address
