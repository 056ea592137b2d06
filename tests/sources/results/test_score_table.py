"""Plain tables of scores."""

import json

import polars as pl
import pytest

from llmops_lib.errors import SourceError
from llmops_lib.sources.results.score_mapping import read_score_mapping
from llmops_lib.sources.results.score_table import matches, read_score_table
from llmops_lib.sources.sample import take_sample

MAPPING = {"example_id": "id", "score": "grade"}


def write(tmp_path, text, name="scores.csv"):
    """A file of text."""
    path = tmp_path / name
    path.write_text(text)
    return path


def test_columns_of_the_names_of_scores_need_no_mapping(tmp_path):
    """What one system writes for us, it may write as it is."""
    path = write(tmp_path, "run_id,example_id,scorer,score,passed\nr1,007,exact,0.25,no\nr1,008,exact,,yes\n")
    assert matches(take_sample(path))
    assert read_score_table(path).scores.select("run_id", "example_id", "score", "passed").rows() == [
        ("r1", "007", 0.25, False),
        ("r1", "008", None, True),
    ]


def test_a_mapping_names_the_columns(tmp_path):
    """The scorer is the column of the score where nothing else names it."""
    path = write(tmp_path, "id,grade,city\n1,0.25,Paris\n")
    row = read_score_table(path, columns=MAPPING).scores.row(0, named=True)
    assert (row["example_id"], row["scorer"], row["score"]) == ("1", "grade", 0.25)
    assert json.loads(row["metadata"]) == {"city": "Paris"}
    assert row["run_id"].startswith("sha256:")


def test_constants_fill_what_the_table_does_not_say(tmp_path):
    """A table per run rarely repeats the name of the run on every row."""
    path = write(tmp_path, "id,grade,run\n1,0.25,r7\n2,0.5,\n")
    columns = {"columns": {**MAPPING, "run_id": "run"}, "constants": {"run_id": "r1", "model": "gpt-4o"}}
    scores = read_score_table(path, columns=columns).scores
    assert scores.select("run_id", "model").rows() == [("r7", "gpt-4o"), ("r1", "gpt-4o")]


def test_seconds_become_milliseconds(tmp_path):
    """The unit of a column is the caller's to state."""
    path = write(tmp_path, "id,grade,took\n1,0.25,1.5\n")
    columns = {**MAPPING, "latency_ms": {"column": "took", "unit": "s"}}
    assert read_score_table(path, columns=columns).scores["latency_ms"].to_list() == [1_500]


def test_a_time_without_a_zone_asks_for_one(tmp_path):
    """No row can be blamed for it, and a guessed zone shifts every row."""
    path = write(tmp_path, "id,grade,at\n1,0.25,2026-11-02 08:00:00\n")
    columns = {**MAPPING, "started_at": "at"}
    with pytest.raises(SourceError, match="timezone"):
        read_score_table(path, columns=columns)
    zoned = read_score_table(path, columns={"columns": columns, "timezone": "Europe/Berlin"}).scores
    assert zoned["started_at"][0].isoformat() == "2026-11-02T07:00:00+00:00"


def test_nan_and_empty_cells_are_unknown(tmp_path):
    """Frames write NaN for what a grader could not compute."""
    path = write(tmp_path, "id,grade,ok\n1,NaN,true\n2,,false\n")
    scores = read_score_table(path, columns={**MAPPING, "passed": "ok"}).scores
    assert scores.select("score", "passed").rows() == [(None, True), (None, False)]


def test_a_row_without_a_verdict_is_refused(tmp_path):
    """A row of nothing but an id would count as an example that was scored."""
    rows = read_score_table(write(tmp_path, "id,grade\n1,0.25\n2,\n3,high\n"), columns=MAPPING)
    assert (rows.rows_read, rows.scores.height) == (3, 1)
    assert rows.quarantine["reason"].to_list() == [
        "missing_field: score",
        "type: score is 'high', not a number",
    ]


def test_equal_examples_are_trials(tmp_path):
    """A repetition is a second measurement."""
    scores = read_score_table(write(tmp_path, "id,grade\n1,0.25\n1,0.5\n"), columns=MAPPING).scores
    assert scores["trial"].to_list() == [1, 2]


def test_parquet_and_lines_read_alike(tmp_path):
    """The kind of file must not change a score."""
    rows = [{"id": 7, "grade": 0.25, "ok": True}, {"id": 8, "grade": 1.0, "ok": False}]
    columns = {**MAPPING, "passed": "ok"}
    lines = write(tmp_path, "\n".join(json.dumps(row) for row in rows), "scores.jsonl")
    pl.DataFrame(rows).write_parquet(tmp_path / "scores.parquet")
    found = [
        read_score_table(path, columns=columns).scores.select("example_id", "score", "passed").rows()
        for path in (lines, tmp_path / "scores.parquet")
    ]
    assert found == [[("7", 0.25, True), ("8", 1.0, False)]] * 2


def test_a_mapped_column_that_is_absent_is_named(tmp_path):
    """A misspelt column would otherwise be a column of nulls."""
    with pytest.raises(SourceError, match=r"'grades'.*it has \['id', 'grade'\]"):
        read_score_table(
            write(tmp_path, "id,grade\n1,0.25\n"),
            columns={"example_id": "id", "passed": "grade", "score": "grades"},
        )


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"example_id": "id"}, "one of"),
        ({"score": "grade"}, "must map example_id"),
        ({**MAPPING, "grader": "x"}, "grader"),
        ({**MAPPING, "latency_ms": {"column": "x", "unit": "h"}}, "'h'"),
        ({**MAPPING, "model": 3}, "found 3"),
        ({"columns": MAPPING, "zone": "UTC"}, "zone"),
        ({"columns": MAPPING, "timezone": "Mars"}, "Mars"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_before_the_file_is_read(stated, message):
    """The mistake is in the mapping, so the message must be about it."""
    with pytest.raises(SourceError, match=message):
        read_score_mapping(stated)


def test_a_mapping_may_be_a_yaml_file(tmp_path):
    """A mapping that is used every week belongs into a file."""
    path = write(tmp_path, "example_id: id\nscore: grade\n", "mapping.yaml")
    assert read_score_mapping(path).columns["score"].column == "grade"
