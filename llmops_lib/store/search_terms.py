"""What a search asks for, as expressions that a Parquet reader can skip files and rows by."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import polars as pl

from llmops_lib.errors import SearchError

SEARCHED_TEXTS = ("name", "input", "output", "error_message")
"""Columns in which a text is looked for."""

_MODELS = ("model", "request_model", "response_model")
_LONGEST_TEXT = 1_000


def conditions(
    exact: Mapping[str, Any],
    *,
    model: str | None,
    min_latency_ms: float | None,
    since: datetime | None,
    until: datetime | None,
) -> list[pl.Expr]:
    """One expression per condition that is asked for."""
    _require_window(since, until)
    found = [pl.col(name) == value for name, value in exact.items() if value is not None]
    if model is not None:
        found.append(pl.any_horizontal(pl.col(name) == model for name in _MODELS))
    if min_latency_ms is not None:
        found.append(pl.col("latency_ms") >= min_latency_ms)
    if since is not None:
        found.append(pl.col("started_at") >= since)
    if until is not None:
        found.append(pl.col("started_at") < until)
    return found


def literal(text: str) -> str:
    r"""A pattern that matches the text as it stands and as JSON writes it, whatever its case.

    Every character of the text is escaped, so nothing in it can steer the search.

    Raises:
        SearchError: If the text is empty or very long.

    Example:
        >>> texts = pl.Series(['[{"content": "Say \\"HI\\""}]', "say hi"])
        >>> texts.str.contains(literal('say "hi"')).to_list()
        [True, False]
    """
    if not text or len(text) > _LONGEST_TEXT:
        msg = f"found a text of {len(text)} characters to search for, expected 1 to {_LONGEST_TEXT:,}"
        raise SearchError(msg)
    as_json = orjson.dumps(text).decode()[1:-1]
    as_ascii = json.dumps(text)[1:-1]
    forms = dict.fromkeys((text, as_json, as_ascii))
    return f"(?i){'|'.join(pl.escape_regex(form) for form in forms)}"


def holds_text(pattern: str) -> pl.Expr:
    """Whether one of the searched columns holds the text."""
    return pl.any_horizontal(pl.col(name).str.contains(pattern) for name in SEARCHED_TEXTS)


def found_in(pattern: str) -> pl.Expr:
    """The first searched column that holds the text."""
    return pl.coalesce(
        pl.when(pl.col(name).str.contains(pattern)).then(pl.lit(name)) for name in SEARCHED_TEXTS
    )


def require_limit(limit: int | None) -> None:
    """Refuses a number of spans that nothing could be.

    Raises:
        SearchError: If it is below 1.
    """
    if limit is not None and limit < 1:
        msg = f"limit is {limit!r}; expected 1 or more, or None for all spans"
        raise SearchError(msg)


def _require_window(since: datetime | None, until: datetime | None) -> None:
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            msg = f"{name} is {moment.isoformat()}, which names no time zone; expected one such as +00:00"
            raise SearchError(msg)
    if since is not None and until is not None and until <= since:
        msg = f"the search ends at {until.isoformat()}, before it starts at {since.isoformat()}"
        raise SearchError(msg)
