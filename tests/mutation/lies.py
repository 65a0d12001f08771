"""The lies that can be told about a module's text: comparisons, conditions, numbers, calls left out, SQL turned."""

from __future__ import annotations

import ast
import re
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_SQL = re.compile(r" AND | DESC|<=?|>=?| = (?=\d)|\+ 1")
_TURNED = {" AND ": " OR ", " DESC": "", "<": "<=", "<=": "<", ">": ">=", ">=": ">", " = ": " <> ", "+ 1": "+ 2"}


@dataclass(frozen=True)
class Lie:
    """One change of a module: where, what, and the module as it then is."""

    line: int
    what: str
    tree: ast.Module


def lies(source: str) -> list[Lie]:
    """Return every lie about a module, in the order of its lines."""
    tree = ast.parse(source)
    found = []
    for number, node in enumerate(ast.walk(tree)):
        for what, change in _changes(node):
            copy = deepcopy(tree)
            changed = next(one for place, one in enumerate(ast.walk(copy)) if place == number)
            change(changed)
            found.append(Lie(getattr(node, "lineno", 0), what, ast.fix_missing_locations(copy)))
    return sorted(found, key=lambda lie: lie.line)


def _put(node: Any, value: str) -> None:
    node.value = ast.Constant(value)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """Yield what can be done to a node, and how; the node that is given then is one of a copy."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARED:
            other = _COMPARED[type(op)]
            yield f"{ast.unparse(node)}: {other.__name__}", lambda one: setattr(one, "ops", [other()])
        case ast.BoolOp(op=op):
            turned: ast.boolop = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{ast.unparse(node)}: {type(turned).__name__}", lambda one: setattr(one, "op", turned)
        case ast.If(test=test) | ast.While(test=test) if not isinstance(test, ast.Constant | ast.Compare):
            yield (
                f"if not ({ast.unparse(test)})",
                lambda one: setattr(one, "test", ast.UnaryOp(ast.Not(), one.test)),
            )
        case ast.Constant(value=bool(value)):
            yield f"{value} turned", lambda one: setattr(one, "value", not one.value)
        case ast.Constant(value=int(value)):
            yield f"{value} + 1", lambda one: setattr(one, "value", one.value + 1)
        case ast.Assign(value=ast.Constant(value=str(text))) if " FROM " in text or "UPDATE " in text:
            for found in _SQL.finditer(text):
                new = text[: found.start()] + _TURNED[found[0]] + text[found.end() :]
                what = f"SQL: {text[max(0, found.start() - 30) : found.end() + 12]!r}"
                yield what, partial(_put, value=new)
        case ast.Expr(value=ast.Call() | ast.Await() as call) if not ast.unparse(call).startswith("log."):
            yield f"without {ast.unparse(call)[:70]}", lambda one: setattr(one, "value", ast.Constant(None))
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield f"return None for {ast.unparse(value)[:60]}", lambda one: setattr(one, "value", ast.Constant(None))
