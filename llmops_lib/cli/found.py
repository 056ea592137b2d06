"""Found spans as lines of the terminal, and times as they are typed."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import typer

from llmops_lib.views.formats import moment
from llmops_lib.views.span_tree import span_failure, span_figures

_NAMES = ("tenant", "feature", "user_id", "session_id")


def span_lines(span: dict[str, Any]) -> Iterator[str]:
    """What is said of a span that was found, masked before: what and when, whose, where to find it."""
    what = [
        f"{moment(span['started_at'])} UTC",
        str(span["name"] or span["operation"]),
        *span_figures(span),
    ]
    yield "  ".join(what)
    if span["is_error"]:
        yield f"  {span_failure(span)}: {span.get('error_excerpt') or 'the export does not say why'}"
    names = [f"{name.removesuffix('_id')} {span[name]}" for name in _NAMES if span.get(name)]
    if names:
        yield f"  {', '.join(names)}"
    where = f", text in {span['found_in']}" if span.get("found_in") else ""
    yield f"  trace {span['trace_id']} span {span['span_id']}{where}"


def say_unread(source: Any) -> None:
    """Says on standard error how many rows could not be read, of which a verdict says nothing.

    Args:
        source: A TraceSource.
    """
    say_refused(source.refused_count, source.rows_read)


def say_refused(count: int, rows_read: int) -> None:
    """As `say_unread`, of counts."""
    if count:
        told = f"{count:,} of {rows_read:,} rows could not be read, and nothing is said of them"
        sys.stderr.write(f"{told}; read_quarantine() shows them\n")


def typed_moment(option: str, text: str) -> datetime | None:
    """A date, which is its first moment in UTC, or a time with its offset; None for an empty text.

    Raises:
        typer.BadParameter: If it is neither.
    """
    if not text:
        return None
    try:
        if len(text) == len("2026-11-09"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        typed = datetime.fromisoformat(text)
    except ValueError:
        typed = None
    if typed is None or typed.tzinfo is None:
        msg = f"{text!r} is no moment; expected a date, 2026-11-09, or a time, 2026-11-09T08:00+01:00"
        raise typer.BadParameter(msg, param_hint=option)
    return typed
