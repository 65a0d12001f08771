"""What the product is made of, as CycloneDX 1.5: every package of requirements.lock with its hashes and its licence.

`make sbom` writes it. It is made of the lock, so that it tells what is installed and not what happens to lie about; the
licence is what an installed package says of itself. It bears no time and no random name: the same lock, the same bill.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.house.sources import ROOT

LOCK = ROOT / "requirements.lock"
_LINE = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?: ; (.*?))?(?: \\)?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill(lock: str) -> dict[str, Any]:
    """Return the bill of a lock; raises ValueError for a line that is none of a lock."""
    components: list[dict[str, Any]] = []
    for line in lock.splitlines():
        if found := _HASH.search(line):
            components[-1]["hashes"].append({"alg": "SHA-256", "content": found[1]})
        elif found := _LINE.match(line):
            components.append(_component(found[1], found[2], found[3] or ""))
        elif line.strip():
            raise ValueError(f"this is no line of a lock: {line}")
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, lock)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "causeway",
                "name": "causeway",
                "version": version("causeway"),
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": "causeway", "dependsOn": [one["bom-ref"] for one in components]}],
    }


def _component(name: str, number: str, condition: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{number}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": number,
        "purl": purl,
        "scope": "optional" if condition else "required",
        "hashes": [],
    }
    if licence := _licence(name):
        component["licenses"] = [{"license": {"name": licence}}]
    return component


def _licence(name: str) -> str:
    """Return what an installed package says of its licence, shortly; nothing where it is not installed or silent."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return ""
    classified = [one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or () if one.startswith("License ::")]
    said = [*(told.get_all("License-Expression") or ()), *classified, *(told.get_all("License") or ()), ""]
    return str(said[0]).strip().partition("\n")[0][:100]


if __name__ == "__main__":
    print(json.dumps(bill(LOCK.read_text()), indent=2))
