"""What stands in the store at this moment, in Prometheus' terms: read when it is asked for, not counted on the way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bridge.administration.imports import progress_of
from bridge.store.imports import Imports, ImportState
from bridge.store.ledger import COMMANDS, TO_MATRIX, TO_SLACK
from bridge.store.tally import tally
from portals.facts import PortalState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.observability.health import Health, WorkspaceHealth
    from bridge.store.database import Database
    from bridge.store.tally import Tally
    from portals.history.progress import Progress


@dataclass(frozen=True, slots=True)
class Standing:
    """The store and the connections at one moment."""

    tally: Tally
    imports: Sequence[Progress]
    workspaces: Sequence[WorkspaceHealth]
    walking: int


async def standing(database: Database, health: Health) -> Standing:
    """Read how things stand; raises StoreUnavailable."""
    open_imports = [one for one in await Imports(database).newest() if one.state is not ImportState.DONE]
    return Standing(
        tally=await tally(database),
        imports=[await progress_of(database, one) for one in open_imports],
        workspaces=health.workspaces(),
        walking=health.walking,
    )


def text(now: Standing) -> bytes:
    """Return the gauges as Prometheus reads them; an import that is done has none."""
    registry = CollectorRegistry()

    def gauge(name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(f"causeway_{name}", help_text, labels, registry=registry)

    rows = gauge("queue_rows", "Rows that wait to be relayed, and commands that wait for their answer.", "direction")
    oldest = gauge("queue_oldest_seconds", "Age of the oldest row that waits; 0 when none does.", "direction")
    aside = gauge("parked_rows", "Rows that are parked now.", "direction")
    at_ms = time.time_ns() // 1_000_000
    for direction in (TO_MATRIX, TO_SLACK, COMMANDS):
        count, since = now.tally.waiting.get(direction, (0, at_ms))
        rows.labels(direction).set(count)
        oldest.labels(direction).set(max(at_ms - since, 0) / 1000)
        aside.labels(direction).set(now.tally.parked.get(direction, 0))
    gauge("held_messages", "Messages that wait for a moderator, or for the end of quiet hours.").set(now.tally.held)
    portals = gauge("portals", "Portals by their state.", "state")
    for state in PortalState:
        portals.labels(state).set(now.tally.portals.get(state, 0))
    gauge("portals_in_trouble", "Portals that cannot be opened or looked back over.").set(now.tally.troubled)
    gauge("portals_off_policy", "Portals whose rooms are not as their policies want them.").set(now.tally.departing)
    behind = gauge("portals_catching_up", "Portals that are to look back over an interruption.", "workspace")
    for team, count in now.tally.behind.items():
        behind.labels(team).set(count)
    gauge("people", "People of Slack whom the bridge has met.").set(now.tally.people)
    gauge("people_linked", "People who are linked to an account of their own.").set(now.tally.linked)
    gauge("queues_walked", "Queues that are worked on now.").set(now.walking)
    sockets = gauge("slack_sockets", "Open connections of Socket Mode.", "workspace")
    wanted = gauge("slack_sockets_wanted", "Connections of Socket Mode that there should be.", "workspace")
    up = gauge("workspace_up", "Whether Slack can deliver (1) or not (0).", "workspace")
    for one in now.workspaces:
        sockets.labels(one.name).set(one.connected)
        wanted.labels(one.name).set(one.wanted)
        up.labels(one.name).set(one.is_up)
    _imports(gauge("import_records", "Records of an import that is not done.", "import"), now, "records")
    _imports(gauge("import_shown", "Records of it that are shown by now.", "import"), now, "shown")
    _imports(gauge("import_quarantined", "Records of it in quarantine.", "import"), now, "quarantined")
    return generate_latest(registry)


def _imports(gauge: Gauge, now: Standing, figure: str) -> None:
    for one in now.imports:
        gauge.labels(str(one.number)).set(getattr(one, figure))
