"""How often the intervals of means hold the truth: samples of real items.

Part of `statistics.py`. A set of outcomes is a column of real scores, whose mean is then the truth. Many
samples are summed at once; the first of each is held against the library's own function.
"""

import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from llmops_lib.stats.bounded_mean import paired_interval
from llmops_lib.stats.paired_proportions import tango
from llmops_lib.stats.proportions import clopper_pearson, wilson
from llmops_lib.stats.results import Interval
from llmops_lib.stats.win_rate import win_rate

Floats = npt.NDArray[np.float64]
Limits = tuple[Floats, Floats]

ALPACA = "alpaca_eval2_weighted_gpt4turbo_preference.csv"
SIZES = (50, 200, 805)
PAIRS = (
    ("claude-2.1", "claude-2.1_concise"),
    ("FuseChat-Gemma-2-9B-Instruct", "FuseChat-Qwen-2.5-7B-Instruct"),
)
Z = float(stats.norm.ppf(0.975))
_MANY_PAIRS = 40


def covers(interval: Interval, truth: float) -> bool:
    """Whether an interval holds the truth; a side that does not exist does not exclude it."""
    above = interval.lower is None or interval.lower <= truth + 1e-12
    return above and (interval.upper is None or interval.upper >= truth - 1e-12)


def require_same(ours: float, library: float | None) -> None:
    """Stops where many at a time is not what the library says of one."""
    if library is None or abs(ours - library) > 1e-9 * max(1.0, abs(library)):
        sys.exit(f"the sums of this benchmark say {ours!r} where the library says {library!r}")


def share_held(limits: Limits, truth: float) -> float:
    """Share of limits that hold the truth."""
    return float(((limits[0] <= truth + 1e-12) & (truth - 1e-12 <= limits[1])).mean())


def effective(variance: Floats, largest: Floats, units: Floats, rows: Floats) -> Floats:
    """`effective_passes` of many samples at once."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(largest > 0, np.minimum(1.0, variance * units / largest), 1.0)
    events = rows * np.maximum(largest, 0.0)
    return units / ((events * share + 0.5) / (events + 0.5))


def score_limits(mean: Floats, n: Floats, z: Floats | float) -> Limits:
    """Wilson's limits of many samples at once."""
    centre, scale = mean + z**2 / (2 * n), 1 + z**2 / n
    half = z * np.sqrt(np.maximum(mean * (1 - mean), 0) / n + z**2 / (4 * n**2))
    return (centre - half) / scale, (centre + half) / scale


def gap_limits(gained: Floats, lost: Floats, n: Floats, z: Floats | float) -> Limits:
    """Tango's limits of many samples at once, by halving."""
    b, c, centre = n * lost, n * gained, gained - lost

    def score(delta: Floats) -> Floats:
        half = -b - c + (2 * n - c + b) * delta
        root = np.sqrt(np.maximum(0.0, half**2 + 8 * n * b * delta * (1 - delta)))
        variance = n * (2 * (root - half) / (4 * n) + delta * (1 - delta))
        gap = c - b - n * delta
        with np.errstate(divide="ignore", invalid="ignore"):
            made = gap / np.sqrt(variance)
        return np.where(variance > 0, made, np.sign(gap) * 1e6)

    ends = []
    for level, first, last in ((z, -np.ones_like(n), centre), (-z, centre, np.ones_like(n))):
        low, high = first, last
        for _ in range(45):
            middle = (low + high) / 2
            is_above = score(middle) > level
            low, high = np.where(is_above, middle, low), np.where(is_above, high, middle)
        ends.append((low + high) / 2)
    return ends[0], ends[1]


def t_coverage(values: Floats, n: int, runs: int, generator: np.random.Generator) -> float:
    """Coverage of the t interval of the mean, many samples at a time."""
    drawn = values[generator.integers(0, len(values), (runs, n))]
    means, errors = drawn.mean(axis=1), drawn.std(axis=1, ddof=1) / np.sqrt(n)
    half = stats.t.ppf(0.975, n - 1) * errors
    # A sample without any variance has no interval, and excludes nothing.
    return float(((np.abs(means - values.mean()) <= half + 1e-12) | (errors == 0)).mean())


def mean_coverage(values: Floats, n: int, runs: int, generator: np.random.Generator) -> float:
    """Coverage of the interval of a mean of scores from 0 to 1."""
    drawn = values[generator.integers(0, len(values), (runs, n))]
    means, units = drawn.mean(axis=1), np.full(runs, float(n))
    made = score_limits(means, effective(drawn.var(axis=1, ddof=1) / n, means * (1 - means), units, units), Z)
    require_same(made[0][0], win_rate(drawn[0]).interval.lower)
    return share_held(made, float(values.mean()))


def gap_coverage(a: Floats, b: Floats, n: int, runs: int, generator: np.random.Generator) -> float:
    """Coverage of the interval of a mean paired difference of scores from 0 to 1."""
    at = generator.integers(0, len(a), (runs, n))
    gaps, units = (b - a)[at], np.full(runs, float(n))
    gained, lost = np.maximum(gaps, 0).mean(axis=1), np.maximum(-gaps, 0).mean(axis=1)
    largest = gained + lost - (gained - lost) ** 2
    made = gap_limits(gained, lost, effective(gaps.var(axis=1, ddof=1) / n, largest, units, units), Z)
    require_same(round(made[0][0], 9), round(paired_interval(b[at[0]], a[at[0]]).lower or 0.0, 9))
    return share_held(made, float((b - a).mean()))


@cache
def counted(method: str, cells: tuple[int, ...]) -> Interval:
    """An interval that depends on counts only."""
    if method == "Tango":
        both, lost, gained, rest = cells
        return tango(both_pass=both, regressions=lost, improvements=gained, both_fail=rest)
    return (wilson if method == "Wilson" else clopper_pearson)(*cells)


def count_coverage(
    method: str, a: Floats, b: Floats, sizes: tuple[int, int], generator: np.random.Generator
) -> float:
    """Coverage of an interval of counts: wins of one column, or the difference of two."""
    runs, n = sizes
    at = generator.integers(0, len(a), (runs, n))
    before, after = (a > 0.5)[at], (b > 0.5)[at]
    if method == "Tango":
        truth = float((b > 0.5).mean() - (a > 0.5).mean())
        lost, gained = (before & ~after).sum(axis=1), (~before & after).sum(axis=1)
        both = (before & after).sum(axis=1)
        cells = np.stack([both, lost, gained, n - both - lost - gained], axis=1)
    else:
        truth = float((b > 0.5).mean())
        cells = np.stack([after.sum(axis=1), np.full(runs, n)], axis=1)
    distinct, counts = np.unique(cells, axis=0, return_counts=True)
    held = [covers(counted(method, tuple(map(int, row))), truth) for row in distinct]
    return float(np.average(held, weights=counts))


def preferences(folder: Path) -> pl.DataFrame:
    """Preferences over the reference, 0 to 1, a column for each model that is not the reference."""
    table = pl.read_csv(folder / ALPACA, infer_schema_length=None)
    return table.drop("item", "dataset", "gpt4_1106_preview").cast(pl.Float64) - 1


def item_coverage(
    folder: Path, runs: int, generator: np.random.Generator
) -> Iterable[tuple[str, list[float]]]:
    """Name of a method and its coverage at each sample size."""
    table = preferences(folder)
    for before, after in PAIRS:
        rows = table.select(before, after).drop_nulls().to_numpy()
        a, b = rows[:, 0], rows[:, 1]
        yield f"paired scores, {after}", [gap_coverage(a, b, n, runs, generator) for n in SIZES]
        yield f"  the same by t, {after}", [t_coverage(b - a, n, runs, generator) for n in SIZES]
        yield f"win rate, {after}", [mean_coverage(b, n, runs, generator) for n in SIZES]
        yield f"  the same by t, {after}", [t_coverage(b, n, runs, generator) for n in SIZES]
        for method in ("Wilson", "Clopper-Pearson", "Tango"):
            held = [count_coverage(method, a, b, (runs, n), generator) for n in SIZES]
            yield f"{'paired wins' if method == 'Tango' else 'wins'}, {method}, {after}", held


def spread_of_coverage(
    folder: Path, runs: int, generator: np.random.Generator
) -> Iterable[tuple[str, Sequence[list[float]]]]:
    """Name of a method and, at each sample size, its coverage on every model or on many pairs of models."""
    table = preferences(folder)
    rates = [table[name].drop_nulls().to_numpy() for name in table.columns]
    yield "win rate", [[mean_coverage(one, n, runs, generator) for one in rates] for n in SIZES]
    yield "  the same by t", [[t_coverage(one, n, runs, generator) for one in rates] for n in SIZES]
    pairs = [generator.choice(len(table.columns), 2, replace=False) for _ in range(_MANY_PAIRS)]
    both = [table.select(table.columns[i], table.columns[j]).drop_nulls().to_numpy().T for i, j in pairs]
    yield "paired scores", [[gap_coverage(a, b, n, runs, generator) for a, b in both] for n in SIZES]
    yield "  the same by t", [[t_coverage(b - a, n, runs, generator) for a, b in both] for n in SIZES]
