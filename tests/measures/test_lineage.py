"""Commits are joined to what carried their prompts, and what cannot be joined stays visible."""

from datetime import UTC, datetime

import polars as pl
import pytest

from llmops_lib.measures.lineage import prompt_lineage
from llmops_lib.schema import PROMPT_VERSIONS, SCORES, SPANS, conform

DAYS = [datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 8)]
VERSIONS = conform(
    pl.DataFrame(
        {
            "prompt_name": ["faq", "faq", "faq"],
            "prompt_version": ["3", "2", "1"],
            "prompt_hash": ["h3", "h2", "h1"],
            "tool_schema_hash": ["t2", "t2", None],
            "declared_model": ["gpt-4o"] * 3,
            "commit": [None, "c2", "c1"],
            "committed_at": [None, DAYS[2], DAYS[1]],
        }
    ),
    PROMPT_VERSIONS,
)


def scores(**columns):
    """SCORES from a few columns."""
    height = len(columns["run_id"])
    plain = {
        "example_id": [f"e{n}" for n in range(height)],
        "trial": [1] * height,
        "scorer": ["exact"] * height,
    }
    source = {"source_format": ["llmops"] * height, "source_file": ["run.jsonl"] * height}
    given = plain | source | columns
    return conform(pl.DataFrame(given, schema={name: SCORES.polars_schema[name] for name in given}), SCORES)


def test_calls_and_runs_are_joined_by_hash(engine, calls):
    """The same on every engine; the first and the last call say how long a version was out."""
    spans = calls(
        prompt_name=["faq", "faq", "faq", None],
        prompt_hash=["h2", "h2", "h1", None],
        model=["gpt-4o", "gpt-4o", "gpt-4o-mini", "gpt-4o"],
        is_error=[True, False, False, False],
        started_at=[DAYS[3], DAYS[4], DAYS[5], DAYS[6]],
    )
    runs = scores(
        run_id=["r2", "r1", "r1"], prompt_name=["faq"] * 3, prompt_hash=["h2"] * 3, model=["gpt-4o"] * 3
    )
    table = prompt_lineage(VERSIONS, spans=engine(spans), scores=engine(runs))
    columns = [
        "prompt_hash",
        "model",
        "commit",
        "eval_runs",
        "score_count",
        "call_count",
        "failed_count",
        "matched_by",
    ]
    assert table.select(columns).rows() == [
        ("h3", None, None, [], 0, 0, 0, None),
        ("h2", "gpt-4o", "c2", ["r1", "r2"], 3, 2, 1, "hash"),
        ("h1", "gpt-4o-mini", "c1", [], 0, 1, 0, "hash"),
    ]
    assert table["first_call_at"].to_list() == [None, DAYS[3], DAYS[5]]
    assert table["tool_schema_hash"].to_list() == ["t2", "t2", None]


def test_a_hash_that_is_in_no_commit_stays_visible(calls):
    """A prompt that runs and is not in git is what the table is read for."""
    spans = calls(prompt_name=["faq", None], prompt_hash=["dead", "beef"], model=["m", "m"])
    unknown = prompt_lineage(VERSIONS, spans=spans).filter(~pl.col("is_registered"))
    assert unknown.select("prompt_name", "prompt_hash", "commit", "call_count").rows() == [
        ("faq", "dead", None, 1),
        (None, "beef", None, 1),
    ]


def test_a_label_joins_where_it_stood_for_one_content_only(calls):
    """Most exports carry a label and no hash; one that was never moved is as good."""
    spans = calls(prompt_name=["faq", "faq"], prompt_version=["2", "9"], model=["m", "m"])
    table = prompt_lineage(VERSIONS, spans=spans).filter(pl.col("call_count") > 0)
    assert table.select("prompt_hash", "prompt_version", "matched_by").rows() == [
        ("h2", "2", "version"),
        (None, "9", None),
    ]


def test_a_label_that_stood_for_two_contents_joins_to_none(calls):
    """Either of the two would be a guess."""
    moved = VERSIONS.with_columns(pl.lit("1").alias("prompt_version"))
    spans = calls(prompt_name=["faq"], prompt_version=["1"], model=["m"])
    assert prompt_lineage(moved, spans=spans).filter(pl.col("call_count") > 0)["prompt_hash"].to_list() == [
        None
    ]


def test_a_hash_without_a_name_finds_its_prompt(calls):
    """Some exports carry only the hash."""
    table = prompt_lineage(VERSIONS, spans=calls(prompt_hash=["h1"], model=["m"]))
    assert table.filter(pl.col("call_count") > 0)["prompt_name"].to_list() == ["faq"]


def test_counts_of_a_table_that_was_not_given_are_unknown(calls):
    """Zero runs would be a finding."""
    table = prompt_lineage(VERSIONS, spans=calls(prompt_hash=["h1"], model=["m"]))
    assert table["eval_run_count"].null_count() == table.height
    assert prompt_lineage(VERSIONS)["call_count"].null_count() == 3


@pytest.mark.parametrize("table", ["spans", "scores"])
def test_every_row_that_carries_a_prompt_is_counted_once(calls, table):
    """Nothing is lost in the joins, whatever is null."""
    names, hashes, versions = [None, "faq", "other"], [None, "h1", "h2", "x"], [None, "1", "x"]
    grid = [(n, h, v) for n in names for h in hashes for v in versions]
    columns = dict(
        zip(("prompt_name", "prompt_hash", "prompt_version"), map(list, zip(*grid, strict=True)), strict=True)
    )
    if table == "spans":
        counted = prompt_lineage(VERSIONS, spans=calls(**columns, model=["m"] * len(grid)))[
            "call_count"
        ].sum()
    else:
        rows = scores(**columns, run_id=["r"] * len(grid), model=["m"] * len(grid))
        counted = prompt_lineage(VERSIONS, scores=rows)["score_count"].sum()
    assert counted == sum(name is not None or content is not None for name, content, _ in grid)


def test_empty_tables_leave_the_versions(calls):
    """A prompt that nothing carried yet is a row too."""
    spans = calls(model=["m"]).head(0)
    assert prompt_lineage(VERSIONS, spans=spans, scores=SCORES.empty())["call_count"].to_list() == [0, 0, 0]
    assert prompt_lineage(PROMPT_VERSIONS.empty(), spans=SPANS.empty()).height == 0
