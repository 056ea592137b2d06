"""Which format a file is in."""

import json

import polars as pl
import pytest

from llmops_lib.errors import SourceError, SourceNotFoundError, UnknownFormatError
from llmops_lib.sources.detect import detect_format, named_reader

REAL = {
    "otlp_json/openai_v2_2.4b0.latest_semconv.traces.jsonl": "otlp",
    "otlp_json/openai_v2_2.1b0.old_semconv.logs.jsonl": "otlp",
    "otlp_json/python_console_exporter.openai_v2_2.4b0.jsonl": "otlp",
    "phoenix/support-rag.spans.csv": "phoenix",
    "phoenix/support-rag.spans.parquet": "phoenix",
    "phoenix/support-rag.rest_spans.json": "phoenix",
    "phoenix/support-rag.otlpv1.json": "phoenix",
    "langfuse/trace_json/agno-2025-06-11.trace.json": "langfuse",
    "langfuse/projected_exports/observations_ui_export.csv": "langfuse",
    "langfuse/sdk_v2_ingestion/ingestion_batch.json": "langfuse",
    "langsmith/sdk_runs.runs.jsonl": "langsmith",
    "langsmith/sdk_runs.bulk_export.parquet": "langsmith",
    "langsmith/run_ops_researcher_subgraph.jsonl": "langsmith",
    "litellm/spend_logs.jsonl": "litellm",
    "litellm/standard_logging_payload.jsonl": "litellm",
    "helicone/helicone-export.csv": "helicone",
    "helicone/helicone-export.json": "helicone",
    "mlflow/traces.json": "mlflow",
    "mlflow/search_traces.parquet": "mlflow",
    "opik/sdk_batch.spans.jsonl": "opik",
    "braintrust/sdk_log_rows.jsonl": "braintrust",
}


@pytest.mark.parametrize("name", REAL)
def test_real_exports_are_recognised_under_any_name(shared, tmp_path, name):
    """People rename exports; only their content says what they are."""
    renamed = tmp_path / "download (3)"
    renamed.write_bytes((shared / "fixtures" / name).read_bytes())
    assert detect_format(renamed) == REAL[name]


@pytest.mark.parametrize(
    "name",
    [
        "promptfoo/emitted_0.123.1.json",
        "inspect_ai/emitted_0.3.285_capitals.json",
        "deepeval/emitted_4.3.1_test_run_20261123_093554.json",
        "provider_usage/openai/costs_by_line_item.json",
    ],
)
def test_an_export_that_no_reader_knows_is_not_taken_for_another(shared, name):
    """A wrong guess would fill the table with numbers that mean something else."""
    with pytest.raises(UnknownFormatError):
        detect_format(shared / "fixtures" / name)


def test_the_error_says_what_was_found_what_was_looked_for_and_what_to_do(tmp_path):
    """The one message most newcomers will see."""
    path = tmp_path / "requests.csv"
    path.write_text("when,prompt_size\n1,2\n")
    with pytest.raises(UnknownFormatError) as raised:
        detect_format(path)
    text = str(raised.value)
    assert "requests.csv" in text
    assert "'when', 'prompt_size'" in text
    assert all(name in text for name in ("OTLP/JSON:", "Phoenix:", "Langfuse:", "table:"))
    assert "columns={'started_at'" in text


def test_hostile_column_names_cannot_steer_a_terminal(tmp_path):
    """The message quotes the file, and the file may hold escape sequences."""
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"\x1b]0;owned\x07" + "y" * 500: 1}))
    with pytest.raises(UnknownFormatError) as raised:
        detect_format(path)
    assert "\x1b" not in str(raised.value)
    assert "y" * 50 not in str(raised.value)


def test_canonical_column_names_make_a_table(tmp_path):
    """What this library writes, it reads."""
    path = tmp_path / "spans.parquet"
    pl.DataFrame({"started_at": ["2026-01-01T00:00:00Z"], "input_tokens": [5]}).write_parquet(path)
    assert detect_format(path) == "table"


def test_scores_are_no_table_of_requests(tmp_path):
    """Eval results have start times too, and are no traffic."""
    path = tmp_path / "scores.csv"
    path.write_text("run_id,example_id,scorer,score,started_at\nr,e,exact,1,2026-01-01T00:00:00Z\n")
    with pytest.raises(UnknownFormatError):
        detect_format(path)


@pytest.mark.parametrize(
    "content",
    [
        '{"data": [{"start_time": 1, "end_time": 2, "results": []}]}',
        '[{"starting_at": "2026-03-02T00:00:00Z", "ending_at": "2026-03-03T00:00:00Z", "results": []}]',
        "usage_date_utc,model,token_type,cost_usd\n",
    ],
)
def test_whoever_gives_a_bill_for_traces_is_told_what_reads_it(tmp_path, content):
    """Both come from the same pages of a console, and a column mapping would not help."""
    path = tmp_path / "export"
    path.write_text(content)
    with pytest.raises(UnknownFormatError, match="begins like a bill; load_bill reads those"):
        detect_format(path)


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    """An export job that failed leaves one behind."""
    path = tmp_path / "empty.jsonl"
    path.write_text("\n \n")
    with pytest.raises(SourceError, match=r"empty\.jsonl: the file is empty"):
        detect_format(path)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    """A typing error must not look like a damaged export."""
    with pytest.raises(SourceNotFoundError, match="there is no such file"):
        detect_format(tmp_path / "absent.jsonl")


def test_an_unknown_format_name_lists_the_known_ones():
    """Nobody remembers the exact spelling."""
    with pytest.raises(SourceError, match=r"'otel' is unknown; expected one of \['otlp', 'phoenix'"):
        named_reader("otel")


def test_a_foreign_line_on_top_does_not_decide_the_format(tmp_path):
    """A log that two programs wrote into is what most of its lines are."""
    path = tmp_path / "spans.jsonl"
    opik = {
        "id": "s",
        "project_name": "p",
        "trace_id": "t",
        "type": "llm",
        "start_time": "2026-03-02T10:00:00Z",
    }
    lines = [{"level": "info"}, opik, {"resourceSpans": []}, {"resourceSpans": []}]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert detect_format(path) == "otlp"


def test_a_format_is_found_behind_many_lines_of_something_else(tmp_path):
    """An application may print a megabyte of its own before the first span."""
    path = tmp_path / "spans.jsonl"
    lines = [{"level": "info", "text": "x" * 1_000}] * 1_000 + [{"resourceSpans": []}]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert detect_format(path) == "otlp"


def test_langfuse_rows_that_lack_a_parent_are_no_opik_rows(tmp_path):
    """Both name their fields alike; an export may leave out what is null."""
    path = tmp_path / "rows.jsonl"
    row = {"id": "o", "project_id": "p", "trace_id": "t", "type": "SPAN", "start_time": "2026-03-02 10:00:00"}
    path.write_text(json.dumps(row) + "\n" + json.dumps({**row, "id": "o-2"}))
    assert detect_format(path) == "langfuse"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[]", "JSON without any object in it"),
        (b"ready\n{\n  resource: {\n    attributes: {}\n  },\n  name: 'chat'\n}\n", "as Node prints them"),
        (b"\n\xf8\x01\n\x10\x12\x0e\n\x0c\n\x01x", "if it is OTLP in protobuf, export it as JSON"),
    ],
    ids=["empty page", "console of Node", "protobuf"],
)
def test_what_a_file_without_records_is_stands_in_the_error(tmp_path, content, said):
    """Columns of control characters, or the keys (none), say nothing to a person."""
    path = tmp_path / "export"
    path.write_bytes(content)
    with pytest.raises(UnknownFormatError, match=said):
        detect_format(path)
