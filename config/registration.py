"""The registration file that tells the homeserver about the bridge, derived from the settings and nothing else.

The namespaces are exclusive and exact: the ghosts and aliases that the templates can make, on this server only, and
the bot. `differences` compares a file with the settings without ever quoting a token.

A second registration, `double_puppet`, lets the bridge act as people's own accounts, with a token of its own. Its
namespace is not exclusive: the accounts stay their owners', and the homeserver sends nothing to it.
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


PUPPET_HEADER = """\
# The second registration of {id} on {domain}, written by `causeway register`: it lets the bridge act as the accounts
# in its namespace, which stay their owners'. The homeserver loads it beside the first one.
# Whoever holds its token can act as any of these people: keep it secret.
"""


def registration(settings: Settings) -> dict[str, Plain]:
    """The registration as values, tokens included."""
    service, domain = settings.appservice, re.escape(settings.homeserver.domain)
    return {
        "id": service.id,
        "url": service.url,
        "as_token": service.as_token.reveal(),
        "hs_token": service.hs_token.reveal(),
        "sender_localpart": service.bot_localpart + ("" if settings.bot_is_sender else "-service"),
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
        **({"io.element.msc4190": True} if settings.encryption.key is not None else {}),
    }


def double_puppet(settings: Settings) -> dict[str, Plain] | None:
    """The second registration as values, its token included; None where the bridge acts as nobody."""
    puppet, domain = settings.double_puppet, settings.homeserver.domain
    if puppet.as_token is None:
        return None
    users: list[Plain] = [
        {"exclusive": False, "regex": _regex(pattern)} for pattern in puppet.accounts or (f"@*:{domain}",)
    ]
    return {
        "id": puppet.id,
        "url": None,
        "as_token": puppet.as_token.reveal(),
        "hs_token": "never used, since the homeserver has no address to call",
        "sender_localpart": f"{settings.appservice.bot_localpart}-doublepuppet",
        "namespaces": {"users": users, "aliases": [], "rooms": []},
        "rate_limited": False,
    }


def _regex(pattern: str) -> str:
    """Return a pattern with * and ? as the homeserver wants it; it matches from the beginning."""
    return "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern) + "$"


def render(settings: Settings) -> str:
    """The registration file's text."""
    return written(settings, registration(settings))


def written(settings: Settings, values: dict[str, Plain]) -> str:
    """The text of the file that holds one of the two registrations."""
    header = HEADER if values["url"] is not None else PUPPET_HEADER
    header = header.format(id=settings.appservice.id, domain=settings.homeserver.domain)
    return header + "".join(f"{line}\n" for line in block(values))


def differences(path: FilePath, settings: Settings, wanted: dict[str, Plain] | None = None) -> list[str]:
    """What a registration file says differently from the settings, one sentence each; empty where they agree.

    `wanted` is the second registration, where the file is to hold that one.

    Keys of the file that Causeway knows nothing of are the admin's business. Raises ConfigError where the file cannot
    be read.
    """
    document = read_document(read_text(path), str(path))
    if document.problems:
        raise ConfigError(document.problems)
    found = document.values
    return [
        said
        for key, right in (wanted or registration(settings)).items()
        if (said := _difference(key, found.get(key), right))
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
