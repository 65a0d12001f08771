"""A reading in a process of its own, to be killed: `python -m tests.bridge.exports.api_child API_URL TOKEN FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp

from bridge.exports.from_api import ApiExport
from bridge.slack.client import SlackClient
from bridge.slack.limits import Limits
from tests.bridge.exports.api_scene import NOW


async def read(api_url: str, token: str, directory: str) -> None:
    async with aiohttp.ClientSession() as session:
        client = SlackClient("acme", token, session=session, limits=Limits(scale=0), api_url=api_url)
        await ApiExport(client, Path(directory), clock=lambda: NOW).write()


if __name__ == "__main__":
    asyncio.run(read(*sys.argv[1:]))
