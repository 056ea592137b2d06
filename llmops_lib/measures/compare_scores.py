"""Two eval runs on the same cases: which is better, how sure that is, and what would settle it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from llmops_lib.comparing.cases import CASES_SCHEMA, case_rows
from llmops_lib.comparing.scored_rows import SCORERS_SCHEMA, Decided, scorer_rows
from llmops_lib.comparing.sides import item_groups, missing_items, side_of
from llmops_lib.comparing.verdicts import INVALID, checked_levels, overall
from llmops_lib.errors import ComparisonError
from llmops_lib.frames import by_columns
from llmops_lib.gating.metrics import Compared, compared, p_text
from llmops_lib.gating.validity import invalid_reasons
from llmops_lib.stats.results import Reason

MARGIN = 0.05
"""Largest difference that does not matter, for scores from 0 to 1, where no other is stated: 5 points."""

_LESS_IS_BETTER_KINDS = ("latency", "cost")


@dataclass(frozen=True)
class ScoreComparison:
    """What a comparison of two eval runs says.

    Attributes:
        verdict: `better`, `worse`, `equivalent`, `inconclusive`, or `invalid` where the runs cannot be
            compared: of the primary scorer, else `worse` where any scorer is, else `better` where any is.
        reasons: Why, a sentence each.
        scorers: One row per scorer: `scorer`, `verdict`, `higher_is_better`, `baseline_mean`,
            `candidate_mean`, `diff` (candidate minus baseline, in the unit of the scores), `lower`, `upper`,
            `interval_method`, `p_value` (two-sided), `p_adjusted` (Holm), `p_method`, `unit` (what is
            independent), `unit_count`, `item_count`, `se`, `se_unpaired` (what it would be without
            pairing), `population_lower`, `population_upper` (on cases like these), `margin`,
            `is_within_margin` (equivalent by two one-sided tests), `is_not_worse` (non-inferior),
            `smallest_seen` (the difference that is seen with 80% chance), `items_needed` (to see the
            margin), `items_still_needed`, `missing_baseline_count`, `missing_candidate_count`, `reason`
            (such as `zero_variance`).
        cases: One row per scorer and case, widest gap first: `scorer`, `example_id`, `winner` (`candidate`,
            `baseline`, `tie`), `baseline_mean`, `candidate_mean`, `diff`, `p_value`, `p_adjusted`
            (Benjamini-Hochberg), `input`, `baseline_output`, `candidate_output` (of several trials the one
            that tells most).
    """

    verdict: str
    reasons: tuple[str, ...]
    scorers: pl.DataFrame
    cases: pl.DataFrame


def compare_scores(  # noqa: PLR0913 - two runs, and what a team decides beforehand
    scores: Any,
    *,
    baseline: str,
    candidate: str,
    by: str = "run_id",
    primary: str = "",
    cluster: str = "",
    alpha: float = 0.05,
    margin: float | None = None,
    margins: Mapping[str, float] | None = None,
    lower_is_better: str | Sequence[str] = (),
    most_missing_share: float = 0.02,
) -> ScoreComparison:
    """Holds a candidate against a baseline, case by case, and says which is better.

    Pairs by case. Pass or fail once per case: Tango's interval, McNemar's exact test. Several trials: the
    exact permutation of trials within cases, and an interval with the noise of trials only, which speaks of
    these very cases. A score once per case: the paired t, with Tango's interval on as many passes as vary as
    much where scores are from 0 to 1. With `cluster`, the clustered paired difference.
    Runs of different suites, graders or judges, or with too many cases missing on one side, are `invalid`
    and no number of theirs is given. Both sides are collected, on any engine.

    Args:
        scores: SCORES of both; uses `run_id`, `example_id`, `trial`, `scorer`, `score`, and where there
            `suite_hash`, `metadata`, `input`, `output`.
        baseline: Value that tells the baseline.
        candidate: Value that tells the candidate.
        by: Column that tells them: `run_id`, `model`, `prompt_version`, `prompt_hash`, or `prompt` for
            `NAME@VERSION`; several runs of one side are further trials.
        primary: Scorer that decides the verdict; all of them together without.
        cluster: Column, or key of `metadata`, whose equal values make cases alike, such as a document.
        alpha: Chance of a false difference, over all scorers together (Holm).
        margin: Largest difference that does not matter; 5 points for scores from 0 to 1, else none.
        margins: The same for single scorers.
        lower_is_better: Scorers of which less is better; those that grade latency and cost are known.
        most_missing_share: Largest share of cases that may be missing on one side only.

    Raises:
        ComparisonError: If a side, a scorer, a level or a margin cannot be.

    Source:
        Miller, Adding Error Bars to Evals (arXiv:2411.00640); Tango, Statistics in Medicine 17 (1998);
        McNemar, Psychometrika 12 (1947); Schuirmann 1987 for equivalence; Holm 1979.

    Example:
        >>> rows = [{"run_id": run, "example_id": f"case-{n}", "trial": 1, "scorer": "facts",
        ...          "score": float(run == "new" or n > 9)} for run in ("old", "new") for n in range(40)]
        >>> found = compare_scores(pl.DataFrame(rows), baseline="old", candidate="new")
        >>> found.verdict, found.scorers["p_value"].item()
        ('better', 0.001953125)
    """
    checked_levels(alpha, {"margin": MARGIN if margin is None else margin, **(margins or {})})
    if not 0 <= most_missing_share <= 1:
        msg = f"most_missing_share: found {most_missing_share:g}, expected a share from 0 to 1"
        raise ComparisonError(msg)
    lower = by_columns(lower_is_better)
    sides = [side_of(scores, by, value, keep=cluster) for value in (baseline, candidate)]
    why = invalid_reasons(*sides, most_missing_share=most_missing_share, allows_unlocked=True)
    if why:
        empty = (pl.DataFrame(schema=schema) for schema in (SCORERS_SCHEMA, CASES_SCHEMA))
        return ScoreComparison(INVALID, tuple(why), *empty)
    known = compared(*sides)
    asked = {
        "primary": [primary] if primary else [],
        "margins": list(margins or ()),
        "lower_is_better": lower,
    }
    _check_names(known, asked)
    less = frozenset(lower) | _measured(sides[0])
    decided = Decided(alpha, {one.metric: _margin(one, margin, margins or {}) for one in known}, less)
    groups = {
        one.metric: item_groups(pl.concat(sides), one.items["example_id"].to_list(), cluster)
        for one in known
        if cluster
    }
    table = scorer_rows(known, groups, cluster, decided, missing_items(*sides))
    deciding = table.filter(pl.col("scorer") == primary) if primary else table
    return ScoreComparison(
        overall(deciding["verdict"].to_list()),
        (*(_told(row) for row in deciding.iter_rows(named=True)), *_cautions(sides)),
        table,
        case_rows(known, sides[0], sides[1], less),
    )


def _margin(one: Compared, margin: float | None, margins: Mapping[str, float]) -> float | None:
    stated = margins.get(one.metric, margin)
    if stated is not None:
        return stated
    scores = pl.concat([one.items["baseline"].explode(), one.items["candidate"].explode()])
    return MARGIN if scores.is_between(0, 1).all() else None


def _measured(scores: pl.DataFrame) -> frozenset[str]:
    return frozenset(scores.filter(pl.col("_kind").is_in(_LESS_IS_BETTER_KINDS))["scorer"])


def _check_names(known: list[Compared], asked: Mapping[str, Sequence[str]]) -> None:
    names = [one.metric for one in known]
    for what, wanted in asked.items():
        unknown = sorted(set(wanted) - set(names))
        if unknown:
            there = ", ".join(names) or "none"
            msg = f"{what}: found no scorer {', '.join(unknown)} in both; there are {there}"
            raise ComparisonError(msg)
    if not known:
        msg = "the two sides share no case with a score; expected the same suite on both"
        raise ComparisonError(msg)


def _told(row: Mapping[str, Any]) -> str:
    p = "unknown" if row["p_adjusted"] is None else p_text(row["p_adjusted"])
    limits = (
        "no interval"
        if row["lower"] is None or row["upper"] is None
        else f"{row['lower']:+.4g} to {row['upper']:+.4g}"
    )
    told = (
        f"{row['scorer']}: {row['verdict']}, {row['baseline_mean']:.4g} to {row['candidate_mean']:.4g} on "
        f"{row['item_count']} cases, difference {row['diff']:+.4g} ({limits}), p = {p}"
    )
    if Reason.FEW_CLUSTERS.value in (row["reason"] or ""):
        told += f"; few or very unequal groups ({row['unit']}): the interval may be too narrow"
    if row["verdict"] != "inconclusive":
        return told
    if row["smallest_seen"] is None:
        return f"{told}; its noise is not known"
    more = row["items_still_needed"]
    settled = "" if more is None else f", and about {more} more cases would settle {row['margin']:g}"
    return f"{told}; {row['smallest_seen']:.4g} would have been seen (80%){settled}"


def _cautions(sides: list[pl.DataFrame]) -> list[str]:
    told = []
    if all(side["suite_hash"].null_count() == side.height for side in sides):
        told.append("no suite hash on either side: that the cases are the same is taken from their ids")
    fresh = sorted(set(sides[1]["scorer"]) - set(sides[0]["scorer"]))
    return told + ([f"only the candidate has {', '.join(fresh)}: not compared"] if fresh else [])
