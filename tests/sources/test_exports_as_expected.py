"""Every real export, loaded as a user loads it, gives the figures that were counted from its raw file.

The figures are those of `EXPECTED.json` beside each export, which plain code counted without this library.
A name that stands there and here in neither list fails, so no figure goes unchecked.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from llmops_lib import detect_format, load_traces
from llmops_lib.schema import BENIGN_REASONS
from llmops_lib.sources.load import read_exports

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "fixtures"

FORMATS = {
    "otlp_json": "otlp",
    "phoenix": "phoenix",
    "langfuse": "langfuse",
    "langsmith": "langsmith",
    "litellm": "litellm",
    "helicone": "helicone",
    "mlflow": "mlflow",
    "opik": "opik",
    "braintrust": "braintrust",
}
"""Folder of exports -> the format that detection must find."""

OF_THE_FILE = {
    "bytes",
    "columns",
    "compression",
    "duplicate_column_names",
    "note",
    "prompt_tokens_all_runs_WRONG_if_summed",
    "total_cost_type",
    "usage_detail_keys",
}
"""Names that describe the file or warn of a mistake, and that no table of spans can hold."""

EXCEPTIONS = {
    # The count looks for gen_ai.operation.name; this emitter names its embeddings elsewhere.
    ("openllmetry_openai_0.30.0.traces.jsonl", "embedding_calls"): 3,
    ("openllmetry_openai_0.30.0.traces.jsonl", "embedding_input_tokens"): 21,
    # The count reads the outer spans alone; those that are kept, of the SDK itself, name who answered.
    ("openinference_anthropic_plus_sdk_native.traces.jsonl", "response_models"): [
        "claude-3-5-haiku-20241022",
        "claude-opus-4-1-20250805",
    ],
}
"""Figures in which a load finds more than was counted, and why."""


def exports():
    """Each trace export with what was counted from it."""
    if not FIXTURES.is_dir():
        return []
    return [
        pytest.param(counts.parent / name, figures, id=f"{folder}/{name}")
        for folder in FORMATS
        for counts in sorted((FIXTURES / folder).rglob("EXPECTED.json"))
        for name, figures in json.loads(counts.read_text(encoding="utf-8")).items()
    ]


def folder_of(path):
    """The folder of the export below the fixtures."""
    return path.relative_to(FIXTURES).parts[0]


def calls_of(spans):
    """Model calls that generate text."""
    return spans.filter("is_model_call", pl.col("operation").is_in(["chat", "text_completion"]))


def attribute(spans, name):
    """A value that no column holds."""
    return spans["attributes"].str.json_path_match(f'$["{name}"]')


def stated(spans, column):
    """The different values of a column."""
    return sorted(spans[column].drop_nulls().unique())


def kinds(spans, name):
    """How many spans there are of each kind of the source."""
    return dict(attribute(spans, name).value_counts().rows())


def calls_figures(spans):
    """What is counted of calls that generate text."""
    calls, embeddings = calls_of(spans), spans.filter("is_model_call", operation="embeddings")
    return {
        "llm_calls": calls.height,
        "llm_calls_with_error": calls["is_error"].sum(),
        "llm_calls_without_usage": calls["input_tokens"].null_count(),
        "input_tokens_llm_calls": calls["input_tokens"].sum(),
        "output_tokens_llm_calls": calls["output_tokens"].sum(),
        "cache_read_tokens": calls["cache_read_tokens"].sum(),
        "cache_write_tokens": calls["cache_write_tokens"].sum(),
        "reasoning_tokens": calls["reasoning_tokens"].sum(),
        "given_cost_sum": calls["reported_cost_usd"].sum(),
        "embedding_calls": embeddings.height,
        "embedding_input_tokens": embeddings["input_tokens"].sum(),
    }


def otlp_figures(load):
    """Spans as OpenTelemetry has them, in OTLP and Phoenix alike; log records and metrics are no spans."""
    spans, folded = load.spans, attribute(load.spans, "llmops.folded_into").is_not_null()
    calls, rest = calls_of(spans), spans.filter(~folded & ~pl.col("is_model_call"))
    repeated = rest["attributes"].str.contains(r"usage[.\w]*input_?[tT]okens")
    return calls_figures(spans) | {
        "spans": spans.height,
        "records": load.files[0].rows_read,
        "lines": load.quarantine["source_line"].n_unique(),
        "traces": spans["trace_id"].n_unique(),
        "root_spans": spans["parent_span_id"].null_count(),
        "spans_with_error": spans["is_error"].sum(),
        "llm_spans_raw": calls.height + folded.sum(),
        "spans_with_rolled_up_usage_not_llm": repeated.sum(),
        "request_models": stated(calls.filter(~pl.col("is_error")), "request_model"),
        "response_models": stated(calls, "response_model"),
        "models": stated(calls.filter(~pl.col("is_error")), "request_model"),
        "sessions": stated(spans, "session_id"),
        "users": stated(spans, "user_id"),
        "by_kind": kinds(spans, "openinference.span.kind"),
        "first_start": spans["started_at"].min(),
        "last_end": spans["ended_at"].max(),
        "rows": spans.height,
        "data_rows": spans.height,
        "sum_prompt": spans["input_tokens"].sum(),
        "sum_completion": spans["output_tokens"].sum(),
        "error_rows": spans["is_error"].sum(),
    }


def langfuse_figures(load):
    """Observations are spans; traces and scores are not."""
    spans, reasons = load.spans, load.quarantine["reason"].to_list()
    calls = spans.filter("is_model_call")
    scores, traces = (
        sum(reason.startswith("not_a_span") and word in reason for reason in reasons)
        for word in ("score", "trace")
    )
    types = kinds(spans, "langfuse.type")
    created = {f"{kind.lower()}-create": count for kind, count in types.items()}
    return {
        "trace_id": "".join(spans["trace_id"].unique()),
        "observations": spans.height,
        "rows": load.files[0].rows_read,
        "data_rows": spans.height,
        "events": load.files[0].rows_read,
        "by_type": types
        if not traces or spans["trace_id"].n_unique() == 1
        else created | {"trace-create": traces, "score-create": scores},
        "generations": calls.height,
        "generations_with_error": calls["is_error"].sum(),
        "input_usage": calls["input_tokens"].sum(),
        "output_usage": calls["output_tokens"].sum(),
        "total_usage": calls["input_tokens"].sum() + calls["output_tokens"].sum(),
        "total_cost": spans["reported_cost_usd"].sum(),
        "errors": spans["is_error"].sum(),
        "models": stated(calls, "request_model"),
        "scores": scores,
        "first_start": spans["started_at"].min(),
        "last_end": spans["ended_at"].max(),
    }


def langsmith_figures(load):
    """Runs, whose ancestors repeat their tokens."""
    spans = load.spans
    calls = spans.filter("is_model_call")
    has_parent = spans["parent_span_id"].is_in(spans["span_id"].implode()) | spans["parent_span_id"].is_null()
    return {
        "runs": spans.height,
        "rows": spans.height,
        "lines": 2 * spans.height,
        "traces": spans["trace_id"].n_unique(),
        "by_type": kinds(spans, "langsmith.run_type"),
        "errors": spans["is_error"].sum(),
        "llm_models": stated(calls, "request_model"),
        "runs_whose_parent_is_absent": (~has_parent).sum(),
        "llm_sum_prompt_tokens": spans["input_tokens"].sum(),
        "llm_sum_completion_tokens": spans["output_tokens"].sum(),
        "llm_sum_total_cost": spans["reported_cost_usd"].sum(),
        "llm_runs": calls.height,
        "prompt_tokens_llm": calls["input_tokens"].sum(),
        "completion_tokens_llm": calls["output_tokens"].sum(),
        "cost_llm": calls["reported_cost_usd"].sum(),
        "errors_llm": calls["is_error"].sum(),
        "errors_all": spans["is_error"].sum(),
        "first_start": spans["started_at"].min(),
        "last_end": spans["ended_at"].max(),
    }


def gateway_figures(load):
    """Rows of LiteLLM and Helicone, each a call; Helicone's input leaves Anthropic's cache out."""
    calls = load.spans.filter("is_model_call")
    exclusive = calls.filter(provider="anthropic")
    cached = (exclusive["cache_read_tokens"].sum(), exclusive["cache_write_tokens"].sum())
    outside = sum(cached) if load.files[0].source_format == "helicone" else 0
    succeeded = calls.height - calls["is_error"].sum()
    return {
        "rows": load.spans.height,
        "data_rows": load.spans.height,
        "success": succeeded,
        "ok": succeeded,
        "failure": calls["is_error"].sum(),
        "prompt_tokens": calls["input_tokens"].sum() - outside,
        "completion_tokens": calls["output_tokens"].sum(),
        "cache_read": calls["cache_read_tokens"].sum(),
        "cache_write": calls["cache_write_tokens"].sum(),
        "cost": calls["reported_cost_usd"].sum(),
        "cost_sum": calls["reported_cost_usd"].sum(),
        "models": stated(calls, "request_model"),
        "first_start": calls["started_at"].min(),
        "last_end": calls["ended_at"].max(),
    }


def mlflow_figures(load):
    """A trace is requested when its root starts, down to the millisecond."""
    spans, calls = load.spans, calls_of(load.spans)
    roots = spans.filter(pl.col("parent_span_id").is_null())
    requested_at = roots["started_at"].dt.truncate("1ms")
    return {
        "traces": roots.height,
        "rows": roots.height,
        "data_rows": roots.height,
        "spans": spans.height,
        "llm_spans": calls.height,
        "input_tokens": spans["input_tokens"].sum(),
        "output_tokens": spans["output_tokens"].sum(),
        "cost": spans["reported_cost_usd"].sum(),
        "error_traces": roots["is_error"].sum(),
        "first": requested_at.min(),
        "last": requested_at.max(),
    }


def logged_figures(load):
    """Rows of Opik and Braintrust."""
    spans = load.spans
    calls = spans.filter("is_model_call")
    return {
        "spans": spans.height,
        "rows": spans.height,
        "llm": calls.height,
        "prompt_tokens": spans["input_tokens"].sum(),
        "completion_tokens": spans["output_tokens"].sum(),
        "errors_llm": calls["is_error"].sum(),
        "llm_rows_with_error": calls["is_error"].sum(),
        "rows_with_error": spans["is_error"].sum(),
        "models": stated(calls, "request_model"),
    }


FIGURES = {
    "otlp_json": otlp_figures,
    "phoenix": otlp_figures,
    "langfuse": langfuse_figures,
    "langsmith": langsmith_figures,
    "litellm": gateway_figures,
    "helicone": gateway_figures,
    "mlflow": mlflow_figures,
    "opik": logged_figures,
    "braintrust": logged_figures,
}


def comparable(value):
    """A figure as it was counted or loaded: numbers that are text, and times in any notation, alike."""
    if isinstance(value, list):
        # "None" is what the count wrote for a call whose model it did not find.
        return [item for item in value if item != "None"]
    if isinstance(value, str):
        value = moment(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return pytest.approx(value) if isinstance(value, float) else value


def moment(text):
    """The time or number that a text is, else the text; down to the microsecond that a table keeps."""
    try:
        number = float(text)
        return datetime.fromtimestamp(number, UTC) if number > 1e9 else number
    except ValueError:
        pass
    try:
        whole, _, fraction = text.rstrip("Z").partition(".")
        digits = fraction.partition("+")[0][:6]
        return datetime.fromisoformat(f"{whole}.{digits:0<6}+00:00")
    except ValueError:
        return text


@pytest.mark.parametrize(("path", "expected"), exports())
def test_an_export_has_the_figures_counted_from_it(path, expected):
    """Spans, calls counted once, tokens, cost, errors, sessions: one wrong misplaces money or blame."""
    load = read_exports(path)
    found = FIGURES[folder_of(path)](load)
    wanted = {name: value for name, value in expected.items() if name not in OF_THE_FILE}
    assert wanted.keys() <= found.keys()
    for name, value in wanted.items():
        counted = EXCEPTIONS.get((path.name, name), value)
        assert comparable(found[name]) == comparable(counted), name


@pytest.mark.parametrize("path", [export.values[0] for export in exports()])
def test_an_export_is_detected_and_nothing_of_it_is_refused(path):
    """A quarantined row of a sound export is a defect of the reader."""
    load = read_exports(path)
    assert detect_format(path) == FORMATS[folder_of(path)] == load.files[0].source_format
    reasons = {reason.partition(":")[0] for reason in load.quarantine["reason"]}
    assert reasons <= set(BENIGN_REASONS)
    assert load.files[0].rows_read == load.spans.height + load.quarantine.height > 0
    assert load_traces(path).equals(load.spans)


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
