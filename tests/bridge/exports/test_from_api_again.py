from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import BadExport, Later, Refused
from bridge.exports.export import open_export
from portals.history.selection import Selection
from tests.bridge.exports.api_scene import NOW, BrokenOff, files_in, folder_name, folder_of, listed, scene, truth
from tests.sandbox.slack import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bridge.exports.api_scene import Scene


class TestGoingOn:
    async def test_broken_off_at_any_call_it_goes_on_and_writes_the_same_bytes(self, tmp_path: Path) -> None:
        async with scene() as it:
            whole = it.client()
            await it.read(tmp_path / "undisturbed", client=whole)
            wanted, pages = files_in(tmp_path / "undisturbed"), it.pages_asked()
            for cut_at in range(1, whole.asked + 1):
                directory = tmp_path / str(cut_at)
                it.slack.calls.clear()
                with pytest.raises(BaseException) as ended:  # noqa: PT011  alone, or among those of other channels
                    await it.read(directory, client=it.client(cut_at=cut_at, after=cut_at % 2 == 0))
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
