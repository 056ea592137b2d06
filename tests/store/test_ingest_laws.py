"""Laws of the store: files in any order and any number of times are the files at once."""

import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.secrets.written import hide_secrets_of
from llmops_lib.sources.load import load_traces, read_exports, read_quarantine
from llmops_lib.store import ingest, open_source, scan_traces

PLACE = ["source_file", "source_line", "reason", "raw"]
spans = st.fixed_dictionaries(
    {
        "trace_id": st.sampled_from(["t1", "t2"]),
        "span_id": st.sampled_from(["a", "b", "c", "d"]),
        "started_at": st.sampled_from(
            [f"2026-03-0{day}T10:00:0{second}Z" for day in (2, 3) for second in (0, 4)]
        ),
    },
    optional={
        "parent_span_id": st.sampled_from(["a", "b", "c", "d"]),
        "ended_at": st.sampled_from(["2026-03-03T10:00:04Z", "2026-03-03T10:00:09Z"]),
        "name": st.sampled_from(["x", "y"]),
        "operation": st.sampled_from(["chat", "chain"]),
        "request_model": st.sampled_from(["m", "n"]),
        "request_id": st.just("r"),
        "input_tokens": st.sampled_from([5, 10]),
        "output_tokens": st.sampled_from([1, 2]),
        "session_id": st.sampled_from(["s1", "s2"]),
        "output": st.just("[1]"),
    },
)
files = st.lists(st.lists(spans, min_size=1, max_size=4), min_size=2, max_size=3)


@given(contents=files, data=st.data())
@settings(max_examples=25, deadline=None)
def test_files_in_any_order_and_any_number_of_times_are_the_files_at_once(contents, data):
    """Exports arrive when they arrive; what a report says must not depend on it."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.jsonl") for number in range(len(contents))]
        for number, (path, rows) in enumerate(zip(paths, contents, strict=True)):
            # A line of its own keeps equal rows from making equal files, of which a store takes one.
            path.write_text("\n".join([*map(json.dumps, rows), f"{{bad {number}"]))
        order = data.draw(st.permutations(paths + data.draw(st.lists(st.sampled_from(paths), max_size=2))))
        store = Path(folder, "store")
        for path in order:
            report = ingest(path, store)
            assert (
                report.rows_read
                == report.span_count_added + report.quarantined_count + report.duplicate_count
            )
        load = read_exports(paths)
        assert scan_traces(store).collect().equals(load.spans)
        stored = read_quarantine(store)
        assert stored.select(PLACE).sort(PLACE).equals(load.quarantine.select(PLACE).sort(PLACE))
        assert open_source(store).files.equals(open_source(paths).files.sort("source_file"))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_traces_exported_apart_reach_their_observations_in_any_order(shared, tmp_path, order):
    """Langfuse writes them into files of their own, and either may arrive first; a store keeps no keys."""
    folder = shared / "fixtures/langfuse/projected_exports"
    files = [folder / "observations_blob_export.jsonl", folder / "traces_blob_export.jsonl"]
    for place in order:
        ingest(files[place], tmp_path / "store")
    stored = scan_traces(tmp_path / "store").collect()
    loaded = hide_secrets_of(load_traces(files)).sort("trace_id", "span_id")
    assert stored.sort("trace_id", "span_id").equals(loaded)
    apart = pl.read_ndjson(files[1])["session_id"].drop_nulls()
    assert set(apart) <= set(stored["session_id"])
