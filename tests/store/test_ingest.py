"""Exports into a store."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

from llmops_lib.errors import SourceError, SourceNotFoundError, StoreError
from llmops_lib.secrets import secrets_hidden
from llmops_lib.sources.hiding import KEPT_AS_IS
from llmops_lib.sources.load import load_traces, read_exports, read_quarantine
from llmops_lib.store import IngestReport, ingest, scan_traces

PLACE = ["source_file", "source_line", "reason", "raw"]


def line(trace_id, span_id, at="2026-03-02T10:00:00Z", **facts):
    """One row of a canonical table as JSON."""
    return json.dumps({"trace_id": trace_id, "span_id": span_id, "started_at": at, **facts})


@pytest.fixture
def write(tmp_path):
    """Writes an export and gives its path."""

    def written(name, *lines):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return written


@pytest.fixture
def store(tmp_path):
    """Where a store is to be."""
    return tmp_path / "store"


def keys(store):
    """Keys of the stored spans."""
    return scan_traces(store).select("trace_id", "span_id").collect().rows()


def test_an_ingest_says_what_it_added(write, store):
    """The numbers close: rows read are spans, refused rows and duplicates."""
    path = write(
        "a.jsonl", line("t1", "a"), line("t1", "b", "2026-03-03T00:00:00Z"), line("t1", "a"), "{broken"
    )
    assert ingest(path, store) == IngestReport(
        files=1,
        rows_read=4,
        span_count_added=2,
        quarantined_count=1,
        duplicate_count=1,
        skipped_files=0,
        days=("2026-03-02", "2026-03-03"),
    )


def test_the_same_file_again_changes_nothing_under_any_name(write, store, tmp_path):
    """A nightly job takes the whole folder every night."""
    path = write("a.jsonl", line("t1", "a"))
    ingest(path, store)
    before = {file: file.read_bytes() for file in store.rglob("*") if file.is_file()}
    renamed = tmp_path / "renamed.jsonl"
    renamed.write_bytes(path.read_bytes())
    report = ingest([path, renamed], store)
    assert (report.files, report.rows_read, report.skipped_files) == (0, 0, 2)
    assert {file: file.read_bytes() for file in store.rglob("*") if file.is_file()} == before


def test_progress_is_told_while_known_files_are_told_from_new_ones(write, store):
    """A nightly job takes gigabytes of known files every night, which are gone through before any is read."""
    known, new = write("known.jsonl", line("t1", "a")), write("new.jsonl", line("t2", "bb"))
    ingest(known, store)
    told = []
    ingest([known, new], store, on_read=lambda *now: told.append(now))
    sizes = {path: path.stat().st_size for path in (known, new)}
    totals = [sum(sizes.values()), sizes[new]]
    passes = [[now for now in told if now[1] == total] for total in totals]
    assert told == [*passes[0], *passes[1]]
    assert [(now[0][0], now[-1][0], now[-1][2]) for now in passes] == [(0, totals[0], 0), (0, totals[1], 1)]
    assert [now[0] for now in told[: len(passes[0])]] == sorted(now[0] for now in passes[0])


def test_overlapping_exports_do_not_count_twice(write, store):
    """Last week's and this week's export share a day."""
    ingest(write("a.jsonl", line("t1", "a"), line("t2", "b")), store)
    report = ingest(write("b.jsonl", line("t2", "b"), line("t3", "c")), store)
    assert (report.span_count_added, report.duplicate_count) == (1, 1)
    assert keys(store) == [("t1", "a"), ("t2", "b"), ("t3", "c")]


def test_a_later_version_replaces_a_stored_one_and_the_sums_still_close(write, store):
    """An open span is exported again when it ends; the row that lost belongs to the first file."""
    ingest(write("a.jsonl", line("t1", "a", output_tokens=1)), store)
    report = ingest(
        write("b.jsonl", line("t1", "a", output_tokens=2, ended_at="2026-03-02T10:00:09Z")), store
    )
    assert scan_traces(store).collect()["output_tokens"].to_list() == [2]
    assert (report.span_count_added, report.duplicate_count) == (0, 1)
    lost = read_quarantine(store).select("source_file", "reason").rows()
    assert [(Path(file).name, reason) for file, reason in lost] == [("a.jsonl", "duplicate")]


def test_a_version_that_moves_to_another_day_is_in_one_day_only(write, store):
    """A clock that was mended moves a span across midnight."""
    ingest(write("a.jsonl", line("t1", "a", "2026-03-02T23:59:59Z")), store)
    ingest(write("b.jsonl", line("t1", "a", "2026-03-03T00:00:01Z", ended_at="2026-03-03T00:00:02Z")), store)
    assert [folder.name for folder in (store / "spans").glob("*/spans.parquet")] == ["spans.parquet"]
    assert scan_traces(store).collect()["started_at"].dt.day().to_list() == [3]


def test_a_late_root_gives_its_session_to_calls_of_the_day_before(write, store):
    """A trace is exported in pieces, the root last, and the call is already stored."""
    ingest(write("a.jsonl", line("t1", "call", "2026-03-02T23:59:59Z", parent_span_id="root")), store)
    report = ingest(write("b.jsonl", line("t1", "root", "2026-03-03T00:00:30Z", session_id="s1")), store)
    assert report.days == ("2026-03-02", "2026-03-03")
    assert scan_traces(store).collect()["session_id"].to_list() == ["s1", "s1"]


def test_a_nearer_ancestor_that_comes_late_takes_over(write, store):
    """What was inherited must not be mistaken for what was stated."""
    ingest(write("a.jsonl", line("t", "root", user_id="u1"), line("t", "call", parent_span_id="mid")), store)
    ingest(write("b.jsonl", line("t", "mid", parent_span_id="root")), store)
    assert dict(scan_traces(store).select("span_id", "user_id").collect().rows())["call"] == "u1"
    ingest(write("c.jsonl", line("t", "mid", parent_span_id="root", user_id="u2", name="fuller")), store)
    assert dict(scan_traces(store).select("span_id", "user_id").collect().rows())["call"] == "u2"


def test_a_twin_that_comes_late_is_folded_and_can_be_unfolded(write, store):
    """Which of two twins is kept depends on both, whichever came first."""
    common = {"parent_span_id": "app", "request_model": "m", "input_tokens": 5, "output_tokens": 2}
    end = {"ended_at": "2026-03-02T10:00:05Z"}
    ingest(write("a.jsonl", line("t", "outer", name="outer", **common, **end)), store)
    ingest(write("b.jsonl", line("t", "inner", name="inner", cache_read_tokens=1, **common, **end)), store)
    assert dict(scan_traces(store).select("span_id", "is_model_call").collect().rows()) == {
        "outer": False,
        "inner": True,
    }
    fuller = {"cache_read_tokens": 1, "cache_write_tokens": 1, "tags": ["x"]}
    ingest(write("c.jsonl", line("t", "outer", name="outer", **common, **end, **fuller)), store)
    assert dict(scan_traces(store).select("span_id", "is_model_call").collect().rows()) == {
        "outer": True,
        "inner": False,
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_real_exports_one_by_one_are_the_same_as_all_at_once(shared, store, order):
    """Log records before their spans, twins, duplicates across formats: the order does not matter."""
    groups = [
        shared / "fixtures" / "otlp_json",
        shared / "fixtures" / "langfuse" / "trace_json",
        shared / "fixtures" / "langfuse" / "projected_exports",
    ]
    for position in order:
        for path in sorted(groups[position].iterdir(), reverse=position == order[0]):
            ingest(f"{path.parent}/[{path.name[0]}]{path.name[1:]}", store)
    load = read_exports(groups)
    spans, quarantine = (
        secrets_hidden(rows, but=KEPT_AS_IS)[0] for rows in (load.spans, load.quarantine.select(PLACE))
    )
    assert scan_traces(store).collect().equals(spans)
    assert read_quarantine(store).select(PLACE).sort(PLACE).equals(quarantine.sort(PLACE))


def test_many_small_files_are_written_together(write, store, tmp_path):
    """A day that is rewritten once per file would take hours for a month of exports."""
    for number in range(30):
        write(f"export-{number}.jsonl", line(f"t{number}", "a"))
    assert ingest(f"{tmp_path}/*.jsonl", store).files == 30
    assert len(keys(store)) == 30


def test_a_day_is_sorted_and_read_by_other_engines(write, store):
    """The store is plain Parquet in hive folders; nobody needs this library to read it."""
    rows = [
        line("t", name, f"2026-03-0{day}T10:00:0{second}Z", input_tokens=7)
        for name, day, second in (("b", 3, 1), ("a", 3, 0), ("c", 2, 0))
    ]
    ingest(write("a.jsonl", *rows), store)
    stored = duckdb.read_parquet(f"{store}/spans/*/*.parquet", hive_partitioning=True)
    by_day = stored.aggregate("started_on::varchar as started_on, count(*), sum(input_tokens)::int")
    assert by_day.order("started_on").fetchall() == [("2026-03-02", 1, 7), ("2026-03-03", 2, 14)]
    day = pd.read_parquet(store / "spans" / "started_on=2026-03-03" / "spans.parquet")
    assert day["span_id"].tolist() == ["a", "b"]


def test_a_directory_that_holds_other_things_is_no_store(write, tmp_path):
    """A typing error must not strew files over somebody's project."""
    path = write("a.jsonl", line("t1", "a"))
    with pytest.raises(StoreError, match="is no span store"):
        ingest(path, tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_path_that_cannot_be_a_directory_is_an_error(write):
    """The message names the path, not an errno."""
    path = write("a.jsonl", line("t1", "a"))
    with pytest.raises(StoreError, match="cannot be made or written as a directory"):
        ingest(path, path)


def test_a_store_of_another_version_is_not_touched(write, store):
    """A newer layout must not be half overwritten by an older library."""
    store.mkdir()
    (store / "llmops-store.json").write_text('{"version": 99}')
    with pytest.raises(StoreError, match="version 99, expected 1"):
        ingest(write("a.jsonl", line("t1", "a")), store)


def test_a_missing_export_leaves_the_store_alone(store):
    """An error about the input comes before anything is made."""
    with pytest.raises(SourceNotFoundError):
        ingest("absent.jsonl", store)
    assert not store.exists()


def test_files_before_a_bad_one_are_kept_after_the_rest_is_mended(write, store):
    """A named file that is no export stops the ingest; running it again finishes the rest."""
    good, bad = write("a.jsonl", line("t1", "a")), write("b.jsonl", "# notes")
    with pytest.raises(SourceError):
        ingest([good, bad], store)
    bad.write_text(line("t2", "b"))
    ingest([good, bad], store)
    assert keys(store) == [("t1", "a"), ("t2", "b")]


def test_a_file_that_no_reader_knew_is_counted_once_and_tried_again(write, store, tmp_path):
    """A README is one quarantined row however often the folder is taken; a log may get its mapping later."""
    write("a.jsonl", line("t1", "a"))
    write("log.csv", "when,asked", "2026-03-02T10:00:00Z,5")
    folder = f"{tmp_path}/*.*"
    ingest(folder, store)
    assert (read_quarantine(store).height, ingest(folder, store).rows_read) == (1, 0)
    report = ingest(folder, store, columns={"started_at": "when", "input_tokens": "asked"})
    assert (report.files, report.span_count_added, report.quarantined_count) == (1, 1, -1)
    assert read_quarantine(store).is_empty()


def test_every_naughty_string_comes_back_as_it_went_in(shared, write, store):
    """Prompts hold whatever people type, and people type everything."""
    corpus = (shared / "corpora" / "naughty_strings.jsonl").read_text().splitlines()
    texts = [text for text in (json.loads(record)["text"] for record in corpus) if text]
    rows = [line("t", f"s{number}", error_message=text, input=text) for number, text in enumerate(texts)]
    ingest(write("naughty.jsonl", *rows), store)
    stored = dict(scan_traces(store).select("span_id", "error_message").collect().rows())
    assert [stored.get(f"s{number}") for number in range(len(texts))] == texts
    assert all(json.loads(text) is not None for text in scan_traces(store).collect()["input"])


FULL_DISK = """
import resource, signal, sys
from llmops_lib.errors import StoreError
from llmops_lib.store import ingest
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
try:
    ingest(sys.argv[1], sys.argv[2])
except StoreError as error:
    print(error)
    sys.exit(7)
"""


def test_a_full_disk_is_said_and_leaves_the_store_as_it_was(write, store):
    """A limit on file size stands in for the end of the disk."""
    ingest(write("a.jsonl", line("t1", "a")), store)
    noise = [line("t1", f"s{number}", input=str(hash((number, "x")))) for number in range(9_000)]
    big = write("b.jsonl", *noise)
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(big), str(store)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 7, run.stderr
    assert "cannot be written" in run.stdout
    assert "what was stored before is intact" in run.stdout
    assert keys(store) == [("t1", "a")]
    assert ingest(big, store).span_count_added == 9_000


def test_two_ingests_at_once_wait_for_each_other(write, store):
    """A nightly job and a person may start together."""
    files = [write(f"{name}.jsonl", *(line(f"{name}{number}", "a") for number in range(50))) for name in "ab"]
    code = "import sys; from llmops_lib.store import ingest; ingest(sys.argv[1], sys.argv[2])"
    runs = [subprocess.Popen([sys.executable, "-c", code, str(file), str(store)]) for file in files]
    assert [run.wait(timeout=600) for run in runs] == [0, 0]
    assert len(keys(store)) == 100


def test_a_store_holds_what_a_load_returns(shared, store):
    """One table, however it was reached."""
    path = shared / "fixtures" / "otlp_json"
    ingest(path, store)
    assert scan_traces(store).collect().equals(load_traces(path))
    assert isinstance(scan_traces(store), pl.LazyFrame)
