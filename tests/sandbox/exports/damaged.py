"""Exports whose files hold what they should not: each function damages the entries of a good one.

An entry is a path and its bytes. Each returns the path of what it damaged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Json

Entries = dict[str, bytes]
Damage = Callable[[Entries], str]
_DEPTH = 200_000


def first_day(entries: Entries) -> str:
    """A day of the channel that has most of them."""
    return next(path for path in entries if path.startswith("general/2"))


def _records(entries: Entries, path: str) -> list[Any]:
    return list(orjson.loads(entries[path]))


def cut_off(entries: Entries) -> str:
    """A day file that ends in the middle of a record."""
    path = first_day(entries)
    entries[path] = entries[path][: len(entries[path]) // 2]
    return path


def empty_file(entries: Entries) -> str:
    """A day file of no bytes."""
    path = first_day(entries)
    entries[path] = b""
    return path


def object_for_list(entries: Entries) -> str:
    """A day file that is an object, as some API answers are."""
    path = first_day(entries)
    entries[path] = orjson.dumps({"ok": True, "messages": _records(entries, path)})
    return path


def odd_records(entries: Entries) -> str:
    """A day with what is no record between its records."""
    path = first_day(entries)
    first, *rest = _records(entries, path)
    entries[path] = orjson.dumps(["", "a string", first, None, 7, True, [], {}, 1.5, [first], *rest])
    return path


def odd_fields(entries: Entries) -> str:
    """A day whose records have fields of the wrong type, and times that are none."""
    path = first_day(entries)
    records = _records(entries, path)
    seconds = records[0]["ts"].partition(".")[0]
    base: Json = {"type": "message", "user": records[0].get("user", "U00"), "text": "x"}
    for number, field in enumerate(_ODD_FIELDS):
        records.append(base | {"ts": f"{seconds}.9{number:05d}"} | field)
    records += [base | {"ts": ts} for ts in _ODD_TIMES]
    entries[path] = orjson.dumps([*records, base, {"type": "message"}])
    return path


_ODD_FIELDS: tuple[Json, ...] = (
    {"text": 5},
    {"text": None},
    {"text": {"a": 1}},
    {"text": ["x"]},
    {"user": 7},
    {"user": None},
    {"user": ["U00"]},
    {"user": ""},
    {"reactions": "+1"},
    {"reactions": [None, "x", {"name": 3, "users": "U00"}, {"name": "+1", "users": [1, None], "count": "two"}]},
    {"files": [None, "", 3, {}, {"id": None}, {"id": "F0", "size": "large", "name": 9, "url_private": ["x"]}]},
    {"files": {"id": "F0X"}},
    {"file": "F0X", "subtype": "file_share"},
    {"blocks": {"type": "rich_text"}, "text": ""},
    {"blocks": [None, "x", {"type": "rich_text", "elements": [None, {"type": "rich_text_section", "elements": "x"}]}]},
    {"attachments": [None, 3, {"fields": "x", "text": 1}], "text": ""},
    {"edited": "yes"},
    {"edited": {"user": None, "ts": None}},
    {"thread_ts": 0},
    {"thread_ts": "tomorrow"},
    {"thread_ts": None},
    {"reply_count": "many", "replies": "x", "reply_users": None},
    {"subtype": 4},
    {"subtype": "never_heard_of"},
    {"type": "reminder"},
    {"user_profile": "Anna"},
    {"bot_profile": [], "bot_id": 5, "user": None},
    {"username": {"a": "b"}, "icons": "x", "subtype": "bot_message"},
    {"root": 3, "subtype": "thread_broadcast", "thread_ts": "1500000000.000100"},
)
_ODD_TIMES = (
    None,
    5,
    1_700_000_000.5,
    "",
    "abc",
    "-1.000000",
    "1e9",
    "99999999999999999999.000000",
    "١٢٣.٠٠٠٠٠٠",
    "1.2.3",
)


def in_latin_1(entries: Entries) -> str:
    """A day that somebody saved in another encoding."""
    path = first_day(entries)
    said = '[{"type": "message", "user": "U00", "text": "größer als früher", "ts": "1700000000.000100"}]'
    entries[path] = said.encode("latin-1")
    return path


def in_utf_16(entries: Entries) -> str:
    """A day as some editors save it, with its mark."""
    path = first_day(entries)
    entries[path] = entries[path].decode().encode("utf-16")
    return path


def marked_utf_8(entries: Entries) -> str:
    """Every file with a byte order mark, which is harmless but no JSON."""
    for path in entries:
        entries[path] = b"\xef\xbb\xbf" + entries[path]
    return first_day(entries)


def lone_surrogates(entries: Entries) -> str:
    """A text with half a character and a NUL, which JSON allows to be written."""
    path = first_day(entries)
    entries[path] = b'[{"type": "message", "user": "U00", "text": "a \\ud83d b \\u0000 c", "ts": "1700000000.000100"}]'
    return path


def deep_nesting(entries: Entries) -> str:
    """A record nested deeper than a parser's stack."""
    path = first_day(entries)
    deep = b"[" * _DEPTH + b"]" * _DEPTH
    entries[path] = b'[{"type": "message", "user": "U00", "text": "", "ts": "1700000000.000100", "blocks": %b}]' % deep
    return path


def huge_numbers(entries: Entries) -> str:
    """Numbers that no machine holds."""
    path = first_day(entries)
    body = b'[{"type": "message", "user": "U00", "text": "x", "ts": "1700000000.000100", "a": 1e999, "b": %b}]'
    entries[path] = body % (b"9" * 6000)
    return path


def repeated_messages(entries: Entries) -> str:
    """The same messages twice in a day, and again in another day's file."""
    path = first_day(entries)
    records = _records(entries, path)
    entries[path] = orjson.dumps([*records, *records])
    entries["general/2030-01-01.json"] = orjson.dumps(records)
    return "general/2030-01-01.json"


def odd_lists(entries: Entries) -> str:
    """Lists of channels and users with entries that are none, lack what matters, or come twice."""
    channels, users = _records(entries, "channels.json"), _records(entries, "users.json")
    channels += ["", None, 3, [], {}, {"name": "without-id"}, {"id": None, "name": "x"}, {"id": "C0NAMELESS1"}]
    channels += [channels[0], {"id": "C0ODD", "name": 5, "members": "everyone", "pins": ["x", {}], "topic": "x"}]
    users += ["", None, {}, {"id": "U0BARE"}, {"id": 7, "name": "x"}, users[0], {"id": "U0ODD", "profile": "none"}]
    entries["channels.json"], entries["users.json"] = orjson.dumps(channels), orjson.dumps(users)
    return "channels.json"


def no_channels(entries: Entries) -> str:
    """No list of any conversations at all."""
    for name in ("channels.json", "groups.json", "dms.json", "mpims.json"):
        entries.pop(name, None)
    return "channels.json"


def no_users(entries: Entries) -> str:
    """No users.json: everybody is a stranger."""
    del entries["users.json"]
    return "users.json"


def shared_folder(entries: Entries) -> str:
    """Two channels of one name, so that nothing tells whose the messages in their folder are."""
    groups = _records(entries, "groups.json")
    name = str(_records(entries, "channels.json")[0]["name"])
    twin: Json = {"id": "C0TWIN0001", "name": name, "created": 1_600_000_000, "creator": "U00", "is_archived": False}
    blank: Json = {"value": "", "creator": "", "last_set": 0}
    entries["groups.json"] = orjson.dumps([*groups, twin | {"members": ["U00"], "topic": blank, "purpose": blank}])
    return name + "/"


def unlisted_folder(entries: Entries) -> str:
    """A folder of messages that no list names."""
    said: Json = {"type": "message", "user": "U00", "text": "whose?", "ts": "1700000000.000100"}
    entries["nobodys/2023-11-14.json"] = orjson.dumps([said])
    return "nobodys/2023-11-14.json"


def odd_names(entries: Entries) -> str:
    """Files in a channel's folder that are not called like days."""
    day = entries[first_day(entries)]
    for name in (
        "2026-13-45.json",
        "notes.json",
        "2026-01-01 (1).json",
        "2026-01-01.json.bak",
        "Thumbs.db",
        "a/b.json",
    ):
        entries[f"general/{name}"] = day
    return "general/2026-13-45.json"


DAMAGES: dict[str, Damage] = {
    damage.__name__: damage
    for damage in (
        cut_off,
        empty_file,
        object_for_list,
        odd_records,
        odd_fields,
        in_latin_1,
        in_utf_16,
        marked_utf_8,
        lone_surrogates,
        deep_nesting,
        huge_numbers,
        repeated_messages,
        odd_lists,
        no_channels,
        no_users,
        shared_folder,
        unlisted_folder,
        odd_names,
    )
}
"""By name: what can be wrong inside the files."""
