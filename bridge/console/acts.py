"""What the forms of the console do: each does what the command of the same name does, and says what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from bridge.administration import held as held_
from bridge.administration import imports as imports_
from bridge.administration import papers as papers_
from bridge.administration import parked as parked_
from bridge.administration import people as people_
from bridge.administration import portals as portals_
from bridge.administration.accounts import missing_accounts
from bridge.administration.portals import Change
from bridge.console import move_acts
from bridge.errors import Declined
from config.values import MatrixRoom
from portals.facts import Direction
from portals.ids import MatrixUserId, SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bridge.administration.acting import Actor
    from bridge.administration.office import Office
    from portals.facts import Portal

    Form = Mapping[str, str]
    Act = Callable[[Office, Actor, Form], Awaitable[str]]

_NOT_OURS = "this form was not made by the console: go back, load the page anew and try again"


async def _add_portal(office: Office, actor: Actor, form: Form) -> str:
    team, client = office.workspace(_field(form, "workspace") or None)
    try:
        matrix = TypeAdapter(MatrixRoom).validate_python(_field(form, "matrix"))
    except ValidationError:
        raise Declined("bad_request", "write create, or a room's alias (#…:server) or id (!…:server)") from None
    made, was_there = await portals_.add(
        office.store, client, team, _field(form, "channel"), actor, matrix=matrix, direction=_direction(form)
    )
    return f"#{made.name} {'is' if was_there else 'becomes'} a portal: {made.state}"


def _direction(form: Form) -> Direction:
    try:
        return Direction(_field(form, "direction"))
    except ValueError:
        raise Declined("bad_request", _NOT_OURS) from None


def _changes(what: Change) -> Act:
    async def change(office: Office, actor: Actor, form: Form) -> str:
        changed = await portals_.change(office.store, await _portal(office, form), what, actor)
        return f"#{changed.name} is {changed.state}"

    return change


async def _portal(office: Office, form: Form) -> Portal:
    portal = await office.store.directory.portal_of_channel(_field(form, "team"), _field(form, "channel"))
    if portal is None:
        raise Declined("not_found", "there is no such portal any more")
    return portal


async def _retry_parked(office: Office, actor: Actor, form: Form) -> str:
    row = await parked_.find(office.store, _number(form))
    await parked_.retry(office.store, row, actor)
    return f"number {row.seq} is tried again"


async def _drop_parked(office: Office, actor: Actor, form: Form) -> str:
    row = await parked_.find(office.store, _number(form))
    await parked_.drop(office.store, row, actor)
    return f"number {row.seq} is given up"


async def _approve_held(office: Office, actor: Actor, form: Form) -> str:
    row = await held_.find(office.store, _number(form))
    await held_.approve(office.store, row, actor)
    return f"number {row.id} goes its way"


async def _refuse_held(office: Office, actor: Actor, form: Form) -> str:
    row = await held_.find(office.store, _number(form))
    await held_.refuse(office.store, row, actor)
    return f"number {row.id} is refused"


async def _link(office: Office, actor: Actor, form: Form) -> str:
    user, account = _field(form, "user"), _field(form, "account")
    if flaw := people_.flaw_of_id(user):
        raise Declined("bad_request", flaw)
    is_new = await people_.link(
        office.store,
        TeamId(_field(form, "team")),
        SlackUserId(user),
        MatrixUserId(account),
        actor,
        missing=lambda accounts: missing_accounts(office.settings, accounts),
        domain=office.settings.homeserver.domain,
    )
    return f"{user} is {account}" + ("" if is_new else ", as before")


async def _unlink(office: Office, actor: Actor, form: Form) -> str:
    user = _field(form, "user")
    account = await people_.unlink(office.store, TeamId(_field(form, "team")), SlackUserId(user), actor)
    return f"{user} is not {account} any more"


async def _pause_import(office: Office, actor: Actor, form: Form) -> str:
    known = await imports_.find(office.store, _number(form))
    await imports_.pause(office.store, known, actor)
    return f"import {known.id} is paused"


async def _resume_import(office: Office, actor: Actor, form: Form) -> str:
    known = await imports_.find(office.store, _number(form))
    await imports_.resume(office.store, known, actor)
    return f"import {known.id} goes on"


async def _drop_paper(office: Office, actor: Actor, form: Form) -> str:
    dropped = await papers_.drop(office.store, _number(form), actor)
    return f"{dropped.kind} {dropped.number} is forgotten"


async def _retry_record(office: Office, actor: Actor, form: Form) -> str:
    record = imports_.named(await imports_.quarantine(office.store.database), _field(form, "name"))
    stays = (await imports_.release(office.store, [record], actor))[record.name]
    if stays:
        raise Declined("stays", f"{record.name} stays: {stays}")
    return f"{record.name} is tried again"


def _field(form: Form, name: str) -> str:
    value = form.get(name)
    if not isinstance(value, str):
        raise Declined("bad_request", _NOT_OURS)
    return value.strip()


def _number(form: Form) -> int:
    text = _field(form, "number")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Declined("bad_request", _NOT_OURS)
    return int(text)


ACTS: Mapping[str, Act] = {
    "/portals/add": _add_portal,
    "/portals/pause": _changes(Change.PAUSE),
    "/portals/resume": _changes(Change.RESUME),
    "/portals/remove": _changes(Change.REMOVE),
    "/parked/retry": _retry_parked,
    "/parked/drop": _drop_parked,
    "/held/approve": _approve_held,
    "/held/refuse": _refuse_held,
    "/people/link": _link,
    "/people/unlink": _unlink,
    "/imports/pause": _pause_import,
    "/imports/resume": _resume_import,
    "/quarantine/retry": _retry_record,
    "/papers/drop": _drop_paper,
    "/moves/announce": move_acts.announce,
    "/moves/freeze": move_acts.freeze,
    "/moves/finish": move_acts.finish,
    "/moves/revert": move_acts.revert,
}
"""By the address that a form is sent to; the page to go back to is the first part of it, but for the quarantine."""


def back_from(path: str) -> str:
    """Return the page that shows what an act changed."""
    page = f"/{path.split('/')[1]}"
    return "/imports" if page == "/quarantine" else page
