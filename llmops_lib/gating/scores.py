"""Scores as a gate takes them: every column there, what the metadata say as columns, what gates."""

import polars as pl

from llmops_lib.errors import GateError
from llmops_lib.schema import SCORES, conform

_MEASURED = ("latency", "cost")
"""Kinds of graders where lower is better; limits bound them."""


def prepared(scores: pl.DataFrame) -> pl.DataFrame:
    """Scores with the columns of SCORES that they lack as null, and with what their metadata say.

    Args:
        scores: SCORES, or some of its columns.

    Returns:
        The same rows with `_must_pass`, `_is_locked` (Boolean), `_planned_case_count` (Int64), `_kind`,
        `_grader_hash`, `_judge_model`, `_judge_prompts` (text); null where the metadata say nothing.
    """
    told = {
        name: pl.col("metadata").str.json_path_match(f"$.{name}")
        for name in ("kind", "grader_hash", "judge_model", "judge_prompts")
    }
    flags = {
        name: pl.col("metadata").str.json_path_match(f"$.{name}") == "true"
        for name in ("must_pass", "is_locked")
    }
    planned = pl.col("metadata").str.json_path_match("$.planned_case_count").cast(pl.Int64, strict=False)
    every = {**told, **flags, "planned_case_count": planned}
    return conform(filled(scores), SCORES).with_columns(
        **{f"_{name}": value for name, value in every.items()}
    )


def filled(scores: pl.DataFrame) -> pl.DataFrame:
    """Scores with the columns of SCORES that they lack as null, as those of a table of scores.

    Args:
        scores: Some columns of SCORES.
    """
    absent = {name: dtype for name, dtype in SCORES.polars_schema.items() if name not in scores.columns}
    fixed = {"source_format": "table", "source_file": ""}
    return scores.with_columns(
        **{name: pl.lit(fixed.get(name), dtype=dtype) for name, dtype in absent.items()}
    )


def gated_metrics(scores: pl.DataFrame, wanted: tuple[str, ...]) -> list[str]:
    """Names of the metrics that gate, sorted: those that are wanted, else all but latency and cost.

    Args:
        scores: What `prepared` returns.
        wanted: Names; none for all.

    Raises:
        GateError: If one is not there, or there is none at all.
    """
    has_score = scores.filter(pl.col("score").is_not_null())
    kinds = has_score.group_by("scorer").agg(is_measured=pl.col("_kind").is_in(_MEASURED).any())
    names = (
        sorted(wanted) if wanted else kinds.filter(~pl.col("is_measured").fill_null(value=False))["scorer"]
    )
    unknown = sorted(set(names) - set(kinds["scorer"]))
    if unknown or not len(names):
        there = ", ".join(scores["scorer"].unique().sort().to_list()) or "none"
        msg = f"found no metric {', '.join(unknown) or 'to gate on'}; there are {there}"
        raise GateError(msg)
    return sorted(set(names))


def trial_count(scores: pl.DataFrame) -> int:
    """Trials of the example that has most.

    Args:
        scores: What `prepared` returns.
    """
    most = scores.group_by("example_id", "scorer").len()["len"].max()
    return most if isinstance(most, int) else 0


def first_trials(scores: pl.DataFrame, most: int) -> pl.DataFrame:
    """Scores of the first trials of each example, by their numbers.

    Args:
        scores: What `prepared` returns.
        most: Number of trials.
    """
    return scores.filter(pl.col("trial").rank("dense").over("example_id", "scorer") <= most)
