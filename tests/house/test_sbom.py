"""The bill of materials lists what the lock installs, all of it, so that it can be compared and asked about."""

from __future__ import annotations

import re

import pytest

from tests.house.sbom import LOCK, bill


def test_every_locked_package_is_in_the_bill_with_its_hashes_and_its_licence() -> None:
    lock = LOCK.read_text()
    components = bill(lock)["components"]
    locked = re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE)
    assert [(one["name"], one["version"]) for one in components] == locked
    assert len(components) > 20
    assert all(one["hashes"] for one in components)
    assert sum(len(one["hashes"]) for one in components) == lock.count("--hash=sha256:")
    silent = {one["name"] for one in components if one["scope"] == "required" and "licenses" not in one}
    assert silent <= {"vodozemac"}  # Apache-2.0 by its repository; the wheel does not say so
    assert bill(lock) == bill(lock)


def test_what_is_no_lock_makes_no_bill() -> None:
    with pytest.raises(ValueError, match="no line of a lock"):
        bill("aiohttp>=3\n")
