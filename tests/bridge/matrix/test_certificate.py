"""A homeserver whose certificate nobody trusts is waited for, and the log says that it is the certificate."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bridge.errors import Later
from bridge.matrix.client import MatrixClient
from portals.ids import MatrixUserId
from tests.sandbox.child import LOOPBACK, free_port
from tests.sandbox.homeserver.federation import Authority

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_certificate_that_is_not_accepted_is_named_as_the_reason(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).issue(LOOPBACK)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    runner, port = web.AppRunner(web.Application()), free_port()
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port, ssl_context=tls).start()
    try:
        async with MatrixClient(f"https://{LOOPBACK}:{port}", "as" * 24, MatrixUserId("@causeway:localhost")) as matrix:
            with pytest.raises(Later, match=rf"the certificate of {LOOPBACK} is not accepted: .*certificate"):
                await matrix.versions()
    finally:
        await runner.cleanup()
