"""Langfuse exports of every shape through the reader."""

import csv
import gzip
import json
from datetime import datetime

import polars as pl
import pytest

from llmops_lib.sources.langfuse import FORMAT, matches, read_langfuse
from llmops_lib.sources.sample import SAMPLE_BYTES, Sample, sample_text

GENERATION = {
    "id": "g-1",
    "traceId": "t-1",
    "type": "GENERATION",
    "parentObservationId": None,
    "startTime": "2025-09-01T10:00:00Z",
    "endTime": "2025-09-01T10:00:02Z",
    "model": "gpt-4o",
    "usageDetails": {"input": 12, "output": 5},
}
TRACE = {"id": "t-1", "timestamp": "2025-09-01T10:00:00Z", "sessionId": "s-1", "public": False}


def _read(tmp_path, content, name="export"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_langfuse(path)


def _sample_of(path):
    with path.open("rb") as stream:
        raw = stream.read(SAMPLE_BYTES)
    return sample_text(raw, is_whole=len(raw) < SAMPLE_BYTES)


SHAPES = {
    "a page of the API": {"data": [GENERATION], "meta": {"page": 1, "totalItems": 1}},
    "a cursor page": {"data": [GENERATION], "meta": {"cursor": "abc"}},
    "an array": [GENERATION],
    "one observation": GENERATION,
    "a trace of the API": {**TRACE, "htmlPath": "/p", "observations": [GENERATION]},
    "a trace without its links": {"id": "t-1", "observations": [GENERATION]},
    "a download": {"trace": TRACE, "observations": [GENERATION]},
    "a batch": {
        "batch": [
            {
                "type": "generation-create",
                "body": {name: value for name, value in GENERATION.items() if name != "type"},
            }
        ]
    },
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_observation(tmp_path, shape):
    """Which endpoint a file came from must not change the numbers."""
    rows = _read(tmp_path, SHAPES[shape])
    columns = ("trace_id", "span_id", "parent_span_id", "operation", "model", "input_tokens", "latency_ms")
    assert rows.spans.select(columns).rows() == [("t-1", "g-1", None, "chat", "gpt-4o", 12, 2000.0)]
    assert rows.rows_read == rows.spans.height + rows.quarantine.height


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_recognised(tmp_path, shape):
    """Detection sees the beginning of the file and nothing else."""
    path = tmp_path / "export"
    path.write_text(json.dumps(SHAPES[shape], indent=1))
    assert matches(_sample_of(path))


def test_every_export_is_recognised(shared):
    """A file that is not recognised sends its owner to the documentation."""
    for path in sorted((shared / "fixtures/langfuse").rglob("*.*")):
        if path.name not in ("EXPECTED.json", "PROVENANCE.md"):
            assert matches(_sample_of(path)), path.name


def test_exports_of_other_tools_are_not_taken(shared):
    """Opik downloads a trace with its spans, LiteLLM writes a traceId: close, and not the same."""
    for path in sorted((shared / "fixtures").rglob("*.json*")):
        if "langfuse" not in path.parts and path.name != "EXPECTED.json":
            assert not matches(_sample_of(path)), path.name


def test_chosen_columns_of_a_blob_export_are_enough(tmp_path):
    """Users choose groups of fields; only the core ones are always there."""
    columns = ("id", "trace_id", "start_time", "end_time", "project_id", "parent_observation_id", "type")
    assert matches(Sample("parquet", None, columns))
    values = ("g-1", "t-1", "2025-08-22 09:38:56.228000", "2025-08-22 09:38:57", "p", None, "GENERATION")
    pl.DataFrame([dict(zip(columns, values, strict=True))]).write_parquet(tmp_path / "export")
    row = read_langfuse(tmp_path / "export").spans.row(0, named=True)
    assert row["started_at"].isoformat() == "2025-08-22T09:38:56.228000+00:00"
    assert row["input_tokens"] is None
    assert row["source_line"] == 1


def test_parquet_of_a_blob_export_reads_maps_and_datetimes(tmp_path):
    """Parquet has types where the other exports have text."""
    frame = pl.DataFrame(
        {
            "id": ["g-1"],
            "trace_id": ["t-1"],
            "type": ["GENERATION"],
            "parent_observation_id": [None],
            "start_time": [datetime(2025, 8, 22, 9, 38, 56)],  # noqa: DTZ001 - written so, meaning UTC
            "usage_details": [[{"key": "input", "value": 40}, {"key": "input_cached_tokens", "value": 24}]],
            "metadata": [[{"key": "tenant", "value": "acme"}]],
            "total_cost": [0.25],
        },
        schema_overrides={"parent_observation_id": pl.String},
    )
    frame.write_parquet(tmp_path / "export")
    row = read_langfuse(tmp_path / "export").spans.row(0, named=True)
    assert (row["input_tokens"], row["cache_read_tokens"], row["tenant"]) == (64, 24, "acme")
    assert row["started_at"].isoformat() == "2025-08-22T09:38:56+00:00"
    assert row["reported_cost_usd"] == 0.25


def test_ids_of_digits_keep_their_zeros(tmp_path):
    """Read as a number, `00123` is another user."""
    header = ["id", "traceId", "type", "parentObservationId", "startTime", "userId"]
    with (tmp_path / "export.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([header, ["007", "00042", "SPAN", "", "2025-09-01T10:00:00Z", "00123"]])
    row = read_langfuse(tmp_path / "export.csv").spans.row(0, named=True)
    assert (row["span_id"], row["trace_id"], row["user_id"]) == ("007", "00042", "00123")
    assert row["parent_span_id"] is None


def test_a_table_of_few_columns_is_recognised(tmp_path):
    """People keep what they need of a page of the API."""
    path = tmp_path / "export.csv"
    path.write_text("id,traceId,type,model,startTime\ng-1,t-1,GENERATION,gpt-4o,2025-09-01T10:00:00Z\n")
    assert matches(_sample_of(path))
    assert read_langfuse(path).spans["model"].to_list() == ["gpt-4o"]


def test_a_table_that_pandas_saved_as_csv_is_read(tmp_path):
    """Objects of Langfuse's SDK stand there as Python prints them, and tokens would be lost."""
    given = {
        **GENERATION,
        "parentObservationId": "",
        "usageDetails": repr({"input": 12, "output": 5}),
        "metadata": repr({"tenant": "acme", "note": None}),
        "level": "ObservationLevel.ERROR",
        "output": repr({"role": "assistant", "content": "it's fine"}),
    }
    with (tmp_path / "export.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([given, given.values()])
    row = read_langfuse(tmp_path / "export.csv").spans.row(0, named=True)
    assert (row["input_tokens"], row["output_tokens"], row["tenant"]) == (12, 5, "acme")
    assert row["is_error"] is True
    assert json.loads(row["output"])[0]["parts"] == [{"type": "text", "content": "it's fine"}]


def test_text_of_a_table_that_looks_like_notation_stays_text(tmp_path):
    """A prompt may ask for a dictionary of Python; beside JSON it is what the user wrote."""
    given = {
        **GENERATION,
        "parentObservationId": "",
        "usageDetails": json.dumps({"input": 12}),
        "input": "{'a': 1}",
    }
    with (tmp_path / "export.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([given, given.values()])
    row = read_langfuse(tmp_path / "export.csv").spans.row(0, named=True)
    assert json.loads(row["input"]) == "{'a': 1}"


def test_a_bad_row_is_refused_alone_with_its_number(tmp_path):
    """One broken row must neither stop the file nor vanish."""
    lines = [
        {**GENERATION, "id": "g-1"},
        {**GENERATION, "id": "g-2", "startTime": "yesterday"},
        {**GENERATION, "id": "g-3", "usageDetails": {"input": -4}},
        {**GENERATION, "id": None},
        {"hello": "world"},
        ["no", "object"],
    ]
    rows = _read(tmp_path, "\n".join(map(json.dumps, lines)).encode())
    assert rows.spans["span_id"].to_list() == ["g-1"]
    refused = rows.quarantine.select("source_line", pl.col("reason").str.split(":").list.first()).rows()
    assert refused == [(2, "time"), (3, "range"), (4, "missing_field"), (5, "schema"), (6, "not_object")]
    assert json.loads(rows.quarantine["raw"][1])["id"] == "g-3"
    assert rows.rows_read == len(lines)


def test_a_gzip_export_is_read(tmp_path):
    """The blob export is compressed by default."""
    rows = _read(tmp_path, gzip.compress(json.dumps(GENERATION).encode()), name="observations.jsonl.gz")
    assert rows.spans["source_format"].to_list() == [FORMAT]


def test_a_download_whose_observations_stand_only_in_its_trace_is_read(tmp_path):
    """Older downloads have them in one place, newer ones in both."""
    rows = _read(tmp_path, {"trace": {**TRACE, "observations": [GENERATION]}, "observations": []})
    assert rows.spans["span_id"].to_list() == ["g-1"]


def test_observations_in_both_places_count_once(tmp_path):
    """Newer downloads repeat the observations inside their trace."""
    trace = {**TRACE, "observations": [GENERATION]}
    assert _read(tmp_path, {"trace": trace, "observations": [GENERATION]}).spans.height == 1


@pytest.mark.parametrize(
    "hostile",
    [
        {"batch": [{"type": "generation-create", "body": {"id": ["x"], "metadata": 3}}, 5]},
        {"trace": {"id": 7, "tags": {"a": 1}, "scores": [None]}, "observations": [{"id": {}}, 4]},
        {"data": [{"data": [{"data": 1}]}, None, {"traceId": [], "type": {}, "startTime": {}}]},
        {**GENERATION, "metadata": {"attributes": [1], "resourceAttributes": "x", "ls_provider": {}}},
        {**GENERATION, "usageDetails": [[1]], "costDetails": {"total": {}}, "toolCalls": [1, "{", None]},
        {**GENERATION, "metadata": [{"key": [], "value": 1}], "level": {}, "name": [], "tags": 1},
    ],
)
def test_values_of_the_wrong_kind_never_raise(tmp_path, hostile):
    """An export is written by whoever calls the application."""
    rows = _read(tmp_path, hostile)
    assert rows.rows_read == rows.spans.height + rows.quarantine.height


def test_what_is_no_object_among_observations_is_refused(tmp_path):
    """A download that was edited by hand may hold anything, and nothing of it may vanish."""
    observation = {"id": "o-1", "type": "SPAN", "startTime": "2026-03-02T10:00:00Z"}
    path = tmp_path / "trace.json"
    trace = {"id": "t-1", "timestamp": "2026-03-02T10:00:00Z", "scores": [None]}
    path.write_text(json.dumps({"trace": trace, "observations": [5, observation, "x"]}))
    rows = read_langfuse(path)
    assert rows.spans.height == 1
    assert sorted(rows.quarantine["reason"]) == ["not_a_span: langfuse trace", *["not_object"] * 3]
