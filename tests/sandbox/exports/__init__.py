"""Slack exports for tests, the demo and the bench.

`export_of` writes what the sandbox's workspace holds at this moment, `Generated` makes workspaces of any size and knows
what is in them.
"""

from __future__ import annotations

from tests.sandbox.exports.archive import Archive, Packing
from tests.sandbox.exports.attached import Files
from tests.sandbox.exports.broken import BROKEN, UNREADABLE, Broken, broken
from tests.sandbox.exports.from_sandbox import Export, Kind, export_of
from tests.sandbox.exports.generated import Generated
from tests.sandbox.exports.truth import Change, ChannelTruth, Counts, Truth

__all__ = [
    "BROKEN",
    "UNREADABLE",
    "Archive",
    "Broken",
    "Change",
    "ChannelTruth",
    "Counts",
    "Export",
    "Files",
    "Generated",
    "Kind",
    "Packing",
    "Truth",
    "broken",
    "export_of",
]
