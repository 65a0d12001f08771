"""Whoever reads of a failed connection learns what to look at, and no secret of its address."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from bridge.faults import in_words


def key(host: str = "hs.test", port: int = 8448) -> ConnectionKey:
    return ConnectionKey(host, port, True, True, None, None, None)


def not_trusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (aiohttp.ClientConnectorError(key(), OSError(errno.ECONNREFUSED, "x")), "nothing listens at hs.test:8448"),
        (aiohttp.ClientConnectorError(key("::1"), OSError(errno.ENETUNREACH, "x")), "there is no way to [::1]:8448"),
        (aiohttp.ClientConnectorError(key(), OSError(errno.EACCES, "x")), "hs.test:8448: Permission denied"),
        (aiohttp.ClientConnectorError(key(), OSError("odd")), "no way to hs.test:8448"),
        (
            aiohttp.ClientConnectorDNSError(key(), socket.gaierror(-2, "Name or service not known")),
            "the name hs.test is not known here",
        ),
        (
            aiohttp.ClientConnectorCertificateError(key(), not_trusted()),
            "the certificate of hs.test is not accepted: self-signed certificate",
        ),
        (
            aiohttp.ClientConnectorSSLError(key(), ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")),
            "hs.test:8448 does not speak TLS: SSLError",
        ),
        (aiohttp.ServerDisconnectedError(), "the connection was closed before an answer came"),
        (aiohttp.ConnectionTimeoutError("timeout to host wss://x/?ticket=secret"), "no answer in time"),
        (TimeoutError(), "no answer in time"),
        (aiohttp.ClientPayloadError("https://x/?token=secret"), "ClientPayloadError"),
    ],
)
def test_a_failed_connection_is_told_in_words(fault: Exception, words: str) -> None:
    assert in_words(fault) == words


async def test_a_closed_port_is_told_by_its_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError) as caught:
            await session.get(f"http://127.0.0.1:{port}/?token=secret")
    assert in_words(caught.value) == f"nothing listens at 127.0.0.1:{port}"


async def test_a_server_without_tls_is_told_as_one() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError) as caught:
            await session.get(f"https://127.0.0.1:{port}/")
    assert in_words(caught.value).startswith(f"127.0.0.1:{port} does not speak TLS: ")
