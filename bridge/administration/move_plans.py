"""What a move would do and what stands against it, as programs read it, and its steps in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portals.cutover import Step
from portals.readiness import readiness

if TYPE_CHECKING:
    from portals.cutover import Wish
    from portals.readiness import Circumstances

Json = dict[str, Any]  # Any: what is printed as JSON

WORDS = {
    Step.ANNOUNCE_IN_MATRIX: "a notice in the room",
    Step.ANNOUNCE_IN_SLACK: "a notice in the channel",
    Step.CLOSE: "relay nothing to Slack any more; what people still write there comes across",
    Step.TELL_MATRIX: "a notice in the room",
    Step.SET_TOPIC: "set the channel's topic",
    Step.TELL_SLACK: "a notice in the channel",
    Step.ARCHIVE: "archive the channel",
}


def plan_of(given: Circumstances, wish: Wish) -> Json:
    """Return the plan of one channel."""
    portal, people, slack, found = given.portal, given.people, given.slack, readiness(given, wish)
    return {
        "team": portal.team,
        "channel": portal.channel,
        "name": portal.name,
        "room": portal.room,
        "state": str(portal.state),
        "phase": str(given.phase),
        "ready": found.is_ready,
        "findings": [{"weight": str(one.weight), "what": one.what, "remedy": one.remedy} for one in found.findings],
        "waiting": {"to_matrix": given.to_matrix, "to_slack": given.to_slack},
        "parked": {"to_matrix": given.parked_to_matrix, "to_slack": given.parked_to_slack},
        "quarantined": given.quarantined,
        "people": None
        if people is None
        else {
            "members": people.members,
            "in_the_room": people.here,
            "not_in_the_room": list(people.away),
            "without_account": list(people.without),
        },
        "history": None
        if given.history is None
        else {"import": given.history.number, "state": given.history.state, "reason": given.history.reason},
        "slack": None if slack is None else {"archived": slack.archived, "bot_is_member": slack.member},
        "topic": given.topic,
        "announce": [str(step) for step in found.announcing],
        "freeze": [str(step) for step in found.freezing],
    }
