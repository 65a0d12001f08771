"""What the forms of moves to Matrix do: each gives the order of its name, once whoever sends it says to be sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.administration.cutover import Order
from bridge.console.records import channels_in
from bridge.errors import Declined
from portals.cutover import Command, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.administration.acting import Actor
    from bridge.administration.moving import ShownOrder
    from bridge.administration.office import Office

    Form = Mapping[str, str]


async def announce(office: Office, actor: Actor, form: Form) -> str:
    """Tell both sides when channels will move."""
    return await _ordered(office, actor, form, Order(Command.ANNOUNCE, " ".join(form.get("date", "").split())))


async def freeze(office: Office, actor: Actor, form: Form) -> str:
    """Bring the rest of channels across, then relay nothing more to Slack."""
    _be_sure(form)
    wish = Wish(topic=form.get("topic") != "no", archive=_is_set(form, "archive"))
    return await _ordered(office, actor, form, Order(Command.FREEZE, wish=wish, anyway=_is_set(form, "anyway")))


async def finish(office: Office, actor: Actor, form: Form) -> str:
    """Prove moves, and end them for good."""
    _be_sure(form)
    order = Order(Command.FINISH, accept_differences=_is_set(form, "accept_differences"))
    return await _ordered(office, actor, form, order, report=not _is_set(form, "no_report"))


async def revert(office: Office, actor: Actor, form: Form) -> str:
    """Undo moves that are not finished."""
    _be_sure(form)
    return await _ordered(office, actor, form, Order(Command.REVERT))


def _is_set(form: Form, name: str) -> bool:
    return form.get(name) == "yes"


def _be_sure(form: Form) -> None:
    if not _is_set(form, "sure"):
        raise Declined("not_sure", "nothing was done: say that you are sure, by the box above the button")


async def _ordered(office: Office, actor: Actor, form: Form, order: Order, *, report: bool = True) -> str:
    """Give an order, and tell what is known of it by now; raises Declined where it failed for any channel."""
    lines = await office.moving.order(channels_in(form.get("channels", "")), order, actor, report=report)
    words = "; ".join(map(_told, lines))
    if any(one.error for one in lines):
        raise Declined("failed", words)
    return words


def _told(line: ShownOrder) -> str:
    if line.error:
        return f"#{line.name}: {line.error}"
    return f"#{line.name} {line.said}" if line.ended else f"#{line.name}: {line.command} is being carried out"
