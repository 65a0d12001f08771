"""Moving a channel to Matrix for good: which step may follow which, what each does, and what undoes it.

    ───▶ announced ───▶ freezing ───▶ frozen ───▶ finishing ───▶ finished
              │             │            │            │
              └─────────────┴─── revert ─┴────────────┘
                                    ▼
                               reverting ───▶ reverted (and from there anew)

Until a channel is finished, everything can be undone; what was said in Matrix meanwhile is not carried to Slack
afterwards. A command may be given again at any time: what was done of it is not done twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from portals.facts import PortalState
from portals.permalinks import matrix_address
from portals.relay.content import notice

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from portals.facts import Portal
    from portals.relay.content import Content


class Phase(StrEnum):
    """How far a channel's move is."""

    NONE = ""
    ANNOUNCED = "announced"
    FREEZING = "freezing"
    FROZEN = "frozen"
    FINISHING = "finishing"
    FINISHED = "finished"
    REVERTING = "reverting"
    REVERTED = "reverted"


class Command(StrEnum):
    """What an admin may ask for."""

    ANNOUNCE = "announce"
    FREEZE = "freeze"
    FINISH = "finish"
    REVERT = "revert"


class Step(StrEnum):
    """One thing that is done, once; each has a row of its own, which says whether it was begun and is done."""

    ANNOUNCE_IN_MATRIX = "announce in Matrix"
    ANNOUNCE_IN_SLACK = "announce in Slack"
    CLOSE = "relay nothing to Slack"
    TELL_MATRIX = "tell Matrix"
    SET_TOPIC = "set the topic"
    TELL_SLACK = "tell Slack"
    ARCHIVE = "archive the channel"
    PROVE = "prove"
    ATTACH = "attach the report"
    END = "relay nothing"
    UNBRIDGE = "mark the room as not bridged"
    UNARCHIVE = "open the channel"
    RESTORE_TOPIC = "restore the topic"
    REOPEN = "relay again"
    RECALL_IN_MATRIX = "recall in Matrix"
    RECALL_IN_SLACK = "recall in Slack"
    CLEAR = "end the move"


STEPS_IN_SLACK = frozenset(
    {
        Step.ANNOUNCE_IN_SLACK,
        Step.SET_TOPIC,
        Step.TELL_SLACK,
        Step.ARCHIVE,
        Step.UNARCHIVE,
        Step.RESTORE_TOPIC,
        Step.RECALL_IN_SLACK,
    }
)
_UNDOES: Mapping[Step, frozenset[Step]] = {
    Step.UNARCHIVE: frozenset({Step.ARCHIVE}),
    Step.RESTORE_TOPIC: frozenset({Step.SET_TOPIC}),
    Step.REOPEN: frozenset({Step.CLOSE}),
    Step.RECALL_IN_MATRIX: frozenset({Step.ANNOUNCE_IN_MATRIX, Step.TELL_MATRIX}),
    Step.RECALL_IN_SLACK: frozenset({Step.ANNOUNCE_IN_SLACK, Step.TELL_SLACK}),
}
"""What each step of a revert undoes, in the order in which that is done."""
_MAY: Mapping[Command, frozenset[Phase]] = {
    Command.ANNOUNCE: frozenset({Phase.NONE, Phase.ANNOUNCED}),
    Command.FREEZE: frozenset({Phase.NONE, Phase.ANNOUNCED, Phase.FREEZING, Phase.FROZEN}),
    Command.FINISH: frozenset({Phase.FROZEN, Phase.FINISHING, Phase.FINISHED}),
    Command.REVERT: frozenset(
        {Phase.ANNOUNCED, Phase.FREEZING, Phase.FROZEN, Phase.FINISHING, Phase.REVERTING, Phase.REVERTED}
    ),
}
_WHY_NOT: Mapping[Phase, str] = {
    Phase.NONE: "its move to Matrix has not begun",
    Phase.ANNOUNCED: "it is not frozen yet: causeway cutover freeze",
    Phase.FREEZING: "its freeze has begun and is not done: give the command again, or causeway cutover revert",
    Phase.FROZEN: "it is frozen already",
    Phase.FINISHING: "it is being finished: give that command again, or causeway cutover revert",
    Phase.FINISHED: "it has moved for good, which cannot be undone",
    Phase.REVERTING: "its revert has begun and is not done: give that command again",
    Phase.REVERTED: "it was reverted: begin anew with causeway cutover announce or freeze",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What people are told, with places for `link`, `channel` and, where it is announced, `date`."""

    announcement: str
    announcement_in_matrix: str
    topic: str
    notice: str
    notice_in_matrix: str
    recall: str
    recall_in_matrix: str


@dataclass(frozen=True, slots=True)
class Wish:
    """How a channel is to be frozen in Slack."""

    topic: bool = True
    archive: bool = False


@dataclass(frozen=True, slots=True)
class InSlack:
    """What of a channel can still be changed in Slack: nothing of one that is `archived`, or of a direct message."""

    archived: bool = False
    has_topic: bool = True


def in_slack(words: str, portal: Portal, via: str, date: str = "") -> str:
    """Return what a channel is told; the link to its room can be found through the server `via`."""
    return words.format(link=f"<{address(portal, via)}>", channel=portal.name, date=date)


def topic(words: str, portal: Portal, via: str) -> str:
    """Return the topic of a channel that has moved; Slack shows no markup in topics."""
    return words.format(link=address(portal, via), channel=portal.name)


def in_matrix(words: str, portal: Portal, date: str = "") -> Content:
    """Return the notice that tells the room."""
    return notice(words.format(channel=portal.name, date=date))


def address(portal: Portal, via: str) -> str:
    """Return the link to a portal's room."""
    return matrix_address(portal.room or "", None, via)


def refusal(command: Command, phase: Phase) -> str:
    """Return why a command may not be given at a point of a move; nothing where it may."""
    return "" if phase in _MAY[command] else _WHY_NOT[phase]


def begun_by(command: Command, phase: Phase) -> Phase:
    """Return the phase in which a move is while a command is carried out."""
    if command is Command.FREEZE and phase is not Phase.FROZEN:
        return Phase.FREEZING
    if command is Command.FINISH and phase is not Phase.FINISHED:
        return Phase.FINISHING
    return Phase.REVERTING if command is Command.REVERT else phase


def freezing(wish: Wish, slack: InSlack | None) -> tuple[Step, ...]:
    """Return the steps of a freeze; `slack` is None for a workspace that the bridge knows by its export alone."""
    steps = [Step.CLOSE, Step.TELL_MATRIX]
    if slack is not None and not slack.archived:
        if wish.topic and slack.has_topic:
            steps.append(Step.SET_TOPIC)
        steps.append(Step.TELL_SLACK)
        if wish.archive and slack.has_topic:
            steps.append(Step.ARCHIVE)
    return tuple(steps)


def announcing(slack: InSlack | None) -> tuple[Step, ...]:
    """Return the steps of an announcement."""
    is_heard = slack is not None and not slack.archived
    return (Step.ANNOUNCE_IN_MATRIX, Step.ANNOUNCE_IN_SLACK) if is_heard else (Step.ANNOUNCE_IN_MATRIX,)


def finishing(*, report: bool) -> tuple[Step, ...]:
    """Return the steps that end a move for good."""
    return (*((Step.PROVE,) if report else ()), Step.ATTACH, Step.END, Step.UNBRIDGE)


def reverting(begun: Collection[Step]) -> tuple[Step, ...]:
    """Return the steps that undo those that were begun; whether each of these was done, nobody can be sure."""
    return (*(step for step, undone in _UNDOES.items() if undone & set(begun)), Step.CLEAR)


def portal_refusal(command: Command, state: PortalState, has_room: bool) -> str:
    """Return why the portal is in no state for a command; nothing where it is."""
    if command in (Command.REVERT, Command.FINISH):
        return ""
    if not has_room:
        return "it has no room yet"
    if command is Command.ANNOUNCE:
        return ""
    return {
        PortalState.PLANNED: "it has no room yet",
        PortalState.IMPORTING: "its history is still being brought over",
        PortalState.PAUSED: "it is paused: what waits must come across first, with causeway portals resume",
    }.get(state, "")
