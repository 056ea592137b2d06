"""Eval results loaded together, whatever their formats."""

import json
import logging
import zipfile

import polars as pl
import pytest

from llmops_lib.errors import BadLineError, SourceError, SourceNotFoundError, UnknownFormatError
from llmops_lib.schema import SCORES
from llmops_lib.sources.results.detect import SCORE_READERS, detect_score_reader, take_score_sample
from llmops_lib.sources.results.load import load_scores, read_results

TABLE = "run_id,example_id,scorer,score\nr1,e1,exact,0.25\nr1,e2,exact,{second}\n"


@pytest.fixture
def table(tmp_path):
    """A table of two scores."""
    path = tmp_path / "scores.csv"
    path.write_text(TABLE.format(second="0.5"))
    return path


@pytest.fixture
def broken(tmp_path):
    """A table of a score and a row that is none."""
    path = tmp_path / "broken.csv"
    path.write_text(TABLE.format(second="much"))
    return path


def test_scores_come_in_declared_shape(table):
    """Measures rely on the columns and dtypes without looking."""
    assert load_scores(table).schema == SCORES.polars_schema


def test_a_run_exported_twice_counts_once(tmp_path, table):
    """Two copies of a run would halve its variance and double its weight."""
    copy = tmp_path / "copy.csv"
    copy.write_text(TABLE.format(second="0.5") + "r1,e3,exact,0.75\n")
    results = read_results([table, copy])
    assert results.scores["score"].to_list() == [0.25, 0.5, 0.75]
    assert results.quarantine["reason"].to_list() == ["duplicate: another file holds these scores"] * 2


def test_every_record_is_accounted_for(table, broken):
    """A record is in the scores or in the quarantine, file by file."""
    results = read_results([table, broken])
    for file in results.files:
        assert file.rows_read == file.scored_count + file.quarantined_count
    assert [(file.rows_read, file.quarantined_count, file.score_count) for file in results.files] == [
        (2, 0, 2),
        (2, 2, 0),
    ]


def test_bad_records_are_counted_in_one_warning_without_their_text(broken, caplog):
    """What stands in a bad record may be what must not be in a log."""
    with caplog.at_level(logging.WARNING, "llmops_lib"):
        load_scores(broken)
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 2 records in 1 files were refused (type 1); read_results() shows them"
    ]


def test_bad_records_raise_where_that_was_asked_for(broken):
    """A gate must not pass on half of its examples."""
    with pytest.raises(BadLineError, match=r"broken\.csv:2: type: score is 'much'"):
        load_scores(broken, on_bad="raise")


def test_benign_records_raise_nothing(tmp_path, table):
    """A duplicate lost nothing."""
    copy = tmp_path / "copy.csv"
    copy.write_bytes(table.read_bytes())
    assert load_scores([table, copy], on_bad="raise").height == 2


@pytest.mark.usefixtures("table")
def test_a_foreign_file_in_a_directory_is_one_quarantined_record(tmp_path):
    """Results lie beside logs and notes; those must neither stop the load nor vanish."""
    (tmp_path / "notes.md").write_text("# Notes\n")
    results = read_results(tmp_path)
    assert results.scores.height == 2
    assert [(file.source_format, file.rows_read) for file in results.files] == [("unknown", 1), ("table", 2)]


def test_a_named_foreign_file_is_an_error_that_says_what_was_looked_for(tmp_path):
    """Whoever names a file expects scores of it."""
    path = tmp_path / "notes.md"
    path.write_text("# Notes\n")
    with pytest.raises(UnknownFormatError, match="promptfoo: an object") as caught:
        load_scores(path)
    assert all(reader.looked_for in str(caught.value) for reader in SCORE_READERS)


def test_an_empty_file_says_so(tmp_path):
    """An aborted run leaves one behind."""
    path = tmp_path / "empty.json"
    path.touch()
    with pytest.raises(SourceError, match="empty"):
        load_scores(path)


def test_a_missing_path_is_not_found(tmp_path):
    """A misspelt path must not look like a run without scores."""
    with pytest.raises(SourceNotFoundError):
        load_scores(tmp_path / "absent.json")


def test_a_mapping_makes_any_table_readable(tmp_path):
    """A table in no known format is what mappings are for."""
    path = tmp_path / "grades.csv"
    path.write_text("id,grade\n1,0.25\n")
    assert load_scores(path, columns={"example_id": "id", "score": "grade"}).height == 1


def test_a_mapping_that_nothing_uses_is_an_error(tmp_path):
    """It would be ignored silently, and the caller believe that it worked."""
    path = tmp_path / "run.json"
    metrics = [{"name": "a", "score": 1}]
    path.write_text(json.dumps({"testCases": [{"name": "c", "metricsData": metrics}], "testPassed": 1}))
    with pytest.raises(SourceError, match="deepeval"):
        load_scores(path, columns={"example_id": "id", "score": "grade"})


@pytest.mark.parametrize("arguments", [{"source_format": "excel"}, {"on_bad": "skip"}])
def test_an_unknown_word_lists_the_known_ones(table, arguments):
    """The list is quicker than the documentation."""
    with pytest.raises(SourceError, match="expected"):
        load_scores(table, **arguments)


def test_progress_is_told_before_each_file(table):
    """A directory of runs takes a while."""
    told = []
    read_results(table, on_file=lambda *facts: told.append(facts))
    assert told == [(0, 1, str(table))]


def test_formats_have_names_of_their_own():
    """A name chooses one reader."""
    names = [reader.source_format for reader in SCORE_READERS]
    assert len(names) == len(set(names))


def test_an_archive_is_seen_by_its_members(tmp_path):
    """Inspect packs its logs into ZIP archives, whose text cannot be sampled."""
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", "{}")
    sample = take_score_sample(path)
    assert (sample.kind, sample.columns) == ("zip", ("header.json",))


def test_a_torn_archive_is_an_error(tmp_path):
    """It must not be taken for an unknown format."""
    path = tmp_path / "log.eval"
    path.write_bytes(b"PK\x03\x04torn")
    with pytest.raises(SourceError, match="ZIP"):
        detect_score_reader(path)


@pytest.mark.parametrize(
    ("folder", "pattern", "source_format"),
    [
        ("promptfoo", "emitted*.json*", "promptfoo"),
        ("promptfoo", "*.csv", "promptfoo"),
        ("promptfoo", "claude*.json", "promptfoo"),
        ("promptfoo", "*.yaml", "promptfoo"),
        ("promptfoo", "*.xml", "junit"),
        ("deepeval", "*run*.json", "deepeval"),
        ("openai_evals", "*.jsonl", "openai_evals"),
    ],
)
def test_real_files_are_recognised(shared, folder, pattern, source_format):
    """Nobody should have to know what wrote a file."""
    files = sorted((shared / "fixtures" / folder).glob(pattern))
    assert files
    assert {detect_score_reader(file).source_format for file in files} == {source_format}


def test_all_real_results_load_into_one_table(shared):
    """Whatever formats a team uses, their scores stand in one table with one key."""
    folders = [shared / "fixtures" / name for name in ("promptfoo", "deepeval", "openai_evals")]
    results = read_results(folders)
    assert results.scores.select(pl.struct(SCORES.key).is_unique().all()).item()
    assert sum(file.score_count for file in results.files) == results.scores.height
