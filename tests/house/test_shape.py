"""The shape of the house: what lies at the top, how big a file may grow, which names say nothing, who catches all."""

from __future__ import annotations

import ast

from tests.house.sources import ROOMS, ROOT, files, sources

AT_THE_TOP = {
    ".ci", ".dockerignore", ".editorconfig", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
    "README.md", "SECURITY.md", "bridge", "config", "docker", "portals", "pyproject.toml", "requirements-dev.lock",
    "requirements.lock", "tests",
}  # fmt: skip
MOST_LINES = 450
SAYING_NOTHING = {"util", "utils", "helper", "helpers", "manager", "managers", "base", "misc", "common", "stuff"}
# A defect in one row must not end the others: it is logged and the row is parked.
CATCHES_ALL = "bridge/work/lanes.py"


def test_nothing_else_lies_at_the_top() -> None:
    assert {path.parts[0] for path in files()} <= AT_THE_TOP


def test_no_file_grows_past_what_one_can_hold_in_mind() -> None:
    every = sources(*ROOMS, "tests")
    sizes = {str(source.path): len((ROOT / source.path).read_text().splitlines()) for source in every}
    assert {path: size for path, size in sizes.items() if size > MOST_LINES} == {}


def test_no_module_is_named_after_nothing() -> None:
    nameless = [str(s.path) for s in sources(*ROOMS, "tests") if set(s.module.split(".")) & SAYING_NOTHING]
    assert nameless == []


def test_every_module_says_what_it_promises() -> None:
    silent = [str(source.path) for source in sources(*ROOMS) if source.tree.body and not ast.get_docstring(source.tree)]
    assert silent == []


def test_only_one_file_swallows_whatever_comes() -> None:
    found = {str(source.path) for source in sources(*ROOMS) if any(map(_swallows, ast.walk(source.tree)))}
    assert found <= {CATCHES_ALL}


def _swallows(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        return _catches_all(node) and not _passes_on(node)
    return _suppresses_all(node)


def _catches_all(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or _is_everything(each) for each in caught)


def _passes_on(handler: ast.ExceptHandler) -> bool:
    """Whether it only tidies up, or sorts out, and raises again."""
    return any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))


def _suppresses_all(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] == "suppress"
        and any(map(_is_everything, node.args))
    )


def _is_everything(name: ast.expr) -> bool:
    return isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"}
