"""The bridge's own ceiling: a flood from Slack, a homeserver that answers at once, the bridge on one core.

The bridge has a core for itself; Slack and the homeserver share the others. Where the machine has other work, the
figure by processor time tells what the bridge alone needs.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from tests.bench.figures import at_least, told
from tests.bench.service import Service
from tests.bench.workspace import PEOPLE, seed, text_of
from tests.sandbox.homeserver.process import InstantProcess
from tests.sandbox.postgres import Postgres
from tests.sandbox.slack import Limits, SlackSandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bench.figures import Figure

CHANNELS = 16


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield the rates with both databases, and where the time goes."""
    messages = 1600 if quick else 4800
    for dialect in ("sqlite", "postgres"):
        rates, own = [], []
        async with AsyncExitStack() as stack:
            server = stack.enter_context(Postgres(durable=True)) if dialect == "postgres" else None
            for turn in range(1 if quick else 3):
                store = await server.fresh_database() if server is not None else ""
                rate, by_cpu, _ = await _flood(_below(directory, f"{dialect}-{turn}"), messages, store)
                rates.append(rate)
                own.append(by_cpu)
            store = await server.fresh_database() if server is not None else ""
            _, _, shares = await _flood(_below(directory, f"{dialect}-sampled"), messages, store, sampled=True)
        more = f" ({max(own):.0f}/s by processor time of the bridge)"
        what = f"The bridge's own ceiling on one core, {'SQLite' if dialect == 'sqlite' else 'PostgreSQL'}"
        if dialect == "sqlite":
            yield at_least(what, max(rates), 500, "/s", more)
        else:
            yield told(what, f"{max(rates):.1f}/s{more}")
        yield told("  where its time goes", shares)


def _below(directory: Path, name: str) -> Path:
    made = directory / name
    made.mkdir()
    return made


async def _flood(directory: Path, messages: int, store: str, *, sampled: bool = False) -> tuple[float, float, str]:
    """Return messages a second by the clock and by the bridge's processor time, and the shares of its stages."""
    cores = sorted(os.sched_getaffinity(0))
    async with SlackSandbox(partial(seed, CHANNELS), limits=Limits.off()) as slack:
        team = slack.team()
        service = Service(
            directory, api_url=slack.api_url, bot_token=team.bot_token, app_token=team.app_token, store=store
        )
        if sampled:
            service.sampled()
        try:
            if len(cores) > 1:
                os.sched_setaffinity(0, cores[1:])  # children inherit it
            async with InstantProcess(directory, registrations=[service.registration]) as homeserver:
                await service.between(homeserver.url).start(cores[0])
                try:
                    rate, by_cpu = await _timed(slack, service, messages)
                finally:
                    await service.__aexit__()
        finally:
            os.sched_setaffinity(0, cores)
    return rate, by_cpu, _shares(service.samples) if sampled else ""


async def _timed(slack: SlackSandbox, service: Service, messages: int) -> tuple[float, float]:
    await service.until("SELECT COUNT(*) FROM portals WHERE state = 'live'", lambda count: count == CHANNELS)
    people = [slack.team().person(name) for name in PEOPLE]
    relayed = 0
    for channel in range(CHANNELS):
        for person in people:
            person.post(f"#c{channel}", "hello")
            relayed += 1
    await service.until_relayed(relayed)
    used, began = service.cpu_seconds(), time.perf_counter()
    for number in range(messages):
        people[number % len(people)].post(f"#c{number % CHANNELS}", text_of(number))
        if number % 50 == 49:
            await asyncio.sleep(0)
    await service.until_relayed(relayed + messages)
    took, used = time.perf_counter() - began, service.cpu_seconds() - used
    return messages / took, messages / used


def _shares(samples: Path) -> str:
    found: dict[str, float] = json.loads(samples.read_text())
    whole = sum(found.values())
    ordered = sorted(found.items(), key=lambda one: -one[1])
    return ", ".join(f"{stage} {100 * seconds / whole:.0f} %" for stage, seconds in ordered if seconds > whole / 100)
