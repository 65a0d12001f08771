"""What leaves this house: every connection of a bridge goes to its homeserver or to Slack, as the README says."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.administration.leaving import destinations
from tests.journeys.talk import talk_on
from tests.sandbox.slack import Upload
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from collections.abc import Iterator

_seen: list[set[tuple[str, int]]] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    """Note where a socket of this process connects to, and which name is looked up."""
    if not _seen:
        return
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        _seen[-1].add((str(arguments[1][0]), int(arguments[1][1])))
    elif event == "socket.getaddrinfo":
        _seen[-1].add((str(arguments[0]), int(str(arguments[1] or 0))))


sys.addaudithook(_note)  # it cannot be taken away again: without a listener it does nothing


@contextmanager
def connections() -> Iterator[set[tuple[str, int]]]:
    """Yield the places to which anything in this process connects meanwhile."""
    found: set[tuple[str, int]] = set()
    _seen.append(found)
    try:
        yield found
    finally:
        _seen.remove(found)


def place_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 0)


async def test_a_bridge_connects_to_slack_and_to_its_homeserver_alone(sqlite_url: str) -> None:
    with connections() as found:
        async with talk_on(sqlite_url) as talk:
            stage, room = talk.stage, talk.room
            alice, ada = talk.in_slack("alice"), talk.in_matrix("ada")
            ts = alice.post("general", "look at https://tracker.example/x.png").ts
            blocks = [{"type": "image", "image_url": "https://pictures.example/a.png", "alt_text": "a picture"}]
            alice.post("general", "with a picture", blocks=blocks)
            alice.post("general", files=[Upload("a.png", png(900, 600, (1, 2, 3)))])
            event = await ada.say(room, "and at https://other.example/", '<img src="https://evil.example/p.gif">hi')
            await ada.react(room, event, "👍")
            await ada.send_file(room, b"words", "a.txt", "text/plain")
            alice.edit("general", ts, "seen")
            await talk.settle()
            await stage.start()
            await talk.settle()
            ours = {place_of(stage.settings.appservice.url)}
            told = {one.address for one in destinations(stage.settings)}
    assert {place_of(stage.slack.api_url), place_of(stage.homeserver.url)} <= found & told
    assert found - told - ours == set()


async def test_the_watch_sees_a_connection_to_anywhere_else() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with connections() as found:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
    assert ("127.0.0.1", port) in found
