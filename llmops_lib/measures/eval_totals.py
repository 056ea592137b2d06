"""An eval run in one row: how much of it there is, and what it took."""

import polars as pl


def eval_totals(scores: pl.DataFrame) -> pl.DataFrame:
    """What an eval run took, one row; each call counts once however many scorers judged it.

    Args:
        scores: SCORES of one run.

    Returns:
        `case_count`, `call_count` (cases times trials), `scorer_count`, `failed_call_count` (calls without
        an answer of which a scorer says so), `cost_usd` (null where the cost of a call is unknown),
        `unpriced_count`, `latency_p50_ms`, `latency_p95_ms`, `is_simulated` (the bundled answerer answered).

    Example:
        >>> from llmops_lib.schema import SCORES
        >>> eval_totals(SCORES.empty()).select("case_count", "cost_usd").rows()
        [(0, None)]
    """
    calls = scores.unique(["example_id", "trial"], keep="first", maintain_order=True)
    known = pl.col("cost_usd").is_not_null()
    simulated = scores["metadata"].str.json_path_match("$.is_simulated") == "true"
    return calls.select(
        case_count=pl.col("example_id").n_unique().cast(pl.Int64),
        call_count=pl.len().cast(pl.Int64),
        scorer_count=pl.lit(scores["scorer"].n_unique(), dtype=pl.Int64),
        failed_call_count=(pl.col("error").is_not_null() & pl.col("output").is_null()).sum().cast(pl.Int64),
        cost_usd=pl.when(known.all() & (pl.len() > 0)).then(pl.col("cost_usd").sum()),
        unpriced_count=(~known).sum().cast(pl.Int64),
        latency_p50_ms=pl.col("latency_ms").quantile(0.5, "linear"),
        latency_p95_ms=pl.col("latency_ms").quantile(0.95, "linear"),
        is_simulated=pl.lit(bool(simulated.fill_null(value=False).any())),
    )
