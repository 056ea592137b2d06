"""Whether the intervals, tests and alarms of `llmops_lib` keep what they promise, on real outcomes.

Coverage: samples of n items drawn from all items of an eval, whose mean is then the truth; items that come
in groups are drawn by group. False positives: real calls, their sessions assigned to two arms by chance, so
that every difference found is false; looked at once, and on each of 60 days. Quality: real judgements, a
cheaper judge corrected by labels of a better one, calls drawn with unequal chances and clustered by user.
Alarms: made passes and failures, a year of days.

Samples are drawn and summed many at a time; the first of each is held against the library's own function,
and a difference stops the run. Published figures are recomputed from raw rows.

The data are the AlpacaEval preferences and judgements, RouteLLM's answers, tau-bench runs and the requests of
RAGPulse by session, in one folder.

    python benchmarks/statistics.py ../shared/reference/data
    python benchmarks/statistics.py ../shared/reference/data --runs 4000
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from group_coverage import (
    GROUPS,
    arms_swapped,
    by_heaviest,
    group_coverage,
    of_two_samples,
    others_tried,
)
from interval_coverage import (
    ALPACA,
    SIZES,
    covers,
    item_coverage,
    require_same,
    spread_of_coverage,
)
from scipy import stats

from llmops_lib.stats.anytime import anytime_difference, asymptotic_sequence
from llmops_lib.stats.bounded_sequences import labelled_sequence
from llmops_lib.stats.cluster_permutation import cluster_permutation, permutation_interval
from llmops_lib.stats.clustered_prediction import Judged, clustered_prediction_powered
from llmops_lib.stats.cusum import cusum_limit
from llmops_lib.stats.distributions import t_quantile
from llmops_lib.stats.e_detectors import rises
from llmops_lib.stats.group_sequential import spending_limits
from llmops_lib.stats.pass_k import pass_hat_k
from llmops_lib.stats.ratio_score import null_variance
from llmops_lib.stats.ratios import ratio_difference, ratio_of_sums
from llmops_lib.stats.survey import hajek_mean
from llmops_lib.stats.win_rate import win_rate

Floats = npt.NDArray[np.float64]

JUDGES = ("cohere", "gpt-3.5-turbo-0301", "gemini-pro")
LIVE = (
    ("cohere", "alpaca_eval_gpt4_turbo_fn"),
    ("gpt-3.5-turbo-0301", "alpaca_eval_gpt4_turbo_fn"),
    ("alpaca-7b", "weighted_alpaca_eval_gpt4_turbo"),
)
DAYS = 60
PUBLISHED_WIN_RATES = {
    "gpt4_1106_preview": (50.0, 0.0),
    "claude-2.1": (15.733506736409938, 1.120315865445773),
    "FuseChat-Gemma-2-9B-Instruct": (70.49713534560247, 1.3426390784895994),
    "vicuna-13b-v1.5": (6.722122014857143, 0.7674173990955542),
}
"""`win_rate` and `standard_error` of AlpacaEval's leaderboard (weighted_alpaca_eval_gpt4_turbo)."""

PUBLISHED_PASS_K = (0.420, 0.273, 0.220, 0.200)
"""pass^1 to pass^4 of gpt-4o on the airline domain, tau-bench's README."""

PUBLISHED_ROUTES = {"strong": 80.59, "weak": 68.09}
"""MMLU accuracy of GPT-4 and Mixtral-8x7B that RouteLLM prints, in percent."""


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of the reference data")
    parser.add_argument("--runs", type=int, default=4_000, help="samples per row")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    folder, runs = options.data, options.runs
    print("published figures from raw rows: ours, published")
    for name, ours, published in reproduced(folder):
        print(f"{name:52}{ours:>12.4f}{published:>12.4f}")
    print(f"\ncoverage of 95% intervals, {runs} samples each (standard error {error(runs):.1%})")
    print(f"{'':52}" + "".join(f"{n:>8}" for n in SIZES))
    for name, held in item_coverage(folder, runs, generator):
        print(f"{name:52}" + "".join(f"{share:>8.1%}" for share in held))
    print("\nthe same on every model, and on 40 pairs of models: mean, lowest, highest")
    for name, rates in spread_of_coverage(folder, runs, generator):
        cells = (f"{np.mean(one):>8.1%}{min(one):>7.1%}{max(one):>7.1%}" for one in rates)
        print(f"{name:52}" + " |".join(cells))
    print("\ncoverage where whole groups are drawn: by default, by CR1, as if rows were independent")
    print(f"{'':52}" + "".join(f"{f'{groups} groups':>24}" for groups in GROUPS))
    for name, held in group_coverage(folder, runs, generator):
        print(f"{name:52}" + "".join(f"{share:>8.1%}" for share in held))
    print_groups(folder, runs, generator)
    few = max(runs // 10, 100)
    users = user_table(folder)
    print(
        "\nfalse positives at 5%, cost per call: calls independent; over sessions delta, score, permutation"
    )
    for size in (20, 50, 100, 200, 600):
        rates = false_positives(users, size, runs, generator)
        print(f"{f'{size} sessions':52}" + "".join(f"{rate:>8.1%}" for rate in rates))
    print(f"\ncoverage of a difference that is there, {few} samples: delta, score, permutation")
    for size in (20, 50, 200, 600):
        held = difference_coverage(users, size, few, generator)
        print(f"{f'{size} sessions':52}" + "".join(f"{share:>8.1%}" for share in held))
    print(
        f"\nany of {DAYS} daily looks at 600 sessions, {runs} tests: p < 5%, anytime-valid, 5 "
        "planned looks by delta and by score"
    )
    print(f"{'by session':52}" + "".join(f"{rate:>8.1%}" for rate in peeking(users, runs, generator)))
    print(
        f"{'the same where sessions come back, anytime-valid':52}{coming_back(users, few, generator):>8.1%}"
    )
    print(
        f"\n60 days of 10 judged calls, 3 labelled, {few} streams: no limit ever wrong, asymptotic sequence"
    )
    for name, rates in live_coverage(folder, few, generator):
        print(f"{name:52}" + "".join(f"{rate:>8.1%}" for rate in rates))
    print(f"\nquality of 2,000 judged calls, {few} samples: judge alone, labels alone, PPI++ by user")
    for name, rates in judge_coverage(folder, few, generator):
        print(f"{name:52}" + "".join(f"{rate:>8.1%}" for rate in rates))
    print(f"\nalarms over a year of 200 judged calls a day, reference 15%, {few} years: e-SR, CUSUM")
    for name, rates in alarm_rates(few, generator):
        print(f"{name:52}" + "".join(f"{rate:>8}" for rate in rates))


def print_groups(folder: Path, runs: int, generator: np.random.Generator) -> None:
    """Prints what is behind the coverage of groups."""
    for title, tables in (
        (
            "MMLU: samples without the subject that matters most, coverage there, elsewhere",
            by_heaviest,
        ),
        ("MMLU: jackknife, Fieller, wild bootstrap, bootstrap t (a quarter of the samples)", others_tried),
        ("shares of two samples of groups, the second twice as large: coverage", of_two_samples),
        ("no difference: arms of whole groups swapped by chance, found at 5%", arms_swapped),
    ):
        print(f"\n{title}; {', '.join(map(str, GROUPS))} groups")
        for name, shares in tables(folder, runs, generator):
            print(f"{name:52}" + "".join(f"{share:>8.1%}" for share in shares))


def error(runs: int) -> float:
    """Standard error of a coverage of 95%."""
    return float(np.sqrt(0.95 * 0.05 / runs))


def reproduced(folder: Path) -> Iterable[tuple[str, float, float]]:
    """Name, our figure and the published one."""
    preferences = pl.read_csv(folder / ALPACA, infer_schema_length=None)
    for model, (rate, se) in PUBLISHED_WIN_RATES.items():
        found = win_rate(preferences[model].cast(pl.Float64).drop_nulls() - 1)
        yield f"AlpacaEval win rate, {model}", 100 * (found.win_rate or 0.0), rate
        yield f"  its standard error, {model}", 100 * (found.se or 0.0), se
    tasks = (
        pl.read_csv(folder / "tau_bench_gpt4o_airline.csv")
        .group_by("task_id")
        .agg(pl.col("reward").sum(), pl.len())
    )
    for k, published in enumerate(PUBLISHED_PASS_K, 1):
        yield (
            f"tau-bench airline pass^{k}",
            pass_hat_k(tasks["reward"], tasks["len"], k).value or 0.0,
            published,
        )
    answers = pl.read_csv(folder / "routellm_mmlu.csv").filter(contaminated=0)
    for model, published in PUBLISHED_ROUTES.items():
        yield f"RouteLLM MMLU accuracy, {model}", 100 * float(answers[model].mean()), published


def user_table(folder: Path) -> Floats:
    """Per session of a real service: calls, sum of costs, sum of squared costs."""
    rows = pl.read_ndjson(folder / "ragpulse_week.jsonl")
    cost = 2.5e-6 * pl.col("input_length") + 1e-5 * pl.col("output_length")
    sessions = rows.group_by("session_id").agg(
        pl.len().alias("calls"), cost.sum().alias("cost"), (cost**2).sum().alias("square")
    )
    return sessions.sort("session_id").select("calls", "cost", "square").to_numpy().astype(float)


def moments_so_far(
    users: Floats, is_in: npt.NDArray[np.bool_], ends: npt.NDArray[np.int64]
) -> tuple[Floats, ...]:
    """Users of one arm and sums of calls, costs, squares and products: runs in rows, looks in columns."""
    calls, cost = users[..., 0] * is_in, users[..., 1] * is_in
    parts = (is_in, calls, cost, calls**2, cost**2, calls * cost)
    return tuple(np.cumsum(part, axis=1)[:, ends - 1].astype(float) for part in parts)


def by_delta(b: tuple[Floats, ...], a: tuple[Floats, ...]) -> tuple[Floats, Floats]:
    """Statistic and Welch's p value of the difference, residuals around the ratio of each arm."""
    ratios, variances = [], []
    for n, count, total, square, spread, cross in (b, a):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = total / count
            # The mean of the residuals is zero by the definition of the ratio.
            residual = spread - 2 * ratio * cross + ratio**2 * square
            ratios.append(ratio)
            variances.append(residual / (n - 1) * n / count**2)
    return welch(ratios[0] - ratios[1], variances, (b[0], a[0]))


def by_score(b: tuple[Floats, ...], a: tuple[Floats, ...]) -> tuple[Floats, Floats]:
    """The same of residuals around the ratio of both arms, which is `null_variance`."""
    shared = (b[2] + a[2]) / (b[1] + a[1])
    means, variances = [], []
    for n, count, total, square, spread, cross in (b, a):
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (total - shared * count) / n
            means.append(mean)
            variances.append(((spread - 2 * shared * cross + shared**2 * square) / n - mean**2) / (n - 1))
    return welch(means[0] - means[1], variances, (b[0], a[0]))


def welch(gap: Floats, variances: list[Floats], sizes: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Statistic and two-sided p value of a difference of two arms."""
    both = variances[0] + variances[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = gap / np.sqrt(both)
        df = both**2 / sum(v**2 / (n - 1) for v, n in zip(variances, sizes, strict=True))
    return z, 2 * stats.t.sf(np.abs(z), df)


def false_positives(users: Floats, size: int, runs: int, generator: np.random.Generator) -> list[float]:
    """Share of p values up to 5%: calls independent, delta method and score test over users, permutation."""
    at = generator.integers(0, len(users), (runs, size))
    arms = generator.permuted(np.broadcast_to(np.arange(size) % 2, (runs, size)), axis=1).astype(bool)
    chosen, ends = users[at], np.array([size])
    b, a = moments_so_far(chosen, arms, ends), moments_so_far(chosen, ~arms, ends)
    delta, score = by_delta(b, a)[1], by_score(b, a)[1]
    sides = [(chosen[0][side, 1], chosen[0][side, 0]) for side in (arms[0], ~arms[0])]
    plain = ratio_difference(*(ratio_of_sums(*side) for side in sides))
    null = null_variance(*sides)
    require_same(delta[0, 0], plain.p_two_sided)
    require_same(score[0, 0], None if null is None else null.p_two_sided(plain.value or 0.0))
    rates = [per_call(chosen, arms), float((delta <= 0.05).mean()), float((score <= 0.05).mean())]
    if size >= 100:
        return rates
    few = max(runs // 10, 100)
    permuted = [
        cluster_permutation(
            rows[:, 1], rows[:, 0], arm.astype(int), user_ids=[f"{run}:{n}" for n in range(size)]
        )
        for run, (rows, arm) in enumerate(zip(chosen[:few], arms[:few], strict=True))
    ]
    return [*rates, float(np.mean([(found.p_two_sided or 1.0) <= 0.05 for found in permuted]))]


def difference_coverage(users: Floats, size: int, runs: int, generator: np.random.Generator) -> list[float]:
    """Coverage of a difference that is there, delta and score, below 100 sessions permutation too.

    Sessions of several calls come more often in the candidate's arm, and its calls cost 30% more.
    """
    chance = np.where(users[:, 0] >= 2, 1.5, 1.0)
    chance /= chance.sum()
    of_b = 1.3 * float(chance @ users[:, 1] / (chance @ users[:, 0]))
    truth = of_b - float(users[:, 1].sum() / users[:, 0].sum())
    held = np.zeros(3)
    for run in range(runs):
        a = users[generator.integers(0, len(users), size // 2)]
        b = users[generator.choice(len(users), size // 2, p=chance)] * [1.0, 1.3, 1.0]
        plain = ratio_difference(ratio_of_sums(b[:, 1], b[:, 0]), ratio_of_sums(a[:, 1], a[:, 0]))
        null = null_variance((b[:, 1], b[:, 0]), (a[:, 1], a[:, 0]))
        ends = None if null is None else null.limits(plain.value or 0.0, t_quantile(0.975, null.df))
        held[:2] += covers(plain.interval, truth), ends is None or ends[0] <= truth <= ends[1]
        if size < 100:
            both, arm = np.vstack([b, a]), np.repeat([1, 0], size // 2)
            ids = [f"{run}:{n}" for n in range(size)]
            held[2] += covers(permutation_interval(both[:, 1], both[:, 0], arm, user_ids=ids)(0.05), truth)
    return list(held[: 3 if size < 100 else 2] / runs)


def per_call(chosen: Floats, arms: npt.NDArray[np.bool_]) -> float:
    """Share of p values up to 5% of a test that takes calls to be independent."""
    means, variances = [], []
    for side in (arms, ~arms):
        calls, cost, square = (np.where(side, chosen[..., part], 0).sum(axis=1) for part in range(3))
        means.append(cost / calls)
        variances.append((square / calls - (cost / calls) ** 2) / calls)
    z = (means[0] - means[1]) / np.sqrt(variances[0] + variances[1])
    return float((2 * stats.norm.sf(np.abs(z)) <= 0.05).mean())


def peeking(users: Floats, runs: int, generator: np.random.Generator) -> list[float]:
    """Share of tests of nothing that any of the daily looks would have stopped."""
    arrived = np.linspace(10, 600, DAYS).astype(int)
    planned = [arrived[DAYS * look // 5 - 1] for look in range(1, 6)]
    limits = dict(zip(planned, spending_limits(planned, planned=600), strict=True))
    chosen = users[generator.integers(0, len(users), (runs, 600))]
    arms = generator.integers(0, 2, (runs, 600)).astype(bool)
    b, a = moments_so_far(chosen, arms, arrived), moments_so_far(chosen, ~arms, arrived)
    may_look = np.minimum(b[0], a[0]) >= 50
    z, plain = by_delta(b, a)
    n = b[0] + a[0]
    rho_squared = (-2 * np.log(0.05) + np.log(1 - 2 * np.log(0.05))) / 500
    information = n * rho_squared
    valid = np.sqrt(information + 1) * np.exp(-information * z**2 / (2 * (information + 1)))
    last = [ratio_of_sums(chosen[0][side, 1], chosen[0][side, 0]) for side in (arms[0], ~arms[0])]
    require_same(min(1.0, float(valid[0, -1])), anytime_difference(*last).p_value)
    bounds = np.array([limits.get(int(look), np.inf) for look in arrived])
    # Limits of z are held with the z of the t test's p value.
    planned_z = stats.norm.isf(by_score(b, a)[1] / 2)
    stops = [plain <= 0.05, valid <= 0.05, np.abs(z) >= bounds, planned_z >= bounds]
    return [float((stop & may_look).any(axis=1).mean()) for stop in stops]


def coming_back(users: Floats, runs: int, generator: np.random.Generator) -> float:
    """Share of anytime-valid tests of nothing stopped where half of a session's calls come on a later day."""
    chosen = users[generator.integers(0, len(users), (runs, 600))]
    arms = generator.integers(0, 2, (runs, 600)).astype(bool)
    first = np.broadcast_to(np.arange(600) * DAYS // 600 + 1, (runs, 600))
    later = first + generator.integers(0, 30, (runs, 600))
    early = np.ceil(chosen[..., 0] / 2) / chosen[..., 0]
    stopped = np.zeros(runs, dtype=bool)
    rho_squared = (-2 * np.log(0.05) + np.log(1 - 2 * np.log(0.05))) / 500
    for day in range(1, DAYS + 1):
        share = (early * (first <= day) + (1 - early) * (later <= day))[..., None]
        seen, is_there, end = chosen * share, first <= day, np.array([600])
        b, a = moments_so_far(seen, arms & is_there, end), moments_so_far(seen, ~arms & is_there, end)
        z, _ = by_delta(b, a)
        information = (b[0] + a[0]) * rho_squared
        p = np.sqrt(information + 1) * np.exp(-information * z**2 / (2 * (information + 1)))
        stopped |= ((p <= 0.05) & (np.minimum(b[0], a[0]) >= 50)).ravel()
    return float(stopped.mean())


def live_coverage(
    folder: Path, runs: int, generator: np.random.Generator
) -> Iterable[tuple[str, list[float]]]:
    """Share of streams of 60 days of which no limit ever excludes the truth: by default, and asymptotic."""
    table = pl.read_csv(folder / "alpaca_eval2_judge_pairs.csv", infer_schema_length=None)
    for model, cheaper in LIVE:
        columns = [f"{model}|alpaca_eval_cot_gpt4_turbo_fn", f"{model}|{cheaper}"]
        pairs = table.select(pl.col(columns).cast(pl.Float64) > 1.5).drop_nulls().to_numpy().astype(float)
        truth, held = float(pairs[:, 0].mean()), np.zeros(2)
        for _ in range(runs):
            y, f = pairs[generator.integers(0, len(pairs), 10 * DAYS)].T
            known = np.where(generator.random(len(y)) < 0.3, y, np.nan)
            share = float((~np.isnan(known)).mean())
            values = f + np.where(np.isnan(known), 0.0, np.nan_to_num(known) - f) / share
            for place, found in enumerate(
                (labelled_sequence(f, known, label_share=share), asymptotic_sequence(values, tightest_at=500))
            ):
                at = np.searchsorted(found.n, np.arange(10, len(y) + 1, 10))
                held[place] += ((found.lower[at] <= truth) & (truth <= found.upper[at])).all()
        yield f"{model}, {truth:.0%} good", list(held / runs)


def judge_coverage(
    folder: Path, runs: int, generator: np.random.Generator
) -> Iterable[tuple[str, list[float]]]:
    """Coverage of quality from a cheaper judge, by labels of a better one; calls in clusters of one user."""
    table = pl.read_csv(folder / "alpaca_eval2_judge_pairs.csv", infer_schema_length=None)
    for model in JUDGES:
        columns = [f"{model}|alpaca_eval_cot_gpt4_turbo_fn", f"{model}|alpaca_eval_gpt4_turbo_fn"]
        pairs = table.select(pl.col(columns).cast(pl.Float64) > 1.5).drop_nulls().to_numpy().astype(float)
        for labels in (100, 300):
            held = np.zeros(3)
            for _ in range(runs):
                held += one_judged(pairs, labels, generator)
            yield f"{model}, {labels} labels", list(held / runs)


def one_judged(pairs: Floats, labels: int, generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Whether each interval of one sample holds the truth.

    What the judge says more seldom is drawn twice as often; each item is one user with one to four calls.
    """
    n, truth = 2_000, float(pairs[:, 0].mean())
    copies = generator.integers(1, 5, n)
    items = np.repeat(generator.integers(0, len(pairs), n), copies)
    users = np.repeat(np.arange(n), copies)
    rare = float(pairs[:, 1].mean() < 0.5)
    chance = np.where(pairs[items, 1] == rare, 0.8, 0.4)
    drawn = np.flatnonzero(generator.random(len(items)) < chance)[:n]
    y, f = pairs[items[drawn]].T
    pi, who = chance[drawn], users[drawn]
    known = np.full(len(y), np.nan)
    some = generator.permutation(len(y))[:labels]
    known[some] = y[some]
    judge = hajek_mean(f, pi, clusters=who).interval
    found = clustered_prediction_powered(Judged(known, f, 1 / pi, who))
    return np.array([covers(one, truth) for one in (judge, found.labelled_only, found.interval)])


def alarm_rates(runs: int, generator: np.random.Generator) -> Iterable[tuple[str, list[str]]]:
    """Share of years with an alarm at a level of failures, and median days until one after a rise."""
    per_day, days, reference, acceptable = 200, 365, 0.15, 0.17
    height = cusum_limit(365)
    for level in (0.15, 0.17, 0.20, 0.25, 0.30):
        first = np.full((runs, 2), np.inf)
        for run in range(runs):
            failures = (generator.random(per_day * days) < level).astype(float)
            found = rises(
                failures[: per_day * (days if level <= acceptable else 60)],
                acceptable,
                average_run_length=per_day * 365,
            )
            daily = failures.reshape(days, per_day).mean(axis=1)
            z = (daily - reference) / np.sqrt(reference * (1 - reference) / per_day)
            steps = np.concatenate([[0.0], np.cumsum(z - 0.5)])
            over = np.flatnonzero((steps - np.minimum.accumulate(steps))[1:] > height)
            first[run] = (
                found[0].at // per_day + 1 if found else np.inf,
                over[0] + 1 if len(over) else np.inf,
            )
        if level <= acceptable:
            yield (
                f"any alarm within a year, {level:.0%} failures",
                [f"{share:.0%}" for share in (first < np.inf).mean(axis=0)],
            )
        else:
            yield (
                f"median days until it is found, {level:.0%} failures",
                [f"{day:.0f}" for day in np.median(first, axis=0)],
            )


if __name__ == "__main__":
    main()
