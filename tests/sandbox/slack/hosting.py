"""The file host: upload addresses good for one POST, downloads, pictures.

A download needs a bearer token or, as `t` or `token` in the address, the token of an export that links to the file.
Who has no right to it gets what real Slack gives: status 200 and a login page instead of the bytes, or the way there.
"""

from __future__ import annotations

import hmac
import mimetypes
import re
import zlib
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from tests.sandbox.slack import files
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from tests.sandbox.slack.state import FileRecord, Mint, Token
    from tests.sandbox.slack.workspace import Site, Workspace

_FILE = re.compile(r"/files-(?:pri|tmb)/(?P<team>T\w+)-(?P<file>F\w+?)(?:-\w+)?/(?P<rest>.+)")
_AVATAR = re.compile(r"/avatars/(?P<team>T\w+)-(?P<user>\w+)_(?P<size>\w+)\.png")
_EMOJI = re.compile(r"/emoji/(?P<team>T\w+)/(?P<name>[^/]+)/[0-9a-f]{8}\.png")
_CHUNK = 256 * 1024


class Exported(Protocol):
    """Files that no workspace here has, because an export was made up; they are told by their ids."""

    @property
    def token(self) -> str:
        """What their links carry."""

    def content_of(self, file_id: str) -> bytes:
        """The bytes of a file."""


class Hosting:
    """Takes and gives bytes. `exported` are made-up files by the team in their links, until their token expires."""

    def __init__(self, site: Site, mint: Mint, teams: dict[str, Workspace], tokens: dict[str, Token]) -> None:
        self._site, self._mint, self._teams, self._tokens = site, mint, teams, tokens
        self._uploads: dict[str, tuple[FileRecord, int]] = {}
        self.exported: dict[str, Exported] = {}

    def new_address(self, workspace: Workspace, file: FileRecord, length: int) -> str:
        """An address that takes a file's bytes once."""
        ticket = self._mint.secret(48)
        self._uploads[ticket] = (file, length)
        return f"{self._site.base_url}/upload/v1/{ticket}"

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        """The upload: raw bytes or a form with one file."""
        ticket = request.path.rpartition("/")[2]
        upload = self._uploads.get(ticket)
        if upload is None or request.method != "POST":
            return web.Response(status=404, text="not found")
        file, length = upload
        if request.content_type.startswith("multipart/"):
            content = await self._from_form(request)
        else:
            content = await request.content.read()
        if len(content) != length:
            return web.Response(status=400, text=f"expected {length} bytes, got {len(content)}")
        self._uploads.pop(ticket, None)
        files.fill(file, content)
        return web.Response(text=f"OK - {length}")

    async def _from_form(self, request: web.BaseRequest) -> bytes:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.filename is not None:
                return bytes(await part.read())
        return b""

    async def give(self, request: web.BaseRequest, token: Token | None) -> web.StreamResponse:
        """The download of a file or its thumbnail."""
        match = _FILE.fullmatch(request.path)
        workspace = self._teams.get(match["team"]) if match else None
        file = workspace.files.get(match["file"]) if workspace and match else None
        in_link = request.query.get("t") or request.query.get("token") or ""
        exported = self.exported.get(match["team"]) if match and file is None else None
        if exported is not None and match and hmac.compare_digest(exported.token, in_link):
            kind = mimetypes.guess_type(request.path)[0] or "application/octet-stream"
            return web.Response(body=exported.content_of(match["file"]), content_type=kind)
        if workspace is None or file is None or not files.may_download(workspace, file, token, in_link):
            if workspace is not None and workspace.reality.refused_file == "redirect":
                return web.Response(status=302, headers={"Location": f"/?redir={quote(request.path, safe='')}"})
            return self.login()
        content = file.thumbnail if request.path.startswith("/files-tmb/") else file.content
        if content is None:
            return web.Response(status=404, text="not found")
        headers = {"content-length": str(len(content)), "content-type": file.mimetype}
        if match and match["rest"].startswith("download/"):
            headers["content-disposition"] = f'attachment; filename="{match["rest"].removeprefix("download/")}"'
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        if request.method != "HEAD":
            for start in range(0, len(content), _CHUNK):
                await response.write(content[start : start + _CHUNK])
        await response.write_eof()
        return response

    def login(self) -> web.StreamResponse:
        """Slack's login page."""
        return web.Response(body=files.LOGIN_PAGE, content_type="text/html", charset="utf-8")

    def picture(self, request: web.BaseRequest) -> web.StreamResponse:
        """An avatar or a custom emoji; these are public."""
        match = _AVATAR.fullmatch(request.path)
        if match and match["team"] in self._teams:
            workspace = self._teams[match["team"]]
            body = workspace.avatars.get(match["user"])
            if body is None:
                colour = zlib.crc32(match["user"].encode())
                body = png(16, 16, (colour & 255, colour >> 8 & 255, colour >> 16 & 255))
            return web.Response(body=body, content_type="image/png")
        match = _EMOJI.fullmatch(request.path)
        image = (
            self._teams[match["team"]].emoji_images.get(match["name"])
            if match and match["team"] in self._teams
            else None
        )
        if image is None:
            return web.Response(status=404, text="not found")
        return web.Response(body=image, content_type="image/png")
