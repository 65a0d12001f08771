"""Workspaces and portals are found by what stands in an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.places import Places
from portals.facts import Workspace
from portals.ids import ChannelId, RoomId, SlackUserId, TeamId

if TYPE_CHECKING:
    from bridge.store.database import Database
    from bridge.store.directory import Directory

ACME, OTHER = TeamId("T1"), TeamId("T2")
BOT = SlackUserId("UBOT")
C1 = ChannelId("C1")


async def test_a_workspace_is_found_by_its_address(database: Database, directory: Directory) -> None:
    places = Places(database)
    await directory.learn_workspace(Workspace(ACME, "Acme", BOT, BOT, "A1", "https://acme.slack.com/"))
    assert await places.team_at("https://acme.slack.com/") == ACME
    assert await places.team_at("https://acme.slack.com") is None
    assert await places.team_at("https://other.slack.com/") is None


async def test_a_shared_channel_is_found_in_every_workspace_that_mirrors_it(
    database: Database, directory: Directory
) -> None:
    places = Places(database)
    assert await places.teams_with(C1) == []
    for team in (OTHER, ACME):
        await directory.learn_workspace(Workspace(team, team, BOT, BOT, "A1", f"https://{team}.slack.com/"))
        await directory.add_portal(team, C1, name="shared")
    await directory.add_portal(ACME, ChannelId("C2"), name="own")
    assert await places.teams_with(C1) == [OTHER, ACME]
    assert await places.teams_with(ChannelId("C2")) == [ACME]


async def test_a_portal_is_found_by_the_room_that_it_was_mapped_to_once_it_has_it(
    database: Database, directory: Directory
) -> None:
    places = Places(database)
    portal = await directory.add_portal(ACME, C1, name="general", target="#ours:elsewhere.example")
    assert await places.portal_of_target("#ours:elsewhere.example") is None
    await directory.set_room(portal.id, RoomId("!ours"))
    assert await places.portal_of_target("#ours:elsewhere.example") == portal.id
    assert await places.portal_of_target("#theirs:elsewhere.example") is None
