"""`python -m tests.sandbox.exports TARGET`: an export to try things on, and the truth about it as JSON.

TARGET is a folder that does not exist yet or is empty, or a name that ends in .zip.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from tests.sandbox.exports.archive import Packing
from tests.sandbox.exports.broken import BROKEN, broken
from tests.sandbox.exports.generated import Generated


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    made = argparse.ArgumentParser(prog="python -m tests.sandbox.exports", description=__doc__)
    made.add_argument("target", type=Path, help="folder, or a name that ends in .zip; with --broken a folder for it")
    made.add_argument("--seed", type=int, default=1, help="the same number makes the same bytes")
    made.add_argument("--messages", type=int, default=1000)
    made.add_argument("--channels", type=int, default=12)
    made.add_argument("--people", type=int, default=40)
    made.add_argument("--kind", choices=("standard", "full", "grid"), default="full")
    made.add_argument("--zip", action="store_true", help="append .zip to the target's name")
    made.add_argument("--nested", default="", metavar="FOLDER", help="put everything one folder deep")
    made.add_argument("--junk", action="store_true", help="add what a Mac leaves behind")
    made.add_argument("--range", nargs=2, type=float, metavar=("FROM", "TO"), help="a part of its time, as 0.2 0.4")
    made.add_argument("--later", action="store_true", help="the same workspace two weeks on, its past revised")
    made.add_argument("--broken", choices=BROKEN, metavar="WAY", help=f"broken in one way: {', '.join(BROKEN)}")
    return made


def main() -> int:
    """Parses the command line and writes."""
    options = parser().parse_args()
    if options.broken:
        options.target.mkdir(parents=True, exist_ok=True)
        print(broken(options.broken, options.target, as_zip=options.zip, seed=options.seed).path)
        return 0
    target = options.target.with_name(f"{options.target.name}.zip") if options.zip else options.target
    spec = Generated(options.seed, options.messages, options.channels, options.people)
    date_range = (spec.moment(options.range[0]), spec.moment(options.range[1])) if options.range else None
    packing = Packing(options.nested, options.junk)
    try:
        truth = (spec.later() if options.later else spec).write(
            target, options.kind, date_range=date_range, packing=packing
        )
    except FileExistsError as error:
        print(f"{error}; name another target", file=sys.stderr)
        return 1
    print(orjson.dumps(truth.json(), option=orjson.OPT_INDENT_2).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
