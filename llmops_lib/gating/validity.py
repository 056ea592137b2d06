"""Whether two eval runs can be compared at all; where they cannot, no number of theirs is looked at."""

from collections.abc import Iterable

import polars as pl

_KEY = ("example_id", "trial", "scorer")
_SAME = {
    "grader_hash": "the grader",
    "judge_model": "the model that judges",
    "judge_prompts": "the prompt of the judge",
}


def invalid_reasons(
    baseline: pl.DataFrame, candidate: pl.DataFrame, *, most_missing_share: float, allows_unlocked: bool
) -> list[str]:
    """Why two runs cannot be compared; empty where they can.

    Args:
        baseline: What `prepared` returns.
        candidate: The same of the other run.
        most_missing_share: Largest share of examples that may be missing in one run only.
        allows_unlocked: Whether scores of suites without a lock are compared, such as those of other tools.
    """
    alone = [*_alone("baseline", baseline, allows_unlocked), *_alone("candidate", candidate, allows_unlocked)]
    if baseline.is_empty() or candidate.is_empty():
        return alone
    return [*alone, *_together(baseline, candidate), *_missing(baseline, candidate, most_missing_share)]


def _alone(name: str, scores: pl.DataFrame, allows_unlocked: bool) -> Iterable[str]:
    if scores.is_empty():
        yield f"the {name} holds no score"
        return
    runs = scores["run_id"].unique().sort().to_list()
    if len(runs) > 1:
        yield f"the {name} holds {len(runs)} runs ({', '.join(runs[:3])} ...); expected one"
    doubled = scores.filter(pl.struct(_KEY).is_duplicated())
    if not doubled.is_empty():
        one = doubled.row(0, named=True)
        yield f"the {name} holds example {one['example_id']}, trial {one['trial']}, {one['scorer']} twice"
    if not allows_unlocked and (scores["suite_hash"].has_nulls() or not scores["_is_locked"].all()):
        yield f"the {name} is no run of a locked suite; run `llmops eval verify`, then run the suite again"
    planned = scores["_planned_case_count"].max()
    found = scores["example_id"].n_unique()
    if isinstance(planned, int) and found < planned:
        yield f"the {name} holds {found} of the {planned} examples that were planned"


def _together(baseline: pl.DataFrame, candidate: pl.DataFrame) -> Iterable[str]:
    suites = [sorted(set(one["suite_hash"].drop_nulls())) for one in (baseline, candidate)]
    if suites[0] != suites[1]:
        shown = [", ".join(hash_[:12] for hash_ in one) or "none" for one in suites]
        yield f"the suite is not the same: {shown[0]} in the baseline, {shown[1]} in the candidate"
    lacking = sorted(set(baseline["scorer"]) - set(candidate["scorer"]))
    if lacking:
        yield f"the candidate lacks the metric {', '.join(lacking)}"
    for name, what in _SAME.items():
        sides = [
            one.group_by("scorer").agg(pl.col(f"_{name}").unique().sort()) for one in (baseline, candidate)
        ]
        joined = sides[0].join(sides[1], on="scorer")
        changed = joined.filter(pl.col(f"_{name}").ne_missing(pl.col(f"_{name}_right")))
        for scorer in changed["scorer"].sort():
            yield f"{what} of {scorer} is not the same in both runs"


def _missing(baseline: pl.DataFrame, candidate: pl.DataFrame, most_missing_share: float) -> Iterable[str]:
    sides = [one.filter(pl.col("score").is_not_null()) for one in (baseline, candidate)]
    keys = [one.select("scorer", "example_id").unique() for one in sides]
    every = pl.concat(keys).unique()
    must = pl.concat([baseline, candidate]).filter("_must_pass")["example_id"].unique()
    for name, own in zip(("baseline", "candidate"), keys, strict=True):
        absent = every.join(own, on=["scorer", "example_id"], how="anti")
        needed = sorted(set(absent["example_id"]) & set(must))
        if needed:
            yield f"the {name} has no score of {needed[0]}, which must pass"
        counts = every.group_by("scorer").len().join(absent.group_by("scorer").len("missing"), on="scorer")
        for scorer, count, missing in counts.sort("scorer").rows():
            if missing / count > most_missing_share:
                yield f"the {name} misses {missing} of {count} examples of {scorer} that the other run has"
