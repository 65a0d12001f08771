"""Exports, as archives lie on a disk and as they are written."""
