"""What each page of the console shows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from bridge.administration import held as held_
from bridge.administration import imports as imports_
from bridge.administration import parked as parked_
from bridge.administration import people as people_
from bridge.administration.portals import listed
from bridge.administration.running import in_use
from bridge.administration.status import Status, status
from bridge.administration.times import age
from bridge.errors import Declined
from bridge.store.audit import noted
from bridge.store.registers import Registers
from portals.facts import PortalState
from portals.ids import PortalId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.administration.acting import Actor
    from bridge.administration.office import Office
    from bridge.administration.portals import ListedPortal

    Values = dict[str, Any]  # Any: whatever a template shows
    Query = Mapping[str, str]

ROWS = 50
_MOST_TROUBLED = 20


class Views:
    """Gathers, from the office, what templates show."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store
        self._registers = Registers(office.store.database)

    async def overview(self) -> Values:
        """Everything in one look."""
        now = await status(self._office)
        troubled = await self._registers.troubled(_MOST_TROUBLED)
        return {"now": now, "figures": self._figures(now), "troubled": troubled}

    async def live(self) -> dict[str, str]:
        """Return what of the overview changes while it is looked at."""
        return self._figures(await status(self._office))

    def _figures(self, now: Status) -> dict[str, str]:
        found = {
            "ready": "ready" if now.ready else "not ready",
            "walking": str(self._office.health.walking),
            "portals": f"{sum(count for state, count in now.portals.items() if state != 'removed'):,}",
            "troubled": f"{now.portals_in_trouble:,}",
            "departing": f"{now.portals_off_policy:,}",
            "held": f"{now.held:,}",
            "people": f"{now.people:,}",
            "linked": f"{now.people_linked:,}",
        }
        for name, direction in (("to_matrix", now.to_matrix), ("to_slack", now.to_slack), ("commands", now.commands)):
            found[f"{name}.waiting"] = f"{direction.waiting:,}"
            found[f"{name}.oldest"] = age(direction.seconds) if direction.waiting else "none"
            found[f"{name}.parked"] = f"{direction.parked:,}"
        return found

    async def portals(self, query: Query) -> Values:
        """A page of portals, with what waits in each and when it was last heard of."""
        state, search = query.get("state", ""), query.get("search", "")
        numbers = await self._registers.portals(number_in(query.get("after")), ROWS, state=state, search=search)
        found = [await self._store.directory.portal(PortalId(number)) for number in numbers]
        portals = [portal for portal in found if portal is not None]
        shown: Sequence[ListedPortal] = await listed(self._store, portals)
        times = [await self._registers.last_message(portal.id) for portal in portals]
        return {
            "rows": list(zip(shown, times, strict=True)),
            "states": [str(one) for one in PortalState],
            "state": state,
            "search": search,
            "workspaces": [one.name for one in self._office.health.workspaces()],
            "next": _next("/portals", numbers, ROWS, state=state, search=search),
        }

    async def people(self, query: Query) -> Values:
        """A page of people."""
        known = await self._store.people.workspaces()
        wanted, search, linked = query.get("workspace", ""), query.get("search", ""), query.get("linked", "")
        team = next((one for one in known if one == wanted), next(iter(known), None))
        only = {"yes": True, "no": False}.get(linked)
        rows = (
            await people_.page(self._store, team, query.get("after", ""), ROWS, linked=only, search=search)
            if team is not None
            else []
        )
        ids = [one.slack_id for one in rows]
        return {
            "known": known,
            "team": team,
            "search": search,
            "linked": linked,
            "rows": rows,
            "next": _next("/people", ids, ROWS, workspace=team or "", search=search, linked=linked),
        }

    async def imports(self, query: Query) -> Values:
        """Imports, the newest first, and a page of the quarantine."""
        newest = await self._store.imports.newest(ROWS)
        kept, start = await imports_.quarantine(self._store.database), number_in(query.get("after"))
        return {
            "rows": [await imports_.progress_of(self._store.database, one) for one in newest],
            "kept": kept[start : start + ROWS],
            "next": f"/imports?after={start + ROWS}" if len(kept) > start + ROWS else None,
        }

    async def parked(self, query: Query) -> Values:
        """A page of parked messages."""
        rows = []
        async for row in parked_.rows(self._store, None, number_in(query.get("after"))):
            rows.append(await parked_.shown(self._store, row))
            if len(rows) == ROWS:
                break
        return {"rows": rows, "next": _next("/parked", [one.number for one in rows], ROWS)}

    async def parked_one(self, number: int, actor: Actor) -> Values:
        """One parked message with its content, which the audit log notes; raises Declined."""
        row = await parked_.find(self._store, number)
        await self._store.database.commit(noted(str(actor), "read", f"parked {row.seq}", row.source_key))
        event = json.dumps(parked_.event(row), indent=2, ensure_ascii=False)
        return {"one": asdict(await parked_.shown(self._store, row)), "event": event}

    async def held(self, query: Query) -> Values:
        """A page of messages that wait for a moderator, or for the end of quiet hours."""
        rows = []
        async for row in held_.rows(self._store, None, number_in(query.get("after"))):
            rows.append(await held_.shown(self._store, row))
            if len(rows) == ROWS:
                break
        return {"rows": rows, "next": _next("/held", [one.number for one in rows], ROWS)}

    async def held_one(self, number: int, actor: Actor) -> Values:
        """One message that waits with its content, which the audit log notes; raises Declined."""
        whole = await held_.read(self._store, await held_.find(self._store, number), actor)
        event = json.dumps(whole.event, indent=2, ensure_ascii=False)
        return {"one": asdict(whole.held), "says": whole.says, "event": event}

    async def audit(self, query: Query) -> Values:
        """A page of the audit log, the newest first."""
        rows = await self._registers.audit_before(number_in(query.get("before")) or 2**62, ROWS)
        return {"rows": rows, "next": f"/audit?before={rows[-1].id}" if len(rows) == ROWS else None}

    def settings(self) -> Values:
        """The settings as they are in use, without what is secret."""
        return {"rows": [(one.name, one.value) for one in in_use(self._office.settings)]}


def number_in(text: str | None) -> int:
    """Return the number in a query; raises Declined."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Declined("bad_request", "the address was changed by hand to something that names no page: begin anew")
    return int(text)


def _next(path: str, keys: Sequence[object], limit: int, **query: str) -> str | None:
    if len(keys) < limit:
        return None
    return f"{path}?{urlencode({**{name: value for name, value in query.items() if value}, 'after': keys[-1]})}"
