"""One row, the whole way: read, needs, facts, decide, plan, perform, record, settle.

    NEW ──▶ read ──▶ needs ──▶ facts ──▶ decide ──▶ plan (commit) ──▶ perform ──▶ record + settle (commit)
              │Ignored                     │Ignored                      │Later, Unsure: raised, the lane waits
              ▼ settle                     ▼ settle                      │Refused: park, and say so in the room

A row that was planned by an earlier process goes on at its first action that is not done, as one whose outcome is
unknown. A row from Slack may be *prepared*, up to its plan, while the one before it is still performed, if it is about
other messages: nothing that is recorded of that one could change what is decided of this one. Nothing here is kept in
memory between two rows.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from bridge.errors import BridgeError, Later, Refused
from bridge.store.ledger import COMMANDS, TO_MATRIX, TO_SLACK, PlannedAction, State
from bridge.store.links import record
from bridge.work.perform import BANNED, BY_GHOST, Task
from bridge.work.perform_in_slack import WITHDRAWN
from bridge.work.scanning import Kept
from portals.actions import (
    ObeyCommand,
    PostMessage,
    RecordChannel,
    RecordTrouble,
    RecordWithheld,
    RedactEvent,
    SendEvent,
    Told,
)
from portals.crossing import withholding
from portals.crossing.judge import Withheld
from portals.events import Ignored, MatrixMembership, MatrixMessage, MatrixReaction, MatrixRedaction, Undeliverable
from portals.facts import Direction, Member, PortalState
from portals.ids import RoomId, TeamId, action_key
from portals.people.hands import BY_APP, by_app, may_be_ours
from portals.people.puppets import by_ghost, is_never_copied, made, stamp_of
from portals.reading import matrix as matrix_reading
from portals.reading import slack as slack_reading
from portals.reading.repeats import is_repeated
from portals.relay import content, to_matrix, to_slack
from portals.retry import TROUBLED, is_installation_trouble, out_of_thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bridge.commands.desk import Desk
    from bridge.matrix.client import MatrixClient
    from bridge.observability.metrics import Metrics
    from bridge.slack.installation import Installation
    from bridge.store.directory import Directory
    from bridge.store.ledger import InboxRow, Ledger, Unit
    from bridge.work.answers import Answers
    from bridge.work.hands import Hands
    from bridge.work.invitations import Invitations
    from bridge.work.late_keys import LateKeys
    from bridge.work.perform import MatrixPerformer
    from bridge.work.perform_in_slack import SlackPerformer
    from bridge.work.repeats import Repeats
    from bridge.work.rooms import RoomMaker
    from bridge.work.roster import Roster
    from bridge.work.workspace_news import WorkspaceNews
    from portals.actions import Action, Record
    from portals.events import Json
    from portals.facts import Needs, Portal, Workspace
    from portals.ids import Ts

    OtherSide = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)

_NO_PORTAL = "there is no portal here"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row's plan, made ahead of its turn.

    `about` are the Slack messages that it rests on and will change; `unit` writes it down, before the row is walked.
    """

    plan: list[PlannedAction] | Ignored
    about: frozenset[Ts]
    unit: Unit = ()


class Conductor:
    """Walks rows; knows every part, keeps nothing."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        directory: Directory,
        answers: Answers,
        rooms: RoomMaker,
        invitations: Invitations,
        roster: Roster,
        news: WorkspaceNews,
        repeats: Repeats,
        matrix: MatrixClient,
        installations: Mapping[TeamId, Installation],
        to_matrix: MatrixPerformer,
        to_slack: SlackPerformer,
        late_keys: LateKeys,
        hands: Hands,
        desk: Desk,
        metrics: Metrics,
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._answers = answers
        self._rooms = rooms
        self._invitations = invitations
        self._roster = roster
        self._news = news
        self._repeats = repeats
        self._matrix = matrix
        self._installations = installations
        self._to_matrix = to_matrix
        self._to_slack = to_slack
        self._late_keys = late_keys
        self._hands = hands
        self._desk = desk
        self._metrics = metrics

    async def portal_of(self, direction: str, queue: str) -> Portal | None:
        """Return the portal whose queue this is, or None for a queue that belongs to none."""
        if direction == COMMANDS:
            return None  # they are obeyed whatever the state of the room's portal
        if direction == TO_MATRIX:
            team, _, channel = queue.partition("/")
            portal = await self._directory.portal_of_channel(team, channel) if channel else None
        else:
            portal = await self._directory.portal_of_room(queue)
        return None if portal is None or portal.state is PortalState.REMOVED else portal

    async def prepare(self, row: InboxRow, beside: frozenset[Ts]) -> Prepared | None:
        """Plan a new row from Slack ahead of its turn, while what becomes of the messages `beside` is not recorded yet.

        Returns None for a row that can be planned only when its turn has come.
        """
        if row.direction != TO_MATRIX or row.state is not State.NEW or is_repeated(row.raw):
            return None
        portal = await self.portal_of(row.direction, row.queue)
        if portal is None or portal.room is None or portal.direction is Direction.TO_SLACK or portal.has_moved:
            return None
        workspace = await self._directory.workspace(portal.team)
        if workspace is None or portal.team not in self._installations or self._answers.policy(portal).holds_back:
            return None
        event = slack_reading.read(orjson.loads(row.raw), row.source_key, workspace)
        if isinstance(event, Ignored):
            return Prepared(event, frozenset())
        if may_be_ours(event, await self._hands.known(portal.team)):
            return None
        needs = to_matrix.needs(event)
        if not needs.messages or needs.messages & beside or await self._answers.missing_targets(needs, portal):
            return None
        decision = to_matrix.decide(event, portal, await self._answers.facts(needs, portal, workspace))
        if isinstance(decision, Ignored):
            return Prepared(decision, needs.messages)
        plan = [PlannedAction(n, action) for n, action in enumerate(decision)]
        return Prepared(plan, needs.messages, self._ledger.planning(row, decision))

    async def walk(
        self, row: InboxRow, *, unsure: bool, other_side: OtherSide, prepared: Prepared | None = None
    ) -> Unit:
        """Walk one row to its end, but for the last record, which is returned to be kept.

        `unsure` says that an earlier try may have performed its first open action. `other_side` waits for what the
        portal's other direction has under way.
        Raises Later or Unsure when the row must be walked again.
        """
        portal = await self.portal_of(row.direction, row.queue)
        if portal is None:
            return await self._without_portal(row, unsure)
        if portal.direction is not Direction.BOTH and portal.direction != row.direction:
            return self._ledger.settling(row, f"this portal relays {portal.direction} only")
        if portal.has_moved and portal.state is PortalState.ARCHIVED and not slack_reading.is_looked_up(row.raw):
            return self._ledger.settling(row, "the channel has moved to Matrix, and nothing is relayed any more")
        if portal.room is None:
            raise Later(f"#{portal.name} has no room yet", 0.0)
        workspace = await self._directory.workspace(portal.team)
        if workspace is None or portal.team not in self._installations:
            raise Later(f"the workspace {portal.team} is not connected yet", 2.0)
        if row.direction == TO_MATRIX and row.state is State.NEW and is_repeated(row.raw):
            await self._doubt(row, portal, workspace)
        plan = prepared.plan if prepared is not None else await self._plan(row, portal, workspace, other_side)
        if isinstance(plan, Ignored):
            log.info("%s %s: ignored: %s", row.queue, row.source_key, plan.reason)
            return self._ledger.settling(row, plan.reason)
        if isinstance(plan, Undeliverable):
            await self.give_up(row, portal, plan.reason)
            await self._late_keys.look_again(row)
            return ()
        if not plan:
            return self._ledger.settling(row, "")
        return await self._perform_all(row, portal, plan, unsure)

    async def _doubt(self, row: InboxRow, portal: Portal, workspace: Workspace) -> None:
        """Replace a repetition by what Slack says now; raises Later, at once, when it was: the queue has changed."""
        try:
            replaced = await self._repeats.replace(row, orjson.loads(row.raw), portal, workspace)
        except Refused as refused:
            if is_installation_trouble(refused.code):
                raise Later(str(refused), TROUBLED) from refused
            log.info("%s %s: Slack does not tell how it stands: %s", row.queue, row.source_key, refused)
            return
        if replaced:
            raise Later("a repetition was replaced by what Slack says now", 0.0)

    # --- deciding

    async def _plan(
        self, row: InboxRow, portal: Portal, workspace: Workspace, other_side: OtherSide
    ) -> list[PlannedAction] | Ignored | Undeliverable:
        if row.state is State.PLANNED:
            return await self._ledger.planned(row)
        decision = await self._decide(row, portal, workspace, other_side)
        if isinstance(decision, Ignored | Undeliverable):
            return decision
        return await self._ledger.plan(row, decision)

    async def _decide(
        self, row: InboxRow, portal: Portal, workspace: Workspace, other_side: OtherSide
    ) -> tuple[Action, ...] | Ignored | Undeliverable:
        payload = orjson.loads(row.raw)
        if row.direction == TO_MATRIX:
            event = slack_reading.read(payload, row.source_key, workspace)
            if isinstance(event, Ignored):
                return event
            if may_be_ours(event, await self._hands.known(portal.team)):
                await other_side()
            needs = to_matrix.needs(event)
            await self._overtaken(row, needs, portal, workspace, other_side)
            return to_matrix.decide(event, portal, await self._answers.facts(needs, portal, workspace))
        if await self._is_echo(payload, portal, other_side):
            return Ignored("our own, in somebody's own account")
        payload = await self._late_keys.opened(row, payload)
        if isinstance(payload, Undeliverable):
            return payload
        said = matrix_reading.read(payload, row.source_key)
        if isinstance(said, Ignored):
            return said
        if isinstance(said, MatrixMembership) and said.membership == "join":
            await self._directory.learn_member(Member(said.user, said.name, said.avatar))
        elif isinstance(said, MatrixMembership) and self._answers.names.is_ours(said.user):
            await self._directory.set_joined(said.room, said.user, False)
        if isinstance(said, MatrixMessage) and (asked := await self._desk.decide(said, portal)) is not None:
            return asked
        wanted = to_slack.needs(said)
        if await self._answers.missing_targets(wanted, portal):
            await other_side()
        facts = await self._answers.facts(wanted, portal, workspace)
        decision = to_slack.decide(said, portal, facts)
        if isinstance(said, MatrixRedaction) and isinstance(decision, Ignored):
            await self._ledger.drop_parked_event(row.queue, said.target, "redacted by its author")
        return decision

    async def _is_echo(self, payload: Json, portal: Portal, other_side: OtherSide) -> bool:
        """Tell whether an event is one that we sent; for a message, once the ledger knows of all that is under way."""
        stamp = stamp_of(payload)
        if not stamp or is_never_copied(payload):
            return bool(stamp)
        await other_side()
        parked = await self._ledger.parked_actions(stamp)
        return any(made(action, payload) for action in parked) or await self._answers.is_shown(portal, payload)

    async def _overtaken(
        self, row: InboxRow, needs: Needs, portal: Portal, workspace: Workspace, other_side: OtherSide
    ) -> None:
        """Wait for what an event refers to: it may be under way, or come behind; raises Later when Slack was asked."""
        if not await self._answers.missing_targets(needs, portal):
            return
        await other_side()
        missing = await self._answers.missing_targets(needs, portal)
        if missing and await self._repeats.fetch_overtaken(row, missing, portal, workspace):
            raise Later("a message that was overtaken was looked up", 0.0)

    # --- performing

    async def _perform_all(self, row: InboxRow, portal: Portal, actions: list[PlannedAction], unsure: bool) -> Unit:
        """Perform what is planned; each action is recorded before the next, the record of the last is returned."""
        unit: Unit = ()
        for planned in actions:

            async def note_progress(progress: str, n: int = planned.n) -> None:
                await self._ledger.note_progress(row, n, progress)

            policy = self._answers.policy(portal)
            task = Task(planned.action, unsure, row.admitted_at / 1000, planned.progress, note_progress, policy)
            try:
                result, kept = await self._performed(row, portal, task)
            except Refused as refused:
                if is_installation_trouble(refused.code):
                    raise Later(str(refused), TROUBLED) from refused
                if refused.code == BANNED:
                    log.info("%s %s: not shown: %s", row.queue, row.source_key, refused)
                    return self._ledger.settling(row, refused.detail)
                await self.give_up(row, portal, str(refused))
                return ()
            unsure = False
            waited = time.time() - row.admitted_at / 1000
            self._metrics.relayed(row.direction, type(planned.action).__name__, waited)
            records = record(portal.id, kept, result)
            if planned is actions[-1]:
                unit = self._ledger.settling(row, "", records)
            else:
                await self._ledger.done(row, planned.n, records)
            if isinstance(kept, RecordChannel | RecordTrouble):
                await self._ledger.keep(unit)
                self._directory.forget_portals()
                unit = ()
        log.info(
            "%s %s: relayed by %s", row.queue, row.source_key, ", ".join(type(one.action).__name__ for one in actions)
        )
        return unit

    def _performer(self, row: InboxRow, action: Action) -> MatrixPerformer | SlackPerformer | Desk:
        if isinstance(action, ObeyCommand):
            return self._desk
        is_for_slack = isinstance(action, PostMessage) or (
            row.direction == TO_SLACK and not isinstance(action, SendEvent | RedactEvent)
        )
        return self._to_slack if is_for_slack else self._to_matrix

    async def _performed(self, row: InboxRow, portal: Portal, task: Task) -> tuple[str, Record | None]:
        """Perform one action; returns what it yields, and what the ledger must know of it."""
        try:
            return await self._performer(row, task.action).perform(portal.team, task), task.action.record
        except Refused as refused:
            told = task.action.record
            if refused.code == WITHDRAWN:
                return "", None
            if isinstance(told, Told) and not is_installation_trouble(refused.code):
                log.info("%s: a word about it could not be given: %s", task.action.key, refused)
                return "", told if isinstance(told, RecordWithheld) else None
            instead = out_of_thread(task.action, refused.code)
            if instead is None and refused.code == BY_GHOST:
                instead = by_ghost(task.action)
            if instead is None and refused.code == BY_APP:
                instead = by_app(task.action, portal)
            if instead is None and isinstance(refused, Kept):
                withheld = Withheld(refused.rule, refused.detail)
                instead = withholding.instead_of(task.action, withheld, portal, self._matrix.bot)
            if instead is None:
                raise
            log.info("%s is done in another way: %s", task.action.key, refused)
            return await self._performed(row, portal, replace(task, action=instead))

    async def give_up(self, row: InboxRow, portal: Portal | None, reason: str) -> None:
        """Park the row and say so in the room; what cannot even be said is in the log and in `parked list`."""
        await self._ledger.park(row, reason)
        self._metrics.parked(row.direction)
        log.warning("%s %s: parked as number %d: %s", row.queue, row.source_key, row.seq, reason)
        if portal is None or portal.room is None:
            return
        hint = f"An admin can try again with: causeway parked retry {row.seq}"
        if row.direction == TO_MATRIX:
            said = content.notice(f"A message from Slack could not be shown here: {reason}. {hint}")
        else:
            said = content.notice(f"This did not reach Slack: {reason}. {hint}")
            said["m.relates_to"] = {"m.in_reply_to": {"event_id": matrix_reading.subject(orjson.loads(row.raw))}}
        key = action_key(row.source_key, "parked", reason)
        try:
            await self._matrix.send(portal.room, None, "m.room.message", said, key)
        except BridgeError as error:
            log.warning("%s: the notice about row %d could not be shown: %s", portal.room, row.seq, error)

    # --- rows of no portal

    async def _without_portal(self, row: InboxRow, unsure: bool) -> Unit:
        """Take up what concerns people, names or the bot itself; a channel may be one that is to have a portal."""
        payload = orjson.loads(row.raw)
        if row.direction == TO_MATRIX:
            team = TeamId(row.queue.partition("/")[0])
            workspace = await self._directory.workspace(team)
            if workspace is None or team not in self._installations:
                raise Later(f"the workspace {team} is not connected yet", 2.0)
            channel = slack_reading.channel_of(payload)
            if channel and await self._roster.consider(team, channel, payload) is not None:
                raise Later("the channel has a portal now", 0.0)
            event = slack_reading.read(payload, row.source_key, workspace)
            await self._news.take_up(team, event, repeated=is_repeated(row.raw))
        else:
            return await self._from_matrix(row, payload, unsure)
        return self._ledger.settling(row, _NO_PORTAL)

    async def _from_matrix(self, row: InboxRow, payload: Json, unsure: bool) -> Unit:
        """Take up what is said to the bot, in its queue of its own or in a room that is no portal's."""
        if row.state is State.PLANNED:
            return await self._obey(row, await self._ledger.planned(row), unsure)
        room = RoomId(row.queue)
        said = matrix_reading.read(payload, row.source_key)
        if isinstance(said, MatrixReaction):
            return self._ledger.settling(row, await self._desk.reacted(said) or _NO_PORTAL)
        if isinstance(said, MatrixMembership) and await self._invitations.take_up(said):
            return self._ledger.settling(row, _NO_PORTAL)
        if row.direction == TO_SLACK and (
            await self._rooms.is_opening(room) or await self.portal_of(row.direction, row.queue)
        ):
            raise Later("the room becomes a portal's", 0.5)
        if row.direction == TO_SLACK and isinstance(said, MatrixMessage) and await self._invitations.begin(said):
            raise Later("the room becomes a portal's", 0.0)
        if not isinstance(said, MatrixMessage) or stamp_of(payload):
            return self._ledger.settling(row, _NO_PORTAL)
        if said.encrypted:
            opened = await self._late_keys.opened(row, payload)
            if isinstance(opened, Undeliverable):
                if await self._desk.is_own_room(room, said.sender):
                    await self.give_up(row, None, opened.reason)
                    await self._late_keys.look_again(row)
                    return ()
                return self._ledger.settling(row, _NO_PORTAL)
            said = matrix_reading.read(opened, row.source_key)
        asked = (
            await self._desk.decide(said, await self._directory.portal_of_room(room))
            if isinstance(said, MatrixMessage)
            else None
        )
        if asked is None or isinstance(asked, Ignored):
            return self._ledger.settling(row, asked.reason if asked is not None else _NO_PORTAL)
        return await self._obey(row, await self._ledger.plan(row, asked), unsure)

    async def _obey(self, row: InboxRow, actions: list[PlannedAction], unsure: bool) -> Unit:
        """Do what somebody asked the bot for; what a portal planned that is gone is left."""
        for planned in actions:
            if isinstance(planned.action, ObeyCommand):
                task = Task(planned.action, unsure, row.admitted_at / 1000, "", _forget_progress)
                try:
                    await self._desk.perform(TeamId(""), task)
                except Refused as refused:
                    log.warning("%s %s: could not be answered: %s", row.queue, row.source_key, refused)
        return self._ledger.settling(row, _NO_PORTAL)


async def _forget_progress(_progress: str) -> None:
    """Note nothing: an answer is made in one step."""
