"""The Slack edge against the sandbox, which is as strict as Slack and fails on request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bridge.errors import BridgeError, Later, Refused, Unsure
from bridge.slack.client import DELETED
from bridge.slack.events_api import EventsApi, SignedApp
from bridge.slack.limits import Limits
from tests.bridge.slack.edge import HASTY, PATIENT, edge
from tests.sandbox.slack import ALL_BOT_SCOPES, DeliveryTimes, Kind, Reality, SlackSandbox
from tests.sandbox.slack import Limits as SlackLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

NAMES = [f"m{number}" for number in range(100)]


class TestSocketMode:
    async def test_every_message_comes_once_and_in_order(self) -> None:
        async with edge() as it, it.socket_mode():
            it.slack.faults.duplicated_envelopes = 50
            it.say(*NAMES)
            await it.slack.delivered()
            assert it.inbox.texts == NAMES
            assert it.inbox.gaps == ["start"]

    @pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
    async def test_nothing_is_missing_while_connections_are_replaced(self, reason: str) -> None:
        async with edge() as it, it.socket_mode(connections=3) as mode:
            for start in range(0, 100, 20):
                it.say(*NAMES[start : start + 20])
                await it.slack.sockets.disconnect(reason)
                await it.slack.until(lambda: mode.health.connected == 3)
            await it.slack.delivered()
            assert sorted(it.inbox.texts) == sorted(NAMES)
            assert not it.slack.delivery.lost

    async def test_a_warned_connection_is_replaced_without_a_gap(self) -> None:
        async with edge(times=DeliveryTimes(scale=0.05, ping=100)) as it, it.socket_mode():
            await it.slack.sockets.disconnect("warning")
            await it.slack.until(lambda: len(it.slack.sockets.connections) == 2)
            it.say(*NAMES)
            await it.slack.delivered()
            await it.slack.until(lambda: len(it.slack.sockets.connections) == 1)
            assert it.inbox.gaps == ["start"]
            assert sorted(it.inbox.texts) == sorted(NAMES)

    async def test_a_broken_connection_is_a_gap_and_what_was_not_acknowledged_comes_again(self) -> None:
        async with edge() as it, it.socket_mode():
            it.say(*NAMES[:50])
            await it.slack.sockets.kill()
            await it.slack.until(lambda: len(it.inbox.gaps) == 2)
            it.say(*NAMES[50:])
            await it.slack.delivered()
            assert sorted(it.inbox.texts) == sorted(NAMES)

    async def test_a_connection_that_fell_silent_is_noticed(self) -> None:
        async with edge() as it, it.socket_mode(timings=HASTY):
            it.slack.sockets.silence()
            await it.slack.until(lambda: "a connection fell silent" in it.inbox.gaps)
            it.say("after")
            await it.slack.until(lambda: "after" in it.inbox.texts)

    async def test_dead_addresses_and_dead_sockets_are_survived(self) -> None:
        async with edge() as it:
            it.slack.faults.refuse_sockets = 2
            it.slack.faults.dead_sockets = 1
            async with it.socket_mode(timings=HASTY):
                it.say("hello")
                await it.slack.until(lambda: it.inbox.texts == ["hello"])
                assert it.slack.calls.counts["apps.connections.open"] == 4

    async def test_an_outage_of_everything_is_survived(self) -> None:
        async with edge() as it, it.socket_mode() as mode:
            await it.slack.begin_outage()
            await it.slack.until(lambda: mode.health.connected == 0)
            it.slack.end_outage()
            await it.slack.until(lambda: mode.health.connected == 1)
            it.say("after")
            await it.slack.until(lambda: "after" in it.inbox.texts)

    async def test_what_the_store_did_not_take_comes_again(self) -> None:
        async with edge() as it, it.socket_mode():
            it.inbox.refuses = 3
            it.say("a", "b", "c", "d")
            await it.slack.delivered()
            assert sorted(it.inbox.texts) == ["a", "b", "c", "d"]
            assert "the store did not take an event" in it.inbox.gaps

    async def test_a_revoked_app_token_is_told_and_the_next_good_answer_heals(self) -> None:
        async with edge() as it:
            token = it.slack.tokens[it.team.app_token]
            token.state = "token_revoked"
            async with it.socket_mode() as mode:
                assert "token_revoked" in mode.health.trouble
                token.state = "live"
                await it.slack.until(lambda: mode.health.connected == 1)
                assert mode.health.trouble == ""

    async def test_ten_connections_are_enough_and_kept_through_a_refresh(self) -> None:
        async with edge() as it, it.socket_mode(connections=10) as mode:
            await it.slack.sockets.disconnect("warning")
            await asyncio.sleep(0.1)
            await it.slack.until(
                lambda: mode.health.connected == 10 and len(it.slack.sockets.of(it.team.installation.app)) == 10
            )
            it.say(*NAMES)
            await it.slack.delivered()
            assert sorted(it.inbox.texts) == sorted(NAMES)


class TestSignedHttp:
    async def test_events_arrive_over_http_and_come_again_until_stored(self) -> None:
        async with edge(times=PATIENT) as it:
            app = it.team.installation.app
            door = SignedApp("acme", app.signing_secret, it.inbox.admit, it.inbox.on_gap, lambda: it.team.id)
            application = web.Application()
            application.router.add_post("/slack/events", EventsApi([door]).handle)
            async with TestServer(application) as server:
                await it.slack.set_request_url(it.team, str(server.make_url("/slack/events")))
                it.inbox.refuses = 2
                it.slack.faults.duplicated_envelopes = 10
                it.say(*NAMES)
                await it.slack.delivered()
                assert sorted(it.inbox.texts) == sorted(NAMES)
                assert not it.slack.delivery.lost


DONE = {Kind.DROP_AFTER, Kind.INTERNAL_AFTER, Kind.FATAL_AFTER, Kind.HTTP_503_AFTER, Kind.HANG_AFTER, Kind.GARBAGE}
NOT_DONE = {Kind.DROP_BEFORE, Kind.INTERNAL_ERROR, Kind.HTTP_500, Kind.HTTP_503, Kind.HANG_BEFORE}


class TestUnknownOutcomes:
    @pytest.mark.parametrize("kind", sorted(DONE | NOT_DONE, key=str))
    @pytest.mark.parametrize(("in_thread", "customised_as"), [(False, "bot_message"), (True, "plain")])
    async def test_a_post_without_answer_is_settled_by_its_stamp(
        self, kind: Kind, in_thread: bool, customised_as: Any
    ) -> None:
        async with edge(kind=kind, reality=Reality(customised_as=customised_as)) as it:
            root = it.team.person("bob").post("#general", "root")
            thread_ts = root.ts if in_thread else None
            it.slack.faults.next_calls("chat.postMessage", kind)
            with pytest.raises(Unsure):
                await it.client.post(it.channel, "hi", key="k1", username="Ann", thread_ts=thread_ts)
            found = await it.client.find_stamp(it.channel, "k1", root.ts, thread_ts=thread_ts)
            assert (found is not None) == (kind in DONE)
            if found is None:
                found = await it.client.post(it.channel, "hi", key="k1", username="Ann", thread_ts=thread_ts)
            assert await it.client.find_stamp(it.channel, "k1", root.ts, thread_ts=thread_ts) == found
            assert await it.client.find_stamp(it.channel, "k2", root.ts, thread_ts=thread_ts) is None
            posts = it.slack.calls.of("chat.postMessage")
            assert len(posts) == (1 if kind in DONE else 2)

    @pytest.mark.parametrize("kind", sorted(DONE | NOT_DONE, key=str))
    @pytest.mark.parametrize("names_bot", [False, True])
    async def test_a_file_without_answer_is_settled_by_its_id(self, kind: Kind, names_bot: bool) -> None:
        async with edge(kind=kind, reality=Reality(file_share_names_bot=names_bot)) as it:
            root = it.team.person("bob").post("#general", "root")
            told: list[str] = []

            async def on_file_id(file_id: str) -> None:
                told.append(file_id)

            async def chunks() -> AsyncIterator[bytes]:
                for _ in range(100):
                    yield b"x" * 1000

            it.slack.faults.next_calls("files.completeUploadExternal", kind)
            with pytest.raises(Unsure):
                await it.files.upload(
                    chunks(), filename="a.bin", size=100_000, channel=it.channel, on_file_id=on_file_id
                )
            found = await it.files.shared_ts(told[0], it.channel)
            assert (found is not None) == (kind in DONE)
            if found is not None:
                assert await it.client.find_stamp(it.channel, "k1", root.ts, file_id=told[0]) == found
                assert await it.client.find_stamp(it.channel, "k1", root.ts) is None

    @pytest.mark.parametrize("kind", sorted(DONE | NOT_DONE, key=str))
    async def test_what_may_be_done_twice_is_done_after_all(self, kind: Kind) -> None:
        async with edge(kind=kind) as it:
            ts = await it.client.post(it.channel, "hi", key="k1")
            steps: list[tuple[str, Callable[[], Awaitable[object]]]] = [
                ("reactions.add", lambda: it.client.react(it.channel, ts, "tada")),
                ("chat.update", lambda: it.client.update(it.channel, ts, "ho")),
                ("reactions.remove", lambda: it.client.unreact(it.channel, ts, "tada")),
                ("pins.add", lambda: it.client.pin(it.channel, ts)),
                ("pins.remove", lambda: it.client.unpin(it.channel, ts)),
                ("chat.delete", lambda: it.client.delete(it.channel, ts)),
            ]
            for method, step in steps:
                it.slack.faults.next_calls(method, kind)
                with pytest.raises(Later):
                    await step()
                await step()
            assert it.shown() == []

    async def test_without_the_scope_for_stamps_nothing_is_posted_twice(self) -> None:
        def seed(slack: SlackSandbox) -> None:
            team = slack.new_team("Acme", scopes=ALL_BOT_SCOPES - {"metadata.message:read"})
            team.add_user("alice")
            team.person("alice").create("general", members=[team.installation.bot_user])

        async with edge(seed=seed) as it:
            it.slack.faults.next_calls("chat.postMessage", Kind.DROP_AFTER)
            with pytest.raises(Unsure):
                await it.client.post(it.channel, "hi", key="k1")
            with pytest.raises(Refused, match=r"metadata\.message:read"):
                await it.client.find_stamp(it.channel, "k1", "1.0")


class TestClient:
    @pytest.mark.parametrize("answer", ["ok", "cant_delete_message"])
    async def test_a_customised_message_is_deleted_or_says_so(self, answer: Any) -> None:
        async with edge(reality=Reality(delete_customised=answer)) as it:
            blocks = [
                {
                    "type": "rich_text",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "hi"}]}],
                }
            ]
            ts = await it.client.post(it.channel, "hi", key="k1", username="Ann", blocks=blocks)
            await it.client.delete(it.channel, ts)
            assert it.shown() == ([] if answer == "ok" else [DELETED])

    @pytest.mark.parametrize("oldest_alone", ["newest", "oldest"])
    async def test_a_long_history_is_read_whole(self, oldest_alone: Any) -> None:
        async with edge(reality=Reality(oldest_alone=oldest_alone)) as it:
            it.say(*NAMES)
            texts = [
                message["text"] async for page in it.client.history(it.channel, "1.0", limit=7) for message in page
            ]
            assert sorted(text for text in texts if text in NAMES) == sorted(NAMES)

    async def test_a_thread_is_read_whole(self) -> None:
        async with edge() as it:
            alice = it.team.person("alice")
            root = alice.post("#general", "root")
            for name in NAMES:
                alice.post("#general", name, thread_ts=root.ts)
            pages = [page async for page in it.client.replies(it.channel, root.ts, limit=30)]
            texts = [message["text"] for page in pages for message in page if message["ts"] != root.ts]
            assert texts == NAMES

    async def test_the_workspace_can_be_looked_at(self) -> None:
        async with edge() as it:
            identity = await it.client.auth()
            assert identity.team_id == it.team.id
            assert identity.scopes == ALL_BOT_SCOPES
            assert (await it.client.bot(identity.bot_id))["app_id"] == it.team.installation.app.id
            assert (await it.client.team())["id"] == it.team.id
            people = [user["name"] async for page in it.client.users() for user in page]
            assert {"alice", "bob"} <= set(people)
            alice = it.team.user("alice").id
            assert (await it.client.user(alice))["name"] == "alice"
            assert [channel["name"] async for page in it.client.channels() for channel in page] == ["general"]
            assert (await it.client.channel(it.channel))["name"] == "general"
            assert alice in [member async for page in it.client.members(it.channel) for member in page]
            assert await it.client.emoji() == {}
            assert await it.client.usergroups() == []
            created = it.team.person("alice").create("random").id
            assert (await it.client.join(created))["id"] == created
            assert (await it.client.join(created))["id"] == created

    @pytest.mark.parametrize("state", ["token_revoked", "account_inactive", "invalid_auth"])
    async def test_a_token_that_ended_is_refused_with_a_remedy(self, state: str) -> None:
        async with edge() as it:
            it.slack.revoke(it.team.installation.token, state)
            with pytest.raises(Refused) as refused:
                await it.client.post(it.channel, "hi", key="k1")
            assert refused.value.code == state
            assert refused.value.remedy

    async def test_the_limits_kept_here_are_never_over_those_of_slack(self) -> None:
        async with edge(Limits(scale=0.03), limits=SlackLimits(scale=0.03)) as it:
            random = it.team.person("alice").create("random", members=[it.team.installation.bot_user]).id
            ts = await it.client.post(it.channel, "hi", key="k")
            calls: list[Awaitable[object]] = [it.client.user(it.team.user("alice").id) for _ in range(150)]
            calls += [it.client.update(it.channel, ts, f"hi {number}") for number in range(80)]
            calls += [it.client.post(it.channel, "hi", key=f"a{number}") for number in range(20)]
            calls += [it.client.post(random, "hi", key=f"b{number}") for number in range(20)]
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert [answer for answer in answers if isinstance(answer, BridgeError)] == []


class TestFiles:
    async def test_a_file_goes_in_and_comes_out_again(self) -> None:
        async with edge() as it:
            content = bytes(range(256)) * 2000
            words = [{"type": "text", "text": "Ann"}]

            async def chunks() -> AsyncIterator[bytes]:
                for start in range(0, len(content), 50_000):
                    yield content[start : start + 50_000]

            async def on_file_id(file_id: str) -> None:
                pass

            file_id = await it.files.upload(
                chunks(),
                filename="a.bin",
                size=len(content),
                channel=it.channel,
                on_file_id=on_file_id,
                blocks=[{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]}],
            )
            assert await it.files.shared_ts(file_id, it.channel)
            file = await it.client.file(file_id)
            async with it.files.download(file["url_private"], mimetype=file["mimetype"]) as download:
                assert download.size == len(content)
                assert b"".join([chunk async for chunk in download.chunks]) == content

    @pytest.mark.parametrize("name", ["a.png", "page.html"])
    async def test_a_login_page_is_not_taken_for_the_file(self, name: str) -> None:
        async with edge() as it:
            it.team.person("alice").upload("#general", name, b"<html>hello</html>")
            file = await it.client.file(next(iter(it.team.files)))
            async with it.files.download(file["url_private"], mimetype=file["mimetype"]) as download:
                assert b"".join([chunk async for chunk in download.chunks]) == b"<html>hello</html>"
            it.team.installation.token.scopes.discard("files:read")
            with pytest.raises(Refused, match="files:read"):
                async with it.files.download(file["url_private"], mimetype=file["mimetype"]):
                    pass

    async def test_a_download_that_fails_is_told_later(self) -> None:
        async with edge() as it:
            it.team.person("alice").upload("#general", "a.bin", b"hello")
            file = await it.client.file(next(iter(it.team.files)))
            it.slack.faults.next_calls("download", Kind.HTTP_503)
            with pytest.raises(Later):
                async with it.files.download(file["url_private"]):
                    pass

    @pytest.mark.parametrize("kind", [Kind.DROP_BEFORE, Kind.DROP_AFTER, Kind.HTTP_503])
    async def test_an_upload_whose_bytes_do_not_arrive_is_told_later(self, kind: Kind) -> None:
        async with edge() as it:
            it.slack.faults.next_calls("upload", kind)

            async def chunks() -> AsyncIterator[bytes]:
                yield b"hello"

            async def on_file_id(file_id: str) -> None:
                raise AssertionError(file_id)

            with pytest.raises(Later):
                await it.files.upload(chunks(), filename="a", size=5, channel=it.channel, on_file_id=on_file_id)
