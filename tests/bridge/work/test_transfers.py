"""A message waits for its file only while that may still come, and a file crosses once whoever asks for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bridge.errors import Later, Refused
from bridge.store.files import FileState
from bridge.work import transfers
from bridge.work.transfers import ABSENT
from portals.actions import SendFile
from portals.ids import ActionKey, MatrixUserId, RoomId
from tests.bridge.work.file_world import EXPORT_TOKEN, TEAM, file_of, times

if TYPE_CHECKING:
    from tests.bridge.work.file_world import FileWorld

MINUTE = 60
DAY = 24 * 60 * MINUTE


def sending(url: str, size: int = 0, thumbnail: str = "") -> SendFile:
    """The action that shows the file F1."""
    return SendFile(
        key=ActionKey("k"),
        room=RoomId("!r:hs.test"),
        sender=MatrixUserId("@ghost:hs.test"),
        file_id="F1",
        url=url,
        name="a.bin",
        mimetype="application/octet-stream",
        size=size,
        content={},
        fallback="",
        thumbnail=thumbnail,
    )


async def absence(world: FileWorld, action: SendFile) -> str:
    with pytest.raises(Refused) as refused:
        await world.transfers.to_matrix(TEAM, action)
    assert refused.value.code == ABSENT
    return refused.value.detail


async def promise(world: FileWorld, url: str) -> None:
    await world.files.keep(world.fetcher().expecting(TEAM, [file_of(url)]))


async def test_a_file_that_several_lanes_meet_at_once_crosses_once(world: FileWorld) -> None:
    world.content["a"] = b"abc"
    action = sending(world.link("a"), 3)
    found = await asyncio.gather(*(world.transfers.to_matrix(TEAM, action) for _ in range(5)))
    assert set(found) == {"mxc://hs.test/m1"}
    assert len(world.asked) == len(world.stored) == 1
    known = await world.state("F1")
    assert (known.told, known.seen, len(known.sha256)) == (3, 3, 64)


async def test_a_picture_that_several_messages_show_at_once_crosses_once(world: FileWorld) -> None:
    world.content["party.png"] = b"png"
    url = world.link("party.png")
    found = await asyncio.gather(*(world.transfers.picture(TEAM, url) for _ in range(5)))
    assert set(found) == {"mxc://hs.test/m1"}
    assert len(world.asked) == len(world.stored) == 1


async def test_of_two_that_wait_for_one_the_second_tries_where_the_first_failed(world: FileWorld) -> None:
    world.content["a"] = b"abc"
    world.answers["a"] = times(1, lambda: web.Response(status=503))
    action = sending(world.link("a"))
    first, second = await asyncio.gather(
        *(world.transfers.to_matrix(TEAM, action) for _ in range(2)), return_exceptions=True
    )
    assert isinstance(first, Later)
    assert second == "mxc://hs.test/m1"


async def test_a_file_that_could_not_be_had_is_not_asked_for_again_until_an_admin_does(world: FileWorld) -> None:
    action = sending(world.link("a"))
    assert await absence(world, action) == await absence(world, action) == "the file does not exist, or no longer"
    assert len(world.asked) == 1
    world.content["a"] = b"abc"
    await world.files.retry([(TEAM, "F1")])
    assert await world.transfers.to_matrix(TEAM, action) == "mxc://hs.test/m1"


async def test_a_file_that_slack_hid_is_asked_for_once_slack_names_its_address(world: FileWorld) -> None:
    world.content["a"] = b"abc"
    hidden = file_of("", refusal="hidden by the limits of the workspace's Slack plan")
    await world.files.keep(world.fetcher().expecting(TEAM, [hidden]))
    assert (await world.state("F1")).state is FileState.ABSENT
    assert await world.transfers.to_matrix(TEAM, sending(world.link("a"))) == "mxc://hs.test/m1"


async def test_a_message_waits_for_a_file_that_an_import_is_about_to_bring(world: FileWorld) -> None:
    world.content["a"] = b"abc"
    await promise(world, world.link("a"))
    action = sending(world.link("a"))
    with pytest.raises(Later, match="import") as later:
        await world.transfers.to_matrix(TEAM, action)
    assert later.value.retry_after is not None
    assert later.value.retry_after < 1
    assert world.asked == []
    await world.transfers.bring(await world.state("F1"))
    assert await world.transfers.to_matrix(TEAM, action) == "mxc://hs.test/m1"
    assert len(world.asked) == 1


async def test_when_the_import_is_gone_the_bridge_brings_the_file_itself(world: FileWorld) -> None:
    world.content["a"] = b"abc"
    await promise(world, world.link("a", EXPORT_TOKEN))
    world.now += 5 * MINUTE
    assert await world.transfers.to_matrix(TEAM, sending(world.link("a"))) == "mxc://hs.test/m1"


async def test_what_only_the_import_can_open_is_given_up_only_when_that_never_comes_back(world: FileWorld) -> None:
    world.connect(connected=False)
    world.content["a"] = b"abc"
    await promise(world, world.link("a", EXPORT_TOKEN))
    action = sending(world.link("a"))
    world.now += 5 * MINUTE
    with pytest.raises(Later, match="import"):
        await world.transfers.to_matrix(TEAM, action)
    assert (await world.state("F1")).state is FileState.WAITING
    world.now += 2 * DAY
    assert await absence(world, action) == "Slack asks to sign in for it"


async def test_a_file_that_slack_never_hands_out_whole_does_not_hold_up_its_channel_for_ever(
    world: FileWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "_PATIENCE", 4)
    world.answers["a"] = times(9, lambda: web.Response(status=500))
    action = sending(world.link("a"))
    for _ in range(3):
        with pytest.raises(Later):
            await world.transfers.to_matrix(TEAM, action)
    assert await absence(world, action) == "the file could not be fetched (status 500)"


async def test_an_app_that_may_not_read_files_is_an_admins_matter(world: FileWorld) -> None:
    world.good.clear()
    world.info["F1"] = {"ok": False, "error": "missing_scope", "needed": "files:read"}
    with pytest.raises(Refused, match="files:read"):
        await world.transfers.to_matrix(TEAM, sending(world.link("a")))
    assert await world.files.find(TEAM, "F1") is None


async def test_the_token_in_an_address_is_not_stored(world: FileWorld) -> None:
    world.content["a"] = b"abc"
    tokened = world.link("a", EXPORT_TOKEN)
    await world.transfers.to_matrix(TEAM, sending(tokened, thumbnail=tokened))
    known = await world.state("F1")
    assert (known.url, known.thumbnail) == (world.link("a"), world.link("a"))


async def test_a_thumbnail_that_cannot_be_had_costs_nothing_but_itself(world: FileWorld) -> None:
    world.content |= {"a": b"abc", "small": b"x"}
    assert await world.transfers.thumbnail(TEAM, "F1", world.link("none")) is None
    assert await world.transfers.thumbnail(TEAM, "F1", world.link("small")) == "mxc://hs.test/m1"
    assert await world.transfers.thumbnail(TEAM, "F1", world.link("none")) == "mxc://hs.test/m1"
    await promise(world, world.link("a"))
    file = replace(await world.state("F1"), thumbnail=world.link("gone"))
    assert await world.transfers.bring(file) == "mxc://hs.test/m2"
