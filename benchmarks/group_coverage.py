"""How often intervals hold the truth where whole groups of items are drawn, and what else was tried.

Part of `statistics.py`. A set of outcomes is real: its groups are subjects, tasks, questions or sessions, and
the mean over all of its rows is the truth. Many samples are summed at once; the first of each is held against
the library's own function.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
from interval_coverage import Floats, Limits, Z, effective, gap_limits, require_same, score_limits, share_held
from scipy import stats

from llmops_lib.stats.clustered_cr2 import Scale, clustered_mean_cr2
from llmops_lib.stats.clustered_mean import clustered_mean

GROUPS = (10, 20, 57)
_DRAWS = 399
_WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))


def grouped_sets(folder: Path) -> Iterable[tuple[str, Scale, Floats]]:
    """Real outcomes in groups: name, scale, and per group rows, sum, sum of squares, gains, losses."""
    mmlu = pl.read_csv(folder / "routellm_mmlu.csv").filter(contaminated=0)
    tau = pl.read_csv(folder / "tau_bench_gpt4o_airline.csv")
    bench = pl.read_csv(folder / "routellm_mtbench.csv").with_columns((pl.col("score") - 1) / 9)
    requests = pl.read_ndjson(folder / "ragpulse_week.jsonl")
    cost = 2.5e-6 * pl.col("input_length") + 1e-5 * pl.col("output_length")
    for name, scale, rows, group, value in (
        ("MMLU, Mixtral, subjects of unequal size", "shares", mmlu, "domain", pl.col("weak")),
        ("MMLU, GPT-4", "shares", mmlu, "domain", pl.col("strong")),
        ("MMLU, Mixtral less GPT-4", "gaps", mmlu, "domain", pl.col("weak") - pl.col("strong")),
        ("tau-bench rewards by task", "shares", tau, "task_id", pl.col("reward")),
        ("MT-bench scores by question", "shares", bench, "question_id", pl.col("score")),
        ("RAGPulse long answers by session", "shares", requests, "session_id", pl.col("output_length") > 400),
        ("RAGPulse cost by session", "numbers", requests, "session_id", cost),
    ):
        x = value.cast(pl.Float64)
        sums = (x.sum(), (x**2).sum().alias("squares"), x.clip(0).sum().alias("gains"))
        parts = rows.group_by(group).agg(pl.len().alias("n"), *(e.alias(f"s{i}") for i, e in enumerate(sums)))
        yield name, scale, parts.sort(group).drop(group).to_numpy().astype(float).T


def group_coverage(
    folder: Path, runs: int, generator: np.random.Generator
) -> Iterable[tuple[str, list[float]]]:
    """Name, and coverage by number of groups: by default (CR2), by CR1, as if rows were independent."""
    for name, scale, parts in grouped_sets(folder):
        truth, held = float(parts[1].sum() / parts[0].sum()), []
        for groups in GROUPS:
            chosen = parts[:, generator.integers(0, parts.shape[1], (runs, groups))]
            limits = [of_groups(chosen, scale), *plain_limits(chosen)]
            if scale == "shares" and np.isin(chosen[1][0] / chosen[0][0], (0.0, 1.0)).all():
                check_groups(chosen[:, 0], limits)
            held += [share_held(one, truth) for one in limits]
        yield name, held


def check_groups(chosen: Floats, limits: list[Limits]) -> None:
    """Holds the first sample against the library, where its rows can be told from the sums."""
    n, codes = chosen[0].astype(int), np.arange(chosen.shape[1])
    rows, clusters = np.repeat(chosen[1] / chosen[0], n), np.repeat(codes, n)
    require_same(limits[0][0][0], clustered_mean_cr2(rows, clusters, scale="shares").interval.lower)
    if np.ptp(rows):
        require_same(limits[1][0][0], clustered_mean(rows, clusters).interval.lower)


def plain_limits(chosen: Floats) -> list[Limits]:
    """CR1 with G - 1, and independent rows."""
    n, total, squares = chosen[0], chosen[1].sum(axis=1), chosen[2].sum(axis=1)
    rows, groups = n.sum(axis=1), n.shape[1]
    mean = total / rows
    pulls = chosen[1] - mean[:, None] * n
    clustered = (
        np.sqrt((pulls**2).sum(axis=1) * groups / (groups - 1)) / rows * stats.t.ppf(0.975, groups - 1)
    )
    naive = Z * np.sqrt(np.maximum(squares / rows - mean**2, 0) / (rows - 1))
    return [(mean - half, mean + half) for half in (clustered, naive)]


def of_groups(chosen: Floats, scale: Scale, *, exponent: int = 1) -> Limits:
    """`clustered_mean_cr2` of many samples at once; by the jackknife (CR3) with exponent 2."""
    n, rows = chosen[0], chosen[0].sum(axis=1)
    mean = chosen[1].sum(axis=1) / rows
    pulls, squares = chosen[1] - mean[:, None] * n, chosen[2].sum(axis=1) - rows * mean**2
    leverage = n / rows[:, None]
    a = (1 - leverage) ** -exponent * (1 - 1 / n.shape[1]) ** (exponent - 1)
    variance = (pulls**2 * a).sum(axis=1) / rows**2
    pairs = (n * (n - 1)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = ((pulls**2).sum(axis=1) - squares) / pairs / (squares / rows)
    rho = np.clip(np.nan_to_num(rho), 0, 1)[:, None]
    w = (1 - rho) * n + rho * n**2
    first, second = -1 / rows, w.sum(axis=1) / rows**2
    own = 2 * first[:, None] * w * n + second[:, None] * n**2
    ww, nn, wn = ((a * x * y).sum(axis=1) for x, y in ((w, w), (n, n), (w, n)))
    both = 2 * first**2 * (ww * nn + wn**2) + second**2 * nn**2 + 4 * first * second * wn * nn
    df = (a * (w + own)).sum(axis=1) ** 2 / (both + (a**2 * (2 * own * w + w**2)).sum(axis=1))
    error = np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = Z**2 * np.nan_to_num((n * pulls).sum(axis=1) / rows**2 / error)
    root = np.hypot(bend, stats.t.ppf(0.975, np.maximum(df, 1)))
    if scale == "numbers":
        return mean - (root + bend) * error, mean + (root - bend) * error
    units = rows**2 / (n**2).sum(axis=1)
    gained = chosen[3].sum(axis=1) / rows
    lost = gained - mean
    largest = mean * (1 - mean) if scale == "shares" else gained + lost - mean**2
    size = effective(variance, largest, units, rows)
    low, high = size * (Z / (root + bend)) ** 2, size * (Z / (root - bend)) ** 2
    if scale == "shares":
        return score_limits(mean, low, Z)[0], score_limits(mean, high, Z)[1]
    return gap_limits(gained, lost, low, Z)[0], gap_limits(gained, lost, high, Z)[1]


def sums_of(chosen: Floats) -> tuple[Floats, Floats, Floats]:
    """Rows, mean, and by group the sum of residuals."""
    rows = chosen[0].sum(axis=1)
    mean = chosen[1].sum(axis=1) / rows
    return rows, mean, chosen[1] - mean[:, None] * chosen[0]


def by_heaviest(folder: Path, runs: int, generator: np.random.Generator) -> Iterable[tuple[str, list[float]]]:
    """By number of groups: samples without the one that moves the mean most, coverage there, elsewhere."""
    for name, scale, parts in grouped_sets(folder):
        if "MMLU" not in name:
            continue
        truth = float(parts[1].sum() / parts[0].sum())
        pulls = np.abs(parts[1] - truth * parts[0])
        told = []
        for groups in GROUPS:
            at = generator.integers(0, parts.shape[1], (runs, groups))
            lower, upper = of_groups(parts[:, at], scale)
            is_without = ~(at == pulls.argmax()).any(axis=1)
            shares = (share_held((lower[kept], upper[kept]), truth) for kept in (is_without, ~is_without))
            told += [float(is_without.mean()), *shares]
        yield f"{name} ({(pulls**2).max() / (pulls**2).sum():.0%} of variance)", told


def arms_swapped(
    folder: Path, runs: int, generator: np.random.Generator
) -> Iterable[tuple[str, list[float]]]:
    """Share of intervals that exclude no difference, where the two arms of a group are swapped by chance."""
    for name, scale, parts in grouped_sets(folder):
        if scale == "shares":
            continue
        # A cost has no second arm: what it is above the mean stands for the difference.
        mean = float(parts[1].sum() / parts[0].sum()) if scale == "numbers" else 0.0
        less = parts[1] - mean * parts[0]
        squares = parts[2] - 2 * mean * parts[1] + mean**2 * parts[0]
        centred = np.stack([parts[0], less, squares, parts[3]])
        found = []
        for groups in GROUPS:
            chosen = centred[:, generator.integers(0, parts.shape[1], (runs, groups))]
            is_swapped = generator.random(chosen.shape[1:]) < 0.5
            gained = np.where(is_swapped, chosen[3] - chosen[1], chosen[3])
            swapped = np.stack([chosen[0], np.where(is_swapped, -chosen[1], chosen[1]), chosen[2], gained])
            found.append(1 - share_held(of_groups(swapped, scale), 0.0))
        yield name, found


def of_two_samples(
    folder: Path, runs: int, generator: np.random.Generator
) -> Iterable[tuple[str, list[float]]]:
    """Coverage of the difference of a share between two samples of groups (`clustered_share_difference`)."""
    for name, scale, parts in grouped_sets(folder):
        if scale != "shares":
            continue
        held = []
        for groups in GROUPS:
            sides = []
            for count in (groups, 2 * groups):
                chosen = parts[:, generator.integers(0, parts.shape[1], (runs, count))]
                sides.append((chosen[1].sum(axis=1) / chosen[0].sum(axis=1), *of_groups(chosen, scale)))
            (now, low, high), (then, low_then, high_then) = sides
            lower = now - then - np.hypot(now - low, high_then - then)
            upper = now - then + np.hypot(high - now, then - low_then)
            held.append(share_held((lower, upper), 0.0))
        yield name, held


def others_tried(
    folder: Path, runs: int, generator: np.random.Generator
) -> Iterable[tuple[str, list[float]]]:
    """Coverage of MMLU by number of groups: jackknife, Fieller, wild restricted bootstrap, bootstrap t.

    MacKinnon, Nielsen and Webb, Journal of Econometrics 232 (2023), for the first and the third.
    """
    for name, scale, parts in grouped_sets(folder):
        if "MMLU" not in name:
            continue
        truth, held = float(parts[1].sum() / parts[0].sum()), []
        for groups in GROUPS:
            chosen = parts[:, generator.integers(0, parts.shape[1], (runs, groups))]
            held += [
                share_held(of_groups(chosen, scale, exponent=2), truth),
                fieller_coverage(chosen, truth),
                wild_coverage(chosen[:, : runs // 4], truth, generator),
                bootstrap_coverage(chosen[:, : runs // 4], truth, generator),
            ]
        yield name, held


def fieller_coverage(chosen: Floats, truth: float) -> float:
    """One-sample t of the sums of `x - truth` by group (Fieller 1954)."""
    sums = chosen[1] - truth * chosen[0]
    groups = sums.shape[1]
    error = sums.std(axis=1, ddof=1) / np.sqrt(groups)
    return float((np.abs(sums.mean(axis=1)) <= stats.t.ppf(0.975, groups - 1) * error).mean())


def studentized(sums: Floats, sizes: Floats, centre: Floats | float) -> Floats:
    """Mean over rows less a centre by its CR0 error, groups in the last axis."""
    rows = sizes.sum(axis=-1)
    mean = sums.sum(axis=-1) / rows
    pulls = sums - mean[..., None] * sizes
    with np.errstate(divide="ignore", invalid="ignore"):
        return (mean - centre) * rows / np.sqrt((pulls**2).sum(axis=-1))


def wild_coverage(chosen: Floats, truth: float, generator: np.random.Generator) -> float:
    """Restricted wild bootstrap with Webb's six weights, at the truth."""
    held = []
    for sizes, sums in zip(chosen[0], chosen[1], strict=True):
        weights = generator.choice(np.r_[-_WEBB, _WEBB], (_DRAWS, len(sizes)))
        drawn = studentized(weights * (sums - truth * sizes), np.broadcast_to(sizes, weights.shape), 0.0)
        found = studentized(sums, sizes, truth)
        held.append((1 + (np.abs(drawn) >= abs(found)).sum()) / (_DRAWS + 1) > 0.05)
    return float(np.mean(held))


def bootstrap_coverage(chosen: Floats, truth: float, generator: np.random.Generator) -> float:
    """Bootstrap t of whole groups, equal tails."""
    held = []
    for sizes, sums in zip(chosen[0], chosen[1], strict=True):
        at = generator.integers(0, len(sizes), (_DRAWS, len(sizes)))
        drawn = studentized(sums[at], sizes[at], sums.sum() / sizes.sum())
        low, high = np.nanquantile(drawn, [0.025, 0.975])
        held.append(low <= studentized(sums, sizes, truth) <= high)
    return float(np.mean(held))
