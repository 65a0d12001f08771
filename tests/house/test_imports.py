"""Imports point one way: portals decides and touches nothing, config says how, bridge does; tests stay outside."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions

import pytest

from tests.house.sources import ROOMS, ROOT, Source, imports, sources

# Besides the standard library and the room itself.
MAY_IMPORT = {
    "portals": {"selectolax", "markdown_it"},
    "config": {"ruamel", "pydantic", "pydantic_core"},
}
# The parts of the standard library that reach out into the world, wait for it, or roll dice.
WORLDLY = {
    "asyncio", "concurrent", "ctypes", "http", "logging", "multiprocessing", "os", "random", "secrets", "selectors",
    "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "uuid",
}  # fmt: skip
# Distributions whose modules come with a declared one by that one's own promise.
COMES_WITH = {"pydantic-core": "pydantic"}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_its_law_allows(room: str) -> None:
    allowed = MAY_IMPORT[room] | {room} | sys.stdlib_module_names
    breaches = [each for source in sources(room) for each in imports(source) if _top(each.target) not in allowed]
    assert not breaches, "\n".join(map(str, breaches))


def test_the_product_never_imports_its_tests() -> None:
    breaches = [each for source in sources(*ROOMS) for each in imports(source) if _top(each.target) == "tests"]
    assert not breaches, "\n".join(map(str, breaches))


def test_portals_touch_nothing_of_the_world() -> None:
    breaches = [each for source in sources("portals") for each in imports(source) if _top(each.target) in WORLDLY]
    assert not breaches, "\n".join(map(str, breaches))


def test_nothing_in_portals_waits() -> None:
    waiting = ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await
    breaches = [
        f"{source.path}:{node.lineno}"
        for source in sources("portals")
        for node in ast.walk(source.tree)
        if isinstance(node, waiting)
    ]
    assert not breaches, "\n".join(breaches)


def test_no_module_imports_itself_by_a_detour() -> None:
    every = sources(*ROOMS)
    modules = {source.module for source in every}
    graph = {source.module: _needed_modules(source, modules) for source in every}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(" needs ".join(reversed(cycle.args[1])))


def test_what_the_product_imports_is_declared_and_what_is_declared_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {_normal(re.split(r"[\s<>=!~;\[]", each, maxsplit=1)[0]) for each in project["dependencies"]}
    owners = packages_distributions()
    imported = {
        COMES_WITH.get(name, name)
        for source in sources(*ROOMS)
        for each in imports(source)
        if (top := _top(each.target)) not in sys.stdlib_module_names and top not in ROOMS
        for name in {_normal(owner) for owner in owners.get(top, [top])}
    }
    assert declared == imported


def _needed_modules(source: Source, modules: set[str]) -> set[str]:
    """The modules of the product that a file imports, for types too: a knot that is untied at run time is a knot."""
    needed = set()
    for each in imports(source):
        target = each.target
        while target and target not in modules:
            target = target.rpartition(".")[0]
        if target and target != source.module:
            needed.add(target)
    return needed


def _top(target: str) -> str:
    return target.partition(".")[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
