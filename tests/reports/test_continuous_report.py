"""The report on quality from files, hostile ones: it leads with the answer and nothing in it acts."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from llmops_lib import run_report, sample_calls, sampling_plan, write_sample
from llmops_lib.errors import ParameterError
from llmops_lib.reports.judged import open_judged
from llmops_lib.reruns.sample_evals import sample_suite_run
from tests.measures.judged import labels_of, made, scored
from tests.measures.test_sampling import call, spans
from tests.reports.hostile import hostile_row

pytestmark = pytest.mark.browser

HOSTILE = "<script>alert(1)</script>"


def test_quality_leads_and_hostile_text_shows_as_text(tmp_path, open_page):
    """Names of features and texts of users come from outside; the first sentence is the estimate."""
    generator = np.random.default_rng(7)
    truth, judged = made(2_000, generator)
    judged[1_000::2] = 0.0
    truth[1_000::2] = 0.0
    features = [HOSTILE if number % 2 == 0 else "faq" for number in range(2_000)]
    scored(judged, feature=features).write_parquet(tmp_path / "scores.parquet")
    labels_of(generator.choice(2_000, 400, replace=False), truth).write_csv(tmp_path / "labels.csv")
    traffic = spans(*(call(number, input=f"{HOSTILE} ann@example.com {number % 7}") for number in range(60)))
    plan = sampling_plan(traffic, rate=1.0)
    write_sample(sample_calls(traffic, plan).collect(), plan, tmp_path / "sample")
    at = datetime(2026, 10, 5, tzinfo=UTC)
    rows = [hostile_row(HOSTILE, at + timedelta(days=day), "gpt-4o") for day in range(40)]
    tools = [row | {"operation": "execute_tool", "user_id": f"u{day}"} for day, row in enumerate(rows)]
    (tmp_path / "traces.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in tools), "utf-8")
    files = {"scores": "scores.parquet", "labels": "labels.csv", "traces": "traces.jsonl"}
    sources = files | {"sample": "sample"}
    sources["suite_scores"] = str(sample_suite_run())
    given = {name: str(tmp_path / path) for name, path in sources.items()}
    report = run_report("continuous-evals", output=tmp_path / "reports", **given)
    opened = open_page(report.html, width=360)
    assert (opened.requests, opened.problems, opened.overflow_px) == ([], [], 0)
    figures = report.manifest["figures"]
    assert figures["what"] == "quality"
    assert figures["lower"] < truth.mean() < figures["upper"]
    assert f"Quality dropped: {HOSTILE}" in opened.text
    assert "simulated answers" in opened.text
    assert f"tool called {HOSTILE}" in " ".join(opened.text.split())
    assert "<script" not in report.html.read_text(encoding="utf-8")
    assert "ann@example.com" not in report.html.read_text(encoding="utf-8")
    assert report.manifest["is_synthetic"] is False


def test_labels_without_scores_are_refused():
    """They would be shown beside simulated scores."""
    with pytest.raises(ParameterError, match="without scores"):
        open_judged(labels="labels.csv")
