"""Files cross once: what was brought over is remembered by its source, whichever message asks for it again.

Bytes stream from one side to the other and are never whole in memory; on the way they are counted and hashed. A file is
recorded when it is whole on the other side: one whose outcome nobody recorded is brought anew, which shows nowhere.

Two files of one content stay two: that they are alike is known only when the second has arrived, and whoever deletes
one of them on the homeserver is not to lose the other.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bridge.errors import BridgeError, Later, Refused
from bridge.matrix.encryption.attachments import opened
from bridge.slack.files import Broken
from bridge.slack.refusals import NOT_CONNECTED
from bridge.store.files import FileState, KnownFile
from bridge.work.scanning import FAILED, HARMFUL, SCANNER, Customs, Kept, ScannerFailed, kept_by
from portals.crossing.contents import HEAD
from portals.crossing.policy import OPEN
from portals.reading.file_tokens import split
from portals.reading.slack_files import file_of
from portals.reading.values import number
from portals.retry import TROUBLED, is_installation_trouble

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from bridge.matrix.client import MatrixClient
    from bridge.slack.files import SlackFiles
    from bridge.slack.installation import Installation
    from bridge.store.directory import Directory
    from bridge.store.files import Files
    from portals.actions import PostFile, SendFile
    from portals.crossing.policy import Policy
    from portals.ids import TeamId

log = logging.getLogger(__name__)

ABSENT = "file_is_absent"
"""The code of a refusal because Slack has a file no more, or does not give it; its detail is the reason, for a room."""
_PATIENCE = 30
"""Tries in which Slack answered and a file did not come whole, after which it is given up: about half an hour."""
_BLAMED = {True: 5, False: 20}
"""The same while other files come: then it is this one. Where nobody answered, it takes more tries to be sure."""
_TYPE = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}(?: *; *[\w=.\"+-]{1,100})?", re.ASCII)
_LONGEST_NAME = 255
_PROMISED = 0.5
"""Seconds between two looks whether an import has brought a file over."""
_ABANDONED_MS = 24 * 3600 * 1000
"""So long after an import was last at it, a file is one that no import promised."""


class Transfers:
    """Brings files from Slack to Matrix and back; `clock` tells the time in seconds.

    `seals` says that files are encrypted which come before it is known which room shows them.
    """

    def __init__(
        self,
        files: Files,
        directory: Directory,
        matrix: MatrixClient,
        installations: Mapping[TeamId, Installation],
        max_size: int,
        clock: Callable[[], float] = time.time,
        *,
        seals: bool = False,
        customs: Customs | None = None,
    ) -> None:
        self._files = files
        self._directory = directory
        self._matrix = matrix
        self._installations = installations
        self._max_size = max_size
        self._clock = clock
        self._seals = seals
        self._customs = customs or Customs(None, max_size)
        self._under_way: dict[str, asyncio.Event] = {}
        self._opens: dict[TeamId, str] = {}
        """Which token opened the last file of a workspace: it is shown first for the next."""

    def by(self, team: TeamId, installation: Installation) -> Transfers:
        """Return the same, but that it opens a workspace's files by what acts there as somebody: the app sees less."""
        theirs = copy(self)
        theirs._installations = {**self._installations, team: installation}
        theirs._opens = {}
        return theirs

    # --- towards Matrix

    async def to_matrix(self, team: TeamId, action: SendFile, *, sealed: bool = False, policy: Policy = OPEN) -> str:
        """Return the `mxc:` address of a Slack file, `sealed` or in clear, bringing it over when it was not yet.

        Raises Refused with the code ABSENT where it cannot be had, Kept where it may not cross, Later where an import
        is about to bring it, and what the clients raise.
        """
        mxc = await self._first_copy(team, action, sealed=sealed, policy=policy)
        if (await self._sealing(mxc) is not None) is sealed:
            return mxc
        return await self._other_copy(team, action.file_id, mxc, sealed=sealed)

    async def _sealing(self, mxc: str) -> Mapping[str, Any] | None:
        """Return the keys of a file that we encrypted, None for one in clear."""
        sealed_files = self._matrix.sealed_files
        return await sealed_files.shown(mxc) if sealed_files is not None else None

    async def _other_copy(self, team: TeamId, file_id: str, mxc: str, *, sealed: bool) -> str:
        """Return the copy of a file for the other kind of room than that which it was brought for."""
        source = f"slack:{file_id}/{'sealed' if sealed else 'clear'}"
        async with self._alone(f"{team}/{source}"):
            known = await self._directory.media(source)
            if known is None:
                keys = await self._sealing(mxc)
                async with self._matrix.media.download(mxc, self._max_size) as found:
                    chunks = opened(found.chunks, keys) if keys is not None else found.chunks
                    known = await self._uploaded(chunks, found.content_type, "", found.size, sealed=sealed)
                await self._directory.learn_media(source, known, "", found.size or 0)
        return known

    async def _uploaded(
        self, chunks: AsyncIterator[bytes], mimetype: str, name: str, size: int | None, *, sealed: bool
    ) -> str:
        if not sealed:
            return await self._matrix.media.upload(chunks, mimetype, name, size)
        assert self._matrix.sealed_files is not None, "only a client that encrypts knows of encrypted rooms"
        return await self._matrix.sealed_files.upload(chunks, size)

    async def _look_again(self, file: KnownFile, policy: Policy) -> None:
        """Raise Kept where a file that was brought over before may not be shown under this policy."""
        if not policy.looks_into_files and policy.max_file_size is None:
            return
        keys, head = await self._sealing(file.mxc), b""
        async with self._matrix.media.download(file.mxc, self._max_size) as found:
            async for chunk in opened(found.chunks, keys) if keys is not None else found.chunks:
                head += chunk[: HEAD - len(head)]
                if len(head) >= HEAD:
                    break
        kept = kept_by(head, file.seen, file.mimetype, policy)
        if kept is not None:
            raise Kept(kept.rule, kept.words)

    async def _first_copy(self, team: TeamId, action: SendFile, *, sealed: bool, policy: Policy) -> str:
        file = await self._files.find(team, action.file_id)
        url, _ = split(action.url)
        if file is None:
            thumbnail, _ = split(action.thumbnail)
            file = KnownFile(team, action.file_id, url, action.name, action.mimetype, action.size, thumbnail)
        elif file.state is FileState.HERE:
            await self._look_again(file, policy)
            return file.mxc
        elif file.state is FileState.ABSENT and file.reason == HARMFUL:
            raise Kept(SCANNER, HARMFUL)
        elif file.state is FileState.ABSENT and (file.url or not url):
            raise Refused(ABSENT, file.reason)
        is_ours = True
        if file.promised and file.state is FileState.WAITING:
            fetching_until, now = await self._files.fetching_until(team), self._clock() * 1000
            if fetching_until > now:
                raise Later("an import is about to bring the file over", _PROMISED)
            is_ours = fetching_until + _ABANDONED_MS < now
        try:
            brought = replace(file, url=url or file.url)
            return await self.bring(brought, final=is_ours, sealed=sealed, policy=policy)
        except ScannerFailed as failed:
            raise Refused(FAILED, str(failed)) from failed
        except Refused as refused:
            if is_ours or isinstance(refused, Kept):
                raise
            raise Later(f"the import that promised the file is to bring it: {refused.detail}", TROUBLED) from refused

    async def bring(
        self,
        file: KnownFile,
        *,
        tokens: Sequence[str] = (),
        blamed: bool = False,
        final: bool = True,
        moved: Callable[[int], None] = lambda _: None,
        sealed: bool | None = None,
        policy: Policy = OPEN,
    ) -> str:
        """Try once to bring a file over; returns its `mxc:` address, also where it has been here for long.

        The `tokens` of exports are tried beside the bot's. A file is `blamed` when others come while it does not.
        `moved` is told of bytes as they pass. Raises Refused with the code ABSENT once it is recorded that the file
        cannot be had (which a try that is not `final` leaves open), Kept where it may not cross by the `policy` or by
        the scanner's verdict, Refused with another code where the installation is to be mended first, else Later.
        """
        sealed = self._seals if sealed is None else sealed
        async with self._alone(f"{file.team}/{file.id}"):
            known = await self._files.find(file.team, file.id)
            if known is not None and known.state is FileState.HERE:
                return known.mxc
            try:
                described = file if file.url else await self._described(file)
                found = await self._copied(described, tokens, moved, sealed=sealed, policy=policy)
            except Kept as kept:
                if kept.rule == SCANNER or policy == OPEN:
                    await self._give_up(file, kept.detail)
                raise
            except ScannerFailed:
                raise
            except Refused as refused:
                reason = await self._absence(file, refused, tokens)
                if not reason or not final:
                    raise
                await self._give_up(file, reason)
                raise Refused(ABSENT, reason) from refused
            except Later as later:
                is_broken = isinstance(later, Broken)
                if not is_broken and not blamed:
                    raise
                tries = await self._files.tried(replace(file, reason=str(later)))
                if tries < (_BLAMED[is_broken] if blamed else _PATIENCE) or not final:
                    raise
                await self._give_up(file, str(later))
                raise Refused(ABSENT, str(later)) from later
            if found.thumbnail:
                await self.thumbnail(file.team, file.id, found.thumbnail, tokens, sealed=sealed)
            return await self._files.arrived(found)

    async def thumbnail(
        self, team: TeamId, file_id: str, url: str, tokens: Sequence[str] = (), *, sealed: bool = False
    ) -> str | None:
        """Return the `mxc:` address of a file's thumbnail; None without one, a client makes do with the file itself."""
        bare, token = split(url)
        try:
            source = f"slack:{file_id}/thumbnail{'/sealed' if sealed else ''}"
            return await self._brought(team, source, bare, "thumbnail", [token, *tokens], sealed=sealed)
        except BridgeError as error:
            log.info("%s: the thumbnail of %s was not brought over: %s", team, file_id, error)
            return None

    async def picture(self, team: TeamId, url: str) -> str:
        """Return the `mxc:` address of an avatar or a custom emoji, which Slack names by its address alone."""
        return await self._brought(team, f"picture:{url}", url, "picture", ())

    async def _brought(
        self, team: TeamId, source: str, url: str, name: str, tokens: Sequence[str], *, sealed: bool = False
    ) -> str:
        """Return where a picture without a record of its own was brought to."""
        async with self._alone(source):
            known = await self._directory.media(source)
            if known is None:
                picture = KnownFile(team, "", url, name, "")
                found = await self._copied(picture, tokens, lambda _: None, sealed=sealed)
                await self._directory.learn_media(source, found.mxc, found.mimetype, found.seen)
                known = found.mxc
        return known

    @asynccontextmanager
    async def _alone(self, source: str) -> AsyncIterator[None]:
        """Let one after the other bring the same thing, so that the second finds what the first brought."""
        while (other := self._under_way.get(source)) is not None:
            await other.wait()
        mine = self._under_way[source] = asyncio.Event()
        try:
            yield
        finally:
            del self._under_way[source]
            mine.set()

    async def _copied(
        self,
        file: KnownFile,
        tokens: Sequence[str],
        moved: Callable[[int], None],
        *,
        sealed: bool,
        policy: Policy = OPEN,
    ) -> KnownFile:
        """Return a file as it arrived on the other side, opened by whichever of our tokens opens it."""
        files = self._installations[file.team].files
        usable = list(dict.fromkeys([*filter(None, tokens), *([""] if files.is_connected else [])])) or [""]
        usable.sort(key=lambda token: token != self._opens.get(file.team))
        refusal: Refused | None = None
        for token in usable:
            try:
                found = await self._streamed(file, token, moved, sealed=sealed, policy=policy)
            except Refused as refused:
                if refused.code not in ("file_login_page", "file_not_found"):
                    raise
                refusal = refusal or refused
            else:
                self._opens[file.team] = token
                return found
        assert refusal is not None
        raise refusal

    async def _streamed(
        self, file: KnownFile, token: str, moved: Callable[[int], None], *, sealed: bool, policy: Policy
    ) -> KnownFile:
        files = self._installations[file.team].files
        async with files.download(file.url, mimetype=file.mimetype, token=token) as found:
            least = file.told
            if found.size is not None and found.size < least:
                least = await self._told_now(file)
                if found.size < least:
                    raise _short(found.size, least)
            digest, seen = hashlib.sha256(), 0

            async def passing() -> AsyncIterator[bytes]:
                nonlocal seen
                async for chunk in found.chunks:
                    digest.update(chunk)
                    seen += len(chunk)
                    moved(len(chunk))
                    yield chunk
                if seen < least:
                    raise _short(seen, least)

            mimetype = file.mimetype or found.content_type
            mimetype = mimetype if _TYPE.fullmatch(mimetype) else "application/octet-stream"
            # pictures of Slack's own making, which have no id, are not looked at
            async with self._customs.passing(passing(), mimetype, policy, scans=bool(file.id)) as chunks:
                mxc = await self._uploaded(chunks, mimetype, _short_name(file.name), found.size, sealed=sealed)
        return replace(file, mxc=mxc, mimetype=mimetype, seen=seen, sha256=digest.hexdigest())

    # --- what Slack says of a file

    async def _described(self, file: KnownFile) -> KnownFile:
        """Return a file of which a message tells the id alone, as Slack describes it."""
        described = file_of(await self._installations[file.team].client.file(file.id))
        if described is None:
            raise Refused("file_not_found", "it does not exist any more")
        if described.refusal or described.kind:
            raise Refused("access_denied", described.refusal or f"it is kept where it is ({described.kind})")
        thumbnail = described.thumbnail.url if described.thumbnail else ""
        return replace(
            file,
            url=described.url,
            name=described.name,
            mimetype=described.mimetype,
            told=described.size,
            thumbnail=thumbnail,
        )

    async def _told_now(self, file: KnownFile) -> int:
        """Return how large Slack says that a file is by now: what can be edited may have shrunk since its message."""
        if not file.id or not self._installations[file.team].files.is_connected:
            return file.told
        try:
            return number((await self._installations[file.team].client.file(file.id)).get("size")) or file.told
        except Refused:
            return file.told

    async def _absence(self, file: KnownFile, refused: Refused, tokens: Sequence[str]) -> str:
        """Return why a file cannot be had, to be said in a room; nothing where an admin can mend that."""
        if refused.code == NOT_CONNECTED:
            return "Slack tells of it only to a bridge that is connected to the workspace"
        if is_installation_trouble(refused.code):
            return ""
        if refused.code == "file_deleted":
            return "it was deleted in Slack"
        if refused.code != "file_login_page":
            return refused.detail
        if not self._installations[file.team].files.is_connected:
            return "the link in the export no longer opens it" if any(tokens) else "Slack asks to sign in for it"
        try:
            is_gone = (await self._installations[file.team].client.file(file.id)).get("mode") == "tombstone"
        except Refused as told:
            if is_installation_trouble(told.code):
                return ""
            is_gone = told.code in ("file_not_found", "file_deleted")
        return "it does not exist any more" if is_gone else "Slack does not give it to the bridge"

    async def _give_up(self, file: KnownFile, reason: str) -> None:
        log.warning("%s: the file %s was not brought over: %s", file.team, file.id, reason)
        await self._files.give_up(replace(file, reason=reason))

    # --- towards Slack

    async def to_slack(
        self,
        team: TeamId,
        action: PostFile,
        on_file_id: Callable[[str], Awaitable[None]],
        *,
        policy: Policy = OPEN,
        files: SlackFiles | None = None,
    ) -> str:
        """Share a Matrix file in a channel and return its Slack id; `on_file_id` is awaited before anybody sees it.

        It is shared by the app, or by whom `files` act for.
        """
        sharing = files or self._installations[team].files
        async with self._matrix.media.download(action.uri, self._max_size) as found:
            size = found.size if found.size is not None else action.size
            if found.size == 0:
                raise Refused("empty_file", "the file is empty, and Slack takes no empty files")
            if not size:
                raise Refused("unknown_size", "the homeserver does not say how large the file is")
            chunks = opened(found.chunks, action.encryption) if action.encryption is not None else found.chunks
            try:
                async with self._customs.passing(chunks, action.mimetype, policy) as passed:
                    return await sharing.upload(
                        passed,
                        filename=action.name,
                        size=size,
                        channel=action.channel,
                        on_file_id=on_file_id,
                        thread_ts=action.thread_ts,
                        blocks=action.blocks,
                        alt=action.alt,
                    )
            except ScannerFailed as failed:
                raise Refused(FAILED, str(failed)) from failed


def _short_name(name: str) -> str:
    """Return a name that a homeserver takes beside a file, with its ending; what the room shows is the event's."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 20] + name[-20:]


def _short(seen: int, told: int) -> Broken:
    return Broken(f"the file ends after {seen:,} of {told:,} bytes")
