"""The files beside the bridge: who may read the configuration, and whether the registration agrees with it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from bridge.cli.checks.finding import Finding
from config import registration
from config.problems import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.settings import Settings


def check_files(settings: Settings, config: Path, registered: Path) -> Iterator[Finding]:
    """Look at the rights of both files and compare the registration."""
    yield _rights("configuration", config)
    if not registered.exists():
        remedy = "name it with --registration, or write it with `causeway register`"
        yield Finding("registration", "skip", f"there is no {registered}", remedy)
        return
    try:
        differences = registration.differences(registered, settings)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("registration", "fail", str(problem), "write it anew with `causeway register --force`")
        return
    for difference in differences:
        remedy = "run `causeway register --force`, give the homeserver the new file and restart it"
        yield Finding("registration", "fail", f"{registered}: {difference}", remedy)
    if not differences:
        yield Finding("registration", "ok", f"{registered} agrees with the configuration")
        yield _rights("registration", registered)


def _rights(subject: str, path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o007:
        return Finding(subject, "warn", f"everybody on this machine may read {path}", f"chmod o= {path}")
    return Finding(subject, "ok", f"{path} is closed to others ({mode:04o})")
