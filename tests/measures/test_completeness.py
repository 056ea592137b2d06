"""How complete a load is, in as many rows as there are checks."""

import polars as pl

from llmops_lib.measures.completeness import completeness_by_check
from llmops_lib.schema import COMPLETENESS, conform


def statement(*rows):
    """COMPLETENESS of rows of file, check, status, count and detail."""
    names = ("source_file", "check", "status", "count", "detail")
    return conform(pl.DataFrame(list(rows), schema=list(names), orient="row"), COMPLETENESS)


def test_the_worst_of_each_check_is_what_counts():
    """Nine whole pulls do not make up for the one that stopped."""
    found = completeness_by_check(
        statement(
            ("a", "announced_rows", "proved", 0, "whole"),
            ("b", "announced_rows", "broken", 20, "stopped"),
            ("c", "announced_rows", "broken", 3, "stopped too"),
        )
    )
    assert found.drop("meaning").rows() == [("announced_rows", "broken", 2, 23, "stopped")]


def test_broken_comes_before_suspect_and_that_before_the_rest():
    """A reader looks at the first rows."""
    found = completeness_by_check(
        statement(
            (None, "overlap", "proved", 0, None),
            (None, "page_cap", "unknown", 0, None),
            ("a", "cut_texts", "suspect", 5, None),
            ("a", "dropped_attributes", "broken", 1, None),
        )
    )
    assert found["status"].to_list() == ["broken", "suspect", "unknown", "proved"]


def test_a_load_without_checks_has_no_rows():
    """An empty table is measured too."""
    assert completeness_by_check(COMPLETENESS.empty()).is_empty()
