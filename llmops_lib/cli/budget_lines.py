"""Budgets in a terminal: a heading for each, and a line for each value that it holds for."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from llmops_lib.cli.screen import say
from llmops_lib.views.formats import count, share, usd

Row = dict[str, Any]

_LONGEST = 40
_STALE = timedelta(hours=6)
"""How long after the last call the data is called old."""

_DIMENSIONS = ("tenant", "feature", "user_id", "model")


def say_status(rows: Sequence[Row], last_at: datetime | None, top: int) -> None:
    """Prints how far budgets are spent.

    Args:
        rows: Those of `budget_status`.
        last_at: Start of the last call of the data.
        top: Rows of each budget that are shown.
    """
    if last_at is None:
        say("no model call in the data")
    else:
        as_of = next(row["as_of_at"] for row in rows)
        say(f"as of {as_of:%Y-%m-%d %H:%M} UTC")
        if as_of - last_at >= _STALE:
            say(f"the last call is of {last_at:%Y-%m-%d %H:%M}; what was spent since is not in the data")
    say(f"  {'state':<8}{'share':>7}{'spent':>13}  {'at the end (80%)':<20}{'limit at':<13}of")
    _say_groups(rows, top, _status_line)
    if any(row["unknown_count"] for row in rows):
        say("≥: some calls have no known cost or tokens, so this is the least that was spent")
    if any(row["state"] == "unknown" for row in rows):
        say("unknown: no amount is known, no call matches, or calls do not say whose they are")


def say_windows(rows: Sequence[Row], top: int) -> None:
    """Prints the windows in which budgets would have warned or stopped.

    Args:
        rows: Those of `budget_backtest`.
        top: Rows of each budget that are shown.
    """
    reached = [row for row in rows if row["state"] in {"warn", "stop"}]
    say(f"{len(reached):,} of {len(rows):,} windows with calls reached a warning; times are UTC")
    if reached:
        say(f"  {'from':<12}{'share':>7}  {'warned':<13}{'stopped':<13}{'spent after':>12}  of")
        _say_groups(reached, top, _window_line)


def _say_groups(rows: Sequence[Row], top: int, line: Callable[[Row], str]) -> None:
    for _, group in groupby(rows, key=lambda row: row["budget"]):
        own = list(group)
        asked = [name for name in _DIMENSIONS if len({row[name] for row in own}) > 1]
        say(f"{own[0]['budget']}: {_limit(own[0])}{_where(own[0], asked)}")
        for row in own[:top]:
            values = (f"no {name}" if row[name] is None else _one_line(row[name]) for name in asked)
            say(f"  {line(row)}{', '.join(values)}".rstrip())
        if len(own) > top:
            say(f"  ... and {len(own) - top:,} more; --top or --json shows them")


def _status_line(row: Row) -> str:
    forecast = ""
    if row["forecast_share"] is not None:
        low, middle, high = (
            100 * row[name] for name in ("forecast_low_share", "forecast_share", "forecast_high_share")
        )
        forecast = f"{middle:.0f}% ({low:.0f} to {high:.0f})"
    spent = f"{_spent(row):>13}  {forecast:<20}{_time(row['limit_at']):<13}"
    return f"{row['state']:<8}{share(row['spent_share']):>7}{spent}"


def _window_line(row: Row) -> str:
    after = usd(row["after_stop_usd"]) if row["stopped_at"] else ""
    moments = f"{_time(row['warned_at']):<13}{_time(row['stopped_at']):<13}"
    return f"{row['window_start_at']:%Y-%m-%d}  {share(row['spent_share']):>7}  {moments}{after:>12}  "


def _limit(row: Row) -> str:
    is_money = row["limit_usd"] is not None
    limit = usd(row["limit_usd"]) if is_money else f"{count(row['limit_tokens'])} tokens"
    return f"{limit} in a {row['window']}"


def _where(row: Row, asked: Sequence[str]) -> str:
    """What all rows of a budget are about."""
    values = [
        f"{name} {_one_line(row[name])}"
        for name in _DIMENSIONS
        if name not in asked and row[name] is not None
    ]
    return f", {', '.join(values)}" if values else ""


def _spent(row: Row) -> str:
    is_money = row["limit_usd"] is not None
    spent = row["spent_usd"] if is_money else row["spent_tokens"]
    least = "≥ " if row["unknown_count"] and spent is not None else ""
    return f"{least}{usd(spent) if is_money else count(spent)}"


def _one_line(value: str) -> str:
    """A value from a trace, which must not look like a line of its own."""
    shown = value.replace("\n", "\\n").replace("\t", "\\t")
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _time(value: datetime | None) -> str:
    return f"{value:%m-%d %H:%M}" if value else ""
