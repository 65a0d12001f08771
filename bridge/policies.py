"""The policies of the configuration, as decisions know them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.work.scanning import Customs, scanner_from
from config.holding import read_hours
from portals.crossing.policies import Policies
from portals.crossing.policy import Globs, Kind, Policy, Standing
from portals.crossing.quiet import LOUD, Quiet, Span, Then
from portals.crossing.rooms import Joining, Reading, RoomPolicy
from portals.crossing.waiting import Hold

if TYPE_CHECKING:
    from collections.abc import Callable

    import config.policy as configured
    from config.settings import Settings
    from portals.facts import Portal
    from portals.ids import TeamId


def policies_from(settings: Settings) -> Policies:
    """Return all policies, and which channels have one of their own."""
    return Policies(
        {one.name: policy_from(one) for one in settings.policies},
        {(one.workspace or "", one.slack): one.policy for one in settings.portals.map if one.policy is not None},
        {one.name: one.policy for one in settings.slack.workspaces if one.policy is not None},
    )


def policy_of(settings: Settings, name_of: Callable[[TeamId], str | None]) -> Callable[[Portal], Policy | None]:
    """Return what tells the policy of a portal: None while nobody knows what its workspace is called.

    `name_of` returns the name in the configuration of a workspace that is connected; it is asked only if there are
    several.
    """
    policies = policies_from(settings)
    names = {workspace.name for workspace in settings.slack.workspaces}
    only = (names or {""}).pop() if len(names) < 2 else None

    def of(portal: Portal) -> Policy | None:
        name = only if only is not None else name_of(portal.team)
        return None if name is None else policies.of(name, portal.channel)

    return of


def policy_from(said: configured.Policy) -> Policy:
    """Return one policy."""
    standings = {
        Standing.MEMBER: said.slack.members,
        Standing.GUEST: said.slack.guests,
        Standing.BOT: said.slack.bots,
        Standing.STRANGER: said.slack.strangers,
    }
    welcome = frozenset(standing for standing, is_welcome in standings.items() if is_welcome)
    return Policy(
        name=said.name,
        power_level=said.matrix.power_level,
        matrix_users=Globs(said.matrix.users, said.matrix.deny_users),
        servers=Globs(said.matrix.servers, said.matrix.deny_servers),
        standings=frozenset(Standing) if len(welcome) == len(standings) else welcome,
        slack_users=Globs(said.slack.users, said.slack.deny_users),
        kinds=frozenset(map(Kind, said.kinds)),
        file_types=Globs(said.files.types, said.files.deny_types),
        file_names=Globs(said.files.names, said.files.deny_names),
        max_file_size=said.files.max_size,
        domains=Globs(said.links),
        words=said.words,
        line=said.line,
        hold=Hold(
            words=said.hold.words,
            room=said.hold.room or "",
            power_level=said.hold.power_level,
            within_ms=int(said.hold.within.total_seconds() * 1000),
        ),
        quiet=Quiet(
            spans=tuple(Span(*read_hours(hours)) for hours in said.quiet.hours),
            zone=ZoneInfo(said.quiet.zone),
            place=said.quiet.zone,
            then=Then(said.quiet.then),
        )
        if said.quiet.hours
        else LOUD,
        banner=said.banner,
        room=RoomPolicy(
            federates=said.room.federate,
            servers=said.room.servers,
            joining=frozenset(map(Joining, said.room.join)),
            guests=said.room.guests,
            reading=Reading(said.room.history_visibility),
            keep_ms=int(said.keep.total_seconds() * 1000),
            mends=said.room.when_it_departs == "mend",
        ),
    )


def customs_from(settings: Settings) -> Customs:
    """Return what looks at files before they cross."""
    scanner = settings.files.scanner
    found = scanner_from(scanner, settings.secrets())
    return Customs(found, settings.files.max_size, fails_open=scanner.when_it_fails == "let_through")
