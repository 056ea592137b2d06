"""What of a red-team suite got through: by category, with intervals, and against the run before."""

import polars as pl

from llmops_lib.schema import SCORES, conform
from llmops_lib.stats.proportions import wilson

_SCHEMA = pl.Schema(
    {
        "suite": pl.String,
        "category": pl.String,
        "finding": pl.String,
        "case_count": pl.Int64,
        "failed_count": pl.Int64,
        "missing_count": pl.Int64,
        "failed_share": pl.Float64,
        "failed_share_lower": pl.Float64,
        "failed_share_upper": pl.Float64,
    }
)


def attack_outcomes(scores: pl.DataFrame, *, alpha: float = 0.05) -> pl.DataFrame:
    """What got through, one row per suite, category and finding.

    A case counts as failed where one of its trials failed: an attacker tries more than once. The cases of a
    suite are chosen and no sample of attacks, so the interval is about cases written like these.

    Args:
        scores: SCORES of red-team suites; the first tag of a case is its category.
        alpha: One minus the level of the interval.

    Returns:
        By suite and category: `suite`, `category`, `finding` (`got_through`: an attack had its way;
        `over_refused`: an honest question was refused; `not_refused`: what must be refused was not, attack
        or no attack), `case_count` (cases with a score), `failed_count`, `missing_count` (cases without
        one), `failed_share` (0 to 1; null without cases), `failed_share_lower` and `failed_share_upper`
        (Wilson).

    Source:
        Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.

    Example:
        >>> import polars as pl
        >>> scores = pl.DataFrame({
        ...     "suite": "redteam", "example_id": ["a", "a", "b"], "trial": [1, 2, 1], "scorer": "resisted",
        ...     "passed": [True, False, True], "metadata": '{"kind": "resisted", "tags": ["leak"]}',
        ... })
        >>> attack_outcomes(scores).select("category", "finding", "case_count", "failed_count").rows()
        [('leak', 'got_through', 2, 1)]
    """
    cases = failed_cases(scores)
    counted = (
        cases.group_by("suite", "category", "finding")
        .agg(
            case_count=pl.col("failed").count().cast(pl.Int64),
            failed_count=pl.col("failed").sum().cast(pl.Int64),
            missing_count=pl.col("failed").null_count().cast(pl.Int64),
        )
        .sort("suite", "category", "finding")
    )
    intervals = [
        _interval(failed, count, alpha)
        for failed, count in counted.select("failed_count", "case_count").iter_rows()
    ]
    shares = pl.DataFrame(intervals, schema=dict.fromkeys(list(_SCHEMA)[-3:], pl.Float64), orient="row")
    return pl.concat([counted, shares], how="horizontal").match_to_schema(_SCHEMA)


def failed_cases(scores: pl.DataFrame) -> pl.DataFrame:
    """Whether each case of a red-team suite failed, trials taken together.

    Args:
        scores: As for `attack_outcomes`.

    Returns:
        By suite, category and case: `suite`, `category`, `finding`, `example_id`, `failed` (null where no
        trial has a score), `explanation` of the first trial that failed.
    """
    rows = conform(scores, SCORES).with_columns(
        kind=pl.col("metadata").str.json_path_match("$.kind"),
        category=pl.col("metadata").str.json_path_match("$.tags[0]"),
        status=pl.col("expected").str.json_path_match("$.status"),
    )
    finding = (
        pl.when(pl.col("kind") == "resisted")
        .then(pl.lit("got_through"))
        .when((pl.col("kind") == "refusal") & (pl.col("status") == "answered"))
        .then(pl.lit("over_refused"))
        .when((pl.col("kind") == "refusal") & (pl.col("status") == "refused"))
        .then(pl.lit("not_refused"))
    )
    return (
        rows.with_columns(finding=finding)
        .filter(pl.col("finding").is_not_null())
        .sort("trial")
        .group_by("suite", "category", "finding", "example_id", maintain_order=True)
        .agg(
            # No trial with a score is unknown, not resisted.
            failed=pl.when(pl.col("passed").count() > 0).then((~pl.col("passed")).any()),
            explanation=pl.col("explanation").filter(~pl.col("passed")).first(),
        )
        .sort("suite", "category", "finding", "example_id")
    )


def newly_failed(scores: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Cases that failed now and did not before; a case that was not there before is not among them.

    Args:
        scores: SCORES of red-team suites.
        before: Those of the run before.

    Returns:
        Rows of `failed_cases`.
    """
    key = ["suite", "finding", "example_id"]
    held = failed_cases(before).filter(~pl.col("failed")).select(key)
    return failed_cases(scores).filter("failed").join(held, on=key, how="semi", maintain_order="left")


def attack_changes(scores: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """What got through, by category, beside the same of the run before.

    Args:
        scores: SCORES of red-team suites.
        before: Those of the run before; may be empty.

    Returns:
        Rows of `attack_outcomes` with `failed_share_before` (null where the run before lacks the category)
        and `new_count`: cases that failed now and not before (null as well).
    """
    key = ["suite", "category", "finding"]
    shares = attack_outcomes(before).select(*key, failed_share_before="failed_share")
    new = newly_failed(scores, before).group_by(key).agg(new_count=pl.len().cast(pl.Int64))
    joined = attack_outcomes(scores).join(shares, on=key, how="left", maintain_order="left")
    return joined.join(new, on=key, how="left", maintain_order="left").with_columns(
        new_count=pl.when(pl.col("failed_share_before").is_not_null()).then(pl.col("new_count").fill_null(0))
    )


def _interval(failed: int, count: int, alpha: float) -> tuple[float | None, float | None, float | None]:
    found = wilson(failed, count, alpha=alpha)
    return failed / count if count else None, found.lower, found.upper
