"""What is opened, and what only looks as if its sender had said it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import vodozemac

from bridge.matrix.encryption.inbound import Inbounds, Undecryptable
from bridge.matrix.encryption.letters import Letter
from bridge.matrix.encryption.vault import Vault
from bridge.store.keys import Keys, TheirDevice
from bridge.store.opening import open_database
from portals.actions import STAMP
from portals.ids import MatrixUserId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOM, ADA, BOT, GHOST = "!r:hs.test", MatrixUserId("@ada:hs.test"), MatrixUserId("@bot:hs.test"), "@slack_u1:hs.test"
CURVE, ED = "ada's curve25519", "ada's ed25519"


@dataclass
class Devices:
    """Which devices the homeserver knows."""

    known: list[TheirDevice] = field(default_factory=lambda: [TheirDevice(ADA, "D", CURVE, ED, False)])

    async def device(self, user: MatrixUserId, curve25519: str) -> TheirDevice | None:
        return next((one for one in self.known if (one.user, one.curve25519) == (user, curve25519)), None)


class Speaker:
    """A device that speaks in a room, and gives its key to whom it likes."""

    def __init__(self, room: str = ROOM) -> None:
        self.session = vodozemac.GroupSession()
        self.room = room
        self.key = self.session.session_key.to_base64()

    def letter(self, sender: str = ADA, curve: str = CURVE, ed: str = ED, **changed: Any) -> Letter:
        content = {
            "algorithm": "m.megolm.v1.aes-sha2",
            "room_id": self.room,
            "session_id": self.session.session_id,
            "session_key": self.key,
        }
        return Letter(sender, curve, ed, "m.room_key", content | changed)

    def event(self, said: dict[str, Any] | None = None, sender: str = ADA, **outside: Any) -> dict[str, Any]:
        plain = {"type": "m.room.message", "content": {"body": "hello"}, "room_id": self.room} | (said or {})
        content = {
            "algorithm": "m.megolm.v1.aes-sha2",
            "ciphertext": self.session.encrypt(orjson.dumps(plain)).to_base64(),
            "session_id": self.session.session_id,
            **outside,
        }
        return {"type": "m.room.encrypted", "room_id": ROOM, "sender": sender, "event_id": "$1", "content": content}


@dataclass
class Scene:
    keys: Keys
    devices: Devices
    inbounds: Inbounds

    async def give(self, letter: Letter) -> None:
        found = self.inbounds.taken(letter)
        assert found is not None
        await self.keys.keep(self.keys.put_inbound(found))

    async def refused(self, event: dict[str, Any]) -> Undecryptable:
        with pytest.raises(Undecryptable) as caught:
            await self.inbounds.opened(event)
        return caught.value


@pytest.fixture(params=[True, False], ids=["all", "verified"])
async def scene(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[Scene]:
    database = await open_database(sqlite_url)
    keys, devices = Keys(database), Devices()
    ours = lambda user: user in (BOT, GHOST)  # noqa: E731  one line says it
    yield Scene(keys, devices, Inbounds(keys, Vault("k"), devices, BOT, ours, request.param))  # type: ignore[arg-type]  # a fake
    await database.close()


@pytest.fixture
def all_devices(request: pytest.FixtureRequest) -> bool:
    return "all" in request.node.name.rpartition("[")[2]


async def test_an_event_is_opened_with_its_relation_and_stamp_from_outside_and_nothing_else(scene: Scene) -> None:
    scene.devices.known = [TheirDevice(ADA, "D", CURVE, ED, True)]
    ada = Speaker()
    outside: dict[str, Any] = {"m.relates_to": {"rel_type": "m.thread"}, STAMP: "key", "body": "the homeserver's"}
    event = ada.event(None, ADA, **outside)
    await scene.give(ada.letter())
    found = await scene.inbounds.opened(event)
    assert found["type"] == "m.room.message"
    assert found["content"] == {"body": "hello", "m.relates_to": {"rel_type": "m.thread"}, STAMP: "key"}
    assert await scene.inbounds.opened(event) == found, "the same event may be read again"


async def test_a_message_said_twice_is_refused(scene: Scene) -> None:
    scene.devices.known = [TheirDevice(ADA, "D", CURVE, ED, True)]
    ada = Speaker()
    event = ada.event()
    await scene.give(ada.letter())
    await scene.inbounds.opened(event)
    assert "repeats" in str(await scene.refused({**event, "event_id": "$2"}))


async def test_who_has_anothers_key_cannot_speak_in_their_place_nor_keep_them_from_speaking(scene: Scene) -> None:
    scene.devices.known = [TheirDevice(ADA, "D", CURVE, ED, True)]
    ada = Speaker()
    await scene.give(ada.letter(sender="@eve:hs.test", curve="eve's", ed="eve's"))
    assert (await scene.refused(ada.event())).session == (ROOM, ada.session.session_id)
    await scene.give(ada.letter())
    assert (await scene.inbounds.opened(ada.event()))["content"]["body"] == "hello"


async def test_a_session_of_ours_is_read_for_ghosts_and_for_nobody_else(scene: Scene) -> None:
    ours = Speaker()
    await scene.give(ours.letter(sender=BOT))
    assert (await scene.inbounds.opened(ours.event(sender=GHOST)))["content"]["body"] == "hello"
    assert (await scene.refused(ours.event(sender=ADA))).session is not None


async def test_a_device_with_keys_that_are_not_its_own_is_not_believed(scene: Scene) -> None:
    scene.devices.known = [TheirDevice(ADA, "D", CURVE, "another ed25519", True)]
    ada = Speaker()
    await scene.give(ada.letter())
    assert "not its own" in str(await scene.refused(ada.event()))


async def test_an_unsigned_device_is_heard_unless_only_verified_ones_are(scene: Scene, all_devices: bool) -> None:
    ada = Speaker()
    await scene.give(ada.letter())
    if all_devices:
        assert await scene.inbounds.opened(ada.event())
    else:
        assert "not verified" in str(await scene.refused(ada.event()))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"room_id": "!other:hs.test"}, "another room"),
        ({"type": "m.room.redaction", "content": {"redacts": "$3"}}, "only counts"),
        ({"type": "m.room.member"}, "only counts"),
        ({"type": 3}, "no event"),
    ],
)
async def test_what_only_looks_like_an_event_of_the_room_is_refused(
    scene: Scene, said: dict[str, Any], why: str
) -> None:
    ada = Speaker()
    await scene.give(ada.letter())
    refused = await scene.refused(ada.event(said))
    assert why in str(refused)
    assert refused.session is None, "no key helps"


async def test_a_key_that_begins_too_late_is_waited_for_and_an_earlier_one_taken(scene: Scene) -> None:
    scene.devices.known = [TheirDevice(ADA, "D", CURVE, ED, True)]
    ada = Speaker()
    event = ada.event()
    await scene.give(ada.letter(session_key=ada.session.session_key.to_base64()))
    assert (await scene.refused(event)).session == (ROOM, ada.session.session_id)
    await scene.give(ada.letter())
    assert await scene.inbounds.opened(event)


@pytest.mark.parametrize(
    "content",
    [
        {"algorithm": "m.olm.v1.curve25519-aes-sha2", "ciphertext": {}},
        {"algorithm": "m.megolm.v1.aes-sha2", "session_id": 3, "ciphertext": "x"},
        {"algorithm": "m.megolm.v1.aes-sha2", "session_id": "x"},
    ],
)
async def test_what_is_encrypted_otherwise_is_refused_for_good(scene: Scene, content: dict[str, Any]) -> None:
    event = {"type": "m.room.encrypted", "room_id": ROOM, "sender": ADA, "event_id": "$1", "content": content}
    assert (await scene.refused(event)).session is None


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "AwgA",
        "ä",
        "AwgAEnACgAkLmt6qF84IK++J7UDH2Za1YVchHyprqTqsg2yyOwAtHaZTwyNg37afzg8f3r9IsN9r4RNFg7MaZencUJe4qvELiDiopUjy5wYVDAtqdBzer5bWRD9ldxp1FLgbQvBcjkkywYjCsmsq6+hArILd9oAQZnGKn/qLsK+5uNX3PaWzDRC9cBg",
    ],
)
async def test_garbage_in_place_of_a_message_is_refused(scene: Scene, garbage: str) -> None:
    ada = Speaker()
    await scene.give(ada.letter())
    event = ada.event()
    event["content"]["ciphertext"] = garbage
    assert (await scene.refused(event)).session is None


@pytest.mark.parametrize("changed", [{"session_key": "x"}, {"session_id": "x"}, {"room_id": 3}, {"algorithm": "x"}])
async def test_a_letter_without_a_sound_key_gives_none(scene: Scene, changed: dict[str, Any]) -> None:
    assert scene.inbounds.taken(Speaker().letter(**changed)) is None
