"""MLflow traces of every shape through the reader."""

import csv
import json
from datetime import UTC, datetime

import polars as pl
import pytest

from llmops_lib.sources.detect import detect_format
from llmops_lib.sources.load import read_exports
from llmops_lib.sources.mlflow import read_mlflow
from llmops_lib.sources.mlflow_cells import cell_value, hex_id

FILES = ("traces.json", "traces.jsonl", "search_traces.csv", "search_traces.parquet")
STARTED_NS = 1772445600123456789

SPAN = {
    "trace_id": "ztVvD8+NeEbe9Gh2VVbJTA==",
    "span_id": "SnlHMQa/tY0=",
    "parent_span_id": None,
    "name": "Completions",
    "start_time_unix_nano": STARTED_NS,
    "end_time_unix_nano": STARTED_NS + 2_500_000_000,
    "events": [],
    "status": {"code": "STATUS_CODE_OK", "message": ""},
    "attributes": {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.spanInputs": '{"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}',
        "mlflow.spanOutputs": '{"id": "c-1", "model": "gpt-4o-2024-08-06", "choices": [{"finish_reason": '
        '"stop", "message": {"role": "assistant", "content": "hello"}}]}',
        "mlflow.chat.tokenUsage": '{"input_tokens": 12, "output_tokens": 5, "cache_read_input_tokens": 8}',
        "mlflow.llm.cost": '{"input_cost": 0.25, "output_cost": 0.5, "total_cost": 0.75}',
    },
}
TRACE = {
    "info": {
        "trace_id": "tr-ced56f0fcf8d7846def468765556c94c",
        "state": "OK",
        "trace_metadata": {
            "mlflow.trace.session": "s-1",
            "mlflow.trace.user": "u-1",
            "mlflow.trace.tokenUsage": '{"input_tokens": 12, "output_tokens": 5}',
        },
        "tags": {"team": "growth", "feature": "qa", "environment": "prod", "mlflow.traceName": "answer"},
    },
    "data": {"spans": [SPAN]},
}
# The same call as MLflow 2 writes it.
TRACE_2 = {
    "info": {
        "request_id": "tr-ced56f0fcf8d7846def468765556c94c",
        "timestamp_ms": 1772445600123,
        "status": "OK",
        "request_metadata": {"mlflow.trace.session": "s-1", "mlflow.trace.user": "u-1"},
        "tags": TRACE["info"]["tags"],
    },
    "data": {
        "spans": [
            {
                "name": "Completions",
                "context": {
                    "trace_id": "0xced56f0fcf8d7846def468765556c94c",
                    "span_id": "0x4A79473106BFB58D",
                },
                "parent_id": None,
                "start_time": STARTED_NS,
                "end_time": STARTED_NS + 2_500_000_000,
                "status_code": "OK",
                "status_message": "",
                "attributes": SPAN["attributes"],
                "events": [],
            }
        ]
    },
}

# The same call as the REST API of MLflow 3 answers, and as the user interface holds it.
ANSWERED = {
    **SPAN,
    "start_time_unix_nano": str(STARTED_NS),
    "end_time_unix_nano": str(STARTED_NS + 2_500_000_000),
    "attributes": [
        {"key": name, "value": {"string_value": text}} for name, text in SPAN["attributes"].items()
    ],
}
REST = {"trace": {"trace_info": TRACE["info"], "spans": [ANSWERED]}}
SHOWN = {"trace_info": TRACE["info"], "trace_data": TRACE["data"]}


def _read(tmp_path, content, name="export"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_mlflow(path)


def _changed(**attributes):
    return {**SPAN, "attributes": {**SPAN["attributes"], **attributes}}


@pytest.mark.parametrize("name", FILES)
def test_a_real_export_has_the_figures_counted_by_hand(shared, name):
    """Four shapes of the same traces, counted in plain Python over the raw file."""
    folder = shared / "fixtures/mlflow"
    expected = json.loads((folder / "EXPECTED.json").read_text())["traces.json"]
    rows = read_mlflow(folder / name)
    calls = rows.spans.filter("is_model_call")
    assert rows.spans["trace_id"].n_unique() == expected["traces"]
    assert rows.rows_read == rows.spans.height == expected["spans"]
    assert calls.height == expected["llm_spans"]
    assert calls["input_tokens"].sum() == expected["input_tokens"]
    assert calls["output_tokens"].sum() == expected["output_tokens"]
    assert calls["reported_cost_usd"].sum() == pytest.approx(expected["cost"])
    assert rows.spans.filter("is_error")["trace_id"].n_unique() == expected["error_traces"]
    assert calls.filter("is_error")["error_type"].to_list() == ["RateLimitError"]


def test_every_shape_of_the_same_traces_gives_the_same_rows(shared):
    """How a trace was saved must not change the numbers."""
    own = ("source_file", "source_line", "attributes")
    tables = [
        read_mlflow(shared / "fixtures/mlflow" / name).spans.drop(own).sort("trace_id", "span_id")
        for name in FILES
    ]
    assert all(table.equals(tables[0]) for table in tables[1:])


def test_an_artifact_is_the_trace_without_its_info(shared):
    """The same span of two exports must meet under one key, or its call counts twice."""
    loaded = read_exports(
        [shared / "fixtures/mlflow" / name for name in ("artifact_traces.json", "traces.json")]
    )
    assert loaded.spans.height == 12
    assert loaded.quarantine["reason"].to_list() == ["duplicate"] * 3


@pytest.mark.parametrize("name", [*FILES, "artifact_traces.json"])
def test_a_real_export_is_recognised(shared, name):
    """Nobody should have to name the format."""
    assert detect_format(shared / "fixtures/mlflow" / name) == "mlflow"


@pytest.mark.parametrize(
    "content",
    [TRACE, TRACE_2, {**TRACE_2, "data": json.dumps(TRACE_2["data"])}, {"traces": [TRACE]}, REST, SHOWN],
    ids=["mlflow 3", "mlflow 2", "data in text", "page", "REST API", "user interface"],
)
def test_every_generation_gives_the_same_call(tmp_path, content):
    """A team that upgrades must not see its numbers move."""
    (row,) = _read(tmp_path, content).spans.to_dicts()
    assert detect_format(tmp_path / "export") == "mlflow"
    assert row["trace_id"] == "tr-ced56f0fcf8d7846def468765556c94c"
    assert row["span_id"] == "4a79473106bfb58d"
    assert row["started_at"] == datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
    assert row["latency_ms"] == 2500
    assert (row["request_model"], row["response_model"]) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert (row["input_tokens"], row["output_tokens"], row["cache_read_tokens"]) == (12, 5, 8)
    assert (row["session_id"], row["user_id"]) == ("s-1", "u-1")
    assert (row["tenant"], row["feature"], row["environment"]) == ("growth", "qa", "prod")
    assert row["reported_cost_usd"] == 0.75


def test_the_table_of_mlflow_2_is_recognised_and_read(tmp_path):
    """`search_traces` of MLflow 2 names its columns otherwise."""
    path = tmp_path / "traces.csv"
    cells = {
        "request_id": "tr-1",
        "timestamp_ms": "1772445600123",
        "status": "OK",
        "spans": repr([SPAN]),
        "tags": repr({"team": "growth"}),
    }
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(cells))
        writer.writeheader()
        writer.writerow(cells)
    assert detect_format(path) == "mlflow"
    (row,) = read_mlflow(path).spans.to_dicts()
    assert (row["trace_id"], row["tenant"], row["input_tokens"]) == ("tr-1", "growth", 12)


def test_parquet_with_structs_is_read(tmp_path):
    """A frame saved without dumping its columns gives every struct the keys of all."""
    path = tmp_path / "traces.parquet"
    spans = [SPAN, {**_changed(other="1"), "span_id": "OBmbG0SpQK0="}]
    pl.DataFrame(
        [{"trace_id": "tr-1", "state": "OK", "trace_metadata": {"a": "b"}, "spans": spans}]
    ).write_parquet(path)
    assert detect_format(path) == "mlflow"
    assert read_mlflow(path).spans["input_tokens"].to_list() == [12, 12]


def test_nanoseconds_keep_their_microseconds(tmp_path):
    """Seventeen digits of a double would move the start."""
    (row,) = _read(tmp_path, TRACE).spans.to_dicts()
    assert row["started_at"].microsecond == 123456


def test_totals_of_the_trace_are_no_call(tmp_path):
    """The trace repeats the sum of its spans; adding it would double the spend."""
    rows = _read(tmp_path, TRACE)
    assert rows.spans["input_tokens"].sum() == 12
    assert "mlflow.trace.tokenUsage" in rows.spans["attributes"][0]


def test_usage_on_an_agent_is_not_counted(tmp_path):
    """Agents repeat the usage of the calls inside them."""
    span = _changed(**{"mlflow.spanType": '"AGENT"'})
    (row,) = _read(tmp_path, {"spans": [span]}).spans.to_dicts()
    assert (row["is_model_call"], row["input_tokens"], row["reported_cost_usd"]) == (False, None, None)
    assert '"input_tokens":12' in row["attributes"]


def test_an_answer_of_anthropic_makes_its_counts_inclusive(tmp_path):
    """MLflow passes Anthropic's input through, which leaves the cache out."""
    answer = {
        "id": "msg-1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20},
    }
    usage = {"input_tokens": 9, "output_tokens": 5, "cache_read_input_tokens": 100}
    span = _changed(**{"mlflow.spanOutputs": json.dumps(answer), "mlflow.chat.tokenUsage": json.dumps(usage)})
    (row,) = _read(tmp_path, {"spans": [span]}).spans.to_dicts()
    assert (row["input_tokens"], row["cache_read_tokens"], row["cache_write_tokens"]) == (129, 100, 20)
    assert json.loads(row["output"])[0]["parts"] == [{"type": "text", "content": "hello"}]


def test_a_model_is_told_from_the_request_where_the_call_failed(tmp_path):
    """A failed call has no answer that names a model."""
    attributes = {
        "mlflow.spanType": '"CHAT_MODEL"',
        "model": '"gpt-4o"',
        "mlflow.llm.model": '"gpt-4o"',
    }
    failed = {**SPAN, "status": {"code": "STATUS_CODE_ERROR", "message": "429"}, "attributes": attributes}
    (row,) = _read(tmp_path, {"spans": [failed]}).spans.to_dicts()
    assert (row["request_model"], row["response_model"], row["is_error"]) == ("gpt-4o", None, True)
    assert (row["error_message"], row["input_tokens"]) == ("429", None)


def test_a_persons_assessment_is_feedback_on_the_root(tmp_path):
    """A judge's verdict is no feedback of a user."""
    assessments = [
        {"assessment_name": "user_feedback", "source": {"source_type": "HUMAN"}, "feedback": {"value": 4}},
        {"assessment_name": "user_rating", "source": {"source_type": "LLM_JUDGE"}, "feedback": {"value": 2}},
    ]
    content = {**TRACE, "info": {**TRACE["info"], "assessments": assessments}}
    assert _read(tmp_path, content).spans["feedback_score"].to_list() == [4.0]


def test_a_trace_without_spans_is_refused_with_what_to_do(tmp_path):
    """An export without spans must not look like a week without calls."""
    rows = _read(tmp_path, {**TRACE, "data": {"spans": []}})
    assert rows.quarantine["reason"].to_list() == ["schema: a trace without its spans; export it with them"]


@pytest.mark.parametrize("value", [7, "text", [1], None])
def test_anything_but_a_trace_is_refused(tmp_path, value):
    """Nothing that stands in a file is dropped silently."""
    rows = _read(tmp_path, f"{json.dumps(TRACE)}\n{json.dumps(value)}\n")
    assert (rows.spans.height, rows.quarantine.height, rows.rows_read) == (1, 1, 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", None), (None, None), ("abc", "abc"), ("4A79473106BFB58D", "4a79473106bfb58d"), ("####", "####")],
)
def test_an_identifier_that_is_no_base64_stays(value, expected):
    """A guessed identifier would tear a trace apart."""
    assert hex_id(value) == expected


def test_notation_that_is_no_literal_stays_text():
    """A cell is read, never run."""
    assert cell_value("[__import__('os').getcwd()]") == "[__import__('os').getcwd()]"


def test_a_streamed_answer_is_read_from_its_chunks(tmp_path):
    """MLflow 2 leaves usage, model and id in the last chunk; the first tells the time to the first token."""
    last = {
        "id": "c-1",
        "model": "m-2024",
        "choices": [],
        "usage": {"prompt_tokens": 33, "completion_tokens": 12},
    }
    chunks = [{"id": "c-1", "choices": [{"index": 0, "delta": {"content": "hi"}}]}, last]
    span = {
        "name": "Completions",
        "context": {"trace_id": "t" * 32, "span_id": "s" * 16},
        "parent_id": None,
        "start_time": STARTED_NS,
        "end_time": STARTED_NS + 900_000_000,
        "status_code": "OK",
        "attributes": {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.spanInputs": '{"model": "m"}',
            "mlflow.spanOutputs": '"hi"',
        },
        "events": [
            {
                "name": f"mlflow.chunk.item.{number}",
                "timestamp": STARTED_NS // 1_000 + 250_000 * (number + 1),
                "attributes": {"mlflow.chunk.value": json.dumps(chunk)},
            }
            for number, chunk in enumerate(chunks)
        ],
    }
    path = tmp_path / "traces.json"
    path.write_text(json.dumps({"spans": [span]}))
    columns = ["response_model", "request_id", "input_tokens", "output_tokens", "is_streaming"]
    spans = read_exports(path).spans
    assert spans.select(columns).rows() == [("m-2024", "c-1", 33, 12, True)]
    assert spans["time_to_first_token_ms"].to_list() == [pytest.approx(250.0, abs=0.01)]


@pytest.mark.parametrize(
    ("asked", "answered", "more"),
    [
        ({"model": "m", "contents": "hi"}, {"candidates": [{"content": {"parts": []}}]}, {}),
        ({"modelId": "m", "messages": []}, {"output": {"message": {"content": []}}}, {}),
        ({"model": "m", "input": "hi"}, None, {}),
        ([[{"type": "human", "content": "hi"}]], None, {"invocation_params": '{"model_name": "m"}'}),
    ],
    ids=["Gemini", "Bedrock", "failed", "LangChain"],
)
def test_a_request_of_any_provider_names_its_model(tmp_path, asked, answered, more):
    """Before release 3.6 no attribute names it, and a call without a model has no price."""
    attributes = {"mlflow.spanInputs": json.dumps(asked), "mlflow.spanOutputs": json.dumps(answered), **more}
    span = {**SPAN, "attributes": {**attributes, "mlflow.spanType": '"CHAT_MODEL"'}}
    path = tmp_path / "traces.json"
    path.write_text(json.dumps({"info": {"trace_id": "tr-1"}, "data": {"spans": [span]}}))
    assert read_exports(path).spans.select("model", "is_model_call").rows() == [("m", True)]
