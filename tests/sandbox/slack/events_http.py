"""The Events API over HTTP: the challenge, signed posts, retries with their headers."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from typing import TYPE_CHECKING

import aiohttp
import orjson

if TYPE_CHECKING:
    from tests.sandbox.slack.delivery import Delivery, Parcel
    from tests.sandbox.slack.faults import Faults
    from tests.sandbox.slack.state import App, Mint


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's v0 signature of a body."""
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return f"v0={digest.hexdigest()}"


class EventsHttp:
    """Posts parcels to the request URLs of apps. Posts start in order and run side by side."""

    def __init__(self, mint: Mint, faults: Faults, delivery: Delivery) -> None:
        self._mint, self._faults, self._delivery = mint, faults, delivery
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Ends what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def set_request_url(self, app: App, url: str) -> None:
        """What the settings page of an app does: sends the challenge, and keeps a URL that answers it.

        Raises ValueError when the challenge does not come back.
        """
        challenge = self._mint.secret(40)
        body = orjson.dumps({"token": app.verification_token, "challenge": challenge, "type": "url_verification"})
        status, answer = await self._post(app, url, body, {})
        text = answer.decode(errors="replace").strip()
        ok = status == 200 and (text == challenge or f'"{challenge}"' in text or text == f"challenge={challenge}")
        if not ok:
            raise ValueError(f"Your URL didn't respond with the value of the challenge parameter: {status} {text!r}")
        app.request_url, app.socket_mode = url, False

    def send(self, parcel: Parcel) -> None:
        """Starts an attempt."""
        self._spawn(parcel, 0.0)
        if self._faults.duplicated_envelopes:
            self._faults.duplicated_envelopes -= 1
            self._spawn(parcel, 0.0)

    def _spawn(self, parcel: Parcel, delay: float) -> None:
        if self._faults.delayed_envelopes:
            delay = self._faults.delayed_envelopes.popleft()
        task = asyncio.get_running_loop().create_task(self._attempt(parcel, delay))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, parcel: Parcel, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        url = parcel.app.request_url
        if self._faults.outage:
            self._delivery.failed(parcel, "unknown_error")
            return
        if url is None:
            self._delivery.failed(parcel, "unknown_error", retry=False)
            return
        headers = {}
        if parcel.attempt:
            headers = {"x-slack-retry-num": str(parcel.attempt), "x-slack-retry-reason": parcel.reason}
        attempt = parcel.attempt
        reason, retry = "http_error", True
        try:
            async with asyncio.timeout(self._delivery.times.ack_wait):
                status, retry = await self._knock(parcel, url, headers)
            if 200 <= status < 300:
                self._delivery.done(parcel)
                return
        except TimeoutError:
            reason = "http_timeout"
        except aiohttp.TooManyRedirects:
            reason = "too_many_redirects"
        except (aiohttp.ClientError, OSError):
            reason = "connection_failed"
        if parcel.attempt == attempt:
            self._delivery.failed(parcel, reason, retry)

    async def _knock(self, parcel: Parcel, url: str, headers: dict[str, str]) -> tuple[int, bool]:
        async with self._open().post(
            url, data=parcel.body, headers=self._headers(parcel.app, parcel.body, headers), max_redirects=2
        ) as answer:
            await answer.read()
            return answer.status, answer.headers.get("x-slack-no-retry") != "1"

    async def _post(self, app: App, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        async with self._open().post(url, data=body, headers=self._headers(app, body, headers)) as answer:
            return answer.status, await answer.read()

    def _headers(self, app: App, body: bytes, more: dict[str, str]) -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "content-type": "application/json",
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": signature(app.signing_secret, timestamp, body),
            **more,
        }

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session
