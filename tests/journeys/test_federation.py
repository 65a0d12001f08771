"""A second homeserver that federates over the loopback: portals let it in where it may take part, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bridge.app import Hooks, run
from config.registration import registration
from tests.journeys.stage import QUICK, settings_for
from tests.journeys.world import people_of
from tests.sandbox.child import LOOPBACK, free_port
from tests.sandbox.homeserver.federation import Authority, Federating
from tests.sandbox.homeserver.synapse import Synapse
from tests.sandbox.homeserver.transport import RequestRefused
from tests.sandbox.slack import Limits, SlackSandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.sandbox.homeserver.person import Person

OURS, THEIRS = "127.0.0.2", "127.0.0.3"
POLICIES = {
    "supplier": {"servers": [THEIRS]},
    "ministry": {"servers": ["*.ministry.example"]},
    "internal": {"federate": False},
}


@dataclass(frozen=True)
class Scene:
    """Slack, our homeserver with the bridge, and another homeserver with somebody on it."""

    slack: SlackSandbox
    ours: Person
    theirs: Person
    server_name: str

    def alias(self, channel: str) -> str:
        team = self.slack.team()
        return f"#slack_{team.id}_{team.channel(channel).id}:{self.server_name}".lower()

    async def open_room(self, channel: str) -> str:
        """Return the room that mirrors a channel, once our own person could join it."""
        while True:
            with contextlib.suppress(RequestRefused):
                return await self.ours.join(self.alias(channel))
            await asyncio.sleep(0.05)


async def joined(person: Person, room: str) -> set[str]:
    """Return who is in a room, and not merely invited."""
    return set((await person.get("rooms", room, "joined_members"))["joined"])


@pytest.fixture
async def scene(tmp_path: Path, synapse_template: Path, sqlite_url: str) -> AsyncIterator[Scene]:
    authority = Authority(tmp_path / "certificates")
    ours, theirs = Federating(authority, OURS), Federating(authority, THEIRS)
    channels = tuple(POLICIES)
    port, client_port = free_port(), free_port()
    async with contextlib.AsyncExitStack() as stack:
        sandbox = SlackSandbox(lambda slack: people_of(slack, channels), limits=Limits.off(), times=QUICK)
        slack = await stack.enter_async_context(sandbox)
        address = f"http://{LOOPBACK}:{client_port}"
        team = slack.team()
        settings = settings_for(
            slack,
            address,
            sqlite_url,
            port,
            homeserver={"domain": ours.server_name, "address": address},
            rooms={"join_rule": "invite", "invite": [f"@ada:{ours.server_name}"]},
            admins=[f"@ada:{ours.server_name}"],
            policies=[{"name": name, "room": room} for name, room in POLICIES.items()],
            portals={"map": [{"slack": team.channel(name).id, "policy": name} for name in POLICIES]},
        )
        first = Synapse(
            tmp_path / "ours",
            registrations=[registration(settings)],
            template=synapse_template,
            port=client_port,
            federating=ours,
        )
        second = Synapse(tmp_path / "theirs", template=synapse_template, federating=theirs)
        await asyncio.gather(*(stack.enter_async_context(one) for one in (first, second)))
        people = [await homeserver.person(name) for homeserver, name in ((first, "ada"), (second, "eve"))]
        ready = asyncio.Event()
        bridge = asyncio.create_task(run(settings, Hooks(ready=ready.set, limits_scale=0)))
        await asyncio.wait([bridge, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
        try:
            yield Scene(slack, people[0], people[1], ours.server_name)
        finally:
            bridge.cancel()
            await asyncio.wait([bridge])


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_another_homeserver_takes_part_where_it_may_and_nowhere_else(scene: Scene) -> None:
    room = await scene.open_room("supplier")
    await scene.ours.invite(room, scene.theirs.user_id)
    assert await scene.theirs.join(scene.alias("supplier")) == room
    await scene.theirs.say(room, "from the other homeserver")
    scene.slack.team().person("alice").post("supplier", "from Slack")
    while "from Slack" not in [line.body for line in await scene.theirs.timeline(room)]:
        await asyncio.sleep(0.1)
    while "from the other homeserver" not in [entry.text for entry in scene.slack.team().transcript("supplier")]:
        await asyncio.sleep(0.1)

    for channel in ("ministry", "internal"):
        shut = await scene.open_room(channel)
        with contextlib.suppress(RequestRefused):
            await scene.ours.invite(shut, scene.theirs.user_id)
        with pytest.raises(RequestRefused) as refused:
            await scene.theirs.join(scene.alias(channel))
        assert refused.value.status == 403
        assert scene.theirs.user_id not in await joined(scene.ours, shut)
