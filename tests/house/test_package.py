"""What is installed is what is in the repository: no data file stays behind when the package is built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.house.sources import ROOMS, ROOT, files


def test_a_wheel_holds_every_file_of_the_three_rooms(tmp_path: Path) -> None:
    # From a copy, since building leaves its own files beside the sources.
    copy = tmp_path / "copy"
    for path in files():
        if path.parts[0] in ROOMS or path.name in {"pyproject.toml", "README.md", "LICENSE"}:
            target = copy / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / path).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(copy)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("causeway-*.whl")
    with ZipFile(wheel) as content:
        packed = {Path(name) for name in content.namelist() if ".dist-info/" not in name}
    assert packed == {path for path in files() if path.parts[0] in ROOMS}
