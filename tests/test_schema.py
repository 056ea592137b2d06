"""Frames are held to the declared tables."""

import polars as pl
import pytest

from llmops_lib.errors import SchemaError
from llmops_lib.schema import BILLS, PRICES, QUARANTINE, SCORES, SPANS, conform, validate

TABLES = [SPANS, SCORES, PRICES, BILLS, QUARANTINE]


def a_span(**values):
    """One row that SPANS accepts."""
    row = {
        "trace_id": "t1",
        "span_id": "s1",
        "operation": "chat",
        "is_model_call": True,
        "started_at": "2026-11-09T00:00:00Z",
        "is_error": False,
        "source_format": "otlp",
        "source_file": "export.jsonl",
    }
    return pl.DataFrame([row | values]).with_columns(
        pl.col("started_at").cast(pl.String).str.to_datetime(time_zone="UTC")
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_has_one_declaration_with_a_meaning(table):
    """A column is documented once; twice would drift."""
    assert len(set(table.names)) == len(table.names)
    assert all(column.meaning.endswith(".") for column in table.columns)
    assert set(table.key) <= set(table.names)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_number_columns_carry_their_unit(table):
    """The unit in the name and the declared unit are the same unit."""
    units = {"_tokens": "tokens", "_ms": "ms", "_usd": "USD"}
    for column in table.columns:
        for ending, unit in units.items():
            assert not column.name.endswith(ending) or column.unit == unit


def test_conform_adds_unknown_columns_as_null_and_orders_them():
    """A source that lacks a column does not know it; that is not zero."""
    spans = conform(a_span(), SPANS)
    assert spans.schema == SPANS.polars_schema
    assert spans["input_tokens"].to_list() == [None]


def test_conform_refuses_columns_that_are_not_declared():
    """Dropping them would lose data silently."""
    with pytest.raises(SchemaError, match=r"undeclared columns \['cost'\]"):
        conform(a_span(cost=1.0), SPANS)


def test_conform_refuses_values_that_do_not_fit():
    """Text in a number column is an error of the reader, not a null."""
    with pytest.raises(SchemaError, match="does not fit"):
        conform(a_span(input_tokens="many"), SPANS)


def test_validate_accepts_a_conforming_frame_unchanged():
    """Checking is not changing."""
    spans = conform(a_span(), SPANS)
    assert validate(spans, SPANS) is spans


def test_validate_names_columns_that_must_be_known():
    """A span without a start belongs to no period."""
    spans = conform(a_span(started_at=None), SPANS)
    with pytest.raises(SchemaError, match="started_at"):
        validate(spans, SPANS)


def test_validate_names_repeated_keys():
    """Twice the span is twice the money."""
    spans = conform(pl.concat([a_span(), a_span()]), SPANS)
    with pytest.raises(SchemaError, match="t1"):
        validate(spans, SPANS)


def test_validate_refuses_a_frame_of_another_shape():
    """A wrong dtype shows here and not in a sum."""
    with pytest.raises(SchemaError, match=r"call conform\(\) first"):
        validate(a_span(), SPANS)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_empty_table_keeps_its_columns(table):
    """No rows is an answer too."""
    assert validate(table.empty(), table).width == len(table.columns)
