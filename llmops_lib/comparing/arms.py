"""The calls of two production arms as numbers, and the users they belong to."""

import math
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import PRICE_HINT, Frame, flag, model_calls
from llmops_lib.errors import ComparisonError
from llmops_lib.experiments.attributes import arm_pattern
from llmops_lib.frames import collected, narwhal
from llmops_lib.refusals import is_refused

UNITS = ("user", "session", "trace")
"""What a call is taken to belong to: its user, else its session, else its trace."""

NUMBERS = (
    "cost_usd",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "latency_ms",
    "feedback_score",
)
_OWNERS = ("user_id", "session_id", "trace_id")
_PROMPT = ("prompt_name", "prompt_version", "prompt_hash")


def arm_calls(spans: Any, a: str, b: str, *, experiment: str = "", by: Sequence[str] = ()) -> pl.DataFrame:
    """The model calls of two arms, one row each: `is_b`, `unit` and what names it, `started_at`, numbers.

    Narrowed on the engine of the table, then collected, some 100 bytes a call; texts stay where they are.

    Args:
        spans: Priced SPANS on any engine.
        a: The baseline: `NAME@VERSION` or the hash of a prompt, or an arm of `experiment`.
        b: The candidate.
        experiment: Experiment whose arms these are, as `assign` logged them.
        by: Further columns to keep.

    Raises:
        ComparisonError: If the arms are the same or one has no call; the message lists what there is.
    """
    for name, arm in (("a", a), ("b", b)):
        if not isinstance(arm, str) or not arm:
            msg = (
                f"{name}: found {arm!r}, expected NAME@VERSION, a hash of a prompt or an arm of `experiment`"
            )
            raise ComparisonError(msg)
    if a == b:
        msg = f"both arms are {a!r}; expected two"
        raise ComparisonError(msg)
    narrowed = _of_experiment(spans, a, b, experiment, by) if experiment else _of_prompts(spans, a, b, by)
    calls = collected(narrowed.to_native()).with_columns(pl.col("is_b").cast(pl.Boolean))
    of_b = int(calls["is_b"].sum())
    empty = [name for name, size in ((a, calls.height - of_b), (b, of_b)) if not size]
    if empty:
        msg = f"found no model call of {' or '.join(empty)}; there are {_there(spans, experiment)}"
        raise ComparisonError(msg)
    return calls


def calls_before(spans: Any) -> pl.DataFrame:
    """The model calls of a table as `arm_calls` has them, whatever their prompt.

    Args:
        spans: Priced SPANS of the time before an experiment, on any engine.
    """
    frame = _narrowed(_used(spans, ()), ())
    return collected(frame.to_native())


def check_calls(calls: pl.DataFrame, what: str) -> None:
    """Refuses calls of which nobody knows when they ran or whose they are, and numbers without an end.

    Args:
        calls: What `arm_calls` or `calls_before` returns.
        what: What they are called in an error.

    Raises:
        ComparisonError: If there is such a call; the message says how many, and what to do.
    """
    dtype = calls.schema["started_at"]
    if not calls.is_empty() and not isinstance(dtype, pl.Datetime):
        msg = f"{what}: started_at holds {dtype}, expected datetimes; parse it first, with its time zone"
        raise ComparisonError(msg)
    for column, told in (("started_at", "no started_at"), ("unit", "neither user, session nor trace")):
        absent = calls[column].null_count()
        if absent:
            msg = f"{what}: {absent:,} of {calls.height:,} calls have {told}, expected one each"
            msg += "; without it arms cannot be compared, so leave those calls out and count them"
            raise ComparisonError(msg)
    for column in NUMBERS:
        # A sum has no end if a number has none, and takes half the time of looking at each.
        if calls.schema[column].is_float() and not math.isfinite(calls[column].sum() or 0.0):
            msg = f"{what}: {column} is infinite in some of {calls.height:,} calls; expected a number or null"
            raise ComparisonError(msg)


def _used(spans: Any, more: Sequence[str]) -> Frame:
    there = narwhal(spans).collect_schema().names()
    told = ("is_refused",) if "is_refused" in there else ("output", "finish_reason")
    refusal = [name for name in told if name in there]
    columns = [*_OWNERS, "started_at", "is_error", *NUMBERS, *refusal, *more]
    return model_calls(spans, columns, hint=PRICE_HINT)


def _narrowed(frame: Frame, kept: Sequence[str]) -> Frame:
    names = frame.collect_schema().names()
    return frame.select(
        *kept,
        nw.coalesce(*_OWNERS).alias("unit"),
        (~nw.col("user_id").is_null()).alias("has_user"),
        (~nw.col("session_id").is_null()).alias("has_session"),
        "started_at",
        "is_error",
        is_refused(names),
        *NUMBERS,
    )


def _of_prompts(spans: Any, a: str, b: str, by: Sequence[str]) -> Frame:
    frame = _used(spans, [*_PROMPT, *by])
    (a_name, _, a_version), (b_name, _, b_version) = a.partition("@"), b.partition("@")
    # Two versions of one prompt: its name need be compared once only.
    is_one = bool(a_version and b_version) and a_name == b_name
    if is_one:
        frame = frame.filter(nw.col("prompt_name") == a_name)
    arms = [
        (_is_version(version) if is_one else _is_prompt(arm)).fill_null(value=False).alias(place)
        for place, arm, version in (("is_a", a, a_version), ("is_b", b, b_version))
    ]
    return _narrowed(frame.with_columns(*arms).filter(nw.col("is_a") | nw.col("is_b")), ["is_b", *by])


def _is_prompt(arm: str) -> nw.Expr:
    name, _, version = arm.partition("@")
    if not version:
        return nw.col("prompt_hash") == arm
    return (nw.col("prompt_name") == name) & _is_version(version)


def _is_version(version: str) -> nw.Expr:
    return (nw.col("prompt_version") == version) | (nw.col("prompt_hash") == version)


def _of_experiment(spans: Any, a: str, b: str, experiment: str, by: Sequence[str]) -> Frame:
    every = narwhal(spans, columns=["trace_id", "attributes"])
    arms = [
        flag(nw.col("attributes").str.contains(arm_pattern(experiment, arm))).alias(name)
        for name, arm in (("is_a", a), ("is_b", b))
    ]
    # The attribute stands on the root of a trace; the calls below it belong to the same arm.
    told = every.select("trace_id", *arms).filter((nw.col("is_a") + nw.col("is_b")) > 0)
    traces: Any = told.group_by("trace_id").agg(nw.col("is_a").max(), nw.col("is_b").max())
    frame = _used(spans, by).join(traces, on="trace_id", how="inner")
    return _narrowed(frame, ["is_b", *by])


def _there(spans: Any, experiment: str) -> str:
    frame = narwhal(spans, columns=["is_model_call"])
    if experiment:
        return f"the arms that were logged under `attributes` for experiment {experiment!r}; check its name"
    prompts = frame.filter(nw.col("is_model_call")).select("prompt_name", "prompt_version").unique()
    found = collected(prompts.to_native()).drop_nulls("prompt_name").sort("prompt_name", "prompt_version")
    listed = [f"{name}@{version}" for name, version in found.head(20).rows()]
    return ", ".join(listed) or "no calls that name a prompt"
