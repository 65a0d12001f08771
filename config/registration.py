"""The registration file that tells the homeserver about the bridge, derived from the settings and nothing else.

The namespaces are exclusive and exact: the ghosts and aliases that the templates can make, on this server only, and
the bot. `differences` compares a file with the settings without ever quoting a token.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config.document import Plain, read_document, read_text
from config.problems import ConfigError
from config.reference import block, scalar
from config.settings import Settings, localpart_regex

if TYPE_CHECKING:
    from pathlib import Path as FilePath

    pass

HEADER = """\
# The registration of {id} on {domain}, written by `causeway register`.
# The homeserver loads it at its start; Synapse, from the list app_service_config_files in homeserver.yaml.
# It holds both tokens: keep it as secret as they are.
"""


def registration(settings: Settings) -> dict[str, Plain]:
    """The registration as values, tokens included."""
    service, domain = settings.appservice, re.escape(settings.homeserver.domain)
    return {
        "id": service.id,
        "url": service.url,
        "as_token": service.as_token.reveal(),
        "hs_token": service.hs_token.reveal(),
        "sender_localpart": service.bot_localpart,
        "namespaces": {
            "users": [
                {"exclusive": True, "regex": f"@{localpart_regex(service.ghost_localpart)}:{domain}$"},
                {"exclusive": True, "regex": f"@{re.escape(service.bot_localpart)}:{domain}$"},
            ],
            "aliases": [{"exclusive": True, "regex": f"#{localpart_regex(service.alias_localpart)}:{domain}$"}],
            "rooms": [],
        },
        "rate_limited": False,
        "receive_ephemeral": True,
        "de.sorunome.msc2409.push_ephemeral": True,
    }


def render(settings: Settings) -> str:
    """The registration file's text."""
    header = HEADER.format(id=settings.appservice.id, domain=settings.homeserver.domain)
    return header + "".join(line + "\n" for line in block(registration(settings)))


def differences(path: FilePath, settings: Settings) -> list[str]:
    """What a registration file says differently from the settings, one sentence each; empty where they agree.

    Keys of the file that Causeway knows nothing of are the admin's business. Raises ConfigError where the file cannot
    be read.
    """
    document = read_document(read_text(path), str(path))
    if document.problems:
        raise ConfigError(document.problems)
    found = document.values
    return [
        said for key, wanted in registration(settings).items() if (said := _difference(key, found.get(key), wanted))
    ]


def _difference(key: str, found: Plain, wanted: Plain) -> str:
    if key == "namespaces":
        return _namespaces(found, wanted)
    if key == "rooms" or found == wanted or (key == "url" and isinstance(found, str) and found.rstrip("/") == wanted):
        return ""
    if key.endswith("_token"):
        return f"{key} is another one" if found else f"{key} is missing"
    return f"{key} is {scalar(found) or 'missing'}, not {scalar(wanted)}"


def _namespaces(found: Plain, wanted: Plain) -> str:
    for kind in ("users", "aliases"):
        has, needs = (_regexes(namespaces, kind) for namespaces in (found, wanted))
        if lacking := needs - has:
            regex, exclusive = sorted(lacking)[0]
            return f"namespaces.{kind} lacks {regex} ({'exclusive' if exclusive else 'not exclusive'})"
    return ""


def _regexes(namespaces: Plain, kind: str) -> set[tuple[str, bool]]:
    items = namespaces.get(kind) if isinstance(namespaces, dict) else None
    return {
        (str(item.get("regex")), item.get("exclusive") is True)
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict)
    }
