"""The instant homeserver answers and pushes what the real Synapse does: one script, run on both, word for word."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp

from tests.sandbox.homeserver.instant import InstantHomeserver
from tests.sandbox.homeserver.recorder import Recorder
from tests.sandbox.homeserver.synapse import Synapse
from tests.sandbox.homeserver.transport import HttpTransport, Json, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

BOT, GHOST, OTHER, STRANGER = (
    f"@{name}:localhost" for name in ("causeway", "slack_t1_u1", "slack_t1_u2", "slack_t1_u9")
)
AT = "1500000000000"
# Where Synapse tells more than a bridge can rely on.
IGNORED = {"age", "current_user_participated"}
IGNORED_IN_UNSIGNED = {"membership", "transaction_id"}
IGNORED_NUMBERS = re.compile(r"(?<!\d)1[6-9]\d{11}(?!\d)|(?<!\w)[ts]\d+(-\d+)?(_\d+)+|(?<!\w)[ts]\d+(?!\w)")


class Script:
    """Asks as the application service and takes down every answer."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        self.answers: list[tuple[str, int, Any]] = []

    async def ask(self, method: str, path: str, body: Json | None = None, /, **query: str) -> Json:
        status, answer = 200, await self._answer(method, path, body, query)
        if isinstance(answer, RequestRefused):
            status, answer = answer.status, answer.body
        self.answers.append((f"{method} {path} {query}", status, answer))
        assert isinstance(answer, dict)
        return answer

    async def _answer(self, method: str, path: str, body: Json | None, query: Json) -> Json | bytes | RequestRefused:
        try:
            return await self._transport.request(
                method, f"/_matrix/client/{path}", token="as-secret", query=query, body=body
            )
        except RequestRefused as refused:
            return refused


async def play(homeserver: Synapse | InstantHomeserver, transport: HttpTransport, recorder: Recorder) -> Script:
    script = Script(transport)
    ask = script.ask
    await ask("GET", "v3/account/whoami")
    await ask("GET", "v3/account/whoami", user_id=GHOST)
    await ask("GET", "v3/account/whoami", user_id="@ada:localhost")
    for name in ("causeway", "causeway", "slack_t1_u1", "slack_t1_u2", "other"):
        body = {"type": "m.login.application_service", "username": name, "inhibit_login": True}
        await ask("POST", "v3/register", body)
    ada = await homeserver.person("ada")

    made = await ask("POST", "v3/createRoom", {
        "preset": "private_chat", "room_alias_name": "slack_x", "name": "General", "topic": "Talk",
        "invite": ["@ada:localhost", GHOST], "creation_content": {"type": "m.space"},
        "initial_state": [{"type": "m.bridge", "state_key": "k", "content": {"a": 1}}],
        "power_level_content_override": {"users": {"@ada:localhost": 50}, "events": {"m.room.topic": 3}},
    })  # fmt: skip
    room = made["room_id"]
    await ask("POST", "v3/createRoom", {"preset": "public_chat"})
    await ask("POST", "v3/createRoom", {"room_alias_name": "slack_x"})
    await ask("POST", "v3/createRoom", {"room_alias_name": "other"})
    for alias in ("#slack_x", "#slack_y", "#zzz"):
        await ask("GET", f"v3/directory/room/{quote(alias)}:localhost")

    in_room = f"v3/rooms/{room}"
    message = {"msgtype": "m.text", "body": "x"}
    await ask("PUT", f"{in_room}/send/m.room.message/1", message, user_id=GHOST)
    await ask("POST", f"v3/join/{room}", {}, user_id=GHOST)
    await ask("POST", f"v3/join/{room}", {}, user_id=GHOST)
    await ask("POST", f"v3/join/{room}", {}, user_id=OTHER)
    await ask("POST", f"{in_room}/invite", {"user_id": GHOST})
    await ask("POST", f"{in_room}/invite", {"user_id": "@ada:localhost"})
    await ask("POST", f"{in_room}/join", {}, user_id=GHOST)

    await ask("PUT", f"v3/profile/{GHOST}/displayname", {"displayname": "Grace"}, user_id=GHOST)
    await until_named(script, room, "Grace")
    await ask("PUT", f"v3/profile/{GHOST}/displayname", {"displayname": "Grace"}, user_id=BOT)
    await ask("PUT", f"v3/profile/{GHOST}/displayname", {"displayname": "x" * 300}, user_id=GHOST)
    await ask("GET", f"v3/profile/{GHOST}")
    await ask("GET", f"v3/profile/{GHOST}/displayname")
    await ask("GET", "v3/profile/@nobody:localhost")

    rule, muted = f"v3/pushrules/global/override/{room}", [{"kind": "event_match", "key": "room_id", "pattern": room}]
    await ask("GET", rule, user_id=GHOST)
    await ask("PUT", rule, {"conditions": muted, "actions": []}, user_id=GHOST)
    await ask("PUT", f"{rule}/enabled", {"enabled": False}, user_id=GHOST)
    await ask("PUT", rule, {"conditions": muted, "actions": ["notify"]}, user_id=GHOST)
    await ask("GET", rule, user_id=GHOST)
    await ask("DELETE", rule, user_id=GHOST)
    await ask("DELETE", rule, user_id=GHOST)
    await ask("PUT", f"{rule}/enabled", {"enabled": True}, user_id=GHOST)

    first = (await ask("PUT", f"{in_room}/send/m.room.message/1", message, user_id=GHOST))["event_id"]
    await ask("PUT", f"{in_room}/send/m.room.message/1", {**message, "body": "lost: the id was used"})
    await ask("PUT", f"{in_room}/send/m.room.message/2", {**message, "body": "y" * 66_000})
    await ask("PUT", "v3/rooms/!none:localhost/send/m.room.message/2", message)
    reaction = {"m.relates_to": {"rel_type": "m.annotation", "event_id": first, "key": "x"}}
    await ask("PUT", f"{in_room}/send/m.reaction/3", reaction)
    await ask("PUT", f"{in_room}/send/m.reaction/4", reaction)
    await ask("PUT", f"{in_room}/send/m.room.message/5", message, user_id=GHOST, ts=AT)

    await ask("PUT", f"{in_room}/state/m.room.topic", {"topic": "New"})
    await ask("PUT", f"{in_room}/state/m.room.topic/", {"topic": "New"})
    await ask("PUT", f"{in_room}/state/m.room.name", {"name": "A"}, user_id=GHOST)
    await ask("PUT", f"{in_room}/state/m.room.power_levels", {"users": {BOT: 100}})
    await ask("PUT", f"{in_room}/state/dev.test/key", {"a": 1}, ts=AT)
    for path in ("m.room.none", "m.room.topic", "m.room.topic/", "dev.test/key", "m.room.power_levels"):
        await ask("GET", f"{in_room}/state/{path}")
    await ask("GET", f"{in_room}/state/m.room.topic", format="event")
    await ask("GET", f"{in_room}/state/m.room.topic", user_id=OTHER)
    await ask("GET", f"{in_room}/messages", user_id=OTHER, dir="b")

    await ada.join(room)
    said = await ada.say(room, "hi")
    await ada.edit(room, said, "ho")
    threaded = await ada.thread(room, said, "deeper")
    relation = {"rel_type": "m.thread", "event_id": threaded}
    await ask("PUT", f"{in_room}/send/m.room.message/6", {**message, "m.relates_to": relation})
    await ask("GET", f"{in_room}/event/{said}")
    await ask("GET", f"v1/rooms/{room}/relations/{said}", dir="f")
    await ask("PUT", f"{in_room}/redact/{said}/7", {"reason": "no"}, user_id=GHOST)
    await ask("PUT", f"{in_room}/redact/{said}/8", {"reason": "yes"})
    await ask("PUT", f"{in_room}/redact/{said}/9", {"reason": "again"})
    await ask("PUT", f"{in_room}/redact/$none/10", {})
    await ask("PUT", f"{in_room}/send/m.room.redaction/11", {"redacts": first}, user_id=GHOST, ts=AT)
    for event_id in (said, first, "$none"):
        await ask("GET", f"{in_room}/event/{event_id}")
    await ask("GET", f"{in_room}/event/{said}", user_id=OTHER)
    await ask("GET", f"v1/rooms/{room}/relations/{said}")
    await ask("GET", f"v1/rooms/{room}/relations/{said}/m.thread")
    await ask("GET", f"{in_room}/messages", dir="b", limit="3")
    await ask("GET", f"{in_room}/messages", dir="b", limit="100")
    await ask("GET", f"{in_room}/messages", dir="f", limit="100")
    await ask("GET", f"{in_room}/joined_members")
    await ask("GET", f"{in_room}/members")
    await ask("GET", "v3/joined_rooms", user_id=GHOST)

    await ask("PUT", f"{in_room}/typing/{GHOST}", {"typing": True, "timeout": 30_000})
    # Synapse has a stream for each kind and merges them as they come: one at a time, then.
    await ada.typing(room)
    await until(lambda: len(recorder.ephemeral) == 1)
    await ada.read(room, threaded)
    await until(lambda: len(recorder.ephemeral) == 2)
    await ada.typing(room, on=False)
    await until(lambda: len(recorder.ephemeral) == 3)

    await ask("POST", f"{in_room}/kick", {"user_id": GHOST}, user_id=OTHER)
    await ask("POST", f"{in_room}/kick", {"user_id": GHOST, "reason": "out"})
    await ask("POST", f"{in_room}/kick", {"user_id": GHOST, "reason": "out"})
    await ask("POST", f"{in_room}/leave", {}, user_id=GHOST)
    await ask("PUT", f"{in_room}/send/m.room.message/12", message, user_id=GHOST)
    await ask("POST", f"{in_room}/invite", {"user_id": STRANGER})
    await ask("POST", "v1/appservice/other/ping", {"transaction_id": "t"})
    await ask("GET", "v1/media/download/localhost/none")
    await ask("GET", "v3/nonsense")
    await ada.leave(room)
    await until(lambda: any(map(is_farewell, recorder.events)))
    return script


def is_farewell(event: Json) -> bool:
    return bool(event["sender"] == "@ada:localhost" and event["content"].get("membership") == "leave")


async def test_the_instant_homeserver_answers_and_pushes_what_synapse_does(
    tmp_path: Path, synapse_template: Path
) -> None:
    async with (
        Recorder() as real_service,
        Synapse(tmp_path, template=synapse_template, registrations=[real_service.registration]) as synapse,
    ):
        real = await play(synapse, synapse.transport, real_service)
    async with (
        Recorder() as service,
        InstantHomeserver(registrations=[service.registration]) as homeserver,
        aiohttp.ClientSession() as session,
    ):
        instant = await play(homeserver, HttpTransport(session, homeserver.url), service)
    assert comparable(instant.answers) == comparable(real.answers)
    assert comparable(service.events) == comparable(real_service.events)
    assert comparable(service.ephemeral) == comparable(real_service.ephemeral)
    assert sorted(service.asked) == sorted(real_service.asked)


def comparable(answers: Iterable[Any]) -> list[str]:
    """Each answer as one line, with ids replaced by their order of appearance."""
    names: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"{found[0][0]}{len(names)}")

    lines = []
    for answer in answers:
        text = json.dumps(_without_ignored(answer), sort_keys=True)
        text = IGNORED_NUMBERS.sub("...", text)
        lines.append(re.sub(r"[$!][A-Za-z0-9_-]{43}", name, text))
    return lines


def _without_ignored(value: Any, *, unsigned: bool = False) -> Any:
    if isinstance(value, dict):
        ignored = IGNORED | (IGNORED_IN_UNSIGNED if unsigned else set())
        kept = [key for key in value if key not in ignored]
        return {key: _without_ignored(value[key], unsigned=key == "unsigned") for key in kept}
    if isinstance(value, list | tuple):
        parts = [_without_ignored(each) for each in value]
        if all(isinstance(part, dict) and "state_key" in part for part in parts):
            return sorted(parts, key=lambda part: (part["type"], part["state_key"]))
        return parts
    return value


async def until_named(script: Script, room: str, name: str) -> None:
    """Synapse carries a new name into the rooms in the background."""

    async def named() -> bool:
        answer = await script._transport.request(
            "GET", f"/_matrix/client/v3/rooms/{room}/joined_members", token="as-secret"
        )
        assert isinstance(answer, dict)
        return bool(answer["joined"][GHOST]["display_name"] == name)

    while not await named():
        await asyncio.sleep(0.01)


async def until(happened: Callable[[], bool]) -> None:
    while not happened():
        await asyncio.sleep(0.01)
