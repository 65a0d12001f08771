"""Policies of the configuration: what cannot be meant is refused with its place and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.policies import policies_from
from config.loader import parse
from config.problems import ConfigError
from portals.crossing.policy import OPEN, Globs, Kind, Standing
from portals.ids import ChannelId
from tests.config.conftest import RIGHT

if TYPE_CHECKING:
    from config.settings import Settings


def read(more: str) -> Settings:
    return parse(RIGHT + more, "causeway.yaml", Path("/srv"), {})


def refused(more: str) -> str:
    with pytest.raises(ConfigError) as problems:
        read(more)
    return str(problems.value)


def test_without_policies_everything_crosses() -> None:
    assert policies_from(read("")).of("main", ChannelId("C1")) == OPEN


def test_a_channel_has_its_own_policy_before_the_one_for_all() -> None:
    policies = policies_from(
        read(
            "\npolicies:\n  - name: default\n    words: [VS-NfD]\n  - name: supplier\n    slack: {guests: false}\n"
            "    kinds: [text]\n    links: []\nportals:\n  map:\n    - {slack: C0123, policy: supplier}\n"
        )
    )
    assert policies.of("main", ChannelId("C9")).words == ("VS-NfD",)
    own = policies.of("main", ChannelId("C0123"))
    assert own.words == ()
    assert own.domains == Globs(())
    assert own.kinds == {Kind.TEXT}
    assert Standing.GUEST not in own.standings
    assert Standing.UNKNOWN not in own.standings


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("\npolicies: [{name: a}, {name: a}]\n", "'a' is used twice"),
        ("\nportals: {map: [{slack: C0123, policy: strict}]}\n", "'strict' is not among policies"),
        ('\npolicies: [{name: a}]\nportals: {map: [{slack: "#x", policy: a}]}\n', "would escape the policy"),
        ("\npolicies: [{name: a, kinds: [texts]}]\n", "is not a kind"),
        ('\npolicies: [{name: a, words: ["--"]}]\n', "is not a word"),
        ("\npolicies: [{name: a, links: [https://example.org/x]}]\n", "is not a pattern of host names"),
        ("\nfiles: {scanner: {clamd: nonsense}}\n", "is not a socket"),
    ],
)
def test_what_cannot_be_meant_is_refused(more: str, says: str) -> None:
    assert says in refused(more)
