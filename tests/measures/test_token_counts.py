"""Whether token counts can be what they say."""

import pytest

from llmops_lib.frames import collected
from llmops_lib.measures.token_counts import impossible_usage, token_conventions


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


def test_findings_are_per_source_and_provider(engine, calls):
    """One instrumentation may convert its counts while another passes them through."""
    table = calls(
        source_format=["otlp", "otlp", "table", "table", "table"],
        provider=["anthropic", "anthropic", "openai", "mistral_ai", "deepseek"],
        input_tokens=[9, 5000, 100, 50, 30],
        output_tokens=[4, 4, 10, 5, 3],
        cache_read_tokens=[1905, 1905, 80, None, 0],
        reasoning_tokens=[None, None, None, None, 7],
    )
    findings = collected(token_conventions(engine(table)))
    assert findings.drop("source_format").rows() == [
        ("anthropic", 2, 2, 1, 0, "cache tokens exceed input_tokens, which must contain them"),
        ("deepseek", 1, 0, 0, 1, "reasoning_tokens exceed output_tokens, which must contain them"),
        ("mistral_ai", 1, 0, 0, 0, "no call used a cache: nothing to tell the convention by"),
        ("openai", 1, 1, 0, 0, "cache tokens fit inside input_tokens on every call"),
    ]
