"""Files in and out of Slack, streamed: never whole in memory, never a token to a foreign host.

Promises: the bot's token, or the one of an export in its place, goes only to Slack's own hosts over https and to the
configured API address, and into no error or log line; redirects are followed by hand and only among hosts that are
allowed; a login page in place of the bytes is told as the missing scope that it is, or as a link that has expired; a
transfer ends at the size limit. An upload tells its file id before it is shared, so that an unknown outcome can be
settled by `shared_ts`. Refuses files that live outside Slack.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from bridge.errors import BridgeError, Later, Refused
from bridge.slack.reach import Reach
from bridge.slack.web import SLACK_API, Timeouts, retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from bridge.slack.client import SlackClient

log = logging.getLogger(__name__)

REDIRECTS: Final = 5
CHUNK: Final = 64 * 1024
PEEK: Final = 16 * 1024
"""How much of an HTML page is looked at to tell a login page from a file that is HTML."""

LOGIN_MARKS: Final = (b"signin_form", b"/signin", b"?redir=", b"sign in to ", b"sign in | slack", b"login | slack")
"""What is found, in lower case, in the page that Slack serves to a token that may not read the file."""

FILES_READ: Final = (
    'Add the line "- files:read" under oauth_config, scopes, bot in the app manifest'
    " (https://api.slack.com/apps, App Manifest), then install the app to the workspace again"
)
NEW_EXPORT: Final = "The links of an export expire: make a new export, or connect the bridge to the workspace"
CONNECT: Final = "Connect the bridge to the workspace, or import an export whose links have not expired"

LOOKS: Final = (0.0, 0.3, 0.7, 1.5, 3.0)
"""Seconds before each look for a share that Slack has not listed yet; it does so some time after the answer."""

_LONGEST_ALT: Final = 1_000
"""Characters: Slack refuses more with `alt_txt_too_large` (files.getUploadURLExternal)."""
_CANNOT_GO: Final = frozenset({"file_not_found", "file_deleted", "cant_delete_file"})


class Broken(Later):
    """Slack answered, and the file did not come whole: Slack is busy, or it is this one file that cannot be had."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way: `size` is None where Slack does not say it, `chunks` can be read once."""

    content_type: str
    size: int | None
    chunks: AsyncIterator[bytes]


class SlackFiles:
    """The files of one workspace; `max_bytes` bounds what comes in. All methods raise Later, Unsure or Refused.

    An empty `bot_token` is that of a workspace which the bridge is not connected to.
    """

    def __init__(
        self,
        client: SlackClient,
        bot_token: str,
        *,
        session: aiohttp.ClientSession,
        max_bytes: int,
        api_url: str = SLACK_API,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  frozen
    ) -> None:
        self._client = client
        self._bearer = {"Authorization": f"Bearer {bot_token}"} if bot_token else {}
        self._session = session
        self._max_bytes = max_bytes
        self._reach = Reach(api_url)
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeouts.call, sock_read=timeouts.transfer)

    def use(self, bot_token: str) -> None:
        """Show another bot token from now on."""
        self._bearer = {"Authorization": f"Bearer {bot_token}"} if bot_token else {}

    @property
    def is_connected(self) -> bool:
        """Whether there is a bot whose token opens files."""
        return bool(self._bearer)

    @asynccontextmanager
    async def download(self, url: str, *, mimetype: str = "", token: str = "") -> AsyncIterator[Download]:
        """Open `url_private` for reading; `mimetype` is what Slack's metadata says of the file, if it says so.

        The `token` of an export is shown in place of the bot's. Raises Refused with a remedy for a login page, a
        foreign host, a file that is gone or too large, Broken for one that does not come whole, else Later; reading the
        chunks raises the same.
        """
        login = _login(NEW_EXPORT if token else FILES_READ if self._bearer else CONNECT)
        response = await self._open(url, token, login)
        try:
            size = None if "Content-Encoding" in response.headers else response.content_length
            if size is not None and size > self._max_bytes:
                raise self._too_large(size)
            first = await self._first(response, mimetype, login)
            yield Download(response.content_type, size, self._chunks(response, first))
        finally:
            response.close()

    async def upload(
        self,
        chunks: AsyncIterator[bytes],
        *,
        filename: str,
        size: int,
        channel: str,
        on_file_id: Callable[[str], Awaitable[None]],
        title: str | None = None,
        thread_ts: str | None = None,
        blocks: Sequence[Mapping[str, Any]] = (),
        alt: str = "",
    ) -> str:
        """Bring a file of exactly `size` bytes into a channel and return its id; `blocks` are the words beside it.

        `alt` is read to those who do not see it.

        `on_file_id` is awaited after the bytes arrived and before anybody can see the file. Raises Unsure only after
        that: then ask `shared_ts`. Every earlier failure leaves nothing behind that a person could see.
        https://docs.slack.dev/messaging/working-with-files#upload
        """
        if size <= 0:
            raise Refused("empty_file", "Slack takes no empty files")
        told = {"alt_txt": alt[:_LONGEST_ALT]} if alt else {}
        place = await self._client.call("files.getUploadURLExternal", filename=filename, length=size, **told)
        file_id, url = str(place.get("file_id") or ""), str(place.get("upload_url") or "")
        if not file_id or not url:
            raise Later("files.getUploadURLExternal: the answer names no place to upload to")
        await self._send(url, chunks, size)
        await on_file_id(file_id)
        await self._client.call(
            "files.completeUploadExternal",
            files=[{"id": file_id, "title": title or filename}],
            channel_id=channel,
            thread_ts=thread_ts,
            blocks=blocks or None,
        )
        return file_id

    async def shared_ts(self, file_id: str, channel: str, *, looks: tuple[float, ...] = LOOKS) -> str | None:
        """Return the ts of the message that shares the file in the channel, or None if it was never completed.

        None means that the upload may begin anew. Raises Later while the file is there without its message.
        """
        for pause in looks:
            await asyncio.sleep(pause)
            try:
                file = await self._client.file(file_id)
            except Refused as refused:
                if refused.code == "file_not_found":
                    return None
                raise
            shares = file.get("shares")
            for kind in ("public", "private"):
                places = shares.get(kind) if isinstance(shares, dict) else None
                shared = places.get(channel) if isinstance(places, dict) else None
                times = [str(share["ts"]) for share in shared if share.get("ts")] if isinstance(shared, list) else []
                if times:
                    return min(times)
        raise Later("files.info: the file has arrived, but the message that shares it is not there yet")

    async def withdraw(
        self, channel: str, ts: str, thread_ts: str | None = None, by: SlackClient | None = None
    ) -> None:
        """Delete the files that an own message of a channel shares; some may be gone, or the message itself.

        They are deleted `by` another's hand where one is given: of a person, whose they are.
        """
        deleting = by or self._client
        pages = self._client.replies(channel, thread_ts, ts) if thread_ts else self._client.history(channel, ts, ts, 1)
        try:
            found = [message async for page in pages for message in page if message.get("ts") == ts]
        except Refused as refused:
            if refused.code != "thread_not_found":
                raise
            return
        for file in (file for message in found for file in message.get("files") or ()):
            if file.get("mode") == "tombstone":
                continue
            try:
                await deleting.call("files.delete", file=file["id"])
            except Refused as refused:
                if refused.code not in _CANNOT_GO:
                    raise
                log.info("%s: the file %s stays: %s", channel, file["id"], refused)

    async def _open(self, url: str, token: str, login: Refused) -> aiohttp.ClientResponse:
        target = _parsed(url)
        if token and self._reach.takes_token(target):
            target = target.update_query(t=token)
        for _ in range(REDIRECTS + 1):
            if not self._reach.covers(target):
                remedy = "It is kept by another service and linked into Slack: open it there"
                raise Refused("foreign_host", "the file does not live in Slack", remedy)
            bearer = self._bearer if not token and self._reach.takes_token(target) else {}
            headers = {"Accept-Encoding": "identity", **bearer}
            try:
                response = await self._session.get(
                    target, headers=headers, allow_redirects=False, timeout=self._timeout
                )
            except aiohttp.InvalidURL:
                raise Refused("invalid_url", "the file's address cannot be read") from None
            except (aiohttp.ClientError, TimeoutError, OSError) as fault:
                raise Later(f"the file could not be fetched ({type(fault).__name__})") from None
            location = response.headers.get("Location")
            if response.status not in {301, 302, 303, 307, 308} or not location:
                return self._checked(response, login)
            response.close()
            target = target.join(_parsed(location))
            if "redir" in target.query:
                raise login
        raise Refused("too_many_redirects", "Slack sends from one address to the next")

    def _checked(self, response: aiohttp.ClientResponse, login: Refused) -> aiohttp.ClientResponse:
        status = response.status
        if status in {200, 203}:
            return response
        response.close()
        if status in {401, 403}:
            raise login
        if status in {404, 410}:
            raise Refused("file_not_found", "the file does not exist, or no longer")
        if status == 429:
            raise Later("Slack allows no more downloads for now", retry_after(response.headers))
        if status in {408, 425} or status >= 500:
            raise Broken(f"the file could not be fetched (status {status})")
        raise Refused(f"http_{status}", "Slack does not hand out the file")

    async def _first(self, response: aiohttp.ClientResponse, mimetype: str, login: Refused) -> bytes:
        """Read as much as it takes to be sure that this is the file and not a page that asks to sign in."""
        if response.content_type != "text/html":
            return b""
        if mimetype and mimetype != "text/html":
            raise login
        first = b""
        try:
            while len(first) < PEEK and (chunk := await response.content.read(PEEK - len(first))):
                first += chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise Broken(f"the file broke off ({type(fault).__name__})") from None
        seen = first.lower()
        if any(mark in seen for mark in LOGIN_MARKS):
            raise login
        return first

    async def _chunks(self, response: aiohttp.ClientResponse, first: bytes) -> AsyncIterator[bytes]:
        count = len(first)
        if first:
            yield first
        try:
            async for chunk in response.content.iter_chunked(CHUNK):
                count += len(chunk)
                if count > self._max_bytes:
                    raise self._too_large(count)
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise Broken(f"the file broke off ({type(fault).__name__})") from None

    def _too_large(self, size: int) -> Refused:
        return Refused("file_too_large", f"the file has {size:,} bytes or more, the limit is {self._max_bytes:,}")

    async def _send(self, url: str, chunks: AsyncIterator[bytes], size: int) -> None:
        target = _parsed(url)
        if not self._reach.covers(target):
            raise Refused("foreign_host", "Slack named a place to upload to that is not its own")
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        try:
            async with self._session.post(
                target, data=_exactly(chunks, size), headers=headers, allow_redirects=False, timeout=self._timeout
            ) as response:
                status = response.status
                pause = retry_after(response.headers) if status == 429 else None
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            if isinstance(fault.__cause__, BridgeError):  # raised by the chunks, wrapped by aiohttp
                raise fault.__cause__ from None
            raise Later(f"the file could not be uploaded ({type(fault).__name__})") from None
        if status == 429 or status in {408, 425} or status >= 500:
            raise Later(f"the file could not be uploaded (status {status})", pause)
        if status >= 300:
            raise Refused(f"http_{status}", "Slack does not take the file")


async def _exactly(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """Pass the chunks on; a body of another length than announced would never end, or poison the connection."""
    count = 0
    async for chunk in chunks:
        count += len(chunk)
        if count > size:
            break
        yield chunk
    if count != size:
        raise Refused("size_mismatch", f"the file has not the {size:,} bytes that were announced")


def _parsed(url: str) -> URL:
    try:
        return URL(url)
    except ValueError:
        raise Refused("invalid_url", "the file's address cannot be read") from None


def _login(remedy: str) -> Refused:
    return Refused("file_login_page", "Slack asks to sign in instead of handing out the file", remedy)
