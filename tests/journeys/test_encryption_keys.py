"""Keys of encrypted rooms in their odder cases: late, missing, of newcomers and of those who left, after a restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from nio import MegolmEvent

from bridge.configured import client_from
from bridge.errors import Fatal
from bridge.matrix.encryption.door import ENCRYPTED
from bridge.matrix.encryption.key_server import KeyServer
from bridge.store.opening import open_database
from config.secrets import Secret
from portals.ids import ActionKey, RoomId
from tests.journeys.encrypted import EncryptedStage
from tests.journeys.world import people_of
from tests.sandbox.homeserver.nio_client import NioPerson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from portals.ids import MatrixUserId


@pytest.fixture
async def stage(tmp_path: Path, synapse_template: Path, sqlite_url: str) -> AsyncIterator[EncryptedStage]:
    """A stage whose rooms are encrypted; its bridge runs."""
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, {"wait": "1s"}) as found:
        await found.start()
        yield found


class Held:
    """What comes for the bot's device does not come, until it is let through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[Any] = []
        self.is_holding = True
        original = KeyServer.sync

        async def sync(server: KeyServer, user: MatrixUserId, device: str, since: str, timeout_ms: int) -> Any:
            answer = await original(server, user, device, since, min(timeout_ms, 200))
            self.events += answer.get("to_device", {}).get("events", [])
            came: list[Any] = []
            if not self.is_holding:
                came, self.events = self.events, []
            return {**answer, "to_device": {"events": came}}

        monkeypatch.setattr(KeyServer, "sync", sync)


async def test_a_message_whose_key_comes_late_waits_aside_and_goes_on_when_it_comes(
    stage: EncryptedStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        await stage.stop()
        await stage.start()  # which reads as it is held from its first moment
        await ada.say(room, "locked")
        await stage.until_parked()
        notice = await ada.until_true(lambda: [body for body in ada.bodies(room) if "did not reach Slack" in body])
        assert "goes on by itself if the key comes" in notice[0]
        held.is_holding = False
        await stage.until_in_slack("general", "locked")
        assert not await stage.parked()


async def test_a_key_that_comes_in_time_holds_a_message_up_and_says_nothing(
    tmp_path: Path, synapse_template: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    chosen = {"wait": "60s"}
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, chosen) as stage:
        await stage.start()
        async with NioPerson.of(stage.homeserver, "ada") as ada:
            room = await stage.enter("general", ada)
            await ada.say(room, "locked")
            await stage.until(lambda: held.events)
            await asyncio.sleep(0.5)
            held.is_holding = False
            await stage.until_in_slack("general", "locked")
            assert ada.bodies(room) == ["locked"]


async def test_who_comes_later_reads_from_then_on_and_who_left_reads_no_more(stage: EncryptedStage) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada, NioPerson.of(stage.homeserver, "bea") as bea:
        room = await stage.enter("general", ada)
        alice = stage.workspace.person("alice")
        alice.post("general", "before")
        await ada.until(room, "before")
        await bea.join(room)
        await stage.until_heard(room, ada, "bea has come")
        alice.post("general", "with both")
        await bea.until(room, "with both")
        assert "before" not in bea.bodies(room)
        async with NioPerson.of(stage.homeserver, "ada", register=False) as phone:
            await stage.until_stale(ada.user_id)
            alice.post("general", "on two devices")
            await phone.until(room, "on two devices")
        first = (await ada.until(room, "with both")).session_id
        await bea.client.room_leave(room)
        await stage.until_heard(room, ada, "bea has gone")
        alice.post("general", "without bea")
        assert (await ada.until(room, "without bea")).session_id != first


async def test_a_session_ends_after_as_many_messages_as_the_room_says(stage: EncryptedStage) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        await stage.set_encryption(room, rotation_period_msgs=2)
        await stage.until_heard(room, ada, "it is so from now on")
        for number in range(5):
            stage.workspace.person("alice").post("general", f"number {number}")
        found = [(await ada.until(room, f"number {number}")).session_id for number in range(5)]
        assert len(set(found[:2])) == len(set(found[2:4])) == 1
        assert len(set(found)) == 3


async def test_a_restart_goes_on_with_the_same_device_and_the_same_sessions(stage: EncryptedStage) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        stage.workspace.person("alice").post("general", "before")
        before = await ada.until(room, "before")
        await stage.stop()
        await ada.say(room, "while it was down")
        stage.workspace.person("alice").post("general", "missed")
        await stage.start()
        await stage.until_in_slack("general", "while it was down")
        after = await ada.until(room, "missed")
        assert (after.sender_key, after.session_id) == (before.sender_key, before.session_id)
        assert not any(isinstance(event, MegolmEvent) for _, event in ada.seen)


async def test_encryption_that_is_switched_on_later_is_followed_from_when_it_is_heard_of(
    tmp_path: Path, synapse_template: Path, sqlite_url: str
) -> None:
    more = {"rooms": {"join_rule": "public"}}
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, more=more) as stage:
        await stage.start()
        async with NioPerson.of(stage.homeserver, "ada") as ada:
            room = await stage.enter("general", ada)
            alice = stage.workspace.person("alice")
            alice.post("general", "in clear")
            await ada.until(room, "in clear")
            await stage.set_encryption(room)
            await ada.until_true(lambda: ada.client.rooms[room].encrypted)
            await ada.say(room, "sealed")
            await stage.until_in_slack("general", "sealed")  # what the homeserver tells, it tells in order
            alice.post("general", "sealed as well")
            await ada.until(room, "sealed as well")
            kinds = [event["type"] for event in await stage.sealed(room)]
            assert kinds == ["m.room.message", "m.room.encrypted", "m.room.encrypted"]


async def test_without_a_key_nothing_is_sent_into_an_encrypted_room_and_all_of_it_waits(
    tmp_path: Path, synapse_template: Path, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    more = {"rooms": {"join_rule": "public"}}
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, {"key": None}, more=more) as stage:
        await stage.start()
        async with NioPerson.of(stage.homeserver, "ada") as ada:
            room = await stage.enter("general", ada)
            await stage.set_encryption(room)
            stage.workspace.person("alice").post("general", "kept")
            await stage.until(lambda: ENCRYPTED in caplog.text)
            await asyncio.sleep(0.5)
            assert not await stage.sealed(room)
        assert not await stage.parked(), "it waits for the admin, and is not given up"


async def test_a_process_aside_speaks_in_a_room_beside_the_bridge_and_neither_says_a_place_twice(
    stage: EncryptedStage,
) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        alice = stage.workspace.person("alice")
        alice.post("general", "first")
        await ada.until(room, "first")
        ghost = next(event.sender for where, event in ada.seen if event.source["content"].get("body") == "first")
        database = await open_database(stage.database_url)
        async with client_from(stage.settings, database, aside=True) as aside:
            for number in range(3):
                for client, sender in ((aside, ghost), (aside, None)):
                    said = {"msgtype": "m.text", "body": f"aside {number} {sender}"}
                    key = ActionKey(f"aside-{number}-{sender}")
                    await client.send(RoomId(room), sender, "m.room.message", said, key)
                alice.post("general", f"beside {number}")
        await database.close()
        for number in range(3):
            for body in (f"beside {number}", f"aside {number} None", f"aside {number} {ghost}"):
                await ada.until(room, body)
        assert not any(isinstance(event, MegolmEvent) for _, event in ada.seen)


@pytest.mark.parametrize("chosen", [{"devices": "verified"}])
async def test_only_verified_devices_are_given_keys_and_heard_where_it_is_so_configured(
    chosen: dict[str, Any], tmp_path: Path, synapse_template: Path, sqlite_url: str
) -> None:
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, {"wait": "0s", **chosen}) as stage:
        await stage.start()
        async with NioPerson.of(stage.homeserver, "ada") as ada:  # who vouches for no device
            room = await stage.enter("general", ada)
            await ada.say(room, "not heard")
            assert "has not verified" in (await stage.until_parked())[0]
            stage.workspace.person("alice").post("general", "not read")
            await ada.until_true(lambda: [event for _, event in ada.seen if isinstance(event, MegolmEvent)])
            assert "not read" not in ada.bodies(room)


async def test_the_keys_lie_sealed_in_the_store_and_another_key_does_not_start(stage: EncryptedStage) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        stage.workspace.person("alice").post("general", "said")
        await ada.until(room, "said")
    await stage.stop()
    stage.change(key=Secret("another-key-of-tests"))
    with pytest.raises(Fatal, match=r"encryption\.key"):
        await stage.start()


async def test_a_device_whose_letters_no_longer_open_is_written_to_anew_and_heard_again(stage: EncryptedStage) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        await ada.say(room, "heard")
        await stage.until_in_slack("general", "heard")
        await stage.forget_sessions_with_people()
        ada.client.olm.rotate_outbound_group_session(room)
        await ada.say(room, "lost")
        assert "has not given the bridge its key" in (await stage.until_parked())[0]
        await ada.until_true(lambda: ada.letters_of("m.dummy"))
        ada.client.olm.rotate_outbound_group_session(room)
        await ada.say(room, "heard again")
        await stage.until_in_slack("general", "heard again")


async def test_a_device_that_says_why_it_gives_no_key_is_not_waited_for(
    tmp_path: Path, synapse_template: Path, sqlite_url: str
) -> None:
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, {"wait": "10min"}) as stage:
        await stage.start()
        async with NioPerson.of(stage.homeserver, "ada") as ada:
            room = await stage.enter("general", ada)
            event = {
                "algorithm": "m.megolm.v1.aes-sha2",
                "ciphertext": "AwgAEnACgAkLmt6qF84IK",
                "session_id": "a session",
                "sender_key": "a key",
                "device_id": ada.client.device_id,
            }
            await ada.send_sealed(room, event)
            why = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": room, "session_id": "a session"}
            why |= {"code": "m.blacklisted", "reason": "The sender has blocked you."}
            await ada.to_devices(stage.bot, "m.room_key.withheld", why)
            assert "The sender has blocked you." in (await stage.until_parked())[0]


async def test_a_device_that_lost_a_key_is_given_it_again_and_nobody_else_is(
    tmp_path: Path, synapse_template: Path, postgres_url: str
) -> None:
    chosen = {"ghosts": "bridge"}
    async with EncryptedStage(tmp_path, synapse_template, postgres_url, people_of, chosen) as stage:
        await stage.start()
        async with NioPerson.of(stage.homeserver, "ada") as ada, NioPerson.of(stage.homeserver, "eve") as eve:
            room = await stage.enter("general", ada)
            alice = stage.workspace.person("alice")
            alice.post("general", "first")
            event = await ada.until(room, "first")
            body = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": room, "session_id": event.session_id}
            before = len(ada.letters_of("m.room_key"))
            for person in (eve, ada):
                asks = {"action": "request", "body": body, "request_id": "1"}
                asks["requesting_device_id"] = person.client.device_id
                await person.to_devices(stage.bot, "m.room_key_request", asks)
            await ada.until_true(lambda: len(ada.letters_of("m.room_key")) > before)
            assert not eve.letters_of("m.room_key")


async def test_ghosts_speak_with_the_bots_device_in_rooms_where_it_is_the_other_way_round(
    stage: EncryptedStage,
) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        keys = []
        for turn in ("own", "otherwise"):
            for name in ("alice", "bob"):
                stage.workspace.person(name).post("general", f"{turn} {name}")
                keys.append((await ada.until(room, f"{turn} {name}")).sender_key)
            await stage.stop()
            stage.change(otherwise=(room,))
            await stage.start()
        assert len(set(keys[:2])) == 2
        assert len(set(keys[2:])) == 1
        assert not set(keys[:2]) & set(keys[2:])


async def test_devices_that_somebody_removed_on_the_homeserver_are_published_again(stage: EncryptedStage) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        alice = stage.workspace.person("alice")
        alice.post("general", "before")
        ghost = (await ada.until(room, "before")).sender
        for user in (stage.bot, ghost):
            await stage.remove_devices(user)
        await stage.set_encryption(room, rotation_period_msgs=1)  # so that the next message has to give out a key
        alice.post("general", "after")
        await ada.until(room, "after")
        ada.client.olm.rotate_outbound_group_session(room)
        await ada.say(room, "heard")
        await stage.until_in_slack("general", "heard")
        assert not await stage.parked()
