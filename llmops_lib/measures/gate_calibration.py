"""How often a gate blocks what did not change, measured on runs of one and the same thing."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl

from llmops_lib.errors import GateError
from llmops_lib.gating.results import GateResult
from llmops_lib.gating.rules import GateRules
from llmops_lib.gating.verdicts import decided
from llmops_lib.stats.proportions import clopper_pearson

OnComparison = Callable[[int, int, str], None]
Pair = tuple[pl.DataFrame, pl.DataFrame]

_CALL = ("example_id", "trial")


def calibrate_gate(
    scores: pl.DataFrame,
    *,
    candidate_trials: int | None = None,
    split_count: int = 200,
    seed: int = 0,
    on_comparison: OnComparison | None = None,
    **rules: Any,
) -> pl.DataFrame:
    """How often a gate says what of a candidate that is the baseline itself, one row per outcome.

    Of several runs, the first to start is the baseline and each other one a candidate: that holds the noise
    between runs, such as a provider's busy hour. Of a single run, the trials of each example are split by
    chance, again and again: that holds what is within a run only.

    Args:
        scores: SCORES of one or more runs of the same suite, prompt and model.
        candidate_trials: Trials of the candidate when a single run is split; half of them without.
        split_count: Splits of a single run.
        seed: Of the splits; the same gives the same.
        on_comparison: Called after each comparison with the number done, the number in all, and its verdict.
        **rules: As `gate` takes them: `alpha`, `margin`, `metrics` ...

    Returns:
        `outcome`, `comparison_count`, `outcome_count`, `share`, `share_lower`, `share_upper` (95%,
        Clopper-Pearson), `design` (`runs` or `splits`). Outcomes: `block`, of these `block_by_drop` and
        `block_by_failure` (what must pass; a block may be both), `pass`, `inconclusive`, `invalid`.

    Raises:
        GateError: If a run cannot be split, runs are of several prompts or models, or none can be compared.

    Source:
        Clopper and Pearson, Biometrika 26 (1934); comparisons are independent given the baseline run, or
        given the trials that are split.

    Example:
        >>> generator = np.random.default_rng(1)
        >>> rows = [{"example_id": str(n), "trial": k, "scorer": "facts", "score": float(score)}
        ...         for n in range(20) for k, score in enumerate(generator.binomial(1, 0.7, 4))]
        >>> run = pl.DataFrame(rows).with_columns(run_id=pl.lit("r"))
        >>> found = calibrate_gate(run, split_count=40, allows_unlocked=True)
        >>> found.filter(outcome="block")["share_lower"].item() <= 0.05
        True
    """
    own = GateRules(**rules)
    _check(scores)
    runs = _runs(scores)
    design, every = ("runs", len(runs) - 1) if len(runs) > 1 else ("splits", split_count)
    pairs: Iterator[Pair] = ((runs[0], run) for run in runs[1:])
    if design == "splits":
        pairs = _splits(scores, candidate_trials, split_count, seed)
    verdicts = []
    for pair in pairs:
        verdicts.append(decided(*pair, own, lists_items=False))
        if on_comparison is not None:
            on_comparison(len(verdicts), every, verdicts[-1].verdict)
    return _outcomes(verdicts, design)


def _outcomes(verdicts: list[GateResult], design: str) -> pl.DataFrame:
    if all(one.verdict == "invalid" for one in verdicts):
        msg = f"no comparison is valid: {verdicts[0].reasons[0]}"
        raise GateError(msg)
    counts = {
        "block": sum(one.verdict == "block" for one in verdicts),
        "block_by_drop": sum(_has_drop(one) for one in verdicts),
        "block_by_failure": sum(bool(one.failures["is_blocking"].any()) for one in verdicts),
        **{
            name: sum(one.verdict == name for one in verdicts) for name in ("pass", "inconclusive", "invalid")
        },
    }
    return pl.DataFrame([_row(name, count, len(verdicts), design) for name, count in counts.items()])


def _row(outcome: str, count: int, every: int, design: str) -> dict[str, Any]:
    interval = clopper_pearson(count, every)
    return {
        "outcome": outcome,
        "comparison_count": every,
        "outcome_count": count,
        "share": count / every,
        "share_lower": interval.lower,
        "share_upper": interval.upper,
        "design": design,
    }


def _check(scores: pl.DataFrame) -> None:
    for column in ("prompt_hash", "model"):
        found = scores[column].drop_nulls().unique().sort().to_list() if column in scores.columns else []
        if len(found) > 1:
            told = f"found runs with {column} {', '.join(found)}"
            msg = f"{told}; expected runs of one and the same prompt and model"
            raise GateError(msg)


def _has_drop(result: GateResult) -> bool:
    return bool((result.metrics["decision"] == "block").any())


def _runs(scores: pl.DataFrame) -> list[pl.DataFrame]:
    if "run_id" not in scores.columns:
        return [scores]
    keys = [pl.col("started_at").min()] if "started_at" in scores.columns else []
    order = scores.group_by("run_id").agg(*keys).sort(*(["started_at"] if keys else []), "run_id")
    return [scores.filter(run_id=name) for name in order["run_id"]]


def _splits(
    scores: pl.DataFrame, candidate_trials: int | None, split_count: int, seed: int
) -> Iterator[Pair]:
    calls = scores.select(_CALL).unique(maintain_order=True).sort(_CALL)
    fewest = calls.group_by("example_id").len()["len"].min()
    trials = fewest if isinstance(fewest, int) else 0
    taken = trials // 2 if candidate_trials is None else candidate_trials
    if not 1 <= taken < trials or split_count < 1:
        msg = (
            f"found a run of {trials} trials, {taken} of them for the candidate, and {split_count} splits; "
            "expected two trials or more, one of them left for the baseline, and one split or more"
        )
        raise GateError(msg)
    generator = np.random.default_rng(seed)
    for _ in range(split_count):
        drawn = calls.with_columns(_place=pl.Series(values=generator.random(calls.height)))
        drawn = drawn.with_columns(pl.col("_place").rank("ordinal").over("example_id"))
        yield _split(scores.join(drawn, on=_CALL), taken)


def _split(scores: pl.DataFrame, taken: int) -> Pair:
    numbered = scores.with_columns(trial=pl.col("_place").cast(pl.Int64)).drop("_place")
    return numbered.filter(pl.col("trial") > taken), numbered.filter(pl.col("trial") <= taken)
