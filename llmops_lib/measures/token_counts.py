"""Whether token counts can be what they say: the largest source of wrong money.

`input_tokens` must contain cache reads and writes, `output_tokens` must contain reasoning. Some
providers count cache tokens beside the input, and an export or reader that takes such a number
as it is under-states the input and mis-prices the call.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

import narwhals as nw

from llmops_lib.calls import model_calls, ordered, portable, tally
from llmops_lib.frames import by_columns, narwhal

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")

_NEGATIVE = "a token count is negative"
_CACHE_OVER_INPUT = "cache tokens exceed input_tokens, which must contain them"
_REASONING_OVER_OUTPUT = "reasoning_tokens exceed output_tokens, which must contain them"
_NO_CACHE = "no call used a cache: nothing to tell the convention by"
_CONSISTENT = "cache tokens fit inside input_tokens on every call"


@portable
def impossible_usage(calls: Any) -> Any:
    """Calls whose token counts contradict each other; they are shown as they are, never repaired.

    Args:
        calls: SPANS; uses the five token columns, `trace_id`, `span_id`.

    Returns:
        One row per such call, sorted by trace and span: `problem` (text, the first that applies),
        `trace_id`, `span_id`, the token columns, and of `provider`, `model`, `source_format`,
        `source_file` and `source_line` those that the table has.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "trace_id": ["t1", "t2"], "span_id": ["a", "b"], "is_model_call": [True, True],
        ...     "input_tokens": [100, 9], "output_tokens": [10, 4], "cache_read_tokens": [80, 1905],
        ...     "cache_write_tokens": [0, 0], "reasoning_tokens": [0, 0],
        ... })
        >>> impossible_usage(calls).select("trace_id", "problem").rows()
        [('t2', 'cache tokens exceed input_tokens, which must contain them')]
    """
    present = narwhal(calls).collect_schema().names()
    more = ("provider", "model", "source_format", "source_file", "source_line")
    columns = ["trace_id", "span_id", *_TOKENS, *(name for name in more if name in present)]
    is_negative = reduce(or_, (_is_known_to_be(nw.col(name) < 0) for name in _TOKENS))
    problem = (
        nw.when(is_negative)
        .then(nw.lit(_NEGATIVE))
        .when(_cache_exceeds_input())
        .then(nw.lit(_CACHE_OVER_INPUT))
        .when(_reasoning_exceeds_output())
        .then(nw.lit(_REASONING_OVER_OUTPUT))
    )
    judged = model_calls(calls, columns).with_columns(problem.alias("problem"))
    impossible = judged.filter(~nw.col("problem").is_null()).select(["problem", *columns])
    return ordered(impossible, ["trace_id", "span_id"]).to_native()


@portable
def token_conventions(calls: Any, by: str | Sequence[str] = ("source_format", "provider")) -> Any:
    """What the counts of each source say about its convention, all its calls taken together.

    One call seldom proves anything: an exclusive count larger than the cache looks inclusive.
    One call whose cache exceeds its input proves that the counts of its source are exclusive.

    Args:
        calls: SPANS; uses the five token columns.
        by: Grouping columns that tell instrumentations apart.

    Returns:
        One row per group, sorted by `by`: `by`, `call_count`, `cached_call_count` (calls with cache
        tokens), `suspect_exclusive_count` (calls whose cache exceeds their input),
        `suspect_reasoning_count` (calls whose reasoning exceeds their output), `finding` (text).

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "source_format": ["table", "table"], "provider": ["anthropic", "openai"],
        ...     "is_model_call": [True, True], "input_tokens": [9, 100], "output_tokens": [4, 10],
        ...     "cache_read_tokens": [1905, 80], "cache_write_tokens": [0, 0], "reasoning_tokens": [0, 0],
        ... })
        >>> token_conventions(calls).select("provider", "suspect_exclusive_count").rows()
        [('anthropic', 1), ('openai', 0)]
    """
    keys = by_columns(by)
    counted = tally(
        model_calls(calls, _TOKENS, by=keys),
        keys,
        counts={
            "cached_call_count": _cache_tokens() > 0,
            "suspect_exclusive_count": _cache_exceeds_input(),
            "suspect_reasoning_count": _reasoning_exceeds_output(),
        },
    )
    finding = (
        nw.when(nw.col("suspect_exclusive_count") > 0)
        .then(nw.lit(_CACHE_OVER_INPUT))
        .when(nw.col("suspect_reasoning_count") > 0)
        .then(nw.lit(_REASONING_OVER_OUTPUT))
        .when(nw.col("cached_call_count") == 0)
        .then(nw.lit(_NO_CACHE))
        .otherwise(nw.lit(_CONSISTENT))
    )
    return ordered(counted.with_columns(finding.alias("finding")), keys).to_native()


def _cache_tokens() -> nw.Expr:
    return nw.col("cache_read_tokens").fill_null(0) + nw.col("cache_write_tokens").fill_null(0)


def _cache_exceeds_input() -> nw.Expr:
    return _is_known_to_be(_cache_tokens() > nw.col("input_tokens"))


def _reasoning_exceeds_output() -> nw.Expr:
    return _is_known_to_be(nw.col("reasoning_tokens") > nw.col("output_tokens"))


def _is_known_to_be(condition: nw.Expr) -> nw.Expr:
    return condition.fill_null(value=False)
