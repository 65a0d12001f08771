"""Dashboard and alert rules ask for metrics that there are, by labels that they have."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from bridge.observability import gauges
from bridge.observability.gauges import Standing
from bridge.observability.health import WorkspaceHealth
from bridge.observability.metrics import Metrics
from bridge.store.tally import Tally
from portals.history.progress import Progress
from tests.house.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

MONITORING = ROOT / "docker" / "monitoring"
WORDS = {
    *("histogram_quantile", "sum", "by", "rate", "increase", "le", "up", "job"),
    "__rate_interval",
}


def told() -> dict[str, set[str]]:
    """Return the labels of every sample that a bridge can tell."""
    metrics = Metrics()
    metrics.relayed("to_slack", "PostMessage", 1)
    metrics.parked("to_slack")
    metrics.retried("to_slack", "Later")
    metrics.committed(0.1)
    metrics._limited.labels("slack", "chat.postMessage").inc()
    metrics._failed.labels("slack", "chat.postMessage").inc()
    metrics._requests.labels("slack", "chat.postMessage").observe(1)
    now = Standing(
        tally=Tally(behind={"T1": 1}),
        imports=[Progress(1, "running", "export.zip", ())],
        workspaces=[WorkspaceHealth("acme", "T1", 1, 1)],
        walking=0,
    )
    found: dict[str, set[str]] = {"causeway_store_up": set()}
    for family in text_string_to_metric_families((metrics.text() + gauges.text(now)).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def questions() -> Iterator[str]:
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    rules = YAML(typ="safe").load(MONITORING / "alerts.yaml")
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


@pytest.mark.parametrize("question", sorted(set(questions())))
def test_what_is_asked_for_is_told(question: str) -> None:
    known = told()
    asked = set(re.findall(r"causeway_\w+", question))
    assert asked <= known.keys()
    labels = set().union(*(known[name] for name in asked))
    bare = re.sub(r'"[^"]*"|\$\w+|\[[^]]*\]', "", question)
    for word in set(re.findall(r"[a-z_]{2,}", bare)) - asked - WORDS - {"reason"}:
        assert word in labels, word


def test_every_alert_says_what_to_do() -> None:
    rules = YAML(typ="safe").load(MONITORING / "alerts.yaml")
    for rule in rules["groups"][0]["rules"]:
        assert {"summary", "description"} <= rule["annotations"].keys()
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
