"""Slack: whether each token is good and is what it should be, which scopes are missing, and whether files can come."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from bridge.cli.checks.finding import Finding, Findings, failed
from bridge.cli.checks.listening import is_listening
from bridge.errors import BridgeError, Refused
from bridge.faults import in_words
from bridge.oauth.app_tokens import token_of
from bridge.slack.client import SlackClient
from bridge.slack.limits import Limits
from bridge.slack.reach import slack_session
from bridge.slack.web import Timeouts
from config.manifest import missing_scopes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.slack.client import Identity
    from config.settings import Settings
    from config.slack import Workspace

PATIENCE = 15.0
FILE_HOST = "https://files.slack.com/"


async def check_workspace(settings: Settings, workspace: Workspace) -> Findings:
    """Try both tokens of a workspace, and look for every channel that is mapped in it."""
    subject = f"slack {workspace.name}"
    app_token = workspace.app_token.reveal() if workspace.app_token else ""
    token = await token_of(settings, workspace)
    if not token:
        remedy = "`causeway slack install-link` prints the link by which it is, while the bridge runs"
        yield Finding(subject, "fail", "the app is not installed to this workspace", remedy)
        return
    async with _asking(settings, workspace.name, token, app_token) as client:
        try:
            identity = await client.auth()
        except BridgeError as error:
            yield _no_answer(subject, error)
            if isinstance(error, Refused) and settings.slack.mode == "socket":
                yield await _socket(subject, client)
            return
        for finding in _good(subject, settings, identity):
            yield finding
        if settings.slack.mode == "socket":
            yield await _socket(subject, client)
        async for finding in _channels(subject, client, settings, workspace):
            yield finding


async def check_bot_token(settings: Settings, name: str, token: str) -> list[Finding]:
    """Try a bot token that is in no configuration yet."""
    subject = f"slack {name}"
    async with _asking(settings, name, token, "") as client:
        try:
            return _good(subject, settings, await client.auth())
        except BridgeError as error:
            return [_no_answer(subject, error)]


async def check_app_token(settings: Settings, name: str, token: str) -> list[Finding]:
    """Try an app-level token that is in no configuration yet."""
    async with _asking(settings, name, "", token) as client:
        return [await _socket(f"slack {name}", client)]


@asynccontextmanager
async def _asking(settings: Settings, name: str, bot_token: str, app_token: str) -> AsyncIterator[SlackClient]:
    async with slack_session(settings.slack.api_url) as session:
        yield SlackClient(
            name,
            bot_token,
            session=session,
            limits=Limits(),
            api_url=settings.slack.api_url,
            app_token=app_token,
            timeouts=Timeouts(call=PATIENCE),
        )


def _no_answer(subject: str, error: BridgeError) -> Finding:
    return failed(subject, error, "check slack.api_url and the way to the internet")


def _good(subject: str, settings: Settings, identity: Identity) -> list[Finding]:
    known = Finding(subject, "ok", f"the bot token is good for {identity.team} ({identity.team_id})")
    return [known, *scopes(subject, settings, identity)]


def scopes(subject: str, settings: Settings, identity: Identity) -> list[Finding]:
    """Say which scopes a bot token lacks, and what for."""
    missing = missing_scopes(settings, identity.scopes)
    if not missing:
        return [Finding(subject, "ok", f"all scopes are granted, {len(identity.scopes)} of them")]
    return [
        Finding(
            subject,
            "fail",
            f"the scope {lack.scope} is missing: it is needed to {lack.feature}",
            f"add the line `{lack.line.strip()}` under oauth_config, scopes, bot in the app's manifest"
            " (https://api.slack.com/apps, App Manifest), then install the app again",
        )
        for lack in missing
    ]


async def _socket(subject: str, client: SlackClient) -> Finding:
    try:
        await client.connections_open()
    except BridgeError as error:
        return failed(subject, error, "make an app-level token with connections:write under Basic Information")
    return Finding(subject, "ok", "the app token opens sockets")


async def _channels(subject: str, client: SlackClient, settings: Settings, workspace: Workspace) -> Findings:
    """Say of each mapped channel whether the bot can see it and take part."""
    wanted = [
        mapping.slack
        for mapping in settings.portals.map
        if (mapping.workspace or settings.slack.workspaces[0].name) == workspace.name
    ]
    if not wanted:
        return
    known: dict[str, dict[str, object]] = {}
    try:
        async for page in client.channels(exclude_archived=False):
            known |= {str(channel.get("id")): channel for channel in page}
            known |= {f"#{channel.get('name')}": channel for channel in page}
    except BridgeError as error:
        yield failed(subject, error)
        return
    for name in wanted:
        channel = known.get(name)
        if channel is None:
            remedy = "check its name; for a private channel, invite the bot to it first"
            yield Finding(subject, "fail", f"the bot sees no channel {name}", remedy)
        elif channel.get("is_archived"):
            yield Finding(subject, "fail", f"the channel {name} is archived", "unarchive it, or drop its mapping")
        else:
            yield Finding(subject, "ok", f"the channel {name} is there")


async def check_request_url(settings: Settings) -> Findings:
    """Try the public address that Slack delivers to; the bridge answers 405 to whoever only looks."""
    events = settings.slack.events
    if settings.slack.mode != "events" or events.url is None:
        return
    address = events.url + events.path
    if not await is_listening(events.listen):
        detail = f"nothing listens on {events.listen}: the way from Slack was not tried"
        yield Finding("slack events", "skip", detail, "check again while the bridge runs")
        return
    try:
        async with (
            aiohttp.ClientSession(trust_env=True, timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session,
            session.get(address, allow_redirects=False) as response,
        ):
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        detail = f"{address} cannot be reached from here: {in_words(error)}"
        yield Finding("slack events", "warn", detail, "make sure that Slack can reach it, or set slack.mode to socket")
        return
    if status == 405:
        yield Finding("slack events", "ok", f"{address} leads to the bridge")
    else:
        remedy = f"let the proxy pass {events.path} on to {events.listen}"
        yield Finding("slack events", "fail", f"{address} answers {status}, which is not the bridge", remedy)


async def check_file_host(settings: Settings) -> Findings:
    """Try the host that files come from; any answer will do, for no token is sent."""
    own = urlsplit(settings.slack.api_url).hostname != "slack.com"
    if own:
        yield Finding("slack files", "ok", f"come from {urlsplit(settings.slack.api_url).netloc}, like everything else")
        return
    try:
        async with (
            aiohttp.ClientSession(trust_env=True, timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session,
            session.head(FILE_HOST, allow_redirects=False),
        ):
            yield Finding("slack files", "ok", f"{FILE_HOST} answers")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        detail = f"{FILE_HOST} cannot be reached: {in_words(error)}"
        yield Finding("slack files", "fail", detail, "let the bridge through to that address, or files will not cross")
