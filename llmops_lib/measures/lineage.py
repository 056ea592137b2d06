"""From a commit to what it did: which eval runs and which production calls carried which prompt."""

from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import known_rows, model_calls, portable, tally
from llmops_lib.frames import collected
from llmops_lib.schema import PROMPT_VERSIONS, UTC_DATETIME

_CARRIED = ["prompt_name", "prompt_version", "prompt_hash", "model"]
_KEY = ["prompt_name", "prompt_hash", "model"]
_REGISTERED = ["prompt_version", "declared_model", "tool_schema_hash", "commit", "committed_at"]
_OF_CALLS = ("call_count", "failed_count")
_OF_RUNS = ("eval_run_count", "eval_runs", "score_count")
_TIMES = {"first_at": nw.col("started_at").min(), "last_at": nw.col("started_at").max()}
_CALLS = pl.Schema(
    [
        *((name, pl.String) for name in _CARRIED),
        ("call_count", pl.Int64),
        ("failed_count", pl.Int64),
        ("first_call_at", UTC_DATETIME),
        ("last_call_at", UTC_DATETIME),
    ]
)
_RUNS = pl.Schema(
    [
        *((name, pl.String) for name in (*_CARRIED, "run_id")),
        ("score_count", pl.Int64),
        ("first_run_at", UTC_DATETIME),
        ("last_run_at", UTC_DATETIME),
    ]
)


@portable
def prompt_lineage(versions: pl.DataFrame, *, spans: Any = None, scores: Any = None) -> pl.DataFrame:
    """Each content of each prompt and each model that ran it, with its commit, eval runs and calls.

    What carries the hash of a prompt is joined by it. What carries only the label of a version is joined by
    that where a single content of the prompt ever had the label, and `matched_by` says so.

    Args:
        versions: PROMPT_VERSIONS, such as `prompt_versions` gives.
        spans: SPANS, on any engine; uses `is_model_call`, `is_error`, `started_at`, `model`, `prompt_name`,
            `prompt_version`, `prompt_hash`. Calls that carry neither name nor hash are left out.
        scores: SCORES, likewise; uses `run_id`, `started_at`, `model` and the same three.

    Returns:
        One row per prompt, hash and model that ran, by prompt, then newest commit first, then model, those of
        no commit last: `prompt_name`, `prompt_hash`, `model` (null where nothing ran), `prompt_version`,
        `declared_model`, `tool_schema_hash`, `commit` (the newest that brought this content),
        `committed_at`, `matched_by` (`hash` or `version`; null where nothing ran, or what ran is not in
        `versions`), `is_registered`, `eval_run_count`, `eval_runs` (ids, sorted), `score_count`,
        `first_run_at`, `last_run_at`, `call_count`, `failed_count`, `first_call_at`, `last_call_at`. Counts
        of a table that was not given are null.

    Raises:
        MissingColumnError: If a column is missing.

    Example:
        >>> from datetime import UTC, datetime
        >>> at = datetime(2026, 11, 9, tzinfo=UTC)
        >>> versions = pl.DataFrame(
        ...     {"prompt_name": ["faq"], "prompt_hash": ["ab12"], "commit": ["c0ffee"], "committed_at": [at]}
        ... )
        >>> spans = pl.DataFrame({
        ...     "is_model_call": [True, True], "is_error": [False, True], "started_at": [at, at],
        ...     "model": ["m", "m"], "prompt_name": ["faq"] * 2, "prompt_version": [None, None],
        ...     "prompt_hash": ["ab12", "dead"],
        ... })
        >>> prompt_lineage(versions, spans=spans).select("prompt_hash", "commit", "call_count").rows()
        [('ab12', 'c0ffee', 1), ('dead', None, 1)]
    """
    registered = _registered(versions)
    calls = _CALLS.to_frame() if spans is None else _calls(spans)
    runs = _RUNS.to_frame() if scores is None else _runs(scores)
    carried = _by_content(calls, registered).join(
        _by_content(runs, registered), on=_KEY, how="full", coalesce=True, nulls_equal=True
    )
    joined = _joined(registered, carried)
    # What nobody looked at is unknown, not zero.
    unknown = [*(_OF_CALLS if spans is None else ()), *(_OF_RUNS if scores is None else ())]
    return joined.with_columns(pl.lit(None, joined.schema[name]).alias(name) for name in unknown)


def _registered(versions: pl.DataFrame) -> pl.DataFrame:
    names = ["prompt_name", "prompt_hash", *_REGISTERED]
    missing = [name for name in names if name not in versions.columns]
    columns = [pl.lit(None, PROMPT_VERSIONS.polars_schema[name]).alias(name) for name in missing]
    known = versions.with_columns(columns).select(names).filter(pl.col("prompt_hash").is_not_null())
    newest = known.sort("committed_at", descending=True, nulls_last=False, maintain_order=True)
    return newest.unique(["prompt_name", "prompt_hash"], keep="first", maintain_order=True)


def _calls(spans: Any) -> pl.DataFrame:
    frame = model_calls(spans, [*_CARRIED, "is_error", "started_at"]).filter(_is_carried())
    tallied = tally(frame, _CARRIED, _TIMES, counts={"failed_count": nw.col("is_error")})
    renamed = tallied.rename({"first_at": "first_call_at", "last_at": "last_call_at"})
    return collected(renamed.to_native()).select(pl.col(name).cast(_CALLS[name]) for name in _CALLS)


def _runs(scores: Any) -> pl.DataFrame:
    frame = known_rows(scores, [*_CARRIED, "run_id", "started_at"]).filter(_is_carried())
    renamed = tally(frame, [*_CARRIED, "run_id"], _TIMES).rename(
        {"call_count": "score_count", "first_at": "first_run_at", "last_at": "last_run_at"}
    )
    return collected(renamed.to_native()).select(pl.col(name).cast(_RUNS[name]) for name in _RUNS)


def _is_carried() -> nw.Expr:
    return ~(nw.col("prompt_name").is_null() & nw.col("prompt_hash").is_null())


def _by_content(carried: pl.DataFrame, registered: pl.DataFrame) -> pl.DataFrame:
    """What was carried, under the registered name and hash where those can be told."""
    one = registered.filter(pl.struct("prompt_name", "prompt_version").is_unique())
    labels = one.filter(pl.col("prompt_version").is_not_null()).select(
        "prompt_name", "prompt_version", pl.col("prompt_hash").alias("labelled_hash")
    )
    names = registered.filter(pl.col("prompt_hash").is_unique()).select(
        "prompt_hash", pl.col("prompt_name").alias("hashed_name")
    )
    found = carried.join(names, on="prompt_hash", how="left").join(
        labels, on=["prompt_name", "prompt_version"], how="left"
    )
    is_by_label = pl.col("prompt_hash").is_null() & pl.col("labelled_hash").is_not_null()
    told = found.with_columns(
        pl.coalesce("prompt_name", "hashed_name").alias("prompt_name"),
        pl.coalesce("prompt_hash", "labelled_hash").alias("prompt_hash"),
        is_by_label.alias("is_by_label"),
        pl.col("prompt_version").alias("carried_version"),
    )
    return told.group_by(_KEY).agg(*_aggregates(carried.columns))


def _aggregates(columns: list[str]) -> list[pl.Expr]:
    side = "call" if "call_count" in columns else "run"
    counts = [pl.col(name).sum() for name in columns if name.endswith("_count")]
    runs = [pl.col("run_id").drop_nulls().unique().sort().alias("eval_runs")] if side == "run" else []
    return [
        *counts,
        *runs,
        pl.col(f"first_{side}_at").min(),
        pl.col(f"last_{side}_at").max(),
        pl.col("is_by_label").all().alias(f"is_{side}_by_label"),
        pl.col("carried_version").drop_nulls().first().alias(f"{side}_version"),
    ]


def _joined(registered: pl.DataFrame, carried: pl.DataFrame) -> pl.DataFrame:
    marked = registered.with_columns(pl.lit(True).alias("is_registered"))
    both = marked.join(
        carried, on=["prompt_name", "prompt_hash"], how="full", coalesce=True, nulls_equal=True
    )
    is_registered = pl.col("is_registered").fill_null(False)
    is_by_label = pl.coalesce("is_call_by_label", "is_run_by_label")
    by = pl.when(is_by_label).then(pl.lit("version")).otherwise(pl.lit("hash"))
    told = both.with_columns(
        pl.when(is_registered & is_by_label.is_not_null()).then(by).alias("matched_by"),
        is_registered.alias("is_registered"),
        pl.coalesce("prompt_version", "call_version", "run_version").alias("prompt_version"),
        pl.col("eval_runs").list.len().fill_null(0).cast(pl.Int64).alias("eval_run_count"),
        pl.col("eval_runs").fill_null(pl.lit([], pl.List(pl.String))),
        pl.col("score_count", "call_count", "failed_count").fill_null(0),
        (is_registered & pl.col("commit").is_null()).alias("is_uncommitted"),
    )
    newest_first = ["is_registered", "is_uncommitted", "committed_at"]
    order = ["prompt_name", *newest_first, "prompt_hash", "model"]
    return told.sort(order, descending=[name in newest_first for name in order], nulls_last=True).select(
        *_KEY, *_REGISTERED, "matched_by", "is_registered", "eval_run_count", "eval_runs", "score_count",
        "first_run_at", "last_run_at", "call_count", "failed_count", "first_call_at", "last_call_at",
    )  # fmt: skip
