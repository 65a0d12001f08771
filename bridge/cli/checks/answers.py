"""What somebody answered at a first set-up, tried before it stands in any file.

The homeserver does not know the bridge yet, so it is asked only what it tells everybody: which versions it speaks,
what it is called in user ids, and which software it is. The last two are for whoever sets up, and may stay open.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from bridge.cli.checks.finding import Finding
from bridge.cli.checks.matrix import PATIENCE, speaks
from bridge.faults import in_words

if TYPE_CHECKING:
    from config.values import Listen

    Json = dict[str, Any]  # Any: foreign JSON


@dataclass(frozen=True, slots=True)
class Homeserver:
    """What answers at an address; `name` is what stands in its user ids, empty where it does not say."""

    finding: Finding
    name: str = ""
    software: str = ""


async def try_homeserver(address: str) -> Homeserver:
    """Ask who answers at a homeserver's address; no token is shown, for Synapse refuses any that it does not know."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
        try:
            versions, banner = await _answer(session, f"{address}/_matrix/client/versions")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            remedy = "check --homeserver, and that the homeserver runs"
            return Homeserver(Finding("homeserver", "fail", in_words(error), remedy))
        spoken = versions.get("versions")
        if not isinstance(spoken, list):
            detail, remedy = (
                f"what answers at {address} is no homeserver",
                "check --homeserver: is it a proxy's address?",
            )
            return Homeserver(Finding("homeserver", "fail", detail, remedy))
        finding = speaks(address, tuple(one for one in spoken if isinstance(one, str)))
        if finding.outcome != "ok":
            return Homeserver(finding)
        keys = await _told(session, f"{address}/_matrix/key/v2/server")
        version = await _told(session, f"{address}/_matrix/federation/v1/version")
    server = version.get("server")
    told = server if isinstance(server, dict) else {}
    software, number = _word(told.get("name")), _word(told.get("version"))
    if not software and banner.startswith("Synapse/"):  # a proxy in front says its own name here
        software, _, number = banner.partition("/")
    number = number.partition(" ")[0]
    if software:
        finding = Finding("homeserver", "ok", f"{finding.detail}: {software} {number}".rstrip())
    return Homeserver(finding, _word(keys.get("server_name")), software)


def fits(homeserver: Homeserver, domain: str) -> Finding:
    """Say whether a homeserver is the one of a server name."""
    if homeserver.name in ("", domain):
        return homeserver.finding
    detail = f"the homeserver is called {homeserver.name} in user ids, not {domain}"
    remedy = f"give --domain {homeserver.name}, or with --homeserver the address of the one that is called {domain}"
    return Finding("homeserver", "fail", detail, remedy)


async def _told(session: aiohttp.ClientSession, address: str) -> Json:
    """Return what an address says, where it says anything: many homeservers tell this on another port alone."""
    try:
        return (await _answer(session, address))[0]
    except (aiohttp.ClientError, TimeoutError, OSError):
        return {}


async def _answer(session: aiohttp.ClientSession, address: str) -> tuple[Json, str]:
    """Return the JSON object at an address, nothing where there is none, and what the server calls itself."""
    async with session.get(address, allow_redirects=False) as response:
        try:
            said = orjson.loads(await response.read()) if response.status == 200 else None
        except orjson.JSONDecodeError:
            said = None
    return said if isinstance(said, dict) else {}, _word(response.headers.get("Server"))


def _word(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() and len(value) < 256 else ""


def try_listen(listen: Listen) -> Finding:
    """Take an address for a moment, as the bridge will."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(place)
    except OSError as error:
        return Finding("listen", "fail", *_why_not(listen, error))
    return Finding("listen", "ok", f"{listen} is free for the bridge")


def _why_not(listen: Listen, error: OSError) -> tuple[str, str]:
    if error.errno == errno.EADDRINUSE:
        return f"something listens on {listen} already", "end it, or choose another port with --listen and --url"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        remedy = f"listen on 127.0.0.1:{listen.port}, or on 0.0.0.0:{listen.port} for every address of this machine"
        return f"{listen.host} is no address of this machine", remedy
    return f"{listen} cannot be used: {error.strerror}", "choose another port with --listen and --url, above 1024"
