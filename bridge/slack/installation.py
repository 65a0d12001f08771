"""One workspace as the bridge is installed in it: its client and its files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bridge.errors import Fatal
from bridge.slack.client import SlackClient
from bridge.slack.files import SlackFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from bridge.slack.limits import Limits


def _nobody(_token: str) -> Installation:
    raise Fatal("this installation acts as nobody but the app")


@dataclass(frozen=True, slots=True)
class Installation:
    """What acts in one workspace; `name` is the workspace's name in the configuration.

    `by` returns what acts there by another token than the app's, and keeps to the same limits.
    """

    name: str
    client: SlackClient
    files: SlackFiles
    by: Callable[[str], Installation] = _nobody

    def use(self, token: str) -> None:
        """Act by another token of the app's from now on."""
        self.client.use(token)
        self.files.use(token)


def install(
    name: str,
    token: str,
    *,
    session: aiohttp.ClientSession,
    limits: Limits,
    api_url: str,
    max_bytes: int,
    app_token: str = "",
) -> Installation:
    """Return what acts in one workspace by its bot token; without one, Slack is asked for nothing."""
    client = SlackClient(name, token, session=session, limits=limits, api_url=api_url, app_token=app_token)
    files = SlackFiles(client, token, session=session, max_bytes=max_bytes, api_url=api_url)
    by = partial(install, name, session=session, limits=limits, api_url=api_url, max_bytes=max_bytes)
    return Installation(name, client, files, by)
