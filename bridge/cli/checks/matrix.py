"""The homeserver: whether it answers, knows the bridge, and reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.checks.finding import Finding, Findings, failed
from bridge.cli.checks.listening import is_listening
from bridge.configured import names_from
from bridge.errors import BridgeError, Fatal, Refused
from bridge.matrix.client import MatrixClient
from portals.crossing.moderators import ENCRYPTED, reason_to_hide
from portals.crossing.rooms import HISTORY, JOINING
from portals.ids import MatrixUserId, RoomId, SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from config.settings import Settings

PATIENCE = 15.0
"""Seconds that the homeserver has for an answer."""

_NOBODY = (TeamId("T0CHECK"), SlackUserId("U0CHECK"))
"""No id of Slack is as short."""
_FILE = b"causeway check\n"

OLDEST = (1, 4)
"""The version of the specification that the bridge needs: threads came with 1.4."""


async def check_homeserver(settings: Settings) -> Findings:
    """Ask who answers, who we are to it, and, while the bridge runs, have it call us."""
    bot = MatrixUserId(settings.bot_id)
    address, token = settings.homeserver.address, settings.appservice.as_token.reveal()
    async with MatrixClient(
        address,
        token,
        bot,
        timeout=PATIENCE,
        verify_tls=settings.homeserver.verify_tls,
        bot_is_sender=settings.bot_is_sender,
    ) as client:
        try:
            versions = await client.versions()
        except BridgeError as error:
            remedy = "check homeserver.address, and that the homeserver runs"
            yield failed("homeserver", error, "" if isinstance(error, Fatal) else remedy)
            return
        yield speaks(address, versions)
        try:
            me = await client.whoami()
        except BridgeError as error:
            yield failed("homeserver", error, "" if isinstance(error, Fatal) else "compare the registration")
            return
        if me != bot:
            remedy = "make homeserver.domain and appservice.bot_localpart agree with the registration"
            yield Finding("homeserver", "fail", f"takes the bridge for {me}, not for {bot}", remedy)
            return
        yield Finding("homeserver", "ok", f"accepts as_token: we are {me}")
        if settings.encryption.key is not None:
            yield await _knows_devices(settings)
        yield await _makes_ghosts(client, settings)
        yield await _takes_media(client, settings)
        async for finding in _reached(client, settings):
            yield finding
        for mapping in settings.portals.map:
            if mapping.matrix != "create":
                yield await _room(client, mapping.matrix, "portals.map")
        for room in dict.fromkeys(policy.hold.room for policy in settings.policies if policy.hold.room):
            yield await _moderators(client, room, settings)


async def _knows_devices(settings: Settings) -> Finding:
    """Ask whose the token is: the registration that makes devices without logging in is not the bot's own."""
    bot = MatrixUserId(settings.bot_id)
    address, token = settings.homeserver.address, settings.appservice.as_token.reveal()
    async with MatrixClient(address, token, bot, timeout=PATIENCE, verify_tls=settings.homeserver.verify_tls) as client:
        try:
            sender = await client.whoami()
        except BridgeError as error:
            return failed("encryption", error)
    if sender == bot:
        detail = "the homeserver knows a registration from before encryption was switched on"
        remedy = "write it anew with `causeway register --force`, load it, and restart the homeserver"
        return Finding("encryption", "fail", detail, remedy)
    return Finding("encryption", "ok", "the registration lets the bridge have devices; Slack reads what is relayed")


async def _makes_ghosts(client: MatrixClient, settings: Settings) -> Finding:
    """Make the account of a ghost that stands for nobody, always the same one."""
    ghost = names_from(settings).ghost(*_NOBODY)
    try:
        await client.register(ghost)
    except BridgeError as error:
        remedy = "compare the registration: `causeway register` tells what differs; --force writes it anew"
        return failed("homeserver", error, remedy)
    return Finding("homeserver", "ok", f"lets the bridge make ghosts, as {ghost}, who stands for nobody")


async def _takes_media(client: MatrixClient, settings: Settings) -> Finding:
    """Ask how large a file may be, and have a few bytes taken and given back."""
    try:
        limit = await client.media.media_config()
        mxc = await client.media.upload(_bytes(), "text/plain", "causeway-check.txt", len(_FILE))
        async with client.media.download(mxc) as found:
            given = b"".join([chunk async for chunk in found.chunks])
    except BridgeError as error:
        return failed("homeserver", error, "see that its media repository is switched on, and has room")
    if given != _FILE:
        return Finding("homeserver", "fail", "gives another file back than it took", "look into its media repository")
    if limit is not None and limit < settings.files.max_size:
        detail = f"takes files of up to {limit:,} bytes; larger ones become a notice (its max_upload_size decides)"
        return Finding("homeserver", "ok", detail)
    return Finding("homeserver", "ok", "takes files as large as files.max_size, and gives them back")


async def _bytes() -> AsyncIterator[bytes]:
    yield _FILE


def speaks(address: str, versions: tuple[str, ...]) -> Finding:
    """Say whether these versions of the specification are enough."""
    numbers = sorted(
        tuple(int(part) for part in version[1:].split("."))
        for version in versions
        if version.startswith("v") and version[1:].replace(".", "").isdigit()
    )
    if not numbers or numbers[-1] < OLDEST:
        detail = f"{address} speaks no version of Matrix from 1.4 on"
        return Finding("homeserver", "fail", detail, "upgrade the homeserver")
    return Finding("homeserver", "ok", f"{address} answers and speaks Matrix {'.'.join(map(str, numbers[-1]))}")


async def _reached(client: MatrixClient, settings: Settings) -> Findings:
    if not await is_listening(settings.appservice.listen):
        detail = f"nothing listens on {settings.appservice.listen}: the way from the homeserver was not tried"
        yield Finding("homeserver", "skip", detail, "check again while the bridge runs")
        return
    try:
        duration = await client.ping_appservice(settings.appservice.id)
    except BridgeError as error:
        yield failed("homeserver", error, "check appservice.url and appservice.listen")
        return
    yield Finding("homeserver", "ok", f"reaches the bridge at {settings.appservice.url} in {duration} ms")


async def _moderators(client: MatrixClient, name: str, settings: Settings) -> Finding:
    """Say whether the room of moderators is there, and whether what is held may be quoted there."""
    found = await _room(client, name, "policies[].hold.room")
    if found.outcome != "ok":
        return found
    try:
        room = await client.rooms.resolve_alias(name) if name.startswith("#") else RoomId(name)
        states = [await client.get_state(room or RoomId(name), kind) for kind in (JOINING, HISTORY, ENCRYPTED)]
    except BridgeError:  # an invited bot sees nothing of it yet
        return found
    hides = reason_to_hide(
        states[0],
        states[1],
        is_portal=name in [mapping.matrix for mapping in settings.portals.map],
        is_clear=states[2] is None,
        from_encrypted=settings.rooms.encryption,
    )
    if not hides:
        return found
    remedy = "close it, or leave it so: moderators then read what is held in the console"
    return Finding("homeserver", "warn", f"nothing that is held is quoted in {name}: {hides}", remedy)


async def _room(client: MatrixClient, name: str, where: str) -> Finding:
    """Say whether a room is there and the bot in it; joining is left to the bridge."""
    try:
        room = await client.rooms.resolve_alias(name) if name.startswith("#") else RoomId(name)
        if room is None:
            remedy = f"check the alias in {where}, or give the room that alias"
            return Finding("homeserver", "fail", f"there is no room {name}", remedy)
        member = await client.rooms.member(room, client.bot)
    except Refused:  # whoever is not in a room may not see who is
        member = None
    except BridgeError as error:
        return failed("homeserver", error)
    if member is not None and member.membership in ("join", "invite"):
        return Finding("homeserver", "ok", f"the bot is {'in' if member.membership == 'join' else 'invited to'} {name}")
    remedy = f"unless everybody may join it, invite {client.bot}"
    return Finding("homeserver", "warn", f"the bot is not in the room {name} yet", remedy)
