"""`causeway retention` and `causeway people forget`: what is kept, what is held, and what is known of a person."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.configured import names_from
from bridge.store.directory import Directory
from bridge.store.links import record
from bridge.store.opening import open_database
from config.loader import load
from config.reference import render
from portals.actions import RecordLink
from portals.facts import Direction, Person, Workspace
from portals.ids import ChannelId, SlackUserId, TeamId

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway

ADA = "U0123456789"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that keeps messages for a week, and a store that knows one of somebody."""
    found = tmp_path / "config.yaml"
    found.write_text(
        render(
            {
                "homeserver": {"domain": "localhost"},
                "appservice": {"as_token": "as" * 12, "hs_token": "hs" * 12},
                "database": {"url": f"sqlite:///{tmp_path / 'causeway.db'}"},
                "slack": {"workspaces": [{"name": "acme", "bot_token": "xoxb-1", "app_token": "xapp-1"}]},
                "policies": [{"name": "default", "keep": "7d"}],
            }
        )
    )
    asyncio.run(_fill(found))
    return found


async def _fill(config: Path) -> None:
    settings = load(config, {})
    database, names, team, ada = (
        await open_database(settings.database.url.reveal()),
        names_from(settings),
        TeamId("T1"),
        SlackUserId(ADA),
    )
    directory = Directory(database, names)
    await directory.learn_workspace(Workspace(team, "Acme", SlackUserId("UBOT"), SlackUserId("B1"), "A1"))
    portal = await directory.add_portal(team, ChannelId("C1"), name="general", direction=Direction.BOTH)
    await directory.learn_people(team, [Person(ada, "Ada", names.ghost(team, ada))])
    said = RecordLink("slack", names.ghost(team, ada), "", "1.000000", "", None, "d", "")
    await database.commit(*record(portal.id, said, "$e1"))
    await database.close()


def test_what_is_held_is_not_forgotten_and_what_is_forgotten_was_shown_before(causeway: Causeway, config: Path) -> None:
    at = ("-c", config)
    reason = ("--reason", "inquiry  12/26")
    (portal,) = causeway("retention", "show", *at, "--json").data["portals"]
    assert (portal["days"], portal["due"], portal["is_held"]) == (7, 1, False)
    assert "T1/C1 is under hold" in causeway("retention", "hold", "#general", *reason, *at).out
    assert "as before" in causeway("retention", "hold", "C1", *reason, *at).out
    causeway("retention", "hold", ADA, "--person", *reason, *at)
    shown = causeway("retention", "show", *at).out
    assert "inquiry 12/26" in shown
    assert "is under hold" in causeway("people", "forget", ADA, "--yes", *reason, *at, code=1).err
    assert causeway("retention", "release", ADA, "--person", *reason, *at, "--json").data["held"] is False
    causeway("retention", "release", "#general", *reason, *at)
    before = causeway("people", "forget", ADA, *at).out
    assert "1  messages" in before
    assert "Nothing was changed" in before
    assert "--reason" in causeway("people", "forget", ADA, "--yes", *at, code=2).err
    assert "is forgotten" in causeway("people", "forget", ADA, "--yes", *reason, *at).out
    left = causeway("people", "forget", ADA, *at, "--json").data["traces"]
    assert [one["what"] for one in left] == ["entries of the audit log"]
    assert "Nothing is known" in causeway("people", "forget", "@nobody:localhost", *at).out
    assert "write it like" in causeway("people", "forget", "@nobody", *at, code=1).err
