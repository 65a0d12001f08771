"""Whoever is forgotten while a bridge runs is forgotten by it as well: their next word has Slack asked who they are."""

from __future__ import annotations

import asyncio

from bridge.store.database import Statement
from bridge.store.ledger import TO_MATRIX, Ledger
from tests.journeys.talk import bodies, talk_on


async def test_a_bridge_that_runs_forgets_whom_its_store_forgot(sqlite_url: str) -> None:
    async with talk_on(sqlite_url) as talk:
        stage, alice = talk.stage, talk.in_slack("alice")
        alice.post("general", "known")
        await talk.settle()
        stage.slack.calls.clear()
        alice.post("general", "known still")
        await talk.settle()
        assert "users.info" not in stage.slack.calls.counts
        assert stage.database is not None
        await stage.database.commit(Statement("DELETE FROM people WHERE user_id = $1", (alice.id,)))
        await Ledger(stage.database).request(TO_MATRIX, stage.workspace.id)  # as every command tells of itself
        async with asyncio.timeout(60):
            while "users.info" not in stage.slack.calls.counts:
                alice.post("general", "who is that?")
                await talk.settle()
        assert set(bodies(talk)) == {"known", "known still", "who is that?"}
