"""Whose turn it is when something fails.

Everything that the bridge raises on purpose is one of these. A caller that performs an action needs to know only
which branch it holds: wait and repeat, look before repeating, give up and say so, or stop the service.

    BridgeError
    ├── Later              theirs, for now: busy, rate limited, unreachable; nothing was done, repeat after a while
    │   └── StoreUnavailable   ours, for now: the database did not take it; the sender is told to repeat
    ├── Unsure             unknown: the request may have been carried out although no answer came; look, then decide
    ├── Refused            never: the other side understood and said no; park it and say why
    ├── Declined           never: what an admin asked for cannot be done as things are; say what to do instead
    ├── BadExport          never: an archive cannot be read as an export of Slack; say what to do with it
    └── Fatal              ours: the service cannot run like this; say what to do and stop
        └── StoreTaken         another process owns the database
"""

from __future__ import annotations


class BridgeError(Exception):
    """Any failure that the bridge understands; `str()` of it is fit to show to an admin and holds no secret."""


class Later(BridgeError):
    """The other side is busy or unreachable and nothing was done; `retry_after` is in seconds where it said so."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class StoreUnavailable(Later):
    """The database could not commit; nothing of the unit is stored."""


class Unsure(BridgeError):
    """The request went out and no clear answer came back: it may or may not have been carried out."""


class Refused(BridgeError):
    """The other side said no for good; `code` is its own error code, `remedy` what an admin can do about it."""

    def __init__(self, code: str, detail: str, remedy: str = "") -> None:
        super().__init__(f"{detail} ({code})" + (f". {remedy}" if remedy else ""))
        self.code = code
        self.detail = detail
        self.remedy = remedy


class Declined(BridgeError):
    """What an admin asked for cannot be done as things are; the text says what to do, `code` which kind it is of."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class BadExport(BridgeError):
    """An archive as a whole cannot be read as an export of Slack; the text says why and what to do."""


class Fatal(BridgeError):
    """The service cannot start or go on; the text says what to do."""


class StoreTaken(Fatal):
    """Another process already owns this database."""


def first_of(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first failure of a group of groups."""
    failure: BaseException = failures
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure
