"""All savings in one list, the largest first."""

from typing import Any

import polars as pl

from llmops_lib.frames import collected

_ASSUMES = {
    "prompt caching": "the repeated beginning of {tokens} tokens would be read from the cache at its price",
    "cheaper model": "the same tokens on {other}; equal quality is assumed, not known",
    "shorter context": "inputs cut to {tokens} tokens, the longest usual ones; the answers stay as good",
    "fewer retries": "no attempt fails that is then made again; {unknown} of them have no known cost",
}
_SHOWN = ("feature", "prompt_name", "model")


def saving_suggestions(
    *, caching: Any, models: Any, contexts: Any, retries: Any, n: int = 20
) -> pl.DataFrame:
    """The savings of all kinds, the largest first, each with what it assumes.

    They overlap, so that they are never added up: a call on a cheaper model saves less by caching.

    Args:
        caching: What `caching_savings` returns, by feature, prompt and model, on any engine.
        models: What `cheaper_models` returns.
        contexts: What `shorter_contexts` returns.
        retries: What `avoidable_retries` returns.
        n: How many suggestions to keep.

    Returns:
        A polars DataFrame, by `saving_usd` downwards with null (unknown) last: `suggestion`, `feature`,
        `prompt_name`, `model`, `call_count` (calls that it concerns), `spend_usd` (USD that they cost),
        `saving_usd` (USD in the period), `saving_share` (of that spend), `how` (what it assumes).
    """
    tokens = pl.col("prefix_tokens").cast(pl.Int64)
    rows = [
        _rows(caching, "prompt caching", tokens=tokens),
        _rows(models, "cheaper model", other=pl.col("other_model")),
        _rows(contexts, "shorter context", tokens=pl.col("usual_tokens").cast(pl.Int64)),
        _rows(retries, "fewer retries", unknown=pl.col("unknown_count")),
    ]
    share = pl.when(pl.col("spend_usd") > 0).then(pl.col("saving_usd") / pl.col("spend_usd"))
    ranked = pl.concat(rows).with_columns(share.alias("saving_share"))
    keys = ["saving_usd", "suggestion", *_SHOWN]
    downwards = [name == "saving_usd" for name in keys]
    columns = ["suggestion", *_SHOWN, "call_count", "spend_usd", "saving_usd", "saving_share", "how"]
    return ranked.sort(keys, descending=downwards, nulls_last=True).head(n).select(columns)


def _rows(savings: Any, kind: str, **values: pl.Expr) -> pl.DataFrame:
    before, _, rest = _ASSUMES[kind].partition("{")
    value, after = next(iter(values.values())), rest.partition("}")[2]
    how = pl.concat_str(pl.lit(before), value.cast(pl.String), pl.lit(after)).alias("how")
    table = collected(savings).with_columns(pl.lit(kind).alias("suggestion"), how)
    names = [pl.col(name).cast(pl.String) for name in _SHOWN]
    money = pl.col("spend_usd", "saving_usd").cast(pl.Float64)
    return table.select("suggestion", *names, pl.col("call_count").cast(pl.Int64), money, "how")
