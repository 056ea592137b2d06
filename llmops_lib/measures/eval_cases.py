"""What an eval run says case by case: which fail, which are flaky, what they cost, what changed since."""

import polars as pl

from llmops_lib.errors import SuiteError
from llmops_lib.schema import SCORES, conform
from llmops_lib.stats.proportions import wilson

_KEY = ["example_id", "scorer"]
_CALL = ["example_id", "trial"]
SCORERS_SCHEMA = pl.Schema(
    {
        "scorer": pl.String,
        "case_count": pl.Int64,
        "trial_count": pl.Int64,
        "mean_score": pl.Float64,
        "passed_case_count": pl.Int64,
        "passed_case_share": pl.Float64,
        "passed_case_share_low": pl.Float64,
        "passed_case_share_high": pl.Float64,
        "flaky_case_count": pl.Int64,
        "missing_trial_count": pl.Int64,
    }
)


def one_run(scores: pl.DataFrame, run_id: str = "") -> pl.DataFrame:
    """The scores of one run.

    Args:
        scores: SCORES.
        run_id: The run; needed where there are several.

    Raises:
        SuiteError: If there is no such run, or several and none is named; the message lists them.
    """
    runs = scores["run_id"].unique().sort().to_list()
    if not runs:
        msg = (
            "found no run, because there are no scores; expected those of at least one. `read_results` "
            "shows what was set aside and why: a log that was not scored yet, or averages alone, hold none"
        )
        raise SuiteError(msg)
    chosen = run_id or (runs[0] if len(runs) == 1 else "")
    if chosen not in runs:
        found = f"the run {run_id!r} is not among them" if run_id else "name one of them"
        msg = f"found {len(runs)} runs, {found}: {', '.join(runs[:10]) or 'none'}"
        raise SuiteError(msg)
    return scores.filter(run_id=chosen)


def case_outcomes(scores: pl.DataFrame) -> pl.DataFrame:
    """What became of each case under each scorer: one row per case and scorer.

    Args:
        scores: SCORES of one run; of other tools too, whose columns may be null.

    Returns:
        By scorer and case in the order of the run: `example_id`, `scorer`, `trial_count` (with a verdict),
        `passed_count`, `missing_count` (trials without a score), `mean_score`, `outcome` (`passed`, `failed`,
        `flaky`: its trials disagree, `scored`: a number without a verdict, `missing`), `must_pass`, and of
        the first trial that failed, else the first: `explanation`, `input`, `output`, `expected` (unmasked:
        mask before showing).

    Example:
        >>> rows = [{"run_id": "r", "example_id": "a", "trial": n, "scorer": "facts", "passed": n == 1}
        ...         for n in (1, 2)]
        >>> case_outcomes(pl.DataFrame(rows)).select("example_id", "passed_count", "outcome").rows()
        [('a', 1, 'flaky')]
    """
    rows = _whole(scores).with_columns(
        must_pass=pl.col("metadata").str.json_path_match("$.must_pass") == "true"
    )
    worst = pl.col("passed").fill_null(value=True).arg_min()
    texts = ("explanation", "input", "output", "expected")
    grouped = rows.group_by("scorer", "example_id", maintain_order=True).agg(
        trial_count=pl.col("passed").count().cast(pl.Int64),
        passed_count=pl.col("passed").sum().cast(pl.Int64),
        missing_count=(pl.col("score").is_null() & pl.col("passed").is_null()).sum().cast(pl.Int64),
        mean_score=pl.col("score").mean(),
        must_pass=pl.col("must_pass").fill_null(value=False).any(),
        **{name: pl.col(name).get(worst) for name in texts},
    )
    passed, tried = pl.col("passed_count"), pl.col("trial_count")
    outcome = (
        pl.when((tried == 0) & pl.col("mean_score").is_null())
        .then(pl.lit("missing"))
        .when(tried == 0)
        .then(pl.lit("scored"))
        .when(passed == tried)
        .then(pl.lit("passed"))
        .when(passed == 0)
        .then(pl.lit("failed"))
        .otherwise(pl.lit("flaky"))
    )
    return grouped.with_columns(outcome=outcome)


def scorer_outcomes(cases: pl.DataFrame, *, alpha: float = 0.05) -> pl.DataFrame:
    """How many cases pass each scorer, with Wilson intervals: one row per scorer.

    A case passes where every trial of it does, so that trials of one case do not count as many cases. The
    cases of a suite are chosen, so the interval is about cases written like these.

    Args:
        cases: What `case_outcomes` returns.
        alpha: One minus the level of the interval.

    Returns:
        By scorer: `scorer`, `case_count` (with a verdict or a score), `trial_count`, `mean_score`,
        `passed_case_count`, `passed_case_share` and its limits `_low` and `_high` (null for scorers without
        verdicts), `flaky_case_count`, `missing_trial_count`.

    Source:
        Wilson, JASA 22 (1927).

    Example:
        >>> rows = [{"run_id": "r", "example_id": name, "trial": 1, "scorer": "facts", "passed": name != "a"}
        ...         for name in "abcd"]
        >>> found = scorer_outcomes(case_outcomes(pl.DataFrame(rows))).row(0, named=True)
        >>> found["passed_case_share"], round(found["passed_case_share_low"], 3)
        (0.75, 0.301)
    """
    judged = pl.col("outcome").is_in(["passed", "failed", "flaky"])
    counted = cases.group_by("scorer").agg(
        case_count=(pl.col("outcome") != "missing").sum().cast(pl.Int64),
        trial_count=pl.col("trial_count").sum(),
        mean_score=pl.col("mean_score").mean(),
        passed_case_count=(pl.col("outcome") == "passed").sum().cast(pl.Int64),
        judged_count=judged.sum(),
        flaky_case_count=(pl.col("outcome") == "flaky").sum().cast(pl.Int64),
        missing_trial_count=pl.col("missing_count").sum(),
    )
    pairs = counted.select("passed_case_count", "judged_count").rows()
    limits = [_limits(passed, judged_count, alpha) for passed, judged_count in pairs]
    names = [f"passed_case_share{ending}" for ending in ("", "_low", "_high")]
    shares = pl.DataFrame(limits, schema=dict.fromkeys(names, pl.Float64), orient="row")
    return pl.concat([counted, shares], how="horizontal").select(SCORERS_SCHEMA.names()).sort("scorer")


def case_costs(scores: pl.DataFrame) -> pl.DataFrame:
    """What each case took, its trials taken together: one row per case, the dearest first, then the slowest.

    Args:
        scores: SCORES of one run.

    Returns:
        `example_id`, `call_count`, `cost_usd` (of all its trials; null where one is unknown), `latency_ms`
        (mean over trials), `input_tokens` and `output_tokens` (means).

    Example:
        >>> rows = [{"run_id": "r", "example_id": "a", "trial": 1, "scorer": name, "cost_usd": 0.5}
        ...         for name in ("facts", "schema")]
        >>> case_costs(pl.DataFrame(rows)).select("example_id", "call_count", "cost_usd").rows()
        [('a', 1, 0.5)]
    """
    calls = _whole(scores).unique(_CALL, keep="first", maintain_order=True)
    cost = pl.when(pl.col("cost_usd").is_not_null().all()).then(pl.col("cost_usd").sum())
    grouped = calls.group_by("example_id", maintain_order=True).agg(
        call_count=pl.len().cast(pl.Int64),
        cost_usd=cost,
        latency_ms=pl.col("latency_ms").mean(),
        input_tokens=pl.col("input_tokens").mean(),
        output_tokens=pl.col("output_tokens").mean(),
    )
    order = ["cost_usd", "latency_ms"]
    return grouped.sort(*order, descending=True, nulls_last=True, maintain_order=True)


def case_changes(baseline: pl.DataFrame, candidate: pl.DataFrame) -> pl.DataFrame:
    """What changed case by case between two runs: one row per case and scorer that is not as before.

    Args:
        baseline: What `case_outcomes` returns of the run before.
        candidate: The same of the run under review.

    Returns:
        The worst first: `change` (`worse`, `better`, `new`, `gone`), `example_id`, `scorer`, `before` and
        `after` (trials passed of all, or the mean score), `outcome`, `must_pass`, `explanation`.

    Example:
        >>> row = {"run_id": "r", "example_id": "a", "trial": 1, "scorer": "facts", "score": 1.0,
        ...        "passed": True}
        >>> before = case_outcomes(pl.DataFrame([row]))
        >>> after = case_outcomes(pl.DataFrame([row | {"passed": False, "score": 0.0}]))
        >>> case_changes(before, after).select("change", "example_id", "before", "after").rows()
        [('worse', 'a', '1 of 1', '0 of 1')]
    """
    sides = [one.select(*_KEY, _standing(), _written()) for one in (baseline, candidate)]
    joined = sides[0].join(sides[1], on=_KEY, how="full", coalesce=True, suffix="_after")
    change = (
        pl.when(pl.col("written").is_null())
        .then(pl.lit("new"))
        .when(pl.col("written_after").is_null())
        .then(pl.lit("gone"))
        .when(pl.col("standing_after") < pl.col("standing"))
        .then(pl.lit("worse"))
        .when(pl.col("standing_after") > pl.col("standing"))
        .then(pl.lit("better"))
    )
    changed = joined.with_columns(change=change, size=pl.col("standing_after") - pl.col("standing"))
    facts = candidate.select(*_KEY, "outcome", "must_pass", "explanation")
    told = changed.filter(pl.col("change").is_not_null()).join(facts, on=_KEY, how="left")
    order = pl.col("change").replace_strict(
        {"worse": 0, "gone": 1, "better": 2, "new": 3}, return_dtype=pl.Int8
    )
    ranked = told.sort(order, pl.col("must_pass").fill_null(value=False).not_(), "size", *_KEY)
    named = {"written": "before", "written_after": "after"}
    return ranked.select("change", *_KEY, *named, "outcome", "must_pass", "explanation").rename(named)


def _whole(scores: pl.DataFrame) -> pl.DataFrame:
    fixed = {"source_format": "table", "source_file": ""}
    absent = {name: dtype for name, dtype in SCORES.polars_schema.items() if name not in scores.columns}
    filled = scores.with_columns(
        **{name: pl.lit(fixed.get(name), dtype=dtype) for name, dtype in absent.items()}
    )
    return conform(filled, SCORES)


def _standing() -> pl.Expr:
    share = pl.col("passed_count") / pl.col("trial_count")
    return pl.when(pl.col("trial_count") > 0).then(share).otherwise(pl.col("mean_score")).alias("standing")


def _written() -> pl.Expr:
    counted = pl.format("{} of {}", "passed_count", "trial_count")
    score = pl.col("mean_score").round(3).cast(pl.String)
    told = pl.when(pl.col("trial_count") > 0).then(counted).otherwise(score.fill_null("missing"))
    return told.alias("written")


def _limits(passed: int, judged: int, alpha: float) -> tuple[float | None, float | None, float | None]:
    if not judged:
        return None, None, None
    interval = wilson(passed, judged, alpha=alpha)
    return passed / judged, interval.lower, interval.upper
