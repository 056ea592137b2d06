"""Rows of a Phoenix dataframe as spans."""

import math

import pytest

from llmops_lib.sources.phoenix_table import span_of_row


def _attributes(**cells):
    return span_of_row({f"attributes.{name}": cell for name, cell in cells.items()})["attributes"]


def test_counts_that_pandas_made_floats_are_whole_again():
    """Where one span has no count, all the others become 11.0."""
    assert span_of_row({"attributes.llm.token_count.prompt": 11.0})["attributes"] == {
        "llm.token_count.prompt": 11
    }


def test_counts_in_csv_are_numbers_and_ids_stay_text():
    """A session `00123` and a count `11.0` look alike in a CSV."""
    row = {"attributes.llm.token_count.prompt": "11.0", "attributes.session.id": "00123"}
    assert span_of_row(row)["attributes"] == {"llm.token_count.prompt": 11, "session.id": "00123"}


def test_absent_values_are_left_out():
    """NaN is how pandas says that a span has no such attribute."""
    assert _attributes(a=math.nan, b=None, metadata={"tenant": None, "feature": "faq"}) == {
        "metadata.feature": "faq"
    }


@pytest.mark.parametrize("parent", [math.nan, None, "nan", "None"])
def test_a_parent_that_is_no_text_makes_a_root(parent):
    """A root with the parent `nan` would hang every trace under one span."""
    assert "parent_id" not in span_of_row({"context.span_id": "a", "parent_id": parent})


def test_python_notation_in_cells_is_read():
    """It is what to_csv writes for lists and dicts."""
    row = {"attributes.llm.input_messages": "[{'message.role': 'user', 'message.content': 'it\\'s \"ok\"'}]"}
    assert span_of_row(row)["attributes"] == {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": 'it\'s "ok"',
    }


def test_text_that_looks_like_notation_stays_text():
    """An application may well answer in Python."""
    row = {"attributes.output.value": "{'city': 'Rome'}", "attributes.llm.invocation_parameters": '{"n": 1}'}
    assert span_of_row(row)["attributes"] == {
        "output.value": "{'city': 'Rome'}",
        "llm.invocation_parameters": '{"n": 1}',
    }


@pytest.mark.parametrize(
    "cell",
    [
        "[{'a': __import__('os').system('true')}]",
        "{'a': nan}",
        "[" * 5_000,
        "{'a': " * 500,
        "[datetime.datetime(2026, 11, 1)]",
        "{'a': 1 +",
        "{['a']: 1}",
    ],
)
def test_notation_that_is_no_literal_stays_text(cell):
    """Cells are written by whoever calls the application; they are never run."""
    assert span_of_row({"attributes.metadata": cell})["attributes"] == {"metadata": cell}


def test_long_quoted_text_is_read_and_long_lists_of_numbers_are_not():
    """A megabyte of numbers would cost the parser half a gigabyte; a megabyte of prompt costs nothing."""
    prompt = "x" * (1 << 20)
    read = span_of_row({"attributes.metadata": f"{{'prompt': '{prompt}'}}"})["attributes"]
    assert read == {"metadata.prompt": prompt}
    numbers = "[" + "1," * (1 << 19) + "]"
    assert span_of_row({"attributes.metadata": numbers})["attributes"] == {"metadata": numbers}


@pytest.mark.parametrize("cell", ["'\\'" * 500_000, "'" + "\\'" * 500_000, "'" + "\\'" * 500_000 + "\\"])
def test_hostile_quotes_cost_no_more_time_than_others(cell):
    """Searched anew from every quote, a megabyte would take hours."""
    assert span_of_row({"attributes.metadata": "[" + cell})["attributes"] == {"metadata": "[" + cell}


def test_odd_escapes_are_read_without_a_word():
    """A warning of the parser would print what stands in the cell."""
    assert span_of_row({"attributes.metadata": r"{'path': 'a\d'}"})["attributes"] == {"metadata.path": r"a\d"}


def test_lists_of_text_and_numbers_stay_lists():
    """Tags and vectors are one value."""
    row = {"attributes.tag.tags": "['prod', 'faq']", "attributes.embedding.vector": [0.5, 1.0]}
    assert span_of_row(row)["attributes"] == {"tag.tags": ["prod", "faq"], "embedding.vector": [0.5, 1.0]}


@pytest.mark.parametrize("index", ["__index_level_0__", "Unnamed: 0", ""])
def test_the_index_of_the_dataframe_is_no_field(index):
    """It repeats the span id."""
    assert index not in span_of_row({index: "a", "context.span_id": "a"})
