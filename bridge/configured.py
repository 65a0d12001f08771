"""Settings become what the parts want to know: each part is told its own share, in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.matrix.client import MatrixClient
from bridge.matrix.encryption.door import Encryption, Options
from bridge.matrix.wire import Puppeting
from bridge.work.catch_up import Reach
from bridge.work.rooms import Shape
from portals.avatars import AvatarAddresses, key_from
from portals.commands.levels import Level, Rights
from portals.facts import Direction, Rules
from portals.ids import GhostNames, MatrixUserId
from portals.people.puppets import is_puppet
from portals.policy import Mapped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp import ClientMiddlewareType

    import config.settings as configured
    from bridge.matrix.wire import Wire
    from bridge.store.database import Database
    from config.settings import Settings


def names_from(settings: Settings) -> GhostNames:
    """Return the names on this homeserver."""
    return GhostNames(
        domain=settings.homeserver.domain,
        bot_localpart=settings.appservice.bot_localpart,
        ghost_template=settings.appservice.ghost_localpart,
        alias_template=settings.appservice.alias_localpart,
    )


def rules_from(settings: Settings) -> Rules:
    """Return what the configuration says about relaying."""
    return Rules(
        allow_room_mention=settings.relay.allow_room_mention,
        allow_broadcast=settings.relay.allow_broadcast,
        reply_style=settings.relay.reply,
        topic_to_slack=settings.relay.topic,
        name_template=settings.relay.name,
        max_file_size=settings.files.max_size,
        refused_types=settings.files.deny,
        allowed_types=settings.files.allow,
        avatars=avatars_from(settings),
        invite=settings.people.invite,
        moved=settings.cutover.stray,
    )


def rights_from(settings: Settings) -> Rights:
    """Return who may give the bot commands, and how."""
    rules = {rule.who: Level[rule.level.upper()] for rule in settings.permissions.rules}
    return Rights(rules, settings.admins, settings.commands.prefix)


def avatars_from(settings: Settings) -> AvatarAddresses | None:
    """Return where Slack finds avatars, None where they are not shown."""
    public = settings.public
    if not public.avatars or public.url is None:
        return None
    return AvatarAddresses(public.url, key_from(settings.appservice.hs_token.reveal()))


def puppeting_from(settings: Settings) -> Puppeting | None:
    """Return what lets the bridge act as people's own accounts, None where that is switched off."""
    puppet = settings.double_puppet
    if puppet.as_token is None:
        return None
    accounts = puppet.accounts or (f"@*:{settings.homeserver.domain}",)
    return Puppeting(puppet.as_token.reveal(), accounts, names_from(settings).is_ours)


def client_from(
    settings: Settings,
    database: Database,
    connections: int = 32,
    around: Sequence[ClientMiddlewareType] = (),
    *,
    aside: bool = False,
) -> MatrixClient:
    """Return a client that encrypts and decrypts: the bridge's, or that of a process aside of it.

    Made inside a running event loop.
    """
    return MatrixClient(
        settings.homeserver.address,
        settings.appservice.as_token.reveal(),
        names_from(settings).bot,
        connections=connections,
        verify_tls=settings.homeserver.verify_tls,
        puppeting=puppeting_from(settings),
        door=_door_from(settings, database, aside),
        bot_is_sender=settings.bot_is_sender,
        around=around,
    )


def _door_from(settings: Settings, database: Database, aside: bool) -> Callable[[Wire], Encryption]:
    """Return what builds the door to encryption on the client's wire."""
    chosen, puppeting, names = settings.encryption, puppeting_from(settings), names_from(settings)
    options = Options(
        key=chosen.key.reveal() if chosen.key is not None else None,
        bot=names.bot,
        is_ours=names.is_ours,
        acts_as=lambda user: puppeting is not None and is_puppet(MatrixUserId(user), puppeting.accounts, names.domain),
        ghosts=chosen.ghosts,
        otherwise=frozenset(chosen.otherwise),
        all_devices=chosen.devices == "all",
        aside=aside,
        keep_ms=int(chosen.keep.total_seconds() * 1000),
    )
    return lambda wire: Encryption(wire, database, options)


def reach_from(settings: Settings) -> Reach:
    """Return how far a look back over Slack's history reaches."""
    chosen = settings.catch_up
    return Reach(chosen.look_back.total_seconds(), chosen.messages, chosen.threads, chosen.thread_age.total_seconds())


def shape_from(settings: Settings) -> Shape:
    """Return how rooms are made."""
    rooms = settings.rooms
    return Shape(
        space=rooms.space,
        space_name=rooms.space_name,
        join_rule=rooms.join_rule,
        history_visibility=rooms.history_visibility,
        federate=rooms.federate,
        servers=rooms.servers,
        encryption=rooms.encryption,
        room_mentions=settings.relay.allow_room_mention,
        invite=tuple(MatrixUserId(user) for user in rooms.invite),
        admins=settings.admins,
        bot_name=settings.appservice.bot_display_name,
    )


def mapped_from(line: configured.Mapping) -> Mapped:
    """Return one line of the mapping."""
    return Mapped(line.workspace or "", line.slack, line.matrix, Direction(line.direction))
