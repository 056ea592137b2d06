"""What must pass and did not: no statistics, one failed trial counts, unless it failed as often before."""

import polars as pl

FAILURES_SCHEMA = pl.Schema(
    {
        "example_id": pl.String,
        "metric": pl.String,
        "failed_count": pl.Int64,
        "trial_count": pl.Int64,
        "baseline_failed_count": pl.Int64,
        "baseline_trial_count": pl.Int64,
        "is_blocking": pl.Boolean,
        "explanation": pl.String,
    }
)


def must_pass_failures(baseline: pl.DataFrame, candidate: pl.DataFrame) -> pl.DataFrame:
    """Examples and graders that must pass and failed in the candidate, `FAILURES_SCHEMA`.

    One blocks where it failed a larger share of its trials than in the baseline: where it never failed
    there, at one failed trial; where it always did, not at all, since the change cannot have done it.

    Args:
        baseline: What `prepared` returns.
        candidate: The same of the other run.
    """
    keys = ["example_id", "scorer"]
    sides = []
    for one in (baseline, candidate):
        bound = one.filter(pl.col("_must_pass") & pl.col("passed").is_not_null())
        sides.append(
            bound.group_by(keys).agg(
                failed_count=(~pl.col("passed")).sum().cast(pl.Int64),
                trial_count=pl.len().cast(pl.Int64),
                explanation=pl.col("explanation").filter(~pl.col("passed")).drop_nulls().first(),
            )
        )
    before = sides[0].select(*keys, pl.col("failed_count", "trial_count").name.prefix("baseline_"))
    failed = sides[1].filter(pl.col("failed_count") > 0).join(before, on=keys, how="left")
    # Whole numbers, since shares such as 1/3 and 2/6 must be equal.
    is_more = pl.col("failed_count") * pl.col("baseline_trial_count") > (
        pl.col("baseline_failed_count") * pl.col("trial_count")
    )
    told = failed.with_columns(is_blocking=is_more.fill_null(value=True))
    return told.rename({"scorer": "metric"}).select(FAILURES_SCHEMA.names()).sort("example_id", "metric")


def blocking_failures(failures: pl.DataFrame) -> list[str]:
    """A sentence for each failure that blocks.

    Args:
        failures: From `must_pass_failures`.
    """
    return [
        f"{row['example_id']} must pass {row['metric']} and failed {row['failed_count']} of "
        f"{row['trial_count']} trials{_before(row)}"
        for row in failures.filter("is_blocking").iter_rows(named=True)
    ]


def known_failures(failures: pl.DataFrame) -> list[str]:
    """A sentence on those that failed as often before, if there are any.

    Args:
        failures: From `must_pass_failures`.
    """
    known = failures.filter(~pl.col("is_blocking"))
    if known.is_empty():
        return []
    first = known.row(0, named=True)
    more = f", and {known.height - 1} more" if known.height > 1 else ""
    told = f"warning: {first['example_id']} must pass {first['metric']}{more}"
    return [f"{told}: failed no more often than in the baseline, so it does not block"]


def _before(row: dict[str, int]) -> str:
    failed = row["baseline_failed_count"]
    return f" ({failed} of {row['baseline_trial_count']} before)" if failed else ""
