"""How often the gate blocks what did not change, and which drops it sees, beside simpler rules.

Three tables. Simulated suites: pass rates of items follow a beta distribution that was fitted to real agent
runs (`agent`, 43% pass) or has the same correlation of trials at 86% (`mature`). The escalating gate on the
same. Real outcomes: subsamples of AlpacaEval preferences, RouteLLM's MMLU answers and tau-bench trials.

Each figure stands beside the one that was stated for this design before it was built, with a mark: `=` where
the two differ by less than three Monte-Carlo standard errors (of both, and of rounding), `x` where by more.

    python benchmarks/gate.py ../shared/reference/data
    python benchmarks/gate.py --runs 500 --suites 200
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from llmops_lib.stats.gate_power import SimulatedSuites, simulated_suites, smallest_drop_blocked
from llmops_lib.stats.gate_rule import GateRule, decide, drop_p_values, escalating, lower_limits
from llmops_lib.stats.power import PassRateSpread
from llmops_lib.stats.within_item_scores import sign_flip

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ALPHA, MARGIN, Z = 0.05, 0.05, 1.6448536269514722
SUITES = {"agent": PassRateSpread(0.642, 0.858), "mature": PassRateSpread(1.5 * 0.86, 1.5 * 0.14)}
RULES = ("dropped", "> 2 pts", "> 5 pts", "pooled z", "exact", "shuffled", "not inferior")

STATED = {
    ("agent", 50, 1, 1): ((45, 35, 26, 1.6, 3.0, 2.4, 83), (None, None)),
    ("agent", 50, 4, 4): ((46, 28, 8.8, 1.7, 3.9, 2.9, 62), (9.9, 11.5)),
    ("agent", 50, 2, 8): ((49, 31, 12, 1.8, 3.6, 3.0, 69), (11.6, 12.7)),
    ("agent", 50, 8, 8): ((47, 20, 2.6, 1.7, 4.1, 3.2, 41), (7.0, 8.2)),
    ("agent", 100, 4, 4): ((47, 21, 2.8, 1.7, 4.0, 3.6, 41), (7.0, 7.6)),
    ("agent", 200, 4, 4): ((48, 15, 0.4, 1.6, 4.2, 3.4, 17), (4.9, 5.4)),
    ("agent", 500, 1, 1): ((49, 19, 2.4, 2.4, 5.3, 2.4, 33), (6.4, 6.7)),
    ("agent", 500, 4, 4): ((47, 5.2, 0.0, 1.3, 5.0, 3.8, 0.6), (3.2, 3.4)),
    ("agent", 500, 8, 8): ((52, 0.8, 0.0, 1.6, 5.6, 3.4, 0.0), (2.2, 2.4)),
    ("mature", 50, 1, 1): ((42, 29, 17, 1.7, 2.0, 1.5, 75), (17.9, None)),
    ("mature", 50, 4, 4): ((45, 19, 2.8, 2.0, 3.4, 2.4, 39), (8.0, 9.5)),
    ("mature", 50, 2, 8): ((48, 24, 5.0, 2.1, 3.6, 2.9, 48), (8.8, 10.1)),
    ("mature", 100, 4, 4): ((48, 14, 0.4, 2.2, 4.8, 3.5, 17), (5.4, 6.3)),
    ("mature", 200, 4, 4): ((48, 6.1, 0.0, 1.8, 4.0, 3.7, 2.1), (3.9, 4.2)),
    ("mature", 500, 1, 1): ((51, 11, 0.0, 1.8, 4.0, 2.8, 10), (4.8, 5.0)),
    ("mature", 500, 4, 4): ((51, 1.0, 0.0, 1.8, 5.1, 3.2, 0.0), (2.3, 2.5)),
}
"""By suite, items, trials of candidate and baseline: blocks in percent by rule, smallest drops in points."""

STATED_LOOKS = {
    "mature": ((79, 96, 98, 99), (5.2, 3.7, 2.3, 2.0)),
    "agent": ((48, 77, 95, 99), (6.5, 5.4, 3.6, 2.2)),
}
"""Passes in percent and mean trials of the escalating gate at 50, 100, 200 and 500 items, unchanged."""

STATED_LOOK_BLOCKS = (0.9, 3.1)
"""Least and most blocks in percent of the escalating gate over those eight, unchanged."""

ALPACA, MMLU, TAU = (
    "alpaca_eval2_weighted_gpt4turbo_preference.csv",
    "routellm_mmlu.csv",
    "tau_bench_gpt4o_airline.csv",
)
PAIRS = {
    ("gpt-3.5-turbo-1106", "gpt-3.5-turbo-1106_concise"): ((75, 21, 2), (100, 76, 7)),
    ("gpt-3.5-turbo-1106_verbose", "gpt-3.5-turbo-1106"): ((87, 29, 5), (100, 99.8, 88)),
    ("claude-2.1", "claude-2.1_concise"): ((96, 49, 23), (100, 100, 100)),
    ("FuseChat-Gemma-2-9B-Instruct", "FuseChat-Qwen-2.5-7B-Instruct"): ((86, 26, 9), (100, 99.7, 95)),
}
SAME = ("vicuna-13b-v1.5", "vicuna-13b-v1.5-togetherai")
STATED_SAME = ((50, 4.6, 0.6), (51, 4.7, 0.2))
STATED_MMLU = {0.25: ((74, 4, 0.2), (99.7, 89, 15)), 1.0: ((97, 47, 39), (100, 100, 100))}
STATED_TAU = (43, 4.9, 2.3)
STATED_RUNS = 4_000


@dataclass
class Tally:
    """How many figures agree with those stated, and how many do not."""

    agreeing: int = 0
    differing: int = 0

    def share(self, found: float, runs: int, stated: float, stated_runs: int = STATED_RUNS) -> str:
        """A share in percent beside the one stated."""
        rate = max(min((found * runs + stated / 100 * stated_runs) / (runs + stated_runs), 0.999), 0.001)
        se = 100 * math.sqrt(rate * (1 - rate) * (1 / runs + 1 / stated_runs))
        step = 0.05 if stated != int(stated) or stated == 0 else 0.5
        return self._marked(100 * found, stated, 3 * se + step)

    def points(self, found: float | None, stated: float | None, se: float) -> str:
        """A smallest drop in points beside the one stated; None is one above 20 points."""
        if stated is None:
            return self._told("none" if found is None else f"{found:.1f}", ">20", (found or 99) > 20 - 3 * se)
        return self._marked(math.inf if found is None else found, stated, 3 * se + 0.05)

    def number(self, found: float, stated: float, se: float) -> str:
        """A number beside the one stated."""
        return self._marked(found, stated, 3 * se + 0.05)

    def between(self, found: float, runs: int, least: float, most: float) -> str:
        """A share in percent beside the range that was stated."""
        se = 100 * math.sqrt(most / 100 * (1 - most / 100) * (1 / runs + 1 / STATED_RUNS))
        is_within = least - 3 * se - 0.05 <= 100 * found <= most + 3 * se + 0.05
        return self._told(f"{100 * found:.1f}", f"{least:g}-{most:g}", is_within)

    def _marked(self, found: float, stated: float, within: float) -> str:
        return self._told(f"{found:.1f}", f"{stated:g}", abs(found - stated) <= within)

    def _told(self, found: str, stated: str, is_same: bool) -> str:
        self.agreeing += is_same
        self.differing += not is_same
        return f"{found} {'=' if is_same else 'x'} {stated}"


def main() -> None:
    """Prints the tables, and how many figures agree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data", type=Path, nargs="?", help="folder of the reference data; without, no real outcomes"
    )
    parser.add_argument("--runs", type=int, default=4_000, help="unchanged pairs of runs per row")
    parser.add_argument("--suites", type=int, default=1_000, help="suites that a smallest drop is found on")
    parser.add_argument("--samples", type=int, default=600, help="subsamples of real outcomes per row")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began, tally = time.perf_counter(), Tally()
    print(f"simulated suites, unchanged, {options.runs} pairs: blocks in %; smallest drop blocked in points")
    heads = ("suite, items, trials", *RULES, "diffuse", "broken")
    _line(heads)
    worst = 0.0
    for cells, exact in simulated(options.runs, options.suites, options.seed, tally):
        worst = max(worst, exact)
        _line(cells)
    se = math.sqrt(ALPHA * (1 - ALPHA) / options.runs)
    print(f"most blocks of the exact gate: {worst:.1%}; allowed {ALPHA:.0%}, standard error {se:.1%}")
    print(
        f"\nescalating gate (2-4-8 against 8), unchanged, {options.runs} pairs: blocks, passes in %, trials"
    )
    for cells in looked(options.runs, options.seed, tally):
        _line(cells)
    if options.data is not None:
        print(f"\nreal outcomes, {options.samples} subsamples (MMLU, tau-bench {options.runs}): blocks in %")
        _line(("comparison", "items", "dropped", "the gate", "unpaired z"))
        for cells in outcomes(options.data, options.samples, options.runs, options.seed, tally):
            _line(cells)
    print(f"\n{tally.agreeing} figures agree, {tally.differing} do not; {time.perf_counter() - began:.0f} s")


def _line(cells: tuple[str, ...]) -> None:
    print(f"{cells[0]:40}" + "".join(f"{cell:>15}" for cell in cells[1:]))
    sys.stdout.flush()


def simulated(
    runs: int, suite_count: int, seed: int, tally: Tally
) -> Iterator[tuple[tuple[str, ...], float]]:
    """Rows of the first table, and how often the exact gate blocked in each."""
    for (name, items, a, b), (stated, drops) in STATED.items():
        size = {"trials": a, "baseline_trials": b}
        suites = simulated_suites(SUITES[name], items, **size, suite_count=runs, seed=seed)
        shares = blocks(suites, a, np.random.default_rng(seed + 1))
        stated_runs = 2_000 if items == 500 else STATED_RUNS
        cells = [
            tally.share(share, len(suites.rates), one, stated_runs)
            for share, one in zip(shares, stated, strict=True)
        ]
        fewer = simulated_suites(SUITES[name], items, **size, suite_count=suite_count, seed=seed + 2)
        for shape, drop in zip(("diffuse", "concentrated"), drops, strict=True):
            found = smallest_drop_blocked(fewer, GateRule(((a, ALPHA),), MARGIN), shape=shape)
            points = None if found is None else 100 * found
            # Slope of power at 80% by the normal approximation; the stated figure has an error of its own.
            se = 0.575 * (drop or 20) * math.sqrt(1 / len(fewer.rates) + 1 / 1_000)
            cells.append(tally.points(points, drop, se))
        yield (f"{name}, {items}, {a}/{b}", *cells), shares[4]


def blocks(suites: SimulatedSuites, a: int, generator: np.random.Generator) -> list[float]:
    """Shares of unchanged pairs that each rule blocks."""
    b, before = suites.baseline_trials, suites.baseline_passes
    passes = (suites.uniforms < suites.rates[:, :, None]).sum(axis=2)
    diff = (passes / a - before / b).mean(axis=1)
    items = passes.shape[1]
    means = passes.mean(axis=1) / a, before.mean(axis=1) / b
    pooled = (means[0] * a + means[1] * b) / (a + b)
    z = diff / np.sqrt(np.maximum(pooled * (1 - pooled), 1e-12) * (1 / a + 1 / b) / items)
    found = [diff < -1e-9, diff < -0.02 - 1e-9, diff < -0.05 - 1e-9, z < -Z]
    found.append(drop_p_values(passes, a, before, b) <= ALPHA)
    mixed = (suites.uniforms < shuffled(suites.rates, 0.3, generator)[:, :, None]).sum(axis=2)
    found.append(drop_p_values(mixed, a, before, b) <= ALPHA)
    found.append(lower_limits(passes, a, before, b, ALPHA) <= -MARGIN)
    return [float(one.mean()) for one in found]


def shuffled(rates: Floats, share: float, generator: np.random.Generator) -> Floats:
    """Pass rates of which a share of items swapped theirs among each other: some better, some worse."""
    changed = rates.copy()
    count = round(share * rates.shape[1])
    for row in changed:  # each suite has a choice and an order of its own
        chosen = generator.permutation(len(row))[:count]
        row[chosen] = row[generator.permutation(chosen)]
    return changed


def looked(runs: int, seed: int, tally: Tally) -> Iterator[tuple[str, ...]]:
    """Rows of the second table."""
    for name, (passes, trials) in STATED_LOOKS.items():
        for items, passed, mean in zip((50, 100, 200, 500), passes, trials, strict=True):
            suites = simulated_suites(
                SUITES[name], items, trials=8, baseline_trials=8, suite_count=runs, seed=seed + 3
            )
            found = suites.decided(GateRule(escalating(ALPHA), MARGIN))
            se = float(found.trials.std()) * math.sqrt(1 / runs + 1 / STATED_RUNS)
            yield (
                f"{name}, {items}",
                tally.between(float(found.blocked.mean()), runs, *STATED_LOOK_BLOCKS),
                tally.share(float(found.passed.mean()), runs, passed),
                tally.number(float(found.trials.mean()), mean, se),
            )


def outcomes(data: Path, samples: int, runs: int, seed: int, tally: Tally) -> Iterator[tuple[str, ...]]:
    """Rows of the third table."""
    generator = np.random.default_rng(seed + 4)
    table = pl.read_csv(data / ALPACA)
    every = [(SAME, STATED_SAME), *PAIRS.items()]
    for (before, after), stated in every:
        scores = table.select(before, after).drop_nulls().to_numpy()
        for items, one in zip((50, 500), stated, strict=True):
            shares = _sampled(scores, items, samples, generator, is_swapped=(before, after) == SAME)
            told = "A/A " + before if (before, after) == SAME else f"{before[:17]} -> {after[-17:]}"
            yield (told, str(items), *_cells(shares, one, samples, tally))
    answers = pl.read_csv(data / MMLU).filter(contaminated=0).select("strong", "weak").to_numpy()
    for share, stated in STATED_MMLU.items():
        for items, one in zip((50, 500), stated, strict=True):
            shares = _mixed(answers, share, items, runs, generator)
            yield (f"GPT-4 -> Mixtral on {share:.0%} of MMLU", str(items), *_cells(shares, one, runs, tally))
    rewards = pl.read_csv(data / TAU).sort("task_id", "trial")["reward"].to_numpy().reshape(-1, 4)
    yield (
        "A/A tau-bench, 2 trials against 2",
        "50",
        *_cells(_split(rewards, runs, generator), STATED_TAU, runs, tally),
    )


def _cells(shares: list[float], stated: tuple[float, ...], runs: int, tally: Tally) -> list[str]:
    return [tally.share(share, runs, one) for share, one in zip(shares, stated, strict=True)]


def _sampled(
    scores: Floats, items: int, samples: int, generator: np.random.Generator, *, is_swapped: bool
) -> list[float]:
    """Shares of subsamples that are blocked: by any drop, by the sign-flip test, by an unpaired z test."""
    found = []
    for _ in range(samples):
        pair = scores[generator.choice(len(scores), items, replace=False)]
        if is_swapped:  # the hosts of each item, by chance: then nothing differs but noise
            pair = np.where(generator.random((items, 1)) < 0.5, pair, pair[:, ::-1])
        diff = pair[:, 1] - pair[:, 0]
        z = diff.mean() / math.sqrt(pair.var(axis=0, ddof=1).sum() / items)
        found.append((diff.mean() < 0, sign_flip(diff).p_drop <= ALPHA, z < -Z))
    return [float(share) for share in np.mean(found, axis=0)]


def _mixed(
    answers: Integers, share: float, items: int, runs: int, generator: np.random.Generator
) -> list[float]:
    """As `_sampled` for one trial of pass or fail; a share of items is answered by the weaker model."""
    drawn = answers[generator.integers(len(answers), size=(runs, items))]
    is_weak = generator.random((runs, items)) < share
    before, after = drawn[:, :, 0], np.where(is_weak, drawn[:, :, 1], drawn[:, :, 0])
    means = before.mean(axis=1), after.mean(axis=1)
    pooled = (means[0] + means[1]) / 2
    z = (means[1] - means[0]) / np.sqrt(np.maximum(pooled * (1 - pooled), 1e-12) * 2 / items)
    exact = drop_p_values(after, 1, before, 1) <= ALPHA
    return [float(one.mean()) for one in (means[1] < means[0], exact, z < -Z)]


def _split(rewards: Integers, runs: int, generator: np.random.Generator) -> list[float]:
    """The four real trials of each task, split by chance into two runs of two."""
    order = generator.random((runs, *rewards.shape)).argsort(axis=2)
    drawn = np.take_along_axis(np.broadcast_to(rewards, order.shape), order, axis=2)
    before, after = drawn[:, :, :2].sum(axis=2), drawn[:, :, 2:].sum(axis=2)
    exact = decide(drawn[:, :, 2:], before, 2, GateRule(((2, ALPHA),), MARGIN)).blocked
    pooled = (before + after).mean(axis=1) / 4
    z = (after - before).mean(axis=1) / 2 / np.sqrt(pooled * (1 - pooled) * (1 / 2 + 1 / 2) / len(rewards))
    return [float(one.mean()) for one in (after.sum(axis=1) < before.sum(axis=1), exact, z < -Z)]


if __name__ == "__main__":
    main()
