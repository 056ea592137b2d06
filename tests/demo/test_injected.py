"""Planted incidents: the same seed plants the same, the cause is what it says, and the library finds it."""

import polars as pl
import pytest
from measures.incident_traffic import ONSET, quiet_spans

from llmops_lib import explain_incident, find_incidents
from llmops_lib.demo.incident_scene import Traffic
from llmops_lib.demo.injected import KINDS, inject
from llmops_lib.errors import LlmopsError

WITHOUT_TOOLS = [kind for kind in KINDS if kind != "tool_break"]


@pytest.fixture(scope="module")
def traffic():
    """Quiet weeks, half of the answers scored and all of them right, nothing found by filters."""
    spans = quiet_spans().with_columns(is_retry=pl.lit(value=False), prompt_name="feature")
    scores = spans.filter(pl.int_range(pl.len()) % 2 == 0).select(
        "trace_id", "started_at", scorer=pl.lit("correct"), score=pl.lit(1.0), passed=pl.lit(value=True)
    )
    findings = spans.head(1).select("started_at", "trace_id", finding=pl.lit("personal data in an answer"))
    return Traffic(spans, scores, findings)


@pytest.mark.parametrize("kind", WITHOUT_TOOLS)
def test_what_is_planted_is_found_with_its_cause(traffic, kind):
    """One of each kind, here; the bank of them is `benchmarks/incidents.py`."""
    planted, told = inject(traffic, kind, start=ONSET, hours=16, seed=5)
    incidents = find_incidents(planted.spans, planted.scores, findings=planted.findings)
    moved = {metric.partition(": ")[0] for metrics in incidents["metrics"] for metric in metrics}
    assert moved & set(told.metrics)
    causes = explain_incident(
        planted.spans, incidents.tail(1), planted.scores, findings=planted.findings
    ).head(3)
    named = [*causes["cause"], *(name for names in causes["same_as"] for name in names)]
    wanted = {f"{column}={value}" for column, value in told.where.items()}
    # The version and the hash of a new prompt are two names of the same calls.
    parts = [wanted, *({name} for name in wanted if kind == "prompt_regression")]
    assert any(set(name.split(", ")) in parts for name in named)


def test_a_seed_plants_the_same_twice(traffic):
    """A benchmark that cannot be repeated proves nothing."""
    first, second = (inject(traffic, "retry_storm", start=ONSET, hours=16, seed=3) for _ in range(2))
    assert first[1] == second[1]
    assert first[0].spans.equals(second[0].spans)


def test_nothing_outside_the_incident_is_touched(traffic):
    """What was quiet before must stay quiet, or the onset would be a lie."""
    planted, told = inject(traffic, "provider_outage", start=ONSET, hours=16, seed=2)
    is_outside = (pl.col("started_at") < told.start) | (pl.col("started_at") >= told.end)
    assert planted.spans.filter(is_outside).equals(traffic.spans.filter(is_outside))


def test_too_small_a_cause_is_refused(traffic):
    """An incident that nobody met cannot be found by anybody."""
    with pytest.raises(LlmopsError, match="no tool_name has 8 calls"):
        inject(traffic, "tool_break", start=ONSET, hours=16, seed=1)
