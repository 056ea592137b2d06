"""Lines parsed in batches, held to the same lines parsed one by one."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops_lib.sources import clean_lines, line_blocks, lines
from llmops_lib.sources.clean_lines import iter_batches
from llmops_lib.sources.line_blocks import iter_blocks
from llmops_lib.sources.lines import iter_lines, parse_json
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector

PIECES = (
    b'{"a":1}',
    b'{"a":1,"a":1}',
    b'{"a":":"}',
    b'{"a":"\\u003a"}',
    b'{"a":"\\u003A","a":2}',
    b'{"a":"\\ud800"}',
    b'{"a":[1',
    b"2]}",
    b'{"a":1},{"b":2}',
    b"[" * 200 + b"]" * 200,
    b"[" * 201 + b"]" * 201,
    b"[" * 202 + b"]" * 202,
    b"NaN",
    b"1e999",
    b"",
    b"  ",
    b"\r",
    b'{"a":1}\r',
    b"\xff",
    b"\xef\xbb\xbf{}",
    b'"' + b"x" * 700 + b'"',
    b'"' + b"x" * 997 + b'"',
    b'"' + b"x" * 998 + b'"',
    b'"' + b"x" * 999 + b'"',
    b'"' + b"x" * 1_500 + b'"',
)


@pytest.fixture
def small_limits(monkeypatch):
    """Lines of 1,000 bytes, blocks of 200 and batches of 64, so that a short file has every boundary."""
    monkeypatch.setattr(line_blocks, "LINE_LIMIT", 1_000)
    monkeypatch.setattr(line_blocks, "_BLOCK_BYTES", 200)
    monkeypatch.setattr(lines, "LINE_LIMIT", 1_000)
    monkeypatch.setattr(clean_lines, "_BATCH_BYTES", 64)


def _one_by_one(path):
    read, refused = [], []
    for line in iter_lines(path):
        if line.is_too_long:
            refused.append((line.number, line.offset, "line_too_long"))
            continue
        try:
            read.append((line.number, line.offset, repr(parse_json(line.raw))))
        except Refused as reason:
            refused.append((line.number, line.offset, str(reason)))
    return read, refused


def _in_batches(path):
    collector = RowCollector("langfuse", str(path))

    def refuse_too_long(line):
        collector.refuse("line_too_long", line=line.number, offset=line.offset)

    read = [
        (number, offset, repr(value))
        for block in iter_blocks(path, refuse_too_long)
        for batch in iter_batches(map(block.line, range(len(block))), collector)
        for value, number, offset, _ in zip(*batch.columns(), strict=False)
    ]
    refused = collector.finish().quarantine.select("source_line", "byte_offset", "reason").rows()
    return read, refused


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30), ends=st.booleans())
@pytest.mark.usefixtures("small_limits")
def test_a_batch_is_judged_as_strictly_as_its_lines(tmp_path_factory, pieces, ends):
    """What parses together must not hide what one of the lines would be refused for."""
    path = tmp_path_factory.mktemp("lines") / "export.jsonl"
    path.write_bytes(b"\n".join(pieces) + (b"\n" if ends else b""))
    assert _in_batches(path) == _one_by_one(path)
