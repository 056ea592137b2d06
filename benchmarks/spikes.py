"""How often `spend_spikes` cries wolf on quiet traffic, and how often it finds what is planted.

False alarms: seeded quiet months of 60 tenants x features, alone (a first week that is not judged and three
of little history) and after four more weeks; alarms per group and week with the exact Poisson interval.
With `--least-excess 0` every group counts, however little it spends; the library leaves out less than $1.

Found: the same traffic, calls of one group multiplied for some hours of its last week.

    python benchmarks/spikes.py
    python benchmarks/spikes.py --months 40 --least-excess 0
"""

import argparse
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import polars as pl
from scipy.stats import chi2

from llmops_lib import Period, spend_spikes
from llmops_lib.demo.quiet import quiet_calls

WEEK = timedelta(weeks=1)
RATES = (0.1, 0.02, 0.01)
PLANTED = ((10, 1), (3, 3), (2, 12), (1.5, 48))


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--months", type=int, default=20, help="quiet months per row")
    parser.add_argument("--least-excess", type=float, default=1.0, help="least_excess_usd")
    parser.add_argument("--first-seed", type=int, default=1)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.months)
    print(f"false alarms, least_excess_usd={options.least_excess:g}, {options.months} months of 60 groups")
    print(
        f"{'stated':>7} {'history':>8} {'detector':>10} {'alarms':>7} {'group weeks':>12} {'rate':>8}"
        "  95% interval"
    )
    for rate in RATES:
        for name, weeks in (("none", 4), ("4 weeks", 8)):
            print_rates(rate, name, [quiet_alarms(seed, weeks, rate, options.least_excess) for seed in seeds])
    print("\nfound within a day of its end, of the groups of at least 2 calls per hour and below")
    for times, hours in PLANTED:
        print_found(times, hours, seeds)


def quiet_alarms(seed: int, weeks: int, rate: float, least_excess: float) -> tuple[dict[str, int], float]:
    """Alarms by detector in the last four of that many quiet weeks, and the group weeks that were judged."""
    calls = quiet_calls(seed, weeks=weeks)
    start = calls["started_at"].min().replace(hour=0, minute=0, second=0, microsecond=0)
    end_on = (start + weeks * WEEK).date()
    month = Period.days(end_on - 4 * WEEK, end_on)
    found = spend_spikes(calls, period=month, false_alarms_per_week=rate, least_excess_usd=least_excess)
    judged_weeks = min(weeks - 1, 4) * calls.select("tenant", "feature").n_unique()
    return dict(found.group_by("detector").len().iter_rows()), judged_weeks


def print_rates(rate: float, history: str, months: list[tuple[dict[str, int], float]]) -> None:
    """One line per detector, and one for all."""
    group_weeks = sum(weeks for _, weeks in months)
    counts = {
        name: sum(found.get(name, 0) for found, _ in months) for name in ("spike", "sustained", "daily")
    }
    for name, count in {**counts, "all": sum(counts.values())}.items():
        low, high = poisson_interval(count)
        print(
            f"{rate:>7} {history:>8} {name:>10} {count:>7} {group_weeks:>12,.0f} {count / group_weeks:>8.4f}"
            f"  {low / group_weeks:.4f} to {high / group_weeks:.4f}"
        )


def poisson_interval(count: int) -> tuple[float, float]:
    """The exact 95% interval of a Poisson mean (Garwood 1936)."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return low, chi2.ppf(0.975, 2 * count + 2) / 2


def print_found(times: float, hours: int, seeds: range) -> None:
    """How many of the planted rises are found, for busy and for quiet groups, at the default rate."""
    found = [outcome for seed in seeds for outcome in planted_found(seed, times, hours)]
    shares = []
    for is_busy in (True, False):
        those = [is_found for busy, is_found in found if busy == is_busy]
        shares.append(f"{np.mean(those):>6.0%} of {len(those)}" if those else "no group")
    print(f"x{times:<4g} for {hours:>2} h: {shares[0]:>14} {shares[1]:>14}")


def planted_found(seed: int, times: float, hours: int) -> Iterator[tuple[bool, bool]]:
    """For a few groups of a quiet run of five weeks: whether busy, and whether the planted rise is found."""
    rng = np.random.default_rng(seed)
    calls = quiet_calls(seed, weeks=5)
    for group in calls.partition_by("tenant", "feature", maintain_order=True):
        if rng.random() > 0.2:
            continue
        start = group["started_at"].min().replace(minute=0, second=0, microsecond=0) + timedelta(
            days=30, hours=int(rng.integers(24))
        )
        end = start + timedelta(hours=hours)
        inside = group.filter(pl.col("started_at").is_between(start, end, closed="left"))
        more = [inside.sample(fraction=times - 1, with_replacement=True, seed=seed)] if inside.height else []
        found = spend_spikes(pl.concat([group, *more]), least_excess_usd=0.01)
        is_found = found.filter((pl.col("started_at") < end) & (pl.col("ended_at") > start)).height > 0
        yield group.height >= 2 * 24 * 35, is_found


if __name__ == "__main__":
    main()
