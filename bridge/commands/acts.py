"""What each command does, through what the command line and the HTTP API go through as well; answers are documents.

A command that an earlier try has carried out (`asker.done`) is only told. Raises Declined, with what to do instead,
Later or Refused; Unsure alone where it may have been done although no answer came.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bridge.administration import imports, parked, portals
from bridge.administration.channels import find_channel
from bridge.administration.status import status
from bridge.commands.asker import NotYet
from bridge.errors import Declined
from bridge.oauth.installing import link_for, workspace_named
from bridge.store.audit import noted
from bridge.store.ledger import COMMANDS, TO_MATRIX, TO_SLACK
from bridge.store.tally import way_of
from portals.commands import replies
from portals.commands.command import (
    AskLink,
    Bridge,
    ChangeParked,
    ChangePortal,
    ConfirmLink,
    ConfirmPlumb,
    Connect,
    Consent,
    Console,
    Disconnect,
    Help,
    ImportStatus,
    InstallLink,
    InviteBot,
    InviteMe,
    LinkPerson,
    ListParked,
    ListPortals,
    Plumb,
    Report,
    Status,
    Talk,
    Unlink,
)
from portals.commands.levels import Level
from portals.facts import Direction, PortalKind, PortalState
from portals.ids import channel_queue
from portals.permalinks import matrix_address
from portals.text import label_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.administration.office import Office
    from bridge.commands.asker import Asker
    from bridge.commands.own_account import OwnAccount
    from bridge.commands.own_hand import OwnHand
    from bridge.commands.plumbing import Plumbing
    from bridge.matrix.client import MatrixClient
    from portals.commands.command import Command
    from portals.facts import Portal
    from portals.ids import MatrixUserId
    from portals.text import Document

    SignIn = Callable[[MatrixUserId], Awaitable[str]]
    """Makes a link by which an admin signs in to the console, once."""

_OPENS_WITHIN = 10.0
"""Seconds for which a room that is being made is waited for."""
_HIDDEN = frozenset({PortalKind.DM, PortalKind.GROUP_DM})


class Acts:
    """Carries commands out; `sign_in` is None where there is no console."""

    def __init__(
        self,
        office: Office,
        matrix: MatrixClient,
        plumbing: Plumbing,
        own_account: OwnAccount,
        own_hand: OwnHand,
        sign_in: SignIn | None,
    ) -> None:
        self._office = office
        self._store = office.store
        self._matrix = matrix
        self._plumbing = plumbing
        self._own_account = own_account
        self._own_hand = own_hand
        self._sign_in = sign_in

    async def obey(self, command: Command, asker: Asker) -> Document:
        """Do what is asked by somebody who may, and return the answer."""
        match command:
            case Help(topic):
                return replies.help_(asker.level, asker.prefix, topic)
            case Status(portal):
                return await self._status(portal, asker)
            case ListPortals():
                return await self._portals(asker)
            case Bridge():
                return await self._bridge(command, asker)
            case ChangePortal():
                return await self._change(command, asker)
            case Plumb():
                return await self._plumbing.explain(command, asker)
            case ConfirmPlumb(code):
                return await self._plumbing.confirm(code, asker)
            case InviteMe(portal):
                return await self._invite_me(portal, asker)
            case InviteBot():
                return await self._invite_bot(command, asker)
            case AskLink():
                return await self._own_account.ask(command, asker)
            case ConfirmLink(code):
                return await self._own_account.confirm(code, asker)
            case LinkPerson():
                return await self._own_account.link(command, asker)
            case Unlink():
                return await self._own_account.unlink(command, asker)
            case Connect(workspace):
                return await self._own_hand.connect(workspace, asker)
            case Disconnect():
                return await self._own_hand.disconnect(asker)
            case InstallLink(workspace):
                return await self._install_link(workspace, asker)
            case Talk():
                return await self._own_hand.talk(command, asker)
            case Consent(given):
                return await self._own_account.consent(asker, given=given)
            case ListParked():
                return await self._parked(asker)
            case ChangeParked():
                return await self._change_parked(command, asker)
            case ImportStatus(number):
                return await self._import_status(number, asker)
            case Report(portal):
                return await self._report(portal, asker)
            case Console():
                return await self._console(asker)

    # --- looking

    async def _portal(self, wanted: str, asker: Asker) -> Portal:
        """Return the portal that is meant: a user is shown none that they could not find out about themself."""
        if wanted:
            found = await self._store.find(wanted)
        elif asker.portal is not None:
            return asker.portal
        else:
            raise Declined("no_portal", "this room is no portal's: name a channel, like #general")
        if _is_private(found) and found != asker.portal and (asker.level < Level.ADMIN or not asker.alone):
            raise Declined(
                "not_found", f"there is no portal of {wanted}: `causeway portals list` shows those there are"
            )
        return found

    async def _status(self, wanted: str, asker: Asker) -> Document:
        if wanted or asker.portal is not None:
            portal = await self._portal(wanted, asker)
            (one,) = await self._lines([portal])
            return replies.portal(one)
        now = await status(self._office)
        lines = [
            f"{label_of(one.name)}: "
            + ("connected" if one.is_up else f"not connected: {one.trouble or 'it will be tried'}")
            for one in now.workspaces
        ]
        lines += [f"Portals: {', '.join(f'{count} {state}' for state, count in sorted(now.portals.items())) or 'none'}"]
        own = await way_of(self._store.database, f"matrix:{asker.event_id}")  # this very command still waits
        to_slack, others = now.to_slack.waiting - (own == TO_SLACK), now.commands.waiting - (own == COMMANDS)
        asking = f", other commands {others}" if others > 0 else ""
        lines += [f"To Matrix wait {now.to_matrix.waiting}, to Slack {max(to_slack, 0)}{asking}"]
        if asker.level is Level.ADMIN:
            aside = now.to_matrix.parked + now.to_slack.parked + now.commands.parked
            lines += [f"Parked: {aside}; in trouble: {now.portals_in_trouble} portals"]
            lines += [f"Held: {now.held}"] if now.held else []
            lines += [f"Rooms off their policy: {now.portals_off_policy}"] if now.portals_off_policy else []
            lines += [label_of(problem) for problem in now.problems]
        return replies.listed("The bridge is well." if now.ready else "The bridge has problems.", lines)

    async def _portals(self, asker: Asker) -> Document:
        there = [one for one in await self._store.portals() if one.state is not PortalState.REMOVED]
        sees_all = asker.alone and asker.level is Level.ADMIN
        shown = [one for one in there if sees_all or not _is_private(one)]
        return replies.portals(await self._lines(shown), len(shown) < len(there) and not asker.alone, asker.prefix)

    async def _lines(self, found: list[Portal]) -> list[replies.PortalLine]:
        return [
            replies.PortalLine(
                one.name,
                one.room or "",
                one.direction,
                one.state,
                (one.waiting.to_matrix.rows, one.waiting.to_slack.rows),
                one.caught_up,
                one.trouble,
                await self._parked_in(portal) if len(found) == 1 else 0,
            )
            for portal, one in zip(found, await portals.listed(self._store, found), strict=True)
        ]

    async def _parked_in(self, portal: Portal) -> int:
        queues = [(TO_MATRIX, channel_queue(portal.team, portal.channel)), (TO_SLACK, portal.room or "")]
        return sum([len(await self._store.ledger.parked_names(*queue)) for queue in queues])

    async def _parked(self, asker: Asker) -> Document:
        """Tell what is parked; in company, of the room's own portal alone."""
        if not asker.alone and asker.portal is None:
            return replies.elsewhere(asker.prefix)
        only = None if asker.alone else asker.portal
        lines: list[replies.ParkedLine] = []
        async for row in parked.rows(self._store, only):
            one = await parked.shown(self._store, row)
            way = {"to_matrix": "to Matrix", "to_slack": "to Slack"}.get(one.direction, one.direction)
            lines.append(replies.ParkedLine(one.number, way, one.name or "", one.reason, one.arrived))
            if len(lines) > replies.MOST_LINES:
                break
        return replies.parked(lines, asker.prefix)

    async def _import_status(self, number: int | None, asker: Asker) -> Document:
        if not asker.alone:
            return replies.elsewhere(asker.prefix)
        known = await imports.find(self._store, number)
        far = await imports.progress_of(self._store.database, known)
        done = sum(one.shown >= one.records for one in far.channels)
        lines = [
            f"{far.shown} of {far.records} records are shown, of {done} of {len(far.channels)} channels all",
            f"{far.quarantined} records could not be read or delivered",
            f"Files: {far.files.here} are here, {far.files.waiting} still come, {far.files.absent} cannot be had",
        ]
        lines += [f"#{label_of(one.name)}: {one.reason}" for one in far.channels if one.reason]
        return replies.listed(f"Import {far.number} is {far.state}: {label_of(far.source)}", lines)

    async def _report(self, wanted: str, asker: Asker) -> Document:
        portal = await self._portal(wanted, asker)
        channel = f'"#{portal.name}"'
        return replies.said(
            "A proof reads the whole room back, so it is begun where the bridge runs: "
            f"`causeway report --channel {channel} --html report.html`"
        )

    async def _console(self, asker: Asker) -> Document:
        if not asker.alone:
            return replies.elsewhere(asker.prefix)
        if self._sign_in is None:
            raise Declined("no_console", "there is no console here: set console.listen in the configuration first")
        link = await self._sign_in(asker.user)
        return replies.said(f"This link signs you in to the console, once: {link}")

    async def _install_link(self, workspace: str, asker: Asker) -> Document:
        if not asker.alone:
            return replies.elsewhere(asker.prefix)
        chosen = workspace_named(self._office.settings, workspace or None)
        link = await link_for(self._office.settings, self._store.database, chosen)
        if not asker.done:
            await self._store.database.commit(noted(str(asker.actor), "install link", chosen.name))
        return replies.said(
            f"Whoever opens this link within ten minutes installs the app to {label_of(chosen.name)}, where they may "
            f"install apps in Slack: {link}",
            "It works once, in one browser. The bridge takes the workspace up by itself.",
        )

    # --- acting on portals

    async def _bridge(self, command: Bridge, asker: Asker) -> Document:
        if asker.done:
            portal = await self._store.find(command.channel)
            name, state, was_there = portal.name, portal.state, False
        else:
            team, client = self._office.workspace(command.workspace or None)
            way = Direction(command.direction) if command.direction else None
            made, was_there = await portals.add(self._store, client, team, command.channel, asker.actor, direction=way)
            name, state = made.name, made.state
        is_paused = (
            f" It is paused: `{asker.prefix}resume #{name}` lets it go on." if state is PortalState.PAUSED else ""
        )
        becomes = "is a portal already" if was_there else "becomes a portal"
        return replies.said(f"#{label_of(name)} {becomes}.{is_paused} `{asker.prefix}invite #{name}` invites you.")

    async def _change(self, command: ChangePortal, asker: Asker) -> Document:
        portal = await self._portal(command.portal, asker)
        changed = await portals.change(self._store, portal, portals.Change(command.what), asker.actor)
        more = {
            "remove": f"nothing was deleted, and `{asker.prefix}bridge #{changed.name}` takes it up again",
            "pause": f"what comes is kept until `{asker.prefix}resume #{changed.name}`",
            "resume": "what waited is relayed now, in order",
        }[command.what]
        return replies.said(f"#{label_of(changed.name)} is {changed.state}: {more}.")

    async def _invite_me(self, wanted: str, asker: Asker) -> Document:
        portal = await self._portal(wanted, asker)
        if portal.kind in _HIDDEN:
            raise Declined("not_found", "nobody is invited to other people's conversations")
        if portal.room is None:
            if not portal.trouble and time.time() - asker.since < _OPENS_WITHIN:
                raise NotYet(f"#{portal.name} has no room yet", 0.5)
            raise Declined("no_room", f"#{portal.name} has no room yet: ask again in a moment")
        await self._matrix.rooms.invite(portal.room, asker.user)
        domain = self._office.store.names.domain
        return replies.said(
            f"You are invited to the room of #{label_of(portal.name)}: {matrix_address(portal.room, None, domain)}"
        )

    async def _invite_bot(self, command: InviteBot, asker: Asker) -> Document:
        team, client = self._office.workspace(command.workspace or None)
        channel = await find_channel(client, self._store.directory, team, command.channel)
        if not channel.member:
            await client.join(channel.id)
        if not asker.done:
            await self._store.database.commit(noted(str(asker.actor), "join channel", f"{team}/{channel.id}"))
        return replies.said(f"The bot is in #{label_of(channel.name)}.")

    async def _change_parked(self, command: ChangeParked, asker: Asker) -> Document:
        if not asker.done:
            row = await parked.find(self._store, command.number)
            its = await self._store.portal_of(row.direction, row.queue)
            if not asker.alone and (its is None or asker.portal is None or its.id != asker.portal.id):
                return replies.elsewhere(asker.prefix)
            if command.what == "retry":
                await parked.retry(self._store, row, asker.actor)
            else:
                await parked.drop(self._store, row, asker.actor)
        outcome = "is tried again" if command.what == "retry" else "is given up, its content deleted"
        return replies.said(f"Number {command.number} {outcome}.")


def _is_private(portal: Portal) -> bool:
    return portal.private or portal.kind in _HIDDEN
