"""A room on a real Synapse is read back whole, and whatever was done to it on the homeserver is found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from bridge.matrix.client import MatrixClient
from bridge.matrix.encryption.attachments import Sealing
from bridge.proof import readback
from bridge.proof.prove import Task, prove
from portals.ids import ActionKey, MatrixUserId, RoomId
from tests.bridge.matrix.test_on_synapse import AS_TOKEN, registration
from tests.bridge.proof.listed import Listed, told, with_members
from tests.portals.history.mirrored import NAMES, Mirrored, file, ghost, known, record
from tests.sandbox.child import free_port
from tests.sandbox.homeserver.synapse import Synapse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from bridge.proof.prove import ChannelProof

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
PLAN = b"the plan" * 100


def ts(number: int) -> str:
    return f"{1_700_000_000 + number}.000100"


def history() -> list[Json]:
    return [
        record(ts(1), "U1", "hello <@U2>", thread_ts=ts(1)),
        record(ts(2), "U2", "hi *there*", reactions=[{"name": "tada", "users": ["U1", "U2"], "count": 2}]),
        record(ts(3), "U1", "an answer", thread_ts=ts(1), edited={"user": "U1", "ts": "1700000099.000000"}),
        record(ts(4), "U1", "the plan", files=[file("F1", size=len(PLAN))]),
        *(record(ts(n), "U2", f"message {n}") for n in range(5, 10)),
    ]


@dataclass
class Real:
    """A room on the homeserver that shows what a room in memory does; `events` are its ids by those in memory."""

    client: MatrixClient
    room: RoomId
    events: dict[str, str] = field(default_factory=dict)
    sent: int = 0

    async def show(self, mirrored: Mirrored) -> None:
        """Send every event as its sender at its time, with the ids that the homeserver gave."""
        for event in mirrored.events:
            if event["type"] == "m.room.member":
                await self.client.rooms.join(self.room, event["state_key"])
            elif "state_key" in event:
                content = self._real(event["content"])
                await self.client.set_state(self.room, None, event["type"], event["state_key"], content)
            else:
                await self.send(event)

    async def send(self, event: Json) -> str:
        self.sent += 1
        content, key = self._real(event["content"]), ActionKey(f"{self.room}/{self.sent}")
        sender = MatrixUserId(event["sender"])
        sent = await self.client.send(self.room, sender, event["type"], content, key, event["origin_server_ts"])
        self.events[event["event_id"]] = sent
        return sent

    def _real(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._real(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._real(inner) for inner in value]
        return self.events.get(value, value) if isinstance(value, str) else value

    async def proof(self, records: Sequence[Json], *, checksums: Mapping[str, str] | None = None) -> ChannelProof:
        async def sums(ids: Sequence[str]) -> Mapping[str, str]:
            assert checksums is not None
            return {one: checksums[one] for one in ids if one in checksums}

        source = with_members(Listed(records), "U1", "U2", pins=[ts(2)])
        asked = None if checksums is None else sums
        return await prove(self.client, Task(source.channel, [self.room], [source], known(), 100, checksums=asked))


@dataclass
class Place:
    client: MatrixClient
    plan: str
    other: str

    async def real(self, mirrored: Mirrored) -> Real:
        room = await self.client.rooms.create_room({"preset": "public_chat"})
        real = Real(self.client, room, {"mxc://localhost/F1": self.plan})
        await real.show(mirrored)
        return real


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory, synapse_template: Path) -> AsyncIterator[Place]:
    async def pieces(data: bytes) -> AsyncIterator[bytes]:
        yield data

    async with (
        Synapse(
            tmp_path_factory.mktemp("homeserver"), registrations=[registration(free_port())], template=synapse_template
        ) as synapse,
        MatrixClient(synapse.url, AS_TOKEN, NAMES.bot) as client,
    ):
        for user in ("U1", "U2", "U9"):
            await client.register(ghost(user))
        media = client.media
        plan = await media.upload(pieces(PLAN), "application/pdf", "plan.pdf", len(PLAN))
        other = await media.upload(pieces(PLAN[::-1]), "application/pdf", "plan.pdf", len(PLAN))
        yield Place(client, plan, other)


def room(records: Sequence[Json]) -> Mirrored:
    return Mirrored().show(records).pin(ts(2))


async def test_a_whole_room_proves_to_be_whole(place: Place) -> None:
    records = history()
    real = await place.real(room(records))
    found = await real.proof(records, checksums={"F1": hashlib.sha256(PLAN).hexdigest()})
    assert told(found) == []
    assert str(found.source_digest) == str(found.room_digest)
    assert found.room_digest.lines == len(records) + 1
    assert found.checked_files == 1
    assert {kind: tally.present for kind, tally in found.tallies.items()} == {
        "messages": 9, "threads": 1, "reactions": 2, "files": 1, "pins": 1, "members": 2, "topics": 0,
    }  # fmt: skip


async def test_everything_that_was_done_to_a_room_is_found(place: Place) -> None:
    records = history()
    mirrored = room(records)
    late = mirrored.event_of(ts(7))
    mirrored.events.remove(mirrored.event_of(ts(5)))
    mirrored.events.remove(late)
    mirrored.events.append(late)
    mirrored.event_of(ts(6))["sender"] = ghost("U9")
    mirrored.events.insert(0, {"type": "m.room.member", "state_key": ghost("U9"), "content": {}})
    mirrored.event_of(ts(8))["origin_server_ts"] += 1000
    mirrored.events.append({**mirrored.event_of(ts(4)), "event_id": "$again"})
    real = await place.real(mirrored)
    client, events = place.client, real.events
    await client.redact(real.room, ghost("U1"), events[mirrored.event_of(ts(1))["event_id"]], ActionKey("gone"))  # type: ignore[arg-type]  # ids
    edit = mirrored.edit(mirrored.event_of(ts(9)), {"msgtype": "m.text", "body": "changed"})
    await real.send(edit)
    reaction = next(one for one in mirrored.events if one["type"] == "m.reaction")
    await client.redact(real.room, reaction["sender"], events[reaction["event_id"]], ActionKey("unreacted"))  # type: ignore[arg-type]  # ids
    await client.set_state(real.room, None, "m.room.pinned_events", "", {"pinned": []})
    await client.rooms.leave(real.room, ghost("U2"))
    found = await real.proof(records)
    assert sorted(told(found)) == [
        ("members", "missing", ""),
        ("messages", "author", ts(6)),
        ("messages", "content", ts(9)),
        ("messages", "missing", ts(1)),
        ("messages", "missing", ts(5)),
        ("messages", "order", ts(7)),
        ("messages", "time", ts(8)),
        ("messages", "twice", ts(4)),
        ("pins", "missing", ts(2)),
        ("reactions", "missing", ts(2)),
    ]
    redacted = next(one for one in found.differences if one.ts == ts(1))
    assert redacted.found == "its event was redacted"
    assert redacted.event_id == events[mirrored.event_of(ts(1))["event_id"]]
    assert str(found.source_digest) != str(found.room_digest)


@pytest.mark.parametrize("known", [True, False])
async def test_the_bytes_of_another_file_are_found(place: Place, known: bool) -> None:
    records = [record(ts(1), "U1", "", files=[file("F1", size=len(PLAN) - (not known))])]
    sums = {"F1": hashlib.sha256(PLAN).hexdigest()} if known else {}
    real = await place.real(Mirrored().show(records))
    found = await real.proof(records, checksums=sums)
    assert [one for one in told(found) if one[0] == "files"] == ([] if known else [("files", "checksum", ts(1))])
    real = await place.real(Mirrored())
    real.events["mxc://localhost/F1"] = place.other
    await real.show(Mirrored().show(records))
    found = await real.proof(records, checksums=sums)
    assert ("files", "checksum", ts(1)) in told(found)
    assert found.tallies["files"].is_balanced
    real = await place.real(Mirrored())
    real.events["mxc://localhost/F1"] = "mxc://localhost/nowhere"
    await real.show(Mirrored().show(records))
    lost = next(one for one in (await real.proof(records, checksums=sums)).differences if one.kind == "files")
    assert (lost.what, lost.found) == ("checksum", "the homeserver does not have it")


async def test_a_room_of_several_pages_is_read_to_its_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readback, "_PAGE", 7)
    records = [record(ts(n), "U1", f"message {n}") for n in range(1, 40)]
    real = await place.real(Mirrored().show(records))
    found = await real.proof(records)
    assert [one for one in told(found) if one[0] == "messages"] == []
    assert found.tallies["messages"].present == 39
    assert found.events > 39


async def test_an_encrypted_file_is_compared_by_what_is_in_it(place: Place) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield PLAN

    sealing = Sealing()
    mxc = await place.client.media.upload(sealing.sealed(pieces()), "application/octet-stream", "", len(PLAN))
    records = [record(ts(1), "U1", "", files=[file("F1", size=len(PLAN))])]
    mirrored = Mirrored().show(records)
    event = mirrored.event_of(ts(1))
    event["content"] = {name: value for name, value in event["content"].items() if name != "url"}
    event["content"]["file"] = sealing.file(mxc)
    found = await (await place.real(mirrored)).proof(records, checksums={"F1": hashlib.sha256(PLAN).hexdigest()})
    assert [one for one in told(found) if one[0] == "files"] == []
    assert found.checked_files == 1
    event["content"]["file"] = {**sealing.file(mxc), "url": place.plan}
    found = await (await place.real(mirrored)).proof(records, checksums={})
    assert ("files", "checksum", ts(1)) in told(found)
