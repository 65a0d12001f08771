"""`causeway encryption` counts keys, and forgets them all when their key is lost; the registration knows of it too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.matrix.encryption.vault import Vault
from bridge.store.keys import Keys, OwnDevice
from bridge.store.opening import open_database
from config.encryption import Encryption
from config.loader import load
from config.reference import render
from config.registration import registration
from portals.ids import MatrixUserId

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway

KEY = "a-key-of-the-tests-0123456789"
USER = MatrixUserId("@causeway:localhost")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with encryption switched on, on an empty store."""
    found = tmp_path / "config.yaml"
    found.write_text(
        render(
            {
                "homeserver": {"domain": "localhost"},
                "appservice": {"as_token": "as" * 12, "hs_token": "hs" * 12},
                "database": {"url": f"sqlite:///{tmp_path / 'causeway.db'}"},
                "slack": {"workspaces": [{"name": "acme", "bot_token": "xoxb-1", "app_token": "xapp-1"}]},
                "encryption": {"key": KEY},
            }
        )
    )
    return found


async def _fill(config: Path) -> None:
    database = await open_database(load(config, {}).database.url.reveal())
    keys = Keys(database)
    await Vault(KEY).check(keys)
    await keys.add_own(OwnDevice(USER, "CW1", "sealed", "sealed"))
    await keys.keep(keys.put_room("!r:localhost", 1000, 100))
    await keys.keep(keys.awaiting("!r:localhost", "s", "@ada:localhost", 1))
    await database.close()


def test_keys_are_counted_and_forgotten_but_not_which_rooms_are_encrypted(causeway: Causeway, config: Path) -> None:
    asyncio.run(_fill(config))
    counts = {"on": True, "devices": 1, "rooms": 1, "read": 0, "written": 0, "awaited": 1}
    assert causeway("encryption", "show", "-c", config, "--json").data == counts
    shown = causeway("encryption", "show", "-c", config).out
    assert "Encryption is on" in shown
    assert "1 encrypted rooms, 1 devices" in shown
    causeway("encryption", "reset", "-c", config, code=1, answers="n\n")
    assert "new devices" in causeway("encryption", "reset", "-c", config, "--yes").out
    after = causeway("encryption", "show", "-c", config, "--json").data
    assert (after["devices"], after["rooms"]) == (0, 1)


def test_keys_are_not_forgotten_under_a_running_bridge(causeway: Causeway, config: Path) -> None:
    async def beside() -> None:
        database = await open_database(load(config, {}).database.url.reveal())
        await database.own()
        try:
            said = await asyncio.to_thread(causeway, "encryption", "reset", "-c", config, "--yes", code=1)
        finally:
            await database.close()
        assert "another Causeway process" in said.err

    asyncio.run(beside())


def test_the_registration_asks_for_devices_and_has_a_sender_besides_the_bot(config: Path) -> None:
    settings = load(config, {})
    found = registration(settings)
    assert found["io.element.msc4190"] is True
    assert found["sender_localpart"] == "causeway-service"
    off = registration(settings.model_copy(update={"encryption": Encryption()}))
    assert "io.element.msc4190" not in off
    assert off["sender_localpart"] == "causeway"


def test_rooms_cannot_be_encrypted_without_a_key(causeway: Causeway, config: Path) -> None:
    config.write_text(config.read_text().replace(KEY, "''"))
    said = causeway("encryption", "show", "-c", config, code=78, CAUSEWAY_ROOMS_ENCRYPTION="true")
    assert "encryption.key" in said.err
