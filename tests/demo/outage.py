"""The bridge is killed in the middle of a conversation, and something cannot be delivered: nothing is lost or twice."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from tests.demo.parts import CommandFailed
from tests.demo.report import Seen

if TYPE_CHECKING:
    from tests.demo.stage import Stage

_KILLED = "The bridge killed and started again"
_ARCHIVED = "A channel archived and opened again"
_PARKED = "What cannot be delivered"
_BURST = 8


async def play_kill(stage: Stage) -> None:
    """Kill the bridge while both sides speak, go on speaking, start it, and look for all of it."""
    slack, robin, mira, report = stage.slack, stage.robin, stage.mira, stage.report
    general, engineering = stage.room("general").room_id, stage.room("engineering").room_id
    root = await slack.say("jonas", "engineering", "The night build has started")
    praised = await slack.say("greta", "general", "The stand looks great")
    doomed = await slack.say("ines", "general", "The flyers have a typo")
    kept = await robin.say(engineering, "I restart the worker in a minute")
    slip = await mira.say(general, "sorry, one moment")
    await report.await_that(
        lambda: Seen(
            all(
                [
                    stage.matrix.find("general", "flyers have a typo"),
                    stage.slack.find("engineering", "restart the worker"),
                    stage.slack.find("general", "sorry, one moment"),
                ]
            ),
            "",
        )
    )
    for number in range(_BURST):
        await slack.say("bruno", "general", f"burst {number} from Slack")
        await mira.say(engineering, f"burst {number} from Matrix")
    stage.parts.kill_bridge()
    burst = f"in the middle of {_BURST} messages of each side"
    report.note(_KILLED, "SIGKILL while both sides speak", "ended", Seen(not stage.parts.bridge_runs, burst))

    await slack.say("farid", "engineering", "All steps are green", thread_ts=root)
    await slack.act("greta", "edit", "general", ts=praised, text="The stand looks *really* great")
    await slack.act("ines", "delete", "general", ts=doomed)
    await slack.act("amara", "react", "general", ts=praised, name="heart")
    await slack.say("amara", "general", "Said while the bridge was away")
    await robin.edit(engineering, kept, "I restart the worker in an hour")
    await mira.redact(general, slip)
    liked = stage.matrix.find("general", "The stand looks")
    await robin.react(general, liked.event_id if liked else "$none", "🔥")
    await mira.say(general, "Also said while the bridge was away")
    await asyncio.sleep(0.3)
    await stage.parts.start_bridge()

    await report.expect(
        _KILLED, "messages of both sides", "two messages", lambda: _both(stage, "said while the bridge was away")
    )
    await report.expect(_KILLED, "what was under way", f"{_BURST} each, in order", lambda: _bursts(stage))
    await report.expect(_KILLED, "reply to an older thread", "in its thread", lambda: _late_reply(stage))
    await report.expect(_KILLED, "edits of both sides", "really great; in an hour", lambda: _late_edits(stage))
    await report.expect(_KILLED, "deletions of both sides", "both gone", lambda: _late_deletions(stage))
    await report.expect(_KILLED, "reactions of both sides", "heart, fire; ❤️, 🔥", lambda: _late_reactions(stage))


async def play_archived(stage: Stage) -> None:
    """Archive a channel and open it again: its room says so."""
    report, channel = stage.report, "random"
    await stage.slack.act("greta", "archive", channel)
    await report.expect(_ARCHIVED, "archived", "said in its room", lambda: _notice(stage, channel, "archived"))
    await stage.slack.act("greta", "unarchive", channel)
    await report.expect(_ARCHIVED, "opened again", "said in its room", lambda: _notice(stage, channel, "open again"))


async def play_parked(stage: Stage) -> None:
    """Slack refuses a message: it is parked, told of in the room, and retried once Slack takes it."""
    report, channel = stage.report, "design"
    await stage.slack.refuse_next("chat.postMessage", "restricted_action")
    await stage.robin.say(stage.room(channel).room_id, "May I post here?")
    told = await report.expect(
        _PARKED,
        "a message that Slack refuses is told of, with the reason",
        "This did not reach Slack: … restricted_action …",
        lambda: _notice(stage, channel, "did not reach Slack", "restricted_action"),
    )
    if not told:
        return
    try:
        await _retry(stage)
    except CommandFailed as failed:
        report.note(_PARKED, "causeway parked list, causeway parked retry", "no failure", Seen(False, str(failed)))


async def _retry(stage: Stage) -> None:
    report, channel, config = stage.report, "design", str(stage.parts.config)
    rows = json.loads((await stage.parts.causeway("parked", "list", "--json", "--config", config)).out)["parked"]
    seen = "; ".join(f"{row['number']}: {row['reason']}" for row in rows) or "nothing"
    right = len(rows) == 1 and "restricted_action" in seen
    report.note(_PARKED, "causeway parked list", "one message, restricted_action", Seen(right, seen))
    for row in rows:
        await stage.parts.causeway("parked", "retry", str(row["number"]), "--config", config)
    await report.expect(
        _PARKED,
        "causeway parked retry",
        "1 times in Slack",
        lambda: _once(stage, channel, "May I post here?"),
    )


# --- what is looked at


def _both(stage: Stage, words: str) -> Seen:
    in_slack = [one.text for one in stage.slack.said("general") if words in one.text]
    in_matrix = [one.body for one in stage.room("general").messages.values() if words in one.body]
    in_slack += [one.text for one in stage.slack.said("general") if one.text.startswith("Said while")]
    in_matrix += [one.body for one in stage.room("general").messages.values() if one.body.startswith("Said while")]
    wanted = {"Said while the bridge was away", "Also said while the bridge was away"}
    right = sorted(in_slack) == sorted(in_matrix) == sorted(wanted)
    return Seen(right, f"Slack: {in_slack}; Matrix: {in_matrix}")


def _bursts(stage: Stage) -> Seen:
    shown = [one.body for one in stage.room("general").messages.values() if one.body.startswith("burst")]
    said = [one.text for one in stage.slack.said("engineering") if one.text.startswith("burst")]
    right = shown == [f"burst {number} from Slack" for number in range(_BURST)]
    right = right and said == [f"burst {number} from Matrix" for number in range(_BURST)]
    return Seen(right, f"{len(shown)} in Matrix, {len(said)} in Slack" + ("" if right else f": {shown} {said}"))


def _late_reply(stage: Stage) -> Seen:
    shown = stage.matrix.find("engineering", "All steps are green")
    root = stage.matrix.find("engineering", "night build has started")
    if shown is None or root is None:
        return Seen(False, "nothing")
    return Seen(shown.thread == root.event_id, f"{shown.body}, {'in its thread' if shown.thread else 'in no thread'}")


def _late_edits(stage: Stage) -> Seen:
    shown = stage.matrix.find("general", "The stand looks")
    said = stage.slack.find("engineering", "I restart the worker")
    seen = (shown.body if shown else "nothing", said.text if said else "nothing")
    return Seen("really" in seen[0] and "in an hour" in seen[1], "; ".join(seen))


def _late_deletions(stage: Stage) -> Seen:
    messages = stage.room("general").messages.values()
    shown = [one for one in messages if "flyers have a typo" in one.body and not one.redacted]
    said = stage.slack.find("general", "sorry, one moment")
    left = [*(one.body for one in shown), *([said.text] if said else [])]
    return Seen(not left, "; ".join(left) or "both gone")


def _late_reactions(stage: Stage) -> Seen:
    shown = stage.matrix.find("general", "The stand looks")
    said = stage.slack.find("general", "The stand looks")
    keys = sorted(key.strip("\ufe0f") for key, _ in shown.reactions.values()) if shown else []
    names = sorted(name for name, _ in said.reactions) if said else []
    return Seen((keys, names) == (["❤", "🔥"], ["fire", "heart"]), f"Matrix: {keys}; Slack: {names}")


def _notice(stage: Stage, channel: str, *words: str) -> Seen:
    notices = [one.body for one in stage.room(channel).messages.values() if one.kind == "m.notice"]
    found = next((body for body in reversed(notices) if all(word in body for word in words)), None)
    return Seen(found is not None, found or (notices[-1] if notices else "nothing"))


def _once(stage: Stage, channel: str, words: str) -> Seen:
    found = [one for one in stage.slack.said(channel) if words in one.text]
    return Seen(len(found) == 1, f"{len(found)} times in Slack")
