"""`causeway init`: the three files of a first set-up, from flags or from questions."""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.options import checked, json_option, print_json
from bridge.cli.written import OPEN, SECRET, refuse_existing, write_files

if TYPE_CHECKING:
    from config.document import Plain
    from config.problems import Problem
    from config.settings import Settings

STAND_INS = {"bot_token": "xoxb-not-given-yet", "app_token": "xapp-not-given-yet", "signing_secret": "not-given-yet"}
"""Keep the other settings checkable while Slack's secrets are still to come; never written to a file."""
FLAGS = {
    "homeserver.domain": "--domain",
    "homeserver.address": "--homeserver",
    "appservice.url": "--url",
    "appservice.listen": "--listen",
    "database.url": "--database",
    "slack.events.url": "--events-url",
    "slack.workspaces[0].name": "--workspace",
    "slack.workspaces[0].bot_token": "--bot-token",
    "slack.workspaces[0].app_token": "--app-token",
    "slack.workspaces[0].signing_secret": "--signing-secret",
    "portals.automatic.include": "--include",
    "rooms.invite": "--admin",
    "admins": "--admin",
}
"""By which flag each setting is given: a problem with it is told as one of the flag."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the person said, by flags or when asked; empty where nothing was said."""

    domain: str
    address: str
    url: str
    listen: str
    database: str
    mode: str
    events_url: str
    workspace: str
    bot_token: str
    app_token: str
    signing_secret: str
    admins: tuple[str, ...]
    include: tuple[str, ...]


@click.command(
    epilog="""\b
    Examples:
      causeway init
      causeway init --domain example.org --admin @alice:example.org --include '*'
      causeway init --domain example.org --directory /etc/causeway --database postgres://causeway@db/causeway
      causeway init --domain example.org --bot-token file:/run/secrets/bot --app-token env:APP_TOKEN
      causeway init --domain example.org --mode events --events-url https://bridge.example.org""",
    short_help="Write the files of a first set-up, from flags or questions.",
)
@click.option("--domain", default="", help="The Matrix server name: what stands after the colon in its user ids.")
@click.option("--homeserver", "address", default="", help="Where the bridge reaches the homeserver.")
@click.option("--url", default="", help="How the homeserver reaches the bridge.")
@click.option("--listen", default="", help="Where the bridge listens for the homeserver, host:port.")
@click.option("--database", default="", help="sqlite:///path or postgres://user:password@host/name.")
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
@json_option
def init(directory: Path, force: bool, ask: bool | None, as_json: bool, **flags: str | tuple[str, ...]) -> None:
    """Write config.yaml, registration.yaml and slack-manifest.yaml.

    Makes new tokens for the homeserver. Files that hold secrets can be read by you alone. Slack's tokens may follow
    later: create the app with the link that is printed, then put them into config.yaml.
    """
    from config import manifest, registration
    from config.reference import render

    config, registered = directory / "config.yaml", directory / "registration.yaml"
    manifested = directory / "slack-manifest.yaml"
    if not force:
        refuse_existing([config, registered, manifested])
    answers = Answers(**flags)  # type: ignore[arg-type]  # click passes each flag as its type above says
    wants_answers = sys.stdin.isatty() if ask is None else ask
    if wants_answers:
        answers = _ask_about_matrix(answers)
    elif not answers.domain:
        raise click.UsageError("--domain is needed where nobody can be asked")
    tokens = {"as_token": secrets.token_hex(32), "hs_token": secrets.token_hex(32)}
    if wants_answers:
        link = manifest.link(_settings(answers, tokens, directory))
        answers = _ask_about_slack(answers, link)
    settings = _settings(answers, tokens, directory)
    write_files(
        {
            config: (render(_values(answers, tokens)), SECRET),
            registered: (registration.render(settings), SECRET),
            manifested: (manifest.render(settings), OPEN),
        }
    )
    missing = _missing(answers)
    if as_json:
        files = {"config": str(config), "registration": str(registered), "manifest": str(manifested)}
        print_json({"files": files, "create_app": manifest.link(settings), "missing": missing})
    else:
        link, bridges = manifest.link(settings), bool(answers.include)
        _say_what_comes_next(config, registered, manifested, link, missing, bridges)


def _ask_about_matrix(answers: Answers) -> Answers:
    from dataclasses import replace

    from config.values import Domain, MatrixUser, Url

    click.echo("Matrix\n")
    domain = answers.domain or click.prompt("Server name, as in @you:SERVER", value_proc=checked(Domain))
    address = answers.address or click.prompt(
        "Where the bridge reaches the homeserver", default="http://127.0.0.1:8008", value_proc=checked(Url)
    )
    url = answers.url or click.prompt(
        "How the homeserver reaches the bridge", default="http://127.0.0.1:29330", value_proc=checked(Url)
    )
    admins = answers.admins
    if not admins:
        user = click.prompt(
            "Your Matrix user id, to command the bot and be invited (Enter: nobody)",
            default="",
            show_default=False,
            value_proc=lambda text: checked(MatrixUser)(text) if text.strip() else "",
        )
        admins = (user,) if user else ()
    include = answers.include
    if not include and click.confirm("Bridge every public channel by itself?", default=False):
        include = ("*",)
    return replace(answers, domain=domain, address=address, url=url, admins=admins, include=include)


def _ask_about_slack(answers: Answers, link: str) -> Answers:
    from dataclasses import replace

    from config.secrets import AppToken, BotToken, Secret

    click.echo(f"\nSlack\n\nCreate the app with this link, and install it to the workspace:\n\n{link}\n")
    click.echo("Tokens are not shown while you paste them. Enter leaves one for later.")

    def secret(what: str, given: str, kind: object) -> str:
        asked: str = given or click.prompt(
            what,
            default="",
            show_default=False,
            hide_input=True,
            value_proc=lambda text: checked(kind)(text) if text.strip() else "",
        )
        return asked

    bot = secret("Bot token (OAuth & Permissions, xoxb-…)", answers.bot_token, BotToken)
    if answers.mode == "events":
        signing = secret("Signing secret (Basic Information)", answers.signing_secret, Secret)
        return replace(answers, bot_token=bot, signing_secret=signing)
    app = secret("App-level token with connections:write (Basic Information, xapp-…)", answers.app_token, AppToken)
    return replace(answers, bot_token=bot, app_token=app)


def _values(answers: Answers, tokens: dict[str, str]) -> dict[str, Plain]:
    """The settings that differ from the defaults, as they stand in the file."""
    workspace: dict[str, Plain] = {"name": answers.workspace, "bot_token": _reference(answers.bot_token)}
    workspace["app_token"] = _reference(answers.app_token)
    workspace["signing_secret"] = _reference(answers.signing_secret)
    slack: dict[str, Plain] = {"mode": answers.mode, "workspaces": [workspace]}
    if answers.events_url:
        slack["events"] = {"url": answers.events_url}
    values: dict[str, Plain] = {
        "homeserver": _given(domain=answers.domain, address=answers.address),
        "appservice": {**tokens, **_given(url=answers.url, listen=answers.listen)},
        "database": _given(url=answers.database),
        "slack": slack,
        "portals": {"automatic": {"include": [*answers.include]}},
        "rooms": {"invite": [*answers.admins]},
        "admins": [*answers.admins],
    }
    return values


def _given(**texts: str) -> dict[str, Plain]:
    return {name: text for name, text in texts.items() if text}


def _reference(text: str) -> Plain:
    """A secret as the file has it: itself, or where it is kept; nothing where it was not given."""
    for source in ("file", "env"):
        if text.startswith(f"{source}:"):
            return {source: text.removeprefix(f"{source}:")}
    return text or None


def _settings(answers: Answers, tokens: dict[str, str], directory: Path) -> Settings:
    """The settings to be written, checked; secrets of Slack that are missing or kept elsewhere have stand-ins."""
    from dataclasses import replace

    from config.loader import ConfigError, parse
    from config.reference import render

    def present(name: str, given: str) -> str:
        return given if given and not given.startswith(("file:", "env:")) else STAND_INS[name]

    complete = replace(
        answers,
        bot_token=present("bot_token", answers.bot_token),
        app_token=present("app_token", answers.app_token),
        signing_secret=present("signing_secret", answers.signing_secret),
    )
    try:
        return parse(render(_values(complete, tokens)), "the answers", directory, {})
    except ConfigError as error:
        raise ConfigError(dict.fromkeys(map(_told_of_its_flag, error.problems))) from None


def _told_of_its_flag(problem: Problem) -> Problem:
    from dataclasses import replace

    flag = next((flag for key, flag in FLAGS.items() if problem.key == key or problem.key.startswith(f"{key}[")), "")
    return replace(problem, source=flag or problem.source, line=0, column=0, key="" if flag else problem.key)


def _missing(answers: Answers) -> list[str]:
    needed = ("bot_token", "app_token" if answers.mode == "socket" else "signing_secret")
    return [name for name in needed if not getattr(answers, name)]


def _say_what_comes_next(
    config: Path, registered: Path, manifested: Path, link: str, missing: list[str], bridges: bool
) -> None:
    click.echo(f"\nWritten: {config}, {registered}, {manifested}\n\nNext:")
    steps = [f"Tell the homeserver about {registered} (Synapse: app_service_config_files) and restart it."]
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
