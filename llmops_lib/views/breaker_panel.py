"""The replay of a circuit breaker in words, figures and the names it would have stopped."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import compact, count, moment, share, usd
from llmops_lib.views.html import Html
from llmops_lib.views.labels import UNKNOWN_NAME, label
from llmops_lib.views.scales import money_format
from llmops_lib.views.scenario import Card, Scenario
from llmops_lib.views.specs import Spec, axis_of, layer, layered
from llmops_lib.views.tables import data_table
from llmops_lib.views.theme import BAD_COLOUR, PALETTE

_LABELS = {
    "spend_usd": "Let through",
    "saved_usd": "Not spent",
    "blocked_count": "Refused",
    "blocked_good_count": "Of these good",
    "opened_count": "Times opened",
    "first_blocked_at": "First refused (UTC)",
}


def breaker_scenario(replay: pl.DataFrame, *, rule: str, each: Sequence[str]) -> Scenario:
    """What a breaker would have done, for a reader.

    Args:
        replay: What `simulate_breaker` returns; names masked.
        rule: The policy in words.
        each: Dimensions of which each value has a breaker of its own.

    Returns:
        The scenario.
    """
    sums = ("call_count", "blocked_count", "blocked_good_count", "opened_count", "blocked_unpriced_count")
    row = replay.select(pl.col(*sums, "spend_usd", "saved_usd").sum(), pl.col("first_blocked_at").min())
    return Scenario(
        verdict=_verdict(row.row(0, named=True), rule),
        cards=_cards(row.row(0, named=True)),
        chart=saved_chart(replay, each),
        table=_table(replay, each),
    )


def _verdict(row: dict[str, Any], rule: str) -> list[str]:
    if not row["blocked_count"]:
        return [f"{rule} would have refused none of {count(row['call_count'])} calls."]
    first = (
        f"{rule} would have refused {count(row['blocked_count'])} of {count(row['call_count'])} calls, "
        f"{count(row['blocked_good_count'])} of them good ones, and not spent {usd(row['saved_usd'])}."
    )
    lines = [first]
    if row["blocked_unpriced_count"]:
        lines.append(
            f"{count(row['blocked_unpriced_count'])} refused calls have no known cost: more was not spent."
        )
    return lines


def _cards(row: dict[str, Any]) -> list[Card]:
    refused = row["blocked_count"] / row["call_count"] if row["call_count"] else None
    first = (
        f"first at {moment(row['first_blocked_at'])} UTC" if row["first_blocked_at"] else "nobody was refused"
    )
    return [
        Card("Let through", usd(row["spend_usd"]), "known cost"),
        Card(
            "Not spent",
            usd(row["saved_usd"]),
            "known cost of refused calls",
            "good" if row["saved_usd"] else "flat",
        ),
        Card(
            "Refused calls",
            compact(row["blocked_count"]),
            f"{share(refused)} of {compact(row['call_count'])}",
            "bad" if row["blocked_good_count"] else "flat",
        ),
        Card("Times opened", count(row["opened_count"]), first),
    ]


def saved_chart(replay: pl.DataFrame, each: Sequence[str]) -> Spec:
    """What each breaker let through and refused, the largest saving on top.

    Args:
        replay: Rows of `simulate_breaker`.
        each: Dimensions that name a breaker.

    Returns:
        Stacked horizontal bars with a zero baseline.
    """
    is_refusing = bool((replay["blocked_count"] > 0).any())
    top = (replay if is_refusing else replay.sort("spend_usd", descending=True, nulls_last=True)).head(8)
    names = _names(top, each)
    known = top.select(pl.col("spend_usd", "saved_usd").fill_null(0.0))
    rows = [
        {"name": name, "part": part, "rank": rank, "usd": value}
        for name, values in zip(names, known.iter_rows(), strict=True)
        for rank, (part, value) in enumerate(zip(_PARTS, values, strict=True))
    ]
    largest = max((sum(values) for values in known.iter_rows()), default=0.0)
    if not largest:
        rows = []
    axis = {**money_format(largest), "grid": True}
    x = axis_of("usd", "USD", (0.0, largest), axis=axis)
    y = {"field": "name", "type": "nominal", "sort": names, "title": None, "axis": {"labelLimit": 150}}
    colour = {"domain": list(_PARTS), "range": [PALETTE[0], BAD_COLOUR]}
    part = {"field": "part", "type": "nominal", "title": None, "scale": colour}
    bars = layer(
        "breakers", {"type": "bar"}, x=x, y=y, color=part, order={"field": "rank", "type": "quantitative"}
    )
    return layered(
        [bars],
        {"breakers": rows},
        title="What each breaker lets through and refuses",
        subtitle="The eight that refuse most" if is_refusing else "The eight that spend most; none refuses",
        description="Stacked bars: US dollars let through and refused by breaker.",
    )


_PARTS = ("let through", "refused")


def _names(replay: pl.DataFrame, each: Sequence[str]) -> list[str]:
    if not each:
        return ["All calls"] * replay.height
    parts = replay.select(pl.col(name).cast(pl.String).fill_null(UNKNOWN_NAME) for name in each)
    return [" · ".join(row) for row in parts.iter_rows()]


def _table(replay: pl.DataFrame, each: Sequence[str]) -> Html:
    stopped = replay.filter(pl.col("blocked_count") > 0).head(12)
    if stopped.is_empty():
        return Html(Markup('<p class="note">Whom it stopped: nobody.</p>'))
    columns = [pl.col(name).cast(pl.String).fill_null(UNKNOWN_NAME) for name in each]
    names = {name: label(name) for name in each}
    return data_table(
        stopped.select(*columns, *_LABELS), caption="Whom it stopped", labels={**_LABELS, **names}
    )
