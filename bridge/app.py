"""The composition root: every part is built here, by hand, once; one task group owns every task.

    start: store, owner's lock ─ Matrix endpoint listens ─ a task for each workspace: who are we, gap, sockets, roster
    stop:  told (SIGTERM): rows under way come to their end within a limit (`bridge.stopping`); then, or at once when
           cancelled: edges close, walkers are cut off where they are, the store writes what is queued

Being cut off is an ordinary thing: what was under way is looked for at the next start, and never done twice.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge import listeners
from bridge.administration.moving import Moving
from bridge.administration.office import Office
from bridge.administration.store import Store
from bridge.commands.building import desk_for
from bridge.configured import client_from, mapped_from, names_from, puppeting_from, reach_from, rules_from, shape_from
from bridge.console.signing import Signing
from bridge.conversing import eyes_from
from bridge.errors import BridgeError, Fatal, StoreUnavailable, first_of
from bridge.oauth.app_tokens import AppTokens
from bridge.oauth.building import apps_from, connecting_from, installing_from, seal_from
from bridge.oauth.renewal import Renewal
from bridge.observability.health import Health
from bridge.observability.measured import MeasuredDatabase
from bridge.observability.metrics import Metrics
from bridge.policies import customs_from, policies_from, policy_of
from bridge.slack.reach import slack_session
from bridge.stopping import Stopped, stop_when
from bridge.store.audit_chain import AuditChain
from bridge.store.banners import Banners
from bridge.store.bookmarks import BookmarkNotices
from bridge.store.channel_ids import ChannelIds
from bridge.store.departures import Departures
from bridge.store.directory import Directory
from bridge.store.files import Files
from bridge.store.grants import Grants
from bridge.store.heard import Heard
from bridge.store.held import HeldMessages
from bridge.store.holds import Holds
from bridge.store.imports import Imports
from bridge.store.ledger import LOOK, TO_MATRIX, Ledger
from bridge.store.links import Links
from bridge.store.opening import open_database
from bridge.store.people import People
from bridge.store.places import Places
from bridge.store.retention import Retention
from bridge.work.answers import Answers
from bridge.work.banner import RoomBanner
from bridge.work.bookmarks import Bookmarks
from bridge.work.catch_up import CatchUp
from bridge.work.conductor import Conductor
from bridge.work.conversations import Conversations, Parts
from bridge.work.ghosts import Ghosts
from bridge.work.hands import Hands
from bridge.work.holding import Holding
from bridge.work.intake import Intake
from bridge.work.invitations import Invitations
from bridge.work.lanes import Lanes
from bridge.work.late_keys import LateKeys
from bridge.work.lookalikes import Lookalikes
from bridge.work.moderators import ModeratorRooms
from bridge.work.perform import MatrixPerformer
from bridge.work.perform_in_slack import SlackPerformer
from bridge.work.permalinks import Permalinks
from bridge.work.puppets import Puppets
from bridge.work.read_back import ReadBack
from bridge.work.renumbering import Renumbering
from bridge.work.repeats import Repeats
from bridge.work.retention import Keeping
from bridge.work.room_policy import RoomPolicies
from bridge.work.room_watch import RoomWatch
from bridge.work.rooms import RoomMaker
from bridge.work.roster import Roster
from bridge.work.standings import Standings
from bridge.work.transfers import Transfers
from bridge.work.vocabulary import Vocabulary
from bridge.work.workspace_news import WorkspaceNews
from bridge.workspaces import Workspaces
from portals.policy import Patterns

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from bridge.matrix.client import MatrixClient
    from bridge.slack.installation import Installation
    from bridge.slack.socket import SocketMode
    from bridge.store.database import Database
    from config.settings import Settings
    from portals.ids import TeamId

log = logging.getLogger(__name__)

_CONNECTIONS = 32
_LOOK_FOR_REQUESTS = 1.0
_CLEAN_UP = 3600.0
_KEPT_MS = 7 * 24 * 3600 * 1000
"""How long the name of a settled row recognises a repetition; Slack and homeservers repeat for hours, not days."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a caller may put in place of the usual: for tests, and for the demo beside its own sandbox."""

    database: Database | None = None
    ready: Callable[[], None] = lambda: None
    limits_scale: float = 1.0
    look_after: float = 5.0
    """Seconds between two looks whether the homeserver answers."""
    told: asyncio.Event | None = None
    """Whoever sets it has the bridge come to rest, and `run` return."""


async def run(settings: Settings, hooks: Hooks = Hooks()) -> None:
    """Run the bridge until cancelled; raises Fatal, with what to do, when it cannot run."""
    metrics = Metrics()
    opened = hooks.database or await open_database(settings.database.url.reveal())
    database = MeasuredDatabase(opened, metrics)
    try:
        await database.own()
        async with (
            slack_session(settings.slack.api_url, around=[metrics.requests_to("slack")]) as session,
            client_from(settings, database, _CONNECTIONS, [metrics.requests_to("matrix")]) as matrix,
        ):
            try:
                async with asyncio.TaskGroup() as group:
                    bridge = _Bridge(settings, hooks, database, session, matrix, group, metrics)
                    await bridge.start()
                    if hooks.told is not None:
                        group.create_task(stop_when(hooks.told, bridge.lanes, database), name="stop")
            except BaseExceptionGroup as failures:
                fatal = failures.subgroup(Fatal)
                if fatal is not None:
                    raise first_of(fatal) from failures
                if failures.split(Stopped)[1] is not None:
                    raise
    finally:
        await database.close()


class _Bridge:
    """All parts, joined; lives as long as the task group that owns its tasks."""

    def __init__(
        self,
        settings: Settings,
        hooks: Hooks,
        database: Database,
        session: aiohttp.ClientSession,
        matrix: MatrixClient,
        group: asyncio.TaskGroup,
        metrics: Metrics,
    ) -> None:
        names = names_from(settings)
        self.settings = settings
        self.hooks = hooks
        self.matrix = matrix
        self.group = group
        self.installations: dict[TeamId, Installation] = {}
        self.sockets: dict[str, SocketMode] = {}
        self.ledger = Ledger(database)
        self.directory = Directory(database, names)
        self.links = Links(database)
        self.permalinks = Permalinks(
            names=names, directory=self.directory, places=Places(database), links=self.links, matrix=matrix
        )
        notices = BookmarkNotices(database)
        vocabulary = Vocabulary(directory=self.directory, ledger=self.ledger, installations=self.installations)
        transfers = Transfers(
            Files(database),
            self.directory,
            matrix,
            self.installations,
            settings.files.max_size,
            seals=settings.rooms.encryption,
            customs=customs_from(settings),
        )
        self.people = People(database)
        self.puppets = puppets = Puppets(names, puppeting_from(settings), self.people, self.directory, matrix)
        grants, apps, seal = Grants(database), apps_from(settings, session), seal_from(settings)
        renewal = Renewal(grants, apps, seal)
        self.app_tokens = AppTokens(grants, seal, renewal)
        self.hands = hands = Hands(
            grants=grants,
            people=self.people,
            directory=self.directory,
            matrix=matrix,
            installations=self.installations,
            renewal=renewal,
            seal=seal,
        )
        self.holding = Holding(HeldMessages(database), ModeratorRooms(self.directory, matrix), self.wake)
        eyes = eyes_from(settings, names, database, self.installations, self.directory, self.people, hands, matrix)
        answers = Answers(
            names=names,
            rules=rules_from(settings),
            directory=self.directory,
            links=self.links,
            matrix=matrix,
            installations=self.installations,
            transfers=transfers,
            puppets=puppets,
            vocabulary=vocabulary,
            permalinks=self.permalinks,
            notices=notices,
            policies=policies_from(settings),
            standings=Standings(self.installations),
            lookalikes=Lookalikes(database),
            hands=hands,
            holding=self.holding,
            eyes=eyes,
        )
        self.ghosts = ghosts = Ghosts(
            names=names,
            name_template=settings.appservice.ghost_name,
            directory=self.directory,
            answers=answers,
            matrix=matrix,
            transfers=transfers,
        )
        parts = Parts(names, self.directory, self.people, hands, eyes, answers, ghosts, puppets, matrix)
        self.conversations = Conversations(parts, self.wake)
        of = policy_of(settings, lambda team: one.name if (one := self.installations.get(team)) is not None else None)
        reach = reach_from(settings)
        self.keeping = Keeping(
            database=database,
            directory=self.directory,
            retention=Retention(database),
            holds=Holds(database, names),
            policy_of=of,
            horizon=max(reach.span, reach.thread_span),
        )
        self.watch = RoomWatch(
            policy_of=of,
            policies=RoomPolicies(names, self.directory, matrix),
            banner=RoomBanner(Banners(database), self.directory, matrix),
            departures=Departures(database),
            directory=self.directory,
            matrix=matrix,
        )
        rooms = RoomMaker(
            names=names,
            shape=shape_from(settings),
            directory=self.directory,
            answers=answers,
            matrix=matrix,
            installations=self.installations,
            conversations=self.conversations,
            opened=self.watch.look,
        )
        renumbering = Renumbering(ChannelIds(database), self.directory, self.installations, self.wake)
        self.roster = Roster(
            names=names,
            mapping=[mapped_from(line) for line in settings.portals.map],
            patterns=Patterns(
                settings.portals.automatic.include,
                settings.portals.automatic.exclude,
                settings.portals.automatic.private,
            ),
            directory=self.directory,
            vocabulary=vocabulary,
            ledger=self.ledger,
            installations=self.installations,
            renumbering=renumbering,
            conversations=self.conversations,
            wake=self.wake,
        )
        self.bookmarks = Bookmarks(
            every=settings.relay.bookmarks.total_seconds(),
            directory=self.directory,
            notices=notices,
            ledger=self.ledger,
            installations=self.installations,
            wake=self.wake,
        )
        self.catch_up = CatchUp(
            ledger=self.ledger,
            directory=self.directory,
            links=self.links,
            imports=Imports(database),
            installations=self.installations,
            eyes=eyes,
            reach=reach,
            member_limit=settings.rooms.member_limit,
        )
        health = Health(database, settings, self.sockets, self.installations, lambda: self.lanes.walking)
        store = Store.beside(database, names, self.directory, self.ledger, self.people)
        moving = Moving(settings=settings, store=store, matrix=matrix, installations=self.installations, group=group)
        self.office = Office(store, health, self.installations, settings, moving)
        self.connecting = connecting_from(settings, apps, self.installations, store, grants, hands, matrix)
        self.installing = installing_from(settings, session, self.installations, store, grants)
        self.signing = Signing(settings.console, database, self.office.is_admin)
        sign_in = self.signing.sign_in_link if settings.console.listen else None
        desk = desk_for(self.office, matrix, sign_in, self.connecting, self.conversations, of)
        conductor = Conductor(
            ledger=self.ledger,
            directory=self.directory,
            answers=answers,
            rooms=rooms,
            invitations=Invitations(
                parts, self.conversations, desk, rooms, lambda name, events: self.intake.from_matrix(name, events)
            ),
            roster=self.roster,
            news=WorkspaceNews(answers, ghosts, vocabulary, hands, renumbering),
            repeats=Repeats(
                ledger=self.ledger,
                links=self.links,
                roster=self.roster,
                catch_up=self.catch_up,
                eyes=eyes,
            ),
            matrix=matrix,
            installations=self.installations,
            to_matrix=MatrixPerformer(matrix, ghosts, puppets, self.directory, transfers, eyes),
            to_slack=SlackPerformer(self.installations, transfers, hands, eyes, renumbering),
            late_keys=LateKeys(matrix, self.ledger, settings.encryption.wait.total_seconds()),
            hands=hands,
            desk=desk,
            metrics=metrics,
        )
        self.lanes = Lanes(
            group=group,
            ledger=self.ledger,
            directory=self.directory,
            conductor=conductor,
            rooms=rooms,
            catch_up=self.catch_up,
            at_once=_CONNECTIONS,
            metrics=metrics,
        )
        self.intake = Intake(
            names=names,
            ledger=self.ledger,
            directory=self.directory,
            matrix=matrix,
            wake=self.wake,
            group=group,
            typing=settings.relay.typing,
            prefix=settings.commands.prefix,
            watch=self.watch.look,
            moved=self.conversations.moved,
        )
        self.read_back = ReadBack(
            names=names,
            directory=self.directory,
            ledger=self.ledger,
            heard=Heard(database, settings.homeserver.domain),
            matrix=matrix,
            admit=self.intake.from_matrix,
            every=hooks.look_after,
        )
        self.names = names
        self.metrics = metrics
        self.workspaces = Workspaces(
            settings=settings,
            limits_scale=hooks.limits_scale,
            session=session,
            group=group,
            directory=self.directory,
            roster=self.roster,
            ghosts=ghosts,
            catch_up=self.catch_up,
            intake=self.intake,
            installations=self.installations,
            sockets=self.sockets,
            hurry=self.lanes.hurry,
            tokens=self.app_tokens,
        )

    def wake(self, direction: str, queue: str) -> None:
        """Have a queue looked at."""
        self.lanes.wake(direction, queue)

    async def start(self) -> None:
        """Start listening and working; returns at once, the group's tasks go on."""
        self.group.create_task(self.matrix.read_keys(self.lanes.take_up), name="encryption")
        self.group.create_task(self._serve(), name="listeners")
        self.workspaces.connect()
        await self.workspaces.take_up_unconnected()
        self.group.create_task(self.catch_up.run(self.wake), name="catch-up")
        self.group.create_task(self.bookmarks.run(), name="bookmarks")
        self.group.create_task(self.read_back.run(), name="read back")
        self.group.create_task(self._look_for_requests(), name="requests")
        self.group.create_task(self._clean_up(), name="clean-up")
        self.group.create_task(AuditChain(self.office.store.database).keep_sealed(), name="audit")
        self.group.create_task(self.puppets.run(), name="puppets")
        self.group.create_task(self.hands.run(), name="hands")
        self.group.create_task(self.conversations.run(), name="conversations")
        self.group.create_task(self.app_tokens.run(), name="app tokens")
        self.group.create_task(self.watch.run(), name="room policies")
        self.group.create_task(self.keeping.run(), name="retention")
        self.group.create_task(self.holding.run(), name="holding")
        if self.matrix.encryption is not None:
            self.group.create_task(self.matrix.encryption.give_up_keys(), name="old keys")
        await self.lanes.wake_all()

    # --- the edges

    async def _serve(self) -> None:
        listening = [listeners.for_homeserver(self.settings, self.intake)]
        if self.settings.slack.mode == "events":
            listening.append(listeners.for_slack(self.settings, self.workspaces.signed()))
        if (listen := self.settings.public.listen) is not None:
            consents = [flow for flow in (self.connecting, self.installing) if flow is not None]
            shown = (self.permalinks, self.matrix.media, consents)
            listening.append(listeners.for_the_internet(self.settings, listen, *shown))
        if (listen := self.settings.console.listen) is not None:
            listening.append(listeners.for_admins(listen, self.office, self.metrics, self.signing))
        await listeners.serve(listening, self.hooks.ready)

    # --- small tasks

    async def _look_for_requests(self) -> None:
        """Do what the command line asked for through the store."""
        while True:
            await asyncio.sleep(_LOOK_FOR_REQUESTS)
            try:
                asked = await self.ledger.requests()
            except StoreUnavailable as error:
                log.warning("the store: %s", error)
                continue
            if any(what != LOOK for what, _ in asked):
                await self.workspaces.take_up_unconnected()
                self.directory.forget_portals()
                self.directory.forget_people()
                self.people.forget()
                self.hands.forget()
                self.conversations.hurry()
                self.lanes.hurry()
            for what, queue in asked:
                self.wake(TO_MATRIX if what == LOOK else what, queue)

    async def _clean_up(self) -> None:
        """Forget the names of what was settled long ago; lanes that a lost wake-up left behind are woken too."""
        while True:
            try:
                await self.ledger.purge(_KEPT_MS)
            except BridgeError as error:
                log.warning("old rows could not be forgotten: %s", error)
            await asyncio.sleep(_CLEAN_UP)
