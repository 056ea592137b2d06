"""The headline: what a busy reader sees first, each figure against the period before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.periods import Period
from llmops_lib.views.formats import change, compact, count, duration, moment, share, usd
from llmops_lib.views.html import Html
from llmops_lib.views.labels import UNKNOWN_NAME, label


@dataclass(frozen=True)
class _Card:
    title: str
    column: str
    write: Callable[[Any], str]
    is_more_worse: bool | None
    note: Callable[[dict[str, Any]], str] = lambda _row: ""


def _unpriced_note(row: dict[str, Any]) -> str:
    if not row["unpriced_share"]:
        return "every call priced"
    return f"{share(row['unpriced_share'])} of calls unpriced, not in this sum"


def _latency_note(row: dict[str, Any]) -> str:
    if row["latency_p50_ms"] is None:
        return "latency is not recorded"
    enough = "" if row["latency_p95_ms"] is not None else "too few calls for a p95; "
    return f"{enough}half under {duration(row['latency_p50_ms'])}"


_CARDS = (
    _Card("Spend", "spend_usd", usd, True, _unpriced_note),
    _Card("Model calls", "call_count", count, None, lambda row: f"{count(row['trace_count'])} traces"),
    _Card(
        "Tokens",
        "total_tokens",
        compact,
        None,
        lambda row: f"{compact(row['input_tokens'])} in, {compact(row['output_tokens'])} out",
    ),
    _Card(
        "Latency p95",
        "latency_p95_ms",
        duration,
        True,
        _latency_note,
    ),
    _Card(
        "Failed calls",
        "error_share",
        share,
        True,
        lambda row: f"{count(row['error_count'])} of {count(row['call_count'])} calls",
    ),
)


def headline_cards(headline: pl.DataFrame, previous: pl.DataFrame, *, previous_name: str) -> Html:
    """The headline figures as cards, each with its change against the period before.

    Args:
        headline: One row of the period: `spend_usd`, `call_count`, `unpriced_share`, `input_tokens`,
            `output_tokens`, `latency_p50_ms`, `latency_p95_ms`, `error_count`, `error_share`, `trace_count`.
        previous: The same row of the period before; its `call_count` may be 0.
        previous_name: Name of the period before.

    Returns:
        Five cards. A change is marked good or bad where more is plainly worse, as with spend.
    """
    now, before = _row(headline), _row(previous)
    cards = Markup("").join(_card(card, now, before, previous_name) for card in _CARDS)
    return Html(Markup('<div class="kpis">{}</div>').format(cards))


def _row(headline: pl.DataFrame) -> dict[str, Any]:
    row = headline.row(0, named=True)
    counts = [row["input_tokens"], row["output_tokens"]]
    known = [value for value in counts if value is not None]
    return row | {"total_tokens": sum(known) if known else None}


def _card(card: _Card, now: dict[str, Any], before: dict[str, Any], previous_name: str) -> Markup:
    return Markup(
        '<div class="kpi"><div class="kpi-label">{}</div><div class="kpi-value">{}</div>{}'
        '<div class="kpi-note">{}</div></div>'
    ).format(
        card.title, card.write(now[card.column]), _delta(card, now, before, previous_name), card.note(now)
    )


def _delta(card: _Card, now: dict[str, Any], before: dict[str, Any], previous_name: str) -> Markup:
    value, base = now[card.column], before[card.column]
    if not before["call_count"]:
        return Markup('<div class="kpi-delta flat">no calls in {}</div>').format(previous_name)
    if value is None or base is None:
        return Markup('<div class="kpi-delta flat">no comparison</div>')
    if card.column == "error_share":
        points = f"{(value - base) * 100:+.2f} points" if value != base else "unchanged"
        return _mark(value - base, points, card, base)
    if not base:
        return Markup('<div class="kpi-delta flat">from {}</div>').format(card.write(base))
    return _mark(value / base - 1, change(value / base - 1), card, base)


def _mark(size: float, written: str, card: _Card, base: float) -> Markup:
    if card.is_more_worse is None or abs(size) < (0.0005 if card.column == "error_share" else 0.01):
        tone = "flat"
    else:
        tone = "bad" if (size > 0) == card.is_more_worse else "good"
    return Markup('<div class="kpi-delta {}">{} from {}</div>').format(tone, written, card.write(base))


def summary_sentence(headline: pl.DataFrame, previous: pl.DataFrame, movers: pl.DataFrame) -> Html:
    """The week in one sentence: where spend went and the group that moved most in that direction.

    Args:
        headline: As `headline_cards` takes it.
        previous: As `headline_cards` takes it.
        movers: Groups by the size of their move: `dimension`, `value`, `spend_usd_change` (USD).

    Returns:
        A paragraph. It says what moved, not why.
    """
    now, before = headline.row(0, named=True), previous.row(0, named=True)
    spend, base = now["spend_usd"], before["spend_usd"]
    if spend is None:
        text = "No call of this period has a known cost."
    elif not base:
        text = f"Spend was {usd(spend)}; there is no earlier spend to compare with."
    else:
        verb = "rose" if spend > base else "fell"
        text = f"Spend {verb} from {usd(base)} to {usd(spend)} ({change(spend / base - 1)})."
        text += _mover(movers, is_up=spend > base)
    return Html(Markup('<p class="summary">{}</p>').format(text))


def _mover(movers: pl.DataFrame, *, is_up: bool) -> str:
    moved = movers.filter(pl.col("spend_usd_change") > 0 if is_up else pl.col("spend_usd_change") < 0)
    largest = moved.unique("dimension", keep="first", maintain_order=True).head(3)
    sign = "+" if is_up else ""
    named = [
        f"{label(dimension).lower()} {value or UNKNOWN_NAME} ({sign}{usd(moved_usd)})"
        for dimension, value, moved_usd in largest.select("dimension", "value", "spend_usd_change").rows()
    ]
    return f" Most of it: {'; '.join(named)}." if named else ""


def coverage_note(headline: pl.DataFrame, previous: pl.DataFrame, period: Period) -> Html:
    """A warning where calls do not reach over the whole period, or not over the one before.

    Half a week beside a whole one reads as a collapse of traffic.

    Args:
        headline: One row of the period: `first_at`, `last_at` (UTC).
        previous: The same of the period before.
        period: The period.

    Returns:
        A paragraph for each of the two that has more than a day without calls at an end, or nothing.
    """
    pairs = ((headline, period), (previous, period.previous))
    notes = [_gap(row.row(0, named=True), of) for row, of in pairs]
    return Html(Markup("").join(Markup('<p class="warn">{}</p>').format(note) for note in notes if note))


def _gap(row: dict[str, Any], period: Period) -> str:
    first, last = row["first_at"], row["last_at"]
    day = timedelta(days=1)
    if first is None or (first - period.start <= day and period.end - last <= day):
        return ""
    return (
        f"{period.name} is not covered whole: its calls run from {moment(first)} to {moment(last)} UTC. "
        "Compare it with another period with care."
    )
