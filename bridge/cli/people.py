"""`causeway people`: which Slack person has which Matrix account, and who agreed that direct messages cross."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json, workspace_option
from bridge.cli.people_forget import forget
from bridge.cli.people_match import match
from bridge.cli.people_sheet import export, import_

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from config.settings import Settings
    from portals.ids import MatrixUserId, SlackUserId, TeamId

    Ending = Callable[[Store, TeamId, SlackUserId, Actor], Awaitable[MatrixUserId]]

Json = dict[str, Any]  # Any: what is printed as JSON


def of_a_person(command: Callable[..., None]) -> Callable[..., None]:
    """Add what says which person of Slack is meant; the command's function takes it all."""
    for option in (json_option, workspace_option, config_option, click.argument("person", metavar="SLACK_ID")):
        command = option(command)
    return command


@click.group(
    epilog="""\b
    Examples:
      causeway people match --dry-run
      causeway people link U0123456789 @alice:example.org
      causeway people export -o people.csv""",
    short_help="Say which Slack person has which Matrix account.",
)
def people() -> None:
    """Slack's people and their own Matrix accounts.

    A linked person is mentioned in Matrix by their account, is invited in it, and speaks in it where the homeserver
    lets the bridge act as it (double_puppet). Nobody is linked by a guess. A running bridge follows within a second;
    what was said before stays as it is.
    """


people.add_command(match)
people.add_command(export)
people.add_command(import_)
people.add_command(forget)


# --- list


@people.command(
    "list",
    epilog="""\b
    Examples:
      causeway people list
      causeway people list --all
      causeway people list --json | jq -r '.people[] | select(.matrix_id == null) | .slack_id'""",
    short_help="Show who is linked, agreed to direct messages, and writes as themself.",
)
@config_option
@workspace_option
@click.option("--all", "everybody", is_flag=True, help="Show those too about whom nothing is decided.")
@json_option
def list_(config: Path, workspace: str | None, everybody: bool, as_json: bool) -> None:
    """Show who is linked to which account, on whose word, who agreed that their direct messages cross, and who has
    connected their own account of Slack, to write there as themself.
    """
    from bridge.administration.people import shown
    from bridge.cli.people_source import team_of
    from bridge.cli.store import in_store

    settings = load_settings(config)

    async def work(store: Store) -> tuple[TeamId, list[Json]]:
        team = await team_of(settings, store, workspace)
        return team, [asdict(one) for one in await shown(store, team)]

    team, found = in_store(settings, work)
    if as_json:
        print_json({"team": team, "people": found})
        return
    decided = [one for one in found if everybody or one["matrix_id"] or one["direct_messages"] or one["own_hand"]]
    if decided:
        _print(decided)
    hidden = len(found) - len(decided)
    if hidden:
        click.echo(f"{hidden} without a link are not shown; --all shows them.", err=True)
    elif not found:
        click.echo("The bridge has met nobody of this workspace yet.")


def _print(people: list[Json]) -> None:
    from bridge.administration.times import moment
    from bridge.cli.tables import print_table

    rows = [
        (
            one["slack_id"],
            one["name"],
            one["matrix_id"] or "",
            one["how"] or "",
            f"{moment(one['linked_at'])}, {one['linked_by']}" if one["matrix_id"] else "",
            "yes" if one["direct_messages"] else "",
            {"live": "yes", "broken": "broke"}.get(one["own_hand"] or "", ""),
        )
        for one in people
    ]
    print_table(("SLACK", "NAME", "MATRIX", "HOW", "SINCE", "DIRECT MESSAGES", "AS THEMSELF"), rows)


# --- link, unlink


@people.command(
    epilog="""\b
    Examples:
      causeway people link U0123456789 @alice:example.org
      causeway people link U0123456789 @alice:example.org --workspace acme""",
    short_help="Link a person to an account.",
)
@click.argument("person", metavar="SLACK_ID")
@click.argument("account", metavar="MATRIX_ID")
@config_option
@workspace_option
@json_option
def link(person: str, account: str, config: Path, workspace: str | None, as_json: bool) -> None:
    """Link the Slack person SLACK_ID to the account MATRIX_ID.

    A person has one account in a workspace, and an account is one person's. Where homeserver.admin_token is set, the
    account must be there.
    """
    from bridge.cli.store import in_store
    from portals.ids import MatrixUserId

    settings = load_settings(config)
    user, own = _person(person), MatrixUserId(account)
    is_new = in_store(settings, lambda store: _link(settings, store, user, own, workspace))
    if as_json:
        print_json({"slack_id": user, "matrix_id": own, "new": is_new})
    else:
        click.echo(f"{user} is {own}" + ("" if is_new else ", as before"))


async def _link(
    settings: Settings, store: Store, user: SlackUserId, account: MatrixUserId, workspace: str | None
) -> bool:
    from bridge.administration.accounts import missing_accounts
    from bridge.administration.people import link as linked
    from bridge.cli.actor import actor
    from bridge.cli.people_source import team_of
    from bridge.configured import names_from
    from portals.people.links import flaw_of

    if flaw := flaw_of(account, names_from(settings)):
        raise click.BadParameter(flaw, param_hint="MATRIX_ID")
    team = await team_of(settings, store, workspace)
    return await linked(
        store,
        team,
        user,
        account,
        actor(),
        missing=lambda accounts: missing_accounts(settings, accounts),
        domain=settings.homeserver.domain,
    )


@people.command(
    epilog="""\b
    Examples:
      causeway people unlink U0123456789
      causeway people unlink U0123456789 --workspace acme""",
    short_help="End the link of a person.",
)
@of_a_person
def unlink(person: str, config: Path, workspace: str | None, as_json: bool) -> None:
    """End the link of the Slack person SLACK_ID: from now on their ghost speaks for them.

    What was written in their account stays, and so does the account in its rooms.
    """
    from bridge.administration.people import unlink as unlinked

    _end(person, config, workspace, as_json, unlinked, "{user} is not {account} any more")


@people.command(
    epilog="""\b
    Examples:
      causeway people disconnect U0123456789
      causeway people disconnect U0123456789 --workspace acme""",
    short_help="End that a person writes in Slack as themself.",
)
@of_a_person
def disconnect(person: str, config: Path, workspace: str | None, as_json: bool) -> None:
    """End that the Slack person SLACK_ID writes there as themself: from now on the app posts what they write.

    The running bridge takes what they allowed back at Slack; one that is stopped does so when it starts. They stay
    linked, and can connect again.
    """
    from bridge.administration.people import disconnect as disconnected

    _end(
        person,
        config,
        workspace,
        as_json,
        disconnected,
        "{account} does not write as {user} any more; the running bridge revokes it at Slack",
    )


def _end(person: str, config: Path, workspace: str | None, as_json: bool, ending: Ending, words: str) -> None:
    """End something of a person, and print their account by these words."""
    from bridge.cli.actor import actor
    from bridge.cli.people_source import team_of
    from bridge.cli.store import in_store

    settings, user = load_settings(config), _person(person)

    async def work(store: Store) -> MatrixUserId:
        return await ending(store, await team_of(settings, store, workspace), user, actor())

    account = in_store(settings, work)
    if as_json:
        print_json({"slack_id": user, "matrix_id": account})
    else:
        click.echo(words.format(user=user, account=account))


# --- consent


@people.command(
    epilog="""\b
    Examples:
      causeway people consent U0123456789 --reason "signed form of 24 November"
      causeway people consent U0123456789 U0987654321 --reason "works council, decision 12"
      causeway people consent U0123456789 --withdraw --reason "asked for it by mail\"""",
    short_help="Note that somebody's direct messages may cross, or may not.",
)
@click.argument("persons", metavar="SLACK_ID...", nargs=-1, required=True)
@click.option("--withdraw", is_flag=True, help="They do not agree any more.")
@click.option("--reason", required=True, help="On what this rests; it is kept in the audit log.")
@config_option
@workspace_option
@json_option
def consent(
    persons: tuple[str, ...], withdraw: bool, reason: str, config: Path, workspace: str | None, as_json: bool
) -> None:
    """Note that the Slack people SLACK_ID agree that their direct messages are brought across.

    Whether a conversation crosses also depends on the others in it (people.direct_messages). What crossed before stays.
    """
    from bridge.cli.actor import actor
    from bridge.cli.people_source import team_of
    from bridge.cli.store import in_store

    settings, users = load_settings(config), [_person(person) for person in persons]
    reason = " ".join(reason.split())
    if not reason:
        raise click.BadParameter("say on what this rests", param_hint="--reason")

    async def work(store: Store) -> list[Json]:
        team = await team_of(settings, store, workspace)
        noted = []
        for user in users:
            is_new = await store.people.consent(team, user, given=not withdraw, actor=str(actor()), reason=reason)
            noted.append({"slack_id": user, "new": is_new})
        return noted

    noted = in_store(settings, work)
    if as_json:
        print_json({"agrees": not withdraw, "people": noted})
        return
    words = "does not agree" if withdraw else "agrees"
    for one in noted:
        click.echo(f"{one['slack_id']} {words} that direct messages cross" + ("" if one["new"] else ", as before"))


def _person(text: str) -> SlackUserId:
    from bridge.administration.people import flaw_of_id
    from portals.ids import SlackUserId

    if flaw := flaw_of_id(text):
        raise click.BadParameter(flaw, param_hint="SLACK_ID")
    return SlackUserId(text)
