"""Twins: spans that two instrumentations wrote for one model call.

Seen in exports: the Anthropic SDK's own span is the child of OpenInference's and the sibling of
OpenLLMetry's. Three kinds of evidence, from strong to weak, always within a trace:

- the same response id at overlapping times (an id that comes back later is a cached answer, and another
  call), with the same count of output or under *different names* and one inside the other in time;
- one call inside another, in the tree and in time, with the same model and the same counts, or with
  none on one side: a provider call does not make provider calls; or with neither model nor counts;
- calls under one parent with the same model and counts, one inside the other in time, under
  *different names*. Calls of one name were written by one instrumentation, however alike they are:
  the same question sent several times at once is several calls.
"""

import polars as pl

from llmops_lib.sources.ancestry import nearest_holders
from llmops_lib.sources.call_likeness import (
    call_facts,
    has_no_usage,
    has_other_id,
    is_around,
    is_inside,
    is_same_model,
    is_same_usage,
    names_no_model,
    pairs,
)

_USAGE = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_CONTENT = (
    "reported_cost_usd",
    "request_id",
    "request_model",
    "response_model",
    "time_to_first_token_ms",
    "finish_reason",
    "is_streaming",
    "error_type",
    "error_message",
    "http_status",
    "prompt_name",
    "prompt_version",
    "prompt_hash",
    "input",
    "output",
    "system_instructions",
    "tool_calls",
)


def fold_twins(
    rows: pl.DataFrame, parents: pl.Series, generations: list[pl.Series], targets: pl.Series
) -> pl.Series:
    """The targets with every twin but the fullest of each call folded into that one.

    The fullest states the most token counts; of equals the innermost and then the shortest is kept, which
    stands nearest to the network. What only the others state it takes from them.

    Args:
        rows: SPANS columns.
        parents: What `parent_rows` returns.
        generations: `jumps(parents)`.
        targets: Row into which each row was folded, or null.
    """
    calls = call_facts(rows, targets)
    is_call = pl.int_range(rows.height, eager=True).is_in(calls["row"].implode())
    callers = nearest_holders(is_call, generations).gather(parents.gather(calls["row"]))
    edges = pl.concat([_same_id(calls), _nested(calls, callers), _beside(calls)])
    if edges.is_empty():
        return targets
    groups = _connected(edges, rows.height)
    return targets.zip_with(targets.is_not_null(), _kept(rows, groups, callers))


def _same_id(calls: pl.DataFrame) -> pl.DataFrame:
    group = ["trace_id", "request_id"]
    # Few ids come back: to cluster every call would take longer than all else.
    named = calls.filter(pl.col("request_id").is_not_null()).filter(pl.col("request_id").is_duplicated())
    named = _clustered(named, group)
    first = pl.col("row").first().over([*group, "cluster"])
    found = named.select("row", row_2=first).filter(pl.col("row") != pl.col("row_2"))
    # Two instrumentations may count one answer differently: of a stream some add up the running counts.
    same_answer = (pl.col("output_tokens") == pl.col("output_tokens_2")).fill_null(value=True)
    other_name = (pl.col("name") != pl.col("name_2")).fill_null(value=False)
    is_one_call = same_answer | (other_name & (is_inside() | is_around()))
    return pairs(calls, found["row"], found["row_2"]).filter(is_one_call).select("row", "row_2")


def _nested(calls: pl.DataFrame, callers: pl.Series) -> pl.DataFrame:
    found = calls.select("row", caller=callers).drop_nulls()
    is_only = pl.len().over("row_2") == 1
    one_states_usage = (
        is_only & (has_no_usage() | has_no_usage("_2")) & (pl.col("is_error") == pl.col("is_error_2"))
    )
    is_twin = (
        is_same_model() & (is_inside() | is_around()) & ~has_other_id() & (is_same_usage() | one_states_usage)
    )
    # OpenRouter writes the attempts and the answer inside a request as calls that state nothing.
    states_nothing = names_no_model() & has_no_usage() & (pl.col("kind") == pl.col("kind_2"))
    is_step = states_nothing & ~names_no_model("_2") & ~has_no_usage("_2")
    return pairs(calls, found["row"], found["caller"]).filter(is_twin | is_step).select("row", "row_2")


def _beside(calls: pl.DataFrame) -> pl.DataFrame:
    group = ["trace_id", "parent_span_id", "kind", "asked", "input_tokens", "output_tokens"]
    beside = calls.with_columns(asked=pl.coalesce("request_model", "response_model")).filter(
        pl.all_horizontal(pl.col("parent_span_id", "name", "asked", "ended_at").is_not_null())
    )
    # Few calls have a sibling of the same counts: to look closer at all would take longer than all else.
    beside = beside.filter(pl.struct("parent_span_id", "input_tokens", "output_tokens").is_duplicated())
    beside = beside.filter(pl.col("name").n_unique().over(group) > 1)
    clustered = _clustered(beside, group)
    cluster = [*group, "cluster"]
    # Calls at the same time are told apart by order: the first of one name belongs to the first of the other.
    turn = pl.int_range(pl.len()).over([*cluster, "name"]).alias("turn")
    outer = pl.col("row").first().over([*cluster, "turn"]).alias("row_2")
    found = clustered.with_columns(turn).select("row", outer).filter(pl.col("row") != pl.col("row_2"))
    return (
        pairs(calls, found["row"], found["row_2"])
        .filter(is_inside() & ~has_other_id())
        .select("row", "row_2")
    )


def _clustered(calls: pl.DataFrame, group: list[str]) -> pl.DataFrame:
    """The calls in order of time, with the number of the run of overlapping calls to which each belongs."""
    calls = calls.sort("started_at", "last_at", "span_id", descending=[False, True, False])
    latest_before = pl.col("last_at").cum_max().shift(1).over(group)
    begins = (pl.col("started_at") > latest_before).fill_null(value=True)
    return calls.with_columns(begins.alias("begins")).with_columns(
        pl.col("begins").cum_sum().over(group).alias("cluster")
    )


def _connected(edges: pl.DataFrame, height: int) -> pl.DataFrame:
    """Each row of an edge with the lowest row that it is connected to."""
    both = pl.concat([edges, edges.select(row="row_2", row_2="row")])
    labels = pl.int_range(height, eager=True)
    while True:
        lowest = (
            both.select("row", label=labels.gather(both["row_2"])).group_by("row").agg(pl.col("label").min())
        )
        lowest = lowest.select("row", pl.min_horizontal("label", labels.gather(lowest["row"])))
        lower = labels.clone().scatter(lowest["row"], lowest["label"])
        # A row takes the label of its label, so that long chains are connected in few steps.
        lower = lower.gather(lower)
        if lower.equals(labels):
            rows = both["row"].unique()
            return pl.DataFrame({"row": rows, "label": labels.gather(rows)})
        labels = lower


def _kept(rows: pl.DataFrame, groups: pl.DataFrame, callers: pl.Series) -> pl.Series:
    members = rows.select(
        row=pl.int_range(pl.len()),
        span_id="span_id",
        usage=pl.sum_horizontal(pl.col(_USAGE).is_not_null()),
        content=pl.sum_horizontal(pl.col(_CONTENT).is_not_null()),
        is_innermost=~pl.int_range(pl.len()).is_in(callers.drop_nulls().implode()),
        took=pl.col("ended_at") - pl.col("started_at"),
    ).join(groups, on="row")
    order = ["usage", "is_innermost", "took", "content", "span_id"]
    kept = (
        members.sort(order, descending=[True, True, False, True, False], nulls_last=True)
        .group_by("label", maintain_order=True)
        .first()
    )
    folded = groups.join(kept.select("label", kept="row"), on="label").filter(pl.col("row") != pl.col("kept"))
    targets = pl.Series([None], dtype=pl.Int64).new_from_index(0, rows.height)
    return targets.scatter(folded["row"], folded["kept"])
