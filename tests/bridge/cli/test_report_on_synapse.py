"""The whole way on a real Synapse: a history is imported by one command and proven by the next, which finds damage."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bridge.matrix.client import MatrixClient
from portals.ids import ActionKey, MatrixUserId, RoomId
from tests.sandbox.exports import Generated

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway, Side

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_an_imported_history_is_proven_and_what_came_twice_is_found(
    causeway: Causeway, side: Side, tmp_path: Path, database_url: str
) -> None:
    team = side.slack.team().id
    spec = Generated(seed=9, messages=60, channels=2, people=12, largest=2000, host=side.slack.url, team=team)
    side.slack.hosting.exported[team] = spec.files()
    spec.write(tmp_path / "export.zip", "standard")
    channels: dict[str, Any] = {"automatic": {"include": []}}
    rooms = {"alias_localpart": "slack_{team}_" + database_url.partition(":")[0] + "{channel}"}
    config = side.write(tmp_path / "config.yaml", database={"url": database_url}, portals=channels, appservice=rooms)

    async def say(*words: str, code: int = 0) -> Any:
        return await asyncio.to_thread(causeway, *words, code=code, CAUSEWAY_CONFIG=str(config))

    await say("import", str(tmp_path / "export.zip"))
    data = (await say("report", "--checksums", "--json")).data
    assert data["unexplained"] == 0
    assert (
        data["totals"]["messages"]["source"]
        == data["totals"]["messages"]["present"] + data["totals"]["messages"]["explained"]
    )
    assert all(channel["digest"]["equal"] for channel in data["channels"])
    (room,) = data["channels"][0]["rooms"]
    bot = MatrixUserId("@causeway:localhost")
    async with MatrixClient(side.synapse.url, side.values["appservice"]["as_token"], bot) as matrix:
        page = await matrix.messages(RoomId(room), direction="f", limit=200)
        event = next(
            one for one in page.events if one["type"] == "m.room.message" and "dev.causeway.slack" in one["content"]
        )
        sender, key = MatrixUserId(event["sender"]), ActionKey(f"again {database_url}")
        content = {name: value for name, value in event["content"].items() if name != "dev.causeway.key"}
        again = await matrix.send(RoomId(room), sender, event["type"], content, key, event["origin_server_ts"])
    data = (await say("report", "--channel", data["channels"][0]["id"], "--json", code=1)).data
    ((difference,),) = [channel["differences"] for channel in data["channels"]]
    assert (difference["what"], difference["event_id"]) == ("twice", again)
    assert difference["ts"] == event["content"]["dev.causeway.slack"]["ts"]
