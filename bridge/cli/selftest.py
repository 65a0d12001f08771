"""`causeway selftest`: an installation proven on the real Slack and the real homeserver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.selftest.lines import Line
    from bridge.slack.client import SlackClient
    from bridge.slack.files import SlackFiles
    from config.settings import Settings

PACE = 1.5
"""Seconds between two looks; Slack lets an app look at a channel 50 times a minute."""
SCALE = 1.0
"""How long Slack's windows are: 1 is as Slack has them."""


@click.command(
    epilog="""\b
    Examples:
      causeway selftest --channel "#bridge-test"
      causeway selftest --channel "#bridge-test" --slack-token env:OTHER_APP --matrix-token file:/run/secrets/tester
      causeway selftest --channel "#bridge-test" --json | jq '.lines[] | select(.outcome == "fail")'""",
    short_help="Prove an installation on the real Slack and homeserver.",
)
@click.option("--channel", required=True, help="A bridged channel that is there for tests.")
@click.option("--room", help="Its room, to make sure that it is the one that is meant.")
@click.option(
    "--slack-token",
    envvar="CAUSEWAY_TEST_SLACK_TOKEN",
    help="env:NAME or file:PATH of a token that speaks in Slack: of another app, for the bridge ignores its own.",
)
@click.option(
    "--matrix-token",
    envvar="CAUSEWAY_TEST_MATRIX_TOKEN",
    help="env:NAME or file:PATH of the access token of an account that speaks in Matrix.",
)
@click.option("--wait", default="30s", show_default=True, metavar="DURATION", help="How long each thing may take.")
@config_option
@json_option
def selftest(
    channel: str,
    room: str | None,
    slack_token: str | None,
    matrix_token: str | None,
    wait: str,
    config: Path,
    as_json: bool,
) -> None:
    """Post, edit, react, thread, upload and delete in both directions, and see each arrive on the other side.

    It also asks what only the real Slack can tell: whether a message under another name may be deleted, whether
    metadata comes back, whether a repeated client_msg_id doubles, which scopes are missing. The bridge must run. What
    the trial made is taken away at the end, also when it fails or is stopped. The exit code is 1 when something failed.
    """
    import asyncio

    from bridge.cli.check import show
    from bridge.cli.checks.finding import Finding

    settings = load_settings(config)
    patience = _seconds(wait)
    tokens = _token("--slack-token", slack_token), _token("--matrix-token", matrix_token)
    lines, learned = asyncio.run(_stoppable(settings, channel, room, *tokens, patience))
    failed = any(line.outcome == "fail" for line in lines)
    if as_json:
        from dataclasses import asdict

        print_json({"ok": not failed, "lines": [asdict(line) for line in lines], "learned": learned})
    else:
        show([Finding(line.subject, line.outcome, line.detail, line.remedy) for line in lines])
    if failed:
        raise click.exceptions.Exit(1)


async def _stoppable(settings: Settings, *rest: Any) -> tuple[list[Line], dict[str, str]]:  # Any: as _prove takes them
    """Take a request to end as Ctrl+C is taken: the trial is broken off and cleaned up."""
    import asyncio
    import signal
    from contextlib import suppress

    task = asyncio.current_task()
    assert task is not None
    with suppress(ValueError, RuntimeError):  # a thread other than the main one gets no signals
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await _prove(settings, *rest)
    except asyncio.CancelledError:
        raise click.Abort from None


async def _prove(
    settings: Settings, name: str, room: str | None, slack_token: str, matrix_token: str, patience: float
) -> tuple[list[Line], dict[str, str]]:
    from contextlib import AsyncExitStack

    from bridge.cli.actor import actor
    from bridge.cli.checks.listening import is_listening
    from bridge.cli.checks.slack import scopes
    from bridge.cli.store import opened
    from bridge.errors import BridgeError, Declined
    from bridge.matrix.client import MatrixClient
    from bridge.matrix.wire import Wire
    from bridge.oauth.app_tokens import token_of
    from bridge.selftest.lines import Trial, failure
    from bridge.selftest.matrix_side import MatrixSide
    from bridge.selftest.proof import prove
    from bridge.selftest.slack_side import SlackSide
    from bridge.slack.installation import install
    from bridge.slack.limits import Limits
    from bridge.slack.reach import slack_session
    from bridge.store.learned import Learned
    from portals.facts import PortalState
    from portals.ids import MatrixUserId, channel_queue

    if not await is_listening(settings.appservice.listen):
        raise Declined("not_running", f"nothing listens on {settings.appservice.listen}: start the bridge first")
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(settings))
        portal = await store.find(name)
        if portal.room is None or portal.state is not PortalState.LIVE or portal.direction.value != "both":
            raise Declined("not_live", f"{name} is not bridged both ways just now: `causeway portals list` tells more")
        session = await stack.enter_async_context(slack_session(settings.slack.api_url))
        address, tls = settings.homeserver.address, settings.homeserver.verify_tls
        reader = await stack.enter_async_context(
            MatrixClient(
                address,
                settings.appservice.as_token.reveal(),
                MatrixUserId(settings.bot_id),
                verify_tls=tls,
                bot_is_sender=settings.bot_is_sender,
            )
        )
        if room is not None and portal.room != (await reader.rooms.resolve_alias(room) if room[:1] == "#" else room):
            raise Declined("other_room", f"the room of {name} is {portal.room}, not {room}")
        if await reader.get_state(portal.room, "m.room.encryption") is not None:
            raise Declined("encrypted", f"the room of {name} is encrypted, and its events cannot be read from outside")

        def app(token: str) -> tuple[SlackClient, SlackFiles]:
            api_url, max_bytes, limits = settings.slack.api_url, settings.files.max_size, Limits(scale=SCALE)
            made = install("selftest", token, session=session, limits=limits, api_url=api_url, max_bytes=max_bytes)
            return made.client, made.files

        for workspace in settings.slack.workspaces:
            ours = app(await token_of(settings, workspace))
            identity = await ours[0].auth()
            if identity.team_id == portal.team:
                break
        else:
            raise Declined("not_connected", f"no bot token of the configuration is for the workspace of {name}")
        wire = None
        if matrix_token:
            wire = Wire(address, matrix_token, connections=4, timeout=60.0, verify_tls=tls)
            stack.push_async_callback(wire.close)
        others = app(slack_token) if slack_token else (None, None)
        slack = SlackSide(portal.channel, *ours, *others)
        matrix = MatrixSide(portal.room, reader, wire)
        trial = Trial(patience, PACE)
        for found in scopes("Slack itself", settings, identity):
            trial.add(found.subject, "fail" if found.outcome == "fail" else "ok", found.detail, found.remedy)
        speaks = {"slack_speaks": bool(slack_token), "matrix_speaks": bool(matrix_token)}
        learned = await prove(trial, slack, matrix, **speaks)
        subject = channel_queue(portal.team, portal.channel)
        try:
            await Learned(store.database).keep(portal.team, learned, str(actor()), subject)
        except BridgeError as error:
            trial.lines.append(failure("database", error))
        return trial.lines, learned


def _token(flag: str, given: str | None) -> str:
    """Read a token that is kept elsewhere; one on the command line would be seen by everybody on this machine."""
    from pydantic import TypeAdapter, ValidationError

    from config.secrets import Secret

    if not given:
        return ""
    kind, _, where = given.partition(":")
    if kind not in ("env", "file") or not where:
        raise click.BadParameter("write env:NAME or file:PATH, which keeps the token out of sight", param_hint=flag)
    try:
        secret: Secret = TypeAdapter(Secret).validate_python({kind: where})
    except ValidationError as failed:
        context = failed.errors(include_input=False)[0].get("ctx", {})
        raise click.BadParameter(f"{context.get('what')}; {context.get('hint')}", param_hint=flag) from None
    return secret.reveal()


def _seconds(wait: str) -> float:
    from pydantic_core import PydanticCustomError

    from config.values import read_duration

    try:
        return read_duration(wait).total_seconds()
    except PydanticCustomError as error:
        raise click.BadParameter(f"{error.message()}: write it like 30s or 2m", param_hint="--wait") from None
