"""The postmortem of a prompt regression: its first screen tells the story, hostile names stay text."""

import json
from datetime import timedelta

import polars as pl
import pytest
from measures.incident_traffic import ONSET, in_incident, quiet_spans

from llmops_lib import run_report

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"
_TEXTS = (
    "trace_id", "span_id", "operation", "request_model", "response_model", "tenant", "feature", "user_id",
    "session_id", "prompt_name", "prompt_version", "prompt_hash", "release", "error_type", "output",
)  # fmt: skip
_NUMBERS = ("latency_ms", "feedback_score", "input_tokens", "output_tokens")


def regression():
    """Quiet weeks in which a prompt version that came on the last day but two is rated badly by everyone."""
    changed = in_incident(pl.col("feature") == "search", hours=60)
    place = pl.int_range(pl.len())
    return quiet_spans().with_columns(
        prompt_version=pl.when(changed).then(pl.lit("2")).otherwise("prompt_version"),
        prompt_hash=pl.when(changed).then(pl.lit("bb22")).otherwise("prompt_hash"),
        feedback_score=pl.when(place % 3 == 0).then(pl.when(changed).then(0.0).otherwise(1.0)),
        tenant=pl.when(pl.col("tenant") == "acme").then(pl.lit(HOSTILE)).otherwise("tenant"),
        input_tokens=pl.lit(100),
        output_tokens=pl.lit(10),
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The postmortem around the onset, from a plain table."""
    folder = tmp_path_factory.mktemp("postmortem")
    spans = regression()
    spans.select("started_at", "is_error", *_TEXTS, *_NUMBERS).with_columns(
        pl.col("started_at").dt.to_string("iso:strict")
    ).write_ndjson(folder / "spans.jsonl")
    mapping = {"columns": {name: name for name in ("started_at", "is_error", *_TEXTS, *_NUMBERS)}}
    (folder / "columns.yaml").write_text(json.dumps(mapping), encoding="utf-8")
    return run_report(
        "postmortem", output=folder / "reports", source=str(folder / "spans.jsonl"),
        columns=str(folder / "columns.yaml"), around=(ONSET + timedelta(hours=3)).isoformat(),
    )  # fmt: skip


def test_the_first_screen_tells_the_story(report, open_page):
    """What fell, since when, the new prompt version and the playbook, offline and on a phone."""
    opened = open_page(report.html, width=360)
    assert (opened.requests, opened.problems, opened.overflow_px) == ([], [], 0)
    summary = opened.text[opened.text.index("From Thu 22 Oct") : opened.text.index("Of the likeliest cause")]
    for told in (
        "failing answers (feedback)",
        "Thu 22 Oct 1",
        "prompt_version=2",
        "Hallucinated facts",
        "wrong answers",
    ):
        assert told in summary
    assert report.manifest["figures"]["metric"] == "quality: feedback"


def test_hostile_names_stay_text(report):
    """Names of tenants stand in tables of causes and parts; none may act in a browser."""
    page = report.html.read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert "onerror=alert(1)&gt;" in page
