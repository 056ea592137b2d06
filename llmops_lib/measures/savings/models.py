"""What calls would have cost on another model that is in use already."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import PRICE_HINT, model_calls, ordered, portable, stacked, tally, with_place
from llmops_lib.errors import ParameterError
from llmops_lib.frames import by_columns

_ANSWERS = ("chat", "text_completion")
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


@portable
def calls_on_other_models(
    calls: Any,
    by: str | Sequence[str] = ("feature", "prompt_name", "model"),
    *,
    least_calls: int = 20,
    also: Sequence[str] = (),
) -> Any:
    """The priced calls as they would read had each other model in use answered them: price them again.

    The other model has the same operation, so that no chat goes to an embedding model, and at least
    `least_calls` priced calls of its own, or is named by you for answers.

    Args:
        calls: SPANS with the columns of `price_calls`, on any engine; uses `operation`, `provider`, `model`,
            `request_model`, `response_model`, `started_at`, `cost_usd` and the token columns.
        by: Columns to keep for `cheaper_models`.
        least_calls: Priced calls that make a model one in use.
        also: Models that are not in use, as `provider/model` with the OpenTelemetry name of the provider,
            such as `openai/gpt-4.1-nano`.

    Returns:
        One row per call and other model: `by`, `is_model_call`, `operation`, `started_at`, the token columns,
        `own_cost_usd` (USD as it was), `other_model`, and its `provider`, `request_model`, `response_model`.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
        ParameterError: If a name of `also` has no provider.
    """
    keys = by_columns(by)
    names = ["provider", "request_model", "response_model"]
    columns = ["operation", "model", "started_at", "cost_usd", *names, *_TOKENS]
    frame = model_calls(calls, [*keys, *columns], hint=PRICE_HINT)
    priced: Any = frame.filter(~nw.col("cost_usd").is_null() & ~nw.col("model").is_null())
    others = tally(priced, ["operation", "model", *names]).filter(nw.col("call_count") >= least_calls)
    # A model that was asked for under two names is one model.
    order = ["call_count", "request_model", "provider", "response_model"]
    one = with_place(others, "_nth", by=["operation", "model"], order_by=order).filter(nw.col("_nth") == 1)
    named: Any = one.select("operation", nw.col("model").alias("other_model"), *names)
    if also:
        answers = others.filter(nw.col("operation").is_in(_ANSWERS)).select("operation").unique()
        unused = stacked([_unused(answers, name) for name in dict.fromkeys(also)])
        in_use = ["operation", "other_model"]
        named = stacked([named, unused.join(named.select(in_use), on=in_use, how="anti")])
    kept = [*dict.fromkeys([*keys, "model", "operation", "started_at", "cost_usd", *_TOKENS])]
    pairs = priced.select([name for name in kept if name not in names]).join(
        named, on="operation", how="inner"
    )
    moved = pairs.filter(nw.col("model") != nw.col("other_model")).rename({"cost_usd": "own_cost_usd"})
    return moved.with_columns(nw.lit(value=True).alias("is_model_call")).to_native()


def _unused(answers: Any, name: str) -> Any:
    provider, _, model = name.partition("/")
    if not model:
        msg = f"also: found {name!r}, expected provider/model such as openai/gpt-4.1-nano"
        raise ParameterError(msg)
    return answers.with_columns(
        nw.lit(model).alias("other_model"),
        nw.lit(provider).alias("provider"),
        nw.lit(model).alias("request_model"),
        nw.lit(None, nw.String).alias("response_model"),
    )


@portable
def cheaper_models(repriced: Any, by: str | Sequence[str] = ("feature", "prompt_name", "model")) -> Any:
    """For each group the model in use on which the same tokens would have cost least.

    Assumption, and a strong one: the other model answers as well, with as many tokens, and finds as much in
    its cache, at the standard service tier. Quality is not in the traces: compare it before moving anything.
    Models that some call of the group has no price on are not compared.

    Args:
        repriced: What `calls_on_other_models` returns, priced by `price_calls`.
        by: Grouping columns, as given there.

    Returns:
        One row per group that would have cost less on another model, by `saving_usd` downwards, then by `by`:
        `by`, `other_model`, `call_count`, `spend_usd` (USD as it was), `saving_usd`.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
    """
    keys = by_columns(by)
    frame = model_calls(repriced, ["own_cost_usd", "cost_usd", "other_model"], by=keys, hint=PRICE_HINT)
    sums = {"own_cost_usd": "spend_usd", "cost_usd": "other_usd"}
    unpriced = {"unpriced_count": nw.col("other_usd").is_null()}
    tallied = tally(frame.rename(sums), [*keys, "other_model"], counts=unpriced, sums=list(sums.values()))
    saving = (nw.col("spend_usd") - nw.col("other_usd")).alias("saving_usd")
    compared = tallied.filter(nw.col("unpriced_count") == 0).with_columns(
        saving, (0 - saving).alias("_cost_usd")
    )
    saving_ones = compared.filter(nw.col("saving_usd") > 0)
    placed = with_place(saving_ones, "_nth", by=keys, order_by=["_cost_usd", "other_model"])
    best = placed.filter(nw.col("_nth") == 1)
    columns = [*keys, "other_model", "call_count", "spend_usd", "saving_usd"]
    return ordered(best, ["saving_usd", *keys], largest_first=["saving_usd"]).select(columns).to_native()
