"""Acting as people, and looking their accounts up: whether the homeserver lets the bridge do either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.checks.finding import Finding, Findings, failed
from bridge.cli.checks.matrix import PATIENCE
from bridge.errors import BridgeError, Fatal
from bridge.matrix.admin import Admin
from bridge.matrix.client import MatrixClient
from config import registration
from portals.ids import MatrixUserId

if TYPE_CHECKING:
    from config.settings import Settings

_NOBODY = "nobody@causeway.invalid"


async def check_people(settings: Settings) -> Findings:
    """Show the homeserver each of the two tokens that the configuration has."""
    if settings.double_puppet.as_token is not None:
        yield await _acts(settings)
    if settings.homeserver.admin_token is not None:
        yield await _asks(settings, settings.homeserver.admin_token.reveal())


async def _acts(settings: Settings) -> Finding:
    wanted = registration.double_puppet(settings)
    assert wanted is not None
    own = MatrixUserId(f"@{wanted['sender_localpart']}:{settings.homeserver.domain}")
    address, token = settings.homeserver.address, str(wanted["as_token"])
    async with MatrixClient(address, token, own, timeout=PATIENCE, verify_tls=settings.homeserver.verify_tls) as client:
        try:
            me = await client.whoami()
        except Fatal:
            detail = "the homeserver does not know double_puppet.as_token"
            remedy = "load the doublepuppet.yaml that `causeway register` writes, and restart the homeserver"
            return Finding("double puppets", "fail", detail, remedy)
        except BridgeError as error:
            return failed("double puppets", error)
    if me != own:
        detail = f"the homeserver takes double_puppet.as_token for {me}'s"
        return Finding("double puppets", "fail", detail, "write the registration anew with `causeway register --force`")
    return Finding("double puppets", "ok", "the homeserver lets the bridge act as people's own accounts")


async def _asks(settings: Settings, token: str) -> Finding:
    homeserver = settings.homeserver
    async with Admin(homeserver.address, token, timeout=PATIENCE, verify_tls=homeserver.verify_tls) as admin:
        try:
            await admin.of_email(_NOBODY)
        except BridgeError as error:
            return failed("admin token", error)
    return Finding("admin token", "ok", "the homeserver tells whose an e-mail address is")
