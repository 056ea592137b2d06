"""Single calls worth a look: the slowest, the latest that failed, the most expensive."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import CALL_COLUMNS, PRICE_HINT, Frame, model_calls, ordered, portable
from llmops_lib.frames import narwhal

_SHOWN = (
    *CALL_COLUMNS,
    "error_type",
    "error_message",
    "http_status",
    "input",
    "output",
)


@portable
def slowest_calls(calls: Any, *, n: int = 10) -> Any:
    """The calls that took longest, failed ones too.

    Args:
        calls: SPANS; uses `latency_ms`, `trace_id`, `span_id` and shows what it has of
            `failed_calls`' columns.
        n: How many calls to keep.

    Returns:
        Up to `n` calls, by `latency_ms` downwards, then by trace and span.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "trace_id": ["t1", "t1", "t2"], "span_id": ["a", "b", "c"],
        ...     "is_model_call": [True, True, True], "latency_ms": [40.0, 900.0, None],
        ... })
        >>> slowest_calls(calls).rows()
        [('t1', 'b', 900.0), ('t1', 'a', 40.0)]
    """
    return _notable(calls, "latency_ms", ~nw.col("latency_ms").is_null()).head(n).to_native()


@portable
def failed_calls(calls: Any, *, n: int = 10) -> Any:
    """The calls that failed last.

    Text of a trace is hostile: escape and mask it before it is shown.

    Args:
        calls: SPANS; uses `is_error`, `started_at`, `trace_id`, `span_id`.
        n: How many calls to keep.

    Returns:
        Up to `n` calls, the latest first, then by trace and span; of `trace_id`, `span_id`, `started_at`
        (UTC), `model`, `tenant`, `feature`, `user_id`, `latency_ms` (ms), `cost_usd` (USD),
        `input_tokens`, `output_tokens`, `error_type`, `error_message`, `http_status`, `input`
        and `output` those that the table has.

    Example:
        >>> import polars as pl
        >>> from datetime import UTC, datetime
        >>> calls = pl.DataFrame({
        ...     "trace_id": ["t1", "t2"], "span_id": ["a", "b"], "is_model_call": [True, True],
        ...     "is_error": [True, False], "error_type": ["APITimeoutError", None],
        ...     "started_at": [datetime(2026, 11, 9, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)],
        ... })
        >>> failed_calls(calls)["error_type"].to_list()
        ['APITimeoutError']
    """
    return _notable(calls, "started_at", nw.col("is_error"), also=["is_error"]).head(n).to_native()


@portable
def most_expensive_calls(calls: Any, *, n: int = 10) -> Any:
    """The calls that cost most; a call of unknown cost cannot be ranked and is left out.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `cost_usd`, `trace_id`, `span_id` and
            shows what it has of `failed_calls`' columns.
        n: How many calls to keep.

    Returns:
        Up to `n` calls, by `cost_usd` downwards, then by trace and span.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "trace_id": ["t1", "t2"], "span_id": ["a", "b"],
        ...     "is_model_call": [True, True], "cost_usd": [0.25, None],
        ... })
        >>> most_expensive_calls(calls).rows()
        [('t1', 'a', 0.25)]
    """
    is_known = ~nw.col("cost_usd").is_null()
    return _notable(calls, "cost_usd", is_known, hint=PRICE_HINT).head(n).to_native()


def _notable(calls: Any, rank: str, condition: nw.Expr, *, also: Sequence[str] = (), hint: str = "") -> Frame:
    present = narwhal(calls).collect_schema().names()
    shown = [name for name in _SHOWN if name in present or name in {rank, "trace_id", "span_id"}]
    frame = model_calls(calls, [*shown, *also], hint=hint).filter(condition).select(shown)
    return ordered(frame, [rank, "trace_id", "span_id"], largest_first=[rank])
