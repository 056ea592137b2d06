"""What failed, and how often."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import model_calls, ordered, portable, share, tally, with_share
from llmops_lib.frames import by_columns


@portable
def error_rates(calls: Any, by: str | Sequence[str] = ()) -> Any:
    """Share of calls that failed in each group, with its 95% Wilson score interval.

    Only model calls count: a parent repeats the failure of its child. The interval takes calls as
    independent; outages are not, so read it as the least uncertainty there is.

    Args:
        calls: SPANS; uses `is_error`.
        by: Grouping columns; none gives one total row.

    Returns:
        One row per group, sorted by `by`: `by`, `call_count`, `error_count`, `error_share`,
        `error_share_low`, `error_share_high` (0 to 1, null over no calls).

    Source:
        Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({"is_model_call": [True] * 4, "is_error": [True, False, False, False]})
        >>> error_rates(calls).select(pl.col("^error_.*$").round(3)).rows()
        [(1, 0.25, 0.046, 0.699)]
    """
    keys = by_columns(by)
    frame = model_calls(calls, ["is_error"], by=keys)
    rates = tally(frame, keys, counts={"error_count": nw.col("is_error")})
    return ordered(with_share(rates, "error_share", of="error_count", among="call_count"), keys).to_native()


@portable
def errors_by_class(calls: Any, by: str | Sequence[str] = ()) -> Any:
    """Failed calls of each error class, the most frequent first.

    Args:
        calls: SPANS; uses `is_error`, `error_type`, `started_at`.
        by: Grouping columns; none takes all calls together.

    Returns:
        One row per group and class that failed, sorted by `by`, then `error_count` downwards, then
        `error_type`: `by`, `error_type` (null where the export does not say), `error_count`,
        `error_share_of_errors` (of the failed calls of the group), `first_at`, `last_at` (UTC).

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True] * 4, "is_error": [True, True, True, False],
        ...     "error_type": ["RateLimitError", "RateLimitError", None, None],
        ... }).with_columns(started_at=pl.datetime(2026, 11, 9, time_zone="UTC"))
        >>> errors_by_class(calls).select("error_type", "error_count").rows()
        [('RateLimitError', 2), (None, 1)]
    """
    keys = by_columns(by)
    classes = list(dict.fromkeys([*keys, "error_type"]))
    failed = model_calls(calls, ["is_error", "error_type", "started_at"], by=keys).filter(nw.col("is_error"))
    counted = tally(
        failed,
        classes,
        aggregates={"first_at": nw.col("started_at").min(), "last_at": nw.col("started_at").max()},
    ).rename({"call_count": "error_count"})
    errors = nw.col("error_count").sum()
    shares = share(nw.col("error_count"), errors.over(*keys) if keys else errors)
    columns = [*classes, "error_count", "error_share_of_errors", "first_at", "last_at"]
    return ordered(
        counted.with_columns(shares.alias("error_share_of_errors")).select(columns),
        list(dict.fromkeys([*keys, "error_count", "error_type"])),
        largest_first=["error_count"],
    ).to_native()
