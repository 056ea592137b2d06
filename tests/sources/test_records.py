"""Files of every container as one stream of records."""

import gzip
import json

import polars as pl
import pytest

from llmops_lib.errors import SourceError
from llmops_lib.sources.records import iter_records
from llmops_lib.sources.rows import RowCollector


def _read(path):
    collector = RowCollector("langfuse", path.name)
    records = [(record.line, record.value) for record in iter_records(path, collector)]
    refused = collector.finish().quarantine.select("source_line", "reason").rows()
    return records, refused


def _written(tmp_path, content, name="export"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_list_gives_a_record_per_item(tmp_path):
    """The table export of a JSON array has no lines, so the position says where a row stands."""
    path = _written(tmp_path, '[{"id": "a"},\n {"id": "b"}]')
    assert _read(path) == ([(1, {"id": "a"}), (2, {"id": "b"})], [])


def test_one_object_gives_one_record_without_a_line(tmp_path):
    """A download of one trace has neither lines nor rows."""
    assert _read(_written(tmp_path, '{"trace": {}}\n')) == ([(None, {"trace": {}})], [])


def test_a_bad_line_is_refused_alone(tmp_path):
    """One torn line must not cost the file."""
    path = _written(tmp_path, '{"id": "a"}\n{"id": \n{"id": "c"}\n')
    records, refused = _read(path)
    assert records == [(1, {"id": "a"}), (3, {"id": "c"})]
    assert [line for line, _ in refused] == [2]


def test_cells_stay_text_and_empty_ones_are_absent(tmp_path):
    """A user id of `00123` read as a number would be another user."""
    path = _written(tmp_path, 'id,userId,level\na,00123,\nb,1e5,"x, ""y""\nz"\n')
    assert _read(path)[0] == [
        (1, {"id": "a", "userId": "00123"}),
        (2, {"id": "b", "userId": "1e5", "level": 'x, "y"\nz'}),
    ]


def test_a_row_with_too_many_cells_is_refused_alone(tmp_path):
    """A quote lost by an editor shifts the cells of one row."""
    path = _written(tmp_path, "id,name\na,b\nc,d,e\n\nf,g\n")
    records, refused = _read(path)
    assert records == [(1, {"id": "a", "name": "b"}), (3, {"id": "f", "name": "g"})]
    assert refused == [(2, "schema: 3 cells under a header of 2")]


def test_a_row_that_is_not_unicode_is_refused_alone(tmp_path):
    """A file joined from two encodings keeps its readable rows."""
    path = _written(tmp_path, b"\xef\xbb\xbfid,name\na,caf\xc3\xa9\nb,caf\xe9\n")
    records, refused = _read(path)
    assert records == [(1, {"id": "a", "name": "café"})]
    assert refused == [(2, "encoding")]


def test_semicolons_separate_cells_too(tmp_path):
    """A spreadsheet saves its CSV so where the comma is the decimal mark."""
    assert _read(_written(tmp_path, "id;name\na;b\n"))[0] == [(1, {"id": "a", "name": "b"})]


def test_compressed_text_is_unwrapped_by_content(tmp_path):
    """The blob export is gzip by default, and tools that download it drop the suffix."""
    path = _written(tmp_path, gzip.compress(b'{"id": "a"}\n{"id": "b"}\n'))
    assert [value["id"] for _, value in _read(path)[0]] == ["a", "b"]


def test_parquet_rows_are_numbered_and_their_nulls_absent(tmp_path):
    """A table of thousands of columns is mostly null."""
    path = tmp_path / "export"
    pl.DataFrame({"id": ["00123", "b"], "tokens": [None, 5]}).write_parquet(path)
    assert _read(path)[0] == [(1, {"id": "00123"}), (2, {"id": "b", "tokens": 5})]


def test_a_torn_parquet_file_is_an_error_that_names_it(tmp_path):
    """Its footer is lost, so there is no row to refuse."""
    path = tmp_path / "torn.parquet"
    pl.DataFrame({"id": ["a"]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match=r"torn\.parquet: begins like Parquet but is not readable"):
        _read(path)


def test_a_parquet_bomb_is_refused(tmp_path):
    """A dictionary of one long value repeated fills memory from a file of kilobytes."""
    path = tmp_path / "bomb.parquet"
    long = pl.Series("id", ["x" * 1_000_000]).cast(pl.Categorical)
    pl.DataFrame({"id": long.new_from_index(0, 500)}).write_parquet(path)
    with pytest.raises(SourceError, match="unpack to over 200 times"):
        _read(path)


def test_a_first_line_longer_than_the_sample_does_not_hide_the_others(tmp_path):
    """One long prompt made the whole file look like a single document, and lost it."""
    path = tmp_path / "long.jsonl"
    path.write_text(f'{{"input": "{"x" * 70_000}"}}\n{{"input": "y"}}\n', encoding="utf-8")
    collector = RowCollector("langfuse", "long.jsonl")
    assert [record.line for record in iter_records(path, collector)] == [1, 2]


def test_a_header_that_is_not_utf_8_names_its_columns_all_the_same(tmp_path):
    """Its cells may be good, and a row that cannot be written would stop the load."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\xe9\n1,2\n")
    (record,) = iter_records(path, RowCollector("table", "rows.csv"))
    assert record.value == {"a": "1", "b\ufffd": "2"}
    assert json.loads(record.raw()) == record.value


def test_a_carriage_return_in_a_header_or_a_row_is_no_crash(tmp_path):
    """Old line ends and progress bars hold them; a folder has to load in spite of such a file."""
    with pytest.raises(SourceError, match="header of the table cannot be read"):
        _read(_written(tmp_path, "a,b\rc,d\n1,2,3\n"))
    records, refused = _read(_written(tmp_path, "a,b\n1,2\r3\n4,5\n"))
    assert records == [(2, {"a": "4", "b": "5"})]
    assert [(line, reason.split(":")[0]) for line, reason in refused] == [(1, "schema")]
