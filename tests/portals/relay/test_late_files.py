"""A file that came late takes the place of its notice, once, and only where one is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.actions import SOURCE, STAMP, SendFile
from portals.events import Ignored, SlackFile, SlackFileCame
from portals.facts import Rules
from portals.ids import EventId, Ts
from portals.relay.to_matrix import decide, needs
from tests.portals.relay.scene import CHANNEL, FACTS, PORTAL, facts, link

TS = Ts("1700000000.000100")
FILE = SlackFile("F1", "a.png", "image/png", 20, "")
CAME = SlackFileCame("file:1", CHANNEL, TS, FILE)
NOTICE = link(TS, "$notice", part="F1")


def test_the_message_is_asked_for() -> None:
    assert needs(CAME).messages == {TS}


def test_the_notice_becomes_the_file() -> None:
    decision = decide(CAME, PORTAL, facts(link(TS, "$text"), NOTICE))
    assert isinstance(decision, tuple)
    (action,) = decision
    assert isinstance(action, SendFile)
    assert action.sender == NOTICE.sender
    said: dict[str, Any] = dict(action.content)
    assert said["m.relates_to"] == {"rel_type": "m.replace", "event_id": EventId("$notice")}
    new = said["m.new_content"]
    assert (new["msgtype"], new["filename"], action.file_id) == ("m.image", "a.png", "F1")
    assert new["info"] == {"mimetype": "image/png", "size": 20}
    assert new[SOURCE] == said[SOURCE] == {"team": PORTAL.team, "channel": CHANNEL, "ts": TS, "part": "F1"}
    assert said[STAMP] == action.key


@pytest.mark.parametrize(
    ("links", "rules"),
    [
        ((), Rules()),
        ((link(TS, "$text"),), Rules()),
        ((replace(NOTICE, deleted=True),), Rules()),
        ((NOTICE,), Rules(refused_types=("image/*",))),
    ],
)
def test_where_there_is_no_notice_or_the_file_may_not_cross_nothing_is_done(links: Any, rules: Rules) -> None:
    assert isinstance(decide(CAME, PORTAL, replace(FACTS, links=links, rules=rules)), Ignored)
