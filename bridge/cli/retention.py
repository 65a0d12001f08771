"""`causeway retention`: for how long what is kept, and what is kept whatever the policies say."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json, workspace_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bridge.administration.store import Store
    from portals.ids import TeamId

Json = dict[str, Any]  # Any: what is printed as JSON


def of_a_subject(command: Callable[..., None]) -> Callable[..., None]:
    """Add what says which portal or person is meant, and why; the command's function takes it all."""
    for option in (
        json_option,
        workspace_option,
        config_option,
        click.option("--reason", required=True, help="On what this rests; it is kept in the audit log."),
        click.option("--person", is_flag=True, help="SUBJECT is a person: a Slack id or a Matrix user id."),
        click.argument("subject"),
    ):
        command = option(command)
    return command


@click.group(
    epilog="""\b
    Examples:
      causeway retention show
      causeway retention hold "#general" --reason "inquiry 12/26"
      causeway retention hold U0123456789 --person --reason "inquiry 12/26\"""",
    short_help="Show for how long what is kept, and hold portals or people.",
)
def retention() -> None:
    """How long the bridge's store keeps what it knows of messages, by `policies[].keep`; and legal holds.

    Nothing of a portal or a person under hold is forgotten, neither by age nor on request.
    """


@retention.command(
    epilog="""\b
    Examples:
      causeway retention show
      causeway retention show --json | jq '.portals[] | select(.due > 0)'""",
    short_help="Show what each portal keeps, and all holds.",
)
@config_option
@json_option
def show(config: Path, as_json: bool) -> None:
    """Show for how long each portal keeps messages, how many are older and forgotten soon, and all holds."""
    from bridge.administration.retention import all_holds, kept
    from bridge.administration.times import moment
    from bridge.cli.store import in_store
    from bridge.cli.tables import print_table
    from bridge.cli.workspace_names import names_of
    from bridge.policies import policy_of

    settings = load_settings(config)

    async def work(store: Store) -> tuple[list[Json], list[Json]]:
        of = policy_of(settings, (await names_of(settings)).get)
        portals = [(one, of(one)) for one in await store.portals()]
        found = [asdict(await kept(store, one, policy)) for one, policy in portals if policy is not None]
        return found, [{**asdict(one), "since": moment(one.since)} for one in await all_holds(store)]

    portals, holds = in_store(settings, work)
    if as_json:
        print_json({"portals": portals, "holds": holds})
        return
    if portals:
        rows = [
            (
                f"#{one['name']}",
                one["policy"],
                "always" if one["days"] is None else f"{one['days']:g} days",
                str(one["due"]),
                "yes" if one["is_held"] else "",
            )
            for one in portals
        ]
        print_table(("Channel", "Policy", "Kept for", "Older", "Held"), rows)
    if holds:
        print_table(
            ("Held", "Workspace", "Since", "By", "Reason"),
            [(one["subject"], one["team"], one["since"], one["actor"], one["reason"]) for one in holds],
        )


@retention.command(
    epilog="""\b
    Examples:
      causeway retention hold "#general" --reason "inquiry 12/26"
      causeway retention hold @alice:example.org --person --reason "inquiry 12/26\"""",
    short_help="Keep everything of a portal or a person.",
)
@of_a_subject
def hold(subject: str, person: bool, reason: str, config: Path, workspace: str | None, as_json: bool) -> None:
    """Keep everything of SUBJECT: a portal, by its channel's name or id or by its room, or with --person a person."""
    _change(subject, person, reason, config, workspace, as_json, begins=True)


@retention.command(
    epilog="""\b
    Examples:
      causeway retention release "#general" --reason "inquiry 12/26 is closed\"""",
    short_help="End a hold.",
)
@of_a_subject
def release(subject: str, person: bool, reason: str, config: Path, workspace: str | None, as_json: bool) -> None:
    """End the hold of SUBJECT: what is too old by its policy is forgotten within hours."""
    _change(subject, person, reason, config, workspace, as_json, begins=False)


def _change(
    subject: str, person: bool, reason: str, config: Path, workspace: str | None, as_json: bool, *, begins: bool
) -> None:
    from bridge.administration.retention import holds_of, subject_of
    from bridge.cli.actor import actor
    from bridge.cli.people_source import team_of
    from bridge.cli.store import in_store

    settings, reason = load_settings(config), " ".join(reason.split())
    if not reason:
        raise click.BadParameter("say on what this rests", param_hint="--reason")

    async def work(store: Store) -> tuple[TeamId, str, bool]:
        team, name = await subject_of(store, subject, await team_of(settings, store, workspace) if person else None)
        holds = holds_of(store)
        change = holds.hold if begins else holds.release
        return team, name, await change(team, name, reason, str(actor()))

    team, name, is_new = in_store(settings, work)
    if as_json:
        print_json({"team": team, "subject": name, "held": begins, "new": is_new})
    else:
        click.echo(f"{name} is {'' if begins else 'not '}under hold" + ("" if is_new else ", as before"))
