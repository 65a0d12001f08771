from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.exports.__main__ import main
from tests.sandbox.exports_tests.reading import entries

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["exports", *map(str, arguments)])
        status = main()
        return status, *capsys.readouterr()

    return run


def test_it_writes_an_export_and_prints_the_truth(command: Any, tmp_path: Path) -> None:
    status, out, _ = command(tmp_path / "e", "--messages", 300, "--zip", "--kind", "standard", "--nested", "mine")
    assert status == 0
    assert json.loads(out)["totals"]["messages"] > 100
    assert "mine/channels.json" in entries(tmp_path / "e.zip")


def test_it_can_cut_revise_and_break(command: Any, tmp_path: Path) -> None:
    totals = [
        json.loads(command(tmp_path / str(number), "--messages", 300, *more)[1])["totals"]["messages"]
        for number, more in enumerate(((), ("--range", 0.2, 0.5), ("--later",)))
    ]
    assert totals[1] < totals[0] < totals[2]
    _, out, _ = command(tmp_path / "b", "--broken", "cut_off", "--zip")
    assert out.strip() == str(tmp_path / "b" / "cut_off.zip")


def test_it_overwrites_nothing_and_says_so(command: Any, tmp_path: Path) -> None:
    command(tmp_path / "e", "--messages", 50)
    status, _, error = command(tmp_path / "e", "--messages", 50)
    assert status == 1
    assert "is not empty; name another target" in error
