"""Scores on their way into the table."""

import gzip
from datetime import UTC, datetime

import pytest

from llmops_lib.errors import SchemaError
from llmops_lib.schema import SCORES, validate
from llmops_lib.sources.results.score_rows import ScoreCollector, content_run_id


def score(**columns):
    """A row that has what every score needs."""
    return {"run_id": "r", "example_id": "e1", "scorer": "exact", "score": 0.25, **columns}


def collected(*records):
    """The rows of records, each a row or a list of rows."""
    collector = ScoreCollector("promptfoo", "results.json")
    for number, record in enumerate(records, start=1):
        collector.accept(record, line=number, raw=f"record {number}")
    return collector.finish()


def test_a_row_keeps_its_values_and_its_place():
    """Every score can be traced back to the record that it came from."""
    rows = collected(score(started_at=datetime(2026, 11, 2, tzinfo=UTC), input_tokens=11, output={"a": 1}))
    found = validate(rows.scores, SCORES).row(0, named=True)
    assert (found["score"], found["input_tokens"], found["output"]) == (0.25, 11, '{"a":1}')
    assert (found["source_format"], found["source_file"], found["source_line"]) == (
        "promptfoo",
        "results.json",
        1,
    )


def test_a_record_of_several_scores_is_read_once():
    """Records are counted, so that the account does not depend on how many scorers there were."""
    rows = collected([score(), score(scorer="judge", score=0.5)], score(scorer="other", score="much"))
    assert (rows.rows_read, rows.scores.height, rows.quarantine.height) == (2, 2, 1)


def test_a_record_is_refused_whole():
    """Half a record would pass for a whole one, and its other scores would be missed by nobody."""
    rows = collected([score(), score(scorer="judge", score="much")])
    assert rows.scores.is_empty()
    assert rows.quarantine["raw"].to_list() == ["record 1"]


def test_a_record_without_scores_is_refused():
    """A record that left no trace in either table would be lost."""
    assert collected([]).quarantine["reason"].to_list() == ["missing_field: no score"]


def test_a_repeated_scorer_is_numbered():
    """Two assertions of one type on one answer are two scores, and the key needs two names."""
    rows = collected([score(), score(score=0.5), score(scorer="exact (2)", score=0.75)])
    assert rows.scores["scorer"].to_list() == ["exact", "exact (3)", "exact (2)"]


def test_an_example_that_comes_again_is_the_next_trial():
    """A repetition is a second measurement, neither a duplicate nor a replacement."""
    rows = collected(score(), score(score=0.5), score(example_id="e2"))
    assert rows.scores["trial"].to_list() == [1, 2, 1]


def test_scorers_of_one_example_in_different_records_share_its_trial():
    """A table of one row per scorer describes one trial with several rows."""
    rows = collected(score(), score(scorer="judge"))
    assert rows.scores["trial"].to_list() == [1, 1]


def test_a_stated_trial_that_repeats_is_a_duplicate():
    """Where the source numbers trials, the same number twice is the same trial written twice."""
    rows = collected(score(trial=1), score(trial=1, score=0.5))
    assert rows.scores["score"].to_list() == [0.25]
    assert rows.quarantine["reason"].to_list() == ["duplicate: trial 1"]


def test_a_score_of_nan_is_unknown():
    """NaN would turn every mean over the scorer into NaN, and zero would be a judgement."""
    assert collected(score(score=float("nan"))).scores["score"].to_list() == [None]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"run_id": ""}, "missing_field: run_id"),
        ({"example_id": None}, "missing_field: example_id"),
        ({"scorer": ["a"]}, "type: scorer is list, not text"),
        ({"scorer": "x" * 2_000}, "too_long: scorer has 2000 characters"),
        ({"score": float("inf")}, "nonfinite: score"),
        ({"passed": "maybe"}, "type: passed is 'maybe', not true or false"),
        ({"input_tokens": -4}, "range: input_tokens is -4"),
        ({"input_tokens": 1.5}, "type: input_tokens is '1.5', not a whole number"),
        ({"cost_usd": -0.1}, "range: cost_usd is -0.1"),
        ({"trial": 0}, "range: trial is 0; trials count from 1"),
        ({"started_at": "yesterday"}, "time: started_at yesterday"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused_with_its_reason(columns, reason):
    """A clamped or guessed value would be believed later."""
    assert collected(score(**columns)).quarantine["reason"].to_list() == [reason]


def test_an_unknown_column_is_a_mistake_of_the_reader():
    """Dropping it would lose data silently."""
    with pytest.raises(SchemaError, match="grade"):
        collected(score(grade=1))


def test_a_packed_copy_names_the_same_run(tmp_path):
    """A file without a run id must not become another run because someone compressed it."""
    plain, packed = tmp_path / "a.json", tmp_path / "b.json.gz"
    plain.write_bytes(b"[1, 2]")
    packed.write_bytes(gzip.compress(b"[1, 2]"))
    assert content_run_id(plain) == content_run_id(packed)
