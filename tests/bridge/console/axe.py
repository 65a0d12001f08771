"""axe-core, which judges pages by WCAG: from `AXE`, from what was fetched once, or fetched from npm and checked."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from base64 import b64encode
from hashlib import sha512
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tests.house.sources import ROOT

if TYPE_CHECKING:
    from tests.sandbox.chromium import Chromium

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
VERSION = "4.14.1"
DIGEST = "5j5ln5gG165b1AiZBDsIcaUGLFRCsBs/Gj7fXq9Qv1w6cQSnJGMpO0rRt3xmGg1OQOhQ3sid6dbs5wqME6mvFw=="
KEPT = ROOT / ".state"
"""Where what tests fetch and make stays."""
_KEPT = KEPT / f"axe-{VERSION}.min.js"
_PATIENCE = 60


class Absent(Exception):
    """axe-core is not to be had here; the text says why."""


async def flaws(chromium: Chromium, script: str) -> list[str]:
    """Return what the script finds wrong with the page that is open."""
    await chromium.run(script + "\n;0")
    only = orjson.dumps({"runOnly": RULES}).decode()
    found = await chromium.run(
        f"axe.run(document, {only}).then(told => told.violations.flatMap("
        "one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`)))"
    )
    return list(found)


def axe() -> str:
    """Return the script; raises Absent."""
    if given := os.environ.get("AXE"):
        return Path(given).read_text()
    if not _KEPT.exists():
        _fetch()
    script = _KEPT.read_bytes()
    if b64encode(sha512(script).digest()).decode() != DIGEST:
        raise AssertionError(f"{_KEPT} is not axe-core {VERSION}: remove it")
    return script.decode()


def _fetch() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise Absent("there is no npm to fetch axe-core with, and AXE names no axe.min.js")
    folder = _KEPT.parent / f"axe-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        command = [npm, "pack", "--silent", "--pack-destination", str(folder), f"axe-core@{VERSION}"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_PATIENCE)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise Absent(f"npm does not bring axe-core: {error}") from error
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            beside = folder / "axe.min.js"
            beside.write_bytes(member.read())
        beside.replace(_KEPT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
