"""A rerun as a reader sees it: the verdict in words, one card per metric, effects with their intervals."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import UNKNOWN, change, count, duration, share, usd
from llmops_lib.views.html import Html
from llmops_lib.views.labels import label
from llmops_lib.views.tables import data_table
from llmops_lib.views.theme import BAD_COLOUR, PALETTE, REST_COLOUR, Drawing

_TONES = {"better": "good", "worse": "bad"}
_COLOURS = {
    "better": PALETTE[2],
    "worse": BAD_COLOUR,
    "different": PALETTE[1],
    "equivalent": PALETTE[0],
    "inconclusive": REST_COLOUR,
}
_WRITTEN = {"cost_usd": usd, "latency_ms": duration, "output_chars": count}
_SENTENCES = {
    "worse": "It is worse in {}.",
    "better": "It is better in {}.",
    "different": "It differs in {}, which is neither good nor bad by itself.",
    "equivalent": "No change beyond the margin in {}.",
    "inconclusive": "Not enough calls to tell for {}.",
}


def rerun_summary(effects: pl.DataFrame, facts: Mapping[str, Any]) -> Html:
    """What the new version does, in words, worst news first; then what that rests on.

    Args:
        effects: Rows of `rerun_effects`: `metric`, `verdict`.
        facts: Of the rerun: `prompt_name`, `old`, `new`, `rerun_count`, `found_count`, `is_simulated`.
    """
    told = [f"{facts['prompt_name']}, the new version against the one in force."]
    for verdict, sentence in _SENTENCES.items():
        names = [_name(metric).lower() for metric in effects.filter(verdict=verdict)["metric"]]
        told += [sentence.format(_listed(names))] if names else []
    hashes = " → ".join(str(facts[side]["prompt_hash"])[:12] for side in ("old", "new"))
    rests = (
        f"Versions {hashes}. {count(facts['rerun_count'])} calls were made again with both, "
        f"drawn from {count(facts['found_count'])} that carried the prompt."
    )
    lines = Markup('<p class="summary">{}</p><p class="note">{}</p>').format(" ".join(told), rests)
    return Html(_simulated(facts) + lines)


def _simulated(facts: Mapping[str, Any]) -> Markup:
    if not facts["is_simulated"]:
        return Markup("")
    return Markup(
        '<p class="warn"><strong>Simulated answers.</strong> The bundled extractive answerer answered, which '
        "is no language model: figures show how a comparison reads, and nothing of a model.</p>"
    )


def effect_cards(effects: pl.DataFrame) -> Html:
    """One card per metric: its change, from what to what, and the verdict with its interval.

    Args:
        effects: Rows of `rerun_effects`.
    """
    cards = Markup("").join(_card(row) for row in effects.iter_rows(named=True))
    return Html(Markup('<div class="kpis">{}</div>').format(cards))


def _card(row: dict[str, Any]) -> Markup:
    write = _WRITTEN.get(row["metric"], share)
    means = f"{write(row['old_mean'])} → {write(row['new_mean'])}"
    return Markup(
        '<div class="kpi"><div class="kpi-label">{}</div><div class="kpi-value">{}</div>'
        '<div class="kpi-delta {}">{}</div><div class="kpi-note">{}<br>95%: {}<br>n = {}</div></div>'
    ).format(
        _name(row["metric"]),
        _change(row, "diff").replace(" points", " pt"),
        _TONES.get(row["verdict"], "flat"),
        row["verdict"],
        means,
        _interval(row),
        count(row["pair_count"]),
    )


def effect_table(effects: pl.DataFrame) -> Html:
    """The figures behind the verdicts, one row per metric.

    Args:
        effects: Rows of `rerun_effects`.
    """
    rows = [
        {
            "metric": _name(row["metric"]),
            "verdict": row["verdict"],
            "change": _change(row, "diff"),
            "interval": _interval(row),
            "margin": f"±{row['margin'] * 100:g}{'%' if row['is_ratio'] else ' points'}",
            "p": UNKNOWN if row["p_value"] is None else f"{row['p_value']:.3g}",
            "p_adjusted": UNKNOWN if row["p_adjusted"] is None else f"{row['p_adjusted']:.3g}",
            "pair_count": row["pair_count"],
            "unit_count": row["unit_count"],
            "missing_count": row["missing_count"],
            "method": f"{row['method']}{', ' + row['note'] if row['note'] else ''}",
        }
        for row in effects.iter_rows(named=True)
    ]
    labels = {
        "interval": "95% interval",
        "p_adjusted": "p (Holm)",
        "pair_count": "Calls",
        "unit_count": "Users",
        "missing_count": "Without it",
    }
    return data_table(pl.DataFrame(rows), caption="What each verdict rests on", labels=labels)


def effects_chart(effects: pl.DataFrame, *, is_ratio: bool) -> Drawing:
    """Changes with their intervals, beside the band that counts as no change.

    Args:
        effects: Rows of `rerun_effects`.
        is_ratio: Whether cost, latency and length are drawn, in percent; else scores, in points.

    Returns:
        Points with intervals around a line at zero.
    """
    drawn = effects.filter(pl.col("is_ratio") == is_ratio, pl.col("diff").is_not_null())
    names = [_name(metric) for metric in drawn["metric"]]
    table = drawn.select(
        pl.Series("name", names, dtype=pl.String),
        "verdict",
        *((pl.col(column) * 100).alias(column) for column in ("diff", "lower", "upper", "margin")),
    ).with_columns(below=-pl.col("margin"))
    unit = "%" if is_ratio else "points"
    chart = alt.Chart(table)
    y = alt.Y("name:N", sort=names, title=None)
    band = chart.mark_bar(opacity=0.18, color=REST_COLOUR, height={"band": 0.9}).encode(
        y=y, x=alt.X("below:Q", title=f"New against old ({unit})"), x2="margin:Q"
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(strokeDash=[4, 4]).encode(x="zero:Q")
    colour = alt.Color(
        "verdict:N", scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())), title=None
    )
    bars = chart.mark_rule(strokeWidth=3).encode(y=y, x="lower:Q", x2="upper:Q", color=colour)
    points = chart.mark_circle(size=110, opacity=1).encode(y=y, x="diff:Q", color=colour)
    what = "Cost, latency and length" if is_ratio else "Scores"
    return alt.layer(band, zero, bars, points).properties(
        title=alt.TitleParams(
            f"{what}: change from the old version to the new one",
            subtitle="Point: observed. Bar: 95% interval. Grey band: counts as no change",
        ),
        description=f"Points with intervals: change of each metric, in {unit}.",
        height=alt.Step(38),
    )


def _change(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return UNKNOWN
    if row["is_ratio"]:
        return change(value)
    return f"{value * 100:+.1f} points" if abs(value) >= 0.0005 else "±0 points"


def _interval(row: Mapping[str, Any]) -> str:
    if row["lower"] is None or row["upper"] is None:
        return "unknown"
    lower = _change(row, "lower").removesuffix(" points")
    return f"{lower} to {_change(row, 'upper')}"


def _name(metric: str) -> str:
    return _NAMES.get(metric, label(metric))


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_NAMES = {
    "answered": "Whole answers",
    "refused": "Refusals",
    "cost_usd": "Cost per call",
    "latency_ms": "Latency",
    "output_chars": "Length of answers",
}
