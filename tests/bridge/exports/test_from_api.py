from __future__ import annotations

import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import BadExport, Fatal, Later, Refused
from bridge.exports.export import open_export
from bridge.exports.from_api import ApiExport
from bridge.exports.spool_file import SPOOL, SpoolFile
from portals.history.selection import Selection
from portals.ids import ChannelId, Ts
from tests.bridge.exports.api_scene import NOW, BrokenOff, files_in, folder_of, listed, scene
from tests.sandbox.exports import export_of
from tests.sandbox.slack import Kind, Limits, Reality, SlackSandbox
from tests.sandbox.slack.shapes import message_json

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bridge.exports.api_scene import Scene
    from tests.sandbox.slack import Workspace
    from tests.sandbox.slack.state import Channel


def truth(team: Workspace, channel: Channel) -> list[dict[str, Any]]:
    """What a channel holds, as the Web API shows it."""
    held = []
    for message in sorted(channel.messages.values(), key=lambda message: message.ts):
        shown = message_json(team, channel, message, root=not message.is_reply or message.broadcast)
        held.append(shown | ({"metadata": message.metadata} if message.metadata else {}))
    return held


def folder_name(channel: Channel) -> str:
    return channel.name or channel.id


class TestWhatIsWritten:
    async def test_every_message_that_the_workspace_holds_is_there_once_and_in_order(self, tmp_path: Path) -> None:
        async with scene() as it:
            done = await it.read(tmp_path / "out")
            seen = [
                channel for channel in it.team.channels.values() if it.team.installation.bot_user in channel.members
            ]
            assert len(seen) == done.channels == 11
            for channel in seen:
                assert folder_of(tmp_path / "out", folder_name(channel)) == truth(it.team, channel)
            assert done.messages == sum(len(channel.messages) for channel in seen)
            assert done.problems == ()

    async def test_it_equals_slacks_own_export_up_to_what_only_one_of_them_knows(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path / "api")
            export_of(it.team, tmp_path / "slack", "full")
        for name in ("channels.json", "groups.json", "mpims.json", "dms.json"):
            ours, theirs = listed(tmp_path / "api", name), listed(tmp_path / "slack", name)
            # only conversations with the bot are open to it
            theirs = {name: entry for name, entry in theirs.items() if name in ours or name != "dms.json"}
            assert set(theirs) >= set(ours)
            for each, entry in ours.items():
                assert theirs[each].items() <= entry.items()
        assert (
            listed(tmp_path / "api", "users.json").keys() - {"slackbot"}
            == listed(tmp_path / "slack", "users.json").keys()
        )
        for folder in ("general", "engineering", "design", "archive-of-talk", "busy", "summer-party-2023"):
            assert sorted(path.name for path in (tmp_path / "api" / folder).iterdir()) == sorted(
                path.name for path in (tmp_path / "slack" / folder).iterdir()
            )
            read, exported = (folder_of(tmp_path / side, folder) for side in ("api", "slack"))
            assert list(map(_comparable, read)) == list(map(_comparable, exported))

    async def test_days_are_cut_at_midnight_in_los_angeles(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path)
        days = sorted((tmp_path / "busy").iterdir())
        assert len(days) > 10
        for message in folder_of(tmp_path, "busy"):
            when = datetime.fromtimestamp(float(message["ts"]), UTC).astimezone(ZoneInfo("America/Los_Angeles"))
            assert message["ts"] in (tmp_path / "busy" / f"{when.date()}.json").read_text()

    async def test_it_is_readable_for_its_owner_alone(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path / "out")
        for path in (tmp_path / "out", *(tmp_path / "out").rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path

    async def test_it_is_read_back_as_an_export_without_a_problem(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path)
            with open_export(tmp_path) as export:
                assert export.problems == []
                assert list(export.unread()) == []
                channels = {channel.id: channel for channel in export.channels}
                assert export.emoji().keys() == {"shipit", "northwind", "ship"}
                for channel in it.team.channels.values():
                    if it.team.installation.bot_user not in channel.members:
                        continue
                    found = channels[ChannelId(channel.id)]
                    assert found.team == it.team.id
                    assert set(found.members) == set(channel.members)
                    assert list(found.pins) == list(channel.pins)
                    assert found.archived == channel.archived
                    told = [record for day in export.days(found) for record in day.records]
                    assert len(told) == len(channel.messages)
                    kinds = {"public": "public", "private": "private", "im": "dm", "mpim": "group_dm"}
                    assert found.kind == kinds[channel.kind]

    async def test_reactions_name_everybody_although_messages_do_not(self, tmp_path: Path) -> None:
        async with scene(reality=Reality(reaction_users_shown=2)) as it:
            general = it.team.channel("general")
            said = next(message for message in general.messages.values() if message.reactions)
            for name in ("bruno", "greta", "hiro", "ines"):
                it.team.person(name).react("#general", said.ts, "eyes")
            await it.read(tmp_path)
        (told,) = [message for message in folder_of(tmp_path, "general") if message["ts"] == said.ts]
        assert [(each["name"], each["users"]) for each in told["reactions"]] == list(said.reactions.items())

    async def test_who_is_in_no_list_of_people_is_asked_for_by_name(self, tmp_path: Path) -> None:
        def with_stranger(sandbox: SlackSandbox) -> None:
            team = sandbox.new_team("Acme")
            alice = team.person(team.add_user("alice").name)
            alice.create("general", members=[team.installation.bot_user])
            alice.post("#general", "hello")

        async with scene(with_stranger) as it:
            original = it.client()

            async def without_alice() -> Any:
                yield [{"id": it.team.user("causeway").id, "name": "causeway"}]

            original.users = without_alice  # type: ignore[method-assign]  # as if she came from another workspace
            await it.read(tmp_path, client=original)
        assert listed(tmp_path, "users.json").keys() == {"alice", "causeway"}


_ONLY_ONE_SIDE = frozenset(
    {
        *("pinned_to", "pinned_info", "metadata", "subscribed", "is_locked"),  # only the Web API
        *("user_profile", "user_team", "source_team", "replies", "reply_users"),  # only exports
    }
)


def _comparable(message: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in message.items() if name not in _ONLY_ONE_SIDE}
    if "root" in kept:
        kept["root"] = _comparable(kept["root"])
    for file in kept.get("files", ()):
        for name, value in file.items():  # an export's links carry its own token
            file[name] = value.partition("?t=")[0] if isinstance(value, str) else value
    return kept


class TestGoingOn:
    @pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
    async def test_broken_off_at_any_call_it_goes_on_and_writes_the_same_bytes(self, tmp_path: Path, step: int) -> None:
        async with scene() as it:
            whole = it.client()
            await it.read(tmp_path / "undisturbed", client=whole)
            wanted, pages = files_in(tmp_path / "undisturbed"), it.pages_asked()
            for cut_at in range(1, whole.asked + 1, step):
                for after in (False, True):
                    directory = tmp_path / f"{cut_at}-{after}"
                    it.slack.calls.clear()
                    with pytest.raises(BaseException) as ended:  # noqa: PT011  alone, or among those of other channels
                        await it.read(directory, client=it.client(cut_at=cut_at, after=after))
                    assert _is_broken_off(ended.value)
                    await it.read(directory)
                    assert files_in(directory) == wanted
                    # what was on its way, three histories and three threads at most, is asked for again
                    assert it.pages_asked() <= pages + 6

    async def test_broken_off_while_it_writes_it_is_no_export_until_it_is_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with scene() as it:
            await it.read(tmp_path / "undisturbed")
            wanted = files_in(tmp_path / "undisturbed")
            for number in (1, 2, 3, 20, len(wanted) - 1):
                directory = tmp_path / str(number)
                with monkeypatch.context() as patched:
                    patched.setattr("os.fsync", _Breaking(number))
                    with pytest.raises(BrokenOff):
                        await it.read(directory)
                with pytest.raises(BadExport):
                    open_export(directory)
                await it.read(directory)
                assert files_in(directory) == wanted
                open_export(directory)

    async def test_a_finished_channel_is_not_asked_again_after_an_interruption(self, tmp_path: Path) -> None:
        async with scene() as it:
            whole = it.client()
            await it.read(tmp_path / "undisturbed", client=whole)
            with pytest.raises(BaseException):  # noqa: B017, PT011  alone, or among those of other channels
                await it.read(tmp_path / "out", client=it.client(cut_at=whole.asked - 1))
            it.slack.calls.clear()
            done = await it.read(tmp_path / "out", now=NOW + 1_000)
            assert (done.resumed, done.begun) == (True, NOW)
            assert sum(it.slack.calls.counts.values()) <= 4

    async def test_out_of_reach_it_tries_for_a_while_then_ends_and_can_be_gone_on_with(self, tmp_path: Path) -> None:
        async with scene() as it:
            it.slack.faults.next_calls("conversations.history", Kind.DROP_BEFORE, times=3)
            await it.read(tmp_path / "short")
            assert it.slept
            it.slack.faults.outage = True
            it.slept.clear()
            with pytest.raises(Later):
                await it.read(tmp_path / "long")
            assert 200 < sum(it.slept) < 600
            it.slack.end_outage()
            await it.read(tmp_path / "long")
            assert files_in(tmp_path / "long") == files_in(tmp_path / "short")

    async def test_a_token_that_is_no_good_any_more_ends_it(self, tmp_path: Path) -> None:
        async with scene() as it:
            it.slack.faults.next_calls("conversations.history", Kind.ERROR, error="token_revoked")
            with pytest.raises(Refused, match="token_revoked"):
                await it.read(tmp_path)
            await it.read(tmp_path)


def _is_broken_off(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_broken_off, error.exceptions))
    return isinstance(error, BrokenOff)


class _Breaking:
    """Ends the process, as it were, at the n-th call."""

    def __init__(self, at: int) -> None:
        self._left = at

    def __call__(self, _: int) -> None:
        self._left -= 1
        if not self._left:
            raise BrokenOff


class TestASecondReading:
    async def test_it_brings_the_folder_up_to_date(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path)
            _change_everything(it)
            done = await it.read(tmp_path, now=NOW + 1)
            for channel in it.team.channels.values():
                if it.team.installation.bot_user in channel.members:
                    assert folder_of(tmp_path, folder_name(channel)) == truth(it.team, channel)
            assert done.problems == ()
            assert not (tmp_path / "busy").exists()
            await it.read(tmp_path / "afresh", now=NOW + 1)
            afresh = files_in(tmp_path / "afresh")
            assert {name: body for name, body in files_in(tmp_path).items() if "afresh" not in name} == afresh

    async def test_it_asks_only_for_threads_that_grew_or_are_young(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path, now=NOW)
            amara, talk = it.team.person("amara"), it.team.channel("archive-of-talk")
            old = next(root for root in talk.threads if talk.messages[root].text == "question 4")
            amara.post("#archive-of-talk", "one more", thread_ts=old)
            it.slack.calls.clear()
            await it.read(tmp_path, now=NOW + 1)
            assert {call.args["ts"] for call in it.slack.calls.of("conversations.replies")} == {old}
            it.slack.calls.clear()
            await it.read(tmp_path, now=float(talk.threads[old].between(None, None, False)[-1].ts) + 60)
            asked = {call.args["ts"] for call in it.slack.calls.of("conversations.replies")}
            assert asked > {old}
            assert asked.isdisjoint(set(talk.threads) - {old})

    async def test_channels_that_swap_their_names_swap_their_folders(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path)
            greta, bruno = it.team.person("greta"), it.team.person("bruno")
            greta.rename("#busy", "for-a-moment")
            bruno.rename("#archive-of-talk", "busy")
            greta.rename("#for-a-moment", "archive-of-talk")
            await it.read(tmp_path, now=NOW + 1)
            for name in ("busy", "archive-of-talk"):
                assert folder_of(tmp_path, name) == truth(it.team, it.team.channel(name))

    async def test_a_channel_that_is_gone_is_kept_and_told(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path)
            before = folder_of(tmp_path, "design")
            it.team.person("chiara").kick("#design", it.team.installation.bot_user)
            done = await it.read(tmp_path, now=NOW + 1)
            (problem,) = done.problems
            assert problem.where.startswith("#design (")
            assert "does not list it any more" in problem.what
            assert folder_of(tmp_path, "design") == before
            with open_export(tmp_path) as export:
                assert export.problems == [problem]

    async def test_other_channels_may_be_read_into_the_same_folder(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path, Selection(channels=frozenset({"#general"})))
            assert set(listed(tmp_path, "channels.json")) == {"general"}
            await it.read(tmp_path, Selection(channels=frozenset({"busy"})), now=NOW + 1)
            assert set(listed(tmp_path, "channels.json")) == {"general", "busy"}


def _change_everything(it: Scene) -> None:
    amara, bruno, greta = (it.team.person(name) for name in ("amara", "bruno", "greta"))
    busy = it.team.channel("busy")
    first, second, third, *_ = [message for message in busy.messages.values() if message.user == greta.id][3:]
    greta.edit("#busy", first.ts, "never said so")
    greta.delete("#busy", second.ts)
    amara.react("#busy", third.ts, "tada")
    greta.post("#busy", "and today")
    talk = it.team.channel("archive-of-talk")
    one, other, *_ = [root for root in talk.threads if talk.messages[root].user == bruno.id]
    amara.post("#archive-of-talk", "late to the party", thread_ts=one)
    amara.delete("#archive-of-talk", next(iter(talk.threads[other])).ts)
    bruno.unpin("#engineering", next(iter(it.team.channel("engineering").pins)))
    greta.rename("#busy", "busier")


class TestWhatIsWanted:
    async def test_channels_and_kinds_can_be_chosen(self, tmp_path: Path) -> None:
        async with scene() as it:
            done = await it.read(tmp_path / "a", Selection(channels=frozenset({"general", "#nowhere"})))
            assert done.channels == 1
            (problem,) = done.problems
            assert problem.where == "#nowhere"
            assert "/invite" in problem.what
            done = await it.read(tmp_path / "b", Selection(kinds=frozenset({"dm", "group_dm"})))
            assert done.channels == 2
            assert [call.args["types"] for call in it.slack.calls.of("conversations.list")][-2:] == ["im", "mpim"]

    async def test_a_span_of_time_brings_late_replies_to_old_threads_too(self, tmp_path: Path) -> None:
        async with scene() as it:
            talk = it.team.channel("archive-of-talk")
            old = next(root for root in talk.threads if talk.messages[root].text == "question 4")
            late = it.team.person("amara").post("#archive-of-talk", "today", thread_ts=old)
            times = sorted(talk.messages)
            since, until = Ts(times[40]), Ts(times[-1])
            await it.read(tmp_path / "a", Selection(since=since))
            assert folder_of(tmp_path / "a", "archive-of-talk") == [
                message for message in truth(it.team, talk) if message["ts"] >= since
            ]
            assert late.ts == until
            await it.read(tmp_path / "b", Selection(since=since, until=until))
            assert folder_of(tmp_path / "b", "archive-of-talk") == [
                message for message in truth(it.team, talk) if since <= message["ts"] < until
            ]

    async def test_another_span_or_workspace_needs_another_folder(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path)
            with pytest.raises(Fatal, match="from its beginning"):
                await it.read(tmp_path, Selection(since=Ts("1700000000.000000")))
        async with scene(lambda sandbox: sandbox.new_team("Other", app=sandbox.new_app("Other"))) as it:
            it.team.team.id = "TOTHER"
            with pytest.raises((Fatal, Refused)):
                await it.read(tmp_path)


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


class TestTheFolder:
    async def test_a_folder_with_something_else_in_it_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "letter.txt").write_text("dear")
        async with scene() as it:
            with pytest.raises(Fatal, match="something else"):
                await it.read(tmp_path)
        assert files_in(tmp_path) == {"letter.txt": b"dear"}

    async def test_only_one_process_reads_into_it(self, tmp_path: Path) -> None:
        async with scene() as it:
            await it.read(tmp_path)
            with SpoolFile(tmp_path / SPOOL), pytest.raises(Fatal, match="another process"):
                await it.read(tmp_path)

    async def test_where_it_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        async with scene() as it:
            with pytest.raises(Fatal, match="cannot be written"):
                await it.read(tmp_path / "file" / "below")

    async def test_what_is_no_file_of_ours_is_told(self, tmp_path: Path) -> None:
        (tmp_path / SPOOL).write_text("something else altogether, long enough to look at")
        async with scene() as it:
            with pytest.raises(Fatal, match="not a database"):
                await it.read(tmp_path)


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
