"""Any bytes in any file of an export become problems: nothing raises, and the other files are read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from bridge.exports.export import open_export
from bridge.exports.planning import make_plan
from portals.history.plan_json import as_json
from portals.history.selection import Selection
from tests.bridge.exports.packed import an_export, entry, said, unpacked, zipped
from tests.portals.foreign import JSON, objects

FILES = (
    "channels.json",
    "groups.json",
    "dms.json",
    "mpims.json",
    "users.json",
    "org_users.json",
    "emoji.json",
    "general/2024-05-01.json",
    "lists.json",
    "other/2024-05-01.json",
    "teams/One/channels.json",
)
ENTRIES = objects(
    {
        "id": st.sampled_from(["C0GENERAL", "C0OTHER", "D0X", "U0ANN"]),
        "name": st.sampled_from(["general", "other", ""]),
        "members": st.lists(st.text()),
        "pins": st.lists(objects({"id": st.just("1714550400.000100"), "created": st.integers()})),
        "created": st.integers(),
        "ts": st.just("1714550400.000100"),
        "thread_ts": st.text(),
        "team_id": st.just("T01"),
        "profile": objects({"email": st.text()}),
        "files": st.lists(objects({"id": st.text()})),
    }
)


def _writable(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


BODIES = st.binary(max_size=60) | (JSON | st.lists(ENTRIES | JSON, max_size=5)).filter(_writable).map(orjson.dumps)


@given(st.dictionaries(st.sampled_from(FILES), BODIES, max_size=5), st.booleans())
def test_any_bytes_in_any_file_are_read_or_told(bodies: dict[str, bytes], as_zip: bool) -> None:
    other = {"groups.json": [entry("G0SAFE", "safe")], "safe/2024-05-01.json": said("1714550400.000100")}
    files = an_export() | other | {path: body for path, body in bodies.items() if path != "groups.json"}
    with tempfile.TemporaryDirectory() as folder:
        target = (zipped if as_zip else unpacked)(Path(folder) / "x", files)
        with open_export(target) as export:
            plan = make_plan(export, "x", Selection())
    orjson.dumps(as_json(plan))
    safe = [one.figures.messages for one in plan.channels if one.channel.id == "G0SAFE"]
    assert safe == [1]
