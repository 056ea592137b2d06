"""How complete an export or a store is: the same answer from both, and said where it matters."""

import json
import logging

import polars as pl
import pytest

from llmops_lib import completeness, ingest, load_traces
from llmops_lib.schema import CHECKS, COMPLETENESS, STATUSES, validate

PHOENIX = {"span_kind": "LLM", "start_time": "2026-11-09T10:00:00Z", "end_time": "2026-11-09T10:00:01Z"}


def span(trace_id, span_id, parent_id=None, **rest):
    """One span of Phoenix."""
    ids = {"context": {"trace_id": trace_id, "span_id": span_id}, "parent_id": parent_id}
    return {**PHOENIX, **ids, "name": "x", "attributes": {}, **rest}


@pytest.fixture
def pages(tmp_path):
    """Writes pages of Phoenix's spans endpoint into files of one folder."""
    folder = tmp_path / "exports"
    folder.mkdir()

    def written(**files):
        for name, (spans, cursor) in files.items():
            text = json.dumps({"data": spans, "next_cursor": cursor})
            (folder / f"{name}.json").write_text(text, encoding="utf-8")
        return folder

    return written


def statuses(table):
    """Check and status of what is broken or suspect."""
    return table.filter(pl.col("status").is_in(["broken", "suspect"])).select("check", "status").rows()


def test_a_store_says_what_its_exports_said(pages, tmp_path):
    """Totals, notes and overlaps are known while a file is read, and a report reads the store."""
    shared_span, own = span("t1", "a"), [span("t2", f"s{number}", "gone") for number in range(3)]
    folder = pages(one=([shared_span, *own], "more"), two=([shared_span, shared_span], "more"))
    (folder / "one.json.fetch.json").write_text('{"rows_expected": 9, "rows_received": 4}', encoding="utf-8")
    for file in sorted(folder.glob("*.json")):
        if not file.name.endswith(".fetch.json"):
            ingest(file, tmp_path / "store")
    expected = completeness(folder)
    assert completeness(tmp_path / "store").equals(expected)
    assert statuses(expected) == [
        ("announced_rows", "broken"),
        ("more_pages", "broken"),
        ("more_pages", "broken"),
        ("orphan_spans", "suspect"),
        ("rootless_traces", "suspect"),
    ]


def test_every_real_export_is_described(shared):
    """Each check answers once at least, in declared shape, whatever the format."""
    for folder in ("langfuse", "langsmith", "litellm", "mlflow", "opik", "otlp_json", "phoenix"):
        found = validate(completeness(shared / "fixtures" / folder), COMPLETENESS)
        assert set(found["check"]) >= set(CHECKS) - {"more_pages", "unstated_failures"}
        assert set(found["status"]) <= set(STATUSES)


def test_a_table_that_states_no_failures_says_that_they_are_unknown(tmp_path):
    """A failed share of 0% would read as good news."""
    rows = {"started_at": ["2026-11-09T10:00:00Z"] * 2, "model": ["gpt-4o", "gpt-4o-mini"]}
    pl.DataFrame(rows).write_csv(tmp_path / "silent.csv")
    pl.DataFrame(rows | {"http_status": [200, None]}).write_csv(tmp_path / "stated.csv")
    (row,) = completeness(tmp_path).filter(check="unstated_failures").iter_rows(named=True)
    assert (row["source_file"], row["status"], row["count"]) == (str(tmp_path / "silent.csv"), "unknown", 2)


def test_rows_shared_by_files_are_named_with_the_time_they_are_from(pages):
    """Adjacent windows of a scheduled export share their boundary."""
    late = span("t2", "b", start_time="2026-11-09T11:30:00Z", end_time="2026-11-09T11:30:01Z")
    folder = pages(one=([span("t1", "a"), late], None), two=([span("t1", "a"), late], None))
    (row,) = completeness(folder).filter(check="overlap").iter_rows(named=True)
    assert (row["status"], row["count"]) == ("proved", 2)
    assert row["detail"] == "shared with one.json, 2026-11-09 10:00 to 2026-11-09 11:30 UTC; removed"


def test_duplicates_within_a_file_are_apart_from_overlaps(pages):
    """One is a habit of an SDK, the other of a schedule."""
    found = completeness(pages(one=([span("t1", "a"), span("t1", "a")], None)))
    assert found.filter(check="duplicate_rows")["count"].to_list() == [1]
    assert found.filter(check="overlap")["count"].to_list() == [0]


@pytest.mark.parametrize(("row_count", "status"), [(100, "suspect"), (99, "unknown"), (1_000, "suspect")])
def test_exactly_as_many_rows_as_a_tool_returns_is_suspect(tmp_path, row_count, status):
    """Phoenix's client returns 1,000 rows by default and says nothing of the rest."""
    path = tmp_path / "spans.jsonl"
    path.write_text("\n".join(json.dumps(span(f"t{n}", f"s{n}")) for n in range(row_count)), encoding="utf-8")
    assert completeness(path).filter(check="page_cap")["status"].to_list() == [status]


def test_a_full_last_page_is_not_suspect(pages):
    """The server itself says that there is no other, and a hundred rows may be all there are."""
    found = completeness(pages(one=([span(f"t{n}", f"s{n}") for n in range(100)], None)))
    assert found.filter(check="page_cap")["status"].to_list() == ["unknown"]


def test_a_manifest_of_langfuse_is_no_span_and_proves_its_files(tmp_path):
    """It is the last file of a blob export, and tells a whole one from half of one."""
    row = {"id": "o", "trace_id": "t", "parent_observation_id": None, "type": "SPAN",
           "start_time": "2026-11-09 10:00:00.000000"}  # fmt: skip
    keys = {"p/observations/x.jsonl": 2, "p/observations/y.jsonl": 3}
    files = [{"key": key, "table": "observations", "rowCount": count} for key, count in keys.items()]
    manifest = {"version": 1, "exportSource": "TRACES", "window": {}, "files": files}
    for name, text in {
        "observations/x.jsonl": "\n".join(json.dumps({**row, "id": f"o{number}"}) for number in range(2)),
        "manifests/x.json": json.dumps(manifest),
    }.items():
        path = tmp_path / "p" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    found = completeness(tmp_path).filter(check="announced_rows")
    assert found.select("status", "expected_count", "received_count").rows() == [
        ("broken", 3, 0),
        ("proved", 2, 2),
    ]
    assert completeness(tmp_path).filter(check="refused_rows")["status"].to_list() == ["proved"]


def test_one_warning_counts_what_is_in_doubt_and_names_nothing(pages, caplog):
    """A log is read by more people than the data."""
    folder = pages(one=([span("trace-of-jane", "a", "gone")], "cursor-secret"))
    with caplog.at_level(logging.WARNING, "llmops_lib"):
        load_traces(folder)
    (record,) = caplog.records
    assert record.getMessage() == (
        "the load may be incomplete (more_pages 1 broken, orphan_spans 1 suspect, rootless_traces 1 "
        "suspect); completeness() shows it"
    )


def test_a_load_without_doubts_is_silent(pages, caplog):
    """A warning at every load is none."""
    with caplog.at_level(logging.WARNING, "llmops_lib"):
        load_traces(pages(one=([span("t1", "a")], None)))
    assert not caplog.records


def test_a_store_of_an_older_version_says_nothing_of_totals(pages, tmp_path):
    """Its accounts have no such field; what it holds is as good as before."""
    store = tmp_path / "store"
    ingest(pages(one=([span("t1", "a")], "more")), store)
    (entry,) = (store / "files").glob("*.json")
    fields = json.loads(entry.read_text(encoding="utf-8"))
    del fields["announced"]
    entry.write_text(json.dumps(fields), encoding="utf-8")
    found = completeness(store)
    assert found.filter(check="announced_rows")["status"].to_list() == ["unknown"]
    assert found.filter(check="more_pages").is_empty()


def test_a_trace_of_mlflow_that_lost_a_span_is_broken(shared, tmp_path):
    """It states how many spans it has, and an export can drop the largest of them."""
    source = shared / "fixtures" / "mlflow" / "traces.jsonl"
    found = completeness(source).filter(check="announced_rows")
    assert found.select("status", "expected_count", "received_count").rows() == [("proved", 12, 12)]
    first, *others = source.read_text(encoding="utf-8").splitlines()
    trace = json.loads(first)
    del trace["data"]["spans"][-1]
    path = tmp_path / "traces.jsonl"
    path.write_text("\n".join([json.dumps(trace), *others]), encoding="utf-8")
    found = completeness(path).filter(check="announced_rows")
    assert found.select("status", "expected_count", "received_count").rows() == [("broken", 12, 11)]
