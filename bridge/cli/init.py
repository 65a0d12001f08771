"""`causeway init`: the three files of a first set-up, from flags or from questions, with every answer tried at once."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.answers import Answers, missing_of, settings_of, values_of, with_place
from bridge.cli.options import json_option, print_json
from bridge.cli.written import OPEN, SECRET, refuse_existing, write_files

if TYPE_CHECKING:
    from bridge.cli.checks.finding import Finding
    from bridge.cli.tries import Tries

REGISTER = {
    "synapse": "Add {path} to app_service_config_files in homeserver.yaml, and restart Synapse.",
    "dendrite": "Add {path} to config_files of app_service_api in dendrite.yaml, and restart Dendrite.",
    "conduit": "Send the text of {path} to the homeserver's admin room, below the words of its `appservices register`.",
}
"""How each kind of homeserver is told about the bridge, by what its software is called, or part of that."""
REGISTER |= dict.fromkeys(("conduwuit", "continuwuity", "tuwunel"), REGISTER["conduit"])


@click.command(
    epilog="""\b
    Examples:
      causeway init
      causeway init --domain example.org --admin @alice:example.org --include '*'
      causeway init --directory /etc/causeway
      causeway init --domain example.org --database postgres://causeway@db/causeway
      causeway init --domain example.org --bot-token file:/run/secrets/bot --app-token env:APP_TOKEN
      causeway init --domain example.org --mode events --events-url https://bridge.example.org
      causeway init --domain example.org --offline""",
    short_help="Write the files of a first set-up, from flags or questions.",
)
@click.option("--domain", default="", help="The Matrix server name: what stands after the colon in its user ids.")
@click.option("--homeserver", "address", default="", help="Where the bridge reaches the homeserver.")
@click.option("--url", default="", help="How the homeserver reaches the bridge.")
@click.option("--listen", default="", help="Where the bridge listens for the homeserver, host:port.")
@click.option("--database", default="", help="sqlite:///path or postgres://user:password@host/name; else SQLite.")
@click.option(
    "--admin",
    "admins",
    multiple=True,
    help="A Matrix user who may command the bot and moderates its rooms. Repeatable.",
)
@click.option("--include", multiple=True, help="Names of channels to bridge by themselves, with *. Repeatable.")
@click.option(
    "--mode", type=click.Choice(["socket", "events"]), default="socket", show_default=True, help="How Slack delivers."
)
@click.option("--events-url", default="", help="With --mode events: the bridge's public https address.")
@click.option("--slack-api", default="", help="Where Slack's Web API is, if not at https://slack.com/api/.")
@click.option("--workspace", default="main", show_default=True, help="A short name of your own for the workspace.")
@click.option("--bot-token", default="", envvar="SLACK_BOT_TOKEN", help="xoxb-…, or file:PATH, or env:NAME.")
@click.option("--app-token", default="", envvar="SLACK_APP_TOKEN", help="xapp-…, or file:PATH, or env:NAME.")
@click.option("--signing-secret", default="", envvar="SLACK_SIGNING_SECRET", help="Itself, or file:PATH, or env:NAME.")
@click.option(
    "-d",
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where the files go. The default is here.",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there, tokens included.")
@click.option("--ask/--no-ask", default=None, help="Ask for what the flags leave open; the default in a terminal.")
@click.option("--offline", is_flag=True, help="Take every answer untried, where homeserver or Slack cannot be reached.")
@json_option
def init(
    directory: Path, force: bool, ask: bool | None, offline: bool, as_json: bool, **flags: str | tuple[str, ...]
) -> None:
    """Write config.yaml, registration.yaml and slack-manifest.yaml.

    Every answer is tried at once: whether the homeserver answers and is the one meant, whether the bridge may listen
    where it is to, whether the database opens, whether Slack takes each token and which scopes it lacks. A question is
    asked again until that is so; a flag that is wrong ends the command, and nothing is written.

    A SQLite database lies beside config.yaml, but that of /etc/NAME in /var/lib/NAME, where a service may write.

    Makes new tokens for the homeserver. Files that hold secrets can be read by you alone. Slack's tokens may follow
    later: create the app with the link that is printed, then put them into config.yaml.
    """
    from bridge.cli.tries import Tries
    from config import manifest, registration
    from config.reference import render

    config, registered = directory / "config.yaml", directory / "registration.yaml"
    manifested = directory / "slack-manifest.yaml"
    if not force:
        refuse_existing([config, registered, manifested])
    given = Answers(**flags)  # type: ignore[arg-type]  # click passes each flag as its type above says
    answers = with_place(given, directory)
    tokens = {"as_token": secrets.token_hex(32), "hs_token": secrets.token_hex(32)}
    tries = None if offline else Tries(tokens, directory)
    tried: list[Finding] = []
    if sys.stdin.isatty() if ask is None else ask:
        answers, software = _asked(answers, tries, tokens, directory)
    elif not answers.domain:
        raise click.UsageError("--domain is needed where nobody can be asked")
    else:
        settings_of(answers, tokens, directory)  # what has a wrong form is named before anything is tried
        tried, software = _tried(answers, tries)
    settings = settings_of(answers, tokens, directory)
    write_files(
        {
            config: (render(values_of(answers, tokens)), SECRET),
            registered: (registration.render(settings), SECRET),
            manifested: (manifest.render(settings), OPEN),
        }
    )
    missing, link = missing_of(answers), manifest.link(settings)
    if as_json:
        from dataclasses import asdict

        files = {"config": str(config), "registration": str(registered), "manifest": str(manifested)}
        found = [asdict(finding) for finding in tried]
        print_json({"files": files, "create_app": link, "missing": missing, "tried": found})
    else:
        for finding in tried:
            click.echo(finding.detail)
        _say_what_comes_next(config, registered, manifested, link, missing, software, bool(answers.include))


def _asked(answers: Answers, tries: Tries | None, tokens: dict[str, str], directory: Path) -> tuple[Answers, str]:
    from bridge.cli.questions import Questions
    from config import manifest

    questions = Questions(tries)
    answers = questions.about_matrix(answers)
    link = manifest.link(settings_of(answers, tokens, directory))
    return questions.about_slack(answers, link), questions.software


def _tried(answers: Answers, tries: Tries | None) -> tuple[list[Finding], str]:
    """Try what the flags say; whatever fails ends the command."""
    import asyncio

    if tries is None:
        return [], ""
    found, software = asyncio.run(tries.every(answers))
    failures = [finding for finding in found if finding.outcome == "fail"]
    if failures:
        for finding in failures:
            click.echo(f"{finding.subject}: {finding.detail}", err=True)
            if finding.remedy:
                click.echo(f"  -> {finding.remedy}", err=True)
        raise click.ClickException("nothing was written; --offline takes the answers untried")
    return found, software


def _say_what_comes_next(
    config: Path, registered: Path, manifested: Path, link: str, missing: list[str], software: str, bridges: bool
) -> None:
    click.echo(f"\nWritten: {config}, {registered}, {manifested}\n\nNext:")
    usual = "Tell the homeserver about {path} (Synapse: app_service_config_files) and restart it."
    telling = next((words for kind, words in REGISTER.items() if kind in software.lower()), usual)
    steps = [telling.format(path=registered)]
    if missing:
        steps.append(
            f"Create the Slack app at https://api.slack.com/apps from {manifested}, or with this link:\n{link}"
        )
        steps.append(f"Install it to the workspace and put {' and '.join(missing)} into {config}.")
    steps.append(f"causeway check --config {config}")
    steps.append(f"causeway run --config {config}")
    if not bridges:
        steps.append(f'Choose what is bridged: causeway portals add --config {config} "#channel"')
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {step}")
