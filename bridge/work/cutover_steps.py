"""What each step of a move to Matrix does, in Slack, in the room and in the store.

Every step may be carried out twice: a state is set again, a message is looked for by its stamp before it is sent again
(`unsure`), and what was there before is noted before it is changed. What the store itself changes by a step is
returned, and committed with the note that the step is done.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.errors import Declined, Refused
from bridge.store.cutovers import ended, forgotten, frozen
from bridge.store.database import Statement
from bridge.store.directory import SET_STATE
from portals.cutover import Phase, Step, in_matrix, in_slack, topic
from portals.facts import PortalState
from portals.ids import action_key
from portals.reading.values import mapping, text_of
from portals.relay.content import notice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from bridge.matrix.client import MatrixClient
    from bridge.slack.client import SlackClient
    from bridge.store.cutovers import Cutover, Cutovers, Note, StepRow
    from portals.cutover import Words
    from portals.facts import Portal
    from portals.ids import ActionKey
    from portals.relay.content import Content

log = logging.getLogger(__name__)

MOVED = "dev.causeway.moved"
"""What is left in the state that said that a room is bridged: from where its channel came."""
_CLOCKS_APART = 600
_BRIDGE_TYPES = ("m.bridge", "uk.half-shot.bridge")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step leaves behind: its note, words for the audit log, and what the store changes with it."""

    note: Note = field(default_factory=dict)
    detail: str = ""
    beside: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Proven:
    """A report of one channel: the page for people, and what it comes to."""

    page: str
    name: str
    sha256: str
    unexplained: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command that carries a step out was given besides; each concerns one step alone."""

    accepted: str = ""
    """What stood against the freeze, and was accepted."""
    prove: Callable[[], Awaitable[Proven]] | None = None
    accept_differences: bool = False


NOTHING = Asked()


class Steps:
    """Carries out the steps of one move."""

    def __init__(
        self,
        *,
        cutovers: Cutovers,
        matrix: MatrixClient,
        client: SlackClient | None,
        words: Words,
        domain: str,
        cutover: Cutover,
        portal: Portal,
        asked: Asked,
    ) -> None:
        self._cutovers = cutovers
        self._matrix = matrix
        self._client = client
        self._words = words
        self._domain = domain
        self._cutover = cutover
        self._portal = portal
        self._asked = asked

    async def perform(self, row: StepRow, *, unsure: bool) -> Outcome:
        """Carry out one step; `unsure` says that an earlier try may have done so. Raises Refused, Later, Unsure."""
        words, date = self._words, row.part
        match row.step:
            case Step.ANNOUNCE_IN_MATRIX:
                said = in_matrix(words.announcement_in_matrix, self._portal, date)
                return await self._tell_matrix(row, said, unsure)
            case Step.ANNOUNCE_IN_SLACK:
                return await self._tell_slack(row, words.announcement, unsure)
            case Step.CLOSE:
                note = {"accepted": self._asked.accepted} if self._asked.accepted else {}
                return Outcome(note, self._asked.accepted, (self._in(PortalState.FROZEN), frozen(self._cutover)))
            case Step.TELL_MATRIX:
                return await self._tell_matrix(row, in_matrix(words.notice_in_matrix, self._portal), unsure)
            case Step.SET_TOPIC:
                return await self._set_topic(row)
            case Step.TELL_SLACK:
                return await self._tell_slack(row, words.notice, unsure)
            case Step.ARCHIVE:
                await self._slack.archive(self._portal.channel)
                return Outcome()
            case Step.PROVE:
                return await self._prove()
            case Step.ATTACH:
                return await self._attach(row, unsure)
            case Step.END:
                return Outcome(beside=(self._in(PortalState.ARCHIVED), ended(self._cutover, Phase.FINISHED)))
            case Step.UNBRIDGE:
                return await self._unbridge()
            case Step.UNARCHIVE:
                return await self._unarchive()
            case Step.RESTORE_TOPIC:
                return await self._restore_topic()
            case Step.REOPEN:
                return Outcome(beside=(self._in(PortalState.LIVE), forgotten(self._portal.id)))
            case Step.RECALL_IN_MATRIX:
                return await self._tell_matrix(row, in_matrix(words.recall_in_matrix, self._portal), unsure)
            case Step.RECALL_IN_SLACK:
                return await self._tell_slack(row, words.recall, unsure)
            case Step.CLEAR:
                return Outcome(beside=(ended(self._cutover, Phase.REVERTED),))

    @property
    def _slack(self) -> SlackClient:
        assert self._client is not None, "a workspace that is not connected has no steps in Slack"
        return self._client

    def _in(self, state: PortalState) -> Statement:
        return Statement(SET_STATE, (self._portal.id, state))

    def _key(self, row: StepRow) -> ActionKey:
        portal = self._portal
        return action_key("cutover", portal.team, portal.channel, self._cutover.begun_at, row.step, row.part)

    # --- words

    async def _tell_matrix(self, row: StepRow, said: Content, unsure: bool) -> Outcome:
        room, key = self._portal.room, self._key(row)
        assert room is not None
        found = await self._matrix.find_stamp(room, key, sender=self._matrix.bot) if unsure else None
        event = found or await self._matrix.send(room, None, "m.room.message", said, key)
        return Outcome({"event": event})

    async def _tell_slack(self, row: StepRow, words: str, unsure: bool) -> Outcome:
        channel, key = self._portal.channel, self._key(row)
        since = f"{max(row.begun_at / 1000 - _CLOCKS_APART, 0):.6f}"
        found = await self._slack.find_stamp(channel, key, since) if unsure else None
        said = in_slack(words, self._portal, self._domain, row.part)
        return Outcome({"ts": found or await self._slack.post(channel, said, key=key, unfurl_links=False)})

    # --- the channel

    async def _info(self) -> Mapping[str, object]:
        return await self._slack.channel(self._portal.channel)

    async def _set_topic(self, row: StepRow) -> Outcome:
        """Set the topic; the one before is noted first, and once."""
        note = row.note
        if "before" not in note:
            before = text_of(mapping((await self._info()).get("topic")).get("value"))
            note = {"before": before}
            await self._cutovers.note(self._cutover, row.step, row.part, note)
        await self._slack.set_topic(self._portal.channel, topic(self._words.topic, self._portal, self._domain))
        return Outcome(note)

    async def _restore_topic(self) -> Outcome:
        """Set the topic that was there before, unless somebody has set another one meanwhile."""
        known = await self._cutovers.step(self._cutover, Step.SET_TOPIC)
        if known is None or "before" not in known.note:
            return Outcome(detail="it was never changed")
        before, now = text_of(known.note["before"]), mapping((await self._info()).get("topic"))
        if text_of(now.get("value")) == before:
            return Outcome()
        own = await self._slack.auth()
        if now.get("creator") != own.user_id:
            return Outcome(detail="somebody else has set another one, which stays")
        await self._slack.set_topic(self._portal.channel, before)
        return Outcome()

    async def _unarchive(self) -> Outcome:
        """Have the channel open and the bot in it; raises Declined where only a person can do that."""
        name = f"#{self._portal.name}"
        if (await self._info()).get("is_archived") is True:
            try:
                await self._slack.unarchive(self._portal.channel)
            except Refused as refused:
                if refused.code == "missing_scope":
                    raise
                raise Declined(
                    "archived",
                    f"Slack lets no bot open an archived channel ({refused.code}): open {name} in Slack by hand, "
                    "then give this command again",
                ) from refused
        if (await self._info()).get("is_member") is not True:
            if self._portal.private:
                raise Declined("not_invited", f"the bot is not in {name} any more: invite it, then try again")
            await self._slack.join(self._portal.channel)
        return Outcome()

    # --- the end

    async def _prove(self) -> Outcome:
        assert self._asked.prove is not None, "a step that proves needs somebody who does"
        proven = await self._asked.prove()
        if proven.unexplained and not self._asked.accept_differences:
            things = "1 thing is" if proven.unexplained == 1 else f"{proven.unexplained} things are"
            raise Declined(
                "unexplained",
                f"{things} unexplained: look at causeway report --channel {self._portal.channel}, "
                "and add --accept-differences if it shall be so",
            )
        page = proven.page.encode()

        async def chunks() -> AsyncIterator[bytes]:
            yield page

        assert self._portal.room is not None, "what is moved has a room"
        room = self._portal.room
        mxc = await self._matrix.upload_for(room, chunks(), "text/html", proven.name, len(page))
        note = {"mxc": mxc, "name": proven.name, "size": len(page), "sha256": proven.sha256}
        note |= {"unexplained": proven.unexplained, "path": proven.path}
        differences = f"{proven.unexplained} unexplained, accepted" if proven.unexplained else "nothing unexplained"
        return Outcome(note, f"{differences}; SHA-256 of the report {proven.sha256}; {proven.path or mxc}")

    async def _attach(self, row: StepRow, unsure: bool) -> Outcome:
        """Tell the room that the move is complete, with the report where there is one."""
        proof = await self._cutovers.step(self._cutover, Step.PROVE)
        words = f"The move of #{self._portal.name} from Slack is complete: nothing is carried across any more."
        if proof is None:
            return await self._tell_matrix(row, notice(words), unsure)
        known = proof.note
        unexplained = int(known["unexplained"])
        told = f"{unexplained} differences that were accepted" if unexplained else "nothing unexplained"
        file: Content = {
            "msgtype": "m.file",
            "body": f"{words} The report of what was brought over, with {told}.",
            "filename": known["name"],
            **await self._matrix.showing(known["mxc"]),
            "info": {"mimetype": "text/html", "size": known["size"]},
            "m.mentions": {},
        }
        return await self._tell_matrix(row, file, unsure)

    async def _unbridge(self) -> Outcome:
        """Say in the room's state that it is not bridged any more (MSC2346), and from where it came."""
        portal = self._portal
        assert portal.room is not None
        left = {MOVED: {"team": portal.team, "channel": portal.channel, "name": portal.name}}
        for kind in _BRIDGE_TYPES:
            try:
                await self._matrix.set_state(
                    portal.room, None, kind, f"causeway://slack/{portal.team}/{portal.channel}", left
                )
            except Refused as refused:
                if portal.target == "create" or refused.code != "M_FORBIDDEN":
                    raise
                log.info("%s: the bot has no right to say there that the room is not bridged", portal.room)
        return Outcome()
