"""Whether token counts can be what they say."""

import pytest

from llmops_lib.frames import collected
from llmops_lib.measures.token_counts import impossible_usage


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ({"input_tokens": 9, "cache_read_tokens": 1905}, "cache tokens exceed input_tokens"),
        (
            {"input_tokens": 100, "cache_read_tokens": 60, "cache_write_tokens": 41},
            "cache tokens exceed input_tokens",
        ),
        ({"output_tokens": 4, "reasoning_tokens": 5}, "reasoning_tokens exceed output_tokens"),
        ({"input_tokens": -1}, "a token count is negative"),
    ],
)
def test_counts_that_cannot_be_are_named(engine, calls, counts, problem):
    """The row is shown as it is; a repaired count would be a guess."""
    table = calls(**{name: [value] for name, value in counts.items()})
    rows = collected(impossible_usage(engine(table)))
    assert rows["problem"].str.starts_with(problem).to_list() == [True]
    assert rows.select(list(counts)).row(0) == tuple(counts.values())


@pytest.mark.parametrize(
    "counts",
    [
        {"input_tokens": 100, "cache_read_tokens": 60, "cache_write_tokens": 40},
        {"output_tokens": 5, "reasoning_tokens": 5},
        {"input_tokens": None, "cache_read_tokens": 5},
        {"input_tokens": 0, "output_tokens": 0},
        {"input_tokens": None},
    ],
)
def test_counts_that_can_be_are_not_flagged(engine, calls, counts):
    """An unknown count contradicts nothing."""
    table = calls(**{name: [value] for name, value in counts.items()})
    assert collected(impossible_usage(engine(table))).is_empty()


def test_rows_say_where_they_were_read(engine, calls):
    """A contradiction is looked up in its file."""
    table = calls(input_tokens=[1], cache_read_tokens=[2], source_line=[17])
    row = collected(impossible_usage(engine(table))).row(0, named=True)
    assert (row["source_file"], row["source_line"]) == ("traces.csv", 17)
