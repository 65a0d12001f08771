"""The questions of a first set-up: what can be found out is not asked, and each answer is tried before the next one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bridge.cli.options import checked
from config.secrets import AppToken, BotToken, DatabaseUrl, Secret
from config.values import Address, Domain, MatrixUser, Url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.cli.answers import Answers
    from bridge.cli.checks.finding import Finding
    from bridge.cli.tries import Tries

_ADDRESS = "http://127.0.0.1:8008"
_PORT = "29330"


class Questions:
    """Asks in a terminal; with `tries` None every answer is taken that has the right form."""

    def __init__(self, tries: Tries | None) -> None:
        self._tries = tries
        self.software = ""

    def about_matrix(self, answers: Answers) -> Answers:
        """Ask for what the flags leave open of the homeserver, the bridge's own address and its database."""
        if self._tries is not None:
            click.echo("Each answer is tried at once; --offline takes them untried.\n")
        click.echo("Matrix\n")
        answers = self._listens(self._homeserver(answers))
        _, _, port = answers.listen.rpartition(":")
        url = answers.url or click.prompt(
            "How the homeserver reaches the bridge",
            default=f"http://127.0.0.1:{port or _PORT}",
            value_proc=checked(Url),
        )
        answers = self._database(replace(answers, url=url))
        if not answers.admins:
            user = click.prompt(
                "Your Matrix user id, to command the bot and be invited (Enter: nobody)",
                default="",
                show_default=False,
                value_proc=lambda text: checked(MatrixUser)(text) if text.strip() else "",
            )
            answers = replace(answers, admins=(user,) if user else ())
        if not answers.include and click.confirm("Bridge every public channel by itself?", default=False):
            answers = replace(answers, include=("*",))
        return answers

    def _homeserver(self, answers: Answers) -> Answers:
        given = answers.address
        while True:
            address = given or click.prompt(
                "Where the bridge reaches the homeserver", default=_ADDRESS, value_proc=checked(Url)
            )
            answers = replace(answers, address=address)
            if self._tries is None:
                break
            met = asyncio.run(self._tries.homeserver(answers))
            if _is_good([met.finding]):
                self.software = met.software
                answers = replace(answers, domain=answers.domain or met.name)
                break
            given = ""
        if answers.domain:
            return answers
        domain = click.prompt("Server name, as in @you:SERVER", value_proc=checked(Domain))
        return replace(answers, domain=domain)

    def _listens(self, answers: Answers) -> Answers:
        tries = self._tries
        while tries is not None and not _is_good([tries.listen(answers)]):
            listen = click.prompt("Where the bridge listens for the homeserver, host:port", value_proc=checked(Address))
            answers = replace(answers, listen=listen)
        return answers

    def _database(self, answers: Answers) -> Answers:
        tries = self._tries
        while tries is not None and not _is_good(asyncio.run(tries.database(answers))):
            what = "Database, sqlite:///path or postgres://user:password@host/name"
            url = click.prompt(what, hide_input=True, value_proc=checked(DatabaseUrl))
            answers = replace(answers, database=url)
        return answers

    def about_slack(self, answers: Answers, link: str) -> Answers:
        """Ask for Slack's secrets, once the app is made; each may be left for later."""
        click.echo(f"\nSlack\n\nCreate the app with this link, and install it to the workspace:\n\n{link}\n")
        click.echo("Tokens are not shown while you paste them. Enter leaves one for later.")
        tries = self._tries
        answers = self._secret(
            answers,
            "bot_token",
            "Bot token (OAuth & Permissions, xoxb-…)",
            BotToken,
            lambda told: asyncio.run(tries.bot(told)) if tries else [],
        )
        if answers.mode == "events":
            return self._secret(answers, "signing_secret", "Signing secret (Basic Information)", Secret, lambda _: [])
        return self._secret(
            answers,
            "app_token",
            "App-level token with connections:write (Basic Information, xapp-…)",
            AppToken,
            lambda told: asyncio.run(tries.app(told)) if tries else [],
        )

    def _secret(
        self, answers: Answers, name: str, what: str, kind: object, found: Callable[[Answers], Sequence[Finding]]
    ) -> Answers:
        given: str = getattr(answers, name)
        while True:
            text = given or click.prompt(
                what,
                default="",
                show_default=False,
                hide_input=True,
                value_proc=lambda text: checked(kind)(text) if text.strip() else "",
            )
            answers = replace(answers, **{name: text})  # type: ignore[arg-type]  # one of its texts, by its name
            if not text or _is_good(found(answers)):
                return answers
            given = ""


def _is_good(findings: Sequence[Finding]) -> bool:
    """Say what was found, and of what failed what to do; returns whether nothing did."""
    for finding in findings:
        good = finding.outcome == "ok"
        click.echo(click.style(f"  {'✓' if good else '✗'} {finding.detail}", fg="green" if good else "red"))
        if finding.remedy:
            click.echo(f"    -> {finding.remedy}")
    return all(finding.outcome != "fail" for finding in findings)
