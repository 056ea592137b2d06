"""What a gate on a suite like this one would see, before it is relied on."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from llmops_lib.errors import EstimateError, GateError
from llmops_lib.gating.metrics import POWER, trials_by_item
from llmops_lib.gating.scores import gated_metrics, prepared
from llmops_lib.stats.gate_power import SimulatedSuites, items_to_see, simulated_suites, smallest_drop_blocked
from llmops_lib.stats.gate_rule import GateRule, escalating
from llmops_lib.stats.power import PassRateSpread, TrialNoise, fit_pass_rates, smallest_difference

SUITES = 400
"""Suites that are simulated; the chance of a block is then known to two points."""

MOST_TRIALS = 100

_NO_FIT = "the trials of the pilot do not differ, or it has one; which drops are seen is not known"
_SCHEMA = pl.Schema(
    {
        "metric": pl.String,
        "rule": pl.String,
        "item_count": pl.Int64,
        "baseline_trials": pl.Int64,
        "pilot_mean": pl.Float64,
        "smallest_diffuse_drop": pl.Float64,
        "smallest_concentrated_drop": pl.Float64,
        "items_needed": pl.Int64,
        "false_block_share": pl.Float64,
        "pass_share": pl.Float64,
        "mean_trials": pl.Float64,
        "simulation_count": pl.Int64,
        "note": pl.String,
    }
)
OnMetric = Callable[[int, int, str], None]


@dataclass(frozen=True)
class _Asked:
    baseline_trials: int
    drop: float
    suite_count: int
    seed: int


def plan_gate(  # noqa: PLR0913 - a pilot, and what a team decides beforehand
    pilot: pl.DataFrame,
    *,
    trials: Sequence[int] = (2, 4, 8),
    baseline_trials: int = 8,
    drop: float = 0.05,
    alpha: float = 0.05,
    margin: float = 0.05,
    metrics: tuple[str, ...] = (),
    escalates: bool = True,
    simulation_count: int = SUITES,
    seed: int = 0,
    on_metric: OnMetric | None = None,
) -> pl.DataFrame:
    """The smallest drops that a gate blocks with 80% chance, one row per metric and number of trials.

    Simulated: a beta distribution of pass rates is fitted to the pilot, suites are drawn from it, harmed
    and put through the gate's own rule. The normal formula sees more than there is to see on small suites.
    Each metric is planned as if it alone dropped, so that its p value counts once for every metric (Holm).

    Args:
        pilot: SCORES of one run with two or more trials; uses `example_id`, `trial`, `scorer`, `score`.
        trials: Trials of the candidate to try.
        baseline_trials: Trials of the baseline.
        drop: Drop to find the number of items for, in the unit of the scores.
        alpha: As of `gate`.
        margin: As of `gate`.
        metrics: Metrics that gate; all but latency and cost without.
        escalates: Whether the gate that looks at 2, 4 and 8 trials in turn is planned too.
        simulation_count: Suites to simulate.
        seed: Of all that is drawn; the same gives the same.
        on_metric: Called after each metric with metrics done, metrics in all, and its name.

    Returns:
        By metric, then trials: `metric`, `rule` (trials of the candidate; `2-4-8`: in turn), `item_count`,
        `baseline_trials`, `pilot_mean`, `smallest_diffuse_drop` (all items get a bit worse) and
        `smallest_concentrated_drop` (some items break), both with 80% chance; `items_needed` (to see `drop`
        in either shape with these trials), `false_block_share` and `pass_share` (where nothing changed),
        `mean_trials` (then), `simulation_count` (0: by the normal formula), `note` (why something is null).

    Raises:
        GateError: If a number cannot be, a metric is not there, or the pilot is more than one run.

    Source:
        Beta-binomial fit: Skellam, JRSS B 10 (1948); the rule is that of `gate`.

    Example:
        >>> generator = np.random.default_rng(1)
        >>> rows = [{"example_id": str(n), "trial": k, "scorer": "facts", "score": float(score)}
        ...         for n, rate in enumerate(generator.beta(2, 1, 40))
        ...         for k, score in enumerate(generator.binomial(1, rate, 4))]
        >>> pilot = pl.DataFrame(rows)
        >>> plan = plan_gate(pilot, trials=(4,), escalates=False, simulation_count=100)
        >>> 0.05 < plan["smallest_diffuse_drop"].item() < 0.2
        True
    """
    asked = _Asked(baseline_trials, drop, simulation_count, seed)
    _check(pilot, asked, trials, alpha, margin)
    scores = prepared(pilot)
    names = gated_metrics(scores, metrics)
    rules = {str(one): GateRule(((one, alpha),), margin, len(names)) for one in sorted(set(trials))}
    if escalates:
        rules["2-4-8"] = GateRule(escalating(alpha), margin, len(names))
    rows: list[dict[str, Any]] = []
    for number, name in enumerate(names, start=1):
        rows += _planned(name, trials_by_item(scores, name)["scores"].to_list(), rules, asked)
        if on_metric is not None:
            on_metric(number, len(names), name)
    return pl.DataFrame(rows, schema=_SCHEMA)


def _planned(
    metric: str, items: list[list[float]], rules: Mapping[str, GateRule], asked: _Asked
) -> list[dict[str, Any]]:
    values = {value for item in items for value in item}
    every = sum(len(item) for item in items)
    whole = {
        "metric": metric,
        "item_count": len(items),
        "baseline_trials": asked.baseline_trials,
        "pilot_mean": math.fsum(value for item in items for value in item) / every,
        "simulation_count": 0,
    }
    is_steady = all(min(item) == max(item) for item in items)
    if not values <= {0.0, 1.0} and not is_steady:
        return [{**whole, **_by_formula(rule, items, asked), "rule": name} for name, rule in rules.items()]
    fit = _fit(items) if values <= {0.0, 1.0} else None
    if fit is None:
        return [{**whole, "rule": name, "note": _NO_FIT} for name in rules]
    suites = simulated_suites(
        fit,
        len(items),
        trials=max(rule.looks[-1][0] for rule in rules.values()),
        baseline_trials=asked.baseline_trials,
        suite_count=asked.suite_count,
        seed=asked.seed,
    )
    return [
        {**whole, **_simulated(fit, rule, suites, asked, is_steady=is_steady), "rule": name}
        for name, rule in rules.items()
    ]


def _fit(items: list[list[float]]) -> PassRateSpread | None:
    try:
        return fit_pass_rates([round(sum(item)) for item in items], [len(item) for item in items])
    except EstimateError:
        return None


def _simulated(
    fit: PassRateSpread, rule: GateRule, suites: SimulatedSuites, asked: _Asked, *, is_steady: bool
) -> dict[str, Any]:
    unchanged = suites.decided(rule)
    # Rates of 0 and 1 do not move by a shift of their logits.
    diffuse = None if is_steady else smallest_drop_blocked(suites, rule, shape="diffuse", power=POWER)
    concentrated = smallest_drop_blocked(suites, rule, shape="concentrated", power=POWER)
    is_harder = is_steady or concentrated is None or (diffuse is not None and concentrated >= diffuse)
    needed = (
        items_to_see(
            fit,
            asked.drop,
            rule,
            baseline_trials=asked.baseline_trials,
            shape="concentrated" if is_harder else "diffuse",
            start=suites.rates.shape[1],
            suite_count=asked.suite_count,
            seed=asked.seed,
        )
        if asked.drop < fit.mean
        else None
    )
    return {
        "smallest_diffuse_drop": diffuse,
        "smallest_concentrated_drop": concentrated,
        "items_needed": needed,
        "false_block_share": float(unchanged.blocked.mean()),
        "pass_share": float(unchanged.passed.mean()),
        "mean_trials": float(unchanged.trials.mean()),
        "simulation_count": len(suites.rates),
        "note": _note(diffuse, concentrated, is_steady=is_steady),
    }


def _note(diffuse: float | None, concentrated: float | None, *, is_steady: bool) -> str | None:
    if is_steady:
        return "each example passed always or never in the pilot: no diffuse drop can be simulated"
    return None if diffuse and concentrated else "no drop is seen with 80% chance in one of the shapes"


def _by_formula(rule: GateRule, items: list[list[float]], asked: _Asked) -> dict[str, Any]:
    trials, alpha = rule.looks[-1]
    variance = float(np.mean([np.var(item, ddof=1) for item in items if len(item) > 1]))
    noise = TrialNoise(0.0, variance, variance, trials, asked.baseline_trials)
    seen = smallest_difference(len(items), noise, alpha=alpha / rule.metric_count, power=POWER)
    told = "scores between 0 and 1: by the normal formula, which is optimistic on small suites"
    return {
        "smallest_diffuse_drop": seen,
        "items_needed": max(1, math.ceil(len(items) * (seen / asked.drop) ** 2)),
        "mean_trials": float(trials),
        "note": told,
    }


def _check(pilot: pl.DataFrame, asked: _Asked, trials: Sequence[int], alpha: float, margin: float) -> None:
    runs = pilot["run_id"].n_unique() if "run_id" in pilot.columns else 1
    told_trials = f"trials {list(trials)} against {asked.baseline_trials}, expected 1 to {MOST_TRIALS}"
    checks = {
        f"{runs} runs, expected a pilot of one run": runs == 1,
        told_trials: bool(trials)
        and all(1 <= one <= MOST_TRIALS for one in (*trials, asked.baseline_trials)),
        f"a drop of {asked.drop:g}, expected one between 0 and 1": 0 < asked.drop < 1,
        f"alpha {alpha:g}, expected a chance between 0 and 0.5": 0 < alpha < 0.5,
        f"margin {margin:g}, expected a number above 0": 0 < margin < math.inf,
        f"{asked.suite_count} simulations, expected 20 or more": asked.suite_count >= 20,
    }
    wrong = [told for told, is_right in checks.items() if not is_right]
    if wrong:
        msg = f"found {wrong[0]}"
        raise GateError(msg)
