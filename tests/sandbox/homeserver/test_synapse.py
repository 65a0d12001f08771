"""The real Synapse as a child process: it can be cut off, and it runs on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.child import ChildFailed
from tests.sandbox.homeserver.synapse import Synapse

if TYPE_CHECKING:
    from pathlib import Path


async def test_what_was_said_outlives_a_kill(tmp_path: Path, synapse_template: Path) -> None:
    async with Synapse(tmp_path, template=synapse_template) as homeserver:
        ada = await homeserver.person("ada")
        room = await ada.create_room()
        await ada.say(room, "before")
        homeserver.kill()
        await homeserver.start()
        await ada.say(room, "after")
        assert [line.body for line in await ada.timeline(room)] == ["before", "after"]


async def test_it_runs_on_postgres(tmp_path: Path, postgres_url: str) -> None:
    async with Synapse(tmp_path, postgres_url=postgres_url) as homeserver:
        await homeserver.register_user("ada", "a password", admin=True)
        ada = await homeserver.login("ada", "a password")
        room = await ada.create_room()
        await ada.say(room, "hello")
        assert [line.body for line in await ada.timeline(room)] == ["hello"]


async def test_a_homeserver_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    registration = {"id": "broken"}
    with pytest.raises(ChildFailed, match="registration-0"):
        async with Synapse(tmp_path, registrations=[registration]):
            pass
