"""The repository as the laws read it: which files there are, and what each module imports."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("portals", "config", "bridge")


@dataclass(frozen=True)
class Source:
    """One Python file; `module` is its dotted name, a package goes by its own."""

    path: Path
    module: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class Import:
    """One imported name; `target` is the module, or the module and the name in it."""

    source: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


@cache
def files() -> tuple[Path, ...]:
    """Every file that belongs to the repository or could be added to it, relative to its top."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(sorted({Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()}))


@cache
def sources(*rooms: str) -> tuple[Source, ...]:
    """The Python files of these top-level packages."""
    chosen = [path for path in files() if path.suffix == ".py" and path.parts[0] in rooms]
    return tuple(Source(path, _module(path), ast.parse((ROOT / path).read_text(), str(path))) for path in chosen)


def imports(source: Source) -> list[Import]:
    """What a file imports, at its top, inside functions and for types alike."""
    found = []
    package = source.module if source.path.name == "__init__.py" else source.module.rpartition(".")[0]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found += [Import(str(source.path), node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found += [Import(str(source.path), node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return found


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
