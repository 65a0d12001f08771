from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.slack import Reality
from tests.sandbox.slack_tests.conftest import Bench, running


def texts(answer: Any) -> list[str]:
    return [message["text"] for message in answer["messages"]]


async def test_history_is_newest_first_without_replies(bench: Bench) -> None:
    alice = bench.team.person("alice")
    one = alice.post("#general", "one")
    alice.post("#general", "reply", thread_ts=one.ts)
    alice.post("#general", "two")
    answer = await bench.web.conversations_history(channel=bench.general, limit=2)
    assert texts(answer) == ["two", "one"]
    root = answer["messages"][1]
    assert (root["thread_ts"], root["reply_count"], root["reply_users"]) == (one.ts, 1, [alice.id])
    assert answer["has_more"] is True


async def test_bounds_exclude_unless_inclusive(bench: Bench) -> None:
    alice = bench.team.person("alice")
    said = [alice.post("#general", str(number)) for number in range(5)]
    bounds: dict[str, Any] = {"channel": bench.general, "oldest": said[1].ts, "latest": said[3].ts}
    assert texts(await bench.web.conversations_history(**bounds)) == ["2"]
    assert texts(await bench.web.conversations_history(**bounds, inclusive=True)) == ["3", "2", "1"]


async def test_timestamps_are_compared_as_numbers(bench: Bench) -> None:
    alice = bench.team.person("alice")
    said = alice.post("#general", "one")
    seconds = said.ts.partition(".")[0]
    answer = await bench.web.conversations_history(channel=bench.general, oldest=seconds)
    assert texts(answer)[0] == "one"
    assert texts(await bench.web.conversations_history(channel=bench.general, oldest="99999999999")) == []


@pytest.mark.parametrize("name", ["oldest", "latest"])
async def test_a_bad_bound_is_refused(bench: Bench, name: str) -> None:
    bound: dict[str, Any] = {name: "yesterday"}
    call = bench.web.conversations_history(channel=bench.general, **bound)
    assert await bench.error(call) == f"invalid_ts_{name}"


@pytest.mark.parametrize("end", ["newest", "oldest"])
async def test_cursors_lead_through_everything_once_in_either_order(end: Any) -> None:
    async with running(Reality(oldest_alone=end)) as bench:
        alice = bench.team.person("alice")
        first = alice.post("#general", "first")
        for number in range(10):
            alice.post("#general", str(number))
        seen: list[str] = []
        cursor, pages = "", 0
        while True:
            answer = await bench.web.conversations_history(
                channel=bench.general, oldest=first.ts, limit=3, cursor=cursor
            )
            seen += texts(answer)
            pages += 1
            if not answer["has_more"]:
                break
            cursor = answer["response_metadata"]["next_cursor"]
        assert sorted(seen) == [str(number) for number in range(10)]
        assert pages == 4
        assert seen[0] == ("9" if end == "newest" else "2")


async def test_replies_are_oldest_first_and_the_root_is_always_there(bench: Bench) -> None:
    alice = bench.team.person("alice")
    root = alice.post("#general", "root")
    replies = [alice.post("#general", str(number), thread_ts=root.ts) for number in range(5)]
    where: dict[str, Any] = {"channel": bench.general, "ts": root.ts}
    assert texts(await bench.web.conversations_replies(**where)) == ["root", "0", "1", "2", "3", "4"]
    late = await bench.web.conversations_replies(**where, oldest=replies[2].ts)
    assert texts(late) == ["root", "3", "4"]
    page = await bench.web.conversations_replies(**where, limit=3)
    assert texts(page) == ["root", "0", "1"]
    after = await bench.web.conversations_replies(**where, limit=3, cursor=page["response_metadata"]["next_cursor"])
    assert texts(after) == ["root", "2", "3"]
    assert texts(await bench.web.conversations_replies(channel=bench.general, ts=replies[0].ts))[0] == "root"
    lone = alice.post("#general", "lone")
    assert texts(await bench.web.conversations_replies(channel=bench.general, ts=lone.ts)) == ["lone"]
    missing = bench.web.conversations_replies(channel=bench.general, ts="1.000001")
    assert await bench.error(missing) == "thread_not_found"


@pytest.mark.parametrize("cursor", ["nonsense", "bmV4dF90czp4", "dGVhbToz"])
async def test_a_bad_cursor_is_refused(bench: Bench, cursor: str) -> None:
    call = bench.web.conversations_history(channel=bench.general, cursor=cursor)
    assert await bench.error(call) == "invalid_cursor"


async def test_metadata_is_whole_only_when_asked_for_and_allowed(bench: Bench) -> None:
    metadata = {"event_type": "causeway_relay", "event_payload": {"key": "k1"}}
    await bench.web.chat_postMessage(channel=bench.general, text="x", metadata=metadata)

    async def shown(**arguments: Any) -> Any:
        answer = await bench.web.conversations_history(channel=bench.general, limit=1, **arguments)
        return answer["messages"][0].get("metadata")

    assert await shown(include_all_metadata=True) == metadata
    assert await shown() == {"event_type": "causeway_relay"}
    bench.team.installation.app.metadata_subscriptions.add("causeway_relay")
    assert await shown() == metadata
    bench.team.installation.token.scopes.discard("metadata.message:read")
    assert await shown(include_all_metadata=True) is None


async def test_history_needs_membership_and_the_scope_of_the_kind(bench: Bench) -> None:
    alice = bench.team.person("alice")
    other = alice.create("other")
    assert await bench.error(bench.web.conversations_history(channel=other.id)) == "not_in_channel"
    secret = alice.create("secret", private=True)
    assert await bench.error(bench.web.conversations_history(channel=secret.id)) == "channel_not_found"
    alice.invite("#secret", bench.team.installation.bot_user)
    await bench.web.conversations_history(channel=secret.id)
    bench.team.installation.token.scopes.discard("groups:history")
    body = await bench.refusal(bench.web.conversations_history(channel=secret.id))
    assert (body["error"], body["needed"]) == ("missing_scope", "groups:history")


async def test_edits_reactions_and_deletions_show_in_history(bench: Bench) -> None:
    alice, bob = bench.team.person("alice"), bench.team.person("bob")
    kept, gone = alice.post("#general", "kept"), alice.post("#general", "gone")
    alice.edit("#general", kept.ts, "changed")
    bob.react("#general", kept.ts, "wave::skin-tone-3")
    alice.delete("#general", gone.ts)
    answer = await bench.web.conversations_history(channel=bench.general, limit=1)
    message = answer["messages"][0]
    assert message["text"] == "changed"
    assert message["edited"]["user"] == alice.id
    assert message["reactions"] == [{"name": "wave::skin-tone-3", "users": [bob.id], "count": 1}]
