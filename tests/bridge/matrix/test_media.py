"""Files to and from a homeserver that answers as told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bridge.errors import Later, Refused
from bridge.matrix.client import MatrixClient
from bridge.matrix.media import Mxc
from portals.ids import MatrixUserId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bridge.matrix.stub_homeserver import StubHomeserver

FILE = Mxc("mxc://hs.test/abc")


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def allow(stub: StubHomeserver, size: int = 1000) -> None:
    stub.reply_bytes(200, b'{"m.upload.size": %d}' % size)


async def test_a_file_of_known_size_is_streamed_with_its_size(stub: StubHomeserver, client: MatrixClient) -> None:
    allow(stub)
    stub.reply(content_uri=FILE)
    assert await client.media.upload(chunks(b"ab", b"c"), "text/plain", "a b.txt", size=3) == FILE
    asked = stub.asked[1]
    assert asked.path == "/_matrix/media/v3/upload"
    assert asked.query == {"filename": "a b.txt"}
    assert asked.headers["Content-Length"] == "3"
    assert asked.headers["Content-Type"] == "text/plain"
    assert asked.body == b"abc"


async def test_a_file_of_unknown_size_has_one_by_the_time_it_is_sent(
    stub: StubHomeserver, client: MatrixClient
) -> None:
    allow(stub, 10_000_000)
    stub.reply(content_uri=FILE)
    parts = [bytes([n]) * 300_000 for n in range(8)]
    await client.media.upload(chunks(*parts), "application/json", "x")
    assert stub.asked[1].headers["Content-Length"] == "2400000"
    assert stub.asked[1].body == b"".join(parts)


@pytest.mark.parametrize("size", [0, None])
async def test_an_empty_file_is_a_file(stub: StubHomeserver, client: MatrixClient, size: int | None) -> None:
    if size is not None:
        allow(stub)
    stub.reply(content_uri=FILE)
    assert await client.media.upload(chunks(), "text/plain", "", size=size) == FILE
    assert stub.asked[-1].headers["Content-Length"] == "0"


@pytest.mark.parametrize("size", [2000, None])
async def test_a_file_above_the_limit_is_refused_before_it_is_sent(
    stub: StubHomeserver, client: MatrixClient, size: int | None
) -> None:
    allow(stub)
    allow(stub)
    with pytest.raises(Refused, match="max_upload_size") as caught:
        await client.media.upload(chunks(b"x" * 600, b"x" * 1400), "text/plain", "x", size=size)
    assert caught.value.code == "M_TOO_LARGE"
    assert all(asked.path.endswith("/media/config") for asked in stub.asked)


async def test_a_limit_that_was_raised_is_noticed(stub: StubHomeserver, client: MatrixClient) -> None:
    allow(stub, 2)
    with pytest.raises(Refused):
        await client.media.upload(chunks(b"abc"), "text/plain", "x", size=3)
    allow(stub, 3)
    stub.reply(content_uri=FILE)
    assert await client.media.upload(chunks(b"abc"), "text/plain", "x", size=3) == FILE


@pytest.mark.parametrize("parts", [(b"ab",), (b"ab", b"cd"), (b"abcd",)])
async def test_a_file_that_differs_from_its_size_is_not_stored_cut(
    stub: StubHomeserver, client: MatrixClient, parts: tuple[bytes, ...]
) -> None:
    allow(stub)
    with pytest.raises(Later, match="3 bytes that were announced"):
        await client.media.upload(chunks(*parts), "text/plain", "x", size=3)


async def test_an_error_of_the_source_is_raised_as_it_is(stub: StubHomeserver, client: MatrixClient) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"a"
        raise Refused("not_allowed", "Slack answered with a login page")

    allow(stub)
    with pytest.raises(Refused, match="login page"):
        await client.media.upload(breaking(), "text/plain", "x", size=3)
    with pytest.raises(Refused, match="login page"):
        await client.media.upload(breaking(), "text/plain", "x")


async def test_a_refused_upload_has_the_homeserver_s_code(stub: StubHomeserver, client: MatrixClient) -> None:
    allow(stub)
    stub.reply(413, errcode="M_TOO_LARGE", error="too large")
    with pytest.raises(Refused) as caught:
        await client.media.upload(chunks(b"abc"), "text/plain", "x", size=3)
    assert caught.value.code == "M_TOO_LARGE"


async def test_a_source_that_stands_still_is_given_up(stub: StubHomeserver) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(3600)

    allow(stub)
    async with MatrixClient(stub.url, "secret-token", MatrixUserId("@bot:hs.test"), timeout=0.1) as client:
        with pytest.raises(Later, match="in time"):
            await client.media.upload(stuck(), "text/plain", "x", size=3)


async def test_a_homeserver_with_the_old_address_states_its_limit_there(
    stub: StubHomeserver, client: MatrixClient
) -> None:
    stub.reply(404, errcode="M_UNRECOGNIZED", error="?")
    allow(stub, 7)
    assert await client.media.media_config() == 7
    stub.reply_bytes(200, b'{"m.upload.size": "much"}')
    assert await client.media.media_config() is None


async def read(client: MatrixClient, mxc: Mxc = FILE, limit: int | None = None) -> bytes:
    async with client.media.download(mxc, limit) as download:
        return b"".join([chunk async for chunk in download.chunks])


async def test_a_file_is_read_with_the_service_s_token(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply_bytes(200, b"abc", {"Content-Type": "image/png"})
    async with client.media.download(FILE) as download:
        assert download.content_type == "image/png"
        assert download.size == 3
        assert b"".join([chunk async for chunk in download.chunks]) == b"abc"
    assert stub.asked[0].path == "/_matrix/client/v1/media/download/hs.test/abc"
    assert stub.asked[0].headers["Authorization"] == "Bearer secret-token"


async def test_a_homeserver_without_authenticated_media_is_asked_the_old_way(
    stub: StubHomeserver, client: MatrixClient
) -> None:
    stub.reply(404, errcode="M_UNRECOGNIZED", error="?")
    stub.reply_bytes(200, b"abc")
    assert await read(client) == b"abc"
    assert stub.asked[1].path == "/_matrix/media/v3/download/hs.test/abc"


async def test_a_thumbnail_is_asked_for_by_its_size_the_old_way_too(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(404, errcode="M_UNRECOGNIZED", error="?")
    stub.reply_bytes(200, b"small")
    async with client.media.thumbnail(FILE, 96, 10) as found:
        assert [chunk async for chunk in found.chunks] == [b"small"]
    assert [asked.path for asked in stub.asked] == [
        "/_matrix/client/v1/media/thumbnail/hs.test/abc",
        "/_matrix/media/v3/thumbnail/hs.test/abc",
    ]
    assert stub.asked[0].query == stub.asked[1].query == {
        "width": "96", "height": "96", "method": "crop", "animated": "false",
    }  # fmt: skip


async def test_a_file_that_is_gone_is_refused(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply(404, errcode="M_NOT_FOUND", error="gone")
    with pytest.raises(Refused, match="gone"):
        await read(client)


@pytest.mark.parametrize(
    "mxc",
    [
        "",
        "https://hs.test/abc",
        "mxc://hs.test",
        "mxc://hs.test/../x",
        "mxc://hs.test/a/b",
        "mxc://h s/a?b",
        "mxc://../a",
    ],
)
async def test_what_is_no_file_s_address_is_never_asked_for(
    stub: StubHomeserver, client: MatrixClient, mxc: str
) -> None:
    with pytest.raises(Refused):
        await read(client, Mxc(mxc))
    assert stub.asked == []


async def test_a_file_that_says_it_is_too_large_is_not_read(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply_bytes(200, b"x" * 100)
    with pytest.raises(Refused) as caught:
        await read(client, limit=99)
    assert caught.value.code == "M_TOO_LARGE"


async def test_a_file_that_hides_its_size_is_cut_off_at_the_limit(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply_bytes(200, chunks(b"x" * 60, b"x" * 60))
    async with client.media.download(FILE, limit=100) as download:
        assert download.size is None
        with pytest.raises(Refused, match="100 bytes"):
            async for _ in download.chunks:
                pass


async def test_a_file_cut_in_transit_is_never_taken_for_whole(stub: StubHomeserver, client: MatrixClient) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"x" * 10)
        assert request.transport is not None
        request.transport.close()
        return response

    stub.replies.append(cut)
    with pytest.raises(Later):
        await read(client)


async def test_a_redirect_to_another_server_is_not_followed(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply_bytes(307, b"", {"Location": "http://169.254.169.254/"})
    with pytest.raises(Later, match="redirect"):
        await read(client)


async def test_an_error_of_the_reader_stays_its_own(stub: StubHomeserver, client: MatrixClient) -> None:
    stub.reply_bytes(200, b"abc")
    with pytest.raises(TimeoutError, match="Slack"):
        async with client.media.download(FILE):
            raise TimeoutError("of Slack")
