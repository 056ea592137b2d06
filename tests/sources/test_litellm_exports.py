"""LiteLLM's own logs through the reader, against figures counted from the raw files."""

import json
from datetime import datetime

import polars as pl
import pytest

from llmops_lib import load_traces
from llmops_lib.sources.litellm import read_litellm

LOGS = ("spend_logs.jsonl", "standard_logging_payload.jsonl")


@pytest.mark.parametrize("name", LOGS)
def test_a_log_has_the_figures_counted_from_it(shared, name):
    """Both logs tell of the same calls; a mistake in one would move money."""
    expected = json.loads((shared / "fixtures/litellm/EXPECTED.json").read_text())[name]
    rows = read_litellm(shared / "fixtures/litellm" / name)
    spans = rows.spans
    assert rows.rows_read == spans.height == expected["rows"]
    assert (~spans["is_error"]).sum() == expected["success"]
    assert spans["is_error"].sum() == expected["failure"]
    assert spans["input_tokens"].sum() == expected["prompt_tokens"]
    assert spans["output_tokens"].sum() == expected["completion_tokens"]
    assert spans["reported_cost_usd"].sum() == pytest.approx(expected["cost_sum"])
    assert sorted(spans["request_model"].unique()) == expected["models"]
    assert spans["is_model_call"].all()
    assert spans["operation"].value_counts(sort=True).rows() == [("chat", 7), ("embeddings", 1)]
    first, last = spans["started_at"].min(), spans["ended_at"].max()
    if name == "spend_logs.jsonl":
        assert first == datetime.fromisoformat(expected["first_start"])
        assert last == datetime.fromisoformat(expected["last_end"])
    else:
        assert first.timestamp() == float(expected["first_start"])
        assert last.timestamp() == float(expected["last_end"])


def test_both_logs_of_one_call_give_one_row(shared):
    """People keep the database and the callback's files; loaded together, no call may count twice."""
    spans = load_traces([shared / "fixtures/litellm" / name for name in LOGS])
    assert spans.height == 8
    assert spans["input_tokens"].sum() == 6096


def test_both_logs_agree_where_both_know(shared):
    """A team that switches from one log to the other must not see its numbers move."""
    tables = [read_litellm(shared / "fixtures/litellm" / name).spans for name in LOGS]
    known = ["trace_id", "span_id", "started_at", "latency_ms", "time_to_first_token_ms", "provider"]
    known += ["cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "user_id", "tenant", "feature"]
    known += ["session_id", "tags", "error_type", "http_status", "request_id"]
    assert tables[0].select(known).equals(tables[1].select(known))


def test_what_a_log_tells_of_a_call_is_in_its_columns(shared):
    """Session, user, team and feature are what spend is asked by."""
    spans = read_litellm(shared / "fixtures/litellm/standard_logging_payload.jsonl").spans
    assert spans.select("session_id", "user_id", "tenant", "feature", "response_model").row(0) == (
        "s1",
        "ann",
        "team-a",
        "faq",
        "gpt-4o-mini-2024-07-18",
    )
    failed = spans.filter("is_error").select("error_type", "http_status", "input_tokens", "reported_cost_usd")
    assert failed.rows() == [("RateLimitError", 429, None, 0.0)]
    assert spans["cache_write_tokens"].sum() == 2074
    assert spans["reasoning_tokens"].sum() == 64
    assert spans.filter(pl.col("is_streaming"))["time_to_first_token_ms"].to_list() == [16840.317]
    assert json.loads(spans["tool_calls"][5])[0]["name"] == "get_weather"


def test_a_log_of_2025_is_read_as_utc(shared):
    """Its times name no zone."""
    spans = read_litellm(shared / "fixtures/litellm/upstream_2025_spend_logs_payload.json").spans
    assert spans["started_at"][0] == datetime.fromisoformat("2025-01-24T09:20:46.847371+00:00")
    assert spans.select("input_tokens", "output_tokens", "reported_cost_usd").row(0) == (
        10,
        20,
        0.00022500000000000002,
    )
