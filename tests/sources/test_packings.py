"""Every format in every packing that tools and people give it: recognised without help, and read alike."""

import bz2
import csv
import gzip
import io
import json
import lzma
import sys
from datetime import UTC, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from llmops_lib.sources.detect import detect_reader
from llmops_lib.sources.load import read_exports
from tests.sources.miniatures import TRACES

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

IDENTITIES = {
    "otlp": ("0" * 31 + "1", "0" * 15 + "1", None),
    "console": ("0" * 31 + "1", "0" * 15 + "1", None),
    "phoenix": ("0" * 31 + "1", "0" * 15 + "1", None),
    "phoenix_row": ("0" * 31 + "1", "0" * 15 + "1", None),
    "phoenix_otlp": ("0" * 31 + "1", "0" * 15 + "1", None),
    "langfuse": ("t-1", "o-1", 0.25),
    "langfuse_blob": ("t-1", "o-1", 0.25),
    "langsmith": ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000001", 0.25),
    "langsmith_operation": ("00000000-0000-4000-8000-000000000001",) * 2 + (None,),
    "litellm": ("s-1", "chatcmpl-1", 0.25),
    "litellm_payload": ("s-1", "chatcmpl-1", 0.25),
    "helicone": ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000001", 0.25),
    "mlflow": ("tr-" + "0" * 31 + "1", "d34d34d34d34d350", 0.25),
    "mlflow_2": ("tr-" + "0" * 31 + "1", "0" * 15 + "1", 0.25),
    "opik": ("t-1", "s-1", 0.25),
    "braintrust": ("t-1", "s-1", None),
    "weave": ("t-1", "c-1", None),
    "table": ("t-1", "s-1", None),
}
"""Trace, span and reported cost of the first record of each format."""

NO_TABLES = ("otlp", "console", "phoenix", "phoenix_otlp", "mlflow", "mlflow_2")
PROVENANCE = ("source_file", "source_line")


def records(name):
    """Three records of a format."""
    return [TRACES[name][1](number) for number in (1, 2, 3)]


def lines(name):
    """Them as JSON Lines."""
    return "\n".join(map(json.dumps, records(name)))


def read(path, name):
    """The rows of a file; it must be of the format, and nothing of it refused."""
    reader = detect_reader(path)
    assert reader.source_format == TRACES[name][0]
    rows = reader.read(path)
    assert rows.quarantine.is_empty(), rows.quarantine["reason"].to_list()
    return rows.spans.drop(PROVENANCE)


@pytest.mark.parametrize("name", TRACES)
def test_a_call_has_the_figures_of_its_record(tmp_path, name):
    """Written out by hand: one call of 2.5 seconds, 120 tokens in with 20 from a cache, 30 out."""
    path = tmp_path / "export"
    path.write_text(lines(name))
    load = read_exports(path)
    call = load.spans.sort("span_id").row(0, named=True)
    assert load.quarantine.is_empty()
    assert load.files[0].source_format == TRACES[name][0]
    assert (call["trace_id"], call["span_id"], call["reported_cost_usd"]) == IDENTITIES[name]
    assert (call["parent_span_id"], call["is_model_call"], call["is_error"]) == (None, True, False)
    assert call["started_at"] == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert call["latency_ms"] == 2500
    assert (call["input_tokens"], call["output_tokens"], call["cache_read_tokens"]) == (120, 30, 20)
    assert call["model"].startswith("gpt-4o")
    assert "hi" in json.dumps(json.loads(call["input"]))


def unescaped(name):
    """Them with every character as it is."""
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in records(name))


PACKINGS = {
    "byte order mark": lambda name: b"\xef\xbb\xbf" + lines(name).encode(),
    "carriage returns": lambda name: lines(name).replace("\n", "\r\n").encode() + b"\r\n",
    "UTF-16": lambda name: unescaped(name).encode("utf-16"),
    "UTF-16 of the other order": lambda name: b"\xfe\xff" + unescaped(name).encode("utf-16-be"),
    "UTF-32": lambda name: unescaped(name).encode("utf-32"),
    "UTF-16 in gzip": lambda name: gzip.compress(unescaped(name).encode("utf-16")),
    "blank lines": lambda name: b"\n" + lines(name).replace("\n", "\n\n \n").encode() + b"\n\n",
    "gzip": lambda name: gzip.compress(lines(name).encode()),
    "zstd": lambda name: zstd.compress(lines(name).encode()),
    "bzip2": lambda name: bz2.compress(lines(name).encode()),
    "xz": lambda name: lzma.compress(lines(name).encode()),
    "list": lambda name: json.dumps(records(name)).encode(),
    "list with a mark": lambda name: b"\xef\xbb\xbf" + json.dumps(records(name), indent=2).encode(),
    "list over lines": lambda name: b"[\r\n" + lines(name).replace("\n", ",\r\n").encode() + b"\r\n]",
    "objects over lines": lambda name: "\n".join(json.dumps(one, indent=2) for one in records(name)).encode(),
}


@pytest.mark.parametrize("name", TRACES)
def test_no_packing_changes_a_row(tmp_path, name):
    """Editors, shells and spreadsheets repack what they are given."""
    path = tmp_path / "export"
    path.write_text(lines(name))
    plain = read(path, name)
    for packing, pack in PACKINGS.items():
        path.write_bytes(pack(name))
        assert_frame_equal(read(path, name), plain), packing


def _cell(value):
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, dict | list | bool) else str(value)


def _csv(name, separator, line_end):
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator, lineterminator=line_end)
    writer.writerow(records(name)[0])
    writer.writerows(map(_cell, record.values()) for record in records(name))
    return stream.getvalue()


def _by_column(name):
    """What `DataFrame.to_json()` writes unless it is told otherwise."""
    names = records(name)[0]
    return json.dumps(
        {key: {str(row): one.get(key) for row, one in enumerate(records(name))} for key in names}
    )


@pytest.mark.parametrize("name", [name for name in TRACES if name not in NO_TABLES])
def test_a_table_of_the_same_records_gives_the_same_calls(tmp_path, name):
    """CSV of every dialect, and Parquet with JSON in its cells or with structs."""
    path = tmp_path / "export"
    path.write_text(lines(name))
    plain = read(path, name)
    columns = [column for column in plain.columns if column not in ("attributes", "input", "output")]
    for content in (
        _csv(name, ",", "\n").encode(),
        _csv(name, ";", "\r\n").encode("utf-8-sig"),
        _csv(name, "\t", "\n").encode(),
        _csv(name, "\t", "\r\n").encode("utf-16"),
        _by_column(name).encode(),
    ):
        path.write_bytes(content)
        assert_frame_equal(read(path, name).select(columns), plain.select(columns))
    texts = [{key: _cell(value) or None for key, value in record.items()} for record in records(name)]
    pl.DataFrame(texts, infer_schema_length=None).write_parquet(path)
    assert_frame_equal(read(path, name).select(columns), plain.select(columns))
    structs = [{key: value for key, value in record.items() if value != {}} for record in records(name)]
    pl.DataFrame(structs, infer_schema_length=None, strict=False).write_parquet(path)
    assert_frame_equal(read(path, name).select(columns), plain.select(columns))


def test_a_folder_of_all_formats_gives_every_call_once(tmp_path):
    """An exports folder holds what people put there: other tools' files, notes and pictures too."""
    for name in TRACES:
        (tmp_path / f"{name}.bin").write_text(json.dumps(TRACES[name][1](100 + list(TRACES).index(name))))
    (tmp_path / "README.md").write_text("# Exports\n\nPulled by hand.\n")
    (tmp_path / "chart.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1")
    load = read_exports(tmp_path)
    assert load.spans.height == len(TRACES)
    assert sorted(load.quarantine["source_file"].str.split("/").list.last()) == ["README.md", "chart.png"]
    assert load.spans["input_tokens"].sum() == 120 * len(TRACES)
