"""The tables that the consoles of OpenAI and Anthropic download, as buckets of their reports.

- OpenAI writes a row per bucket and group. A row of nothing but times is a bucket without any usage.
- Anthropic writes a row per UTC day and group, costs in dollars and not in cents.
- Anthropic's costs name models as people do (`Claude Opus 4.6`), not by their ids: such a name stays in
  `line_item`, the model is unknown, and the cost one that is not split by model.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from llmops_lib.errors import SourceError
from llmops_lib.sources.bills.figures import decimal
from llmops_lib.sources.records import iter_records
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector
from llmops_lib.sources.sample import take_sample

Row = Mapping[str, str]

_TIMES = ("start_time", "end_time", "start_time_iso", "end_time_iso")
_FLAGS = {"true": True, "false": False}
_COST_TOKENS = {
    "input_no_cache": "uncached_input_tokens",
    "input_cache_read": "cache_read_input_tokens",
    "input_cache_write_5m": "cache_creation.ephemeral_5m_input_tokens",
    "input_cache_write_1h": "cache_creation.ephemeral_1h_input_tokens",
    "output": "output_tokens",
}
_TIERS = ("standard", "batch", "priority", "flex")
_DAY = "usage_date_utc"
_COUNTS = {
    "uncached_input_tokens": "usage_input_tokens_no_cache",
    "cache_read_input_tokens": "usage_input_tokens_cache_read",
    "output_tokens": "usage_output_tokens",
}
_WRITES = {
    "ephemeral_5m_input_tokens": "usage_input_tokens_cache_write_5m",
    "ephemeral_1h_input_tokens": "usage_input_tokens_cache_write_1h",
}
_SEARCHES = "web_search_count"


def console_buckets(path: Path) -> list[dict[str, Any]]:
    """The buckets that a downloaded table holds, one per row; none where it is no such table.

    Args:
        path: A plain, gzip or zstd file.

    Raises:
        SourceError: If a row cannot be read, since a part of a bill is no bill.
    """
    sample = take_sample(path)
    bucket_of = _table_kind(set(sample.columns)) if sample.kind == "csv" else None
    return [] if bucket_of is None else list(_buckets(path, bucket_of))


def is_console_table(columns: Iterable[str]) -> bool:
    """Whether a table of these columns is one that a console downloads.

    Args:
        columns: Names of columns.
    """
    return _table_kind(set(columns)) is not None


def _table_kind(columns: set[str]) -> Callable[[Row], dict[str, Any]] | None:
    if columns >= {*_TIMES}:
        return _openai_costs if "amount_value" in columns else _openai_usage
    if columns >= {_DAY, "usage_output_tokens"}:
        return _anthropic_usage
    return _anthropic_costs if columns >= {_DAY, "cost_usd", "token_type"} else None


def _buckets(path: Path, bucket_of: Callable[[Row], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    collector = RowCollector("bill", str(path))
    for record in iter_records(path, collector):
        try:
            yield bucket_of(record.value)
        except Refused as refused:
            collector.refuse(str(refused), line=record.line)
    bad = collector.finish().quarantine
    if not bad.is_empty():
        number, reason = bad.select("source_line", "reason").row(0)
        msg = (
            f"{path}: row {number}: {reason}; expected the table as the console downloads it. "
            "A part of a bill is no bill: download it again"
        )
        raise SourceError(msg)


def _openai_costs(row: Row) -> dict[str, Any]:
    rest = _without(row, *_TIMES, "amount_value", "amount_currency")
    amount = {"value": row.get("amount_value"), "currency": row.get("amount_currency")}
    cost = {"object": "organization.costs.result", "amount": amount, **rest}
    return {**_bounds(row), "results": [cost] if "amount_value" in row else []}


def _openai_usage(row: Row) -> dict[str, Any]:
    rest: dict[str, Any] = _without(row, *_TIMES)
    if "batch" in rest:
        rest["batch"] = _FLAGS.get(rest["batch"].lower(), rest["batch"])
    named = {"object": "organization.usage.completions.result"} if "output_tokens" in row else {}
    return {**_bounds(row), "results": [{**named, **rest}] if rest else []}


def _bounds(row: Row) -> dict[str, Any]:
    return {"start_time": row.get("start_time"), "end_time": row.get("end_time")}


def _anthropic_usage(row: Row) -> dict[str, Any]:
    used = (_DAY, "model_version", "usage_type", *_COUNTS.values(), *_WRITES.values(), _SEARCHES)
    usage = {
        "model": row.get("model_version"),
        "service_tier": row.get("usage_type"),
        **{name: row.get(column) for name, column in _COUNTS.items()},
        "cache_creation": {name: row.get(column) for name, column in _WRITES.items()},
        "server_tool_use": {"web_search_requests": row.get(_SEARCHES)},
    }
    return {**_day(row), "results": [{**_without(row, *used), **usage}]}


def _anthropic_costs(row: Row) -> dict[str, Any]:
    kind, usage_type = row.get("token_type"), row.get("usage_type")
    cost = {
        "amount": str(decimal(row.get("cost_usd"), "cost_usd") * 100),
        "currency": "USD",
        "token_type": _COST_TOKENS.get(kind or "", kind),
        "service_tier": usage_type if usage_type in _TIERS else None,
        "description": ", ".join(part for part in (row.get("model"), kind) if part) or row.get("cost_type"),
    }
    named = {"model_name": row["model"]} if "model" in row else {}
    return {**_day(row), "results": [{**_without(row, _DAY, "model", "cost_usd"), **named, **cost}]}


def _day(row: Row) -> dict[str, str]:
    stated = row.get(_DAY, "")
    try:
        day = date.fromisoformat(stated[:10])
    except ValueError:
        raise Refused(reason="time", detail=f"{_DAY} is {stated!r:.40}") from None
    after = day + timedelta(days=1)
    return {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{after}T00:00:00Z"}


def _without(row: Row, *names: str) -> dict[str, str]:
    return {name: cell for name, cell in row.items() if name not in names}
