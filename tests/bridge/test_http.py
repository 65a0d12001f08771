"""The listener's life."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web

from bridge.errors import Fatal
from bridge.http import Listener, posted
from tests.sandbox.child import free_port


def application() -> web.Application:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    return app


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_it_serves_at_its_url_until_it_is_stopped(host: str) -> None:
    listener = Listener(application(), host, 0)
    try:
        await listener.start()
    except Fatal:
        pytest.skip(f"this machine has no {host}")
    url = listener.url
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            assert await response.text() == "hello"
        await listener.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)


async def test_a_taken_address_is_fatal_and_says_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        listener = Listener(application(), "127.0.0.1", port)
        with pytest.raises(Fatal, match=rf"127\.0\.0\.1:{port}.*Choose another"):
            await listener.start()
        assert listener.port == port
        await listener.stop()


@pytest.mark.parametrize("turns", range(6))
async def test_a_start_that_is_cut_off_leaves_no_port_bound(turns: int) -> None:
    port = free_port()
    cut_off = Listener(application(), "127.0.0.1", port)
    starting = asyncio.create_task(cut_off.start())
    for _ in range(turns):
        await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait([starting])
    await cut_off.stop()
    async with Listener(application(), "127.0.0.1", port) as listener:
        assert listener.port == port


async def test_what_is_no_http_is_answered_and_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def fault(_: web.Request) -> web.Response:
        raise RuntimeError("ours")

    app = web.Application()
    app.router.add_get("/fault", fault)
    async with Listener(app, "127.0.0.1", 0) as listener:
        for request in (
            b"\x16\x03\x01 GET /secret\r\n\r\n",
            b"GET /fault HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(request)
            answer = await reader.readline()
            writer.close()
            assert b" 400 " in answer or b" 500 " in answer
    assert "secret" not in caplog.text
    assert "RuntimeError: ours" in caplog.text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"--b\r\n\r\nx"),
        ("application/x-www-form-urlencoded; charset=nope", b"a=b"),
        ("application/x-www-form-urlencoded", b"\xff\xfe=%ff"),
    ],
)
async def test_what_is_no_form_is_the_fault_of_who_sent_it(kind: str, body: bytes) -> None:
    async def form(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await posted(request))))

    app = web.Application()
    app.router.add_post("/", form)
    async with Listener(app, "127.0.0.1", 0) as listener, aiohttp.ClientSession() as session:
        async with session.post(listener.url, data=body, headers={"Content-Type": kind}) as answer:
            assert answer.status == 400
        async with session.post(listener.url, data={"a": "b"}) as answer:
            assert await answer.text() == "1"
