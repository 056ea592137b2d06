"""A cap on spend in words, figures, a chart of days and the names it would have hit."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from llmops_lib.views.formats import change, compact, count, share, usd
from llmops_lib.views.labels import UNKNOWN_NAME, label
from llmops_lib.views.scales import money_format
from llmops_lib.views.scenario import Card, Scenario
from llmops_lib.views.specs import Spec, field, layer, layered
from llmops_lib.views.tables import data_table
from llmops_lib.views.theme import BAD_COLOUR, PALETTE

_LABELS = {
    "spend_usd_before": "Without cap",
    "spend_usd_after": "With cap",
    "refused_count": "Refused",
    "refused_good_count": "Of these good",
    "capped_window_count": "Times reached",
    "largest_window_usd": "Largest",
}


def cap_scenario(
    capped: pl.DataFrame, by_day: pl.DataFrame, *, cap: str, each: str, growth_share: float
) -> Scenario:
    """What a cap comes to, for a reader.

    Args:
        capped: What `simulate_caps` returns; names masked.
        by_day: What `capped_by_day` returns.
        cap: The cap in words.
        each: Dimension of which each value has the cap to itself; empty for one over all calls.
        growth_share: How much more traffic is assumed.

    Returns:
        The scenario.
    """
    columns = ("call_count", "unpriced_count", "refused_count", "refused_good_count", "capped_window_count")
    amounts = ("spend_usd_before", "spend_usd_after", "refused_usd")
    row = capped.select(pl.col(*columns, *amounts).sum()).row(0, named=True)
    row["value_count"] = capped.height
    row["reached_count"] = capped.filter(pl.col("capped_window_count") > 0).height
    return Scenario(
        verdict=_verdict(row, cap, growth_share, each),
        cards=_cards(row, growth_share),
        chart=capped_days_chart(by_day),
        table=_table(capped, each),
    )


def _verdict(row: dict[str, Any], cap: str, growth_share: float, each: str) -> list[str]:
    if _is_unknown(row):
        return ["No call has a known cost, so what a cap would have refused is unknown."]
    traffic = f" at {change(growth_share)} traffic" if growth_share else ""
    if not row["refused_usd"] and not row["refused_count"]:
        first = f"{cap}{traffic} would have refused nothing: {usd(row['spend_usd_before'])} stay below it."
    else:
        part = share(row["refused_usd"] / row["spend_usd_before"]) if row["spend_usd_before"] else share(None)
        first = (
            f"{cap}{traffic} would have kept spend at {usd(row['spend_usd_after'])} of "
            f"{usd(row['spend_usd_before'])} ({part} less) by refusing {_refused(row)}."
        )
    lines = [first]
    if each and row["reached_count"]:
        reached = f"{count(row['reached_count'])} of {count(row['value_count'])} {label(each).lower()}s"
        lines.append(f"{reached} would have reached it.")
    if row["unpriced_count"]:
        lines.append(f"{count(row['unpriced_count'])} calls have no known cost: real spend is higher.")
    return [lines[0], " ".join(lines[1:])] if lines[1:] else lines


def _refused(row: dict[str, Any]) -> str:
    # Calls of a quarter of an hour are taken as alike, so that a cap can refuse less than half of one.
    if not row["refused_count"]:
        return f"less than one of {count(row['call_count'])} calls"
    good = count(row["refused_good_count"])
    return f"{count(row['refused_count'])} of {count(row['call_count'])} calls, {good} of them good ones"


def _is_unknown(row: dict[str, Any]) -> bool:
    return bool(row["call_count"]) and row["unpriced_count"] == row["call_count"]


def _cards(row: dict[str, Any], growth_share: float) -> list[Card]:
    if _is_unknown(row):
        row = {**row, **dict.fromkeys(("spend_usd_before", "spend_usd_after", "refused_usd"))}
    refused = row["refused_count"] / row["call_count"] if row["call_count"] else None
    return [
        Card("Spend with cap", usd(row["spend_usd_after"]), f"{usd(row['spend_usd_before'])} without"),
        Card("Refused spend", usd(row["refused_usd"]), "not spent", "good" if row["refused_usd"] else "flat"),
        Card(
            "Refused calls",
            compact(row["refused_count"]),
            f"{share(refused)} of {compact(row['call_count'])}",
            "bad" if row["refused_good_count"] else "flat",
        ),
        Card("Times reached", count(row["capped_window_count"]), "windows that hit the cap"),
        Card("Traffic", change(growth_share), "against last month"),
    ]


def _table(capped: pl.DataFrame, each: str) -> Any:
    name = label(each) if each else "All calls"
    hit = capped.filter(pl.col("capped_window_count") > 0).head(12)
    shown = hit.select(pl.col("value").fill_null(UNKNOWN_NAME if each else "All calls"), *_LABELS)
    return data_table(
        shown,
        caption="Who would have reached the cap",
        labels={**_LABELS, "value": name},
        empty="nobody.",
    )


def capped_days_chart(by_day: pl.DataFrame) -> Spec:
    """Spend per day: what the cap lets through, and on top what it refuses.

    Args:
        by_day: Rows of `capped_by_day`: `started_on`, `passed_usd`, `refused_usd`.

    Returns:
        Stacked bars with a zero baseline.
    """
    rows = [
        {"started_on": day, "part": part, "rank": rank, "spend_usd": value}
        for day, *values in by_day.select("started_on", "passed_usd", "refused_usd").iter_rows()
        for rank, (part, value) in enumerate(zip(_PARTS, values, strict=True))
    ]
    largest = max(
        (sum(values) for values in by_day.select("passed_usd", "refused_usd").iter_rows()), default=0.0
    )
    if not largest:
        rows = []
    axis: Mapping[str, Any] = money_format(largest)
    spend = field("spend_usd") | {"title": "Spend (USD per day)", "axis": {"titlePadding": 10, **axis}}
    # Measuring the width of thirty labels, to hide most of them, takes longer than all the rest of a drawing.
    every = 1 << (max(by_day.height - 1, 0) // 9).bit_length()
    labelled = {**_DAY_AXIS, "values": by_day["started_on"].gather_every(every).to_list()}
    day = {"field": "started_on", "type": "ordinal", "title": None, "axis": labelled}
    colour = {"domain": list(_PARTS), "range": [PALETTE[0], BAD_COLOUR]}
    # A legend of two colours takes as long as all bars; the subtitle says the same.
    part = {"field": "part", "type": "nominal", "scale": colour, "legend": None}
    bars = layer("days", {"type": "bar"}, x=day, y=spend, color=part, order=field("rank"))
    return layered(
        [bars],
        {"days": rows},
        title="Spend per day with the cap",
        subtitle="Blue: let through. Red, on top: what comes after the cap and is refused",
        description="Stacked bars: spend in US dollars per day, let through and refused.",
    )


_PARTS = ("passes", "refused")
_DAY_AXIS = {
    "labelExpr": "timeFormat(toDate(datum.value + 'T12:00'), '%-d %b')",
    "labelAngle": 0,
    "labelOverlap": True,
}
