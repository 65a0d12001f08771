from __future__ import annotations

import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import Fatal
from bridge.exports.export import open_export
from bridge.exports.spool_file import SPOOL, SpoolFile
from portals.history.selection import Selection
from portals.ids import ChannelId, Ts
from tests.bridge.exports.api_scene import files_in, folder_name, folder_of, listed, scene, truth
from tests.sandbox.exports import export_of
from tests.sandbox.slack import Reality, SlackSandbox

if TYPE_CHECKING:
    from pathlib import Path


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

        def another(sandbox: SlackSandbox) -> None:
            sandbox.mint.make("T")  # the ids of a sandbox are the same in every run
            sandbox.new_team("Other")

        async with scene(another) as it:
            with pytest.raises(Fatal, match="name another folder"):
                await it.read(tmp_path)


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
