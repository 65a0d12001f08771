"""What a person answered at a first set-up, and the settings that this makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

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
    "slack.api_url": "--slack-api",
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
    slack_api: str
    workspace: str
    bot_token: str
    app_token: str
    signing_secret: str
    admins: tuple[str, ...]
    include: tuple[str, ...]


STATE = {Path("/etc"): Path("/var/lib")}
"""Where services keep what they write, by where their configuration lies, which they may not write to."""


def with_place(answers: Answers, directory: Path) -> Answers:
    """Have the database lie where a service may write, if the configuration lies where it may not.

    Else, and where a database was named, nothing is changed: then it lies beside the configuration.
    """
    here = directory.absolute()
    for configured, written in STATE.items():
        if not answers.database and here.is_relative_to(configured) and here != configured:
            return replace(answers, database=f"sqlite:///{written / here.relative_to(configured)}/causeway.db")
    return answers


def values_of(answers: Answers, tokens: dict[str, str]) -> dict[str, Plain]:
    """The settings that differ from the defaults, as they stand in the file."""
    workspace: dict[str, Plain] = {"name": answers.workspace, "bot_token": _reference(answers.bot_token)}
    workspace["app_token"] = _reference(answers.app_token)
    workspace["signing_secret"] = _reference(answers.signing_secret)
    slack: dict[str, Plain] = {"mode": answers.mode, "workspaces": [workspace]}
    if answers.slack_api:
        slack["api_url"] = answers.slack_api
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


def secret_in(text: str, directory: Path) -> str:
    """Return a secret that was given as itself, `file:PATH` or `env:NAME`; raises ValueError saying what is wrong."""
    from pydantic import TypeAdapter, ValidationError

    from config.secrets import Secret
    from config.values import Surroundings

    try:
        return TypeAdapter(Secret).validate_python(_reference(text), context=Surroundings(directory)).reveal()
    except ValidationError as wrong:
        context = wrong.errors()[0].get("ctx", {})
        raise ValueError(f"{context.get('what', 'cannot be used')}: {context.get('hint', '')}") from None


def _given(**texts: str) -> dict[str, Plain]:
    return {name: text for name, text in texts.items() if text}


def _reference(text: str) -> Plain:
    """A secret as the file has it: itself, or where it is kept; nothing where it was not given."""
    for source in ("file", "env"):
        if text.startswith(f"{source}:"):
            return {source: text.removeprefix(f"{source}:")}
    return text or None


def settings_of(answers: Answers, tokens: dict[str, str], directory: Path) -> Settings:
    """The settings to be written, checked; secrets of Slack that are missing or kept elsewhere have stand-ins."""
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
        return parse(render(values_of(complete, tokens)), "the answers", directory, {})
    except ConfigError as error:
        raise ConfigError(dict.fromkeys(map(_told_of_its_flag, error.problems))) from None


def _told_of_its_flag(problem: Problem) -> Problem:
    flag = next((flag for key, flag in FLAGS.items() if problem.key == key or problem.key.startswith(f"{key}[")), "")
    return replace(problem, source=flag or problem.source, line=0, column=0, key="" if flag else problem.key)


def missing_of(answers: Answers) -> list[str]:
    """Return which of Slack's secrets are still to come."""
    needed = ("bot_token", "app_token" if answers.mode == "socket" else "signing_secret")
    return [name for name in needed if not getattr(answers, name)]
