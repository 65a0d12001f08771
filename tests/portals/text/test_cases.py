"""The tables in `tests/cases`: one row a case, extendable by anybody who reads JSON.

`{name, slack | blocks | attachments, html?, plain, mentions?, names?}` goes from Slack to Matrix: `html` is absent
where the plain body says it all. `{name, html | body, slack, blocks?, names?}` goes from Matrix to Slack. `names` are
the answers of the look-up; without them the table's usual people and places are known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portals.text import (
    Channel,
    MatrixPerson,
    Names,
    SlackPerson,
    from_matrix,
    from_slack,
    to_matrix,
    to_slack,
)

TABLES = Path(__file__).parents[2] / "cases"

Case = dict[str, Any]  # Any: rows of JSON

USUAL: Case = {
    "slack_users": {"U1": ["Ann", "@slack_u1:hs"], "U2": ["Bob <b>", "@slack_u2:hs"], "U3": ["Cy", None]},
    "matrix_users": {"@slack_u1:hs": ["Ann", "U1"], "@eve:hs": ["Eve", None], "@linked:hs": ["Lin", "U9"]},
    "channels": {"C1": ["general", "!general:hs"], "C2": ["random", None]},
    "rooms": {"!general:hs": "C1", "#general:hs": "C1"},
    "usergroups": {"S1": "team"},
    "emoji": {"party": "mxc://hs/party", "unsent": None, "yes": "👍"},
    "links": {
        "https://x.slack.com/archives/C1/p1700000000000100": "https://matrix.to/#/!general:hs/$event",
        "https://matrix.to/#/!general:hs/$event": "https://x.slack.com/archives/C1/p1700000000000100",
    },
}


def cases(direction: str) -> list[Any]:
    """Every case of a direction, as parameters named by table and case."""
    return [
        pytest.param(case, id=f"{table.stem}: {case['name']}")
        for table in sorted(TABLES.glob(f"{direction}_*.json"))
        for case in json.loads(table.read_text(encoding="utf-8"))
    ]


def names_of(case: Case) -> Names:
    known = {**USUAL, **case.get("names", {})}
    return Names(
        slack_users={key: SlackPerson(*value) for key, value in known["slack_users"].items()},
        matrix_users={key: MatrixPerson(*value) for key, value in known["matrix_users"].items()},
        channels={key: Channel(*value) for key, value in known["channels"].items()},
        rooms=known["rooms"],
        usergroups=known["usergroups"],
        emoji=known["emoji"],
        links=known["links"],
        allow_room_mention=known.get("allow_room_mention", False),
        allow_broadcast=known.get("allow_broadcast", False),
    )


@pytest.mark.parametrize("case", cases("slack"))
def test_a_slack_message_reads_in_matrix_as_the_table_says(case: Case) -> None:
    document = from_slack(case.get("slack", ""), case.get("blocks", ()), case.get("attachments", ()))
    shown = to_matrix(document, names_of(case))
    said = {"plain": shown.body}
    if shown.formatted_body is not None:
        said["html"] = shown.formatted_body
    assert said == {key: case[key] for key in ("plain", "html") if key in case}
    assert list(shown.user_ids) == case.get("mentions", [])
    assert shown.room == case.get("room", False)


@pytest.mark.parametrize("case", cases("matrix"))
def test_a_matrix_message_reads_in_slack_as_the_table_says(case: Case) -> None:
    content: Case = {"msgtype": "m.text", "body": case.get("body", "")}
    if "html" in case:
        content |= {"format": "org.matrix.custom.html", "formatted_body": case["html"]}
    content |= case.get("content", {})
    messages = to_slack(from_matrix(content), names_of(case))
    assert [message.text for message in messages] == ([case["slack"]] if case["slack"] else [])
    if "blocks" in case:
        assert list(messages[0].blocks) == case["blocks"]


def test_the_tables_hold_what_they_promise() -> None:
    every = cases("slack") + cases("matrix")
    assert len(every) >= 200
    assert len({case.id for case in every}) == len(every)
