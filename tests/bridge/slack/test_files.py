from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from bridge.errors import Later, Refused, Unsure
from bridge.slack.files import Broken, SlackFiles
from bridge.slack.web import Timeouts
from tests.bridge.slack.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from bridge.slack.client import SlackClient
    from tests.bridge.slack.stub import StubSlack

LIMIT = 200_000


@pytest.fixture
def files(client: SlackClient, session: aiohttp.ClientSession, stub: StubSlack) -> SlackFiles:
    return SlackFiles(
        client,
        TOKEN,
        session=session,
        max_bytes=LIMIT,
        api_url=stub.api_url,
        timeouts=Timeouts(call=0.5, transfer=0.3),
    )


@pytest.fixture
def unconnected(client: SlackClient, session: aiohttp.ClientSession, stub: StubSlack) -> SlackFiles:
    return SlackFiles(client, "", session=session, max_bytes=LIMIT, api_url=stub.api_url)


def url(stub: StubSlack, name: str = "a.bin") -> str:
    return str(stub.server.make_url(f"/files/{name}"))


async def read(files: SlackFiles, address: str, mimetype: str = "") -> bytes:
    async with files.download(address, mimetype=mimetype) as download:
        return b"".join([chunk async for chunk in download.chunks])


class TestDownload:
    async def test_bytes_arrive_with_their_type_and_size(self, files: SlackFiles, stub: StubSlack) -> None:
        stub.file = lambda _: web.Response(body=b"x" * 100_000, content_type="image/png")
        async with files.download(url(stub)) as download:
            assert (download.content_type, download.size) == ("image/png", 100_000)
            assert sum([len(chunk) async for chunk in download.chunks]) == 100_000
        assert stub.headers[0]["Authorization"] == f"Bearer {TOKEN}"

    @pytest.mark.parametrize(
        "address",
        [
            "https://drive.example/secret",
            "http://files.slack.com/files-pri/T1-F1/a.png",
            "https://files.slack.com:8443/a",
            "https://files.slack.com.example/a",
            "https://evilslack.com/a",
            "https://slack.com@evil.example/a",
            "https://user:word@files.slack.com/a",
            "file:///etc/passwd",
            "ftp://slack.com/a",
            "//slack.com/a",
            "relative",
            "",
        ],
    )
    async def test_nothing_is_fetched_from_a_foreign_host(self, files: SlackFiles, address: str) -> None:
        with pytest.raises(Refused, match="foreign_host"):
            await read(files, address)

    async def test_an_address_that_cannot_be_read_is_refused(self, files: SlackFiles) -> None:
        with pytest.raises(Refused, match="invalid_url"):
            await read(files, "https://[half")

    @pytest.mark.parametrize("connected", [True, False])
    async def test_the_token_of_an_export_stands_in_place_of_the_bots(
        self, files: SlackFiles, unconnected: SlackFiles, stub: StubSlack, connected: bool
    ) -> None:
        asked: list[str] = []

        def answer(request: web.Request) -> web.Response:
            asked.append(request.query_string)
            return web.Response(body=b"old")

        stub.file = answer
        which = files if connected else unconnected
        async with which.download(url(stub) + "?x=1", token="xoxe-old") as download:
            assert b"".join([chunk async for chunk in download.chunks]) == b"old"
        assert asked == ["x=1&t=xoxe-old"]
        assert "Authorization" not in stub.headers[0]

    async def test_the_token_of_an_export_is_in_no_redirect_and_in_no_error(
        self, files: SlackFiles, stub: StubSlack, caplog: pytest.LogCaptureFixture
    ) -> None:
        asked: list[str] = []

        def answer(request: web.Request) -> web.Response:
            asked.append(request.path_qs)
            if request.match_info["name"] == "a.bin":
                return web.Response(status=302, headers={"Location": "/files/b.bin"})
            return web.Response(status=302, headers={"Location": f"https://evil.example/?u={request.path_qs}"})

        stub.file = answer
        with pytest.raises(Refused) as refused:
            async with files.download(url(stub), token="xoxe-old"):
                pass
        assert refused.value.code == "foreign_host"
        assert asked == ["/files/a.bin?t=xoxe-old", "/files/b.bin"]
        address = url(stub)
        await stub.server.close()
        with pytest.raises(Later) as later:
            async with files.download(address, token="xoxe-old"):
                pass
        assert "xoxe" not in f"{refused.value}{later.value}{caplog.text}"

    async def test_a_link_that_has_expired_is_told_as_that(
        self, files: SlackFiles, unconnected: SlackFiles, stub: StubSlack
    ) -> None:
        stub.file = lambda _: web.Response(status=403)
        for which, token, remedy in (
            (files, "xoxe-old", "make a new export"),
            (unconnected, "xoxe-old", "make a new export"),
            (unconnected, "", "Connect the bridge"),
        ):
            with pytest.raises(Refused, match=remedy):
                async with which.download(url(stub), token=token):
                    pass

    async def test_a_redirect_is_followed_among_allowed_hosts(self, files: SlackFiles, stub: StubSlack) -> None:
        def answer(request: web.Request) -> web.Response:
            if request.match_info["name"] == "a.bin":
                return web.Response(status=302, headers={"Location": "/files/b.bin"})
            return web.Response(body=b"moved")

        stub.file = answer
        assert await read(files, url(stub)) == b"moved"

    async def test_a_redirect_to_a_foreign_host_is_refused(self, files: SlackFiles, stub: StubSlack) -> None:
        stub.file = lambda _: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/steal"})
        with pytest.raises(Refused, match="foreign_host"):
            await read(files, url(stub))

    async def test_redirects_come_to_an_end(self, files: SlackFiles, stub: StubSlack) -> None:
        stub.file = lambda _: web.Response(status=302, headers={"Location": "/files/a.bin"})
        with pytest.raises(Refused, match="too_many_redirects"):
            await read(files, url(stub))

    @pytest.mark.parametrize(
        ("mimetype", "answer"),
        [
            ("image/png", {"text": "<html>", "content_type": "text/html"}),
            ("", {"text": "<html><title>Login | Slack</title>", "content_type": "text/html"}),
            ("text/html", {"text": " " * 9000 + '<form id="signin_form">', "content_type": "text/html"}),
            ("", {"status": 403}),
            ("", {"status": 302, "headers": {"Location": "/?redir=%2Ffiles-pri%2FT1-F1"}}),
        ],
    )
    async def test_a_login_page_in_place_of_the_bytes_names_the_missing_scope(
        self, files: SlackFiles, stub: StubSlack, mimetype: str, answer: dict[str, Any]
    ) -> None:
        stub.file = lambda _: web.Response(**answer)
        with pytest.raises(Refused, match="files:read"):
            await read(files, url(stub), mimetype)

    async def test_a_file_that_is_html_arrives_whole(self, files: SlackFiles, stub: StubSlack) -> None:
        page = "<html>" + "x" * 100_000
        stub.file = lambda _: web.Response(text=page, content_type="text/html")
        assert await read(files, url(stub), "text/html") == page.encode()

    @pytest.mark.parametrize("announced", [True, False])
    async def test_a_file_above_the_limit_is_refused(self, files: SlackFiles, stub: StubSlack, announced: bool) -> None:
        async def stream(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(30):
                await response.write(b"x" * 10_000)
            return response

        stub.file = (lambda _: web.Response(body=b"x" * (LIMIT + 1))) if announced else stream
        with pytest.raises(Refused, match="file_too_large"):
            await read(files, url(stub))

    @pytest.mark.parametrize("status", [500, 503, 429, 408])
    async def test_a_busy_host_is_told_later(self, files: SlackFiles, stub: StubSlack, status: int) -> None:
        stub.file = lambda _: web.Response(status=status, headers={"Retry-After": "7"})
        with pytest.raises(Later) as later:
            await read(files, url(stub))
        assert later.value.retry_after == (7 if status == 429 else None)
        assert isinstance(later.value, Broken) is (status != 429), "the file itself may be what is wrong"

    @pytest.mark.parametrize("status", [404, 410, 400])
    async def test_a_file_that_is_gone_is_refused(self, files: SlackFiles, stub: StubSlack, status: int) -> None:
        stub.file = lambda _: web.Response(status=status)
        with pytest.raises(Refused):
            await read(files, url(stub))

    @pytest.mark.parametrize("content_type", ["image/png", "text/html"])
    @pytest.mark.parametrize("silent", [True, False])
    async def test_a_transfer_that_breaks_off_is_told_later(
        self, files: SlackFiles, stub: StubSlack, content_type: str, silent: bool
    ) -> None:
        async def stream(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": "50000", "Content-Type": content_type})
            await response.prepare(request)
            await response.write(b"x" * 10_000)
            if silent:
                await asyncio.sleep(0.6)
            assert request.transport is not None
            request.transport.abort()
            return response

        stub.file = stream
        with pytest.raises(Broken):
            await read(files, url(stub))

    async def test_no_connection_is_told_later(self, files: SlackFiles, stub: StubSlack) -> None:
        address = url(stub)
        await stub.server.close()
        with pytest.raises(Later):
            await read(files, address)


class TestUpload:
    def prepare(self, stub: StubSlack) -> list[str]:
        stub.script["files.getUploadURLExternal"] = [{"ok": True, "upload_url": url(stub, "up"), "file_id": "F1"}]
        steps: list[str] = []

        async def take(request: web.Request) -> web.Response:
            steps.append((await request.read()).decode())
            assert request.headers["Content-Length"] == "10"
            return web.Response(text="OK - 10")

        stub.file = take
        return steps

    async def upload(self, files: SlackFiles, steps: list[str], chunks: list[bytes], **more: Any) -> str:
        async def on_file_id(file_id: str) -> None:
            steps.append(file_id)

        return await files.upload(
            stream(chunks), filename="a.txt", size=10, channel="C1", on_file_id=on_file_id, **more
        )

    async def test_the_file_is_named_after_its_bytes_arrived_and_before_anybody_sees_it(
        self, files: SlackFiles, stub: StubSlack
    ) -> None:
        steps = self.prepare(stub)
        assert (
            await self.upload(files, steps, [b"12345", b"67890"], blocks=[{"type": "divider"}], thread_ts="1.0") == "F1"
        )
        assert steps == ["1234567890", "F1"]
        assert stub.asked == [
            ("files.getUploadURLExternal", {"filename": "a.txt", "length": "10"}),
            (
                "files.completeUploadExternal",
                {
                    "files": '[{"id":"F1","title":"a.txt"}]',
                    "channel_id": "C1",
                    "thread_ts": "1.0",
                    "blocks": '[{"type":"divider"}]',
                },
            ),
        ]

    @pytest.mark.parametrize("chunks", [[b"123"], [b"12345", b"678901"], []])
    async def test_another_length_than_announced_is_refused(
        self, files: SlackFiles, stub: StubSlack, chunks: list[bytes]
    ) -> None:
        steps = self.prepare(stub)
        with pytest.raises(Refused, match="size_mismatch"):
            await self.upload(files, steps, chunks)
        assert "F1" not in steps

    async def test_a_source_that_breaks_off_keeps_its_own_error(self, files: SlackFiles, stub: StubSlack) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield b"123"
            raise Later("the homeserver went away")

        self.prepare(stub)
        with pytest.raises(Later, match="the homeserver went away"):
            await files.upload(broken(), filename="a", size=10, channel="C1", on_file_id=unexpected)

    async def test_an_empty_file_is_refused(self, files: SlackFiles) -> None:
        with pytest.raises(Refused, match="empty_file"):
            await files.upload(stream([]), filename="a", size=0, channel="C1", on_file_id=unexpected)

    @pytest.mark.parametrize(("status", "error"), [(503, Later), (429, Later), (400, Refused), (302, Refused)])
    async def test_a_refused_transfer_shows_nothing_to_anybody(
        self, files: SlackFiles, stub: StubSlack, status: int, error: type[Exception]
    ) -> None:
        steps = self.prepare(stub)
        stub.file = lambda _: web.Response(status=status)
        with pytest.raises(error):
            await self.upload(files, steps, [b"1234567890"])
        assert steps == []
        assert stub.calls("files.completeUploadExternal") == []

    async def test_a_place_that_is_not_slacks_is_refused(self, files: SlackFiles, stub: StubSlack) -> None:
        steps = self.prepare(stub)
        stub.script["files.getUploadURLExternal"] = [{"ok": True, "upload_url": "https://evil/", "file_id": "F1"}]
        with pytest.raises(Refused, match="foreign_host"):
            await self.upload(files, steps, [b"1234567890"])

    async def test_an_answer_without_a_place_is_told_later(self, files: SlackFiles, stub: StubSlack) -> None:
        stub.script["files.getUploadURLExternal"] = [{"ok": True}]
        with pytest.raises(Later):
            await self.upload(files, [], [b"1234567890"])

    async def test_a_lost_answer_to_the_last_step_is_unsure(self, files: SlackFiles, stub: StubSlack) -> None:
        steps = self.prepare(stub)
        stub.script["files.completeUploadExternal"] = [None]
        with pytest.raises(Unsure):
            await self.upload(files, steps, [b"1234567890"])
        assert steps == ["1234567890", "F1"]


class TestShare:
    async def test_a_share_is_looked_for_until_slack_lists_it(self, files: SlackFiles, stub: StubSlack) -> None:
        shares = {"public": {"C2": [{"ts": "1.0"}]}, "private": {"C1": [{"ts": "9.0"}, {"ts": "8.0"}]}}
        stub.script["files.info"] = [
            {"ok": True, "file": {"id": "F1"}},
            {"ok": True, "file": {"id": "F1", "shares": {}}},
            {"ok": True, "file": {"id": "F1", "shares": shares}},
        ]
        assert await files.shared_ts("F1", "C1", looks=(0, 0, 0)) == "8.0"

    async def test_a_file_that_was_never_completed_may_be_uploaded_anew(
        self, files: SlackFiles, stub: StubSlack
    ) -> None:
        stub.script["files.info"] = [{"ok": False, "error": "file_not_found"}]
        assert await files.shared_ts("F1", "C1") is None

    async def test_a_file_without_its_message_is_looked_for_again_later(
        self, files: SlackFiles, stub: StubSlack
    ) -> None:
        with pytest.raises(Later):
            await files.shared_ts("F1", "C1", looks=(0, 0))

    async def test_a_file_that_somebody_deleted_is_not_uploaded_anew(self, files: SlackFiles, stub: StubSlack) -> None:
        stub.script["files.info"] = [{"ok": False, "error": "file_deleted"}]
        with pytest.raises(Refused):
            await files.shared_ts("F1", "C1")


async def stream(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def unexpected(file_id: str) -> None:
    raise AssertionError(file_id)
