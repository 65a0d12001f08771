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

    from config.document import Plain
    from config.settings import Settings


def check_files(settings: Settings, config: Path, registered: Path) -> Iterator[Finding]:
    """Look at the rights of the files and compare the registrations."""
    yield _rights("configuration", config)
    yield from _registration(
        "registration", registered, settings, registration.registration(settings), "--registration"
    )
    own = registration.double_puppet(settings)
    if own is not None:
        beside = registered.with_name("doublepuppet.yaml")
        yield from _registration("double puppets", beside, settings, own, "")


def _registration(
    subject: str, path: Path, settings: Settings, wanted: dict[str, Plain], option: str
) -> Iterator[Finding]:
    if not path.exists():
        remedy = f"name it with {option}, or write it" if option else "write it"
        yield Finding(subject, "skip", f"there is no {path}", f"{remedy} with `causeway register`")
        return
    try:
        differences = registration.differences(path, settings, wanted)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding(subject, "fail", str(problem), "write it anew with `causeway register --force`")
        return
    for difference in differences:
        remedy = "run `causeway register --force`, give the homeserver the new file and restart it"
        yield Finding(subject, "fail", f"{path}: {difference}", remedy)
    if not differences:
        yield Finding(subject, "ok", f"{path} agrees with the configuration")
        yield _rights(subject, path)


def _rights(subject: str, path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o007:
        return Finding(subject, "warn", f"everybody on this machine may read {path}", f"chmod o= {path}")
    return Finding(subject, "ok", f"{path} is closed to others ({mode:04o})")
