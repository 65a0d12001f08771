"""Who reads what is said in a room: members and invited people, on devices whose keys are sound, as they are now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import vodozemac

from bridge.matrix.encryption.audience import Audiences
from bridge.matrix.encryption.signing import CrossSigning, with_signature
from bridge.matrix.encryption.turns import Turns
from bridge.store.keys import Keys
from bridge.store.opening import open_database
from portals.ids import MatrixUserId, RoomId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

ROOM, BOT, ADA = RoomId("!r:hs.test"), MatrixUserId("@bot:hs.test"), MatrixUserId("@ada:hs.test")


class Phone:
    """A device of somebody's."""

    def __init__(self, user: str, name: str) -> None:
        self.user, self.name = user, name
        self.account = vodozemac.Account()

    def keys(self, **changed: Any) -> dict[str, Any]:
        mine = {
            f"curve25519:{self.name}": self.account.curve25519_key.to_base64(),
            f"ed25519:{self.name}": self.account.ed25519_key.to_base64(),
        }
        keys = {"user_id": self.user, "device_id": self.name, "algorithms": [], "keys": mine} | changed
        return with_signature(keys, self.user, self.name, lambda data: self.account.sign(data).to_base64())


@dataclass
class Server:
    """What the homeserver says of members and devices, and how often it was asked."""

    memberships: dict[str, str] = field(default_factory=lambda: {ADA: "join", BOT: "join"})
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)
    masters: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, Any] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)

    async def members(self, room: str, reader: object) -> dict[str, Any]:
        assert room == ROOM
        return {
            "chunk": [
                {"state_key": user, "content": {"membership": membership}}
                for user, membership in self.memberships.items()
            ]
        }

    async def query(self, user: str, device: str, users: Iterable[str]) -> dict[str, Any]:
        self.asked.append(list(users))
        return {
            "device_keys": self.devices,
            "master_keys": self.masters,
            "self_signing_keys": self.own,
            "failures": self.failures,
        }


@dataclass
class Own:
    user: str = BOT
    device: str = "CW"

    async def of(self, _user: str) -> Own:
        return self


@dataclass
class Scene:
    keys: Keys
    server: Server
    audiences: Audiences

    async def devices(self) -> list[tuple[str, str, bool]]:
        found = await self.audiences.of(ROOM, None)
        return [(one.user, one.device, one.signed) for one in found.devices]


@pytest.fixture(params=[True], ids=["all"])
async def scene(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[Scene]:
    database = await open_database(sqlite_url)
    keys, server = Keys(database), Server()
    audiences = Audiences(
        keys=keys,
        server=server,  # type: ignore[arg-type]  # a small honest server
        identities=Own(),  # type: ignore[arg-type]  # likewise
        turns=Turns(),
        bot=BOT,
        is_ours=lambda user: user == BOT,
        all_devices=request.param,
        aside=False,
    )
    audiences.is_current.set()
    yield Scene(keys, server, audiences)
    await database.close()


async def test_the_invited_read_and_those_who_left_or_are_ours_do_not(scene: Scene) -> None:
    people = {"@in:x": "join", "@invited:x": "invite", "@out:x": "ban", "@knocks:x": "knock", BOT: "join"}
    scene.server.memberships = people
    scene.server.devices = {user: {"D": Phone(user, "D").keys()} for user in people}
    assert await scene.devices() == [("@in:x", "D", False), ("@invited:x", "D", False)]


async def test_it_is_asked_once_until_something_changes(scene: Scene) -> None:
    scene.server.devices = {ADA: {"D": Phone(ADA, "D").keys()}}
    for _ in range(2):
        assert len(await scene.devices()) == 1
    assert scene.server.asked == [[ADA]]
    scene.server.devices[ADA]["E"] = Phone(ADA, "E").keys()
    await scene.keys.keep(scene.keys.stale([ADA]))
    scene.audiences.devices_changed()
    assert len(await scene.devices()) == 2
    scene.server.memberships["@bea:x"] = "join"
    scene.server.devices["@bea:x"] = {"F": Phone("@bea:x", "F").keys()}
    scene.audiences.membership_changed(ROOM)
    assert len(await scene.devices()) == 3
    assert scene.server.asked == [[ADA], [ADA], ["@bea:x"]]


async def test_a_server_that_does_not_answer_leaves_its_people_to_be_asked_about_again(scene: Scene) -> None:
    scene.server.failures = {"hs.test": {}}
    assert await scene.devices() == []
    scene.server.failures = {}
    scene.server.devices = {ADA: {"D": Phone(ADA, "D").keys()}}
    scene.audiences.devices_changed()
    assert len(await scene.devices()) == 1


@pytest.mark.parametrize("changed", [{"user_id": "@eve:x"}, {"device_id": "E"}, {"keys": {}}, {"keys": "none"}])
async def test_a_device_whose_keys_are_not_sound_is_none(scene: Scene, changed: dict[str, Any]) -> None:
    scene.server.devices = {ADA: {"D": Phone(ADA, "D").keys(**changed)}}
    assert await scene.devices() == []


async def test_a_device_that_did_not_sign_its_keys_is_none(scene: Scene) -> None:
    keys = Phone(ADA, "D").keys()
    keys["keys"]["curve25519:D"] = vodozemac.Account().curve25519_key.to_base64()
    scene.server.devices = {ADA: {"D": keys}}
    assert await scene.devices() == []


async def test_a_device_that_has_other_keys_than_before_is_left_out(scene: Scene) -> None:
    scene.server.devices = {ADA: {"D": Phone(ADA, "D").keys()}}
    assert len(await scene.devices()) == 1
    scene.server.devices = {ADA: {"D": Phone(ADA, "D").keys()}}
    await scene.keys.keep(scene.keys.stale([ADA]))
    scene.audiences.devices_changed()
    assert await scene.devices() == []


async def test_a_device_counts_as_signed_only_by_its_owner_s_chain(scene: Scene) -> None:
    signing, forged = CrossSigning.made(), CrossSigning.made()
    for vouches, known, wanted in ((signing, signing, True), (forged, signing, False)):
        upload = known.upload(ADA)
        scene.server.masters = {ADA: upload["master_key"]}
        scene.server.own = {ADA: upload["self_signing_key"]}
        scene.server.devices = {ADA: {f"D{wanted}": vouches.signed(Phone(ADA, f"D{wanted}").keys(), ADA)}}
        await scene.keys.keep(scene.keys.stale([ADA]))
        scene.audiences.devices_changed()
        assert await scene.devices() == [(ADA, f"D{wanted}", wanted)]
    scene.server.own = {ADA: forged.upload(ADA)["self_signing_key"]}  # which ada's master key did not sign
    scene.server.devices = {ADA: {"E": forged.signed(Phone(ADA, "E").keys(), ADA)}}
    await scene.keys.keep(scene.keys.stale([ADA]))
    scene.audiences.devices_changed()
    assert await scene.devices() == [(ADA, "E", False)]
