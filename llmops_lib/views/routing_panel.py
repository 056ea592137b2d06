"""A routing scenario in words, figures, a cost-quality chart and its strata."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from llmops_lib.views.formats import UNKNOWN, compact, count, share, usd
from llmops_lib.views.labels import UNKNOWN_NAME
from llmops_lib.views.scales import money_format
from llmops_lib.views.scenario import Card, Scenario
from llmops_lib.views.specs import Rows, Spec, axis_of, field, layer, layered
from llmops_lib.views.tables import data_table
from llmops_lib.views.theme import PALETTE

_REASONS = {
    None: "",
    "no_overlap": "never answered here",
    "n_too_small": "too few judged",
    "nothing_moves": "nothing moves",
}
_LABELS = {
    "feature": "Feature",
    "calls_like": "Calls",
    "moved_count": "Moved",
    "saving_usd": "Saving",
    "judged_count": "Judged there",
    "quality_before_text": "Quality now",
    "quality_after_text": "There",
    "change_text": "Change (95%)",
}


def routing_scenario(
    outcome: pl.DataFrame,
    tradeoff: pl.DataFrame,
    by_stratum: pl.DataFrame,
    *,
    model: str,
    band_name: Callable[[int], str],
) -> Scenario:
    """What a routing policy comes to, for a reader.

    Args:
        outcome: The one row of `simulate_routing`.
        tradeoff: What `routing_tradeoff` returns for the policy.
        by_stratum: What `routing_by_stratum` returns, at most some dozens of rows; names masked.
        model: Name of the other model, masked.
        band_name: How a band of the rule is called.

    Returns:
        The scenario.
    """
    row = outcome.row(0, named=True)
    return Scenario(
        verdict=_verdict(row, model),
        cards=_cards(row),
        chart=tradeoff_chart(tradeoff, row),
        table=data_table(
            _strata(by_stratum, band_name),
            caption=f"What moves, and what is known of {model} there",
            labels=_LABELS,
            empty="Nothing moves.",
        ),
    )


def _verdict(row: dict[str, Any], model: str) -> list[str]:
    moved = f"{count(row['moved_count'])} of {count(row['eligible_count'])} calls"
    if not row["moved_count"]:
        return [f"Nothing moves to {model}: spend stays at {usd(row['spend_usd_before'])}."]
    lines = [f"Sending {moved} to {model} {_saved(row)}. {_quality(row, model)}"]
    unknown = [
        (row["unpriced_count"], "of all calls have no known cost and are in no sum"),
        (row["moved_unpriced_count"], "of the calls that move have no known cost on one of the models"),
    ]
    told = [f"{count(number)} {what}" for number, what in unknown if number]
    return [*lines, "; ".join(told) + "."] if told else lines


def _saved(row: dict[str, Any]) -> str:
    saving, before = row["saving_usd"], row["spend_usd_before"]
    if saving is None:
        return "would have cost an unknown amount"
    part = f" ({share(abs(saving) / before)})" if before else ""
    if saving < 0:
        return f"would have cost {usd(-saving)} more than the {usd(before)} that was spent{part}"
    return f"would have saved {usd(saving)} of {usd(before)}{part}"


def _quality(row: dict[str, Any], model: str) -> str:
    reason = row["quality_reason"]
    if reason == "no_overlap":
        return (
            f"What that does to quality cannot be told: {share(row['no_overlap_share'])} of them are of a "
            f"kind that {model} never answered."
        )
    if reason:
        return (
            f"What that does to quality cannot be told yet: for {share(row['unjudged_share'])} of them, "
            "fewer than five users judged the answers."
        )
    low, high = row["quality_change_low"], row["quality_change_high"]
    meaning = "worse" if high < 0 else "better" if low > 0 else "no difference is shown"
    return (
        f"Their mean judgement goes from {row['quality_before']:.2f} to {row['quality_after']:.2f}: "
        f"{_interval(row)}, {meaning}."
    )


def _interval(row: dict[str, Any]) -> str:
    change, low, high = (row[f"quality_change{end}"] for end in ("", "_low", "_high"))
    return f"{_signed(change)} (95% interval {_signed(low)} to {_signed(high)})"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _cards(row: dict[str, Any]) -> list[Card]:
    saving, known = row["saving_usd"], row["quality_change"] is not None
    return [
        Card("Spend", usd(row["spend_usd_after"]), f"{usd(row['spend_usd_before'])} as it was"),
        Card(
            "Saving",
            usd(saving),
            "over the whole period",
            "flat" if not saving else "good" if saving > 0 else "bad",
        ),
        Card(
            "Calls that move", compact(row["moved_count"]), f"{share(row['moved_share'])} of those concerned"
        ),
        Card(
            "Quality change",
            _signed(row["quality_change"]) if known else UNKNOWN,
            f"{_signed(row['quality_change_low'])} to {_signed(row['quality_change_high'])}"
            if known
            else _REASONS[row["quality_reason"]],
        ),
    ]


def tradeoff_chart(tradeoff: pl.DataFrame, outcome: Mapping[str, Any]) -> Spec:
    """The cost-quality curve, with a mark at the scenario; it ends where the evidence ends.

    Args:
        tradeoff: Rows of `routing_tradeoff`: `moved_share`, `saving_usd`, `traffic_quality_change` with
            `_low` and `_high`.
        outcome: The scenario: the same columns.

    Returns:
        A line with its band over an axis of savings in US dollars.
    """
    priced = tradeoff.filter(pl.col("saving_usd").is_not_null())
    is_known = pl.col("traffic_quality_change").is_not_null()
    known = priced.filter(is_known).select("saving_usd", "^traffic_quality_change.*$")
    savings = [0.0, *priced["saving_usd"].to_list()]
    heights = [abs(value) for row in known.drop("saving_usd").iter_rows() for value in row]
    reach = max([0.05, *heights]) * 1.1
    money = money_format(max(map(abs, savings)))
    x = axis_of("saving_usd", "Saving (USD)", (min(savings), max(savings)), axis=money)
    y = axis_of("traffic_quality_change", _CHANGE, (-reach, reach))
    layers = [
        layer("zero", {"type": "rule", "strokeDash": [3, 3], "opacity": 0.6}, y=field("zero")),
        layer(
            "unknown",
            {"type": "rect", "opacity": 0.18, "color": "#8a949e"},
            x=field("from"),
            x2={"field": "to"},
        ),
        layer("unknown", _NOTE, x=field("middle"), text={"field": "words"}),
        layer("curve", _BAND, x=x, y=y | {"field": "traffic_quality_change_low"}, y2=_HIGH),
        layer("curve", {"type": "line", "color": PALETTE[0], "strokeWidth": 2.5}, x=x, y=y),
        layer("here", {"type": "rule", "strokeWidth": 2}, x=field("saving_usd")),
        layer("here", _DOT, x=field("saving_usd"), y=field("at")),
    ]
    datasets = {
        "zero": [{"zero": 0}],
        "unknown": _unknown(priced, known, max(savings) - min(savings)),
        "curve": known.to_dicts(),
        "here": _here(outcome, reach),
    }
    return layered(
        layers,
        datasets,
        title="What each saving does to quality",
        subtitle="Line and 95% band: all calls concerned. Grey: no evidence. Dot: this scenario",
        description="Line: expected change of the mean judgement by saving in US dollars, with its interval.",
    )


_CHANGE = "Change of mean judgement"
_HIGH = {"field": "traffic_quality_change_high"}
_BAND = {"type": "area", "opacity": 0.25, "color": PALETTE[0]}
_DOT = {"type": "point", "filled": True, "size": 110, "color": PALETTE[1], "opacity": 1}
_NOTE = {"type": "text", "y": 14, "fontStyle": "italic"}


def _unknown(priced: pl.DataFrame, known: pl.DataFrame, width: float) -> Rows:
    unknown = priced.filter(pl.col("traffic_quality_change").is_null())["saving_usd"].to_list()
    if not unknown:
        return []
    # As more calls move, evidence is lost and never comes back, so that the known part is where it begins.
    ends = [*unknown, *known["saving_usd"].tail(1).to_list()]
    start, end = min(ends), max(ends)
    words = "quality unknown" if end - start > 0.3 * width else ""
    return [{"from": start, "to": end, "middle": (start + end) / 2, "words": words}]


def _here(outcome: Mapping[str, Any], reach: float) -> Rows:
    if outcome["saving_usd"] is None:
        return []
    at = outcome["traffic_quality_change"]
    return [{"saving_usd": outcome["saving_usd"], "at": at if at is not None else -reach}]


def _strata(by_stratum: pl.DataFrame, band_name: Callable[[int], str]) -> pl.DataFrame:
    names: list[str] = [band_name(band) for band in by_stratum["band"].to_list()]
    reasons = by_stratum["quality_reason"].to_list()
    changes = [
        _REASONS[reason] if reason else _interval(row).replace("95% interval ", "")
        for row, reason in zip(by_stratum.iter_rows(named=True), reasons, strict=True)
    ]
    written = {
        "quality_before_text": _judgements(by_stratum["quality_before"].to_list()),
        "quality_after_text": _judgements(by_stratum["quality_after"].to_list()),
    }
    return pl.DataFrame(
        {
            "feature": by_stratum["feature"].fill_null(UNKNOWN_NAME),
            "calls_like": names,
            "moved_count": by_stratum["moved_count"],
            "saving_usd": by_stratum["saving_usd"],
            "judged_count": by_stratum["judged_count"],
            **written,
            "change_text": changes,
        },
        schema_overrides={
            "calls_like": pl.String,
            "change_text": pl.String,
            **dict.fromkeys(written, pl.String),
        },
    )


def _judgements(values: Sequence[float | None]) -> list[str]:
    return [UNKNOWN if value is None else f"{value:.2f}" for value in values]
