"""Quiet traffic: months in which nothing is planted, to count the alarms that should not be raised."""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from llmops_lib.demo.calibration import (
    CODE,
    CONVERSATION,
    HOUR_WEIGHTS,
    RETRIEVAL,
    Floats,
    TokenQuantiles,
    draw_tokens,
)

_SIZES = (CONVERSATION, CODE, RETRIEVAL)
_USD_PER_MTOK = ((0.15, 0.6), (2.5, 10.0), (3.0, 15.0))
_MEDIAN_CALLS_PER_HOUR, _SPREAD = 4.0, 1.5
_MOST_CALLS_PER_HOUR = 60.0
_WANDER_SHARE, _HOURS_KEPT = 0.15, 0.9
"""Demand wanders by about so much, and keeps so much of a deviation from hour to hour."""


def quiet_calls(
    seed: int,
    *,
    tenants: int = 12,
    features: int = 5,
    weeks: int = 4,
    first: datetime = datetime(2026, 10, 5, tzinfo=UTC),
) -> pl.DataFrame:
    """Priced calls of a company where nothing goes wrong: every tenant and feature keeps its weekly rhythm.

    Calls per hour follow the rhythm of a real service (`calibration.py`) and demand that wanders; tokens per
    call are those of real services; groups make from less than one to 60 calls per hour.

    Args:
        seed: Seed of all randomness.
        tenants: Number of tenants.
        features: Number of features of each.
        weeks: Number of weeks.
        first: First moment, a Monday.

    Returns:
        One row per call, by tenant, feature and time: `is_model_call`, `started_at`, `tenant`, `feature`,
        `input_tokens`, `output_tokens`, `cost_usd`.

    Example:
        >>> calls = quiet_calls(1, tenants=1, features=1, weeks=1)
        >>> calls.equals(quiet_calls(1, tenants=1, features=1, weeks=1)), calls["cost_usd"].min() > 0
        (True, True)
    """
    rng = np.random.default_rng(seed)
    rhythm = np.tile(np.array(HOUR_WEIGHTS, dtype=np.float64).ravel() / np.mean(HOUR_WEIGHTS), weeks)
    names = [
        (f"tenant-{tenant:02}", f"feature-{feature}")
        for tenant in range(tenants)
        for feature in range(features)
    ]
    # One step per group: each has its own demand.
    parts = [_group_calls(rng, rhythm, tenant, feature, first) for tenant, feature in names]
    return pl.concat(parts)


def _group_calls(
    rng: np.random.Generator, rhythm: Floats, tenant: str, feature: str, first: datetime
) -> pl.DataFrame:
    rate = min(rng.lognormal(np.log(_MEDIAN_CALLS_PER_HOUR), _SPREAD), _MOST_CALLS_PER_HOUR)
    counts = rng.poisson(rate * rhythm * np.exp(_wandering(rng, len(rhythm))))
    hours = np.repeat(np.arange(len(rhythm)), counts) + rng.random(counts.sum())
    sizes: TokenQuantiles = _SIZES[rng.integers(len(_SIZES))]
    input_price, output_price = _USD_PER_MTOK[rng.integers(len(_USD_PER_MTOK))]
    tokens = pl.DataFrame(
        {
            "input_tokens": draw_tokens(rng, sizes.input_tokens, len(hours)),
            "output_tokens": draw_tokens(rng, sizes.output_tokens, len(hours)),
        }
    )
    since = pl.Series("since", np.sort(hours) * 3.6e9).cast(pl.Int64).cast(pl.Duration("us"))
    cost_usd = (input_price * pl.col("input_tokens") + output_price * pl.col("output_tokens")) / 1e6
    return tokens.select(
        pl.lit(True).alias("is_model_call"),
        (pl.lit(first) + since).alias("started_at"),
        pl.lit(tenant).alias("tenant"),
        pl.lit(feature).alias("feature"),
        "input_tokens",
        "output_tokens",
        cost_usd.alias("cost_usd"),
    )


def _wandering(rng: np.random.Generator, hours: int) -> npt.NDArray[np.float64]:
    """An autoregressive series of that many hours, with a standard deviation of `_WANDER_SHARE`."""
    steps = rng.normal(0, _WANDER_SHARE * np.sqrt(1 - _HOURS_KEPT**2), hours)
    # Beyond 60 hours nothing is kept of a step, so the sum over all of them can end there.
    kept = _HOURS_KEPT ** np.arange(61)
    return np.convolve(steps, kept)[:hours]
