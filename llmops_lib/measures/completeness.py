"""How complete a load is, in as many rows as there are checks."""

import polars as pl

from llmops_lib.schema import CHECKS

_WORST_FIRST = ("broken", "suspect", "unknown", "proved")


def completeness_by_check(completeness: pl.DataFrame) -> pl.DataFrame:
    """The worst that each check found, the broken ones first.

    Args:
        completeness: COMPLETENESS, such as `completeness` gives.

    Returns:
        One row per check, by status (broken, suspect, unknown, proved), then in the order of the checks:
        `check`, `meaning`, `status`, `file_count` (files with that status; null where it is about the
        whole load), `case_count` (what was found there), `detail` (of the first of them).

    Example:
        >>> rows = {
        ...     "source_file": ["a", "b", None], "check": ["page_cap", "page_cap", "overlap"],
        ...     "status": ["suspect", "suspect", "proved"], "count": [100, 1000, 0],
        ...     "detail": ["x", "y", None],
        ... }
        >>> completeness_by_check(pl.DataFrame(rows)).drop("meaning", "detail").rows()
        [('page_cap', 'suspect', 2, 1100), ('overlap', 'proved', None, 0)]
    """
    severity = pl.col("status").replace_strict({name: place for place, name in enumerate(_WORST_FIRST)})
    place = pl.col("check").replace_strict({name: place for place, name in enumerate(CHECKS)})
    ranked = completeness.with_columns(severity.alias("severity"), place.alias("place"))
    worst = ranked.filter(pl.col("severity") == pl.col("severity").min().over("check"))
    files = pl.col("source_file").n_unique()
    return (
        worst.group_by("check", maintain_order=True)
        .agg(
            pl.col("status", "severity", "place", "detail").first(),
            pl.when(pl.col("source_file").is_not_null().all()).then(files).cast(pl.Int64).alias("file_count"),
            pl.col("count").sum().alias("case_count"),
        )
        .sort("severity", "place")
        .with_columns(pl.col("check").replace_strict(CHECKS).alias("meaning"))
        .select("check", "meaning", "status", "file_count", "case_count", "detail")
    )
