"""Whether token counts can be what they say: the largest source of wrong money.

`input_tokens` must contain cache reads and writes, `output_tokens` must contain reasoning. Some
providers count cache tokens beside the input, and an export or reader that takes such a number
as it is under-states the input and mis-prices the call.
"""

from functools import reduce
from operator import or_
from typing import Any

import narwhals as nw

from llmops_lib.calls import model_calls, ordered, portable
from llmops_lib.calls.token_evidence import cache_exceeds_input, known_to_be, reasoning_exceeds_output
from llmops_lib.frames import narwhal

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")

_NEGATIVE = "a token count is negative"
_CACHE_OVER_INPUT = "cache tokens exceed input_tokens, which must contain them"
_REASONING_OVER_OUTPUT = "reasoning_tokens exceed output_tokens, which must contain them"


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
    is_negative = reduce(or_, (known_to_be(nw.col(name) < 0) for name in _TOKENS))
    problem = (
        nw.when(is_negative)
        .then(nw.lit(_NEGATIVE))
        .when(cache_exceeds_input())
        .then(nw.lit(_CACHE_OVER_INPUT))
        .when(reasoning_exceeds_output())
        .then(nw.lit(_REASONING_OVER_OUTPUT))
    )
    judged = model_calls(calls, columns).with_columns(problem.alias("problem"))
    impossible = judged.filter(~nw.col("problem").is_null()).select(["problem", *columns])
    return ordered(impossible, ["trace_id", "span_id"]).to_native()
