"""What prompt caching would have cost and saved at any share of hits, and where it breaks even."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import PRICE_HINT, model_calls, portable, tally
from llmops_lib.errors import ParameterError
from llmops_lib.frames import by_columns, collected

_SUMS = ("own_cost_usd", "cost_usd")


@dataclass(frozen=True)
class CachingPolicy:
    """How prompts would have been cached.

    Attributes:
        lifetime: How long a beginning stays cached without use, one of those in the strata, such as `5m`.
        hit_share: Share of the calls that might have read their beginning that do, 0 to 1.
        features: Features whose prompts are cached; None stands for calls without one, nothing for all.
    """

    lifetime: str = "5m"
    hit_share: float = 0.9
    features: Sequence[str | None] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.hit_share <= 1:
            msg = f"hit_share {self.hit_share!r} is not between 0 and 1; expected a share such as 0.9"
            raise ParameterError(msg)


@portable
def caching_strata(
    calls: Any,
    *,
    read: Mapping[str, Any],
    written: Mapping[str, Any],
    by: str | Sequence[str] = ("feature", "prompt_name", "model"),
) -> pl.DataFrame:
    """Calls in groups that a caching what-if is computed from, once for any number of them.

    Args:
        calls: SPANS with the columns of `price_calls`, on any engine; uses `feature`, `cost_usd`,
            `input_tokens`, `cache_read_tokens`.
        read: By lifetime (`5m`, `1h`), what `calls_as_if_cached` returns for it, priced by `price_calls`.
        written: The same of `calls_as_if_written`.
        by: Grouping columns, as given there; `feature` among them.

    Returns:
        A polars DataFrame, one row per group and lifetime: `by`, `lifetime`, `call_count`, `unpriced_count`,
        `unrecorded_count` (calls whose cache use is not recorded), `spend_usd` (USD), `input_tokens`,
        `cache_read_tokens` (of calls whose cache use is recorded), `prefix_tokens` (the shortest repeated
        beginning, null where none is known), `readable_count` and `readable_tokens` (calls that might have
        read and did not, and what they would have read), `read_saving_usd` (USD that all these reads save),
        `write_count` and `write_cost_usd` (first calls that pay for writing, and what that adds),
        `miss_cost_usd` (what writing adds if none of the readable calls hits), `from_texts_count` (readable
        calls whose beginning is estimated from texts).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
    """
    keys = by_columns(by)
    tokens = ["input_tokens", "cache_read_tokens"]
    frame = model_calls(calls, [*keys, "cost_usd", *tokens], hint=PRICE_HINT).rename(
        {"cost_usd": "spend_usd"}
    )
    is_recorded = ~nw.col("cache_read_tokens").is_null()
    recorded = frame.with_columns(nw.when(is_recorded).then(nw.col("input_tokens")).alias("input_tokens"))
    counts = {"unpriced_count": nw.col("spend_usd").is_null(), "unrecorded_count": ~is_recorded}
    groups = collected(tally(recorded, keys, counts=counts, sums=["spend_usd", *tokens]).to_native())
    parts = [
        groups.with_columns(pl.lit(lifetime).alias("lifetime"))
        .join(_reads(table, keys), on=keys, how="left", nulls_equal=True)
        .join(_misses(written[lifetime], keys), on=keys, how="left", nulls_equal=True)
        for lifetime, table in read.items()
    ]
    zero = pl.col("^(readable|write|from_texts)_.*(count|tokens|usd)$", "read_saving_usd", "miss_cost_usd")
    return pl.concat(parts).with_columns(zero.fill_null(0)).sort([*keys, "lifetime"], nulls_last=True)


def _reads(repriced: Any, keys: list[str]) -> pl.DataFrame:
    columns = [*_SUMS, "is_missed", "prefix_tokens", "prefix_basis"]
    frame = model_calls(repriced, columns, by=keys, hint=PRICE_HINT)
    is_read = nw.col("is_missed")
    added = nw.col("cost_usd") - nw.col("own_cost_usd")
    split = frame.with_columns(
        nw.when(is_read).then(0 - added).alias("read_saving_usd"),
        nw.when(~is_read).then(added).alias("write_cost_usd"),
        nw.when(is_read).then(nw.col("prefix_tokens")).alias("readable_tokens"),
    )
    counts = {
        "readable_count": is_read,
        "write_count": ~is_read,
        "from_texts_count": is_read & (nw.col("prefix_basis") == "system prompt"),
    }
    sums = ["read_saving_usd", "write_cost_usd", "readable_tokens"]
    shortest = {"prefix_tokens": nw.col("prefix_tokens").min()}
    return collected(tally(split, keys, shortest, counts=counts, sums=sums).to_native()).drop("call_count")


def _misses(repriced: Any, keys: list[str]) -> pl.DataFrame:
    frame = model_calls(repriced, _SUMS, by=keys, hint=PRICE_HINT)
    added = (nw.col("cost_usd") - nw.col("own_cost_usd")).alias("miss_cost_usd")
    return collected(tally(frame.with_columns(added), keys, sums=["miss_cost_usd"]).to_native()).drop(
        "call_count"
    )


def simulate_caching(
    strata: pl.DataFrame, policy: CachingPolicy, *, by: str | Sequence[str] = ()
) -> pl.DataFrame:
    """What the policy would have cost and saved, and from which share of hits on it pays.

    A call that might have read its beginning does so with the chance `hit_share`; where it does not, it pays
    for writing. Providers that charge nothing for writing break even at once.

    Args:
        strata: What `caching_strata` returns.
        policy: The policy.
        by: Columns to group by; none gives one row over all calls.

    Returns:
        One row per group, by `saving_usd` downwards, then by `by`: `by`, `call_count`, `unpriced_count`,
        `unrecorded_count`, `readable_count`, `from_texts_count`, `prefix_tokens`, `spend_usd_before`,
        `spend_usd_after`, `saving_usd` (USD, negative where caching costs more than it saves),
        `cache_read_share_before`, `cache_read_share_after` (of the input tokens of calls whose cache use is
        recorded; null without any), `break_even_share` (the share of hits at which nothing is saved or lost;
        null where no call could read, above 1 where it never pays), `reads_per_write` (null without writes).

    Raises:
        ParameterError: If the lifetime or a feature is not in the strata.
    """
    keys = by_columns(by)
    sums = ["call_count", "unpriced_count", "unrecorded_count", "readable_count", "from_texts_count"]
    sums += ["write_count", "input_tokens", "cache_read_tokens", "readable_tokens"]
    money = ["spend_usd", "read_saving_usd", "write_cost_usd", "miss_cost_usd"]
    known = pl.col("spend_usd").count() > 0
    aggregates = [
        pl.col(*sums, *money[1:]).sum(),
        pl.when(known).then(pl.col("spend_usd").sum()).alias("spend_usd"),
        pl.col("prefix_tokens").min(),
    ]
    rows = _chosen(strata, policy)
    totals = rows.group_by(keys).agg(aggregates) if keys else rows.select(aggregates)
    return totals.select(*keys, *_outcome(policy.hit_share)).sort(
        ["saving_usd", *keys], descending=[True, *(False for _ in keys)], nulls_last=True
    )


def caching_tradeoff(strata: pl.DataFrame, policy: CachingPolicy, *, steps: int = 4) -> pl.DataFrame:
    """What `simulate_caching` says over all calls at every share of hits from none to all.

    Args:
        strata: What `caching_strata` returns.
        policy: The policy; its share of hits does not matter.
        steps: How many steps there are from 0 to 1.

    Returns:
        `hit_share` and the columns of `simulate_caching`, upwards.
    """
    # A loop over a few shares, each a sum over a few hundred rows; between them the saving is straight.
    rows = [
        simulate_caching(strata, CachingPolicy(policy.lifetime, step / steps, policy.features)).select(
            pl.lit(step / steps).alias("hit_share"), pl.all()
        )
        for step in range(steps + 1)
    ]
    return pl.concat(rows)


def _chosen(strata: pl.DataFrame, policy: CachingPolicy) -> pl.DataFrame:
    for name, wanted, column in (
        ("lifetime", [policy.lifetime], "lifetime"),
        ("features", policy.features, "feature"),
    ):
        there = strata[column].unique().to_list()
        unknown = [value for value in wanted if value not in there]
        if unknown and strata.height:
            listed = ", ".join(sorted(map(str, there)))
            msg = f"{name}: found {unknown[0]!r}, expected one of those in the strata: {listed}"
            raise ParameterError(msg)
    rows = strata.filter(lifetime=policy.lifetime)
    if not policy.features:
        return rows
    return rows.filter(pl.any_horizontal([pl.col("feature").eq_missing(name) for name in policy.features]))


def _outcome(hit: float) -> list[pl.Expr]:
    saved, written, missed = (pl.col(f"{name}_usd") for name in ("read_saving", "write_cost", "miss_cost"))
    saving = hit * saved - (1 - hit) * missed - written
    inputs, reads = pl.col("input_tokens"), pl.col("cache_read_tokens")
    has_input, can_read = inputs > 0, pl.col("readable_count") > 0
    break_even = pl.when(can_read & (saved + missed > 0)).then((written + missed) / (saved + missed))
    writes = pl.col("write_count") + (1 - hit) * pl.col("readable_count")
    return [
        pl.col("call_count", "unpriced_count", "unrecorded_count", "readable_count", "from_texts_count"),
        pl.col("prefix_tokens"),
        pl.col("spend_usd").alias("spend_usd_before"),
        (pl.col("spend_usd") - saving).alias("spend_usd_after"),
        pl.when(pl.col("spend_usd").is_not_null()).then(saving).alias("saving_usd"),
        pl.when(has_input).then(reads / inputs).alias("cache_read_share_before"),
        pl.when(has_input)
        .then((reads + hit * pl.col("readable_tokens")) / inputs)
        .alias("cache_read_share_after"),
        break_even.alias("break_even_share"),
        pl.when(writes > 0).then(hit * pl.col("readable_count") / writes).alias("reads_per_write"),
    ]
