"""Patterns match what they say, and take no more time than the text is long."""

from __future__ import annotations

import re
from fnmatch import translate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.crossing.patterns import first_found, host_of, hosts_in, matches, passes
from portals.crossing.policy import Globs


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=10))
def test_a_glob_matches_as_the_shell_s_do(pattern: str, name: str) -> None:
    assert matches(pattern, name) is (re.match(translate(pattern), name) is not None)


def test_many_stars_on_a_long_name_come_to_an_end() -> None:
    assert not matches("*a" * 100 + "b", "a" * 255)
    assert not first_found(["*a" * 100 + "b"], "a" * 100_000)
    assert not first_found(["a a a b"], "a " * 50_000)


def test_a_name_beyond_all_measure_matches_a_star_alone() -> None:
    assert matches("*", "a" * 300)
    assert not matches("a*", "a" * 300)


def test_what_is_denied_passes_not_although_it_is_allowed() -> None:
    assert passes("a.pdf", Globs(("*.pdf",)))
    assert not passes("A.PDF", Globs(("*.pdf",), ("a.*",)))
    assert not passes("a.pdf", Globs(()))


def test_words_without_a_letter_find_nothing() -> None:
    assert first_found(["--"], "-- --") == ""
    assert first_found([], "anything") == ""


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.ORG./a", "example.org"),
        ("https://user:pw@example.org:8443/a", "example.org"),
        ("https://example.org\\@evil.com", "example.org"),
        ("https://[::1]:8008/a", "[::1]"),
        ("mailto:a@example.org?subject=x", "example.org"),
        ("tel:+49", ""),
        ("nothing", ""),
        ("https:///a", ""),
    ],
)
def test_the_host_of_a_link_is_where_it_leads(url: str, host: str) -> None:
    assert host_of(url) == host


def test_addresses_in_plain_text_are_found() -> None:
    assert list(hosts_in("see (https://a.example) or ftp://b.example, https://c.example/x).")) == [
        "a.example",
        "b.example",
        "c.example",
    ]
    assert list(hosts_in("https://a.example&x@evil.example/")) == ["evil.example"]
