"""Tell lies about one module, each in a process of its own, and print those that its tests do not notice.

    python -m tests.mutation bridge/store/ledger.py tests/bridge/store/test_ledger.py -k sqlite --most 100

Nothing is written to any file: the changed code takes the place of the right one in a forked process.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import signal
import sys
import time
from pathlib import Path
from random import Random
from types import FunctionType, ModuleType

import pytest

from tests.mutation.lies import Lie, lies

PATIENCE = 90
"""Seconds for the tests of one lie; a lie for which they hang is noticed."""


def main() -> int:
    """Return 1 where a lie was not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("module", type=Path)
    parser.add_argument("tests", nargs="+")
    parser.add_argument("-k", default="")
    parser.add_argument("--most", type=int, default=10_000, help="so many of all, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0)
    told = parser.parse_args()
    arguments = [*told.tests, "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "--no-header"]
    arguments += ["-k", told.k] if told.k else []
    module = importlib.import_module(".".join(told.module.with_suffix("").parts))
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*arguments, "--collect-only"])  # what is imported once is there in every fork
    if _notices(None, module, arguments):
        print("the tests fail without any lie")
        return 2
    every = lies(told.module.read_text())
    chosen = sorted(Random(told.seed).sample(every, min(told.most, len(every))), key=lambda lie: lie.line)
    end, tried, missed = time.monotonic() + told.minutes * 60, 0, 0
    for lie in Random(told.seed).sample(chosen, len(chosen)):
        if time.monotonic() > end:
            break
        tried += 1
        if not _notices(lie, module, arguments):
            missed += 1
            print(f"{told.module}:{lie.line}: {lie.what}", flush=True)
    print(f"{told.module}: {tried} of {len(every)} lies told, {missed} not noticed")
    return 1 if missed else 0


def _notices(lie: Lie | None, module: ModuleType, arguments: list[str]) -> bool:
    """Tell whether the tests fail, or do not end, in a process in which the lie is true."""
    child = os.fork()
    if child == 0:
        os.setsid()
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        failed = True
        with contextlib.suppress(BaseException):
            if lie is not None:
                _believe(module, lie)
            failed = pytest.main(arguments) != 0
        os._exit(int(failed))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _believe(module: ModuleType, lie: Lie) -> None:
    """Put changed code in the place of the module's, in the very functions and classes that others have imported."""
    false = ModuleType(module.__name__)
    false.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    sys.modules[module.__name__] = false  # where dataclasses look for the module of their class
    exec(compile(lie.tree, str(module.__file__), "exec"), false.__dict__)
    sys.modules[module.__name__] = module
    for name, new in list(false.__dict__.items()):
        old = module.__dict__.get(name)
        if isinstance(new, FunctionType) and isinstance(old, FunctionType):
            _take(old, new)
        elif isinstance(new, type) and isinstance(old, type) and new.__module__ == module.__name__:
            for attribute, value in list(vars(new).items()):
                before = vars(old).get(attribute)
                value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
                before = before.fget if isinstance(before, property) else getattr(before, "__func__", before)
                if isinstance(value, FunctionType) and isinstance(before, FunctionType):
                    _take(before, value)
        elif isinstance(new, str | int | float | tuple | frozenset) and name in module.__dict__:
            module.__dict__[name] = new


def _take(old: FunctionType, new: FunctionType) -> None:
    if old.__code__.co_freevars == new.__code__.co_freevars:
        old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__


if __name__ == "__main__":
    sys.exit(main())
