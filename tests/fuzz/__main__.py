"""`make fuzz`: search at every door for as long as is wanted, and keep whatever does harm."""

from __future__ import annotations

import argparse
import hashlib
import logging
import resource
import sys
import time
import traceback
from random import SystemRandom

from tests.fuzz.doors import DOORS
from tests.fuzz.search import CORPUS, Search

MOST_MEMORY = 2 * 1024**3
"""Bytes of address space: whoever wants more fails at once."""


def main() -> int:
    """Search in turns, print what came of it, and return 1 where anything was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long; 10 if it is not said")
    parser.add_argument("--door", action="append", choices=[door.name for door in DOORS], help="this one alone")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9), help="repeats a search")
    told = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    logging.disable(logging.CRITICAL)
    doors = [door for door in DOORS if not told.door or door.name in told.door]
    print(f"seed {told.seed}, {told.minutes:g} minutes", flush=True)
    searches = [(door, Search(door, told.seed, guided=True)) for door in doors]
    end = time.monotonic() + told.minutes * 60
    while time.monotonic() < end and not any(search.searched.finds for _, search in searches):
        for _, search in searches:
            turn = min(end, time.monotonic() + 1.0)
            while time.monotonic() < turn and not search.searched.finds:
                search.step()
    print(f"{'door':<20}{'inputs':>9}{'kept':>7}{'lines reached':>15}")
    found = 0
    for door, search in searches:
        came = search.searched
        print(f"{door.name:<20}{came.inputs:>9}{came.kept:>7}{came.reached:>15}")
        for find in came.finds:
            found += 1
            path = CORPUS / door.name / f"found-{hashlib.sha256(find.data).hexdigest()[:12]}"
            path.write_bytes(find.data)
            print(f"\n{path} does harm:", file=sys.stderr)
            traceback.print_exception(find.error)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{found} finds; at most {memory:.0f} MiB of memory")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
