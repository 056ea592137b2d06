"""Whether the intervals and tests of `llmops_lib.stats` keep what they promise, on real outcomes.

Coverage: samples of n items drawn from all items of an eval, whose mean is then the truth; items that come
in groups are drawn by group. False positives: real calls, their sessions assigned to two arms by chance, so
that every difference found is false; looked at once, and on each of 60 days.

The data are the AlpacaEval preferences, RouteLLM's MMLU answers, tau-bench runs and the requests of RAGPulse
by session, in one folder.

    python benchmarks/interval_coverage.py ../shared/reference/data
    python benchmarks/interval_coverage.py ../shared/reference/data --runs 4000
"""

import argparse
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from llmops_lib.stats.anytime import anytime_difference
from llmops_lib.stats.cluster_permutation import cluster_permutation
from llmops_lib.stats.clustered_mean import clustered_mean
from llmops_lib.stats.distributions import two_sided_interval, two_sided_p
from llmops_lib.stats.group_sequential import spending_limits
from llmops_lib.stats.paired import paired_difference
from llmops_lib.stats.paired_proportions import tango
from llmops_lib.stats.proportions import clopper_pearson, wilson
from llmops_lib.stats.ratios import ratio_difference, ratio_of_sums
from llmops_lib.stats.results import Interval
from llmops_lib.stats.win_rate import win_rate

Floats = npt.NDArray[np.float64]

ALPACA = "alpaca_eval2_weighted_gpt4turbo_preference.csv"
PAIRS = (
    ("claude-2.1", "claude-2.1_concise"),
    ("FuseChat-Gemma-2-9B-Instruct", "FuseChat-Qwen-2.5-7B-Instruct"),
)
SIZES = (50, 200, 805)
DAYS = 60


def main() -> None:
    """Prints the three tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of the reference data")
    parser.add_argument("--runs", type=int, default=2_000, help="samples per row")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    print(f"coverage of 95% intervals, {options.runs} samples each")
    print(f"{'':52}" + "".join(f"{n:>8}" for n in SIZES))
    for name, held in item_coverage(options.data, options.runs, generator):
        print(f"{name:52}" + "".join(f"{share:>8.1%}" for share in held))
    print("\nthe same for items in groups, drawn by group: clustered, and as if rows were independent")
    for name, clustered, naive in group_coverage(options.data, options.runs, generator):
        print(f"{name:52}{clustered:>8.1%}{naive:>8.1%}")
    users, runs = user_table(options.data), max(options.runs // 4, 100)
    print(f"\nfalse positives at 5%, cost per call, {runs} tests: calls independent, sessions, permutation")
    for size in (20, 50):
        rates = false_positives(users, size, runs, generator)
        print(f"{f'{size} sessions':52}" + "".join(f"{rate:>8.1%}" for rate in rates))
    print(f"\nany of {DAYS} daily looks at 600 sessions, {runs} tests: p < 5%, anytime-valid, planned looks")
    print(f"{'':52}" + "".join(f"{rate:>8.1%}" for rate in peeking(users, runs, generator)))


def covers(interval: Interval, truth: float) -> bool:
    """Whether an interval holds the truth; a side that does not exist does not exclude it."""
    above = interval.lower is None or interval.lower <= truth + 1e-12
    return above and (interval.upper is None or interval.upper >= truth - 1e-12)


Method = Callable[[npt.NDArray[np.int64]], Interval]


def methods(a: Floats, b: Floats) -> dict[str, tuple[float, Method]]:
    """Each method for one pair of prompts: the truth, and the interval from drawn positions."""
    won, wins = a > 0.5, b > 0.5
    rate = float(wins.mean())
    return {
        "paired t": (float((b - a).mean()), lambda at: paired_difference(b[at], a[at]).interval),
        "win rate, t": (float(b.mean()), lambda at: win_rate(b[at]).interval),
        "wins, Wilson": (rate, lambda at: wilson(int(wins[at].sum()), len(at))),
        "wins, Clopper-Pearson": (rate, lambda at: clopper_pearson(int(wins[at].sum()), len(at))),
        "paired wins, Tango": (rate - float(won.mean()), lambda at: paired_wins(won[at], wins[at])),
    }


def item_coverage(
    folder: Path, runs: int, generator: np.random.Generator
) -> Iterable[tuple[str, list[float]]]:
    """Name of a method and its coverage at each sample size."""
    table = pl.read_csv(folder / ALPACA, infer_schema_length=None)
    for before, after in PAIRS:
        rows = table.select(pl.col(before, after).cast(pl.Float64) - 1).drop_nulls().to_numpy()
        for name, (truth, make) in methods(rows[:, 0], rows[:, 1]).items():
            drawn = [
                sum(covers(make(generator.integers(0, len(rows), n)), truth) for _ in range(runs)) / runs
                for n in SIZES
            ]
            yield f"{name}, {after}", drawn


def paired_wins(won: npt.NDArray[np.bool_], wins: npt.NDArray[np.bool_]) -> Interval:
    """Tango's interval of the difference of two columns of wins."""
    both, lost, gained = int((won & wins).sum()), int((won & ~wins).sum()), int((~won & wins).sum())
    rest = len(won) - both - lost - gained
    return tango(both_pass=both, regressions=lost, improvements=gained, both_fail=rest)


def group_coverage(
    folder: Path, runs: int, generator: np.random.Generator
) -> Iterable[tuple[str, float, float]]:
    """Coverage of the clustered and of the naive interval where whole groups are drawn."""
    mmlu = pl.read_csv(folder / "routellm_mmlu.csv").filter(contaminated=0)
    tau = pl.read_csv(folder / "tau_bench_gpt4o_airline.csv")
    for name, rows, value, group in (
        ("MMLU answers of Mixtral by 57 subjects", mmlu, "weak", "domain"),
        ("tau-bench rewards by 50 tasks", tau, "reward", "task_id"),
    ):
        parts = [part[value].to_numpy().astype(float) for part in rows.partition_by(group)]
        truth = float(rows[value].mean())
        held = naive = 0
        for _ in range(runs):
            chosen = [parts[at] for at in generator.integers(0, len(parts), len(parts))]
            values = np.concatenate(chosen)
            codes = np.repeat(np.arange(len(parts)), [len(part) for part in chosen])
            found = clustered_mean(values, codes)
            held += covers(found.interval, truth)
            plain = two_sided_interval(values.mean(), found.se_naive, alpha=0.05, method="naive")
            naive += covers(plain, truth)
        yield name, held / runs, naive / runs


def user_table(folder: Path) -> Floats:
    """Per session of a real service: calls, sum of costs, sum of squared costs."""
    rows = pl.read_ndjson(folder / "ragpulse_week.jsonl")
    cost = 2.5e-6 * pl.col("input_length") + 1e-5 * pl.col("output_length")
    sessions = rows.group_by("session_id").agg(
        pl.len().alias("calls"), cost.sum().alias("cost"), (cost**2).sum().alias("square")
    )
    return sessions.sort("session_id").select("calls", "cost", "square").to_numpy().astype(float)


def per_call_p(candidate: Floats, baseline: Floats) -> float:
    """What a test would say that takes calls to be independent."""
    means, variances = [], []
    for arm in (candidate, baseline):
        calls, cost, square = arm.sum(axis=0)
        means.append(cost / calls)
        variances.append((square / calls - (cost / calls) ** 2) / calls)
    return two_sided_p((means[0] - means[1]) / math.sqrt(sum(variances)))


def false_positives(users: Floats, size: int, runs: int, generator: np.random.Generator) -> list[float]:
    """Share of p values up to 5% with calls independent, users independent, and by permutation."""
    hits = np.zeros(3)
    for run in range(runs):
        chosen = users[generator.choice(len(users), size, replace=False)]
        arm = generator.permutation(np.arange(size) % 2)
        b, a = chosen[arm == 1], chosen[arm == 0]
        ratios = ratio_of_sums(b[:, 1], b[:, 0]), ratio_of_sums(a[:, 1], a[:, 0])
        ids = [f"{run}:{at}" for at in range(size)]
        permuted = cluster_permutation(chosen[:, 1], chosen[:, 0], arm, user_ids=ids)
        by_session = ratio_difference(*ratios).p_two_sided
        p_values = np.array([per_call_p(b, a), by_session or 1.0, permuted.p_two_sided or 1.0])
        hits += p_values <= 0.05
    return list(hits / runs)


def peeking(users: Floats, runs: int, generator: np.random.Generator) -> list[float]:
    """Share of tests of nothing that any of the daily looks would have stopped."""
    arrived = np.linspace(10, 600, DAYS).astype(int)
    planned = [arrived[DAYS * look // 5 - 1] for look in range(1, 6)]
    limits = dict(zip(planned, spending_limits(planned, planned=600), strict=True))
    hits = np.zeros(3)
    for _ in range(runs):
        chosen = users[generator.integers(0, len(users), 600)]
        arm = generator.integers(0, 2, 600)
        any_look = np.zeros(3, dtype=bool)
        for n in arrived:
            now, side = chosen[:n], arm[:n]
            if min(side.sum(), n - side.sum()) < 50:
                continue
            b, a = (ratio_of_sums(now[side == at, 1], now[side == at, 0]) for at in (1, 0))
            plain, valid = ratio_difference(b, a), anytime_difference(b, a)
            z = abs(plain.value) / plain.se if plain.se else 0.0
            any_look |= [plain.p_two_sided <= 0.05, valid.p_value <= 0.05, n in limits and z >= limits[n]]
        hits += any_look
    return list(hits / runs)


if __name__ == "__main__":
    main()
