"""One trial from its beginning to its end: let everybody in, try, and take away whatever was made.

What it makes bears a mark, and whatever bears a mark of any trial is taken away at the end: also after a failure, also
when it is stopped, also what an earlier trial left that could not end.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from bridge.errors import BridgeError
from bridge.selftest.crossing import from_matrix, from_slack
from bridge.selftest.facts import learn
from bridge.selftest.lines import failure

if TYPE_CHECKING:
    from bridge.selftest.lines import Trial
    from bridge.selftest.matrix_side import MatrixSide
    from bridge.selftest.slack_side import SlackSide

MARK = "causeway-selftest"
_SPEAKER = (
    "Make a second Slack app with chat:write, reactions:write, files:write and channels:join, and give its bot token"
    " as --slack-token"
)
_PERSON = "Give the access token of a Matrix account as --matrix-token"


async def prove(
    trial: Trial, slack: SlackSide, matrix: MatrixSide, *, slack_speaks: bool, matrix_speaks: bool
) -> dict[str, str]:
    """Try both directions, where somebody is there to speak, and ask Slack; returns what was learned of Slack."""
    mark = f"{MARK}-{secrets.token_hex(4)}"
    learned: dict[str, str] = {}
    try:
        learned = await learn(trial, slack, mark)
        if await _enters(trial, "Slack to Matrix", slack, slack_speaks, _SPEAKER):
            await from_slack(trial, slack, matrix, mark)
        if await _enters(trial, "Matrix to Slack", matrix, matrix_speaks, _PERSON):
            await from_matrix(trial, slack, matrix, mark)
    finally:
        await _clear(trial, slack, matrix)
    return learned


async def _enters(trial: Trial, subject: str, side: SlackSide | MatrixSide, speaks: bool, remedy: str) -> bool:
    if not speaks:
        trial.add(subject, "skip", "nobody is there to speak", remedy)
        return False
    try:
        await side.enter()
    except BridgeError as error:
        trial.lines.append(failure(subject, error, "Invite the account, or give another token"))
        return False
    return True


async def _clear(trial: Trial, slack: SlackSide, matrix: MatrixSide) -> None:
    """Have everybody take back what they said, which the bridge repeats on the other side; then take away the rest."""

    async def is_gone() -> bool | None:
        return None if await slack.left(MARK) or await matrix.left(MARK) else True

    async def is_clear() -> bool | None:
        return True if await slack.clear(MARK) + await matrix.clear(MARK) == 0 else None

    try:
        said = [await slack.withdraw(), await matrix.withdraw()]
        if any(said):
            await trial.until(is_gone)
        clear = await trial.until(is_clear)
        await slack.leave()
        await matrix.leave()
    except BridgeError as error:
        trial.lines.append(failure("clean-up", error, "Give the command again: it takes away what is left"))
        return
    if clear:
        trial.add("clean-up", "ok", "nothing of the trial is left")
    else:
        trial.add("clean-up", "fail", "something of the trial is left", f"Delete what says {MARK} by hand")
