from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.exports import Generated, Packing
from tests.sandbox.exports.announced import IN_ANY, IN_PRIVATE, IN_PUBLIC
from tests.sandbox.exports_tests.reading import entries, messages, parsed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.exports import Kind, Truth
    from tests.sandbox.slack_tests.conftest import Bench

SMALL = Generated(seed=5, messages=3000, channels=14, people=30)
LISTS = ("channels.json", "groups.json", "dms.json", "mpims.json")


def counted(target: Path) -> dict[str, Any]:
    """What a stranger would count in an export, by channel id."""
    files, found = parsed(target), {}
    for path, value in files.items():
        folder, _, name = path.rpartition("/")
        if name not in LISTS:
            continue
        for channel in value:
            inside = f"{folder}/" if folder else ""
            shown = channel.get("name", channel["id"])
            # A private channel may be named like a public one; then the folder is the public one's.
            is_hidden = name == "groups.json" and any(c["name"] == shown for c in files[f"{inside}channels.json"])
            records = [] if is_hidden else messages(target, inside + shown)
            found[channel["id"]] = figures(records) | {
                "pins": len(channel.get("pins", [])),
                "members": len(channel["members"]),
            }
    return found


def figures(records: list[dict[str, Any]]) -> dict[str, int]:
    roots = replies = reactions = shared = size = 0
    for record in records:
        if "thread_ts" in record:
            roots += record["thread_ts"] == record["ts"]
            replies += record["thread_ts"] != record["ts"]
        for reaction in record.get("reactions", []):
            assert reaction["count"] == len(set(reaction["users"]))
            reactions += reaction["count"]
        for file in record.get("files", []) + ([record["file"]] if "file" in record else []):
            shared += 1
            size += file.get("size", 0)
    threads = {"messages": len(records), "thread_roots": roots, "replies": replies}
    return threads | {"reactions": reactions, "files": shared, "bytes": size}


def claimed(truth: Truth) -> dict[str, Any]:
    return {channel.id: asdict(channel.counts) for channel in truth.channels}


@pytest.mark.parametrize("kind", ["standard", "full", "grid"])
def test_the_truth_is_what_a_stranger_counts(tmp_path: Path, kind: Kind) -> None:
    truth = SMALL.write(tmp_path / "e.zip", kind, packing=Packing(utf8_flag=True))
    assert claimed(truth) == counted(tmp_path / "e.zip")
    assert truth.totals.messages == (3000 if kind != "standard" else sum(c.counts.messages for c in truth.channels))
    assert truth.json()["totals"] == asdict(truth.totals)


def test_the_truth_of_a_date_range_and_of_a_later_export_is_what_a_stranger_counts(tmp_path: Path) -> None:
    cut = (SMALL.moment(0.3), SMALL.moment(0.4))
    assert claimed(SMALL.write(tmp_path / "range", date_range=cut)) == counted(tmp_path / "range")
    assert claimed(SMALL.later().write(tmp_path / "later")) == counted(tmp_path / "later")
    trail = Generated(seed=5, messages=800, trail=True)
    assert claimed(trail.write(tmp_path / "trail")) == counted(tmp_path / "trail")
    assert dict(trail.write(tmp_path / "again").oddities)["message_changed"] > 5


def test_the_same_number_makes_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        Generated(seed=seed, messages=400).write(tmp_path / f"{name}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert entries(tmp_path / "a.zip") != entries(tmp_path / "c.zip")


def test_records_of_a_channel_are_in_order_and_each_has_its_own_ts(tmp_path: Path) -> None:
    truth = SMALL.write(tmp_path / "e")
    for channel in truth.channels:
        if channel.counts.messages:
            stamps = [float(record["ts"]) for record in messages(tmp_path / "e", channel.folder)]
            assert stamps == sorted(stamps)
            assert len({record["ts"] for record in messages(tmp_path / "e", channel.folder)}) == len(stamps)


def test_every_reply_of_a_whole_export_has_its_root_and_every_root_its_replies(tmp_path: Path) -> None:
    truth = SMALL.write(tmp_path / "e")
    for channel in (channel for channel in truth.channels if channel.counts.messages):
        records = {record["ts"]: record for record in messages(tmp_path / "e", channel.folder)}
        threads: dict[str, list[Any]] = {}
        for record in records.values():
            if record.get("thread_ts", record["ts"]) != record["ts"]:
                threads.setdefault(record["thread_ts"], []).append(record)
        assert threads.keys() == {ts for ts, record in records.items() if record.get("thread_ts") == ts}
        for ts, replies in threads.items():
            assert records[ts]["latest_reply"] == replies[-1]["ts"]
            told = [(reply["user"], reply["ts"]) for reply in replies]
            assert [(each["user"], each["ts"]) for each in records[ts]["replies"]] in (told, told[:-1])


def test_every_oddity_of_real_exports_occurs(tmp_path: Path) -> None:
    truth = SMALL.write(tmp_path / "e")
    oddities, shares = dict(truth.oddities), Counter(dict(truth.oddities))
    assert {*IN_ANY, *IN_PUBLIC, *IN_PRIVATE} <= oddities.keys()
    assert {"channel_archive", "group_archive", "tombstone", "thread_broadcast", "bot_message"} <= oddities.keys()
    assert {f"empty text with {what}" for what in ("attachments", "blocks", "files")} <= oddities.keys()
    assert {"reply_count too small", "only user_profile", "only an id", "bot_profile", "edited"} <= oddities.keys()
    shapes = {"hidden_by_limit", "tombstone", "snippet", "quip", "external"}
    shapes |= {"access_denied", "file_not_found", "check_file_info"}
    assert {f"file {shape}" for shape in shapes} <= oddities.keys()
    assert 0.01 < shares["same millisecond"] / 3000 < 0.06
    assert 0.08 < shares["bot_message"] / 3000 < 0.4
    assert 0.02 < shares["reaction with tone"] / truth.totals.reactions < 0.3
    files = parsed(tmp_path / "e")
    assert files["huddle_transcripts.json"] == files["lists.json"] == [""]
    assert files["file_conversations.json"] == []
    assert any(path.startswith("FC:") for path in files)
    assert truth.unlisted[0] in {path.partition("/")[0] for path in files}
    assert any(path.endswith("canvas_in_the_conversation.json") for path in files)
    text = json.dumps(files, ensure_ascii=False)
    for word in ('"U00"', "rich_text_list", "rich_text_quote", "rich_text_preformatted", '"table"', '"context"'):
        assert word in text
    shown = {channel["name"] for channel in files["channels.json"]} & {group["name"] for group in files["groups.json"]}
    assert shown == {"engineering"}
    users = {user["id"]: user for user in files["users.json"]}
    assert any(user["deleted"] for user in users.values())
    assert any("email" not in user["profile"] for user in users.values() if not (user["deleted"] or user["is_bot"]))
    assert "USLACKBOT" not in users
    archived = [channel for channel in files["channels.json"] if channel["is_archived"]]
    assert {type(channel["created"]) for channel in archived} == {str}
    assert any(isinstance(channel["created"], int) for channel in files["channels.json"])


def test_a_date_range_has_orphans_and_lists_almost_only_what_was_active(tmp_path: Path) -> None:
    spec = Generated(seed=9, messages=4000, channels=40, days=400)
    truth = spec.write(tmp_path / "e", date_range=(spec.moment(0.5), spec.moment(0.51)))
    assert sum(channel.counts.messages == 0 for channel in truth.channels) == 1
    assert len(truth.channels) < 40
    orphans = 0
    for channel in truth.channels:
        records = messages(tmp_path / "e", channel.folder) if channel.counts.messages else []
        stamps = {record["ts"] for record in records}
        orphans += sum(record.get("thread_ts", record["ts"]) not in stamps for record in records)
    assert orphans > 0


def test_a_standard_export_holds_what_the_full_one_says_of_its_channels(tmp_path: Path) -> None:
    SMALL.write(tmp_path / "standard", "standard")
    SMALL.write(tmp_path / "full", "full")
    standard, full = entries(tmp_path / "standard"), entries(tmp_path / "full")
    assert {path for path in standard if full.get(path) != standard[path]} == set()
    assert "groups.json" not in standard


def test_a_later_export_differs_from_the_first_in_what_it_tells(tmp_path: Path) -> None:
    spec = Generated(seed=4, messages=2500, channels=9)
    first, later = spec.write(tmp_path / "first"), spec.later(0.02).write(tmp_path / "later")
    changes = {(change.channel, change.ts): change.what for change in later.changes}
    assert set(changes.values()) == {"edited", "deleted", "tombstone", "reacted", "replied"}
    assert len(changes) == len(later.changes)
    renamed = 0
    for channel in later.channels:
        renamed += channel.folder != first.of(channel.id).folder
        if not first.of(channel.id).counts.messages:
            continue
        old = {record["ts"]: record for record in messages(tmp_path / "first", first.of(channel.id).folder)}
        new = {record["ts"]: record for record in messages(tmp_path / "later", channel.folder)}
        for ts, before in old.items():
            what, after = changes.get((channel.id, ts)), new.get(ts)
            assert (after is None) == (what == "deleted")
            if what is None and after is not None:
                assert said(after) == said(before)
            elif what == "edited":
                assert after is not None
                assert after["text"] == f"{before['text']} (corrected)"
            elif what == "tombstone":
                assert after is not None
                assert (after["subtype"], after["user"]) == ("tombstone", "USLACKBOT")
            elif what == "replied":
                assert any(new[each]["thread_ts"] == ts for each in new.keys() - old.keys() if "thread_ts" in new[each])
        newest = max(map(float, old))
        assert all(float(ts) > newest for ts in new.keys() - old.keys())
        assert not first.of(channel.id).folder.startswith("general") or new.keys() - old.keys()
    assert renamed == 1
    with pytest.raises(ValueError, match="revised once"):
        spec.later().later()


def said(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what it says of its thread, which others change, and without its export's token."""
    others = ("thread_ts", "replies", "latest_reply", "subscribed", "is_locked", "root", "parent_user_id")
    shown = {key: value for key, value in record.items() if not key.startswith("reply_") and key not in others}
    for kind in ("files", "file"):
        if kind in shown:
            shown[kind] = json.loads(json.dumps(shown[kind]).replace("beef", "cdef"))
    return shown


async def test_the_sandbox_serves_made_up_files_until_their_token_expires(bench: Bench, tmp_path: Path) -> None:
    spec = Generated(seed=6, messages=600, largest=5000, host=bench.slack.url, team=bench.team.id)
    bench.slack.hosting.exported[bench.team.id] = spec.files()
    spec.write(tmp_path / "e")
    records = messages(tmp_path / "e", "general")
    assert any(record.get("team") == bench.team.id for record in records)
    file = next(f for record in records for f in record.get("files", []) if f.get("mode") == "hosted")

    async def fetch(url: str) -> bytes:
        async with bench.session.get(url) as answer:
            return await answer.read()

    assert await fetch(file["url_private"]) == await fetch(file["url_private_download"])
    assert len(await fetch(file["url_private"])) == file["size"]
    assert b"Sign in" in await fetch(file["url_private"].partition("?")[0])
    del bench.slack.hosting.exported[bench.team.id]
    assert b"Sign in" in await fetch(file["url_private"])


def test_files_can_be_served_by_their_ids_alone(tmp_path: Path) -> None:
    spec = Generated(seed=6, messages=600, largest=5000, host="http://127.0.0.1:1")
    spec.write(tmp_path / "e")
    files, hosted = spec.files(), 0
    for folder in ("general", "random"):
        for record in messages(tmp_path / "e", folder):
            for file in record.get("files", []):
                if file.get("mode") == "hosted":
                    hosted += 1
                    assert len(files.content_of(file["id"])) == file["size"] <= 5000
                    assert file["url_private"].startswith("http://127.0.0.1:1/files-pri/")
                    assert file["url_private"].endswith(f"?t={spec.token}")
    assert hosted > 5
