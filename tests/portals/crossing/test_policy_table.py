"""The table `tests/cases/policy.json`, made for an auditor to read: situation, decision, and the words that are shown.

`policy` is what stands in the configuration. `crosses`: it is relayed as ever. `withheld`: nothing crosses, and the
author is told the words. `audited`: nothing crosses, and the audit log alone is told. `withdrawn`: the copy on the
other side is taken away as well. `kept`: it stays as it was. `line`: the other side is shown the configured line.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import config.policy as configured
from bridge.policies import policy_from
from portals.actions import (
    Action,
    DeleteMessage,
    Note,
    PostMessage,
    RecordDeletion,
    RecordEdit,
    RecordWithheld,
    RedactEvent,
    SendEvent,
)
from portals.crossing.policy import Standing
from portals.events import Ignored, Undeliverable
from portals.ids import EventId, Ts
from portals.relay import to_matrix, to_slack
from tests.portals.relay.scene import (
    ADA,
    NAMES,
    PORTAL,
    facts,
    from_ada,
    link,
    said_in_matrix,
    said_in_slack,
)

if TYPE_CHECKING:
    from portals.facts import Facts

CASES = json.loads((Path(__file__).parents[2] / "cases" / "policy.json").read_text(encoding="utf-8"))

Case = dict[str, Any]  # Any: rows of JSON


def decided(case: Case) -> tuple[Action, ...]:
    policy = policy_from(configured.Policy.model_validate({"name": "strict", **case["policy"]}))
    known: Facts = replace(
        facts(),
        policy=policy,
        power=case.get("power"),
        standing=Standing(case.get("standing", "members")),
        rules=replace(facts().rules, topic_to_slack=True),
    )
    decision = _in_matrix(case, known) if "matrix" in case else _in_slack(case, known)
    assert not isinstance(decision, Ignored | Undeliverable), decision
    return decision


def _in_matrix(case: Case, known: Facts) -> tuple[Action, ...] | Ignored | Undeliverable:
    content = {"msgtype": "m.text", **case["matrix"]}
    kind = content.pop("type", "m.room.message")
    more: dict[str, Any] = {"redacts": "$old"} if kind == "m.room.redaction" else {}
    if kind in ("m.room.topic", "m.room.pinned_events"):
        more = {"state_key": ""}
    if case.get("edits"):
        relation = {"rel_type": "m.replace", "event_id": "$old"}
        content = {"msgtype": "m.text", "body": "*", "m.new_content": content, "m.relates_to": relation}
    return to_slack.decide(
        said_in_matrix(content, kind, **more), PORTAL, replace(known, links=(from_ada("1.000001", "$old"),))
    )


def _in_slack(case: Case, known: Facts) -> tuple[Action, ...] | Ignored:
    said = dict(case["slack"])
    if files := said.get("files"):
        said["files"] = [{"id": f"F{n}", "size": 5, "url_private": "https://s/f", **one} for n, one in enumerate(files)]
    if said.get("type", "message") != "message" or said.get("subtype") == "message_deleted":
        known = replace(known, links=(link("1.000001", "$old"),))
        event = said_in_slack(**said)
    elif case.get("edits"):
        known = replace(known, links=(link("1.000001", "$old", digest="before"),))
        message = {"user": "UALICE", "ts": "1.000001", "edited": {"ts": "2.000001"}, **said}
        event = said_in_slack(subtype="message_changed", message=message, ts="2.000002")
    else:
        event = said_in_slack(1 if case.get("historic") else None, ts="1.000001", **said)
    return to_matrix.decide(event, PORTAL, known)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["situation"])
def test_the_table_holds(case: Case) -> None:
    actions = decided(case)
    audited = [one.record for one in actions if isinstance(one.record, RecordWithheld)]
    if case["decision"] == "crosses":
        assert not audited
        return
    assert [one.rule for one in audited] == [case["rule"]]
    assert all(_body(case) not in one.subject for one in audited)
    told = [one for one in actions if isinstance(one.record, RecordWithheld) and not isinstance(one, Note)]
    others = [one for one in actions if one not in told and not isinstance(one, Note)]
    if case["decision"] == "audited":
        assert not told
    else:
        (one,) = told
        assert _is_towards_its_author(one, case)
        assert case["words"] in _words(one)
    if case["decision"] == "withdrawn":
        (taken,) = others
        assert isinstance(taken, DeleteMessage if "matrix" in case else RedactEvent)
    elif case["decision"] == "line":
        (line,) = others
        assert isinstance(line, PostMessage if "matrix" in case else SendEvent)
        assert _words(line) == case["policy"]["line"]
    else:
        assert not others


def _body(case: Case) -> str:
    said = case.get("matrix") or case["slack"]
    return str(said.get("body") or said.get("text") or said.get("topic") or "nothing that was said")


def _words(action: Action) -> str:
    if isinstance(action, SendEvent):
        return str(action.content["body"])
    assert isinstance(action, PostMessage)
    return action.text


def _is_towards_its_author(action: Action, case: Case) -> bool:
    if isinstance(action, SendEvent):
        answered = action.content["m.relates_to"]["m.in_reply_to"]["event_id"]
        return "matrix" in case and action.sender == NAMES.bot and answered == "$new"
    return "slack" in case and isinstance(action, PostMessage) and action.thread_ts is not None


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case["situation"] for case in CASES]
    assert len(set(names)) == len(names)


def test_a_message_that_was_withheld_stays_so_and_is_not_told_of_again() -> None:
    case = next(one for one in CASES if one.get("rule") == "words" and "slack" in one and one["decision"] == "withheld")
    notes = [one.record for one in decided(case) if isinstance(one, Note)]
    assert RecordDeletion("1.000001") in notes
    policy = policy_from(configured.Policy.model_validate({"name": "strict", **case["policy"]}))
    gone = replace(facts(link("1.000001", "", deleted=True)), policy=policy)
    again = to_matrix.decide(said_in_slack(1, ts="1.000001", text="VS-NfD"), PORTAL, gone)
    assert isinstance(again, Ignored)


def test_an_edit_that_does_not_cross_is_remembered() -> None:
    case = next(one for one in CASES if one["decision"] == "kept" and "slack" in one)
    (seen,) = [one.record for one in decided(case) if isinstance(one, Note)]
    assert isinstance(seen, RecordEdit)
    assert seen.ts == "1.000001"
    assert EventId("$old") not in str(seen)
    assert Ts(seen.version) > Ts("1.000001")
    assert ADA not in str(seen)
