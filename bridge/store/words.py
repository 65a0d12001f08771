"""The words that workspaces made for themselves, custom emoji and user groups, by team and kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.database import Statement, any_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.store.database import Database
    from portals.events import NameKind
    from portals.ids import TeamId

ADD_NAME = """
INSERT INTO names (team, kind, id, value) VALUES ($1, $2, $3, $4)
ON CONFLICT (team, kind, id) DO UPDATE SET value = excluded.value
"""
REMOVE_NAME = "DELETE FROM names WHERE team = $1 AND kind = $2 AND id = $3"
EMOJI_SHOWN = """
SELECT names.id FROM names CROSS JOIN media
WHERE names.team = $1 AND names.kind = 'emoji' AND media.source = 'picture:' || names.value AND media.target = $2
ORDER BY names.id LIMIT 1
"""
"""CROSS JOIN has SQLite walk the few emoji and look each up among the many media."""


class Words:
    """Keeps the values of names: an emoji's address or `alias:` and another's name, a group's handle."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(
        self, team: TeamId, kind: NameKind, given: Iterable[tuple[str, str]], gone: Iterable[str] = ()
    ) -> None:
        """Remember the values of names, and forget others, in one commit."""
        changes = [Statement(REMOVE_NAME, (team, kind, name)) for name in gone]
        changes += [Statement(ADD_NAME, (team, kind, name, value)) for name, value in given]
        if changes:
            await self._database.commit(*changes)

    async def all(self, team: TeamId, kind: NameKind) -> dict[str, str]:
        """Return all names of a kind with their values."""
        rows = await self._database.fetch("SELECT id, value FROM names WHERE team = $1 AND kind = $2", team, kind)
        return {str(name): str(value) for name, value in rows}

    async def of(self, team: TeamId, kind: NameKind, names: Iterable[str]) -> dict[str, str]:
        """Return the values of those names that are known."""
        wanted = list(names)
        if not wanted:
            return {}
        rows = await self._database.fetch(
            f"SELECT id, value FROM names WHERE team = $1 AND kind = $2 AND id IN {any_of(3, len(wanted))}",
            team,
            kind,
            *wanted,
        )
        return {str(name): str(value) for name, value in rows}

    async def emoji_shown(self, team: TeamId, pictures: Iterable[str]) -> dict[str, str]:
        """Return the names of the custom emoji whose pictures were brought to these `mxc:` addresses."""
        found: dict[str, str] = {}
        for picture in pictures:
            rows = await self._database.fetch(EMOJI_SHOWN, team, picture)
            found |= {picture: str(rows[0][0])} if rows else {}
        return found
