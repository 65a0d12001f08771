"""The program in the README computes the digest of a room from its events, without anything of the bridge."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.bridge.proof.listed import Listed, proof_of, told
from tests.portals.history.mirrored import NOW, Mirrored, at, file, record

if TYPE_CHECKING:
    from bridge.proof.prove import ChannelProof

README = Path(__file__).parents[3] / "README.md"
EDITED = "1700000099.000000"


def ts(number: int) -> str:
    return f"{1_700_000_000 + number}.000100"


def history() -> list[dict[str, Any]]:
    permalink = "https://acme.slack.com/archives/C1/p1700000001000100?thread_ts=1700000001.000100&amp;cid=C1"
    return [
        record(ts(1), "U1", 'hello <@U2> & "all" of you < 3\n\nsecond', thread_ts=ts(1)),
        record(ts(2), "U2", "hi *there*  <#C2|about-c2> <@U3> <@U0NOBODY>"),
        record(ts(3), "U1", "an answer :party:", thread_ts=ts(1), subtype="thread_broadcast"),
        record(ts(4), "U1", "the plan\n> quoted", files=[file("F1"), file("F2", "Grüße.txt")]),
        record(ts(5), "U2", f"see <{permalink}|this> and <{permalink}>."),
        {"type": "message", "subtype": "bot_message", "bot_id": "B1", "username": "CI <b>", "text": "ok", "ts": ts(6)},
        {"type": "message", "subtype": "bot_message", "bot_id": "B1", "username": "CI", "text": "*ok*", "ts": ts(7)},
        record(ts(8), "U2", "edited later", edited={"user": "U2", "ts": EDITED}),
    ]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, as it stands in the README."""
    section = README.read_text().partition("\n## Proof\n")[2].partition("\n## ")[0]
    block = section[section.index("    import hashlib") :]
    path = tmp_path_factory.mktemp("recipe") / "digest.py"
    path.write_text(textwrap.dedent(block))
    return path


def recomputed(program: Path, room: Mirrored, proof: ChannelProof) -> str:
    command = [sys.executable, "-I", str(program), proof.channel.id, proof.first, proof.last]
    done = subprocess.run(command, input=json.dumps(room.events), capture_output=True, text=True, check=True)
    return done.stdout.strip()


def shown(proof: ChannelProof) -> str:
    return f"{proof.room_digest} {proof.room_digest.lines}"


def test_a_third_party_comes_to_the_same_digest(program: Path) -> None:
    room = Mirrored().show(history())
    room.edit(room.event_of(ts(8)), {"msgtype": "m.text", "body": "edited later"}, ts=at(ts(8)) + 5000)
    room.add("m.room.message", "@zoe:localhost", {"msgtype": "m.text", "body": "from Matrix"}, NOW)
    room.show([record(ts(20), "U1", "after the end")])
    proof = proof_of(room, Listed(history()), live=True)
    assert told(proof) == []
    assert str(proof.source_digest) == str(proof.room_digest)
    assert recomputed(program, room, proof) == shown(proof)


def test_a_third_party_sees_a_damage_too(program: Path) -> None:
    room = Mirrored().show(history())
    whole = recomputed(program, room, proof_of(room, Listed(history())))
    room.edit(room.event_of(ts(8)), {"msgtype": "m.text", "body": "by another"}, sender="@zoe:localhost")
    assert recomputed(program, room, proof_of(room, Listed(history()))) == whole
    room.edit(room.event_of(ts(8)), {"msgtype": "m.text", "body": "never said"}, ts=at(EDITED) + 5000)
    room.redact(room.event_of(ts(2)))
    proof = proof_of(room, Listed(history()))
    assert told(proof) == [("messages", "missing", ts(2)), ("messages", "content", ts(8))]
    assert recomputed(program, room, proof) == shown(proof) != whole
    assert str(proof.source_digest) != str(proof.room_digest)


def test_what_rooms_know_besides_is_the_same_for_a_third_party(program: Path) -> None:
    room = Mirrored().show(history())
    event = room.event_of(ts(2))
    picture = '<img data-mx-emoticon src="mxc://localhost/x" alt=":x:" title=":x:" height="32">'
    link = '<a href="https://matrix.to/#/!room:localhost/$event?via=localhost">there</a>'
    place = "https://matrix.to/#/!room:localhost/$event?via=localhost."
    html = f"<p>{picture} {link}\u00a0 {place}<br>x</p><p>y</p>"
    event["content"] = {**event["content"], "format": "org.matrix.custom.html", "formatted_body": html}
    proof = proof_of(room, Listed(history()))
    assert recomputed(program, room, proof) == shown(proof)
