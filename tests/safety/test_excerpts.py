"""What a report shows of a trace is short, masked and still tells things apart."""

import json

import polars as pl
import pytest

from llmops_lib.safety import masked, with_excerpts

OTEL_MESSAGES = json.dumps(
    [
        {"role": "user", "parts": [{"type": "text", "content": "where is my order?"}]},
        {"role": "user", "parts": [{"type": "text", "content": "write to ann@example.com"}]},
    ]
)


@pytest.mark.parametrize(
    ("content", "excerpt"),
    [
        (OTEL_MESSAGES, "write to <EMAIL_1>"),
        ('[{"role": "user", "content": "plain content"}]', "plain content"),
        (
            '[{"role": "user", "content": [{"type": "text", "text": "part one"}, "part two"]}]',
            "part one part two",
        ),
        ('"a JSON string"', "a JSON string"),
        ("not JSON {", "not JSON {"),
        ('{"city": "Paris"}', '{"city":"Paris"}'),
        ("[1, 2]", "1 2"),
        ("[]", ""),
        (None, None),
    ],
)
def test_the_last_message_is_shown_whatever_its_shape(content, excerpt):
    """Each instrumentation writes messages its own way."""
    table = pl.DataFrame({"trace_id": ["t1"], "input": [content]}, schema_overrides={"input": pl.String})
    assert with_excerpts(table)["input_excerpt"].to_list() == [excerpt]


def test_raw_texts_are_gone_from_a_table_with_excerpts():
    """What is not in the table cannot leak from it."""
    table = pl.DataFrame(
        {"trace_id": ["t1"], "input": ["a"], "output": ["b"], "error_message": ["key sk-" + "a1B2" * 12]}
    )
    assert with_excerpts(table).columns == ["trace_id", "input_excerpt", "output_excerpt", "error_excerpt"]
    assert "a1B2" not in with_excerpts(table)["error_excerpt"][0]


def test_trace_ids_stay_as_they_are():
    """A reader must find the trace again; hex digits can look like a phone number."""
    table = pl.DataFrame({"trace_id": ["00491715550101234567890123456789"], "span_id": ["4111111111111111"]})
    assert masked(table).equals(table)


def test_two_names_that_mask_alike_stay_two():
    """Merging two users in the eye of the reader would misplace spend."""
    table = pl.DataFrame(
        {"user_id": ["ann@example.com", "bob@example.com", "ann@example.com", None, "carol"]}
    )
    ann, bob, again, unknown, carol = masked(table)["user_id"]
    assert ann == again != bob
    assert ann.startswith("<EMAIL_1> (")
    assert (unknown, carol) == (None, "carol")


def test_a_masked_name_is_the_same_in_every_table():
    """The user in the chart is the user in the table beside it."""
    one = masked(pl.DataFrame({"user_id": ["ann@example.com", "bob@example.com"]}))["user_id"][1]
    other = masked(pl.DataFrame({"value": ["bob@example.com"]}))["value"][0]
    assert one == other


def test_an_empty_table_keeps_its_columns():
    """No failed call is an answer too."""
    table = pl.DataFrame(schema={"trace_id": pl.String, "user_id": pl.String, "input": pl.String})
    assert with_excerpts(table).columns == ["trace_id", "user_id", "input_excerpt"]


def test_a_value_has_one_placeholder_in_all_excerpts_of_a_trace():
    """Question and answer speak of the same two people; another trace counts anew."""
    calls = pl.DataFrame(
        {
            "trace_id": ["a", "a", "b"],
            "input": ["ann@example.com asks", "bob@example.com asks", "bob@example.com asks"],
            "output": ["told bob@example.com", "told ann@example.com", "told bob@example.com"],
        }
    )
    shown = with_excerpts(calls)
    assert shown["input_excerpt"].to_list() == ["<EMAIL_1> asks", "<EMAIL_2> asks", "<EMAIL_1> asks"]
    assert shown["output_excerpt"].to_list() == ["told <EMAIL_2>", "told <EMAIL_1>", "told <EMAIL_1>"]


@pytest.mark.parametrize("engine", [pl.DataFrame.to_pandas, pl.DataFrame.lazy])
def test_excerpts_are_made_of_tables_of_other_engines(engine):
    """A data scientist has pandas, and a text that is missing there is a number to Python."""
    calls = pl.DataFrame({"trace_id": ["a", "b"], "input": ["Hi ann@example.com", None]})
    assert with_excerpts(engine(calls)).equals(with_excerpts(calls))
