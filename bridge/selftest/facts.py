"""What only the real Slack can tell, tried with the bridge's own token: the bridge ignores what its own app says.

Where Slack's answer differs from what it documents, the bridge is ready for either; the lines say which one it is.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, Refused, Unsure
from bridge.selftest.lines import AGAIN, failure
from bridge.slack.client import STAMP

if TYPE_CHECKING:
    from bridge.selftest.lines import Trial
    from bridge.selftest.slack_side import Message, SlackSide

SUBJECT = "Slack itself"
_SCOPE = "See that the app has chat:write, and that the bot is in the channel"


async def learn(trial: Trial, slack: SlackSide, mark: str) -> dict[str, str]:
    """Return what Slack does, by question; questions that could not be asked are missing."""
    learned: dict[str, str] = {}
    for question in (_customised, _repeated):
        try:
            learned |= await question(trial, slack, mark)
        except BridgeError as error:
            remedy = AGAIN if isinstance(error, Unsure) else _SCOPE
            trial.lines.append(failure(SUBJECT, error, remedy))
    return learned


async def _customised(trial: Trial, slack: SlackSide, mark: str) -> dict[str, str]:
    """Post under another name with a stamp; see how it comes back, and whether it may be deleted."""
    key = uuid.uuid4().hex
    answer = await slack.reader.call(
        "chat.postMessage",
        channel=slack.channel,
        text=f"{mark} under another name",
        username="Selftest",
        metadata={"event_type": STAMP, "event_payload": {"key": key}},
    )
    ts = str(answer["ts"])
    seen = await trial.until(lambda: slack.find(lambda message: message.get("ts") == ts))
    if seen is None:
        trial.add(SUBJECT, "fail", "the bot's own message does not come back in the history", _SCOPE)
        return {}
    learned = {
        "metadata": "comes back" if _stamp(seen) == key else "missing",
        "customised_as": str(seen.get("subtype") or "plain"),
        "customised_name": "shown" if seen.get("username") == "Selftest" else "ignored",
    }
    if learned["metadata"] == "comes back":
        trial.add(SUBJECT, "ok", "metadata of messages comes back: an unknown outcome can be settled")
    else:
        remedy = "Add metadata.message:read to the app's scopes and install it anew"
        trial.add(SUBJECT, "fail", "metadata of messages does not come back", remedy)
    if learned["customised_name"] == "shown":
        trial.add(SUBJECT, "ok", f"a message may bear another name; it comes back as {learned['customised_as']}")
    else:
        remedy = "Add chat:write.customize to the app's scopes and install it anew"
        trial.add(SUBJECT, "fail", "a message under another name bears the bot's own", remedy)
    try:
        await slack.reader.call("chat.delete", channel=slack.channel, ts=ts)
        learned["customised_delete"] = "deleted"
        trial.add(SUBJECT, "ok", "a message under another name may be deleted")
    except Refused as refused:
        if refused.code != "cant_delete_message":
            raise
        await slack.reader.delete(slack.channel, ts)
        learned["customised_delete"] = refused.code
        trial.add(SUBJECT, "ok", "a message under another name may not be deleted: the bridge writes (deleted) over it")
    return learned


async def _repeated(trial: Trial, slack: SlackSide, mark: str) -> dict[str, str]:
    """Post the same twice with one client_msg_id, which is no documented argument."""
    text, name = f"{mark} said twice", str(uuid.uuid4())
    first = await slack.reader.call("chat.postMessage", channel=slack.channel, text=text, client_msg_id=name)
    try:
        second = await slack.reader.call("chat.postMessage", channel=slack.channel, text=text, client_msg_id=name)
        answer = "one message" if second.get("ts") == first.get("ts") else "doubles"
        await slack.reader.delete(slack.channel, str(second["ts"]))
    except Refused as refused:
        answer = f"refused: {refused.code}"
    await slack.reader.delete(slack.channel, str(first["ts"]))
    words = {
        "one message": "a repeated client_msg_id makes no second message",
        "doubles": "a repeated client_msg_id makes a second message: only the bridge's look-back tells",
    }
    trial.add(SUBJECT, "ok", words.get(answer, f"a repeated client_msg_id is {answer}"))
    return {"client_msg_id": answer}


def _stamp(message: Message) -> str | None:
    metadata = message.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return str(payload.get("key")) if isinstance(payload, dict) else None
