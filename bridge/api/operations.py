"""Everything that the API does, one operation a line; each does what the command of the same name does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.administration import held as held_
from bridge.administration import imports as imports_
from bridge.administration import papers as papers_
from bridge.administration import parked as parked_
from bridge.administration import people as people_
from bridge.administration import portals as portals_
from bridge.administration.accounts import missing_accounts
from bridge.administration.leaving import Destination, destinations
from bridge.administration.papers import ShownPaper
from bridge.administration.people import ShownPerson
from bridge.administration.portals import Change, HeardPortal, ShownPortal
from bridge.administration.running import ShownSetting, in_use
from bridge.administration.status import Status, status
from bridge.api import models
from bridge.api.contract import Operation, Role
from bridge.api.moves import MOVES
from bridge.errors import Declined
from bridge.store.audit import Entry, noted
from bridge.store.registers import Registers
from portals.ids import MatrixUserId, PortalId, SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.administration.acting import Actor
    from bridge.administration.office import Office
    from portals.facts import Portal


async def _status(office: Office, actor: Actor, asked: object, body: None) -> Status:
    return await status(office)


def _page(items: Sequence[Any], limit: int, last: object) -> dict[str, Any]:  # Any: of the page's kind
    return {"items": list(items), "next": str(last) if len(items) >= limit else None}


# --- portals


async def _list_portals(office: Office, actor: Actor, asked: models.OfPortals, body: None) -> dict[str, Any]:
    numbers = await Registers(office.store.database).portals(
        asked.after, asked.limit, state=asked.state or "", search=asked.search
    )
    found = [await office.store.directory.portal(PortalId(number)) for number in numbers]
    listed = await portals_.heard(office.store, [portal for portal in found if portal is not None])
    return _page(listed, asked.limit, numbers[-1] if numbers else 0)


async def _portal(office: Office, asked: models.OfPortal) -> Portal:
    portal = await office.store.directory.portal_of_channel(asked.team, asked.channel)
    if portal is None:
        raise Declined("not_found", f"there is no portal of {asked.team}/{asked.channel}: list them to see all")
    return portal


async def _show_portal(office: Office, actor: Actor, asked: models.OfPortal, body: None) -> HeardPortal:
    return (await portals_.heard(office.store, [await _portal(office, asked)]))[0]


async def _add_portal(office: Office, actor: Actor, asked: object, body: models.NewPortal) -> models.PortalMade:
    team, client = office.workspace(body.workspace)
    made, was_there = await portals_.add(
        office.store, client, team, body.channel, actor, matrix=body.matrix, direction=body.direction
    )
    return models.PortalMade(portal=made, was_there=was_there)


async def _remove_portal(office: Office, actor: Actor, asked: models.OfPortal, body: None) -> ShownPortal:
    return await portals_.change(office.store, await _portal(office, asked), Change.REMOVE, actor)


async def _pause_portal(office: Office, actor: Actor, asked: models.OfPortal, body: None) -> ShownPortal:
    return await portals_.change(office.store, await _portal(office, asked), Change.PAUSE, actor)


async def _resume_portal(office: Office, actor: Actor, asked: models.OfPortal, body: None) -> ShownPortal:
    return await portals_.change(office.store, await _portal(office, asked), Change.RESUME, actor)


# --- parked


async def _list_parked(office: Office, actor: Actor, asked: models.OfParked, body: None) -> dict[str, Any]:
    only = await office.store.find(asked.portal) if asked.portal is not None else None
    found = []
    async for row in parked_.rows(office.store, only, asked.after):
        found.append(await parked_.shown(office.store, row))
        if len(found) >= asked.limit:
            break
    return _page(found, asked.limit, found[-1].number if found else 0)


async def _show_parked(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> models.ParkedWhole:
    row = await parked_.find(office.store, asked.number)
    await office.store.database.commit(noted(str(actor), "read", f"parked {row.seq}", row.source_key))
    return models.ParkedWhole(parked=await parked_.shown(office.store, row), event=parked_.event(row))


async def _retry_parked(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> parked_.ShownParked:
    row = await parked_.find(office.store, asked.number)
    shown = await parked_.shown(office.store, row)
    await parked_.retry(office.store, row, actor)
    return shown


async def _drop_parked(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> parked_.ShownParked:
    row = await parked_.find(office.store, asked.number)
    shown = await parked_.shown(office.store, row)
    await parked_.drop(office.store, row, actor)
    return shown


# --- held


async def _list_held(office: Office, actor: Actor, asked: models.OfHeld, body: None) -> dict[str, Any]:
    only = await office.store.find(asked.portal) if asked.portal is not None else None
    found = []
    async for row in held_.rows(office.store, only, asked.after):
        found.append(await held_.shown(office.store, row))
        if len(found) >= asked.limit:
            break
    return _page(found, asked.limit, found[-1].number if found else 0)


async def _show_held(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> held_.HeldWhole:
    return await held_.read(office.store, await held_.find(office.store, asked.number), actor)


async def _approve_held(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> held_.ShownHeld:
    row = await held_.find(office.store, asked.number)
    await held_.approve(office.store, row, actor)
    return await held_.shown(office.store, row)


async def _refuse_held(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> held_.ShownHeld:
    row = await held_.find(office.store, asked.number)
    await held_.refuse(office.store, row, actor)
    return await held_.shown(office.store, row)


# --- people


async def _list_people(office: Office, actor: Actor, asked: models.OfPeople, body: None) -> dict[str, Any]:
    team = await people_.workspace(office.store, asked.workspace)
    found = await people_.page(office.store, team, asked.after, asked.limit, linked=asked.linked, search=asked.search)
    return _page(found, asked.limit, found[-1].slack_id if found else "")


async def _link(office: Office, actor: Actor, asked: models.OfPerson, body: models.NewLink) -> models.LinkMade:
    is_new = await people_.link(
        office.store,
        TeamId(asked.team),
        SlackUserId(asked.user),
        MatrixUserId(body.matrix_id),
        actor,
        missing=lambda accounts: missing_accounts(office.settings, accounts),
        domain=office.settings.homeserver.domain,
    )
    return models.LinkMade(slack_id=asked.user, matrix_id=body.matrix_id, new=is_new)


async def _unlink(office: Office, actor: Actor, asked: models.OfPerson, body: None) -> models.LinkEnded:
    account = await people_.unlink(office.store, TeamId(asked.team), SlackUserId(asked.user), actor)
    return models.LinkEnded(slack_id=asked.user, matrix_id=account)


# --- imports


async def _list_imports(office: Office, actor: Actor, asked: object, body: None) -> dict[str, Any]:
    found = await office.store.imports.newest(models.MOST)
    return {"items": [await _import_status(office, one.id) for one in found], "next": None}


async def _import_status(office: Office, number: int) -> models.ImportStatus:
    known = await imports_.find(office.store, number)
    return models.ImportStatus.model_validate((await imports_.progress_of(office.store.database, known)).as_json())


async def _show_import(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> models.ImportStatus:
    return await _import_status(office, asked.number)


async def _pause_import(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> models.ImportStatus:
    await imports_.pause(office.store, await imports_.find(office.store, asked.number), actor)
    return await _import_status(office, asked.number)


async def _resume_import(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> models.ImportStatus:
    await imports_.resume(office.store, await imports_.find(office.store, asked.number), actor)
    return await _import_status(office, asked.number)


async def _list_quarantine(office: Office, actor: Actor, asked: models.OfPage, body: None) -> dict[str, Any]:
    found = [one.as_json() for one in await imports_.quarantine(office.store.database)]
    end = asked.after + asked.limit
    return {"items": found[asked.after : end], "next": str(end) if end < len(found) else None}


async def _retry_record(office: Office, actor: Actor, asked: models.OfRecord, body: None) -> models.RecordTried:
    record = imports_.named(await imports_.quarantine(office.store.database), asked.id)
    return models.RecordTried(id=asked.id, stays=(await imports_.release(office.store, [record], actor))[asked.id])


# --- plans and reports


async def _list_papers(office: Office, actor: Actor, asked: models.OfPapers, body: None) -> dict[str, Any]:
    found = await papers_.page(office.store, asked.after, asked.limit)
    return _page(found, asked.limit, found[-1].number if found else 0)


async def _show_paper(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> models.PaperWhole:
    paper, html = await papers_.read(office.store, asked.number, actor)
    return models.PaperWhole(paper=paper, html=html)


async def _drop_paper(office: Office, actor: Actor, asked: models.OfNumber, body: None) -> ShownPaper:
    return await papers_.drop(office.store, asked.number, actor)


async def _list_settings(office: Office, actor: Actor, asked: object, body: None) -> dict[str, Any]:
    return {"items": in_use(office.settings), "next": None}


async def _list_destinations(office: Office, actor: Actor, asked: object, body: None) -> dict[str, Any]:
    return {"items": destinations(office.settings), "next": None}


# --- audit


async def _list_audit(office: Office, actor: Actor, asked: models.OfPage, body: None) -> dict[str, Any]:
    found = await office.store.audit.entries(asked.after, asked.limit)
    return _page(found, asked.limit, found[-1].id if found else 0)


_PORTAL = "/portals/{team}/{channel}"
_LINK = "/people/{team}/{user}/link"

OPERATIONS = (
    Operation("status", "GET", "/status", "How the bridge does.", _status, Status),
    Operation(
        "list_portals", "GET", "/portals", "Portals, and what waits in each.", _list_portals,
        models.Page[HeardPortal], models.OfPortals,
    ),
    Operation(
        "add_portal", "POST", "/portals", "Bridge a channel.", _add_portal, models.PortalMade,
        body=models.NewPortal, role=Role.ADMIN, status=201,
    ),
    Operation("show_portal", "GET", _PORTAL, "One portal.", _show_portal, HeardPortal, models.OfPortal),
    Operation(
        "remove_portal", "DELETE", _PORTAL, "End a portal; nothing is deleted on either side.", _remove_portal,
        ShownPortal, models.OfPortal, role=Role.ADMIN,
    ),
    Operation(
        "pause_portal", "POST", f"{_PORTAL}/pause", "Keep everything that comes, relay nothing.", _pause_portal,
        ShownPortal, models.OfPortal, role=Role.ADMIN,
    ),
    Operation(
        "resume_portal", "POST", f"{_PORTAL}/resume", "Go on with a paused portal.", _resume_portal,
        ShownPortal, models.OfPortal, role=Role.ADMIN,
    ),
    Operation(
        "list_parked", "GET", "/parked", "What could not be delivered; never what it says.", _list_parked,
        models.Page[parked_.ShownParked], models.OfParked,
    ),
    Operation(
        "show_parked", "GET", "/parked/{number}", "One parked message whole, which the audit log notes.",
        _show_parked, models.ParkedWhole, models.OfNumber, role=Role.ADMIN,
    ),
    Operation(
        "drop_parked", "DELETE", "/parked/{number}", "Give a parked message up for good.", _drop_parked,
        parked_.ShownParked, models.OfNumber, role=Role.ADMIN,
    ),
    Operation(
        "retry_parked", "POST", "/parked/{number}/retry", "Try to deliver a parked message again.", _retry_parked,
        parked_.ShownParked, models.OfNumber, role=Role.ADMIN,
    ),
    Operation(
        "list_held", "GET", "/held", "What waits for a moderator or for the end of quiet hours; never what it says.",
        _list_held, models.Page[held_.ShownHeld], models.OfHeld,
    ),
    Operation(
        "show_held", "GET", "/held/{number}", "One message that waits, whole, which the audit log notes.", _show_held,
        held_.HeldWhole, models.OfNumber, role=Role.ADMIN,
    ),
    Operation(
        "approve_held", "POST", "/held/{number}/approve", "Let a message that waits go.", _approve_held,
        held_.ShownHeld, models.OfNumber, role=Role.ADMIN,
    ),
    Operation(
        "refuse_held", "POST", "/held/{number}/refuse", "Refuse a message that waits, for good.", _refuse_held,
        held_.ShownHeld, models.OfNumber, role=Role.ADMIN,
    ),
    Operation(
        "list_people", "GET", "/people", "Slack's people and their Matrix accounts.", _list_people,
        models.Page[ShownPerson], models.OfPeople,
    ),
    Operation(
        "link_person", "PUT", _LINK, "Link a person to an account.", _link, models.LinkMade, models.OfPerson,
        models.NewLink, Role.ADMIN,
    ),
    Operation(
        "unlink_person", "DELETE", _LINK, "End the link of a person.", _unlink, models.LinkEnded, models.OfPerson,
        role=Role.ADMIN,
    ),
    Operation(
        "list_imports", "GET", "/imports", "Imports, the newest first.", _list_imports,
        models.Page[models.ImportStatus],
    ),
    Operation(
        "show_import", "GET", "/imports/{number}", "One import.", _show_import, models.ImportStatus, models.OfNumber
    ),
    Operation(
        "pause_import", "POST", "/imports/{number}/pause", "Admit no more of an import.", _pause_import,
        models.ImportStatus, models.OfNumber, role=Role.ADMIN,
    ),
    Operation(
        "resume_import", "POST", "/imports/{number}/resume", "Let an import go on.", _resume_import,
        models.ImportStatus, models.OfNumber, role=Role.ADMIN,
    ),
    Operation(
        "list_quarantine", "GET", "/quarantine", "Records that could not be taken; never what they say.",
        _list_quarantine, models.Page[models.QuarantinedRecord], models.OfPage,
    ),
    Operation(
        "retry_record", "POST", "/quarantine/{id}/retry", "Try a record again.", _retry_record, models.RecordTried,
        models.OfRecord, role=Role.ADMIN,
    ),
    Operation(
        "list_papers", "GET", "/papers", "Plans of imports and reports on them, the newest first; never what they say.",
        _list_papers, models.Page[ShownPaper], models.OfPapers,
    ),
    Operation(
        "show_paper", "GET", "/papers/{number}", "One plan or report whole, which the audit log notes.", _show_paper,
        models.PaperWhole, models.OfNumber, role=Role.ADMIN,
    ),
    Operation(
        "drop_paper", "DELETE", "/papers/{number}", "Forget a plan or report for good.", _drop_paper, ShownPaper,
        models.OfNumber, role=Role.ADMIN,
    ),
    *MOVES,
    Operation(
        "list_destinations", "GET", "/leaving", "What leaves this house: where the bridge connects to, with what.",
        _list_destinations, models.Page[Destination], role=Role.ADMIN,
    ),
    Operation(
        "list_settings", "GET", "/settings", "The settings in use, without what is secret.", _list_settings,
        models.Page[ShownSetting], role=Role.ADMIN,
    ),
    Operation(
        "list_audit", "GET", "/audit", "Who did what, the earliest first.", _list_audit, models.Page[Entry],
        models.OfPage, role=Role.ADMIN,
    ),
)  # fmt: skip
