"""A real Synapse gives back what was fetched for it, and says itself what is too large for it."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from bridge.matrix.client import MatrixClient
from bridge.store.directory import Directory
from bridge.store.files import FileState
from bridge.store.opening import open_database
from bridge.work.transfers import Transfers
from portals.facts import Rules
from portals.ids import MatrixUserId
from tests.bridge.work.file_world import NAMES, TEAM, file_of, file_world
from tests.sandbox.homeserver.synapse import Synapse
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from pathlib import Path

MOST = 50 * 1024 * 1024
"""What a Synapse takes that was not told otherwise."""
REGISTRATION: dict[str, Any] = {
    "id": "causeway",
    "url": None,
    "as_token": "as-secret",
    "hs_token": "hs-secret",
    "sender_localpart": "causeway",
    "rate_limited": False,
    "namespaces": {"users": [], "aliases": [], "rooms": []},
}


async def test_what_was_fetched_is_served_as_it_was(sqlite_url: str, tmp_path: Path, synapse_template: Path) -> None:
    content = {
        "picture.png": (png(300, 200, (1, 2, 3)), "image/png"),
        "Größe 🐍.txt": ("ünï\n".encode() * 10_000, "text/plain"),
        "nothing.bin": (b"", "application/octet-stream"),
    }
    database = await open_database(sqlite_url)
    async with (
        file_world(database) as world,
        Synapse(tmp_path / "synapse", registrations=[REGISTRATION], template=synapse_template) as synapse,
        MatrixClient(synapse.url, "as-secret", MatrixUserId("@causeway:localhost")) as matrix,
    ):
        world.transfers = Transfers(world.files, Directory(database, NAMES), matrix, world.installations, 10**9)
        world.content = {name: found for name, (found, _) in content.items()} | {"large.bin": b"x" * (MOST + 1)}
        fetcher = world.fetcher(rules=Rules(max_file_size=10**9))
        running = asyncio.create_task(fetcher.run())
        files = [
            replace(file_of(world.link(name), f"F{n}", len(found)), mimetype=mimetype)
            for n, (name, (found, mimetype)) in enumerate(content.items())
        ]
        await world.files.keep(fetcher.expecting(TEAM, [*files, file_of(world.link("large.bin"), "FLARGE", MOST + 1)]))
        fetcher.hurry()
        async with asyncio.timeout(60):
            await fetcher.settled()
        for file in files:
            known = await world.state(file.id)
            async with matrix.media.download(known.mxc) as served:
                data = b"".join([chunk async for chunk in served.chunks])
                headers = served.headers
            assert data == content[file.name][0]
            assert (known.state, known.seen, known.sha256) == (
                FileState.HERE,
                len(data),
                hashlib.sha256(data).hexdigest(),
            )
            assert headers["Content-Type"].partition(";")[0] == file.mimetype
            assert file.name in unquote(headers["Content-Disposition"])
        large = await world.state("FLARGE")
        assert (large.state, large.mxc) == (FileState.ABSENT, "")
        assert large.reason == f"the file is larger than the {MOST} bytes that the homeserver accepts"
        running.cancel()
        await asyncio.wait([running])
    await database.close()
