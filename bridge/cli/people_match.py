"""`causeway people match`: people whose account the homeserver itself knows, by e-mail address or single sign-on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json, workspace_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.administration.store import Store
    from bridge.matrix.admin import Admin
    from config.settings import Settings
    from portals.ids import MatrixUserId, TeamId
    from portals.people.matching import Candidate, Finding, Identity

Json = dict[str, Any]  # Any: what is printed as JSON

_AT_ONCE = 8


@click.command(
    epilog="""\b
    Examples:
      causeway people match --dry-run
      causeway people match --export slack-export.zip
      causeway people match --sso oidc-keycloak --sso-id name
      causeway people match --dry-run --json | jq '.totals'""",
    short_help="Link people whose account the homeserver knows.",
)
@config_option
@workspace_option
@click.option(
    "--export",
    "archive",
    type=click.Path(exists=True, path_type=Path),
    help="Take the people from this export in place of Slack.",
)
@click.option(
    "--sso",
    metavar="PROVIDER",
    help="Go by single sign-on in place of e-mail addresses: the provider's id in Synapse, such as oidc-keycloak.",
)
@click.option(
    "--sso-id",
    type=click.Choice(("email", "name", "id")),
    help="What of a Slack person is their id at that provider: e-mail address (the default), user name, or Slack's id.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be linked, and link nobody.")
@json_option
def match(
    config: Path,
    workspace: str | None,
    archive: Path | None,
    sso: str | None,
    sso_id: Identity | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Link everybody whose account the homeserver knows for certain, by its admin API.

    People are matched by the e-mail addresses that they have confirmed in Matrix, or by their identities at a provider
    of single sign-on; never by names. Bots, people who are deactivated in Slack and people of other workspaces are left
    out. Whoever is linked already stays so. Needs homeserver.admin_token, and people.email or --export for addresses.
    """
    from bridge.cli.store import in_store

    if sso_id is not None and sso is None:
        raise click.UsageError("--sso-id belongs to --sso")
    settings = load_settings(config)
    if settings.homeserver.admin_token is None:
        raise click.ClickException("set homeserver.admin_token to the access token of a server admin first")
    kind: Identity = sso_id or "email"
    if kind == "email" and archive is None and not settings.people.email:
        raise click.ClickException(
            "Slack is not asked for e-mail addresses: set people.email to true, put the new manifest "
            "(causeway manifest) into the app and install it again, or give --export"
        )

    async def work(store: Store) -> tuple[TeamId, list[Finding]]:
        return await _match(settings, store, workspace, archive, sso, kind, dry_run)

    team, findings = in_store(settings, work)
    if as_json:
        _print_json(team, findings, dry_run)
    else:
        _print(findings, dry_run)


async def _match(
    settings: Settings,
    store: Store,
    workspace: str | None,
    archive: Path | None,
    sso: str | None,
    kind: Identity,
    dry_run: bool,
) -> tuple[TeamId, list[Finding]]:
    from bridge.cli.actor import actor
    from bridge.cli.people_source import exported, in_slack, team_of
    from portals.people.links import How
    from portals.people.matching import asked, to_link
    from portals.people.matching import match as matched

    people: list[Candidate]
    if archive is not None:
        told, people = exported(archive)
        team = await team_of(settings, store, workspace, told)
    else:
        team, people = await in_slack(settings, store, workspace)
    _warn_where_nothing_is_told(people, kind, archive)
    known = await store.people.links(team)
    found = await _accounts(settings, sso, asked(people, known, kind))
    findings = matched(people, found, known, kind)
    wanted = to_link(findings, How.SSO if sso else How.EMAIL)
    if wanted and not dry_run:
        await store.people.link(team, wanted, str(actor()))
        await store.tell_of_people(team)
    return team, findings


def _warn_where_nothing_is_told(people: Sequence[Candidate], kind: Identity, archive: Path | None) -> None:
    if not people or any(person.identity(kind) for person in people if not person.left_out):
        return
    hint = (
        "it was made by somebody who may not see them"
        if archive is not None
        else "the app lacks the scope users:read.email, or the workspace hides them"
    )
    click.echo(f"Not one {kind} is told: {hint}.", err=True)


async def _accounts(settings: Settings, sso: str | None, identities: Sequence[str]) -> dict[str, MatrixUserId]:
    """Return the accounts, fit for use, of those identities that have one."""
    import asyncio

    from bridge.administration.accounts import asking

    admin_token = settings.homeserver.admin_token
    assert admin_token is not None
    turns = asyncio.Semaphore(_AT_ONCE)

    async def look(admin: Admin, identity: str) -> MatrixUserId | None:
        async with turns:
            found = await (admin.of_identity(sso, identity) if sso else admin.of_email(identity))
            return found if found is not None and await admin.is_active(found) else None

    async with asking(settings) as admin:
        accounts = await asyncio.gather(*(look(admin, identity) for identity in identities))
    return {identity: account for identity, account in zip(identities, accounts, strict=True) if account is not None}


# --- what is printed


def _totals(findings: Sequence[Finding]) -> dict[str, int]:
    from collections import Counter

    from portals.people.matching import Outcome

    counted = Counter(one.outcome for one in findings)
    return {str(outcome): counted[outcome] for outcome in Outcome}


def _print_json(team: TeamId, findings: Sequence[Finding], dry_run: bool) -> None:
    people: list[Json] = [
        {
            "slack_id": one.candidate.user,
            "name": one.candidate.name,
            "outcome": one.outcome,
            "matrix_id": one.account,
            "detail": one.detail,
        }
        for one in findings
    ]
    print_json({"team": team, "dry_run": dry_run, "totals": _totals(findings), "people": people})


def _print(findings: Sequence[Finding], dry_run: bool) -> None:
    from bridge.cli.tables import print_table
    from portals.people.matching import Outcome

    shown = [one for one in findings if one.outcome not in (Outcome.LINKED, Outcome.LEFT_OUT)]
    if shown:
        rows = [
            (one.candidate.user, one.candidate.name, one.account or "", one.outcome, one.detail)
            for one in sorted(shown, key=lambda one: list(Outcome).index(one.outcome))
        ]
        print_table(("SLACK", "NAME", "MATRIX", "OUTCOME", "WHY"), rows)
    totals = _totals(findings)
    click.echo("")
    click.echo(", ".join(f"{count} {outcome}" for outcome, count in totals.items()))
    if dry_run and totals[Outcome.MATCHED]:
        click.echo("Nobody was linked: leave --dry-run out to link those who are matched.")
