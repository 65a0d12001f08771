"""The operations on channels that move to Matrix for good: planned, ordered as on the command line, and looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.administration import moves
from bridge.administration.cutover import Order
from bridge.administration.moves import ShownMove
from bridge.administration.moving import ShownOrder
from bridge.api import models
from bridge.api.contract import Operation, Role
from portals.cutover import Command, Wish

if TYPE_CHECKING:
    from bridge.administration.acting import Actor
    from bridge.administration.office import Office

    Answer = dict[str, Any]  # Any: of the page's kind


async def _list(office: Office, actor: Actor, asked: models.OfPage, body: None) -> Answer:
    found = await moves.page(office.store, asked.after, asked.limit)
    return {"items": found, "next": str(asked.after + asked.limit) if len(found) >= asked.limit else None}


async def _list_orders(office: Office, actor: Actor, asked: object, body: None) -> Answer:
    return {"items": office.moving.orders(), "next": None}


async def _plan(office: Office, actor: Actor, asked: object, body: models.OfPlan) -> Answer:
    plans = await office.moving.plan(body.channels, Wish(body.topic, body.archive))
    return {"items": [models.MovePlan.model_validate(one) for one in plans], "next": None}


async def _announce(office: Office, actor: Actor, asked: object, body: models.Announcement) -> Answer:
    order = Order(Command.ANNOUNCE, " ".join(body.date.split()))
    return await _ordered(office, actor, body, order)


async def _freeze(office: Office, actor: Actor, asked: object, body: models.Freeze) -> Answer:
    order = Order(Command.FREEZE, wish=Wish(body.topic, body.archive), anyway=body.anyway)
    return await _ordered(office, actor, body, order)


async def _finish(office: Office, actor: Actor, asked: object, body: models.Finish) -> Answer:
    order = Order(Command.FINISH, accept_differences=body.accept_differences)
    return await _ordered(office, actor, body, order, report=body.report)


async def _revert(office: Office, actor: Actor, asked: object, body: models.Ordered) -> Answer:
    return await _ordered(office, actor, body, Order(Command.REVERT))


async def _ordered(office: Office, actor: Actor, body: models.Ordered, order: Order, *, report: bool = True) -> Answer:
    lines = await office.moving.order(body.channels, order, actor, report=report, patience=body.wait)
    return {"items": lines, "next": None}


_ORDERS = models.Page[ShownOrder]

MOVES = (
    Operation(
        "list_moves", "GET", "/moves", "Channels that move to Matrix for good, and each step.", _list,
        models.Page[ShownMove], models.OfPage,
    ),
    Operation(
        "list_orders", "GET", "/moves/orders",
        "What was ordered here since the bridge started, and what became of it, the newest first.", _list_orders,
        _ORDERS,
    ),
    Operation(
        "plan_moves", "POST", "/moves/plan", "What moves would do, and what stands against them; nothing is changed.",
        _plan, models.Page[models.MovePlan], body=models.OfPlan, role=Role.ADMIN,
    ),
    Operation(
        "announce_moves", "POST", "/moves/announce", "Tell channels and their rooms when they will move.", _announce,
        _ORDERS, body=models.Announcement, role=Role.ADMIN, status=202,
    ),
    Operation(
        "freeze_moves", "POST", "/moves/freeze", "Bring the rest across, then relay nothing more to Slack.", _freeze,
        _ORDERS, body=models.Freeze, role=Role.ADMIN, status=202,
    ),
    Operation(
        "finish_moves", "POST", "/moves/finish", "Prove moves, attach the reports, and end them for good.", _finish,
        _ORDERS, body=models.Finish, role=Role.ADMIN, status=202,
    ),
    Operation(
        "revert_moves", "POST", "/moves/revert", "Undo moves that are not finished.", _revert, _ORDERS,
        body=models.Ordered, role=Role.ADMIN, status=202,
    ),
)  # fmt: skip
