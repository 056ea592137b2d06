"""Texts that lost their end on the way."""

import numpy as np
import polars as pl
import pytest

from llmops_lib.evidence.cuts import MARKS, cut_texts, dropped_attributes

TEXTS = ("input", "output", "system_instructions", "tool_calls", "error_message", "attributes")


def spans(**columns):
    """Spans of one file with the given texts."""
    height = len(next(iter(columns.values())))
    every = {name: [None] * height for name in TEXTS} | columns
    schema = dict.fromkeys(every, pl.String)
    plain = {"source_format": pl.lit("otlp"), "source_file": pl.lit("a.jsonl")}
    table = pl.DataFrame(every, schema=schema)
    return table.with_columns(**{name: value for name, value in plain.items() if name not in columns})


def words(seed, longest):
    """Texts of varying length, none over the longest; the longer ones are cut there."""
    return [text[:longest] for text in texts_of("abcdef ", seed)]


def texts_of(letters, seed):
    """Sixty texts of 20 to 700 of these letters."""
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(letters), size)) for size in rng.integers(20, 700, 60)]


@pytest.mark.parametrize("mark", MARKS)
def test_marks_of_truncation_are_counted(mark):
    """The tool itself says that it cut."""
    found = cut_texts(spans(output=["whole", f"beginning {mark} end", None]))
    assert found.select("column", "text_count", "marked_count").rows() == [("output", 2, 1)]


def test_texts_that_pile_up_at_one_length_are_a_sign():
    """OTel's limit on the length of attributes leaves no mark."""
    texts = words(1, longest=400)
    (found,) = cut_texts(spans(input=texts)).iter_rows(named=True)
    assert (found["longest_chars"], found["at_longest_count"]) == (400, sum(len(t) == 400 for t in texts))


@pytest.mark.parametrize(
    "texts",
    [
        words(1, longest=1_000),
        ["x" * 500] * 50,
        [f"{number:032d}" * 4 for number in range(50)],
        [str(number) for number in range(500)],
    ],
    ids=["uncut", "one text again and again", "one length by design", "short"],
)
def test_texts_that_are_equally_long_for_other_reasons_are_none(texts):
    """A template makes texts of one length; a limit cuts texts of many lengths."""
    assert cut_texts(spans(input=texts)).is_empty()


def test_escapes_count_as_the_one_character_that_they_stand_for():
    """A cut list of messages is stored as a JSON string, in which quotes are escaped."""
    cut = [text[:300] for text in texts_of('ab"', seed=3)]
    stored = ['"' + text.replace('"', '\\"') + '"' for text in cut]
    assert cut_texts(spans(input=stored))["longest_chars"].to_list() == [300]


@pytest.mark.parametrize(
    ("source_format", "lengths", "expected"),
    [
        ("langfuse", [200] * 8 + [30, 60], 8),
        ("langfuse", [199, 200, 201] * 8, 0),
        ("langfuse", [200] * 4, 0),
        ("otlp", [200] * 8, 0),
    ],
)
def test_metadata_that_langfuse_cuts_to_200_characters_is_a_sign(source_format, lengths, expected):
    """Its API does so unless the whole is asked for by name; 200 by chance has neighbours."""
    attributes = [f'{{"metadata":{{"note":"{"n" * length}"}}}}' for length in lengths]
    table = spans(attributes=attributes, source_format=[source_format] * len(lengths))
    found = cut_texts(table)
    assert found["at_longest_count"].sum() == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('{"otel.dropped_attributes_count":3}', 1),
        ('{"otel.dropped_events_count":"12"}', 1),
        ('{"otel.dropped_attributes_count":0}', 0),
        ('{"note":"\\"otel.dropped_attributes_count\\":3"}', 0),
        (None, 0),
    ],
)
def test_what_an_sdk_dropped_is_counted(attributes, expected):
    """Zero is zero, and a text that speaks of it is no count."""
    found = dropped_attributes(spans(attributes=[attributes, "{}"]))
    assert found["dropped_count"].sum() == expected
