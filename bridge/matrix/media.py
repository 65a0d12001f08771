"""Files to and from the homeserver, streamed: no file is ever whole in memory.

Uploads need their size in advance, because Synapse takes none without; where it is unknown, the file passes through a
temporary file on disk. Downloads use authenticated media, or the old address where the homeserver knows no other.
Limits hold while bytes flow, whatever the size that was claimed.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NewType

from aiohttp import ClientError
from mautrix.api import MediaPath, Method, Path

from bridge.errors import BridgeError, Later, Refused
from bridge.matrix.failures import silence

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from aiohttp import ClientResponse

    from bridge.matrix.wire import Wire
    from portals.ids import MatrixUserId

Mxc = NewType("Mxc", str)
"""The address of a file on a homeserver: `mxc://server/id`."""

_MXC = re.compile(r"mxc://([A-Za-z0-9\[][A-Za-z0-9.\-:\]]{0,254})/([A-Za-z0-9_\-]{1,255})")
_CHUNK = 64 * 1024
_IN_MEMORY = 1024 * 1024
"""Bytes of an upload of unknown size that are held before the disk is used."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is arriving: its headers, its claimed size if any, and its bytes, to be read once."""

    headers: Mapping[str, str]
    size: int | None
    chunks: AsyncIterator[bytes]

    @property
    def content_type(self) -> str:
        """The media type that the homeserver states."""
        return self.headers.get("Content-Type", "application/octet-stream")


class Media:
    """The homeserver's media repository."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._limit: int | None = None

    async def media_config(self) -> int | None:
        """Return the largest upload in bytes that the homeserver accepts, or None where it states none."""
        try:
            answer = await self._wire.call(Method.GET, Path.v1.media.config)
        except Refused as refused:
            if refused.code != "M_UNRECOGNIZED":
                raise
            answer = await self._wire.call(Method.GET, MediaPath.v3.config)
        limit = answer.get("m.upload.size")
        self._limit = limit if isinstance(limit, int) else None
        return self._limit

    async def upload(
        self,
        chunks: AsyncIterator[bytes],
        content_type: str,
        filename: str,
        size: int | None = None,
        sender: MatrixUserId | None = None,
    ) -> Mxc:
        """Upload a file and return its address; an error that `chunks` raises is raised unchanged.

        `size` None means unknown. Refused with M_TOO_LARGE above the homeserver's limit, before anything is sent where
        the size is known; Later where `chunks` ends before or goes on after `size` bytes.
        """
        if size is not None:
            await self._check(size)
            return await self._send(chunks, content_type, filename, size, sender)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            size = await self._fill(spool, chunks)
            return await self._send(_read(spool), content_type, filename, size, sender)

    async def _fill(self, spool: IO[bytes], chunks: AsyncIterator[bytes]) -> int:
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            await self._check(size)
            await asyncio.to_thread(spool.write, chunk)
        spool.seek(0)
        return size

    async def _check(self, size: int) -> None:
        """Refuse what the homeserver would; it cuts the connection instead of answering, which looks like an outage."""
        if self._limit is None or size > self._limit:
            limit = await self.media_config()
            if limit is not None and size > limit:
                raise Refused(
                    "M_TOO_LARGE",
                    f"the file is larger than the {limit} bytes that the homeserver accepts",
                    "Raise `max_upload_size` of the homeserver and the body limit of any proxy in front of it",
                )

    async def _send(
        self, chunks: AsyncIterator[bytes], content_type: str, filename: str, size: int, sender: MatrixUserId | None
    ) -> Mxc:
        broken: list[BaseException] = []
        loop = asyncio.get_running_loop()

        async def body() -> AsyncIterator[bytes]:
            # aiohttp cuts off what exceeds the stated length and hides what the source raises: so both are seen here.
            sent = 0
            try:
                async for chunk in chunks:
                    sent += len(chunk)
                    if sent > size:
                        break
                    deadline.reschedule(loop.time() + self._wire.timeout)
                    yield chunk
                if sent != size:
                    raise Later(f"the file does not have the {size} bytes that were announced")
            except (GeneratorExit, asyncio.CancelledError):
                raise
            except BaseException as error:
                broken.append(error)
                raise

        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        try:
            async with asyncio.timeout(self._wire.timeout) as deadline:
                answer = await self._wire.call(
                    Method.POST,
                    MediaPath.v3.upload,
                    body(),
                    user=sender,
                    query={"filename": filename} if filename else None,
                    headers=headers,
                    wants="content_uri",
                )
        except (BridgeError, TimeoutError) as error:
            if broken:
                raise broken[0] from None
            raise (silence(error, repeatable=True) if isinstance(error, TimeoutError) else error) from None
        return Mxc(answer["content_uri"])

    @asynccontextmanager
    async def download(self, mxc: str, limit: int | None = None) -> AsyncIterator[Download]:
        """Open a file for reading; Refused with M_TOO_LARGE once it exceeds `limit` bytes, at once where it says so.

        Later where the connection breaks before the whole file has come, so that a cut file is never taken for whole.
        """
        async with self._opened("download", mxc, None, limit) as found:
            yield found

    @asynccontextmanager
    async def thumbnail(self, mxc: str, side: int, limit: int) -> AsyncIterator[Download]:
        """Open a small square picture that the homeserver makes of an image; raises as `download` does.

        The homeserver may answer with another size than `side` pixels, and with a kind of image of its own choice.
        """
        query = {"width": str(side), "height": str(side), "method": "crop", "animated": "false"}
        async with self._opened("thumbnail", mxc, query, limit) as found:
            yield found

    @asynccontextmanager
    async def _opened(
        self, what: str, mxc: str, query: Mapping[str, str] | None, limit: int | None
    ) -> AsyncIterator[Download]:
        address = _MXC.fullmatch(mxc)
        if address is None:
            raise Refused("M_INVALID_PARAM", "this is not the address of a Matrix file")
        response = await self._open(what, address[1], address[2], query)
        async with response:
            claimed = response.content_length
            if limit is not None and claimed is not None and claimed > limit:
                raise _too_large(limit)
            async with aclosing(_bounded(response, limit)) as chunks:
                yield Download(response.headers, claimed, chunks)

    async def _open(self, what: str, server: str, media: str, query: Mapping[str, str] | None) -> ClientResponse:
        try:
            return await self._wire.open(Path.v1.media[what][server][media], query)
        except Refused as refused:
            if refused.code != "M_UNRECOGNIZED":
                raise
            return await self._wire.open(MediaPath.v3[what][server][media], query)


async def _bounded(response: ClientResponse, limit: int | None) -> AsyncGenerator[bytes, None]:
    size = 0
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if limit is not None and size > limit:
                raise _too_large(limit)
            yield chunk
    except (ClientError, TimeoutError) as error:
        raise silence(error, repeatable=True) from error


async def _read(spool: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(spool.read, _CHUNK):
        yield chunk


def _too_large(limit: int) -> Refused:
    return Refused("M_TOO_LARGE", f"the file is larger than the {limit} bytes that are allowed")
