"""The budget what-ifs: caps at any growth of traffic, and a circuit breaker replayed call by call."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from llmops_lib.budgets.declared import BreakerPolicy
from llmops_lib.calls import model_calls
from llmops_lib.frames import collected
from llmops_lib.measures.breaker import simulate_breaker
from llmops_lib.measures.caps import CapPolicy, CapWindow, Each, capped_by_day, simulate_caps
from llmops_lib.safety import masked
from llmops_lib.views.breaker_panel import breaker_scenario
from llmops_lib.views.cap_panel import cap_scenario
from llmops_lib.views.formats import usd
from llmops_lib.views.labels import label
from llmops_lib.views.scenario import Scenario
from llmops_lib.widgets.controls import amount_slider, choice, percent_change_slider, usd_range
from llmops_lib.widgets.panel import Panel, Settings

LIVE_CALLS = 30_000
"""Up to so many calls a replay takes less than a tenth of a second and follows the sliders."""

_EACH = (
    ("All calls together", ""),
    ("Tenant", "tenant"),
    ("Feature", "feature"),
    ("User", "user_id"),
    ("Model", "model"),
)
_DIMENSIONS = [value for _, value in _EACH if value]
_WINDOWS = (("Day", "day"), ("Week", "week"), ("Month", "month"))
_ROLLING = (
    ("1 hour", "rolling 1h"),
    ("24 hours", "rolling 24h"),
    ("Calendar day", "day"),
    ("Calendar month", "month"),
)
_COOLDOWNS = (("None", 0), ("5 minutes", 5), ("15 minutes", 15), ("1 hour", 60), ("6 hours", 360))
_USED = ("trace_id", "span_id", "is_model_call", "started_at", "ended_at", "cost_usd", "is_error")


def budget_panel(
    strata: pl.DataFrame,
    *,
    limit_usd: float | None = None,
    window: CapWindow = "day",
    each: Each = "tenant",
    growth_share: float = 0.0,
) -> Panel:
    """A panel of caps on last month's spend, grown or shrunk.

    Args:
        strata: What `spend_strata` returns.
        limit_usd: Cap at first (USD); None takes half of the largest window.
        window: Window at first: `day`, `week` or `month`.
        each: Dimension of which each value has the cap to itself at first; empty for one over all calls.
        growth_share: Growth of traffic at first, such as 0.2.

    Returns:
        The panel; the last expression of a cell shows it.

    Raises:
        ParameterError: If a first setting cannot be.
    """
    first = CapPolicy(limit_usd or half_of_largest(strata, window, each), window, each, growth_share)
    cap_view(strata, first)
    there = set(strata["dimension"].unique().to_list()) or {""}
    controls = {
        "limit_usd": amount_slider(
            "Cap", first.limit_usd, span=usd_range(float(strata["spend_usd"].fill_null(0).sum()) or 1.0)
        ),
        "growth": percent_change_slider("Growth of traffic", growth_share),
        "each": choice("For each", [(name, value) for name, value in _EACH if value in there], each),
        "window": choice("In each", _WINDOWS, window),
    }
    return Panel(controls, lambda settings: cap_view(strata, _cap(settings)))


def half_of_largest(strata: pl.DataFrame, window: CapWindow, each: Each) -> float:
    """Half of the most that a window of one value cost (USD); 1 where nothing has a known cost."""
    largest = simulate_caps(strata, CapPolicy(1e15, window, each))["largest_window_usd"].max()
    return largest / 2 if isinstance(largest, float) and largest > 0 else 1.0


def cap_view(strata: pl.DataFrame, policy: CapPolicy) -> Scenario:
    """The scenario of a cap, for a reader: names masked.

    Args:
        strata: What `spend_strata` returns.
        policy: The cap.
    """
    return cap_scenario(
        _masked_top(simulate_caps(strata, policy)),
        capped_by_day(strata, policy),
        cap=f"A cap of {usd(policy.limit_usd)} a {policy.window}{_for_each(policy.each)}",
        each=policy.each,
        growth_share=policy.growth_share,
    )


def breaker_panel(calls: Any, policy: BreakerPolicy) -> Panel:
    """A panel of a circuit breaker that is replayed on last month's calls, one after the other.

    With more than 30,000 calls a replay waits for its button.

    Args:
        calls: SPANS with the columns of `price_calls`; uses those of `simulate_breaker`.
        policy: Where the controls stand at first; its `where` and `timezone` stay, and of `each` the first
            dimension.

    Returns:
        The panel; the last expression of a cell shows it.
    """
    table = collected(model_calls(calls, [*_USED, *_DIMENSIONS]).to_native())
    minutes = policy.cooldown.total_seconds() / 60
    controls = {
        "limit_usd": amount_slider("Limit", policy.limit_usd, span=(1e-4, 1e4)),
        "reserve_usd": amount_slider("Reserve per call", policy.reserve_usd, span=(1e-5, 1e2)),
        "each": choice("A breaker for each", _EACH, policy.each[0] if policy.each else ""),
        "window": choice("Window", _with(_ROLLING, policy.window, policy.window), policy.window),
        "cooldown": choice("Stays open for", _with(_COOLDOWNS, f"{minutes:g} minutes", minutes), minutes),
    }
    waits = "Replay call by call" if table.height > LIVE_CALLS else ""
    return Panel(controls, lambda settings: breaker_view(table, _breaker(settings, policy)), run_label=waits)


def _with(options: Sequence[tuple[str, Any]], name: str, value: Any) -> list[tuple[str, Any]]:
    return [*options, *([] if value in dict(options).values() else [(name, value)])]


def breaker_view(calls: Any, policy: BreakerPolicy) -> Scenario:
    """The replay of a breaker, for a reader: names masked.

    Args:
        calls: As `simulate_breaker` takes them.
        policy: The policy.
    """
    return breaker_scenario(
        _masked_top(simulate_breaker(calls, policy)), rule=_rule(policy), each=policy.each
    )


def _masked_top(rows: pl.DataFrame) -> pl.DataFrame:
    # Of a month's users only those are shown that are hit hardest; the others count, but need no name.
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    rest = rows.slice(24).with_columns(pl.lit(None, pl.String).alias(name) for name in texts)
    return pl.concat([masked(rows.head(24)), rest])


def _cap(settings: Settings) -> CapPolicy:
    return CapPolicy(settings["limit_usd"], settings["window"], settings["each"], settings["growth"] / 100)


def _breaker(settings: Settings, first: BreakerPolicy) -> BreakerPolicy:
    return BreakerPolicy(
        limit_usd=settings["limit_usd"],
        reserve_usd=settings["reserve_usd"],
        window=settings["window"],
        each=(settings["each"],) if settings["each"] else (),
        cooldown=timedelta(minutes=settings["cooldown"]),
        where=first.where,
        timezone=first.timezone,
    )


def _rule(policy: BreakerPolicy) -> str:
    is_rolling = policy.window.startswith("rolling ")
    window = policy.window.removeprefix("rolling ") if is_rolling else f"a {policy.window}"
    each = _for_each(policy.each[0] if policy.each else "")
    reserved = f"{usd(policy.reserve_usd)} reserved per call"
    minutes = policy.cooldown.total_seconds() / 60
    closed = f" and {minutes:g} minutes open once it trips" if minutes else ""
    return f"A breaker at {usd(policy.limit_usd)} in {window}{each}, with {reserved}{closed},"


def _for_each(dimension: str) -> str:
    return f" for each {label(dimension).lower()}" if dimension else ""
