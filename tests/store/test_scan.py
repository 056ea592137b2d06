"""What reports read."""

import json

import polars as pl
import pytest

from llmops_lib.errors import SourceNotFoundError, StoreError
from llmops_lib.periods import Period
from llmops_lib.schema import QUARANTINE, SPANS
from llmops_lib.store import ingest, open_source, scan_traces

DAYS = ["2026-03-01T23:59:59.999999Z", "2026-03-02T00:00:00Z", "2026-03-08T23:59:59Z", "2026-03-09T00:00:00Z"]


@pytest.fixture
def export(tmp_path):
    """Four spans around the edges of a week, and a bad line."""
    path = tmp_path / "a.jsonl"
    rows = [json.dumps({"trace_id": f"t{number}", "started_at": at}) for number, at in enumerate(DAYS)]
    path.write_text("\n".join([*rows, "{broken"]))
    return path


@pytest.fixture
def store(export, tmp_path):
    """A store of the export."""
    ingest(export, tmp_path / "store")
    return tmp_path / "store"


def test_a_period_holds_the_spans_that_started_in_it(store):
    """The first moment belongs to a week, the first of the next does not."""
    spans = scan_traces(store, Period.week("2026-W10")).collect()
    assert spans["trace_id"].to_list() == ["t1", "t2"]
    assert spans.schema == SPANS.polars_schema


def test_a_period_of_another_zone_takes_the_days_it_touches(store):
    """Monday begins an hour earlier in Berlin, on the UTC day before."""
    spans = scan_traces(store, Period.week("2026-W10", "Europe/Berlin")).collect()
    assert spans["trace_id"].to_list() == ["t0", "t1"]


def test_days_outside_the_period_are_not_opened(store):
    """A year of traffic must not slow down the report of a week; a broken day must not spoil another."""
    (store / "spans" / "started_on=2026-03-01" / "spans.parquet").write_bytes(b"broken")
    assert scan_traces(store, Period.week("2026-W10")).collect().height == 2


def test_a_period_without_spans_is_an_empty_table(store):
    """Whether that is an error is for the report to say."""
    assert scan_traces(store, Period.week("2020-W10")).collect().schema == SPANS.polars_schema


def test_a_directory_that_is_no_store_is_an_error(tmp_path):
    """An empty table would look like a quiet week."""
    with pytest.raises(StoreError, match=r"is no span store: it holds no llmops-store\.json"):
        scan_traces(tmp_path)


def test_a_store_and_its_exports_are_the_same_source(store, export):
    """A report on either has the same spans, account and fingerprint."""
    stored, loaded = open_source(store), open_source(export)
    assert stored.spans.collect().equals(loaded.spans.collect())
    assert stored.files.equals(loaded.files)
    assert stored.files.select("rows_read", "span_count", "quarantined_count").row(0) == (5, 4, 1)
    assert stored.quarantine.equals(loaded.quarantine)
    assert stored.quarantine.schema == QUARANTINE.polars_schema
    assert stored.fingerprint == loaded.fingerprint


def test_the_fingerprint_changes_with_the_data(export, tmp_path):
    """Two reports with one fingerprint were made of the same rows."""
    before = open_source(export).fingerprint
    export.write_text(export.read_text() + "\n")
    assert open_source(export).fingerprint != before
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(export.read_bytes())
    assert open_source(copy).fingerprint == open_source(export).fingerprint


@pytest.mark.parametrize(
    ("attributes", "is_synthetic"),
    [
        ({"llmops.synthetic": True}, True),
        ({"llmops.synthetic": False}, False),
        ({}, False),
        ({"note": '"llmops.synthetic": true'}, False),
    ],
)
def test_generated_spans_are_known_as_such(tmp_path, attributes, is_synthetic):
    """A demonstration must never pass for traffic, and a text about it is none."""
    path = tmp_path / "demo.jsonl"
    path.write_text(json.dumps({"trace_id": "t", "started_at": DAYS[0], "attributes": attributes}))
    ingest(path, tmp_path / "store")
    assert open_source(path).is_synthetic is is_synthetic
    assert open_source(tmp_path / "store").is_synthetic is is_synthetic


def test_opening_a_store_reads_no_span(store):
    """The account is kept beside the spans."""
    for day in (store / "spans").glob("*/spans.parquet"):
        day.write_bytes(b"broken")
    assert open_source(store).files["span_count"].to_list() == [4]


def test_a_day_that_cannot_be_read_is_named_when_more_comes(store, export):
    """A disk that went bad is found at the next ingest, with what to do."""
    (store / "spans" / "started_on=2026-03-01" / "spans.parquet").write_bytes(b"broken")
    export.write_text(json.dumps({"trace_id": "t9", "started_at": DAYS[0]}))
    with pytest.raises(StoreError, match=r"started_on=2026-03-01/spans\.parquet: cannot be read"):
        ingest(export, store)


def test_an_account_that_cannot_be_read_is_named(store):
    """Better no report than one on unknown rows."""
    next((store / "files").glob("*.json")).write_text("{")
    with pytest.raises(StoreError, match="the account of a file cannot be read"):
        open_source(store)


def test_an_absent_source_is_an_error(tmp_path):
    """Neither a store nor an export."""
    with pytest.raises(SourceNotFoundError):
        open_source(tmp_path / "absent")


def test_a_store_of_files_without_spans_is_an_empty_source(tmp_path):
    """A folder of metrics alone."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"started_at": 1}\n{broken')
    ingest(path, tmp_path / "store")
    source = open_source(tmp_path / "store")
    assert source.spans.collect().equals(SPANS.empty())
    assert source.files.select(pl.col("rows_read", "quarantined_count")).row(0) == (2, 2)
