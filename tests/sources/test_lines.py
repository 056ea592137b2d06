import gzip
import json
import sys
from base64 import b64decode

import pytest

from llmops_lib.errors import SourceError, SourceNotFoundError
from llmops_lib.sources import lines
from llmops_lib.sources.lines import iter_lines, open_decompressed, parse_json, read_json_document
from llmops_lib.sources.refusals import Refused

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def _file(tmp_path, content, name="export.jsonl"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def _read_in_pieces(stream):
    while stream.read(1 << 20):
        pass


def _verdict(raw):
    try:
        parse_json(raw)
    except Refused as refused:
        return refused.reason
    return "accept"


def _reason(raw):
    with pytest.raises(Refused) as refusal:
        parse_json(raw)
    return refusal.value.reason


def test_lines_end_at_newlines_only(tmp_path):
    """U+2028, U+0085 and form feeds stand inside JSON strings; splitting there tears records apart."""
    path = _file(tmp_path, '{"a": "x\u2028y\x85z\x0c"}\n{"b": 1}\n'.encode())
    assert [line.number for line in iter_lines(path)] == [1, 2]


def test_a_byte_order_mark_and_blank_lines_are_dropped_but_counted(tmp_path):
    """Line numbers must be those that an editor shows."""
    path = _file(tmp_path, b"\xef\xbb\xbf{}\r\n\n  \n[1]")
    found = [(line.number, line.offset, line.raw) for line in iter_lines(path)]
    assert found == [(1, 0, b"{}"), (4, 11, b"[1]")]


def test_a_line_that_is_too_long_is_passed_over(tmp_path, monkeypatch):
    """One endless line must not end up in memory, nor hide the lines after it."""
    monkeypatch.setattr(lines, "LINE_LIMIT", 100)
    path = _file(tmp_path, b'{"a": 1}\n' + b"x" * 5_000_000 + b'\n{"b": 2}\n')
    found = [(line.number, line.offset, line.raw, line.is_too_long) for line in iter_lines(path)]
    assert found == [(1, 0, b'{"a": 1}', False), (2, 9, b"", True), (3, 5_000_010, b'{"b": 2}', False)]


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress, bytes], ids=["gzip", "zstd", "plain"])
def test_compression_is_recognised_by_content(tmp_path, pack):
    """Exports are renamed often, so the name says nothing."""
    path = _file(tmp_path, pack(b'{"a": 1}\n{"b": 2}\n'), name="export.json")
    assert [line.raw for line in iter_lines(path)] == [b'{"a": 1}', b'{"b": 2}']


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_a_decompression_bomb_is_refused_early(tmp_path, pack):
    """A few hundred kilobytes must not become gigabytes."""
    path = _file(tmp_path, pack(b"0" * (300 << 20)))
    with open_decompressed(path) as stream, pytest.raises(SourceError, match="unpacked to over"):
        _read_in_pieces(stream)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_a_cut_off_archive_is_an_error_that_names_the_file(tmp_path, pack):
    """A report over half an export must not look like a report over all of it."""
    packed = pack(json.dumps([f"{number:x}" for number in range(20_000)]).encode())
    path = _file(tmp_path, packed[: len(packed) // 2])
    with pytest.raises(SourceError, match=r"export\.jsonl: the compressed data break off"):
        list(iter_lines(path))


def test_a_missing_file_has_its_own_error(tmp_path):
    """A typing mistake in a path is the commonest error of all."""
    with pytest.raises(SourceNotFoundError, match="there is no such file"):
        open_decompressed(tmp_path / "absent.jsonl")


def test_a_repeated_key_is_found_at_any_depth():
    """Parsers silently take the last value, so two readers of one line would disagree."""
    assert _reason(b'{"a": {"b": 1, "c": [{"b": 2, "b": 3}]}}') == "duplicate_key"


def test_a_repeated_key_cannot_hide_behind_an_escaped_colon():
    """The check counts colons; an escaped colon must not pay for the one that a repeated key lost."""
    assert _reason(b'{"a": 1, "a": "x\\u003ay"}') == "duplicate_key"


def test_an_escaped_colon_alone_is_no_repeated_key():
    """Escapes of ordinary characters are legal JSON."""
    assert parse_json(b'{"a": "x\\u003Ay:z"}') == {"a": "x:y:z"}


def test_colons_and_quotes_in_strings_are_no_keys():
    """Messages hold JSON in JSON."""
    raw = json.dumps({"a": '{"a":1,"a":2}', "b": 'x\\":y', "c:": ":"}).encode()
    assert parse_json(raw) == json.loads(raw)


def test_depth_is_limited_to_200_levels_inside_a_row():
    """Deep nesting exhausts the stack of whatever reads the row later."""
    assert parse_json(b'{"a":' + b"[" * 200 + b"]" * 200 + b"}")
    assert _reason(b'{"a":' + b"[" * 201 + b"]" * 201 + b"}") == "depth"
    assert _reason(b"[" * 100_000 + b"]" * 100_000) == "depth"


def test_a_lone_surrogate_is_replaced():
    """No UTF-8 file can hold one, so it would break every later step."""
    assert parse_json(b'{"a": "x\\ud800y", "b": "\\ud83d\\ude00"}') == {"a": "x\ufffdy", "b": "\U0001f600"}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"a": NaN}', "nonfinite"),
        (b'{"a": 1e999}', "nonfinite"),
        (b'{"a": "\xff"}', "encoding"),
        (b'\xff\xfe{\x00"\x00', "encoding"),
        (b"\x80\x04\x95", "json"),
        (b"9" * 5_000, "json"),
        (b'{"a": 1}{"b": 2}', "json"),
        (b'{"a": 1,}', "json"),
        (b"", "json"),
    ],
)
def test_every_refusal_has_its_reason(raw, reason):
    """The quarantine is only useful if it says what is wrong."""
    assert _reason(raw) == reason


def test_public_parsing_cases_are_judged_as_the_suite_says(shared):
    """An independent suite of JSON texts; only repeated keys are refused on purpose where it accepts them."""
    for case in map(json.loads, (shared / "corpora" / "json_parsing.jsonl").read_text().splitlines()):
        raw = b64decode(case["b64"]) if "b64" in case else (case["repeat"][0] * case["repeat"][1]).encode()
        verdict = _verdict(raw)
        expected = {"accept": ("accept", "duplicate_key"), "either": (verdict,)}.get(case["expect"])
        assert verdict in expected if expected else verdict != "accept", case["name"]


def test_a_document_is_one_value_however_many_lines_it_takes(tmp_path):
    """Exports of one trace are pretty-printed."""
    path = _file(tmp_path, b'\xef\xbb\xbf{\n  "a": [\n    1\n  ]\n}\n')
    assert read_json_document(path) == {"a": [1]}


def test_a_broken_document_is_an_error_with_its_reason(tmp_path):
    """A file that is one value cannot be read in part."""
    with pytest.raises(SourceError, match="is not one valid JSON value"):
        read_json_document(_file(tmp_path, b'{"a": [1'))


def test_a_document_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    """A whole value must fit in memory several times over."""
    monkeypatch.setattr(lines, "DOCUMENT_LIMIT", 10)
    with pytest.raises(SourceError, match="JSON Lines instead"):
        read_json_document(_file(tmp_path, b'{"a": 1234567890}'))


def test_a_byte_order_mark_amid_a_file_is_dropped_before_an_object_only(tmp_path):
    """Files with marks are put together by `cat`; a mark alone is a line that holds nothing valid."""
    path = tmp_path / "two.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\xef\xbb\xbf{"a": 2}\n\xef\xbb\xbf\n')
    assert [line.raw for line in iter_lines(path)] == [b'{"a": 1}', b'{"a": 2}', b"\xef\xbb\xbf"]
