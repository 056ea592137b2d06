"""A caching scenario in words, figures, a break-even chart and its prompts."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from llmops_lib.views.formats import compact, count, share, usd
from llmops_lib.views.labels import UNKNOWN_NAME
from llmops_lib.views.scales import money_format
from llmops_lib.views.scenario import Card, Scenario
from llmops_lib.views.specs import Rows, Spec, axis_of, field, layer, layered
from llmops_lib.views.tables import data_table
from llmops_lib.views.theme import BAD_COLOUR, PALETTE

_LABELS = {
    "prefix_tokens": "Shared beginning",
    "readable_count": "Could read",
    "cache_read_share_before": "From cache now",
    "cache_read_share_after": "Then",
    "break_even_share": "Pays from",
    "saving_usd": "Saving",
}
_SHOWN = ("feature", "prompt_name", "model")


def caching_scenario(outcome: pl.DataFrame, tradeoff: pl.DataFrame, by_prompt: pl.DataFrame) -> Scenario:
    """What a caching policy comes to, for a reader.

    Args:
        outcome: The one row of `simulate_caching`, with `hit_share`.
        tradeoff: What `caching_tradeoff` returns for the policy.
        by_prompt: What `simulate_caching` returns by feature, prompt and model; names masked.

    Returns:
        The scenario.
    """
    row = outcome.row(0, named=True)
    prompts = by_prompt.filter(pl.col("readable_count") > 0).head(15)
    names = [pl.col(name).fill_null(UNKNOWN_NAME) for name in _SHOWN if name in prompts.columns]
    return Scenario(
        verdict=_verdict(row),
        cards=_cards(row),
        chart=break_even_chart(tradeoff, row),
        table=data_table(
            prompts.select(*names, *_LABELS),
            caption="Prompts whose beginning repeats",
            labels=_LABELS,
            empty="none whose repeated beginning is known to be long enough.",
        ),
    )


def _verdict(row: dict[str, Any]) -> list[str]:
    lines = [f"{_saved(row)} {_break_even(row)}"]
    unknown = [
        (row["unpriced_count"], "Calls without a known cost, in no sum"),
        (row["unrecorded_count"], "Calls that do not record their cache use, left as they are"),
        (row["from_texts_count"], "Reads estimated from the length of the system prompt"),
    ]
    told = [f"{what}: {count(number)}" for number, what in unknown if number]
    return [*lines, "; ".join(told) + "."] if told else lines


def _saved(row: dict[str, Any]) -> str:
    if not row["readable_count"]:
        return "No call could have read more from a cache than it did."
    hits = (
        f"If {share(row['hit_share'])} of the {count(row['readable_count'])} calls that could have read hit"
    )
    saving, before = row["saving_usd"], row["spend_usd_before"]
    if saving is None:
        return f"{hits}, what that saves is unknown: no call has a known cost."
    part = f" ({share(abs(saving) / before)})" if before else ""
    verb = "would have saved" if saving >= 0 else "would have cost another"
    return f"{hits}, caching {verb} {usd(abs(saving))} of {usd(before)}{part}."


def _break_even(row: dict[str, Any]) -> str:
    share_needed = row["break_even_share"]
    if share_needed is None:
        return ""
    if share_needed <= 0:
        return "Writing costs nothing here, so that every hit pays."
    if share_needed > 1:
        return "It never pays: writing costs more than all possible reads save."
    return f"It pays from a hit share of {share(share_needed)} on."


def _cards(row: dict[str, Any]) -> list[Card]:
    saving = row["saving_usd"]
    return [
        Card("Spend", usd(row["spend_usd_after"]), f"{usd(row['spend_usd_before'])} as it was"),
        Card("Saving", usd(saving), "over the whole period", _tone(saving)),
        Card(
            "Input from cache",
            share(row["cache_read_share_after"]),
            f"{share(row['cache_read_share_before'])} as it was",
        ),
        Card("Pays from", _needed(row["break_even_share"]), "share of possible reads that hit"),
        Card("Could read", compact(row["readable_count"]), f"of {compact(row['call_count'])} calls"),
    ]


def _tone(saving: float | None) -> str:
    if not saving:
        return "flat"
    return "good" if saving > 0 else "bad"


def _needed(value: float | None) -> str:
    return "never" if value is not None and value > 1 else share(value)


def break_even_chart(tradeoff: pl.DataFrame, outcome: Mapping[str, Any]) -> Spec:
    """The saving at every share of hits, with marks at the break-even and at the scenario.

    Args:
        tradeoff: Rows of `caching_tradeoff`: `hit_share`, `saving_usd`.
        outcome: The scenario: the same columns and `break_even_share`.

    Returns:
        A line over the share of hits, with a zero line.
    """
    rows = tradeoff.select("hit_share", "saving_usd").drop_nulls()
    values = [0.0, *rows["saving_usd"].to_list()]
    low, high = min(values), max(values)
    room = max(high - low, 1e-6) * 0.08
    percent = {"format": ".0%", "tickCount": 5}
    x = axis_of("hit_share", "Share of possible reads that hit", (0, 1), axis=percent)
    money = money_format(max(abs(low), abs(high)))
    y = axis_of("saving_usd", "Saving (USD)", (low - room, high + room), axis=money)
    even = outcome["break_even_share"]
    words = {
        "type": "text",
        "y": 12,
        "color": BAD_COLOUR,
        "align": "left" if (even or 0) < _RIGHT else "right",
    }
    layers = [
        layer("zero", {"type": "rule", "strokeDash": [3, 3], "opacity": 0.6}, y=field("zero")),
        layer("line", {"type": "line", "color": PALETTE[0], "strokeWidth": 2.5}, x=x, y=y),
        layer("even", {"type": "rule", "color": BAD_COLOUR, "strokeWidth": 1.5}, x=field("hit_share")),
        layer("even", words, x=field("words_at"), text={"field": "words"}),
        layer("here", _DOT, x=field("hit_share"), y=field("saving_usd")),
    ]
    datasets = {
        "zero": [{"zero": 0}],
        "line": rows.to_dicts(),
        "even": _even(even),
        "here": [{name: outcome[name] for name in ("hit_share", "saving_usd")}]
        if outcome["saving_usd"] is not None
        else [],
    }
    return layered(
        layers,
        datasets if any(values) else {},
        title="What hits save",
        subtitle="Below zero, writing costs more than reading saves. Dot: this scenario",
        description="Line: saving in US dollars by the share of possible cache reads that hit.",
    )


_RIGHT = 0.7
"""Beyond this share there is no room for words right of the mark."""

_DOT = {"type": "point", "filled": True, "size": 110, "color": PALETTE[1], "opacity": 1}


def _even(at: float | None) -> Rows:
    if at is None or not 0 < at <= 1:
        return []
    words_at = at + 0.015 if at < _RIGHT else at - 0.015
    return [{"hit_share": at, "words_at": words_at, "words": f"pays from {share(at)}"}]
