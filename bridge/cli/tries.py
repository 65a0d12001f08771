"""The answers of a first set-up, put to the test: each alone, while somebody is asked, or all of them at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.cli.answers import secret_in, settings_of
from bridge.cli.checks.answers import fits, try_homeserver, try_listen
from bridge.cli.checks.finding import Finding
from bridge.cli.checks.slack import check_app_token, check_bot_token
from bridge.cli.checks.store import check_store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bridge.cli.answers import Answers
    from bridge.cli.checks.answers import Homeserver
    from config.settings import Settings

_DOMAIN = "not-known-yet.invalid"


class Tries:
    """Tries answers, as the configuration in `directory` would have them; `tokens` are those of the registration."""

    def __init__(self, tokens: dict[str, str], directory: Path) -> None:
        self._tokens = tokens
        self._directory = directory

    async def every(self, answers: Answers) -> tuple[list[Finding], str]:
        """Try everything that was answered; returns what was found, and which software the homeserver is."""
        settings = self._settings(answers)
        met, *found = await asyncio.gather(
            try_homeserver(settings.homeserver.address), self.database(answers), self.bot(answers), self.app(answers)
        )
        others = [finding for findings in found for finding in findings]
        return [fits(met, answers.domain), self.listen(answers), *others], met.software

    async def homeserver(self, answers: Answers) -> Homeserver:
        """Ask who answers, and whether that is the homeserver of the server name, where one was given."""
        met = await try_homeserver(self._settings(answers).homeserver.address)
        return replace(met, finding=fits(met, answers.domain)) if answers.domain else met

    def listen(self, answers: Answers) -> Finding:
        """Tell whether the bridge can listen where it is to."""
        return try_listen(self._settings(answers).appservice.listen)

    async def database(self, answers: Answers) -> list[Finding]:
        """Open the database, if it is there already, and write in it."""
        return [finding async for finding in check_store(self._settings(answers))]

    async def bot(self, answers: Answers) -> list[Finding]:
        """Show Slack the bot token, and say which scopes it lacks."""
        return await self._shown(answers, "--bot-token", answers.bot_token, check_bot_token)

    async def app(self, answers: Answers) -> list[Finding]:
        """Open a socket with the app-level token, where Slack delivers through one."""
        wanted = answers.app_token if answers.mode == "socket" else ""
        return await self._shown(answers, "--app-token", wanted, check_app_token)

    async def _shown(
        self,
        answers: Answers,
        flag: str,
        given: str,
        check: Callable[[Settings, str, str], Awaitable[list[Finding]]],
    ) -> list[Finding]:
        if not given:
            return []
        try:
            token = secret_in(given, self._directory)
        except ValueError as wrong:
            detail, _, remedy = str(wrong).partition(": ")
            return [Finding(flag, "fail", detail, remedy)]
        return await check(self._settings(answers), answers.workspace, token)

    def _settings(self, answers: Answers) -> Settings:
        return settings_of(replace(answers, domain=answers.domain or _DOMAIN), self._tokens, self._directory)
