"""A person whose client we did not write: matrix-nio, with encryption.

async with NioPerson.of(homeserver, "ada", directory) as ada:
    await ada.join(room)
    await ada.say(room, "hello")
    await ada.until(room, "what somebody else says")
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nio import (
    Api,
    AsyncClient,
    AsyncClientConfig,
    DownloadResponse,
    Event,
    JoinResponse,
    LoginResponse,
    MegolmEvent,
    RoomSendResponse,
    SyncResponse,
    ToDeviceMessage,
    UploadResponse,
)
from nio.crypto.attachments import decrypt_attachment
from nio.store import SqliteMemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.sandbox.homeserver.synapse import Synapse


@dataclass
class NioPerson:
    """Acts as one user on a device of their own; `seen` is every event of a time line, as nio understood it."""

    client: AsyncClient
    seen: list[tuple[str, Event]] = field(default_factory=list)
    letters: list[Any] = field(default_factory=list)
    """What came for the device itself, decrypted."""

    @classmethod
    @asynccontextmanager
    async def of(cls, homeserver: Synapse, name: str, *, register: bool = True) -> AsyncIterator[NioPerson]:
        """Log a person in on a new device, and keep reading what comes for it."""
        if register:
            await homeserver.register_user(name)
        config = AsyncClientConfig(store=SqliteMemoryStore, encryption_enabled=True, pickle_key="only for tests")
        client = AsyncClient(homeserver.url, f"@{name}:{homeserver.server_name}", config=config, store_path="")
        person = cls(client)
        try:
            answer = await client.login("secret")
            assert isinstance(answer, LoginResponse), answer
            client.add_event_callback(person._note, Event)
            client.add_to_device_callback(person._note_letter, None)
            await person.sync()
            reading = asyncio.create_task(person._read(), name=f"nio {name}")
            try:
                yield person
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading
        finally:
            await client.close()

    async def sync(self) -> None:
        """Read once what came, and publish or ask for the keys that are due."""
        answer = await self.client.sync(timeout=300, full_state=False)
        assert isinstance(answer, SyncResponse), answer
        if self.client.should_upload_keys:
            await self.client.keys_upload()
        if self.client.should_query_keys:
            await self.client.keys_query()
        await self.client.send_to_device_messages()

    async def _read(self) -> None:
        while True:
            await self.sync()

    async def _note(self, room: Any, event: Event) -> None:
        self.seen.append((room.room_id, event))

    async def _note_letter(self, letter: Any) -> None:
        self.letters.append(letter)

    def letters_of(self, kind: str) -> list[Any]:
        """Return the letters of a type."""
        return [letter for letter in self.letters if letter.source.get("type") == kind]

    async def to_devices(self, user: str, kind: str, content: dict[str, Any]) -> None:
        """Send to all devices of a user, in clear."""
        await self.client.to_device(ToDeviceMessage(kind, user, "*", content))

    async def send_sealed(self, room: str, content: dict[str, Any]) -> None:
        """Send what looks like an encrypted event."""
        method, path, data = Api.room_send(
            self.client.access_token, room, "m.room.encrypted", content, uuid.uuid4().hex
        )
        await self.client._send(RoomSendResponse, method, path, data, (room,))

    @property
    def user_id(self) -> str:
        """The user."""
        return str(self.client.user_id)

    async def join(self, room: str) -> None:
        """Join a room and wait until the client knows its members."""
        assert isinstance(await self.client.join(room), JoinResponse)
        await self.until_true(lambda: room in self.client.rooms)

    async def send(self, room: str, content: dict[str, Any], kind: str = "m.room.message") -> str:
        """Send an event, encrypted where the room is; returns its id."""
        await self.client.joined_members(room)
        if self.client.should_query_keys:
            await self.client.keys_query()
        answer = await self.client.room_send(room, kind, content, ignore_unverified_devices=True)
        assert isinstance(answer, RoomSendResponse), answer
        event: str = answer.event_id
        return event

    async def say(self, room: str, text: str, **more: Any) -> str:
        """Send a message."""
        return await self.send(room, {"msgtype": "m.text", "body": text, **more})

    async def send_file(self, room: str, data: bytes, name: str, mimetype: str) -> str:
        """Send a file, encrypted."""
        answer, keys = await self.client.upload(
            lambda *_: data, content_type=mimetype, filename=name, encrypt=True, filesize=len(data)
        )
        assert isinstance(answer, UploadResponse), answer
        assert keys is not None
        info = {"mimetype": mimetype, "size": len(data)}
        file = {**keys, "url": answer.content_uri}
        return await self.send(room, {"msgtype": "m.file", "body": name, "info": info, "file": file})

    def bodies(self, room: str) -> list[str]:
        """Return the bodies of the messages that were understood in a room; what was not is `(unreadable)`."""
        return [
            "(unreadable)" if isinstance(event, MegolmEvent) else str(event.source["content"].get("body"))
            for where, event in self.seen
            if where == room and event.source.get("type") in ("m.room.message", "m.room.encrypted")
        ]

    async def until(self, room: str, body: str, seconds: float = 60) -> Event:
        """Return the event with this body as soon as it is understood."""

        def found() -> Event | None:
            mine = (event for where, event in self.seen if where == room and not isinstance(event, MegolmEvent))
            return next((event for event in mine if event.source["content"].get("body") == body), None)

        try:
            return await self.until_true(found, seconds)
        except TimeoutError:
            raise AssertionError(f"{body!r} is not among {self.bodies(room)}") from None

    async def until_true(self, holds: Callable[[], Any], seconds: float = 60) -> Any:
        """Return the first true answer."""
        async with asyncio.timeout(seconds):
            while not (found := holds()):
                await asyncio.sleep(0.05)
        return found

    async def download(self, file: dict[str, Any]) -> bytes:
        """Return an encrypted file in clear."""
        answer = await self.client.download(file["url"])
        assert isinstance(answer, DownloadResponse), answer
        clear: bytes = decrypt_attachment(answer.body, file["key"]["k"], file["hashes"]["sha256"], file["iv"])
        return clear
