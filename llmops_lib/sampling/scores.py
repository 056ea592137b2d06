"""Judgements of sampled calls as rows that can be weighted."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from llmops_lib.errors import SchemaError
from llmops_lib.frames import collected, narwhal

CARRIED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "span_id": pl.String,
    "user_id": pl.String,
    "session_id": pl.String,
    "feature": pl.String,
    "tenant": pl.String,
    "draw": pl.Float64,
    "chance": pl.Float64,
    "stratum": pl.String,
    "risk_flag": pl.String,
    "tenant_tier": pl.String,
    "judge_model": pl.String,
    "judge_prompt_hash": pl.String,
}
"""What the metadata of a judgement say of the sampled call and of the judge."""

_USED = ("example_id", "scorer", "score", "started_at", "trace_id", "metadata")


def sample_scores(scores: Any, *, scorer: str = "") -> pl.DataFrame:
    """One row per judged call, with the chance that it was drawn with, from SCORES.

    Args:
        scores: SCORES of `llmops eval judge`, on any engine; other columns stay as they are.
        scorer: Scorer whose scores count; may be left out where there is one only.

    Returns:
        The rows of the scorer with what their metadata say as columns: `span_id`, `user_id`, `session_id`,
        `feature`, `tenant`, `draw`, `chance`, `stratum`, `risk_flag`, `tenant_tier`, `judge_model`,
        `judge_prompt_hash`; and `unit`, the user, else the session, else the trace.

    Raises:
        SchemaError: If the scorer is unknown, several are there and none is named, a row has no chance, or a
            call was judged twice.
    """
    table = collected(narwhal(scores, columns=_USED).to_native())
    chosen = table.filter(pl.col("scorer") == _checked(table, scorer))
    told = pl.col("metadata").cast(pl.String)
    found = chosen.with_columns(
        told.str.json_path_match(f"$.{name}").cast(dtype, strict=False).alias(name)
        for name, dtype in CARRIED.items()
    ).with_columns(
        pl.coalesce(_prefixed("user_id"), _prefixed("session_id"), _prefixed("trace_id")).alias("unit")
    )
    wrong = found["chance"].filter(~found["chance"].is_between(0, 1, closed="right").fill_null(value=False))
    if len(wrong):
        lacking = f"{wrong.null_count()} of {found.height} scores name no chance of being drawn"
        beyond = wrong.drop_nulls()
        lacking += f", {len(beyond)} one that is none, such as {beyond[0]:g}" if len(beyond) else ""
        msg = f"{lacking}; expected above 0 and up to 1, as llmops eval judge writes: no chance, no estimate"
        raise SchemaError(msg)
    if found["example_id"].is_duplicated().any():
        msg = "a sampled call has several scores; expected one each, so give one run of the judge"
        raise SchemaError(msg)
    return found


def _prefixed(name: str) -> pl.Expr:
    return pl.format("{}:{}", pl.lit(name.removesuffix("_id")), pl.col(name))


def _checked(scores: pl.DataFrame, scorer: str) -> str:
    there = scores["scorer"].unique().sort().to_list()
    if scorer in there or (not scorer and len(there) == 1):
        return scorer or str(there[0])
    found = f"scorer {scorer!r}" if scorer else "no scorer named"
    msg = f"{found}; expected one of those in the scores: {', '.join(there) or 'none'}"
    raise SchemaError(msg)
