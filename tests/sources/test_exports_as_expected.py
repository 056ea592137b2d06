"""Every real export, loaded as a user loads it, gives the figures that were counted from its raw file."""

import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from llmops_lib import load_traces, read_quarantine

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "fixtures"

RICHER_THAN_COUNTED = {
    # The independent count looks for gen_ai.operation.name; this emitter names its embeddings elsewhere.
    "openllmetry_openai_0.30.0.traces.jsonl": {"embedding_calls": 3, "embedding_input_tokens": 21},
}
"""Figures in which a load finds more than the independent count did, and why."""


def exports():
    """Each trace export with what was counted from it."""
    if not FIXTURES.is_dir():
        return []
    found = []
    for folder in ("otlp_json", "phoenix"):
        expected = json.loads((FIXTURES / folder / "EXPECTED.json").read_text(encoding="utf-8"))
        found += [
            pytest.param(FIXTURES / folder / name, figures, id=name)
            for name, figures in expected.items()
            if "spans" in figures
        ]
    return found


def counted(spans):
    """The figures of a table of spans, under the names of the independent count."""
    calls = spans.filter("is_model_call")
    chats = calls.filter(pl.col("operation").is_in(["chat", "text_completion"]))
    embeddings = calls.filter(operation="embeddings")
    return {
        "spans": spans.height,
        "traces": spans["trace_id"].n_unique(),
        "root_spans": spans["parent_span_id"].null_count(),
        "spans_with_error": spans["is_error"].sum(),
        "llm_calls": chats.height,
        "llm_calls_with_error": chats["is_error"].sum(),
        "llm_calls_without_usage": chats.filter(pl.col("input_tokens").is_null()).height,
        "input_tokens_llm_calls": chats["input_tokens"].sum(),
        "output_tokens_llm_calls": chats["output_tokens"].sum(),
        "cache_read_tokens": chats["cache_read_tokens"].sum(),
        "cache_write_tokens": chats["cache_write_tokens"].sum(),
        "reasoning_tokens": chats["reasoning_tokens"].sum(),
        "embedding_calls": embeddings.height,
        "embedding_input_tokens": embeddings["input_tokens"].sum(),
        "given_cost_sum": pytest.approx(calls["reported_cost_usd"].sum()),
        "sessions": sorted(spans["session_id"].drop_nulls().unique()),
        "users": sorted(spans["user_id"].drop_nulls().unique()),
    }


@pytest.mark.parametrize(("path", "expected"), exports())
def test_an_export_has_the_figures_counted_from_it(path, expected):
    """Spans, calls counted once, tokens, errors, sessions: any of them wrong is money or blame misplaced."""
    found = counted(load_traces(path))
    wanted = {name: value for name, value in expected.items() if name in found}
    assert {name: found[name] for name in wanted} == wanted | RICHER_THAN_COUNTED.get(path.name, {})


@pytest.mark.parametrize(("path", "expected"), exports())
def test_an_export_spans_the_time_counted_from_it(path, expected):
    """A shifted clock puts calls into another week."""
    spans = load_traces(path)
    bounds = (spans["started_at"].min(), spans["ended_at"].max())
    wanted = tuple(
        datetime.fromisoformat(expected[name][:26] + "+00:00") for name in ("first_start", "last_end")
    )
    assert bounds == wanted


@pytest.mark.parametrize(("path", "expected"), exports())
def test_nothing_of_a_real_export_is_refused(path, expected):
    """A quarantined row of a sound export is a defect of the reader."""
    assert expected["spans"] == load_traces(path).height
    assert read_quarantine(path).is_empty()


EMITTERS = {
    "openai_v2_2.1b0.old_semconv.traces.jsonl": 0,
    "openai_v2_2.4b0.latest_semconv.traces.jsonl": 3,
    "openai_v2_2.4b0.latest_semconv.traces.PROTOJSON_base64ids.jsonl": 3,
    "openai_v2_2.4b0.nocontent.traces.jsonl": 3,
    "python_console_exporter.openai_v2_2.4b0.jsonl": 3,
    "openllmetry_openai_0.62.4.traces.jsonl": 3,
}
"""Recordings of one workload, and their embeddings: the oldest instrumentation records none."""

COMPARED = ["request_model", "response_model", "input_tokens", "output_tokens", "is_error"]


def recorded(shared, name):
    """The model calls of a recording."""
    return load_traces(shared / "fixtures" / "otlp_json" / name).filter("is_model_call")


def chats(calls):
    """What is compared of the chat calls, in an order of its own."""
    return calls.filter(operation="chat").select(COMPARED).sort(COMPARED)


@pytest.mark.parametrize(("name", "embedding_count"), EMITTERS.items())
def test_one_workload_is_the_same_from_every_emitter(shared, name, embedding_count):
    """Ten chat calls, two of them failed, and three embeddings, recorded by three instrumentations."""
    calls = recorded(shared, name)
    assert chats(calls).equals(chats(recorded(shared, next(iter(EMITTERS)))))
    assert chats(calls).select(
        pl.len(), pl.col("input_tokens", "output_tokens").sum(), pl.col("is_error").sum()
    ).row(0) == (10, 3142, 598, 2)
    embeddings = calls.filter(operation="embeddings")
    assert (embeddings.height, embeddings["input_tokens"].sum()) == (embedding_count, 7 * embedding_count)


def test_the_emitter_with_gaps_agrees_but_for_them(shared):
    """OpenLLMetry 0.30.0 drops the spans of failed calls and the usage of the two streamed ones."""
    whole = chats(recorded(shared, next(iter(EMITTERS)))).remove(is_error=True)
    gappy = chats(recorded(shared, "openllmetry_openai_0.30.0.traces.jsonl"))
    stated, streamed = gappy.drop_nulls("input_tokens"), gappy.filter(pl.col("input_tokens").is_null())
    assert (gappy.height, streamed.height, gappy["is_error"].any()) == (whole.height, 2, False)
    left_over = whole.select(COMPARED).rows()
    for row in stated.rows():
        left_over.remove(row)
    assert sorted(row[0] for row in left_over) == sorted(streamed["request_model"])
    assert [sum(row[place] for row in left_over) for place in (2, 3)] == [62, 14]
