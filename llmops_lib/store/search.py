"""Spans found by who made them, what was said, what went wrong, when, for how much and for how long."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from llmops_lib.pricing import price_calls
from llmops_lib.schema import SPANS
from llmops_lib.sources.export_files import store_of
from llmops_lib.sources.file_rows import Columns
from llmops_lib.sources.load import Paths
from llmops_lib.store.layout import day_files, require_store
from llmops_lib.store.scan import TraceSource, open_source
from llmops_lib.store.search_terms import conditions, found_in, holds_text, literal, require_limit

_FOUND = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "started_at",
    "operation",
    "is_model_call",
    "name",
    "model",
    "tenant",
    "feature",
    "user_id",
    "session_id",
    "request_id",
    "latency_ms",
    "input_tokens",
    "output_tokens",
    "is_error",
    "error_type",
    "error_message",
    "http_status",
)
_TO_PRICE = (
    "provider",
    "request_model",
    "response_model",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "attributes",
)


def search_traces(  # noqa: PLR0913 - each is a field that a search can be by
    source: Paths | TraceSource,
    *,
    text: str | None = None,
    user_id: str | None = None,
    session_id: str | None = None,
    request_id: str | None = None,
    trace_id: str | None = None,
    tenant: str | None = None,
    feature: str | None = None,
    model: str | None = None,
    error_type: str | None = None,
    is_error: bool | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    min_cost_usd: float | None = None,
    min_latency_ms: float | None = None,
    limit: int | None = 100,
    prices: str | Path | pl.DataFrame | None = None,
    timezone: str | None = None,
    columns: Columns | None = None,
) -> pl.DataFrame:
    """The latest spans that meet every condition, priced.

    In a store only the files of the days in question are opened, from the latest back until there are
    enough; give `since` where you can. An export is read whole.

    What comes back is text of a trace: mask it (`with_excerpts`) before anyone sees it.

    Args:
        source: Directory of a store; exports, as `load_traces` takes them; or what `open_source` returned.
        text: Looked for in name, input, output and error message, as it stands, whatever its case; never
            a pattern. In messages kept as JSON it is found also where JSON writes it with escapes.
        user_id: Value that the column must have; so are the next seven.
        session_id: As above.
        request_id: As above.
        trace_id: As above.
        tenant: As above.
        feature: As above.
        model: Model that answered or was asked for.
        error_type: As above.
        is_error: Whether the span failed; either when None.
        since: Earliest start, with a time zone.
        until: Start from which on spans are left out, with a time zone.
        min_cost_usd: Least cost of a call, USD; calls of unknown cost are left out.
        min_latency_ms: Least latency, ms; spans of unknown latency are left out.
        limit: How many spans to return at the most; None for all.
        prices: As `price_calls` takes them.
        timezone: As `load_traces` takes it; of no use for a store.
        columns: As `load_traces` takes them; of no use for a store.

    Returns:
        One row per span, the latest first, then by trace and span: `trace_id`, `span_id`, `parent_span_id`,
        `started_at`, `operation`, `is_model_call`, `name`, `model`, `tenant`, `feature`, `user_id`,
        `session_id`, `request_id`, `latency_ms`, `input_tokens`, `output_tokens`, `is_error`, `error_type`,
        `error_message`, `http_status`, `cost_usd` (null where unknown, and on spans that are no model call),
        `found_in` (first column that holds the text; null without one).

    Raises:
        SearchError: If a condition cannot be met by anything: an empty text, a time without a zone, an end
            before the start, a limit below 1.
        SourceError: As `load_traces` does.
        StoreError: If the store cannot be read.

    Example:
        >>> from llmops_lib.demo import sample_export
        >>> found = search_traces(sample_export(), error_type="RateLimitError", limit=2)
        >>> found.select("error_type", "http_status").rows()
        [('RateLimitError', 429), ('RateLimitError', 429)]
    """
    require_limit(limit)
    exact = {
        "trace_id": trace_id,
        "user_id": user_id,
        "session_id": session_id,
        "request_id": request_id,
        "tenant": tenant,
        "feature": feature,
        "error_type": error_type,
        "is_error": is_error,
    }
    asked = conditions(exact, model=model, min_latency_ms=min_latency_ms, since=since, until=until)
    pattern = None if text is None else literal(text)
    search = _Search(
        asked if pattern is None else [*asked, holds_text(pattern)], pattern, min_cost_usd, prices
    )
    found = [search.first(_empty(), 0)]
    missing = limit
    for spans in _newest_first(source, since, until, timezone=timezone, columns=columns):
        found.append(search.first(spans, missing))
        missing = None if missing is None else missing - found[-1].height
        if missing == 0:
            break
    return pl.concat(found)


def find_traces(
    source: Paths | TraceSource,
    trace_ids: str | Sequence[str],
    *,
    prices: str | Path | pl.DataFrame | None = None,
    timezone: str | None = None,
    columns: Columns | None = None,
) -> pl.DataFrame:
    """All spans of some traces, priced, by start: what `span_tree` draws.

    Args:
        source: Directory of a store; exports, as `load_traces` takes them; or what `open_source` returned.
        trace_ids: One trace or several, as the table has them.
        prices: As `price_calls` takes them.
        timezone: As `load_traces` takes it; of no use for a store.
        columns: As `load_traces` takes them; of no use for a store.

    Returns:
        SPANS with the columns of `price_calls`; a trace that is not there has no rows.

    Raises:
        SourceError: As `load_traces` does.
        StoreError: If the store cannot be read.

    Example:
        >>> from llmops_lib.demo import sample_export
        >>> some = search_traces(sample_export(), limit=1)["trace_id"].item()
        >>> find_traces(sample_export(), some)["trace_id"].unique().to_list() == [some]
        True
    """
    wanted = [trace_ids] if isinstance(trace_ids, str) else list(trace_ids)
    spans = open_source(source, timezone=timezone, columns=columns).spans
    found = spans.filter(pl.col("trace_id").is_in(wanted)).collect().sort("started_at", "trace_id", "span_id")
    priced: pl.DataFrame = price_calls(found, prices=prices)
    return priced


class _Search(NamedTuple):
    """What is looked for: conditions, the text among them, the least cost and the prices to tell it by."""

    conditions: list[pl.Expr]
    pattern: str | None
    min_cost_usd: float | None
    prices: str | Path | pl.DataFrame | None

    def first(self, spans: pl.LazyFrame, limit: int | None) -> pl.DataFrame:
        """The latest matching spans of these."""
        matching = spans.filter(*self.conditions)
        if self.min_cost_usd is not None:
            priced: pl.LazyFrame = price_calls(matching, prices=self.prices)
            matching = priced.filter(pl.col("cost_usd") >= self.min_cost_usd).select(SPANS.names)
        where = pl.lit(None, pl.String) if self.pattern is None else found_in(self.pattern)
        wanted = matching.with_columns(where.alias("found_in")).select({*_FOUND, *_TO_PRICE, "found_in"})
        latest = wanted.sort("started_at", "trace_id", "span_id", descending=[True, False, False])
        rows = (latest if limit is None else latest.head(limit)).collect()
        priced_rows: pl.DataFrame = price_calls(rows, prices=self.prices)
        return priced_rows.select(*_FOUND, "cost_usd", "found_in")


def _newest_first(
    source: Paths | TraceSource,
    since: datetime | None,
    until: datetime | None,
    *,
    timezone: str | None,
    columns: Columns | None,
) -> Iterator[pl.LazyFrame]:
    """Stretches of the source, each later than the next; longer ones the further back."""
    store = source.store if isinstance(source, TraceSource) else store_of(source)
    if store is None:
        yield open_source(source, timezone=timezone, columns=columns).spans
        return
    files = [
        path
        for on, path in day_files(require_store(store)).items()
        if (since is None or on >= since.astimezone(UTC).date())
        and (until is None or on <= until.astimezone(UTC).date())
    ]
    count = 1
    while files:
        yield pl.scan_parquet(files[-count:], glob=False, hive_partitioning=False).select(SPANS.names)
        del files[-count:]
        count *= 4


def _empty() -> pl.LazyFrame:
    return SPANS.empty().lazy()
