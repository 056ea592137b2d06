"""UTF-16 and UTF-32 with a byte order mark, as streams of UTF-8: nothing changes, and damage shows."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_lib.sources import encodings
from llmops_lib.sources.encodings import in_utf8
from llmops_lib.sources.lines import iter_lines
from llmops_lib.sources.load import read_exports
from tests.sources.miniatures import table

ENCODINGS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-32-le": b"\xff\xfe\0\0"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def read(content):
    """All bytes of a stream over the content."""
    return in_utf8(io.BufferedReader(io.BytesIO(content))).read()


@given(text=TEXT, encoding=st.sampled_from(list(ENCODINGS)))
def test_marked_text_comes_as_utf8(text, encoding):
    """Whatever an export says after its first character, which is one of JSON or of a name."""
    assert read(ENCODINGS[encoding] + ("{" + text).encode(encoding)).decode() == "{" + text


@given(text=TEXT)
def test_other_bytes_come_as_they_are(text):
    """UTF-8 with and without its own mark."""
    assert read(text.encode()) == text.encode()
    assert read(b"\xef\xbb\xbf" + text.encode()) == b"\xef\xbb\xbf" + text.encode()


@given(text=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=4))
@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_a_damaged_line_of_utf8_is_not_taken_for_utf16(mark, text):
    """Two bytes of damage must not turn the whole file into other characters."""
    assert read(mark + text.encode()) == mark + text.encode()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_one_line_of_utf16_does_not_take_the_others_with_it(tmp_path, encoding):
    """Logs of several writers are put together; only what is at the top decides nothing."""
    path = tmp_path / "export.jsonl"
    path.write_bytes(json.dumps(["x"]).encode(encoding) + b"\n" + json.dumps(table(1)).encode())
    load = read_exports(path)
    assert (load.spans.height, load.quarantine["source_line"].to_list()) == (1, [1])


def test_a_character_cut_by_a_chunk_is_whole(monkeypatch):
    """Reading goes on in chunks of odd sizes."""
    monkeypatch.setattr(encodings, "_CHUNK_BYTES", 7)
    text = "{\N{PILE OF POO}" * 100
    assert read(text.encode("utf-16")).decode() == text


@pytest.mark.parametrize("damage", [b"\x00\xd8", b"\x00\xdc\x00\xdc"])
def test_only_the_damaged_line_is_refused(tmp_path, damage):
    """Half a surrogate pair stands for nothing; its line is in the quarantine, the others are rows."""
    first, second, third = (json.dumps(table(number)) for number in (1, 2, 3))
    broken = second.encode("utf-16-le").replace("hi".encode("utf-16-le"), damage)
    path = tmp_path / "export.jsonl"
    lines = [first.encode("utf-16-le"), broken, third.encode("utf-16-le")]
    path.write_bytes(b"\xff\xfe" + "\n".encode("utf-16-le").join(lines))
    load = read_exports(path)
    assert load.spans["source_line"].sort().to_list() == [1, 3]
    assert load.quarantine["source_line"].to_list() == [2]
    assert load.quarantine["reason"].item().startswith("encoding")


def test_a_last_byte_without_its_other_half_is_a_line_of_its_own(tmp_path):
    """A copy that breaks off between two bytes has lost something, which must be told."""
    path = tmp_path / "export.jsonl"
    path.write_bytes((json.dumps(table(1)) + "\n").encode("utf-16") + b"{")
    assert [line.raw for line in iter_lines(path)][1:] == [b"\xff"]
    load = read_exports(path)
    assert (load.spans.height, load.quarantine.height) == (1, 1)
