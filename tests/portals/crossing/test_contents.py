"""What a file counts as: its first bytes say it, and what it claims only where they leave it open."""

from __future__ import annotations

import pytest

from portals.crossing.contents import HEAD, of_content, type_of
from portals.crossing.judge import Withheld
from portals.crossing.policy import OPEN, Globs, Policy

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("head", "claimed", "recognised", "counts_as"),
    [
        (b"%PDF", "application/pdf", "application/pdf", "application/pdf"),
        (b"%PDF", "image/png", "application/pdf", "application/pdf"),
        (b"RIFF", "audio/wav", "audio/x-wav", "audio/wav"),
        (b"PK", DOCX, "application/zip", DOCX),
        (b"PK", "application/pdf", "application/zip", "application/zip"),
        (b"{}", "application/json; charset=utf-8", "", "application/json"),
        (b"words", "image/png", "", "text/plain"),
        (b"wo\0rds", "text/plain", "", "application/octet-stream"),
        (b"\xff\xfewords", "text/plain", "", "application/octet-stream"),
        (b"x" * (HEAD - 1) + b"\xc3", "text/markdown", "", "text/markdown"),
        (b"words\xc3", "text/plain", "", "application/octet-stream"),
        (b"", "text/plain", "", "text/plain"),
    ],
)
def test_the_first_bytes_say_what_a_file_is(head: bytes, claimed: str, recognised: str, counts_as: str) -> None:
    assert type_of(head, claimed, recognised) == counts_as


def test_a_policy_is_asked_about_what_a_file_is_and_how_large() -> None:
    pictures = Policy("strict", file_types=Globs(("image/*",)), max_file_size=10)
    assert of_content(b"%PDF", 5, "image/png", "application/pdf", pictures) == Withheld(
        "file_types", "what the file holds is of a type that may not cross here"
    )
    assert of_content(b"x", 11, "image/png", "image/png", pictures) == Withheld(
        "file_size", "the file is larger than the 10 bytes that may cross here"
    )
    assert of_content(b"x", 10, "image/png", "image/png", pictures) is None
    assert of_content(b"%PDF", 5, "image/png", "application/pdf", OPEN) is None
