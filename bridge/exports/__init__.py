"""Slack exports: archives as they lie on a disk, read day by day."""
