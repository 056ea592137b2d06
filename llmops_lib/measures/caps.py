"""What a cap on spend would have let through, at last month's traffic or a multiple of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import narwhals as nw
import polars as pl

from llmops_lib.calls import PRICE_HINT, Frame, model_calls, portable, tally
from llmops_lib.errors import ParameterError
from llmops_lib.frames import collected
from llmops_lib.periods import Period

Each = Literal["", "tenant", "feature", "user_id", "model"]
CapWindow = Literal["day", "week", "month"]

_WINDOWS = {"day": "1d", "week": "1w", "month": "1mo"}
_STEPS = ("15m", "1h", "1d")
_MOST_ROWS = 50_000
"""Above so many rows of a dimension, its spend is counted in longer steps, so that a slider can follow."""


@dataclass(frozen=True)
class CapPolicy:
    """A cap on spend: what comes after it in a window is refused.

    Attributes:
        limit_usd: USD that may be spent in a window, above 0.
        window: Local calendar `day`, `week` (from Monday) or `month`.
        each: Dimension of which each value has the whole cap to itself; empty for one cap over all calls.
        growth_share: How much more traffic there is than there was: 0.2 for a fifth more, -0.5 for half of
            it.
    """

    limit_usd: float
    window: CapWindow = "day"
    each: Each = ""
    growth_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.limit_usd < float("inf"):
            msg = f"limit_usd {self.limit_usd!r} is not above 0; expected US dollars such as 5"
            raise ParameterError(msg)
        if not -1 < self.growth_share < float("inf"):
            msg = f"growth_share {self.growth_share!r} is not above -1; expected a share such as 0.2"
            raise ParameterError(msg)
        if self.window not in _WINDOWS or self.each not in get_args(Each):
            msg = f"found window {self.window!r} and each {self.each!r}; expected one of {[*_WINDOWS]} and "
            raise ParameterError(msg + f"of {[*get_args(Each)]}")


@portable
def spend_strata(
    calls: Any, *, each: Sequence[str] = ("tenant", "feature", "user_id", "model"), timezone: str = "UTC"
) -> pl.DataFrame:
    """Spend in steps of time for each value of each dimension, once for any number of caps.

    A step is a quarter of an hour; where a dimension would have more than 50,000 rows an hour, then a day.

    Args:
        calls: SPANS with the columns of `price_calls`, on any engine; uses `started_at`, `cost_usd`,
            `is_error` and `each`.
        each: Dimensions that caps may hold for; one over all calls is always there.
        timezone: IANA zone whose midnights bound windows.

    Returns:
        A polars DataFrame by `dimension`, `value`, `at`: `dimension` (empty for all calls), `value` (null
        where not recorded), `at` (local time at which the step begins), `call_count`, `error_count`,
        `unpriced_count`, `spend_usd` (USD, null where no call has a cost), and what was spent before the step
        in its window: `before_day_usd`, `before_week_usd`, `before_month_usd`.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
        PeriodError: If the zone is unknown.
    """
    Period.week("2026-W01", timezone)  # Period is what knows which zones exist.
    started_at = nw.col("started_at")
    frame = model_calls(calls, ["started_at", "cost_usd", "is_error", *each], hint=PRICE_HINT)
    quarters = frame.rename({"cost_usd": "spend_usd"}).with_columns(
        started_at.dt.truncate("1h").alias("_hour"), (started_at.dt.minute() // 15).alias("_quarter")
    )
    at = pl.col("_hour").dt.convert_time_zone("UTC") + pl.duration(minutes=15 * pl.col("_quarter"))
    local = at.dt.convert_time_zone(timezone).dt.replace_time_zone(None).alias("at")
    parts = [_stepped(_stratum(quarters, name).with_columns(at.alias("_utc"), local)) for name in ("", *each)]
    spend = pl.col("spend_usd").fill_null(0)
    # Steps were ordered in UTC before: the hour that autumn repeats keeps its place.
    before = [
        (spend.cum_sum() - spend)
        .over("dimension", "value", pl.col("at").dt.truncate(length))
        .alias(f"before_{name}_usd")
        for name, length in _WINDOWS.items()
    ]
    return (
        pl.concat(parts)
        .with_columns(before)
        .select(*_STRATUM, *(column.meta.output_name() for column in before))
    )


_COUNTS = ("call_count", "error_count", "unpriced_count")
_STRATUM = ("dimension", "value", "at", *_COUNTS, "spend_usd")


def _stratum(quarters: Frame, name: str) -> pl.DataFrame:
    keys = [*([name] if name else []), "_hour", "_quarter"]
    counts = {"error_count": nw.col("is_error"), "unpriced_count": nw.col("spend_usd").is_null()}
    table = collected(tally(quarters, keys, counts=counts, sums=["spend_usd"]).to_native())
    value = pl.col(name).cast(pl.String) if name else pl.lit(None, pl.String)
    hour = pl.col("_hour").dt.cast_time_unit("us")
    quarter = pl.col("_quarter").cast(pl.Int64)
    return table.with_columns(hour, quarter).select(
        pl.lit(name).alias("dimension"), value.alias("value"), "_hour", "_quarter", *_COUNTS, "spend_usd"
    )


def _stepped(table: pl.DataFrame) -> pl.DataFrame:
    for step in _STEPS:
        begins = pl.col("at").dt.truncate(step)
        keys = ["dimension", "value", begins]
        if step == _STEPS[-1] or table.select(pl.struct("value", begins).n_unique()).item() <= _MOST_ROWS:
            break
    known = pl.when(pl.col("spend_usd").count() > 0).then(pl.col("spend_usd").sum()).alias("spend_usd")
    summed = table.group_by(keys).agg(pl.col("_utc").min(), pl.col(*_COUNTS).sum(), known)
    return summed.sort("dimension", "value", "_utc", nulls_last=True)


def simulate_caps(strata: pl.DataFrame, policy: CapPolicy) -> pl.DataFrame:
    """What a cap would have let through and refused, for each value that it holds for.

    Within a quarter of an hour calls are taken as alike, so that amounts are exact and counts of refused
    calls are to the quarter; `simulate_breaker` replays call by call. Growth is more of the same calls at the
    same times. What an application does without an answer is not known.

    Args:
        strata: What `spend_strata` returns.
        policy: The cap.

    Returns:
        One row per value of `policy.each`, by `refused_usd` downwards, then by value: `value` (null where not
        recorded, and for one cap over all calls), `call_count`, `unpriced_count` (both at the growth of the
        policy), `spend_usd_before` (without the cap), `spend_usd_after` (with it), `refused_usd`,
        `refused_count`, `refused_good_count` (of these, calls that did not fail), `capped_window_count`
        (windows that reached the cap), `largest_window_usd` (the most that a window would have cost without
        it).

    Raises:
        ParameterError: If the dimension is not in the strata.
    """
    return (
        _capped(strata, policy)
        .group_by("value")
        .agg(
            pl.col("call_count", "unpriced_count", "refused_count", "refused_good_count").sum().round(),
            pl.col("spend").sum().alias("spend_usd_before"),
            pl.col("passed").sum().alias("spend_usd_after"),
            (pl.col("spend") - pl.col("passed")).sum().alias("refused_usd"),
            pl.col("is_reached").sum().cast(pl.Int64).alias("capped_window_count"),
            (pl.col("before") + pl.col("spend")).max().alias("largest_window_usd"),
        )
        .with_columns(pl.col("^.*(call|unpriced|refused|good)_count$").cast(pl.Int64))
        .sort("refused_usd", "value", descending=[True, False], nulls_last=True)
        .select(_CAPPED)
        .collect()
    )


_CAPPED = (
    "value",
    "call_count",
    "unpriced_count",
    "spend_usd_before",
    "spend_usd_after",
    "refused_usd",
    "refused_count",
    "refused_good_count",
    "capped_window_count",
    "largest_window_usd",
)


def capped_by_day(strata: pl.DataFrame, policy: CapPolicy) -> pl.DataFrame:
    """Spend per local day, with what the cap would have refused of it.

    Args:
        strata: What `spend_strata` returns.
        policy: The cap.

    Returns:
        One row per day with calls, upwards: `started_on` (text date), `passed_usd`, `refused_usd`.

    Raises:
        ParameterError: If the dimension is not in the strata.
    """
    rows = _capped(strata, policy)
    return (
        rows.group_by(pl.col("at").dt.date().alias("started_on"))
        .agg(
            pl.col("passed").sum().alias("passed_usd"),
            (pl.col("spend") - pl.col("passed")).sum().alias("refused_usd"),
        )
        .sort("started_on")
        .with_columns(pl.col("started_on").cast(pl.String))
        .collect()
    )


def _capped(strata: pl.DataFrame, policy: CapPolicy) -> pl.LazyFrame:
    rows = strata.filter(dimension=policy.each)
    if rows.is_empty() and strata.height:
        there = sorted(strata["dimension"].unique().to_list())
        msg = f"each: found {policy.each!r}, expected one of those in the strata: {there}"
        raise ParameterError(msg)
    factor = 1 + policy.growth_share
    spend, before = pl.col("spend_usd").fill_null(0) * factor, pl.col(f"before_{policy.window}_usd") * factor
    grown = rows.lazy().select(
        "value",
        "at",
        *(pl.col(name) * factor for name in _COUNTS),
        spend.alias("spend"),
        before.alias("before"),
    )
    left = (policy.limit_usd - pl.col("before")).clip(0, None)
    # Calls without a known cost pass as long as something is left.
    open_share = (left > 0).cast(pl.Float64)
    share = (
        pl.when(pl.col("spend") > 0)
        .then(pl.min_horizontal("spend", left) / pl.col("spend"))
        .otherwise(open_share)
    )
    refused = 1 - pl.col("_share")
    return grown.with_columns(
        pl.min_horizontal("spend", left).alias("passed"), share.alias("_share")
    ).with_columns(
        (pl.col("call_count") * refused).alias("refused_count"),
        ((pl.col("call_count") - pl.col("error_count")) * refused).alias("refused_good_count"),
        # The one step of a window in which the cap is passed.
        ((left > 0) & (pl.col("spend") > left)).alias("is_reached"),
    )
