from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.exports.from_api import ApiExport
from tests.bridge.exports.api_scene import NOW, folder_of, listed, scene, truth
from tests.sandbox.slack import Kind, Limits, SlackSandbox

if TYPE_CHECKING:
    from pathlib import Path


class TestWhatCannotBeRead:
    async def test_channels_without_the_bot_are_told_with_what_to_do(self, tmp_path: Path) -> None:
        async with scene() as it:
            bot = it.team.installation.bot_user
            it.team.person("greta").kick("#random", bot)
            del it.team.channel("summer-party-2023").members[bot]
            done = await it.read(tmp_path)
            told = {problem.where.partition(" ")[0]: problem.what for problem in done.problems}
            assert told.keys() == {"#random", "#summer-party-2023"}
            assert "/invite" in told["#random"]
            assert "--join" in told["#random"]
            assert "Unarchive" in told["#summer-party-2023"]
            assert not (tmp_path / "random").exists()
            assert "random" not in listed(tmp_path, "channels.json")

    async def test_the_bot_joins_public_channels_only_where_it_is_told_to(self, tmp_path: Path) -> None:
        async with scene() as it:
            it.team.person("greta").kick("#random", it.team.installation.bot_user)
            await it.read(tmp_path)
            assert it.slack.calls.counts["conversations.join"] == 0
            done = await it.read(tmp_path, joins=True, now=NOW + 1)
            assert done.problems == ()
            assert it.slack.calls.counts["conversations.join"] == 1
            assert folder_of(tmp_path, "random") == truth(it.team, it.team.channel("random"))

    async def test_a_channel_that_was_mended_meanwhile_is_read_when_the_reading_goes_on(self, tmp_path: Path) -> None:
        async with scene() as it:
            greta = it.team.person("greta")
            greta.kick("#random", it.team.installation.bot_user)
            whole = it.client()
            await it.read(tmp_path / "undisturbed", client=whole)
            with pytest.raises(BaseException):  # noqa: B017, PT011  alone, or among those of other channels
                await it.read(tmp_path / "out", client=it.client(cut_at=whole.asked))
            greta.invite("#random", it.team.installation.bot_user)
            done = await it.read(tmp_path / "out")
            assert done.problems == ()

    @pytest.mark.parametrize(
        ("scope", "where"),
        [
            ("im:read", "channels/dm"),
            ("users:read", "people"),
            ("emoji:read", "emoji"),
            ("pins:read", "pins"),
        ],
    )
    async def test_a_missing_scope_is_told_once_with_the_line_that_adds_it(
        self, tmp_path: Path, scope: str, where: str
    ) -> None:
        async with scene() as it:
            it.team.installation.token.scopes.discard(scope)
            done = await it.read(tmp_path)
            (problem,) = done.problems
            assert problem.where == where
            assert f'"- {scope}"' in problem.what
            assert done.channels >= 10

    async def test_a_kind_of_channels_whose_messages_may_not_be_read_is_told(self, tmp_path: Path) -> None:
        async with scene() as it:
            it.team.installation.token.scopes.discard("groups:history")
            done = await it.read(tmp_path)
            assert {problem.where.partition(" ")[0] for problem in done.problems} == {"#design", "#finance-private"}
            assert all("groups:history" in problem.what for problem in done.problems)

    async def test_threads_that_are_refused_do_not_take_the_channel_along(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path)
            it.team.person("amara").post(
                "#archive-of-talk", "more", thread_ts=next(iter(it.team.channel("archive-of-talk").threads))
            )
            before = len(folder_of(tmp_path, "archive-of-talk"))
            it.slack.faults.next_calls("conversations.replies", Kind.ERROR, error="not_allowed_token_type")
            done = await it.read(tmp_path, now=NOW + 1)
            assert [problem.where.endswith(", threads") for problem in done.problems] == [True]
            assert len(folder_of(tmp_path, "archive-of-talk")) == before
            done = await it.read(tmp_path, now=NOW + 2)
            assert done.problems == ()
            assert len(folder_of(tmp_path, "archive-of-talk")) == before + 1

    async def test_a_thread_that_is_deleted_while_it_is_read_is_gone(self, tmp_path: Path) -> None:
        async with scene() as it:
            it.slack.faults.next_calls("conversations.replies", Kind.ERROR, error="thread_not_found")
            done = await it.read(tmp_path)
            assert done.problems == ()


class TestRates:
    async def test_it_keeps_to_the_published_rates(self, tmp_path: Path) -> None:
        async with scene(limits=Limits(scale=0.01)) as it:
            await it.read(tmp_path, client=it.client(scale=0.01))
            assert {call.outcome for call in it.slack.calls.records} == {"ok"}

    async def test_what_slack_says_beyond_them_is_obeyed(self, tmp_path: Path) -> None:
        async with scene() as it:
            for method in ("conversations.history", "users.list", "pins.list", "conversations.replies"):
                it.slack.faults.next_calls(method, Kind.RATE_LIMITED, seconds=1)
            done = await it.read(tmp_path)
            assert done.problems == ()
            assert not any(told.limited for told in it.told)

    async def test_an_app_that_is_held_to_a_page_a_minute_is_known_and_told(self, tmp_path: Path) -> None:
        def talk(sandbox: SlackSandbox) -> None:
            team = sandbox.new_team("Acme")
            alice = team.person(team.add_user("alice").name)
            team.clock.turn_back(100, 30)
            alice.create("general", members=[team.installation.bot_user])
            for number in range(100):
                alice.post("#general", str(number))

        limits = Limits(scale=0.005, outside_marketplace=True)
        async with scene(talk, limits=limits) as it:
            await it.read(tmp_path, client=it.client(scale=0.006))
            refused = [call for call in it.slack.calls.of("conversations.history") if call.outcome == "ratelimited"]
            assert len(refused) == 1
            assert len(folder_of(tmp_path, "general")) == len(it.team.channel("general").messages)
        (*_, last) = it.told
        assert last.limited
        assert "outside its marketplace" in str(last)
        middle = next(told for told in it.told if told.limited)
        assert 150 < middle.seconds_left < 600


async def test_a_class_of_pages_that_slack_filters_away_is_passed_over_by_its_cursor(tmp_path: Path) -> None:
    async with scene() as it:
        client = it.client()
        ask, empty = client.history_page, ["a page that shows nothing"]

        async def filtered(channel: str, **args: Any) -> Any:
            answer = await ask(channel, **args)
            if channel == it.team.channel("busy").id and empty and answer["has_more"]:
                empty.clear()
                return {**answer, "messages": []}
            return answer

        client.history_page = filtered  # type: ignore[method-assign]  # Slack does this where messages expire
        await it.read(tmp_path, client=client)
        assert len(folder_of(tmp_path, "busy")) == len(it.team.channel("busy").messages) - 200


async def test_a_reading_that_does_not_end_is_told(tmp_path: Path) -> None:
    async with scene() as it:
        client = it.client()

        async def stuck(channel: str, **_: Any) -> Any:
            return {"messages": [], "has_more": True, "is_limited": channel == it.team.channel("busy").id}

        client.history_page = stuck  # type: ignore[method-assign]  # a Slack that contradicts itself
        done = await ApiExport(client, tmp_path).write()
        assert len(done.problems) == done.channels + 1
        assert any("free plan" in problem.what for problem in done.problems)
