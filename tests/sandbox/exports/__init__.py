"""Slack exports for tests, the demo and the bench.

`export_of` writes what the sandbox's workspace holds at this moment.
"""

from __future__ import annotations

from tests.sandbox.exports.archive import Archive, Packing
from tests.sandbox.exports.from_sandbox import Export, export_of

__all__ = ["Archive", "Export", "Packing", "export_of"]
