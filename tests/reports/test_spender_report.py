"""The review of spenders from real exports and made months: it renders, stays offline, and its sums close."""

import json
from functools import cache

import pytest

from llmops_lib import run_report, write_demo

pytestmark = pytest.mark.browser

EXPORTS = (
    "fixtures/litellm/spend_logs.jsonl",
    "fixtures/otlp_json/openinference_anthropic_plus_sdk_native.traces.jsonl",
    "fixtures/langfuse/projected_exports/observations_ui_export.csv",
)


def opened_quietly(open_page, html, **options):
    """The page, once it asked for nothing and complained of nothing."""
    opened = open_page(html, **options)
    assert opened.requests == []
    assert opened.problems == []
    return opened


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """The report of two made months."""
    folder = tmp_path_factory.mktemp("months")
    source = folder / "months.jsonl"
    write_demo(source, weeks=9, calls_per_week=300, last_week="2026-W44")
    return run_report("spenders", output=folder / "reports", source=str(source))


def test_the_month_that_ended_is_reviewed_against_the_one_before(months, open_page):
    """A reader who gave no month wants the last whole one."""
    opened = opened_quietly(open_page, months.html)
    assert months.manifest["period"] == "2026-10"
    assert "From the spend of 2026-09 to that of 2026-10" in opened.text
    assert "is not covered whole" not in opened.text


def test_the_planted_runaway_leads_the_list(months, open_page):
    """The demonstration plants a looping agent of one user; a review that misses it is useless."""
    text = opened_quietly(open_page, months.html).text
    users = text[text.index("User by spend") :]
    assert users.split("u-")[1].startswith("091")


@pytest.mark.parametrize("options", [{"width": 360}, {"dark": True}], ids=["phone", "dark"])
def test_the_review_fits_a_phone_and_the_night(months, open_page, options):
    """Wide tables scroll in their own box."""
    assert opened_quietly(open_page, months.html, **options).overflow_px == 0


@pytest.fixture(scope="module")
def review_of(shared, tmp_path_factory):
    """The review of an export, made once."""

    @cache
    def make(export):
        return run_report("spenders", output=tmp_path_factory.mktemp("review"), source=str(shared / export))

    return make


@pytest.mark.parametrize("export", EXPORTS, ids=lambda name: name.rsplit("/", maxsplit=1)[-1])
def test_the_review_of_a_real_export_renders_offline(export, review_of, open_page):
    """One day of traffic, no month before, few names: it says so and closes its sums."""
    report = review_of(export)
    opened = opened_quietly(open_page, report.html)
    figures = report.manifest["figures"]
    assert figures["rows_read"] == figures["span_count"] + figures["quarantined_count"]
    assert f"{figures['call_count']:,}" in opened.text


def test_a_log_without_models_has_no_spend_to_explain(shared, tmp_path, open_page):
    """A mapped request log names no model, so that nothing has a price and nothing is guessed."""
    mapping = tmp_path / "mapping.yaml"
    columns = {
        "started_at": {"column": "timestamp", "unit": "s", "origin": "2025-09-10T12:00:00+08:00"},
        "input_tokens": "input_length",
        "output_tokens": "output_length",
        "session_id": "session_id",
    }
    constants = {"feature": "question answering"}
    mapping.write_text(json.dumps({"columns": columns, "constants": constants}), encoding="utf-8")
    source = shared / "reference" / "data" / "ragpulse_week.jsonl"
    report = run_report("spenders", output=tmp_path / "reports", source=str(source), columns=str(mapping))
    text = opened_quietly(open_page, report.html, width=360).text
    assert report.manifest["figures"]["spend_usd"] is None
    assert "is not covered whole" in text
    assert "none: no call has a known cost that could be lower." in text


def test_the_same_input_gives_the_same_bytes(review_of, shared, tmp_path):
    """Reviews are compared month by month; only the run itself may differ."""
    first = review_of(EXPORTS[1])
    second = run_report("spenders", output=tmp_path, source=str(shared / EXPORTS[1]))
    assert first.html.read_bytes() == second.html.read_bytes()
