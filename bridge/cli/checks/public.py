"""Whether the public listener can be reached at the address that others are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from bridge.cli.checks.finding import Finding, Findings
from bridge.cli.checks.listening import is_listening
from bridge.faults import in_words
from bridge.public.face import NOTHING
from config.manifest import asks_people

if TYPE_CHECKING:
    from config.settings import Settings

PATIENCE = 15.0


async def check_public(settings: Settings) -> Findings:
    """Ask the public address for what is not there; the bridge says so in words of its own."""
    public = settings.public
    if public.listen is None or public.url is None:
        return
    if not await is_listening(public.listen):
        detail = f"nothing listens on {public.listen}: the way to it was not tried"
        yield Finding("public", "skip", detail, "check again while the bridge runs")
        return
    try:
        async with (
            aiohttp.ClientSession(trust_env=True, timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session,
            session.get(f"{public.url}/archives/", allow_redirects=False) as response,
        ):
            is_ours = response.status == 404 and await response.content.read(len(NOTHING)) == NOTHING.encode()
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        detail = f"{public.url} cannot be reached from here: {in_words(error)}"
        yield Finding("public", "warn", detail, "make sure that others can reach it, Slack's servers for avatars")
        return
    if is_ours:
        yield Finding("public", "ok", f"{public.url} leads to the bridge")
    else:
        paths = "/archives/, /avatar/ and /slack/" if asks_people(settings) else "/archives/ and /avatar/"
        remedy = f"let the proxy pass {paths} on to {public.listen}"
        yield Finding("public", "fail", f"{public.url}/archives/ answers {status}, which is not the bridge", remedy)
