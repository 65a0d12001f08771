"""Which workspace is meant, and who is in it: as Slack tells now, as an export told, or as the bridge has met them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from portals.ids import TeamId
from portals.people.matching import Candidate, candidates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bridge.administration.store import Store
    from config.settings import Settings
    from portals.ids import SlackUserId

_TEAM = re.compile(r"[TE][A-Z0-9]{2,31}")


async def team_of(settings: Settings, store: Store, wanted: str | None, told: Sequence[TeamId] = ()) -> TeamId:
    """Return the workspace of this id or name, or the only one that can be meant; raises UsageError.

    `told` are those that an export is of, the likeliest first.
    """
    known = await store.people.workspaces()
    if wanted is None:
        if told:
            return told[0]
        if len(known) == 1:
            return next(iter(known))
        if not known and len(settings.slack.workspaces) == 1:
            return await _asked(settings, settings.slack.workspaces[0].name)
        choices = ", ".join(f"{team} ({name})" for team, name in known.items())
        raise click.UsageError(
            f"there are several workspaces: add --workspace with one of {choices}"
            if choices
            else "which workspace is it? add --workspace with its id, T…"
        )
    named = [team for team, name in known.items() if name.casefold() == wanted.casefold()]
    if len(named) == 1:
        return named[0]
    if wanted in known or _TEAM.fullmatch(wanted):
        return TeamId(wanted)
    if any(workspace.name == wanted for workspace in settings.slack.workspaces):
        return await _asked(settings, wanted)
    raise click.UsageError(f"there is no workspace {wanted!r}: write its id, T…, or its name in the configuration")


async def _asked(settings: Settings, name: str) -> TeamId:
    from bridge.cli.channels import chosen_workspace, connected

    async with connected(settings, chosen_workspace(settings, name)) as client:
        return TeamId((await client.auth()).team_id)


def exported(path: Path) -> tuple[tuple[TeamId, ...], list[Candidate]]:
    """Return the workspaces and the people of an export; raises BadExport."""
    from bridge.exports.export import open_export

    with open_export(path) as export:
        return export.team_ids(), candidates(export.users())


async def in_slack(settings: Settings, store: Store, wanted: str | None) -> tuple[TeamId, list[Candidate]]:
    """Return a workspace and its people as Slack lists them now."""
    from bridge.cli.channels import connected

    team = await team_of(settings, store, wanted)
    for workspace in settings.slack.workspaces:
        async with connected(settings, workspace) as client:
            if TeamId((await client.auth()).team_id) == team:
                return team, candidates([user async for page in client.users() for user in page])
    raise click.ClickException(f"no bot token in the configuration is for {team}: give --export with an export of it")


async def met(store: Store, team: TeamId) -> dict[SlackUserId, Candidate]:
    """Return the people of a workspace whom the bridge has met."""
    return {user: Candidate(user, name) for user, name in (await store.people.names(team)).items()}
