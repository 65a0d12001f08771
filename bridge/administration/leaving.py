"""What leaves this house: every place to which the bridge connects as it is configured, and what goes there.

A test lets a bridge do whatever it does, and fails on a connection to any place that is not named here; another fails
on code that opens connections and is not known to lead to one of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

if TYPE_CHECKING:
    from config.settings import Settings

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "postgres": 5432, "postgresql": 5432}
_FILE_HOSTS = "files.slack.com, *.slack.com, *.slack-edge.com, *.slack-files.com, by TLS alone"


@dataclass(frozen=True, slots=True)
class Destination:
    """A place outside of the bridge: by which setting it is chosen, and what goes there."""

    setting: str
    where: str
    what: str
    address: tuple[str, int] | None = None
    """Host and port, where they are one."""


def destinations(settings: Settings) -> list[Destination]:
    """Return every place to which the bridge connects; addresses without what is secret in them."""
    found = [
        _at(
            "slack.api_url",
            settings.slack.api_url,
            "What may cross from bridged rooms: texts, files, names of the people who write, reactions, pins, topics, "
            "typing; the tokens of the app, and of people who connected their accounts",
        ),
        Destination(
            "messages of Slack",
            _FILE_HOSTS,
            "Requests for the files, pictures and emoji that messages name, and sockets; a token to slack.com alone",
        ),
        _at(
            "homeserver.address",
            settings.homeserver.address,
            "What comes from Slack: texts, files, names and pictures of its people; the application service's tokens",
        ),
    ]
    if settings.database.sqlite_path is None:
        what = "What waits to be relayed, links, names, the audit log; keys and tokens, sealed"
        found.append(_at("database.url", settings.database.url.reveal(), what))
    scanner = settings.files.scanner
    if scanner.clamd and not scanner.clamd.startswith("/"):
        found.append(_at("files.scanner.clamd", f"tcp://{scanner.clamd}", "Files before they cross"))
    elif scanner.clamd or scanner.command:
        setting = "files.scanner.clamd" if scanner.clamd else "files.scanner.command"
        found.append(
            Destination(setting, scanner.clamd or scanner.command[0], "Files before they cross, on this machine")
        )
    if settings.public.url is not None:
        what = "One request of causeway check, to see whether the bridge itself answers there"
        found.append(_at("public.url", settings.public.url, what))
    for scheme, proxy in sorted(getproxies().items()):
        if scheme != "no":
            found.append(_at(f"{scheme}_proxy of the environment", proxy, "What goes to Slack"))
    return found


def _at(setting: str, url: str, what: str) -> Destination:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    return Destination(setting, f"{host}:{port}" if port else host, what, (host, port))
