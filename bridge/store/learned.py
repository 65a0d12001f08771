"""What was learned of a workspace that only the real Slack could tell, by question; the latest answer counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bridge.store.audit import noted
from bridge.store.database import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.store.database import Database
    from portals.ids import TeamId

LEARN = """
INSERT INTO learned (team, question, answer, learned_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (team, question) DO UPDATE SET answer = excluded.answer, learned_at = excluded.learned_at
"""


class Learned:
    """The answers of all workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, team: TeamId, answers: Mapping[str, str], actor: str, subject: str) -> None:
        """Keep answers, and write down who tried, in one commit."""
        now = time.time_ns() // 1_000_000
        kept = [Statement(LEARN, (team, question, answer, now)) for question, answer in answers.items()]
        await self._database.commit(*kept, noted(actor, "selftest", subject))

    async def of(self, team: TeamId) -> dict[str, str]:
        """Return the answers of a workspace."""
        rows = await self._database.fetch("SELECT question, answer FROM learned WHERE team = $1", team)
        return {str(question): str(answer) for question, answer in rows}
