"""Laws of plain tables: the columnar step and the rules of every format agree on every cell."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.table_cells import _checked_cell, _clean, _slow, typed_column
from llmops_lib.sources.table_mapping import ColumnRule
from llmops_lib.sources.table_text import json_objects, json_strings, json_texts, merged_objects

COLUMNS = [
    "trace_id",
    "started_at",
    "latency_ms",
    "input_tokens",
    "http_status",
    "reported_cost_usd",
    "is_error",
    "operation",
    "model",
    "error_message",
    "input",
]
ZONES = [None, "UTC", "Europe/Berlin", "America/New_York"]

digits = st.from_regex(r"[+-]?[0-9]{1,20}(\.[0-9]{0,9})?", fullmatch=True)
times = st.from_regex(
    r"20(14|15|24|25)-(0[1-9]|1[0-3])-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]"
    r"([.,][0-9]{1,9})?(Z| UTC|[+-][01][0-9]:?[0-5][0-9])?",
    fullmatch=True,
)
words = st.sampled_from(
    [
        "true",
        "False",
        "YES",
        "0",
        "1.0",
        "chat",
        " Chat ",
        "nan",
        "NULL",
        "inf",
        "-0",
        "1e3",
        "200",
        "599.0",
        "0" * 32,
    ]
)
cells = st.one_of(digits, times, words, st.text(max_size=20), st.text("0", min_size=1, max_size=40))


@pytest.mark.parametrize("name", COLUMNS)
@given(text=st.lists(cells.filter(bool), min_size=1, max_size=8), zone=st.sampled_from(ZONES), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_cell_that_the_columnar_step_types_has_the_value_that_the_rules_give(name, text, zone, data):
    """The columnar step may leave a cell to the rules, and never decide one differently."""
    unit = (
        data.draw(st.sampled_from(["s", "ms", "us", "ns"])) if name in ("started_at", "latency_ms") else None
    )
    rule = ColumnRule("x", data.draw(st.sampled_from([None, unit])))
    values = _clean(name, pl.Series("x", text), rule, zone)
    for cell, value in zip(text, values, strict=True):
        if value is not None:
            assert value == _checked_cell(name, _slow(name, cell, rule, zone)), cell


@given(text=st.lists(times, min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_ordinary_times_do_not_need_the_slow_way(text):
    """If the columnar step left everything over, the law above would hold and loading would crawl."""
    zoned = pl.Series("x", ["2025-03-02T10:00:00Z", "2025-03-02 10:00:00.123456+01:00", "1772445600"])
    assert _clean("started_at", zoned, ColumnRule("x"), None).null_count() == 0
    values, refusals = typed_column("started_at", pl.Series("x", text), ColumnRule("x"), "UTC")
    assert all((value is None) == (position in refusals) for position, value in enumerate(values))


def test_a_naive_time_is_a_matter_of_the_whole_table():
    """No single row can be blamed for a zone that nobody stated."""
    with pytest.raises(Refused, match="naive_time"):
        typed_column("started_at", pl.Series("x", ["2025-03-02 10:00:00"]), ColumnRule("x"), None)


@given(text=st.lists(st.text() | st.none(), max_size=8))
@settings(max_examples=100, deadline=None)
def test_text_comes_back_from_the_json_it_was_written_as(text):
    """Prompts hold every character there is."""
    column = pl.Series("x", text, dtype=pl.String)
    written = json_strings(column)
    assert [None if cell is None else json.loads(cell) for cell in written] == text
    assert all(json.loads(cell) is not None for cell in json_texts(column) if cell is not None)


@given(
    rows=st.lists(st.dictionaries(st.sampled_from(['a"', "b", "", "é"]), st.text()), min_size=1, max_size=6)
)
@settings(max_examples=100, deadline=None)
def test_every_row_is_written_as_an_object_of_its_cells(rows):
    """`attributes` holds what no column holds, and must always parse."""
    names = ['a"', "b", "", "é"]
    table = pl.DataFrame(
        {name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in names}
    )
    for row, written in zip(rows, json_objects(table), strict=True):
        read = json.loads(written)
        assert read.keys() == row.keys()
        texts = {name: value for name, value in read.items() if isinstance(value, str)}
        assert texts == {name: row[name] for name in texts}


@given(
    stated=st.lists(
        st.none() | st.text(max_size=5) | st.dictionaries(st.text(max_size=2), st.integers()).map(json.dumps),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=100, deadline=None)
def test_stated_attributes_and_unmapped_columns_make_one_object(stated):
    """A canonical table with extra columns has both."""
    column = pl.Series("x", stated, dtype=pl.String)
    merged = merged_objects(column, pl.Series(['{"rest":1}'] * len(stated)))
    assert all(json.loads(text)["rest"] == 1 for text in merged)
