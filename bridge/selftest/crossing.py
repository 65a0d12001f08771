"""What crosses, in one direction and the other: a message, its edit, a reaction, a reply in its thread, a file, a
deletion. What builds on something that did not come across is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.slack.client import DELETED

if TYPE_CHECKING:
    from bridge.selftest.lines import Trial
    from bridge.selftest.matrix_side import MatrixSide
    from bridge.selftest.slack_side import Message, SlackSide
    from portals.events import Json
    from portals.ids import EventId

BYTES = bytes(range(256)) * 4
EMOJI = {"white_check_mark": "✅"}
_PARKED = "`causeway parked list` and the bridge's log say what became of it"
_EVENTS = (
    f"Compare the app's event subscriptions with slack-manifest.yaml, and see that it was installed anew; {_PARKED}"
)
_TRANSACTIONS = f"`causeway check` tests the way from the homeserver to the bridge; {_PARKED}"


async def from_slack(trial: Trial, slack: SlackSide, matrix: MatrixSide, mark: str) -> None:
    """Try everything from Slack to Matrix."""
    subject = "Slack to Matrix"

    async def shown(words: str) -> Json | None:
        return await matrix.find(lambda _, content: words in str(content.get("body")))

    first = f"{mark} from Slack"
    told = await trial.step(subject, "a message", _EVENTS, lambda: slack.say(first), lambda _: shown(first))
    if told is None:
        trial.add(subject, "skip", "edit, reaction, thread and deletion build on that message")
    else:
        ts, event = told
        await _build_on(trial, slack, matrix, mark, ts, str(event["event_id"]))
    name = f"{mark}-from-slack.bin"

    async def arrived(_: str) -> bytes | None:
        found = await matrix.find(lambda _, content: name in (content.get("filename"), content.get("body")))
        return await matrix.file(str(found["content"].get("url"))) if found else None

    remedy = "See that the app has files:read, and that files.slack.com can be reached"
    shared = await trial.step(subject, "a file", remedy, lambda: slack.share(name, BYTES), arrived)
    if shared is not None and shared[1] != BYTES:
        trial.add(subject, "fail", "the file has other bytes than were sent", remedy)


async def _build_on(trial: Trial, slack: SlackSide, matrix: MatrixSide, mark: str, ts: str, event: str) -> None:
    subject, edited, reply = "Slack to Matrix", f"{mark} edited in Slack", f"{mark} reply from Slack"

    def relates(content: Json, kind: str) -> bool:
        relation = content.get("m.relates_to")
        relation = relation if isinstance(relation, dict) else {}
        return relation.get("rel_type") == kind and relation.get("event_id") == event

    async def changed(_: str) -> Json | None:
        return await matrix.find(
            lambda _, content: edited in str(content.get("body")) and relates(content, "m.replace")
        )

    await trial.step(subject, "an edit", _EVENTS, lambda: slack.edit(ts, edited), changed)
    name, key = next(iter(EMOJI.items()))

    async def reacted(_: str) -> Json | None:
        return await matrix.find(
            lambda _, content: (
                relates(content, "m.annotation") and str(content["m.relates_to"].get("key")).rstrip("\ufe0f") == key
            )
        )

    remedy = "See that the app has reactions:read and the event reaction_added"
    await trial.step(subject, "a reaction", remedy, lambda: slack.react(ts, name), reacted)

    async def threaded(_: str) -> Json | None:
        return await matrix.find(lambda _, content: reply in str(content.get("body")) and relates(content, "m.thread"))

    answered = await trial.step(subject, "a reply in a thread", _EVENTS, lambda: slack.say(reply, ts), threaded)
    if answered is not None:
        reply_ts, there = answered
        gone = str(there["event_id"])
        await trial.step(
            subject, "a deletion", _EVENTS, lambda: slack.delete(reply_ts), lambda _: matrix.is_redacted(gone)
        )


async def from_matrix(trial: Trial, slack: SlackSide, matrix: MatrixSide, mark: str) -> None:
    """Try everything from Matrix to Slack."""
    subject, first, name = "Matrix to Slack", f"{mark} from Matrix", f"{mark}-from-matrix.bin"

    async def shown(_: EventId) -> Message | None:
        return await slack.find(lambda message: first in str(message.get("text")))

    told = await trial.step(
        subject, "a message", _TRANSACTIONS, lambda: matrix.say({"msgtype": "m.text", "body": first}), shown
    )
    if told is None:
        trial.add(subject, "skip", "edit, reaction, thread and deletion build on that message")
    else:
        event, message = told
        await _build_back(trial, slack, matrix, mark, event, str(message["ts"]))

    async def arrived(_: EventId) -> bytes | None:
        found = await slack.find(lambda message: any(file.get("name") == name for file in message.get("files") or ()))
        files = found.get("files") or [] if found else []
        return await slack.file(str(files[0].get("url_private"))) if files else None

    remedy = "See that the app has files:write and files:read"
    shared = await trial.step(subject, "a file", remedy, lambda: matrix.share(name, BYTES), arrived)
    if shared is not None and shared[1] != BYTES:
        trial.add(subject, "fail", "the file has other bytes than were sent", remedy)


async def _build_back(trial: Trial, slack: SlackSide, matrix: MatrixSide, mark: str, event: EventId, ts: str) -> None:
    subject, edited, reply = "Matrix to Slack", f"{mark} edited in Matrix", f"{mark} reply from Matrix"
    name, key = next(iter(EMOJI.items()))
    text = {"msgtype": "m.text", "body": edited}
    change = {
        **text,
        "body": f"* {edited}",
        "m.new_content": text,
        "m.relates_to": {"rel_type": "m.replace", "event_id": event},
    }

    async def changed(_: EventId) -> Message | None:
        return await slack.find(lambda message: message.get("ts") == ts and edited in str(message.get("text")))

    await trial.step(subject, "an edit", _TRANSACTIONS, lambda: matrix.say(change), changed)

    async def reacted(_: EventId) -> Message | None:
        return await slack.find(
            lambda message: (
                message.get("ts") == ts and any(one.get("name") == name for one in message.get("reactions") or ())
            )
        )

    remedy = "See that the app has reactions:write"
    await trial.step(subject, "a reaction", remedy, lambda: matrix.react(event, key), reacted)
    relation = {
        "rel_type": "m.thread",
        "event_id": event,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": event},
    }
    words = {"msgtype": "m.text", "body": reply, "m.relates_to": relation}

    async def threaded(_: EventId) -> Message | None:
        return await slack.find(lambda message: reply in str(message.get("text")), ts)

    answered = await trial.step(subject, "a reply in a thread", _TRANSACTIONS, lambda: matrix.say(words), threaded)
    if answered is None:
        return
    there = answered[0]

    async def deleted(_: EventId) -> bool | None:
        left = await slack.find(lambda message: reply in str(message.get("text")), ts)
        return True if left is None or left.get("text") == DELETED else None

    await trial.step(subject, "a deletion", _TRANSACTIONS, lambda: matrix.redact(there), deleted)
