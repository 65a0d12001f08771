"""A bounded memory in front of the database, which never outlives what is written there.

What is written is put here after its commit. What was read is only kept when nothing was written since the reading
began: the answer of a query may be older than a commit that it crossed.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The values used last, by their keys."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self.writes = 0
        """How often something was written."""

    def get(self, key: Key) -> Value | None:
        """Return the value and count it as used."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Remember a value that was written."""
        self.writes += 1
        self._remember(key, value)

    def keep(self, key: Key, value: Value, writes: int) -> None:
        """Remember a value that was read, if `writes` still counts all that was written."""
        if writes == self.writes:
            self._remember(key, value)

    def _remember(self, key: Key, value: Value) -> None:
        """Remember a value, and forget the one that was unused for longest when there is no room."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def forget(self, key: Key) -> None:
        """Forget one value, which was written."""
        self.writes += 1
        self._values.pop(key, None)

    def clear(self) -> None:
        """Forget everything, some of which was written."""
        self.writes += 1
        self._values.clear()
