"""Traffic in strata that routing moves as one: what each costs on every model, and how good it was."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import narwhals as nw
import numpy as np
import polars as pl

from llmops_lib.calls import PRICE_HINT, Frame, model_calls, portable, tally
from llmops_lib.errors import ParameterError
from llmops_lib.frames import collected
from llmops_lib.stats.clusters import group_means
from llmops_lib.stats.strata import RoutingStrata

Rule = Literal["input_tokens", "difficulty_score"]

EDGES: Mapping[str, Sequence[float]] = MappingProxyType(
    {
        "input_tokens": (1000, 4000, 16_000),
        "difficulty_score": (0.25, 0.5, 0.75),
    }
)
"""Where one band of a rule ends and the next begins, unless other edges are given."""

_ANSWERS = ("chat", "text_completion")
_KEYS = ["feature", "band", "model"]
_UNITS = ("user_id", "session_id", "trace_id")


@portable
def routing_strata(
    calls: Any,
    repriced: Any,
    *,
    rule: Rule = "input_tokens",
    edges: Sequence[float] | None = None,
    quality: str = "feedback_score",
) -> RoutingStrata:
    """Answers of models, counted once by feature, band of the rule and model, for any number of what-ifs.

    Quality is what `quality` holds of the calls that have it, in each stratum and for each model apart; where
    a model never answered, or was never judged, nothing is filled in. Judgements of one user are taken as
    alike.

    Args:
        calls: SPANS with the columns of `price_calls`, on any engine; uses `operation`, `feature`, `model`,
            `cost_usd`, `user_id`, `session_id`, `trace_id` and the columns of `rule` and `quality`.
        repriced: What `calls_on_other_models(calls, by=[...])` returns with `feature`, `model` and `rule`
            among `by`, priced by `price_calls`.
        rule: What orders calls from easy to hard: the length of their input, or a score of their difficulty.
        edges: Where bands end, ascending; without them `EDGES`.
        quality: Column of the judgement of a call, on a scale of its own.

    Returns:
        Cells (polars) and what simulations need beside them; see `RoutingStrata`.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
        ParameterError: If the rule is unknown or the edges do not ascend.
    """
    bands = _checked_edges(rule, edges)
    used = ["operation", "feature", "model", "cost_usd", quality, rule, *_UNITS]
    answers = _banded(model_calls(calls, used, hint=PRICE_HINT), rule, bands)
    other = ["operation", "feature", "model", "other_model", "own_cost_usd", "cost_usd", rule]
    moved = _banded(model_calls(repriced, other, hint=PRICE_HINT), rule, bands)
    cells = _cells(answers)
    judged, unit = _judged(answers, quality, cells)
    means = group_means(*judged, group_count=cells.height)
    known = cells.with_columns(
        pl.Series("judged_count", means.row_counts),
        pl.Series("judge_count", means.cluster_counts),
        pl.Series("quality", means.means).fill_nan(None),
    )
    return RoutingStrata(known, _moves(moved), means, rule, tuple(bands), unit)


def _checked_edges(rule: str, edges: Sequence[float] | None) -> list[float]:
    if rule not in EDGES:
        msg = f"rule {rule!r} is unknown; expected one of {', '.join(EDGES)}"
        raise ParameterError(msg)
    bands = list(EDGES[rule] if edges is None else edges)
    if not bands or bands != sorted(set(bands)):
        msg = f"edges {bands} do not ascend; expected numbers such as {list(EDGES[rule])}"
        raise ParameterError(msg)
    return bands


def _banded(frame: Frame, rule: str, edges: Sequence[float]) -> Frame:
    value, band = nw.col(rule), nw.lit(0)
    for edge in edges:
        band = band + nw.when(value >= edge).then(nw.lit(1)).otherwise(nw.lit(0))
    known = nw.when(~value.is_null()).then(band).alias("band")
    return frame.filter(nw.col("operation").is_in(_ANSWERS)).with_columns(known)


def _cells(answers: Frame) -> pl.DataFrame:
    tallied = tally(
        answers.rename({"cost_usd": "spend_usd"}),
        _KEYS,
        counts={"unpriced_count": nw.col("spend_usd").is_null()},
        sums=["spend_usd"],
    )
    return _sorted(collected(tallied.to_native()), _KEYS)


def _moves(moved: Frame) -> pl.DataFrame:
    both = nw.when(~nw.col("cost_usd").is_null())
    costs = moved.with_columns(both.then(nw.col("own_cost_usd")).alias("own_usd")).rename(
        {"cost_usd": "other_usd"}
    )
    keys = [*_KEYS, "other_model"]
    tallied = tally(
        costs, keys, counts={"repriced_count": ~nw.col("other_usd").is_null()}, sums=["own_usd", "other_usd"]
    )
    return _sorted(collected(tallied.to_native()), keys).drop("call_count")


def _sorted(table: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    return table.with_columns(pl.col("band").cast(pl.Int64)).sort(keys, nulls_last=True)


def _judged(answers: Frame, quality: str, cells: pl.DataFrame) -> tuple[tuple[Any, ...], str]:
    value = nw.col(quality).cast(nw.Float64)
    judged = answers.filter(~nw.col(quality).is_null()).with_columns(
        nw.coalesce(*_UNITS).alias("_judge"), value.alias("_value"), (value * value).alias("_square")
    )
    sums = {"_value_sum": nw.col("_value").sum(), "_square_sum": nw.col("_square").sum()}
    named = {name: nw.col(name).count() for name in _UNITS[:2]}
    by_judge = collected(tally(judged, [*_KEYS, "_judge"], {**sums, **named}).to_native())
    places = cells.select(*_KEYS, pl.int_range(pl.len(), dtype=pl.Int64).alias("_cell"))
    entries = by_judge.with_columns(pl.col("band").cast(pl.Int64)).join(
        places, on=_KEYS, how="inner", nulls_equal=True
    )
    codes = np.unique(entries["_judge"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    columns = [entries[name].cast(pl.Float64).to_numpy() for name in ("call_count", *sums)]
    unit = next(
        (
            name
            for name in _UNITS[:2]
            if entries.height and entries[name].sum() == entries["call_count"].sum()
        ),
        _UNITS[2],
    )
    return (entries["_cell"].to_numpy(), codes, tuple(columns)), unit.removesuffix("_id")
