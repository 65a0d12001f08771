"""Names that look alike are found to, and others are not."""

from __future__ import annotations

import pytest

from portals.people.confusable import marked, skeletons


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice", "Alice"),
        ("Alice", "AIice"),
        ("Alice", "А\u200blice"),
        ("Alice", "alice"),
        ("paypal", "раураl"),
        ("modern", "rnodern"),
        ("Bob Smith", "Bob\u00a0\u00a0Smith"),
        ("Ünal", "U\u0308nal"),
        ("Ο'Neill", "O'Neill"),
        ("Ada", "𝐀𝐝𝐚"),
    ],
)
def test_names_that_look_alike_share_a_skeleton(one: str, other: str) -> None:
    assert skeletons(one) & skeletons(other)


@pytest.mark.parametrize(("one", "other"), [("Alice", "Alicia"), ("Ünal", "Unal"), ("", "\u200b"), ("Bob", "Rob")])
def test_other_names_do_not(one: str, other: str) -> None:
    assert not skeletons(one) & skeletons(other)


def test_a_mark_keeps_the_id_whole() -> None:
    assert marked("Alice", "@alice:evil.example", 80) == "Alice (@alice:evil.example)"
    assert marked("A" * 100, "@alice:evil.example", 30) == "AAAAAAAA (@alice:evil.example)"
    assert len(marked("A" * 100, "@" + "a" * 200, 80)) == 80
