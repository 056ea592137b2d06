"""Plain tables of requests with a column mapping."""

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from llmops_lib.errors import SourceError
from llmops_lib.sources import table_csv, table_rows
from llmops_lib.sources.table import read_table

AZURE = {"started_at": "TIMESTAMP", "input_tokens": "ContextTokens", "output_tokens": "GeneratedTokens"}
RAGPULSE = {
    "columns": {
        "started_at": {"column": "timestamp", "unit": "s", "origin": "2025-09-10T12:00:00+08:00"},
        "input_tokens": "input_length",
        "output_tokens": "output_length",
        "session_id": "session_id",
    },
    "constants": {"operation": "chat", "feature": "qa"},
}
SMALL = {"started_at": "at", "input_tokens": "asked"}


@pytest.fixture
def csv_file(tmp_path):
    """Writes a text table and gives its path."""

    def write(*lines):
        path = tmp_path / "requests.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.mark.parametrize("name", ["azure_llm_2023_conv.csv", "azure_llm_2023_code.csv"])
def test_azure_traces_add_up_to_what_the_standard_library_reads(shared, name):
    """Two public traces of 2023, counted by other code."""
    path = shared / "reference" / "data" / name
    with path.open(newline="") as stream:
        expected = list(csv.DictReader(stream))
    read = read_table(path, timezone="UTC", columns=AZURE)
    assert (read.rows_read, read.spans.height) == (len(expected), len(expected))
    assert read.spans["input_tokens"].sum() == sum(int(row["ContextTokens"]) for row in expected)
    assert read.spans["output_tokens"].sum() == sum(int(row["GeneratedTokens"]) for row in expected)
    first = datetime.fromisoformat(expected[0]["TIMESTAMP"]).replace(tzinfo=UTC)
    assert read.spans["started_at"][0] == first
    assert read.spans["span_id"].n_unique() == len(expected)


def test_ragpulse_offsets_count_from_the_stated_origin(shared):
    """A week of real requests whose times are seconds since local noon, some of them as text."""
    path = shared / "reference" / "data" / "ragpulse_week.jsonl"
    expected = [json.loads(line) for line in path.read_text().splitlines()]
    spans = read_table(path, columns=RAGPULSE).spans
    assert spans.height == len(expected) == 7106
    assert spans["input_tokens"].sum() == sum(row["input_length"] for row in expected)
    origin = datetime(2025, 9, 10, 4, tzinfo=UTC)
    starts = [origin + timedelta(seconds=float(row["timestamp"])) for row in expected]
    assert spans["started_at"].to_list() == starts
    assert spans["feature"].unique().to_list() == ["qa"]


def test_unmapped_columns_stay_in_attributes(shared):
    """Nothing that an export says is lost; numbers stay numbers."""
    path = shared / "reference" / "data" / "ragpulse_week.jsonl"
    first = json.loads(read_table(path, columns=RAGPULSE).spans["attributes"][0])
    assert first["passages"] == 6
    assert "input_length" not in first


def test_a_time_without_a_zone_fails_once_and_says_what_to_pass(csv_file):
    """A zone that is guessed moves a day's spend into another day."""
    path = csv_file("at,asked", "2026-03-02 10:00:00,5")
    with pytest.raises(SourceError, match=r"started_at holds times without a zone.*pass timezone="):
        read_table(path, columns=SMALL)


@pytest.mark.parametrize("stated", [{"timezone": "Europe/Berlin"}, {}])
def test_the_zone_may_be_stated_in_the_call_or_in_the_mapping(csv_file, stated):
    """A mapping that is kept in a file should be able to say all there is to say."""
    path = csv_file("at,asked", "2026-07-02 10:00:00,5")
    mapping = {"columns": SMALL, **({} if stated else {"timezone": "Europe/Berlin"})}
    spans = read_table(path, columns=mapping, **stated).spans
    assert spans["started_at"][0] == datetime(2026, 7, 2, 8, tzinfo=UTC)


def test_bad_rows_are_refused_alone_with_their_number_and_reason(csv_file):
    """One bad row must cost one row."""
    path = csv_file(
        "at,asked",
        "2026-03-02T10:00:00Z,5",
        "not a time,6",
        "2026-03-02T10:00:02Z,-7",
        "2026-03-02T10:00:03Z,8.5",
        "2026-03-02T10:00:04Z,9,extra",
        "2026-03-02T10:00:05Z",
        ",11",
        "1999-03-02T10:00:07Z,12",
        "2026-03-02T10:00:08Z,13",
    )
    read = read_table(path, columns=SMALL)
    assert read.spans.select("source_line", "input_tokens").rows() == [(1, 5), (9, 13)]
    refused = read.quarantine.sort("source_line").select(
        "source_line", pl.col("reason").str.split(":").list[0]
    )
    assert refused.rows() == [
        (2, "time"),
        (3, "range"),
        (4, "type"),
        (5, "schema"),
        (6, "schema"),
        (7, "missing_field"),
        (8, "time_range"),
    ]
    assert read.rows_read == 9
    assert read.quarantine.filter(source_line=3)["raw"][0] == '{"asked":-7,"at":"2026-03-02T10:00:02Z"}'


def test_bad_lines_of_json_are_refused_alone_with_their_line(tmp_path):
    """Strict parsing, as of every format: a repeated key or NaN is no value."""
    path = tmp_path / "requests.jsonl"
    good = '{"at": 1772445600, "asked": %d}'
    lines = [good % 1, '{"at": 17724', "", '{"at": 1772445600, "at": 2}', '{"asked": NaN}', "[1]", good % 2]
    path.write_text("\n".join(lines))
    read = read_table(path, columns=SMALL)
    assert read.spans.select("source_line", "input_tokens").rows() == [(1, 1), (7, 2)]
    reasons = dict(read.quarantine.select("source_line", pl.col("reason").str.split(":").list[0]).rows())
    assert reasons == {2: "json", 4: "duplicate_key", 5: "nonfinite", 6: "not_object"}


def test_the_same_rows_make_the_same_spans_from_every_kind_of_file(tmp_path):
    """What a row is worth must not depend on how it was saved."""
    rows = [
        {"at": "2026-03-02T10:00:00Z", "asked": 5, "kind": "a,b", "score": 0.5},
        {"at": "2026-03-02T10:00:01Z", "asked": None, "kind": 'line\nbreak "x"', "score": None},
        {"at": "2026-03-02T10:00:02Z", "asked": 7, "kind": None, "score": 2.25},
    ]
    table = pl.DataFrame(rows)
    table.write_csv(tmp_path / "a.csv")
    table.write_parquet(tmp_path / "a.parquet")
    table.to_pandas().to_parquet(tmp_path / "floats.parquet")
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    names = ["a.csv", "a.parquet", "floats.parquet", "a.csv.gz", "a.jsonl", "a.json"]
    kept = ["started_at", "input_tokens", "source_line"]
    read = {name: read_table(tmp_path / name, columns=SMALL).spans for name in names}
    assert all(spans.select(kept).equals(read["a.csv"].select(kept)) for spans in read.values())
    attributes = {name: [json.loads(text) for text in spans["attributes"]] for name, spans in read.items()}
    assert all(found == attributes["a.csv"] for found in attributes.values())
    assert attributes["a.csv"][1] == {"kind": 'line\nbreak "x"'}
    ids = {tuple(read[name]["span_id"]) for name in names[:4]}
    assert len(ids) == 1


def test_a_row_has_the_same_id_in_an_overlapping_export(csv_file):
    """Last week's and this week's export share rows; they must not count twice."""
    rows = [f"2026-03-02T10:00:0{second}Z,{second}" for second in range(5)]
    early = read_table(csv_file("at,asked", *rows[:3]), columns=SMALL).spans["span_id"].to_list()
    late = read_table(csv_file("at,asked", *rows[1:]), columns=SMALL).spans["span_id"].to_list()
    assert early[1:] == late[:2]
    assert len({*early, *late}) == 5


def test_two_equal_requests_stay_two(csv_file):
    """The same question in the same second is asked twice and billed twice."""
    spans = read_table(csv_file("at,asked", *["2026-03-02T10:00:00Z,5"] * 3), columns=SMALL).spans
    assert spans["span_id"].n_unique() == 3


def test_an_id_does_not_depend_on_the_mapping(csv_file):
    """A mapping that is mended later must find the same rows again."""
    path = csv_file("at,asked,answered", "2026-03-02T10:00:00Z,5,6")
    first = read_table(path, columns=SMALL).spans["span_id"]
    assert first.equals(read_table(path, columns={**SMALL, "output_tokens": "answered"}).spans["span_id"])


def test_mapped_ids_are_kept_and_a_lone_span_is_its_own_trace(csv_file):
    """Ids of the source are the best there are."""
    path = csv_file("at,id", "2026-03-02T10:00:00Z,req-1")
    spans = read_table(path, columns={"started_at": "at", "span_id": "id"}).spans
    assert spans.select("trace_id", "span_id").rows() == [("req-1", "req-1")]


@pytest.mark.parametrize(
    ("columns", "row", "expected"),
    [
        (
            {"started_at": "a", "ended_at": "b"},
            "2026-03-02T10:00:00Z,2026-03-02T10:00:01.5Z",
            (0.0, 1.5, 1500.0),
        ),
        ({"started_at": "a", "latency_ms": "b"}, "2026-03-02T10:00:00Z,1500", (0.0, 1.5, 1500.0)),
        (
            {"started_at": "a", "latency_ms": {"column": "b", "unit": "s"}},
            "2026-03-02T10:00:00Z,1.5",
            (0.0, 1.5, 1500.0),
        ),
        ({"ended_at": "a", "latency_ms": "b"}, "2026-03-02T10:00:01.5Z,1500", (0.0, 1.5, 1500.0)),
        ({"started_at": "a", "ended_at": "b"}, "2026-03-02T10:00:01Z,2026-03-02T10:00:00Z", (1.0, 0.0, None)),
        ({"started_at": "a", "latency_ms": "b"}, "2026-03-02T10:00:00Z,-5", (0.0, None, None)),
        ({"started_at": "a", "ended_at": "b"}, "2026-03-02T10:00:00Z,", (0.0, None, None)),
    ],
)
def test_start_end_and_latency_complete_each_other(csv_file, columns, row, expected):
    """A log has two of the three; a clock that ran backwards gives no latency, and no row is lost for it."""
    spans = read_table(csv_file("a,b", row), columns=columns).spans
    noon = datetime(2026, 3, 2, 10, tzinfo=UTC)
    started_at, ended_at, latency_ms = spans.select("started_at", "ended_at", "latency_ms").row(0)
    assert (started_at - noon).total_seconds() == expected[0]
    assert (None if ended_at is None else (ended_at - noon).total_seconds()) == expected[1]
    assert latency_ms == expected[2]


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("1772445600", None),
        ("1772445600000", None),
        ("1772445600000000", None),
        ("1772445600000000000", None),
        ("1772445600.0", None),
        ("1772445600", "s"),
        ("2026-03-02T11:00:00+01:00", None),
        ("2026-03-02 10:00:00.000000000Z", "s"),
    ],
)
def test_times_are_read_in_every_unit(csv_file, value, unit):
    """The size of a number tells its unit, unless the mapping does."""
    columns = {"started_at": {"column": "at", **({"unit": unit} if unit else {})}}
    spans = read_table(csv_file("at,x", f"{value},1"), columns=columns).spans
    assert spans["started_at"][0] == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_numbers_too_small_for_a_date_are_refused_with_what_the_mapping_lacks(csv_file):
    """Public traces count seconds from their start; every row is refused, so the reason has to help."""
    path = csv_file("at,asked", "5,120", "45.5,130")
    reasons = read_table(path, columns=SMALL).quarantine["reason"].to_list()
    assert len(reasons) == 2
    assert all("the mapping needs its `unit` and `origin`" in reason for reason in reasons)
    assert reasons[0].startswith("time_range: 5 ")


def test_a_provider_has_one_spelling(csv_file):
    """A bill says openai; a log that says OpenAI would have no call on it. A host stays as it is."""
    path = csv_file("at,asked,who", "2026-03-02T10:00:00Z,1,OpenAI", "2026-03-02T10:00:01Z,2,llm.local")
    spans = read_table(path, columns={**SMALL, "provider": "who"}).spans
    assert spans["provider"].to_list() == ["openai", "llm.local"]
    stated = {"columns": SMALL, "constants": {"provider": "AWS"}}
    assert read_table(path, columns=stated).spans["provider"].to_list() == ["aws.bedrock", "aws.bedrock"]


def test_exclusive_counts_become_inclusive(csv_file):
    """Anthropic-style logs count cached input on top; priced as inclusive, most of the input is lost."""
    path = csv_file("at,asked,read,written", "2026-03-02T10:00:00Z,10,200,3000", "2026-03-02T10:00:01Z,20,,")
    columns = {**SMALL, "cache_read_tokens": "read", "cache_write_tokens": "written"}
    mapping = {"columns": columns, "token_convention": "exclusive"}
    assert read_table(path, columns=mapping).spans["input_tokens"].to_list() == [3210, 20]


@pytest.mark.parametrize(
    ("columns", "cell", "is_error"),
    [
        ({"is_error": "x"}, "TRUE", True),
        ({"is_error": "x"}, "0", False),
        ({"http_status": "x"}, "429", True),
        ({"http_status": "x"}, "200", False),
        ({"error_type": "x"}, "Timeout", True),
        ({"error_message": "x"}, "", False),
        ({}, "anything", False),
    ],
)
def test_an_error_is_stated_or_follows_from_status_and_message(csv_file, columns, cell, is_error):
    """Few logs have a column that says a request failed."""
    path = csv_file("at,x", f"2026-03-02T10:00:00Z,{cell}")
    assert read_table(path, columns={"started_at": "at", **columns}).spans["is_error"][0] is is_error


def test_rows_are_chat_calls_unless_they_say_otherwise(csv_file):
    """A request log holds requests."""
    path = csv_file(
        "at,op",
        "2026-03-02T10:00:00Z,Embeddings",
        "2026-03-02T10:00:01Z,",
        "2026-03-02T10:00:02Z,execute_tool",
    )
    spans = read_table(path, columns={"started_at": "at", "operation": "op"}).spans
    assert spans.select("operation", "is_model_call").rows() == [
        ("embeddings", True),
        ("chat", True),
        ("execute_tool", False),
    ]


def test_text_columns_hold_json_and_keep_what_is_json_already(csv_file):
    """Every reader of `input` parses it; a plain question must not break that."""
    path = csv_file(
        "at,asked", "2026-03-02T10:00:00Z,what is 2+2?", '2026-03-02T10:00:01Z,"[{""role"":""user""}]"'
    )
    spans = read_table(path, columns={"started_at": "at", "input": "asked"}).spans
    assert spans["input"].to_list() == ['"what is 2+2?"', '[{"role":"user"}]']


def test_a_canonical_table_needs_no_mapping_and_comes_back_as_it_was(tmp_path):
    """Spans that were saved can be loaded again, folded ones included."""
    written = pl.DataFrame(
        {
            "trace_id": ["t1", "t1"],
            "span_id": ["a", "b"],
            "operation": ["chat", "other"],
            "is_model_call": [True, False],
            "started_at": [datetime(2026, 3, 2, 10, 0, second, 123456, tzinfo=UTC) for second in (0, 1)],
            "input_tokens": [5, None],
            "tags": [["x", "y"], None],
            "attributes": ['{"llm.k":[1,2]}', "{}"],
        }
    )
    written.write_parquet(tmp_path / "spans.parquet")
    spans = read_table(tmp_path / "spans.parquet").spans
    assert spans.select(written.columns).equals(written)


def test_rows_that_are_not_utf8_are_refused_and_the_rest_is_kept(tmp_path):
    """One row of a legacy system must not turn into question marks, nor take the file with it."""
    path = tmp_path / "legacy.csv"
    path.write_bytes("at,user\n2026-03-02T10:00:00Z,Zoë\n".encode() + b"2026-03-02T10:00:01Z,Zo\xeb\n")
    read = read_table(path, columns={"started_at": "at", "user_id": "user"})
    assert read.spans["user_id"].to_list() == ["Zoë"]
    assert read.quarantine.select("source_line", "reason").rows() == [(2, "encoding")]


def test_a_row_of_too_many_cells_that_are_not_utf8_is_refused_alone(tmp_path):
    """Two faults in one row are still one row."""
    path = tmp_path / "legacy.csv"
    path.write_bytes(b"at,asked\n2026-03-02T10:00:00Z,\xff,3\n2026-03-02T10:00:01Z,4\n")
    read = read_table(path, columns=SMALL)
    assert read.spans.select("source_line", "input_tokens").rows() == [(2, 4)]
    assert read.quarantine["source_line"].to_list() == [1]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_rows_keep_their_number_across_blocks(tmp_path, monkeypatch, name):
    """Large files are read in blocks, and the quarantine still has to point at the right row."""
    monkeypatch.setattr(table_csv, "_BLOCK_BYTES", 300)
    monkeypatch.setattr(table_rows, "_BLOCK_BYTES", 300)
    table = pl.DataFrame({"at": ["2026-03-02T10:00:00Z"] * 99, "asked": range(1, 100)})
    path = tmp_path / name
    table.write_parquet(path) if name == "a.parquet" else None
    table.write_ndjson(path) if name == "a.jsonl" else None
    table.write_csv(path) if name == "a.csv" else None
    if name != "a.parquet":
        lines = path.read_text().splitlines()
        lines[50] += ",ragged"
        path.write_text("\n".join(lines))
    read = read_table(path, columns=SMALL)
    assert read.rows_read == 99
    assert read.spans["source_line"].equals(read.spans["input_tokens"].alias("source_line"))
    assert read.spans.height == (99 if name == "a.parquet" else 98)


def test_parquet_that_unpacks_to_a_flood_is_refused(tmp_path):
    """Seven kilobytes can stand for twenty gigabytes."""
    path = tmp_path / "bomb.parquet"
    text = pl.Series("input", ["x" * 100_000]).cast(pl.Categorical).new_from_index(0, 3_000)
    pl.DataFrame({"started_at": ["2026-03-02T10:00:00Z"] * 3_000, "input": text}).write_parquet(path)
    with pytest.raises(SourceError, match="unpack to over 200 times"):
        read_table(path)


def test_a_quote_that_is_never_closed_is_no_crash(csv_file):
    """The rest of the file is one broken row, and the rows before it are kept."""
    read = read_table(
        csv_file("at,asked", "2026-03-02T10:00:00Z,5", '"2026-03-02T10:00:01Z,6', "x,7"), columns=SMALL
    )
    assert read.spans["input_tokens"].to_list() == [5]
    assert read.quarantine["reason"].to_list() == ["schema: 1 cells under a header of 2"]


def test_a_table_without_rows_is_an_empty_table(csv_file):
    """A quiet week is no error."""
    read = read_table(csv_file("at,asked"), columns=SMALL)
    assert (read.spans.height, read.rows_read) == (0, 0)
