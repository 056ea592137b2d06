"""Phoenix exports of every shape through the reader."""

import json
from datetime import datetime

import polars as pl
import pytest

from llmops_lib.sources.phoenix import FORMAT, matches, read_phoenix
from llmops_lib.sources.sample import SAMPLE_BYTES, Sample, sample_text

REST = "support-rag.rest_spans.json"
SHAPES = (
    REST,
    "support-rag.otlpv1.json",
    "support-rag.spans.csv",
    "support-rag.spans.jsonl",
    "support-rag.spans.parquet",
    "trace_dataset-01387532-1f85-4a3e-be43-57e2de841078.parquet",
)
SPAN = {
    "name": "llm",
    "context": {"trace_id": "7428c40ae188b0b12da7767fd6ce7bcc", "span_id": "c1f6a8b5bfc0bd3f"},
    "span_kind": "LLM",
    "parent_id": None,
    "start_time": "2026-11-20T09:00:00+00:00",
    "end_time": "2026-11-20T09:00:02+00:00",
    "status_code": "OK",
    "status_message": "",
    "attributes": {"llm.model_name": "gpt-4o", "llm.token_count.prompt": 12},
    "events": [],
}


def _sample_of(path):
    with path.open("rb") as stream:
        raw = stream.read(SAMPLE_BYTES)
    if raw.startswith(b"PAR1"):
        return Sample("parquet", None, tuple(pl.scan_parquet(path).collect_schema().names()))
    return sample_text(raw, is_whole=len(raw) < SAMPLE_BYTES)


def _read(tmp_path, content):
    path = tmp_path / "export.json"
    path.write_text(json.dumps(content))
    return read_phoenix(path)


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_has_the_figures_counted_by_hand(shared, name):
    """All six hold the same spans, counted in plain Python over one of them."""
    expected = json.loads((shared / "fixtures/phoenix/EXPECTED.json").read_text())[REST]
    rows = read_phoenix(shared / "fixtures/phoenix" / name)
    spans = rows.spans
    calls = spans.filter(pl.col("operation") == "chat")
    assert rows.rows_read == spans.height == expected["spans"]
    assert rows.quarantine.is_empty()
    assert spans["trace_id"].n_unique() == expected["traces"]
    assert spans["parent_span_id"].null_count() == expected["traces"]
    assert calls.height == expected["llm_calls"]
    assert calls["input_tokens"].sum() == expected["input_tokens_llm_calls"]
    assert calls["output_tokens"].sum() == expected["output_tokens_llm_calls"]
    assert calls["cache_read_tokens"].sum() == expected["cache_read_tokens"]
    assert (calls["cache_write_tokens"].sum() or 0) == expected["cache_write_tokens"]
    assert calls["is_error"].sum() == expected["llm_calls_with_error"]
    assert spans["is_error"].sum() == expected["spans_with_error"]
    assert sorted(calls.filter(~pl.col("is_error"))["model"].unique()) == expected["models"]
    assert sorted(spans["session_id"].drop_nulls().unique()) == expected["sessions"]
    assert sorted(spans["user_id"].drop_nulls().unique()) == expected["users"]
    assert spans["started_at"].min() == datetime.fromisoformat(expected["first_start"])
    assert spans["ended_at"].max() == datetime.fromisoformat(expected["last_end"])


@pytest.mark.parametrize("name", SHAPES)
def test_every_kind_becomes_its_operation(shared, name):
    """The kind stands in a column, among the attributes, or in both."""
    by_kind = json.loads((shared / "fixtures/phoenix/EXPECTED.json").read_text())[REST]["by_kind"]
    spans = read_phoenix(shared / "fixtures/phoenix" / name).spans
    assert dict(spans["operation"].value_counts().rows()) == {
        "chain": by_kind["CHAIN"],
        "retrieval": by_kind["RETRIEVER"],
        "execute_tool": by_kind["TOOL"],
        "chat": by_kind["LLM"],
        "embeddings": by_kind["EMBEDDING"],
    }


@pytest.mark.parametrize(
    "name", [name for name in SHAPES if name.startswith(("support-rag.spans.p", "trace"))]
)
def test_tokens_of_a_saved_dataframe_are_all_read(shared, name):
    """Summed over the columns of the file, embeddings included."""
    expected = json.loads((shared / "fixtures/phoenix/EXPECTED.json").read_text())[name]
    spans = read_phoenix(shared / "fixtures/phoenix" / name).spans
    assert spans.height == expected["rows"]
    assert spans["input_tokens"].sum() == expected["sum_prompt"]
    assert spans["output_tokens"].sum() == expected["sum_completion"]
    assert spans["is_error"].sum() == expected["error_rows"]


@pytest.mark.parametrize("name", SHAPES[1:])
def test_all_shapes_give_equal_rows(shared, name):
    """How a team saved its spans must not change a number or a message."""
    own = ("attributes", "source_file", "source_line")
    rest, other = (
        read_phoenix(shared / "fixtures/phoenix" / shape).spans.sort("span_id").drop(own)
        for shape in (REST, name)
    )
    assert other.equals(rest)


@pytest.mark.parametrize("name", SHAPES[1:])
def test_all_shapes_keep_equal_attributes(shared, name):
    """What no column holds is the same too, but for what a shape lacks or rounds."""
    # The REST fixture shortens stack traces and alone has the id of the database; pandas rounds vectors.
    own = ("phoenix.id", "otel.events", "embedding.embeddings.0.embedding.vector")
    kept = []
    for shape in (REST, name):
        spans = read_phoenix(shared / "fixtures/phoenix" / shape).spans.sort("span_id")
        rows = [json.loads(text) for text in spans["attributes"]]
        kept.append([{key: value for key, value in row.items() if key not in own} for row in rows])
    assert kept[0] == kept[1]


def test_a_failed_call_has_the_class_of_its_exception(shared):
    """The class stands only in an event."""
    spans = read_phoenix(shared / "fixtures/phoenix" / REST).spans.filter("is_error")
    assert spans["error_type"].unique().to_list() == ["RateLimitError"]
    assert spans["error_message"].str.contains("Rate limit reached").all()


def test_a_streamed_call_knows_its_first_token(shared):
    """Its time is that of an event."""
    spans = read_phoenix(shared / "fixtures/phoenix" / REST).spans.filter("is_streaming")
    assert spans.select("span_id", pl.col("time_to_first_token_ms").round(3)).rows() == [
        ("a90af54ca33621f9", 103.591)
    ]


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_recognised(shared, name):
    """Detection sees the beginning of the file and nothing else."""
    assert matches(_sample_of(shared / "fixtures/phoenix" / name))


def test_exports_of_other_tools_are_not_taken(shared):
    """The console exporter writes a context, MLflow writes start_time_unix_nano."""
    for path in sorted((shared / "fixtures").rglob("*.*")):
        if "phoenix" not in path.parts and path.suffix in (".json", ".jsonl", ".csv", ".parquet"):
            assert not matches(_sample_of(path)), path.name


def test_a_bad_row_is_refused_alone_with_its_number(tmp_path):
    """One broken row must neither stop the file nor vanish."""
    spans = [
        SPAN,
        {**SPAN, "start_time": "soon"},
        {**SPAN, "context": {"trace_id": "0" * 32, "span_id": "c1f6a8b5bfc0bd3f"}},
        {**SPAN, "attributes": {**SPAN["attributes"], "llm.token_count.prompt": -1}},
        {"hello": "world"},
        7,
        {"id": "a", "span_id": "c1f6a8b5bfc0bd3f", "annotator_kind": "HUMAN", "result": {"score": 1}},
    ]
    rows = _read(tmp_path, {"data": spans, "next_cursor": None})
    assert rows.spans["source_format"].to_list() == [FORMAT]
    refused = rows.quarantine.select("source_line", pl.col("reason").str.split(":").list.first()).rows()
    assert refused == [
        (2, "time"),
        (3, "invalid_id"),
        (4, "range"),
        (5, "schema"),
        (6, "not_object"),
        (7, "not_a_span"),
    ]
    assert rows.rows_read == len(spans)


def test_pages_on_lines_are_read(tmp_path):
    """A download loop appends page after page."""
    path = tmp_path / "pages.jsonl"
    second = {**SPAN, "context": {**SPAN["context"], "span_id": "aaaaaaaaaaaaaaaa"}}
    path.write_text(json.dumps({"data": [SPAN]}) + "\n" + json.dumps({"data": [second]}))
    assert read_phoenix(path).spans["source_line"].to_list() == [1, 2]


def test_other_columns_are_kept(tmp_path):
    """Evaluations are joined to the dataframe before it is saved."""
    rows = _read(tmp_path, [{**SPAN, "eval.Hallucination.label": "factual"}])
    assert json.loads(rows.spans["attributes"][0])["phoenix.eval.Hallucination.label"] == "factual"


@pytest.mark.parametrize(
    "hostile",
    [
        [{**SPAN, "attributes": [1], "events": [1, {"attributes": 5}], "status_code": {}}],
        [{**SPAN, "name": {}, "span_kind": 4, "parent_id": [], "status_message": {}}],
        [{**SPAN, "attributes": {"llm": {"input_messages": [1, {"a": [{}]}]}, "metadata": [[{}]]}}],
        [
            {
                "trace_id": 5,
                "start_time_unix_nano": {},
                "attributes": [4, {"key": 1}],
                "events": {},
                "status": 3,
            }
        ],
        [{"context.span_id": {}, "context.trace_id": [], "events": 5, "parent_id": {}, "start_time": []}],
        [{"context": {}, "span_kind": "LLM", "start_time": True}],
    ],
)
def test_values_of_the_wrong_kind_never_raise(tmp_path, hostile):
    """An export is written by whoever calls the application."""
    rows = _read(tmp_path, hostile)
    assert rows.rows_read == rows.spans.height + rows.quarantine.height == 1
