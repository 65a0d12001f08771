"""Files of history come early, several at once and each once, whatever fails on the way."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from bridge.store.files import FileState
from bridge.work import fetching
from portals import retry
from portals.events import SlackPicture
from portals.facts import Rules
from tests.bridge.work.file_world import BOT_TOKEN, EXPORT_TOKEN, TEAM, file_of, times

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.work.fetching import Fetcher
    from portals.events import SlackFile
    from tests.bridge.work.file_world import FileWorld


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST", 0.001)
    monkeypatch.setattr(retry, "_LONGEST", 0.005)
    monkeypatch.setattr(fetching, "TROUBLED", 0.01)
    monkeypatch.setattr(fetching, "_LOOK", 0.02)


@asynccontextmanager
async def running(fetcher: Fetcher) -> AsyncIterator[Fetcher]:
    task = asyncio.create_task(fetcher.run())
    try:
        yield fetcher
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


async def promise(world: FileWorld, fetcher: Fetcher, *files: SlackFile) -> None:
    await world.files.keep(fetcher.expecting(TEAM, files))
    fetcher.hurry()


async def fetch(world: FileWorld, *files: SlackFile, **more: Any) -> Fetcher:
    """Fetch as the process of one import that is left alone; returns when nothing waits any more."""
    fetcher = world.fetcher(**more)
    async with asyncio.timeout(30), running(fetcher):
        await promise(world, fetcher, *files)
        await fetcher.settled()
    return fetcher


async def test_a_file_comes_whole_with_its_name_its_type_and_its_checksum(world: FileWorld) -> None:
    world.content["ünï.bin"] = content = bytes(range(256)) * 1000
    file = file_of(world.link("ünï.bin"), size=len(content))
    fetcher = await fetch(world, file)
    known = await world.state("F1")
    stored = world.stored["m1"]
    assert (known.state, known.mxc, known.seen) == (FileState.HERE, "mxc://hs.test/m1", len(content))
    assert known.sha256 == stored.sha256 == hashlib.sha256(content).hexdigest()
    assert (stored.size, stored.mimetype, stored.filename) == (len(content), file.mimetype, "ünï.bin")
    assert (fetcher.progress.here, fetcher.progress.absent, fetcher.progress.passed) == (1, 0, len(content))
    assert fetcher.progress.rate > 0


async def test_several_come_at_once_each_once_and_the_homeserver_is_asked_for_its_limit_once(world: FileWorld) -> None:
    for number in range(250):
        world.content[f"{number}"] = b"x" * (number + 1)
    files = [file_of(world.link(f"{number}"), f"F{number}", number + 1) for number in range(250)]
    four = asyncio.Barrier(4)

    async def together(request: web.Request) -> web.Response:
        await four.wait()
        return web.Response(body=world.content[request.match_info["name"]])

    world.answers = {f"{number}": [together] for number in range(100)}
    fetcher = await fetch(world, *files, *files[:50], at_once=4)
    assert len(world.asked) == len(world.stored) == fetcher.progress.here == 250
    assert sorted(one.size for one in world.stored.values()) == list(range(1, 251))
    assert world.most_open == 4
    assert world.limits_asked <= 4, "once by each of those that began together"
    again = await fetch(world, *files)
    assert len(world.asked) == 250
    assert again.progress.here == 0


async def test_the_token_of_an_export_opens_its_files_and_is_stored_nowhere(
    world: FileWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.connect(connected=False)
    world.content |= {"a": b"abc", "b": b"de"}
    thumbnail = SlackPicture(world.link("a", EXPORT_TOKEN), 1, 1, "")
    with caplog.at_level(logging.DEBUG):
        await fetch(
            world,
            file_of(world.link("a", EXPORT_TOKEN), thumbnail=thumbnail),
            file_of(world.link("b", EXPORT_TOKEN), "F2"),
            file_of(world.link("gone", EXPORT_TOKEN), "F3"),
        )
    assert {(one.bearer, one.in_link) for one in world.asked} == {("", EXPORT_TOKEN)}
    states = [(await world.state(name)).state for name in ("F1", "F2", "F3")]
    assert states == [FileState.HERE, FileState.HERE, FileState.ABSENT]
    rows = await world.database.fetch("SELECT * FROM files")
    pictures = await world.database.fetch("SELECT * FROM media")
    assert len(pictures) == 1
    assert "xoxe" not in f"{[tuple(row) for row in [*rows, *pictures]]}{caplog.text}"


@pytest.mark.parametrize("works", [BOT_TOKEN, EXPORT_TOKEN, "xoxe-of-an-older-export"])
async def test_whichever_token_still_works_opens_a_file_and_is_the_first_for_the_next(
    world: FileWorld, works: str
) -> None:
    world.good = {works}
    world.content |= {"a": b"abc", "b": b"de"}
    tokens = ("xoxe-of-an-older-export", EXPORT_TOKEN)
    fetcher = world.fetcher(at_once=1)
    async with asyncio.timeout(30), running(fetcher):
        for number, token in enumerate(tokens):
            await promise(world, fetcher, file_of(world.link("a", token), f"F{number}"))
        await fetcher.settled()
        asked = len(world.asked)
        await promise(world, fetcher, file_of(world.link("b", EXPORT_TOKEN), "F9"))
        await fetcher.settled()
    assert [one.name for one in world.asked[asked:]] == ["b"]
    assert world.asked[-1].bearer + world.asked[-1].in_link == works
    assert (await world.state("F9")).state is FileState.HERE


async def test_what_slack_no_longer_has_is_absent_with_the_reason_and_not_asked_for_again(world: FileWorld) -> None:
    world.info = {"F2": {"mode": "tombstone"}, "F4": {"mode": "hosted"}}
    world.content["large"] = b"x" * 2_000
    world.largest = 1_000
    page = times(10, lambda: web.Response(text="<title>Login | Slack", content_type="text/html"))
    world.answers = {"deleted": [*page], "unknown": [*page], "kept": [*page]}
    files = [
        file_of(world.link("gone"), "F1"),
        file_of(world.link("deleted"), "F2"),
        file_of(world.link("unknown"), "F3"),
        file_of(world.link("kept"), "F4"),
        file_of("https://drive.example/x", "F5"),
        file_of(world.link("large"), "F6"),
        file_of("", "F7", refusal="hidden by the limits of the workspace's Slack plan"),
    ]
    fetcher = await fetch(world, *files)
    known = [await world.state(file.id) for file in files]
    assert {one.state for one in known} == {FileState.ABSENT}
    assert [one.reason for one in known] == [
        "the file does not exist, or no longer",
        "it does not exist any more",
        "it does not exist any more",
        "Slack does not give it to the bridge",
        "the file does not live in Slack",
        "the file is larger than the 1000 bytes that the homeserver accepts",
        "hidden by the limits of the workspace's Slack plan",
    ]
    assert fetcher.progress.absent == 6
    asked = len(world.asked)
    await fetch(world, *files)
    assert len(world.asked) == asked
    assert world.stored == {}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("xoxe-expired", "the link in the export no longer opens it"),
        ("", "Slack asks to sign in for it"),
    ],
)
async def test_without_a_token_that_works_a_file_is_absent(world: FileWorld, token: str, reason: str) -> None:
    world.connect(connected=False)
    world.content["a"] = b"abc"
    await fetch(world, file_of(world.link("a", token)))
    known = await world.state("F1")
    assert (known.state, known.reason) == (FileState.ABSENT, reason)
    await world.files.retry([(TEAM, "F1")])
    await fetch(world, file_of(world.link("a", EXPORT_TOKEN)))
    assert (await world.state("F1")).state is FileState.HERE


async def test_what_does_not_cross_is_not_fetched(world: FileWorld) -> None:
    world.content |= dict.fromkeys("abcd", b"abc")
    rules = Rules(max_file_size=2, refused_types=("text/*",))
    await fetch(
        world,
        file_of(world.link("a"), "F1", size=3),
        replace(file_of(world.link("b"), "F2"), mimetype="text/plain"),
        file_of(world.link("c"), "F3", kind="canvas", link="https://acme.slack.com/docs/T1/F3"),
        file_of(world.link("d"), "F4", snippet="abc"),
        rules=rules,
    )
    assert world.asked == []
    assert await world.database.fetch("SELECT id FROM files") == []


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/octet-stream"})
    await response.prepare(request)
    await response.write(b"x" * 500)
    assert request.transport is not None
    request.transport.abort()
    return response


async def short(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"x" * 500, content_type="application/octet-stream")


async def short_of_unknown_length(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(b"x" * 500)
    return response


@pytest.mark.parametrize("answer", [cut, short, short_of_unknown_length])
async def test_a_file_that_ends_short_is_never_taken_for_whole(world: FileWorld, answer: Any) -> None:
    world.content["a"] = b"x" * 1000
    world.answers["a"] = [answer, answer]
    await fetch(world, file_of(world.link("a"), size=1000))
    assert [one.size for one in world.stored.values()] == [1000]
    known = await world.state("F1")
    assert (known.state, known.seen, known.tries) == (FileState.HERE, 1000, 2)


async def test_a_file_that_shrank_since_its_message_is_whole_when_slack_says_so(world: FileWorld) -> None:
    world.content["a"] = b"x" * 500
    world.info["F1"] = {"size": 500}
    await fetch(world, file_of(world.link("a"), size=1000))
    known = await world.state("F1")
    assert (known.state, known.told, known.seen) == (FileState.HERE, 1000, 500)


@pytest.mark.parametrize("answer", [short, *times(1, lambda: web.Response(status=503))])
async def test_a_file_that_never_comes_whole_is_given_up_while_others_come(world: FileWorld, answer: Any) -> None:
    world.answers["bad"] = [answer] * 100
    for number in range(60):
        world.content[f"{number}"] = b"x"
    others = [file_of(world.link(f"{number}"), f"F{number}", 1) for number in range(60)]
    fetcher = await fetch(world, file_of(world.link("bad"), "FBAD", 1000), *others, at_once=2)
    assert fetcher.progress.here == 60
    known = await world.state("FBAD")
    assert known.state is FileState.ABSENT
    assert known.reason in (
        "the file ends after 500 of 1,000 bytes",
        "the file could not be fetched (status 503)",
    )


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_slack_asks_to_come_back_for_comes_later(world: FileWorld, status: int) -> None:
    world.content |= {"a": b"abc", "b": b"de"}
    world.answers["a"] = times(3, lambda: web.Response(status=status, headers={"Retry-After": "0"}))
    await fetch(world, file_of(world.link("a")), file_of(world.link("b"), "F2"))
    assert [(await world.state(name)).state for name in ("F1", "F2")] == [FileState.HERE, FileState.HERE]


async def test_while_the_homeserver_is_away_everything_waits_and_nothing_is_given_up(world: FileWorld) -> None:
    for number in range(150):
        world.content[f"{number}"] = b"x"
    world.homeserver_is_away = True
    fetcher = world.fetcher()
    async with asyncio.timeout(30), running(fetcher):
        await promise(world, fetcher, *(file_of(world.link(f"{number}"), f"F{number}", 1) for number in range(150)))
        while len(world.asked) < 300:
            await asyncio.sleep(0.01)
        assert fetcher.progress.here == fetcher.progress.absent == 0
        assert 0 < fetcher.progress.aside <= 110
        world.homeserver_is_away = False
        await fetcher.settled()
    assert fetcher.progress.here == 150


async def test_an_app_that_may_not_read_files_is_told_to_the_admin_and_nothing_is_given_up(world: FileWorld) -> None:
    world.content["a"] = b"abc"
    world.good.clear()
    world.info["F1"] = {"ok": False, "error": "missing_scope", "needed": "files:read"}
    fetcher = world.fetcher()
    async with asyncio.timeout(30), running(fetcher):
        await promise(world, fetcher, file_of(world.link("a")))
        while not fetcher.progress.trouble:
            await asyncio.sleep(0.005)
        assert "files:read" in fetcher.progress.trouble
        assert (await world.state("F1")).state is FileState.WAITING
        world.good.add(BOT_TOKEN)
        await fetcher.settled()
    assert fetcher.progress.trouble == ""
    assert (await world.state("F1")).state is FileState.HERE


async def test_a_file_of_which_only_the_id_is_told_is_asked_for(world: FileWorld) -> None:
    world.content["far.bin"] = b"far"
    world.info["F1"] = {"name": "far.bin", "mimetype": "image/x-far", "size": 3, "url_private": world.link("far.bin")}
    world.info["F2"] = {"name": "x", "mode": "hidden_by_limit"}
    refusal = "Slack does not give it to the bridge"
    await fetch(world, *(file_of("", name, refusal=refusal, must_ask=True) for name in ("F1", "F2", "F3")))
    known = await world.state("F1")
    assert (known.state, known.name, known.mimetype) == (FileState.HERE, "far.bin", "image/x-far")
    assert (await world.state("F2")).reason == "hidden by the limits of the workspace's Slack plan"
    assert (await world.state("F3")).state is FileState.ABSENT


async def test_a_file_of_an_earlier_run_waits_for_its_token_and_comes(world: FileWorld) -> None:
    world.connect(connected=False)
    world.content |= {"a": b"abc", "b": b"de"}
    await world.files.keep(world.fetcher().expecting(TEAM, [file_of(world.link("a", EXPORT_TOKEN))]))
    fetcher = world.fetcher()
    async with asyncio.timeout(30), running(fetcher):
        while not fetcher.progress.aside:
            await asyncio.sleep(0.005)
        assert world.asked == []
        await promise(world, fetcher, file_of(world.link("b", EXPORT_TOKEN), "F2"))
        await fetcher.settled()
    assert [(await world.state(name)).state for name in ("F1", "F2")] == [FileState.HERE, FileState.HERE]


async def test_a_token_that_never_comes_is_not_waited_for_for_ever(
    world: FileWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_TOKEN_COMES", 0.0)
    world.content["a"] = b"abc"
    await world.files.keep(world.fetcher().expecting(TEAM, [file_of(world.link("a", EXPORT_TOKEN))]))
    await fetch(world)
    assert (await world.state("F1")).state is FileState.HERE


async def test_an_import_says_that_it_is_at_it_also_at_what_an_earlier_one_promised(world: FileWorld) -> None:
    world.content["a"] = b"abc"
    await world.files.keep(world.fetcher().expecting(TEAM, [file_of(world.link("a"))]))
    world.now += 10_000
    assert await world.files.fetching_until(TEAM) < world.now * 1000
    await fetch(world)
    assert await world.files.fetching_until(TEAM) > world.now * 1000


async def test_what_an_admin_asks_for_again_is_fetched_by_a_running_import(world: FileWorld) -> None:
    fetcher = world.fetcher()
    async with asyncio.timeout(30), running(fetcher):
        await promise(world, fetcher, file_of(world.link("a")))
        await fetcher.settled()
        assert (await world.state("F1")).state is FileState.ABSENT
        world.content["a"] = b"abc"
        await world.files.retry([(TEAM, "F1")])
        await fetcher.settled()
    assert (await world.state("F1")).state is FileState.HERE


@pytest.mark.timeout(60)
async def test_a_large_file_is_never_whole_in_memory(world: FileWorld) -> None:
    size, chunk = 300 * 1024 * 1024, b"x" * 262_144

    async def stream(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for _ in range(size // len(chunk)):
            await response.write(chunk)
            world.ahead += len(chunk)
            world.most_ahead = max(world.most_ahead, world.ahead)
        return response

    world.answers["large"] = [stream]
    fetcher = await fetch(world, file_of(world.link("large"), size=size), rules=Rules(max_file_size=size))
    known = await world.state("F1")
    assert (known.seen, fetcher.progress.passed, world.stored["m1"].size) == (size, size, size)
    assert world.most_ahead < 32 * 1024 * 1024, "what is on its way is in the buffers of sockets"


ODD: dict[str, dict[str, Any]] = {
    "a line in its type": {"mimetype": "text/plain\r\nX-Evil: 1"},
    "a type that is none": {"mimetype": "ünï / ☃"},
    "a long type": {"mimetype": "x/" + "y" * 5_000},
    "lines in its name": {"name": "a\r\nb\0c"},
    "half a character in its name": {"name": "a\ud83d"},
    "a long name": {"name": "n" * 10_000},
    "a size beyond all": {"size": 2**53 - 1},
}
NOWHERE = (
    "https://files.slack.com:99999/a",
    "https://files.slack.com:0/a",
    "https://[/a",
    "https://.slack.com/a",
    "https://a..slack.com/a",
    "https://ü☃ .slack.com/a",
    "https://" + "a" * 300 + ".slack.com/a",
    "/files-pri/T1-F1/a",
    "https://files.slack.com/\ud83d",
    "data:text/plain,a",
)


@pytest.mark.parametrize("odd", ODD)
async def test_whatever_a_record_says_of_a_file_the_others_come(world: FileWorld, odd: str) -> None:
    world.content |= {"a": b"abc", "b": b"de"}
    file = replace(file_of(world.link("a")), **ODD[odd])
    await fetch(world, file, file_of(world.link("b"), "F2"), rules=Rules(max_file_size=2**53))
    assert (await world.state("F2")).state is FileState.HERE
    assert (await world.state("F1")).state is (FileState.ABSENT if "size" in ODD[odd] else FileState.HERE)


async def test_addresses_that_lead_nowhere_are_given_up_one_by_one(world: FileWorld) -> None:
    world.content["b"] = b"de"
    await fetch(
        world, *(file_of(url, f"F{n}") for n, url in enumerate(NOWHERE)), file_of(world.link("b"), "FB"), at_once=1
    )
    assert (await world.state("FB")).state is FileState.HERE
    known = [await world.state(f"F{n}") for n in range(len(NOWHERE))]
    assert {one.state for one in known} == {FileState.ABSENT}


async def test_a_file_that_is_asked_for_again_waits_until_the_import_has_told_how_it_is_opened(
    world: FileWorld,
) -> None:
    world.connect(connected=False)
    world.content |= {"a": b"abc", "b": b"de"}
    behind = [file_of(world.link("a", EXPORT_TOKEN)), file_of(world.link("b", EXPORT_TOKEN), "F2")]
    await world.files.keep(world.fetcher().leaving(TEAM, behind, "left behind"))
    await world.files.retry([(TEAM, "F1"), (TEAM, "F2")])
    fetcher = world.fetcher()
    async with asyncio.timeout(30), running(fetcher):
        while fetcher.progress.aside < 2:
            await asyncio.sleep(0.005)
        assert world.asked == []
        world.good.add("")
        await promise(world, fetcher, file_of(world.link("b"), "F2"))  # another export, whose links have no token
        while fetcher.progress.here < 1:
            await asyncio.sleep(0.005)
        assert [one.name for one in world.asked] == ["b"]
        await fetcher.settled()
    assert {(await world.state(name)).state for name in ("F1", "F2")} == {FileState.HERE}
