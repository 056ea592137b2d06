"""What detection sees of a file."""

import gzip
import json

import pytest

from llmops_lib.errors import SourceError
from llmops_lib.sources.sample import SAMPLE_BYTES, sample_text, take_sample


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ('{"a": 1}', "document"),
        ('{"a": 1}\n', "document"),
        ('[{"a": 1}, {"a": 2}]', "document"),
        ('{\n  "a": 1\n}\n', "document"),
        ('{"a": 1}\n{"a": 2}\n', "lines"),
        ('{\n  "a": 1\n}\n{\n  "a": 2\n}\n', "objects"),
        ('{"a": 1, "b\n{"a": 2}\n', "lines"),
        ('not json\n{"a": 2}\n{"a": 3}\n', "lines"),
        ('[0x42]\n{"a": 2}\n{"a": 3}\n', "lines"),
        ('[\n{"a": 2}\n{"a": 3}\n', "lines"),
        ('[\n{"a": 2},\n{"a": 3}\n', "document"),
        ('[\n{"a": 2}\n,\n{"a": 3}\n]\n', "document"),
        ('\0\0\n{"a": 2}\n', "lines"),
        ('Traceback (most recent call last):\nsee\nbelow\n{"a": 2}\n', "lines"),
        ('10:00:00,123 INFO up\n{\n  "a": 1\n}\n{\n  "a": 2\n}\n', "objects"),
        ('up\n{\n  "a": 1\n}\ndone\n', "objects"),
        ('up\n{\n  "a": 1\n}\n', "objects"),
        ('a,b\n1,"\n{\n  ""x"": 1\n}\n"\n', "csv"),
        ("a,b\n1,2\n", "csv"),
        ('a,b\n1,2\n{"a": 2}\n3,4\n', "csv"),
        ('a,b\n1,"{""x"": 1}"\n', "csv"),
        ("10%\r20%\rdone, at last\n", "csv"),
        ("PK\x03\x04\0\0", "unknown"),
        (" \n\t\n", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_kind_is_told_from_the_shape_of_the_text(content, kind):
    """A reader chosen for the wrong shape would refuse every row of a good file."""
    assert sample_text(content.encode()).kind == kind


def test_the_first_good_object_of_lines_is_the_sample():
    """One broken line at the top of a log must not hide what the log holds."""
    sample = sample_text(b'{"a": \n{"b": 1, "c": 2}\n')
    assert (sample.first, sample.columns) == ({"b": 1, "c": 2}, ("b", "c"))


def test_a_document_that_is_cut_off_still_shows_its_keys():
    """Most exports are longer than what detection reads."""
    sample = sample_text(b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "ch', is_whole=False)
    assert sample.kind == "document"
    assert sample.first == {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "ch"}]}]}]}


def test_a_character_cut_in_half_does_not_hide_the_document():
    """The sample ends at a byte, and the byte may stand inside a character."""
    sample = sample_text('{"name": "é"}'.encode()[:11], is_whole=False)
    assert sample.columns == ("name",)


def test_the_separator_of_a_text_table_is_the_one_its_header_uses():
    """Spreadsheets of half of Europe write semicolons."""
    sample = sample_text(b"started_at;input_tokens\n2026-01-01T00:00:00Z;5\n")
    assert (sample.separator, sample.columns) == (";", ("started_at", "input_tokens"))


def test_a_byte_order_mark_is_no_part_of_a_column_name():
    """Excel writes one in front of the first column."""
    assert sample_text(b"\xef\xbb\xbfa,b\n1,2\n").columns == ("a", "b")


def test_deep_nesting_is_no_crash():
    """A hostile file is refused by its reader, not by a recursion limit in detection."""
    assert sample_text(b"[" * 50_000).kind == "document"


def test_lines_longer_than_the_sample_are_still_lines(tmp_path):
    """One OTLP batch fills more than 64 kB; read as one document, the whole file would be refused."""
    path = tmp_path / "long.jsonl"
    line = json.dumps({"resourceSpans": "x" * SAMPLE_BYTES})
    path.write_text(f"{line}\n{line}\n")
    assert take_sample(path).kind == "lines"
    path.write_text(f"{line}\n")
    assert take_sample(path).kind == "document"


def test_compressed_content_is_seen_through(tmp_path):
    """Collectors rotate into gzip, often without the ending."""
    path = tmp_path / "export"
    path.write_bytes(gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    assert take_sample(path).kind == "lines"


def test_a_broken_parquet_file_is_an_error_that_names_it(tmp_path):
    """Four magic bytes are no promise of a footer."""
    path = tmp_path / "spans.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(SourceError, match=r"spans\.parquet: begins like Parquet"):
        take_sample(path)


def test_a_comma_behind_the_last_object_does_not_hide_a_list():
    """An export tool writes it, and what stands before it says which."""
    sample = sample_text(b'[\n{"response_id": "r", "request_created_at": "2026-11-09T00:00:00Z"},\n]\n')
    assert (sample.kind, sample.columns) == ("document", ("response_id", "request_created_at"))


@pytest.mark.parametrize("beginning", ["[{", "not json ", '{"a": "'])
def test_lines_are_seen_behind_one_that_is_longer_than_the_sample(tmp_path, beginning):
    """A line of megabytes that is broken must not hide the good ones behind it."""
    path = tmp_path / "long.jsonl"
    path.write_text(beginning + "x" * 3 * SAMPLE_BYTES + '\n{"b": 1}\n{"b": 2}\n')
    sample = take_sample(path)
    assert sample.kind == "lines"
    assert sample.rows[-2:] == ({"b": 1}, {"b": 2})


def test_a_line_that_the_sample_cuts_off_is_seen_as_far_as_it_goes(tmp_path):
    """The only good line may be a long one behind a short broken one."""
    path = tmp_path / "long.jsonl"
    path.write_text('nothing\n{"resourceSpans": [], "x": "' + "x" * SAMPLE_BYTES + '"}\n')
    assert take_sample(path).columns == ("resourceSpans", "x")


def test_a_table_by_column_is_seen_whole_however_long_its_columns_are(tmp_path):
    """The names of all columns tell its format, and the second stands behind all cells of the first."""
    names = ("question", "answer", "faithfulness")
    table = {name: {str(row): f"{name} {row}" for row in range(9_000)} for name in names}
    path = tmp_path / "table.json"
    path.write_text(json.dumps(table))
    assert take_sample(path).columns == names
    path.write_text(json.dumps(table) + "\n" + json.dumps({"a": 1}) + "\n")
    assert take_sample(path).kind == "lines"
