import re
import time

import polars as pl
import pytest

from llmops_lib.demo import sample_months, write_demo
from llmops_lib.errors import PeriodError
from llmops_lib.sources.otlp import read_otlp

SMALL = {"weeks": 1, "calls_per_week": 300}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    """A demonstration that changes from run to run cannot be compared with its documented figures."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    write_demo(first, **SMALL)
    write_demo(second, **SMALL)
    assert first.read_bytes() == second.read_bytes()


def test_another_seed_gives_other_traffic(tmp_path):
    """A seed that changes nothing would be a dead option."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    write_demo(first, seed=1, **SMALL)
    write_demo(second, seed=2, **SMALL)
    assert first.read_bytes() != second.read_bytes()


def test_the_facts_count_what_the_file_holds(demo):
    """Tests elsewhere take these counts for the truth about the file."""
    assert demo.facts.path == demo.path
    assert demo.facts.span_count == demo.spans.height
    assert demo.facts.call_count == demo.calls.height
    assert demo.facts.bad_line_count == len(demo.bad_lines) == 7


def test_every_span_says_that_it_is_synthetic(demo):
    """Nobody must ever take these figures for a real service."""
    labels = demo.spans.select("is_synthetic", "service", "environment").unique().rows()
    assert labels == [(True, "support-assistant (synthetic)", "synthetic-demo")]


def test_span_ids_are_hexadecimal_and_never_repeat(demo):
    """The key of the table of spans is made of them."""
    assert demo.spans.select("trace_id", "span_id").is_unique().all()
    assert demo.spans["trace_id"].str.contains(r"^[0-9a-f]{32}$").all()
    assert demo.spans["span_id"].str.contains(r"^[0-9a-f]{16}$").all()


def test_children_lie_within_their_parents_and_come_first(demo):
    """Exporters write a span when it ends; readers must not rely on seeing parents first."""
    parents = demo.spans.select(
        "trace_id", parent_span_id="span_id", since="started_ns", until="ended_ns", parent_line="line"
    )
    children = demo.spans.filter(pl.col("parent_span_id") != "")
    pairs = children.join(parents, on=["trace_id", "parent_span_id"])
    assert pairs.height == children.height
    assert (pairs["started_ns"] >= pairs["since"]).all()
    assert (pairs["ended_ns"] <= pairs["until"]).all()
    assert (pairs["line"] <= pairs["parent_line"]).all()


def test_only_roots_say_who_called(demo):
    """Real instrumentation does so too, and inheritance is what the loader must show."""
    named = demo.spans.filter(pl.col("tenant").is_not_null())
    assert (named["parent_span_id"] == "").all()
    assert named.height == demo.spans["trace_id"].n_unique()
    assert named.select("tenant", "feature", "user_id", "session_id").null_count().row(0) == (0, 0, 0, 0)


def test_counts_are_written_as_text(demo):
    """Writers built on protobuf do so, and a reader that expects numbers loses every token."""
    assert b'"intValue":"' in demo.path.read_bytes()
    assert re.search(rb'"intValue":-?\d', demo.path.read_bytes()) is None


def test_parts_of_usage_never_exceed_the_whole(demo):
    """Input contains what came from and went to caches, output contains reasoning."""
    usage = demo.calls.fill_null(0)
    assert (usage["cache_read_tokens"] + usage["cache_write_tokens"] <= usage["input_tokens"]).all()
    assert (usage["reasoning_tokens"] <= usage["output_tokens"]).all()


def test_failed_calls_have_no_usage(demo):
    """A provider that answers with an error counts no tokens: unknown, not zero."""
    failed = demo.calls.filter("is_error")
    assert failed.height > 0
    assert failed.select("input_tokens", "output_tokens").null_count().row(0) == (
        failed.height,
        failed.height,
    )


def test_bad_lines_are_spread_over_the_file(demo):
    """A reader that stops at the first bad line would lose most of the demonstration."""
    lines = demo.path.read_bytes().splitlines()
    places = [lines.index(bad) / len(lines) for bad in demo.bad_lines]
    assert 0 < min(places) < 0.1
    assert max(places) > 0.8


def test_spans_stay_within_the_weeks_asked_for(demo):
    """A trace that started after the last week would be in the future of whoever generated up to now."""
    started = demo.spans["started_at"]
    assert (str(started.min())[:10], str(started.max())[:10]) == ("2026-10-05", "2026-11-15")


def test_texts_hold_personal_data_and_hostile_markup(demo):
    """Reports must show that they mask the one and escape the other."""
    asked = " ".join(demo.spans["asked"].drop_nulls().unique())
    for piece in ("@example.com", "<script>", "](javascript:", "=HYPERLINK(", "\\u001b[2J"):
        assert piece in asked


def test_progress_is_told_after_each_day(tmp_path):
    """A long run without a sign of life looks like a hang."""
    seen = []
    write_demo(tmp_path / "demo.jsonl", **SMALL, on_progress=lambda *told: seen.append(told))
    assert seen == [(day, 7, f"2026-11-{day + 8:02d}") for day in range(1, 8)]


def test_an_interrupted_run_leaves_the_old_file(tmp_path):
    """Half a demonstration that looks whole would be reported on."""
    path = tmp_path / "demo.jsonl"
    path.write_text("old")

    def interrupt(_done, _total, _day):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_demo(path, **SMALL, on_progress=interrupt)
    assert [file.name for file in tmp_path.iterdir()] == ["demo.jsonl"]
    assert path.read_text() == "old"


def test_a_week_that_does_not_exist_is_refused(tmp_path):
    """2026 has 53 weeks, 2025 has 52."""
    with pytest.raises(PeriodError, match="'2025-W53' is not an ISO week"):
        write_demo(tmp_path / "demo.jsonl", last_week="2025-W53")


def test_a_demonstration_of_no_weeks_is_refused(tmp_path):
    """An empty file would only fail later, and less clearly."""
    with pytest.raises(PeriodError, match="found weeks=0, expected at least 1"):
        write_demo(tmp_path / "demo.jsonl", weeks=0)


def test_tens_of_thousands_of_spans_take_seconds(tmp_path):
    """It is the first command that a newcomer runs."""
    started = time.process_time()
    facts = write_demo(tmp_path / "demo.jsonl", weeks=3)
    assert facts.span_count > 25_000
    assert time.process_time() - started < 10


def test_the_monthly_sample_covers_two_whole_months():
    """A review of a month needs the month before it, both to their last days."""
    days = read_otlp(sample_months()).spans["started_at"].dt.date()
    covered = set(days.dt.strftime("%Y-%m-%d"))
    assert {"2026-09-01", "2026-09-30", "2026-10-01", "2026-10-31"} <= covered
