"""Exports of any known format as one table, with an account of every row."""

import gzip
import json
import logging
import os
from pathlib import Path

import polars as pl
import pytest

from llmops_lib.demo import write_demo
from llmops_lib.errors import BadLineError, SourceError, SourceNotFoundError, UnknownFormatError
from llmops_lib.schema import SPANS, validate
from llmops_lib.sources import line_blocks
from llmops_lib.sources.load import load_traces, read_exports, read_quarantine

GOOD = '{"trace_id": "t%d", "span_id": "s", "started_at": "2026-03-02T10:00:0%dZ", "input_tokens": 5}'


@pytest.fixture
def exports(tmp_path):
    """A directory of two exports, one of them with a bad line and one compressed and nested."""
    (tmp_path / "a.jsonl").write_text("\n".join([GOOD % (1, 1), "{broken secret-4711", GOOD % (2, 2)]))
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b.jsonl.gz").write_bytes(gzip.compress((GOOD % (3, 3)).encode()))
    return tmp_path


def traces(spans):
    """Trace ids in order."""
    return spans["trace_id"].to_list()


def test_a_directory_is_loaded_with_all_below_it(exports):
    """Exports come in folders by day."""
    spans = load_traces(exports)
    assert traces(spans) == ["t1", "t2", "t3"]
    assert validate(spans, SPANS).equals(spans)


def test_a_pattern_a_list_and_a_single_path_are_all_paths(exports):
    """A shell expands patterns, a notebook does not."""
    assert traces(load_traces(str(exports / "**" / "*.gz"))) == ["t3"]
    assert traces(load_traces(f"{exports}/**")) == ["t1", "t2", "t3"]
    assert traces(load_traces([exports / "a.jsonl", str(exports / "deep")])) == ["t1", "t2", "t3"]
    assert traces(load_traces(exports / "a.jsonl")) == ["t1", "t2"]


def test_a_file_that_is_named_twice_is_read_once(exports):
    """A list and a pattern may overlap."""
    load = read_exports([exports / "a.jsonl", exports, exports / "deep" / ".." / "a.jsonl"])
    assert [facts.rows_read for facts in load.files] == [3, 1]


def test_every_row_of_every_file_is_a_span_or_quarantined(exports):
    """The sum on which every report rests."""
    (exports / "copy.jsonl").write_bytes((exports / "a.jsonl").read_bytes() + b"\n")
    load = read_exports(exports)
    for facts in load.files:
        assert facts.rows_read == facts.span_count + facts.quarantined_count
    assert sum(facts.rows_read for facts in load.files) == load.spans.height + load.quarantine.height == 7
    assert load.quarantine["reason"].str.split(":").list[0].sort().to_list() == [
        "duplicate",
        "duplicate",
        "json",
        "json",
    ]


def test_real_exports_of_all_formats_load_together(shared):
    """The fixtures of every format at once, sums included."""
    load = read_exports([shared / "fixtures" / name for name in ("otlp_json", "phoenix", "langfuse")])
    assert {facts.source_format for facts in load.files} == {"otlp", "phoenix", "langfuse", "unknown"}
    assert all(facts.rows_read == facts.span_count + facts.quarantined_count for facts in load.files)
    assert sum(facts.rows_read for facts in load.files) == load.spans.height + load.quarantine.height
    validate(load.spans, SPANS)


def test_a_file_in_a_directory_that_is_no_export_is_quarantined_as_one_row(exports):
    """A README beside the exports must neither stop the load nor go unmentioned."""
    (exports / "README.md").write_text("# exports\n")
    (exports / "empty.jsonl").write_text("")
    (exports / "cut.jsonl.gz").write_bytes((exports / "deep" / "er" / "b.jsonl.gz").read_bytes()[:-9])
    refused = read_quarantine(exports).filter(pl.col("source_file").str.contains("README|empty|cut"))
    assert refused["reason"].str.split(":").list[0].to_list() == ["schema"] * 3
    assert not refused["reason"].str.contains(str(exports)).any()


def test_a_named_file_that_is_no_export_is_an_error(exports):
    """Whoever names a file means it."""
    (exports / "README.md").write_text("# exports\n")
    with pytest.raises(UnknownFormatError):
        load_traces([exports / "a.jsonl", exports / "README.md"])


@pytest.mark.parametrize("path", ["absent.jsonl", "absent/*.jsonl", "http://127.0.0.1:9/x.jsonl"])
def test_a_path_that_means_no_file_is_an_error(tmp_path, path):
    """Nothing is fetched, and nothing is taken for an empty export."""
    with pytest.raises(SourceNotFoundError):
        load_traces(path if path.startswith("http") else tmp_path / path)


def test_an_empty_directory_is_an_error(tmp_path):
    """A job that exported nothing must not give a report of zero calls."""
    with pytest.raises(SourceNotFoundError, match="expected at least one export"):
        load_traces(tmp_path)


def test_refused_rows_are_counted_in_one_warning_that_holds_no_content(exports, caplog):
    """Logs are read by more people than traces may be."""
    with caplog.at_level(logging.WARNING, logger="llmops_lib"):
        load_traces(exports)
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 4 rows in 2 files were refused (json 1); read_quarantine() shows them"
    ]


def test_duplicates_are_no_reason_to_warn(exports, caplog):
    """Overlapping exports are the normal case."""
    (exports / "a.jsonl").write_text("\n".join([GOOD % (1, 1), GOOD % (1, 1)]))
    with caplog.at_level(logging.WARNING, logger="llmops_lib"):
        assert load_traces(exports, on_bad="raise").height == 2
    assert not caplog.records


def test_on_bad_raise_names_file_line_and_reason(exports):
    """A pipeline may want to stop at the first bad row."""
    with pytest.raises(BadLineError, match=r"a\.jsonl:2: json"):
        load_traces(exports, on_bad="raise")


def test_the_quarantine_shows_the_row_and_its_place(exports):
    """Enough to find it in the export, and to see what is wrong."""
    row = read_quarantine(exports / "a.jsonl").row(0, named=True)
    assert row["source_line"] == 2
    assert row["byte_offset"] == len(GOOD % (1, 1)) + 1
    assert row["raw"] == "{broken secret-4711"


def test_a_format_may_be_stated(exports):
    """Where detection cannot know, the caller does."""
    (exports / "odd.jsonl").write_text('{"odd": 1}\n' + GOOD % (4, 4))
    spans = load_traces(exports / "odd.jsonl", source_format="table")
    assert traces(spans) == ["t4"]
    with pytest.raises(SourceError, match="unknown; expected one of"):
        load_traces(exports, source_format="csv")


def test_a_mapping_makes_a_table_of_a_file_that_no_reader_knows(tmp_path):
    """The way in for every log that is not on the list."""
    path = tmp_path / "log.csv"
    path.write_text("when,asked\n2026-03-02T10:00:00Z,5\n")
    assert load_traces(path, columns={"started_at": "when", "input_tokens": "asked"})["input_tokens"][0] == 5


def test_a_mapping_that_no_file_needs_is_an_error(exports):
    """Silently ignored, it would leave people wondering."""
    otlp = exports / "otlp.json"
    otlp.write_text(json.dumps({"resourceSpans": []}))
    with pytest.raises(SourceError, match="leave it out, or pass source_format='table'"):
        load_traces(otlp, columns={"started_at": "when"})


def test_a_zone_or_mapping_that_is_wrong_fails_before_any_file_is_read(tmp_path):
    """The caller's mistake, not the file's."""
    with pytest.raises(SourceError, match="timezone 'Nowhere' is unknown"):
        load_traces(tmp_path / "absent", timezone="Nowhere")


def test_a_table_in_a_directory_without_a_zone_stops_the_load(tmp_path):
    """Set aside, a whole log would be missing from the report for want of one word."""
    (tmp_path / "log.csv").write_text("started_at,input_tokens\n2026-03-02 10:00:00,5\n")
    with pytest.raises(SourceError, match="pass timezone="):
        load_traces(tmp_path)


def test_progress_is_told_in_bytes_and_rows(exports):
    """A long load should not look like a hang."""
    told = []
    read_exports(exports, on_read=lambda *now: told.append(now))
    total = sum(path.stat().st_size for path in exports.rglob("*") if path.is_file())
    done, rows = [now[0] for now in told], [now[2] for now in told]
    assert (done[0], done[-1], rows[-1]) == (0, total, 4)
    assert done == sorted(done)
    assert rows == sorted(rows)
    assert {now[1] for now in told} == {total}
    assert [now[3].rsplit("/", 1)[-1] for now in told][:: len(told) - 1] == ["a.jsonl", "b.jsonl.gz"]


def test_progress_moves_within_one_large_file(tmp_path, monkeypatch):
    """Of one export of two gigabytes, files read say nothing."""
    monkeypatch.setattr(line_blocks, "_BLOCK_BYTES", 1 << 20)
    write_demo(tmp_path / "large.jsonl", weeks=2, calls_per_week=3_000)
    told = []
    read_exports(tmp_path, on_read=lambda done, total, rows, _: told.append((done / total, rows)))
    assert len({share for share, _ in told}) > 4
    assert any(0 < share < 0.9 for share, _ in told)


def test_a_store_is_not_loaded_as_an_export(tmp_path):
    """Its files would pass as tables, and its duplicates come back."""
    (tmp_path / "llmops-store.json").write_text("{}")
    with pytest.raises(SourceError, match="is a span store"):
        load_traces(tmp_path)


def test_a_store_among_exports_is_passed_over(exports):
    """People keep both in one folder."""
    (exports / "store").mkdir()
    (exports / "store" / "llmops-store.json").write_text("{}")
    (exports / "store" / "spans.jsonl").write_text(GOOD % (9, 9))
    assert traces(load_traces(exports)) == ["t1", "t2", "t3"]


@pytest.mark.parametrize("is_named", [True, False])
def test_a_file_whose_name_is_no_text_is_refused_by_name(tmp_path, is_named):
    """Disks hold names of older systems, and every row has to name its file."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jsonl"))
    try:
        path.write_text("{}\n", encoding="utf-8")
    except OSError:
        pytest.skip("the file system takes no name that is not UTF-8")
    with pytest.raises(SourceError, match=r"caf\\udce9\.jsonl: the name of the file is no UTF-8"):
        load_traces(path if is_named else tmp_path)
