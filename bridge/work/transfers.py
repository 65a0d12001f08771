"""Files cross once: what was brought over is remembered by its source, whichever message asks for it again.

Bytes stream from one side to the other and are never whole in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bridge.matrix.client import MatrixClient
    from bridge.slack.installation import Installation
    from bridge.store.directory import Directory
    from portals.actions import PostFile
    from portals.ids import TeamId


class Transfers:
    """Brings files from Slack to Matrix and back."""

    def __init__(
        self,
        directory: Directory,
        matrix: MatrixClient,
        installations: Mapping[TeamId, Installation],
        max_size: int,
    ) -> None:
        self._directory = directory
        self._matrix = matrix
        self._installations = installations
        self._max_size = max_size

    async def to_matrix(self, team: TeamId, source: str, url: str, name: str, mimetype: str) -> str:
        """Return the `mxc:` address of a Slack file, bringing it over when it was not yet.

        Raises Refused when Slack has no such file or does not give it, Later and Unsure as the clients do.
        """
        known = await self._directory.media(source)
        if known is not None:
            return known
        async with self._installations[team].files.download(url, mimetype=mimetype) as found:
            kind = mimetype or found.content_type
            mxc = await self._matrix.media.upload(found.chunks, kind, name, found.size)
        await self._directory.learn_media(source, mxc, kind, found.size or 0)
        return mxc

    async def is_gone(self, team: TeamId, file_id: str) -> bool:
        """Tell whether Slack has a file no longer, which its download alone does not say."""
        try:
            return (await self._installations[team].client.file(file_id)).get("mode") == "tombstone"
        except Refused as refused:
            return refused.code in ("file_not_found", "file_deleted")

    async def picture(self, team: TeamId, url: str) -> str:
        """Return the `mxc:` address of an avatar or a custom emoji, which Slack names by its address alone."""
        return await self.to_matrix(team, f"picture:{url}", url, "picture", "")

    async def to_slack(self, team: TeamId, action: PostFile, on_file_id: Callable[[str], Awaitable[None]]) -> str:
        """Share a Matrix file in a channel and return its Slack id; `on_file_id` is awaited before anybody sees it."""
        if action.encryption is not None:
            raise Refused("encrypted_file", "the file is encrypted, and this bridge does not decrypt files")
        async with self._matrix.media.download(action.uri, self._max_size) as found:
            size = found.size if found.size is not None else action.size
            if found.size == 0:
                raise Refused("empty_file", "the file is empty, and Slack takes no empty files")
            if not size:
                raise Refused("unknown_size", "the homeserver does not say how large the file is")
            return await self._installations[team].files.upload(
                found.chunks,
                filename=action.name,
                size=size,
                channel=action.channel,
                on_file_id=on_file_id,
                thread_ts=action.thread_ts,
                comment=action.comment,
            )
