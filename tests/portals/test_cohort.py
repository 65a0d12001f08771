"""A cohort's file names channels, one a line, and every line that cannot be used is told."""

from __future__ import annotations

from portals.cohort import BadLine, Named, read


def test_channels_stand_one_a_line_beside_comments() -> None:
    text = "\ufeff# the first\r\n#general  # everybody\n\n  random\nC0123456789 #\n#\n"
    named, bad = read(text)
    assert named == [Named(2, "#general"), Named(4, "random"), Named(5, "C0123456789")]
    assert bad == []


def test_lines_that_cannot_be_used_are_told() -> None:
    named, bad = read("#general\ngeneral\n#a #b\n")
    assert named == [Named(1, "#general")]
    assert bad == [
        BadLine(2, "general stands in line 1 already"),
        BadLine(3, "'#a #b' is more than one channel: write one a line"),
    ]
