"""Prompts that begin alike, and what they would have cost had each beginning been read from the cache."""

from collections.abc import Sequence
from typing import Any, Literal

import narwhals as nw

from llmops_lib.calls import PRICE_HINT, Frame, model_calls, ordered, portable, tally, with_place
from llmops_lib.frames import by_columns, narwhal

Lifetime = Literal["5m", "1h"]
"""How long a beginning stays cached without use: https://platform.openai.com/docs/guides/prompt-caching says
5 to 10 minutes, https://docs.claude.com/en/docs/build-with-claude/prompt-caching 5 minutes or, where writing
is paid at twice the price of input, an hour."""

LEAST_TOKENS = 1024
"""Shortest beginning that providers cache, by the same pages; some models need more."""

_HOUR_KEY = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_ORDER = ["started_at", "span_id"]
_CHARS = {"system_chars": "system_instructions", "input_chars": "input"}


@portable
def with_text_lengths(spans: Any) -> Any:
    """The spans with the lengths of their texts, so that measures need not hold the texts.

    Args:
        spans: SPANS; uses `system_instructions`, `input`.

    Returns:
        The same rows with `system_chars` and `input_chars` (characters, null where not recorded).

    Example:
        >>> import polars as pl
        >>> spans = pl.DataFrame({"system_instructions": ["Be brief."], "input": ["Hello"]})
        >>> with_text_lengths(spans).select("system_chars", "input_chars").rows()
        [(9, 5)]
    """
    frame = narwhal(spans, columns=_CHARS.values())
    lengths = [nw.col(text).str.len_chars().alias(name) for name, text in _CHARS.items()]
    return frame.with_columns(lengths).to_native()


@portable
def calls_as_if_cached(
    calls: Any, by: str | Sequence[str] = ("feature", "prompt_name", "model"), *, lifetime: Lifetime = "5m"
) -> Any:
    """The calls with the cache reads that their repeated beginnings allow: price them again.

    How much of the input repeats is taken from evidence only: the shortest cache read that the first call of
    any conversation of the same `by` and `prompt_hash` had, which another conversation must have written; or,
    where none had one, the part of the text that is the same system prompt, as a share of the input tokens,
    the least of any such call. A call could have read it where the last call of the same prompt began at most
    five minutes, or an hour, before. Where nothing was cached so far, the first of a run of such calls pays
    for writing; for an hour, calls that wrote already pay the higher price too.

    Args:
        calls: SPANS with the columns of `price_calls`; uses `prompt_hash`, `session_id`, `trace_id`,
            `span_id`, `started_at`, `operation`, `provider`, `request_model`, `response_model`, the token
            columns, and the columns of `with_text_lengths` where they are there.
        by: Grouping columns, which should tell models apart.
        lifetime: How long what is written stays.

    Returns:
        One row per priced call that would have changed, of prompts whose repeated beginning is known to be
        long enough to be cached: `by`, `is_model_call`, `operation`, `started_at`, `provider`,
        `request_model`, `response_model`, the token columns with `cache_read_tokens` and
        `cache_write_tokens` as they might have been, `own_cost_usd` (USD as it was), `prefix_tokens`,
        `prefix_basis` (`cache reads` or `system prompt`),
        `is_missed` (the call might have read and did not; the others would have written). Calls of which no
        cache use is recorded are left out. For an hour, `attributes` tells `price_calls` so.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
    """
    judged, kept = _judged(calls, by, lifetime)
    return _as_if_cached(judged, kept, lifetime).to_native()


@portable
def calls_as_if_written(
    calls: Any, by: str | Sequence[str] = ("feature", "prompt_name", "model"), *, lifetime: Lifetime = "5m"
) -> Any:
    """The calls that might have read their beginning, as if each had found nothing and written it.

    It is what a cache costs that is not hit: each miss pays for writing. Calls of prompts that are cached
    already wrote, or read, what they did, and are left out.

    Args:
        calls: As `calls_as_if_cached` takes them.
        by: Grouping columns.
        lifetime: How long what is written stays.

    Returns:
        Rows as `calls_as_if_cached` returns them, `is_missed` true on all.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
    """
    judged, kept = _judged(calls, by, lifetime)
    return _as_if_written(judged, kept, lifetime).to_native()


def _judged(calls: Any, by: str | Sequence[str], lifetime: Lifetime) -> tuple[Frame, list[str]]:
    keys = by_columns(by)
    group = list(dict.fromkeys([*keys, "prompt_hash"]))
    names = ["operation", "started_at", "provider", "request_model", "response_model"]
    chars = [name for name in _CHARS if name in narwhal(calls).collect_schema().names()]
    columns = [*group, *names, "session_id", "trace_id", "span_id", "cost_usd", *_TOKENS, *chars]
    frame = model_calls(calls, columns, hint=PRICE_HINT)
    known = frame.filter(~nw.col("cost_usd").is_null() & ~nw.col("cache_read_tokens").is_null())
    prefixed = _with_prefix(known, group, has_texts=len(chars) == len(_CHARS))
    last_at = nw.col("started_at").shift(1).over(*group, order_by=_ORDER)
    is_near = (last_at.dt.offset_by(lifetime) >= nw.col("started_at")).fill_null(value=False)
    return prefixed.with_columns(is_near.alias("_is_near")), list(dict.fromkeys([*keys, *names]))


@portable
def caching_savings(repriced: Any, by: str | Sequence[str] = ("feature", "prompt_name", "model")) -> Any:
    """What would have been saved had every repeated beginning been read from the cache.

    Assumption: nothing but the cache stands in the way, and the calls are of the standard service tier.

    Args:
        repriced: What `calls_as_if_cached` returns, priced by `price_calls`.
        by: Grouping columns, as given there.

    Returns:
        One row per group that would have saved something, by `saving_usd` downwards, then by `by`: `by`,
        `call_count` (calls that might have read and did not), `prefix_tokens` and `longest_prefix_tokens`
        (the shortest and the longest repeated beginning of the prompts of the group), `from_texts_count`
        (calls whose beginning is estimated from texts), `spend_usd` (USD that the changed calls cost, those
        that would have written included), `saving_usd`.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
    """
    keys = by_columns(by)
    columns = ["own_cost_usd", "cost_usd", "is_missed", "prefix_tokens", "prefix_basis"]
    frame = model_calls(repriced, columns, by=keys, hint=PRICE_HINT)
    sums = {"own_cost_usd": "spend_usd", "cost_usd": "cached_usd"}
    is_missed, basis = nw.col("is_missed"), nw.col("prefix_basis")
    tallied = tally(
        frame.rename(sums),
        keys,
        counts={"missed_count": is_missed, "from_texts_count": is_missed & (basis == "system prompt")},
        sums=list(sums.values()),
        aggregates={
            "least_tokens": nw.col("prefix_tokens").min(),
            "longest_prefix_tokens": nw.col("prefix_tokens").max(),
        },
    )
    saving = (nw.col("spend_usd") - nw.col("cached_usd")).alias("saving_usd")
    saved = tallied.with_columns(saving).filter((nw.col("saving_usd") > 0) & (nw.col("missed_count") > 0))
    named = saved.drop("call_count").rename({"missed_count": "call_count", "least_tokens": "prefix_tokens"})
    returned = ["call_count", "prefix_tokens", "longest_prefix_tokens", "from_texts_count", "spend_usd"]
    return (
        ordered(named, ["saving_usd", *keys], largest_first=["saving_usd"])
        .select([*keys, *returned, "saving_usd"])
        .to_native()
    )


def _with_prefix(known: Frame, group: list[str], *, has_texts: bool) -> Frame:
    read = nw.col("cache_read_tokens")
    talking = known.with_columns(nw.coalesce("session_id", "trace_id").alias("_talk"))
    placed = with_place(talking, "_nth", by=[*group, "_talk"], order_by=_ORDER)
    from_reads = nw.when((read > 0) & (nw.col("_nth") == 1)).then(read).min().over(*group)
    nothing = nw.lit(None, nw.Float64).alias("_text_tokens")
    staged = placed.with_columns(from_reads.alias("_read_tokens"), nothing)
    if has_texts:
        system, text = nw.col("system_chars"), nw.col("input_chars")
        same = system.min().over(*group) == system.max().over(*group)
        part = nw.when(same & (system > 0)).then(nw.col("input_tokens") * system / (system + text))
        staged = staged.with_columns(part.alias("_own_tokens")).with_columns(
            nw.col("_own_tokens").min().over(*group).floor().alias("_text_tokens")
        )
    is_read = ~nw.col("_read_tokens").is_null()
    basis = nw.when(is_read).then(nw.lit("cache reads")).otherwise(nw.lit("system prompt"))
    tokens = nw.when(is_read).then(nw.col("_read_tokens")).otherwise(nw.col("_text_tokens"))
    named = staged.with_columns(tokens.cast(nw.Int64).alias("prefix_tokens"), basis.alias("prefix_basis"))
    return named.filter((nw.col("prefix_tokens") >= LEAST_TOKENS).fill_null(value=False))


def _as_if_cached(judged: Frame, kept: list[str], lifetime: Lifetime) -> Frame:
    prefix, is_near = nw.col("prefix_tokens"), nw.col("_is_near")
    read, write = nw.col("cache_read_tokens"), nw.col("cache_write_tokens").fill_null(0)
    is_missed = _is_unused() & is_near
    is_first = _is_unused() & ~is_near & (write == 0) & (nw.col("prefix_basis") == "system prompt")
    # Who wrote for five minutes and would write for an hour pays more for the same tokens.
    is_dearer = (write > 0) & ~is_missed if lifetime == "1h" else nw.lit(value=False)
    left = nw.when(write > prefix).then(write - prefix).otherwise(nw.lit(0))
    reads = nw.when(is_missed).then(prefix).otherwise(read)
    writes = nw.when(is_missed).then(left).when(is_first).then(prefix).otherwise(write)
    concerned = judged.filter(is_missed | is_first | is_dearer)
    return _changed(
        concerned, kept, lifetime, is_missed=is_missed, cache_read_tokens=reads, cache_write_tokens=writes
    )


def _as_if_written(judged: Frame, kept: list[str], lifetime: Lifetime) -> Frame:
    is_plain = nw.col("cache_write_tokens").fill_null(0) == 0
    is_uncached = is_plain & (nw.col("prefix_basis") == "system prompt")
    concerned = judged.filter(_is_unused() & nw.col("_is_near") & is_uncached)
    return _changed(
        concerned, kept, lifetime, is_missed=nw.lit(value=True), cache_write_tokens=nw.col("prefix_tokens")
    )


def _is_unused() -> nw.Expr:
    return (nw.col("cache_read_tokens") == 0) & (nw.col("input_tokens") >= nw.col("prefix_tokens"))


def _changed(calls: Frame, kept: list[str], lifetime: Lifetime, **outcomes: nw.Expr) -> Frame:
    outcome = ["own_cost_usd", "prefix_tokens", "prefix_basis", "is_missed", "is_model_call"]
    changed = calls.with_columns(is_model_call=nw.lit(value=True), **outcomes)
    changed = changed.rename({"cost_usd": "own_cost_usd"})
    if lifetime == "5m":
        return changed.select([*kept, *_TOKENS, *outcome])
    tokens = nw.col("cache_write_tokens").cast(nw.String)
    hour = nw.concat_str([nw.lit(f'{{"{_HOUR_KEY}":'), tokens, nw.lit("}")]).alias("attributes")
    return changed.with_columns(hour).select([*kept, *_TOKENS, *outcome, "attributes"])
