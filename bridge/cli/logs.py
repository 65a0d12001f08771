"""Log lines of the service: for people or for collectors, on standard error, and never with a secret in them.

Every line passes through one formatter that blots out the secrets of the configuration and whatever looks like a
token, tracebacks included. What foreigners wrote, such as a name, makes no line of its own, whatever is in it: what is
no visible character is written as its number, and the lines of a traceback stand under the line that they belong to.
Libraries that would write requests or message bodies are held at `warning`.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import TYPE_CHECKING

from bridge.correlation import ROW

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

QUIET = ("aiohttp", "asyncio", "asyncpg", "mautrix", "slack_sdk")
"""Loggers that write what foreigners sent when they are asked to be chatty."""

HIDDEN = "[hidden]"
TOKENS = re.compile(
    r"xox[a-z](?:\.xox[a-z])?-[\w-]+|xapp-[\w-]+|syt_\w+"
    r"|(?<=[Bb]earer )[\w.~+/-]{8,}=*|(?<=access_token=)[^&\s\"']+|(?<=ticket=)[^&\s\"']+"
)

_MARKS = ("xox", "xapp-", "syt_", "earer ", "access_token=", "ticket=")
"""What stands in or before each of `TOKENS`: a line without any of these holds none, and is most lines."""


class _Redacting(logging.Formatter):
    """Formats like its parent, then blots out secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")
        known = sorted((re.escape(secret) for secret in secrets if len(secret) >= 4), key=len, reverse=True)
        self._known = re.compile("|".join(known) or r"(?!)")

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        beside = [self.formatException(record.exc_info)] if record.exc_info else []
        beside += [self.formatStack(record.stack_info)] if record.stack_info else []
        lines = [line for text in beside for line in self.redact(text).splitlines()]
        return "\n    ".join(_escaped(line) for line in (self.redact(self.formatMessage(record)), *lines))

    def redact(self, text: str) -> str:
        text = self._known.sub(HIDDEN, text)
        return TOKENS.sub(HIDDEN, text) if any(mark in text for mark in _MARKS) else text


class _Json(_Redacting):
    """One JSON object a line; `row` names the message that is worked at, the same on its whole way."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.redact(record.getMessage()),
        }
        if row := ROW.get():
            line["row"] = row
        if record.exc_info:
            line["exception"] = self.redact(self.formatException(record.exc_info))
        return _escaped(json.dumps(line, ensure_ascii=False))


def _escaped(line: str) -> str:
    """Return a line in which all can be seen, and nothing is obeyed by terminals and collectors; JSON stays JSON."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)


def set_up_logging(level: str, layout: str, secrets: Iterable[str]) -> None:
    """Send all logging to standard error; `layout` is `text` or `json`, `secrets` what no line may hold."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json(secrets) if layout == "json" else _Redacting(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    sys.excepthook = _log_fault


def _log_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Have a fault of the program end in the log, where no secret passes, instead of bare on standard error."""
    logging.getLogger("bridge").critical("a fault of the program", exc_info=(kind, error, trace))
