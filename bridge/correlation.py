"""Which row is worked at: the name under which one message is found in every log line of its whole way.

It is the row's source key, which the message has before it is stored and keeps for good: Slack's channel and `ts`, or
Matrix's event id. A task that is started for a row inherits it.
"""

from __future__ import annotations

from contextvars import ContextVar

ROW: ContextVar[str] = ContextVar("row", default="")
