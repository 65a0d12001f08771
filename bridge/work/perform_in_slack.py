"""Actions are performed in Slack: by the app, or by the own hand of the person whom they are of.

What the app can look up it looks up by its own token, for a person's allows no more than it must. A hand that Slack
does not take raises Refused with the code BY_APP, after whatever it may have done before was looked for.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from bridge.errors import Later, Refused, Unsure
from bridge.slack.files import LOOKS
from portals.actions import (
    AddReaction,
    DeleteMessage,
    Note,
    PostFile,
    PostMessage,
    RemoveReaction,
    SetPin,
    SetTopic,
    UpdateMessage,
)
from portals.people.hands import BY_APP
from portals.reading.slack_messages import digest_of
from portals.text import emoji

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bridge.slack.installation import Installation
    from bridge.work.eyes import Eyes
    from bridge.work.hands import Hands
    from bridge.work.perform import Task
    from bridge.work.renumbering import Renumbering
    from bridge.work.transfers import Transfers
    from portals.ids import TeamId

    ByHand = PostMessage | PostFile | UpdateMessage | DeleteMessage | AddReaction | RemoveReaction

log = logging.getLogger(__name__)

T = TypeVar("T")

WITHDRAWN = "file_was_withdrawn"
"""The code of a refusal because somebody deleted a file in Slack before its message was there: nothing is shown."""
_IN_A_CHANNEL = (
    PostMessage,
    PostFile,
    UpdateMessage,
    DeleteMessage,
    AddReaction,
    RemoveReaction,
    SetPin,
    SetTopic,
)
_CLOCKS_APART = 600
"""Seconds by which our clock and Slack's may differ when a lost message is looked for."""


class SlackPerformer:
    """Performs what is to be done in channels."""

    def __init__(
        self,
        installations: Mapping[TeamId, Installation],
        transfers: Transfers,
        hands: Hands,
        eyes: Eyes,
        renumbering: Renumbering,
    ) -> None:
        self._installations = installations
        self._transfers = transfers
        self._hands = hands
        self._eyes = eyes
        self._renumbering = renumbering

    async def perform(self, team: TeamId, task: Task) -> str:
        """Perform one action; returns the ts of the message that it made, what an edit made of one, or an empty text.

        What was planned for a channel that has another id by now is done there.
        """
        action = task.action
        if not isinstance(action, _IN_A_CHANNEL):
            return await self._perform(team, task)
        try:
            async with self._eyes.upon(team, action.channel):
                return await self._perform(team, task)
        except Refused as refused:
            if refused.code != "channel_not_found":
                raise
            now = await self._renumbering.look_for(team, action.channel)
            if now is None:
                raise
            return await self._perform(team, replace(task, action=replace(action, channel=now)))

    async def _perform(self, team: TeamId, task: Task) -> str:
        app = self._installations[team]
        match task.action:
            case PostMessage() as action:
                return await self._post(team, action, task)
            case PostFile() as action:
                return await self._post_file(team, action, task)
            case UpdateMessage() as action:
                return await self._update(team, action)
            case DeleteMessage(channel=channel, ts=ts, thread_ts=thread) as action:
                if action.has_file:
                    seen = await self._eyes.of(team, channel)
                    await self._by(team, action, lambda by: seen.files.withdraw(channel, ts, thread, by.client))
                await self._by(team, action, lambda by: by.client.delete(channel, ts))
            case AddReaction() as action:
                await self._react(team, action, task)
            case RemoveReaction(channel=channel, ts=ts, name=name) as action:
                await self._by(team, action, lambda by: by.client.unreact(channel, ts, name))
            case SetPin() as action:
                change = app.client.pin if action.pinned else app.client.unpin
                await _unless_gone(_granted(change(action.channel, action.ts)))
            case SetTopic() as action:
                await _granted(app.client.set_topic(action.channel, action.topic))
            case Note():
                pass
            case _:
                raise TypeError(f"{type(task.action).__name__} is no action for Slack")
        return ""

    async def _by(self, team: TeamId, action: ByHand, call: Callable[[Installation], Awaitable[T]]) -> T:
        """Have something called by the hand of an action; raises Refused with the code BY_APP where it may not."""
        if action.hand is None:
            return await call(self._installations[team])
        acting = await self._hands.acting(team, action.hand)
        try:
            return await call(acting)
        except Refused as refused:
            told = await self._hands.refused(team, action.channel, action.hand, refused)
            if told is refused:
                raise
            raise told from refused

    async def _react(self, team: TeamId, action: AddReaction, task: Task) -> None:
        """React; what a hand that is refused now may have done before is looked for."""
        channel, ts, name = action.channel, action.ts, action.name
        try:
            await _unless_gone(self._by(team, action, lambda by: by.client.react(channel, ts, name)))
        except Refused as refused:
            if refused.code != BY_APP or not task.unsure:
                raise
            found = await (await self._eyes.of(team, channel)).client.reactions(channel, ts)
            names = [str(one.get("name")) for one in found if action.hand in (one.get("users") or ())]
            if not any(emoji.is_same(name, one) for one in names):
                raise
            log.info("%s was made already, as its author", action.key)

    # --- messages

    async def _post(self, team: TeamId, action: PostMessage, task: Task) -> str:
        if task.unsure:
            found = await (await self._eyes.of(team, action.channel)).client.find_own(
                action.channel, action.key, _since(task), thread_ts=action.thread_ts, hand=action.hand
            )
            if found is not None and action.hand is not None and found.get("user") != action.hand:
                raise Refused(BY_APP, f"the app has posted {action.key} already")
            if found is not None:
                log.info("%s was posted already: found in %s", action.key, action.channel)
                return str(found["ts"])
        own = action.hand is None  # only the app may use another name than its own
        return await self._by(
            team,
            action,
            lambda by: by.client.post(
                action.channel,
                action.text,
                key=action.key,
                blocks=action.blocks,
                username=action.username if own else None,
                icon_url=action.icon_url if own else None,
                thread_ts=action.thread_ts,
                unfurl_links=action.unfurl,
            ),
        )

    async def _update(self, team: TeamId, action: UpdateMessage) -> str:
        """Replace a message; returns the digest of what a person's own says now, by which Slack tells of it later.

        An answer may leave out the blocks, which what Slack tells later never does.
        """
        said: list[Mapping[str, object]] = []

        async def update(by: Installation) -> None:
            said.append(await by.client.update(action.channel, action.ts, action.text, blocks=action.blocks))

        await _unless_gone(self._by(team, action, update))
        return digest_of({"blocks": action.blocks, **said[-1]}) if said and action.hand is not None else ""

    # --- files

    async def _post_file(self, team: TeamId, action: PostFile, task: Task) -> str:
        if task.progress:  # the bytes arrived in an earlier try, which may have gone on to share them
            found = await self._share_of(team, action, task, task.progress)
            if found is not None:
                return found
        file_id = await self._by(
            team,
            action,
            lambda by: self._transfers.to_slack(team, action, task.note_progress, policy=task.policy, files=by.files),
        )
        found = await self._share_of(team, action, task, file_id)
        if found is None:
            raise Unsure(f"Slack took the file {file_id} and does not show it in {action.channel} yet")
        return found

    async def _share_of(self, team: TeamId, action: PostFile, task: Task, file_id: str) -> str | None:
        """Return the ts of the message that shares a file, None where it was never completed.

        Raises Refused with the code WITHDRAWN where somebody deleted the file, and no message shows its empty place.
        """
        app = await self._eyes.of(team, action.channel)
        try:
            if action.hand is not None:
                return await self._share_by_hand(team, action, file_id)
            return await app.files.shared_ts(file_id, action.channel)
        except Refused as refused:
            if refused.code != "file_deleted":
                raise
            found = await app.client.find_own(
                action.channel,
                action.key,
                _since(task),
                thread_ts=action.thread_ts,
                file_id=file_id,
                hand=action.hand,
            )
            if found is None:
                log.info("%s: the file %s was deleted in Slack at once", action.key, file_id)
                raise Refused(WITHDRAWN, "the file was deleted in Slack at once") from refused
            return str(found["ts"])

    async def _share_by_hand(self, team: TeamId, action: PostFile, file_id: str) -> str | None:
        """Look for a share as its author, or as the app where their hand is refused now: both see one that is there.

        Raises Refused with the code BY_APP where the file is the app's, or nobody shared it.
        """
        try:
            owner = (await self._by(team, action, lambda by: _file(by, file_id))).get("user")
            if owner == action.hand:
                return await self._by(team, action, lambda by: by.files.shared_ts(file_id, action.channel))
            if owner is None:
                return None
            raise Refused(BY_APP, f"the app has brought {file_id} over already")
        except Refused as refused:
            if refused.code != BY_APP:
                raise
            for pause in LOOKS:
                await asyncio.sleep(pause)
                found = await self._share_seen(team, action, file_id)
                if found is not None:
                    return found
            raise

    async def _share_seen(self, team: TeamId, action: PostFile, file_id: str) -> str | None:
        """Return the share of a file of the person's own, if the app sees one."""
        app = await self._eyes.of(team, action.channel)
        try:
            if (await _file(app, file_id)).get("user") == action.hand:
                return await app.files.shared_ts(file_id, action.channel, looks=(0.0,))
        except Later as later:
            log.info("%s: %s", action.key, later)
        return None


async def _file(by: Installation, file_id: str) -> Mapping[str, object]:
    """Return what Slack tells of a file, nothing where it knows none."""
    try:
        return await by.client.file(file_id)
    except Refused as refused:
        if refused.code != "file_not_found":
            raise
        return {}


def _since(task: Task) -> str:
    """Return the time in Slack before which a task has not been performed."""
    return f"{max(task.since - _CLOCKS_APART, 0):.6f}"


async def _unless_gone(call: Awaitable[None]) -> None:
    """Take it for done when the message has been deleted meanwhile: the deletion comes by its own row."""
    try:
        await call
    except Refused as refused:
        if refused.code != "message_not_found":
            raise
        log.info("the message is gone: %s", refused)


async def _granted(call: Awaitable[None]) -> None:
    """Refuse one change for a scope that the app lacks: it is no reason to hold up the messages behind it."""
    try:
        await call
    except Refused as refused:
        if refused.code != "missing_scope":
            raise
        raise Refused("scope_not_granted", refused.detail, refused.remedy) from refused
