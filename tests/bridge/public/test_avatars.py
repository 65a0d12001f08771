"""Pictures are served to whoever has an address of the bridge's own making, and only pictures."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from yarl import URL

from bridge.http import Listener
from bridge.public.allowance import Allowance
from bridge.public.avatars import LARGEST, Avatars
from bridge.public.face import application
from bridge.work.permalinks import Permalinks
from portals.avatars import AvatarAddresses, key_from

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from bridge.matrix.client import MatrixClient
    from tests.bridge.matrix.stub_homeserver import StubHomeserver

KEY = key_from("secret")
MXC = "mxc://hs.test/abc"
PNG = {"Content-Type": "image/png"}


class Face:
    """The listener with its own address."""

    def __init__(self, url: str, stranger: aiohttp.ClientSession) -> None:
        self.addresses = AvatarAddresses(url, KEY)
        self._url = url
        self._stranger = stranger

    async def fetch(self, address: str) -> tuple[int, str, bytes]:
        """Ask for an address that is sent as it stands."""
        async with self._stranger.get(URL(address, encoded=True), allow_redirects=False) as response:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            return response.status, response.content_type, await response.read()

    async def status(self, path: str) -> int:
        return (await self.fetch(self._url + path))[0]


@pytest.fixture
async def face(matrix: MatrixClient, stranger: aiohttp.ClientSession) -> AsyncIterator[Face]:
    avatars = AvatarAddresses("http://unused", KEY)
    async with Listener(application(_nowhere(), matrix.media, avatars), "127.0.0.1", 0) as listener:
        yield Face(listener.url, stranger)


def _nowhere() -> Permalinks:
    """Links are not asked for here."""
    return Permalinks.__new__(Permalinks)


async def test_slack_gets_a_small_picture_by_authenticated_media(face: Face, homeserver: StubHomeserver) -> None:
    homeserver.reply_bytes(200, b"png", {"Content-Type": "Image/PNG; charset=x"})
    assert await face.fetch(face.addresses.of(MXC)) == (200, "image/png", b"png")
    (asked,) = homeserver.asked
    assert asked.path == "/_matrix/client/v1/media/thumbnail/hs.test/abc"
    assert asked.query == {"width": "96", "height": "96", "method": "crop", "animated": "false"}
    assert asked.headers["Authorization"] == "Bearer secret-token"


async def test_a_picture_is_fetched_once_for_many(face: Face, homeserver: StubHomeserver) -> None:
    homeserver.reply_bytes(200, b"png", PNG)
    address = face.addresses.of(MXC)
    found = await asyncio.gather(*(face.fetch(address) for _ in range(5)))
    found.append(await face.fetch(address))
    assert {status for status, _, _ in found} == {200}
    assert len(homeserver.asked) == 1


async def test_a_forged_signature_asks_the_homeserver_nothing(face: Face, homeserver: StubHomeserver) -> None:
    address = face.addresses.of(MXC)
    forged = AvatarAddresses(address.partition("/avatar/")[0], key_from("guess")).of(MXC)
    another = face.addresses.of("mxc://hs.test/other").rpartition("/")[2]
    for wrong in (forged, address[:-1], address + "A", address.rpartition("/")[0] + "/" + another, address + "/"):
        assert (await face.fetch(wrong))[0] == 404
    assert homeserver.asked == []


async def test_a_picture_of_a_server_that_was_never_shown_is_not_fetched(
    face: Face, homeserver: StubHomeserver
) -> None:
    signature = face.addresses.of(MXC).rpartition("/")[2]
    assert await face.status(f"/avatar/evil.org/abc/{signature}") == 404
    assert await face.status(f"/avatar/hs.test/abd/{signature}") == 404
    assert homeserver.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/avatar/hs.test/abc/",
        "/avatar/../../_matrix/client/v3/account/whoami/x",
        "/avatar/%2e%2e/abc/{signature}",
        "/avatar/hs.test%2f..%2f../abc/{signature}",
        "/avatar/hs.test/abc%2f..%2fabc/{signature}",
        "/avatar/hs.test/abc%00/{signature}",
        "/avatar/hs.test/abc%3Fuser_id=@a:b/{signature}",
        "/avatar/hs.test/abc/{signature}%0d%0aX-Evil:%20yes",
        "/avatar/hs.test/abc/%C3%A4%FF",
        "/avatar//abc/{signature}",
        "/",
        "/_matrix/app/v1/users/@a:b",
    ],
)
async def test_no_trick_with_paths_leads_anywhere(face: Face, homeserver: StubHomeserver, path: str) -> None:
    signature = face.addresses.of(MXC).rpartition("/")[2]
    assert await face.status(path.replace("{signature}", signature)) == 404
    assert homeserver.asked == []


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/octet-stream", "image/png/html", ""])
async def test_what_is_no_image_is_not_passed_on(face: Face, homeserver: StubHomeserver, kind: str) -> None:
    homeserver.reply_bytes(200, b"<script>", {"Content-Type": kind})
    status, _, body = await face.fetch(face.addresses.of(MXC))
    assert status == 404
    assert b"script" not in body


async def test_what_is_too_large_is_not_passed_on(face: Face, homeserver: StubHomeserver) -> None:
    homeserver.reply_bytes(200, b"x" * (LARGEST + 1), PNG)
    assert (await face.fetch(face.addresses.of(MXC)))[0] == 404

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=PNG)
        await response.prepare(request)
        for _ in range(LARGEST // 1000 + 2):
            await response.write(b"x" * 1000)
        return response

    homeserver.replies.append(endless)
    assert (await face.fetch(face.addresses.of(MXC)))[0] == 404
    homeserver.reply_bytes(200, b"x" * LARGEST, PNG)
    assert (await face.fetch(face.addresses.of(MXC)))[0] == 200


async def test_a_picture_that_is_gone_is_not_found_and_a_homeserver_that_is_away_is_asked_again(
    face: Face, homeserver: StubHomeserver
) -> None:
    homeserver.reply(404, errcode="M_NOT_FOUND", error="gone")
    assert (await face.fetch(face.addresses.of(MXC)))[0] == 404
    homeserver.reply(502, errcode="M_UNKNOWN", error="away")
    assert (await face.fetch(face.addresses.of(MXC)))[0] == 503
    homeserver.reply_bytes(200, b"png", PNG)
    assert (await face.fetch(face.addresses.of(MXC)))[0] == 200


async def test_only_reading_is_answered(face: Face, stranger: aiohttp.ClientSession) -> None:
    async with stranger.post(face.addresses.of(MXC), data=b"x" * 10_000) as response:
        assert response.status == 404
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_without_avatars_there_are_none(matrix: MatrixClient, stranger: aiohttp.ClientSession) -> None:
    async with Listener(application(_nowhere(), matrix.media, None), "127.0.0.1", 0) as listener:
        assert (await Face(listener.url, stranger).fetch(AvatarAddresses(listener.url, KEY).of(MXC)))[0] == 404


async def test_few_pictures_are_kept_and_strangers_cannot_ask_for_any_number(
    matrix: MatrixClient, homeserver: StubHomeserver, stranger: aiohttp.ClientSession
) -> None:
    addresses = AvatarAddresses("", KEY)
    app = web.Application()
    avatars = Avatars(addresses, matrix.media, Allowance(0, 66))
    app.add_routes(avatars.routes())
    async with Listener(app, "127.0.0.1", 0) as listener:

        async def status(number: int) -> int:
            async with stranger.get(listener.url + addresses.of(f"mxc://hs.test/{number}")) as response:
                return response.status

        for number in range(66):
            homeserver.reply_bytes(200, b"png", PNG)
            assert await status(number) == 200
        assert len(homeserver.asked) == 66
        assert await status(65) == 200
        assert await status(0) == 429
        assert len(homeserver.asked) == 66
