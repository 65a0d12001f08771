"""The table `tests/cases/policy.json`, made for an auditor to read: situation, decision, and the words that are shown.

`policy` is what stands in the configuration. `crosses`: it is relayed as ever. `withheld`: nothing crosses, and the
author is told the words. `audited`: nothing crosses, and the audit log alone is told. `withdrawn`: the copy on the
other side is taken away as well. `kept`: it stays as it was. `line`: the other side is shown the configured line.
`waits`: nothing crosses for the time being, and the author is told the words, if there are any. `ended`: it waits no
more. `held` says that it waited before, for what, and `verdict` what came of that; `edits_held` that it is changed
while it waits, `others` whose messages wait besides, `now` what time it is. `holds` is what the bytes of a file say.
`with` and `without` are in what crosses, or not.

`tests/cases/policy.md` is the same as a page: `python -m tests.portals.crossing.policy_page` writes it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import config.policy as configured
from bridge.policies import policy_from
from portals.actions import (
    Action,
    DeleteMessage,
    Note,
    PostFile,
    PostMessage,
    RecordDeletion,
    RecordEdit,
    RecordLink,
    RecordWithheld,
    RedactEvent,
    SendEvent,
)
from portals.crossing.contents import of_content
from portals.crossing.policy import Kind, Standing
from portals.crossing.records import RecordHeld, RecordHeldEnd, RecordNotice
from portals.crossing.waiting import Held, Verdict, Wait, Waiting
from portals.crossing.withholding import instead_of
from portals.events import Ignored, Undeliverable
from portals.ids import EventId, Ts, action_key
from portals.relay import to_matrix, to_slack
from tests.portals.crossing.policy_page import PAGE, page
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
    from portals.crossing.policy import Policy
    from portals.facts import Facts

CASES = json.loads((Path(__file__).parents[2] / "cases" / "policy.json").read_text(encoding="utf-8"))

Case = dict[str, Any]  # Any: rows of JSON


def policy_of(case: Case) -> Policy:
    return policy_from(configured.Policy.model_validate({"name": "strict", **case["policy"]}))


def waiting(case: Case) -> Waiting:
    """What waits and what time it is; by ten to three of an afternoon in Berlin nothing is quiet."""
    now = int(datetime.fromisoformat(case.get("now", "2026-11-24T13:50Z")).timestamp() * 1000)
    others = frozenset([(case["others"], now)] if "others" in case else [])
    if "held" not in case:
        return Waiting(now, quiet=others)
    is_turn, is_of_matrix = "verdict" in case, "matrix" in case
    name = "1.000001" if not is_of_matrix else "$old" if case.get("edits") else "$new" if is_turn else "$held"
    held = Held(
        name=name,
        source=("matrix:$new" if is_of_matrix else "s") if is_turn else "before",
        wait=Wait(case["held"]),
        author=str(ADA),
        verdict=Verdict(case.get("verdict", "")),
    )
    return Waiting(now, (held,), others)


def decided(case: Case) -> tuple[Action, ...]:
    policy = policy_of(case)
    if "holds" in case:
        return _in_a_file(case, policy)
    known: Facts = replace(
        facts(),
        policy=policy,
        power=case.get("power"),
        standing=Standing(case.get("standing", "members")),
        rules=replace(facts().rules, topic_to_slack=True, allow_room_mention=True, allow_broadcast=True),
        may_broadcast=True,
        waiting=waiting(case),
    )
    decision = _in_matrix(case, known) if "matrix" in case else _in_slack(case, known)
    assert not isinstance(decision, Ignored | Undeliverable), decision
    return decision


def _in_a_file(case: Case, policy: Policy) -> tuple[Action, ...]:
    post = PostFile(
        *(action_key("f"), PORTAL.channel, "mxc://a/b", "a.png", "image/png", 5, ()),
        record=RecordLink("matrix", ADA, event_id="$new"),
    )
    withheld = of_content(b"\0", case.get("size", 5), "image/png", case["holds"], policy)
    action = instead_of(post, withheld, PORTAL, NAMES.bot) if withheld is not None else post
    assert action is not None
    return (action,)


def _in_matrix(case: Case, known: Facts) -> tuple[Action, ...] | Ignored | Undeliverable:
    content = {"msgtype": "m.text", **case["matrix"]}
    kind = content.pop("type", "m.room.message")
    more: dict[str, Any] = {"redacts": "$old"} if kind == "m.room.redaction" else {}
    if kind in ("m.room.topic", "m.room.pinned_events"):
        more = {"state_key": ""}
    if "held" in case and more.get("redacts"):
        more = {"redacts": "$held"}
    if case.get("edits") or case.get("edits_held"):
        relation = {"rel_type": "m.replace", "event_id": "$old" if case.get("edits") else "$held"}
        content = {"msgtype": "m.text", "body": "*", "m.new_content": content, "m.relates_to": relation}
    return to_slack.decide(
        said_in_matrix(content, kind, **more), PORTAL, replace(known, links=(from_ada("1.000001", "$old"),))
    )


def _in_slack(case: Case, known: Facts) -> tuple[Action, ...] | Ignored:
    said = dict(case["slack"])
    if files := said.get("files"):
        said["files"] = [{"id": f"F{n}", "size": 5, "url_private": "https://s/f", **one} for n, one in enumerate(files)]
    if said.get("type", "message") != "message" or said.get("subtype") == "message_deleted":
        known = replace(known, links=() if "held" in case else (link("1.000001", "$old"),))
        event = said_in_slack(**said)
    elif case.get("edits") or case.get("edits_held"):
        known = replace(known, links=(link("1.000001", "$old", digest="before"),) if case.get("edits") else ())
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
        _crosses(actions, case)
        return
    if case["decision"] in ("waits", "ended"):
        assert not audited
        _waits(actions, case)
        return
    assert [one.rule for one in audited] == [case["rule"]]
    assert all(_body(case) not in one.subject for one in audited)
    told = [one for one in actions if isinstance(one.record, RecordWithheld) and not isinstance(one, Note)]
    others = [one for one in actions if one not in told and not isinstance(one, Note)]
    assert (RecordHeldEnd in [type(one.record) for one in actions]) is ("held" in case)
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


def _crosses(actions: tuple[Action, ...], case: Case) -> None:
    kinds = [type(one.record) for one in actions]
    assert RecordHeld not in kinds
    assert (RecordHeldEnd in kinds) is ("held" in case)
    told = [one for one in actions if isinstance(one.record, RecordNotice)]
    assert [_words(one) for one in told] == ([case["words"]] if "words" in case else [])
    crossing = [one for one in actions if one not in told and not isinstance(one, Note)]
    assert crossing
    text = " ".join(str(one.text if isinstance(one, PostMessage) else one) for one in crossing)
    assert case.get("with", "") in text
    assert "without" not in case or case["without"] not in text.replace("'body': '@room", "")


def _waits(actions: tuple[Action, ...], case: Case) -> None:
    told = [one for one in actions if isinstance(one.record, RecordNotice)]
    records = [one.record for one in actions if isinstance(one, Note)]
    if case["decision"] == "ended":
        assert [type(one) for one in records if isinstance(one, RecordHeldEnd | RecordHeld)] == [RecordHeldEnd]
        assert not told
    else:
        (held,) = [one for one in records if isinstance(one, RecordHeld)]
        assert held.rule == case["rule"]
        assert _body(case) not in held.subject
        assert len(told) == (1 if "words" in case else 0)
    for one in told:
        assert _is_towards_its_author(one, case)
        assert case["words"] in _words(one)
    assert all(isinstance(one, Note) or one in told for one in actions)


def _body(case: Case) -> str:
    said = case.get("matrix") or case.get("slack", {})
    return str(said.get("body") or said.get("text") or said.get("topic") or "nothing that was said")


def _words(action: Action) -> str:
    if isinstance(action, SendEvent):
        return str(action.content["body"])
    assert isinstance(action, PostMessage)
    return action.text


def _is_towards_its_author(action: Action, case: Case) -> bool:
    if isinstance(action, SendEvent):
        answered = action.content["m.relates_to"]["m.in_reply_to"]["event_id"]
        return ("matrix" in case or "holds" in case) and action.sender == NAMES.bot and answered in ("$new", "$held")
    return "slack" in case and isinstance(action, PostMessage) and action.thread_ts is not None


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case["situation"] for case in CASES]
    assert len(set(names)) == len(names)


def test_the_table_knows_all_that_a_policy_can_say_about_messages() -> None:
    """What a room must be like is in `room_policy.json`; what is kept for how long, and the banner, decide nothing."""
    said = {name for case in CASES for name in case["policy"]}
    assert said == configured.Policy.model_fields.keys() - {"name", "room", "keep", "banner"}
    for section in ("matrix", "slack", "files", "hold", "quiet"):
        keys = {name for case in CASES for name in case["policy"].get(section, {})}
        annotation = configured.Policy.model_fields[section].annotation
        assert annotation is not None
        assert keys >= annotation.model_fields.keys() - {"room", "power_level" if section == "hold" else ""}, section
    rules = {case["rule"] for case in CASES if "rule" in case}
    assert rules >= {f"kinds: {kind}" for kind in Kind} - {"kinds: mentions", "kinds: broadcasts"}
    assert {case["verdict"] for case in CASES if "verdict" in case} == set(Verdict) - {Verdict.NONE}


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


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
