"""A postmortem of a time at which nothing was found: it says so, and how small a rise would have shown."""

import json

import polars as pl
import pytest
from measures.incident_traffic import ONSET, quiet_spans

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"
_COLUMNS = (
    "started_at", "trace_id", "span_id", "operation", "request_model", "tenant", "feature", "is_error",
    "error_type", "output", "latency_ms",
)  # fmt: skip


def test_a_postmortem_of_a_quiet_time_ends_with_one_and_says_what_was_looked_at(tmp_path, llmops, open_page):
    """A script learns that there was no incident; a person gets a page and no failed notebook."""
    spans = quiet_spans().with_columns(
        tenant=pl.when(pl.col("tenant") == "acme").then(pl.lit(HOSTILE)).otherwise("tenant"),
        started_at=pl.col("started_at").dt.to_string("iso:strict"),
    )
    spans.select(_COLUMNS).write_ndjson(tmp_path / "spans.jsonl")
    mapping = {"columns": {name: name for name in _COLUMNS}}
    (tmp_path / "columns.yaml").write_text(json.dumps(mapping), encoding="utf-8")
    code, out, err = llmops(
        "report", "postmortem", tmp_path / "spans.jsonl", "--around", ONSET.isoformat(),
        "--columns", tmp_path / "columns.yaml", "--output", tmp_path / "reports",
    )  # fmt: skip
    (page,) = (tmp_path / "reports").glob("*/*/report.html")
    assert (code, out.strip(), page.parent.parent.name) == (1, str(page), "quiet-time")
    assert "found no incident" in err
    assert not list((tmp_path / "reports").glob("*/failed"))
    opened = open_page(page, width=360)
    assert (opened.requests, opened.problems, opened.overflow_px) == ([], [], 0)
    assert "No incident was found within a day of Thu 22 Oct 2026 10:00 UTC." in opened.text
    assert "Incidents in all of the data: 0." in opened.text
    assert HOSTILE not in page.read_text("utf-8")
