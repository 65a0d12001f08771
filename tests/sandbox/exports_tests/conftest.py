"""The sandbox as its own tests use it."""

from __future__ import annotations

from tests.sandbox.slack_tests.conftest import bench

__all__ = ["bench"]
