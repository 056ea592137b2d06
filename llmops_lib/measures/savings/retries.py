"""What failed attempts cost that were made again."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import PRICE_HINT, flagged_retries, model_calls, ordered, portable, tally
from llmops_lib.frames import by_columns


@portable
def avoidable_retries(calls: Any, by: str | Sequence[str] = ("feature", "prompt_name", "model")) -> Any:
    """What would be saved if no call failed that was then made again.

    Assumption: had the first attempt succeeded, the second would not have been made. What it cost is spent
    either way; the failed attempt is what is lost. Where no failed attempt has a cost, the saving is null.

    Args:
        calls: SPANS with the columns of `price_calls`, and those of `with_retries` or what it uses.
        by: Grouping columns.

    Returns:
        One row per group with calls that were made again, by `saving_usd` downwards with null last, then by
        `by`: `by`, `call_count` (failed attempts that were made again), `unknown_count` (those of them
        without a cost), `spend_usd` (USD that they cost), `saving_usd` (all of it).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> import polars as pl
        >>> calls = pl.DataFrame({
        ...     "model": ["large"] * 3, "is_model_call": [True] * 3, "is_retried": [True, True, False],
        ...     "is_retry": [False, True, True], "cost_usd": [0.25, None, 0.5],
        ... })
        >>> avoidable_retries(calls, "model").rows()
        [('large', 2, 1, 0.25, 0.25)]
    """
    keys = by_columns(by)
    flagged = flagged_retries(calls).to_native()
    frame = model_calls(flagged, ["cost_usd", "is_retried"], by=keys, hint=PRICE_HINT)
    retried = frame.filter(nw.col("is_retried").fill_null(value=False)).rename({"cost_usd": "spend_usd"})
    counts = {"unknown_count": nw.col("spend_usd").is_null()}
    tallied = tally(retried, keys, counts=counts, sums=["spend_usd"])
    savings = tallied.with_columns(nw.col("spend_usd").alias("saving_usd"))
    columns = [*keys, "call_count", "unknown_count", "spend_usd", "saving_usd"]
    return ordered(savings, ["saving_usd", *keys], largest_first=["saving_usd"]).select(columns).to_native()
