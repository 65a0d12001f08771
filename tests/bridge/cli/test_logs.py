"""Log lines hold no secret, whatever is logged."""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING

import pytest

from bridge.cli.logs import QUIET, set_up_logging

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = ("as-token-0123", "as-token-0123-longer", "pass.word*")
UNKNOWN = ("xoxb-1-2-abc", "xoxe.xoxb-1-abc", "xapp-1-A1-2-abc", "syt_YQ_abc_1234")


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hook = sys.excepthook
    levels = {name: logging.getLogger(name).level for name in QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(False)
    sys.excepthook = hook


@pytest.mark.usefixtures("logging_restored")
@pytest.mark.parametrize("layout", ["text", "json"])
def test_secrets_are_blotted_out_of_messages_and_tracebacks(capsys: pytest.CaptureFixture[str], layout: str) -> None:
    set_up_logging("info", layout, SECRETS)
    log = logging.getLogger("bridge.test")
    for secret in (*SECRETS, *UNKNOWN):
        log.info("a %s and %s", secret, {"token": secret})
        try:
            raise ValueError(f"GET /x?access_token={secret}&y=1 wss://z/?ticket={secret} Bearer {secret}")
        except ValueError:
            log.exception("failed with %s", secret)
    said = capsys.readouterr().err
    assert not [secret for secret in (*SECRETS, *UNKNOWN, "longer", "abc") if secret in said]
    assert "a [hidden] and {'token': '[hidden]'}" in said


@pytest.mark.usefixtures("logging_restored")
@pytest.mark.parametrize(
    "words", [*UNKNOWN, "Bearer opaque-0123", "bearer opaque-0123", "?access_token=opaque", "?ticket=opaque"]
)
def test_a_line_with_one_token_and_nothing_else_of_note_hides_it(
    capsys: pytest.CaptureFixture[str], words: str
) -> None:
    set_up_logging("info", "text", ())
    logging.getLogger("bridge.test").info("%s", words)
    said = capsys.readouterr().err
    assert "[hidden]" in said
    assert words not in said


@pytest.mark.usefixtures("logging_restored")
def test_a_fault_of_the_program_ends_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", "json", SECRETS)
    sys.excepthook(RuntimeError, RuntimeError(f"with {SECRETS[0]}"), None)
    line = json.loads(capsys.readouterr().err)
    assert line["level"] == "critical"
    assert "RuntimeError: with [hidden]" in line["exception"]


@pytest.mark.usefixtures("logging_restored")
def test_json_lines_are_one_object_each(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("warning", "json", ())
    log = logging.getLogger("bridge.test")
    log.info("not shown")
    log.warning("two\nlines, %s", "é")
    try:
        raise OSError("gone")
    except OSError:
        log.exception("failed")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("warning", "bridge.test", "two\nlines, é")
    assert first["time"].endswith("Z")
    assert "OSError: gone" in second["exception"]


@pytest.mark.usefixtures("logging_restored")
def test_libraries_that_log_what_they_send_are_held_back_even_at_debug(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("debug", "text", ())
    logging.getLogger("slack_sdk.web").debug("Sending a request with the text of a message")
    logging.getLogger("bridge.test").debug("ours")
    said = capsys.readouterr().err
    assert "Sending" not in said
    assert "DEBUG   bridge.test: ours" in said


FORGED = (
    "Eve\n2026-01-01 00:00:00.000 INFO    bridge: all is well",
    "Eve\r\x1b[2K\x1b[1Aall is well",
    "Eve\x9b2K\u2028all is well\u202e",
    'Eve", "level": "critical", "row": "forged',
    'Eve"}\n{"level": "critical"}',
)


@pytest.mark.usefixtures("logging_restored")
@pytest.mark.parametrize("layout", ["text", "json"])
@pytest.mark.parametrize("name", FORGED)
def test_what_foreigners_wrote_makes_no_line_and_no_field(
    capsys: pytest.CaptureFixture[str], layout: str, name: str
) -> None:
    set_up_logging("info", layout, ())
    log = logging.getLogger("bridge.test")
    log.info("%s writes", name)
    try:
        raise ValueError(name)
    except ValueError:
        log.exception("failed")
    said = capsys.readouterr().err
    assert all(char.isprintable() or char == "\n" for char in said)
    if layout == "json":
        first, second = (json.loads(line) for line in said.splitlines())
        assert (first["level"], first["message"]) == ("info", f"{name} writes")
        assert set(first) == {"time", "level", "logger", "message"}
        assert name in second["exception"]
    else:
        first, second, *trace = said.splitlines()
        assert first.endswith(" writes")
        assert second.endswith("ERROR   bridge.test: failed")
        assert trace
        assert all(line.startswith("    ") for line in trace)
