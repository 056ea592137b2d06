"""An eval run as a reader sees it: the verdict of its gate, pass rates, and the cases behind them."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import UNKNOWN, count, share
from llmops_lib.views.html import Html, figured_list
from llmops_lib.views.tables import data_table
from llmops_lib.views.theme import PALETTE, Drawing

_HEADLINES = {
    "pass": "Pass: no metric dropped by more than its margin.",
    "block": "Blocked: quality dropped.",
    "inconclusive": "Inconclusive: no drop is proven, nor that there is none.",
    "invalid": "Invalid: the runs cannot be compared.",
    "none": "No baseline was given: this run is reviewed alone, and nothing was gated.",
}
_SHOWN = 8
"""Reasons that are listed on top."""

_TONES = {"pass": "good", "block": "bad", "invalid": "bad"}
_TEXTS = {"explanation": "why", "input": "asked", "expected": "expected", "output": "answer"}


def gate_summary(verdict: str, reasons: Sequence[str], *, is_simulated: bool) -> Html:
    """The verdict of a gate in one sentence, with its reasons.

    Args:
        verdict: Of the gate; `none` where nothing was gated.
        reasons: Its reasons, a sentence each.
        is_simulated: Whether the bundled answerer answered.
    """
    simulated = Markup(
        '<p class="warn"><strong>Simulated answers.</strong> The bundled extractive answerer answered, which '
        "is no language model: figures show how a review reads, and nothing of a model.</p>"
    )
    head = Markup('<p class="summary"><strong class="{}">{}</strong></p>').format(
        _TONES.get(verdict, "flat"), _HEADLINES[verdict]
    )
    shown = list(reasons[:_SHOWN])
    if len(reasons) > _SHOWN:
        shown.append(f"and {len(reasons) - _SHOWN} more, listed below")
    lines = Markup("").join(Markup("<li>{}</li>").format(reason) for reason in shown)
    listed = Markup("<ul>{}</ul>").format(lines) if reasons else Markup("")
    return Html((simulated if is_simulated else Markup("")) + head + listed)


def gate_table(metrics: pl.DataFrame) -> Html:
    """What each metric says, one row per metric.

    Args:
        metrics: `GateResult.metrics`; empty where nothing was gated.
    """
    rows = [
        {
            "metric": row["metric"],
            "decision": row["decision"],
            "item_count": row["item_count"],
            "baseline": f"{row['baseline_mean']:.3f}",
            "candidate": f"{row['candidate_mean']:.3f}",
            "change": _signed(row["diff"]),
            "lower": _signed(row["lower_limit"]),
            "p": f"{row['p_adjusted']:.2g}",
            "seen": UNKNOWN if row["smallest_drop_seen"] is None else f"{row['smallest_drop_seen']:.3f}",
        }
        for row in metrics.iter_rows(named=True)
    ]
    labels = {
        "item_count": "Cases",
        "lower": "Lower limit (95%)",
        "p": "p of a drop (Holm)",
        "seen": "Drop it could see (80%)",
    }
    schema = dict.fromkeys(["metric"], pl.String) if not rows else None
    caption = "What the gate says of each metric"
    return data_table(
        pl.DataFrame(rows, schema=schema), caption=caption, labels=labels, empty="nothing was gated."
    )


def pass_rate_chart(scorers: pl.DataFrame) -> Drawing:
    """Share of cases that pass each scorer, with Wilson intervals.

    Args:
        scorers: Rows of `scorer_outcomes`; those without verdicts are not drawn.

    Returns:
        Points with interval bars on an axis from 0 to 100 percent.
    """
    drawn = scorers.filter(pl.col("passed_case_share").is_not_null()).with_columns(
        note=pl.format("{} of {}", "passed_case_count", "case_count")
    )
    chart = alt.Chart(drawn.drop("trial_count", "missing_trial_count"))
    y = alt.Y("scorer:N", title=None, sort=drawn["scorer"].to_list())
    axis = alt.Axis(format="~%", tickCount=5)
    x = alt.X("passed_case_share:Q", title="Cases that pass (%)", axis=axis, scale=alt.Scale(domain=[0, 1]))
    bars = chart.mark_rule(strokeWidth=3).encode(
        y=y, x=alt.X("passed_case_share_low:Q", title="Cases that pass (%)"), x2="passed_case_share_high:Q"
    )
    points = chart.mark_circle(size=110, opacity=1, color=PALETTE[0]).encode(y=y, x=x)
    return alt.layer(bars, points).properties(
        title=alt.TitleParams(
            "How many cases pass each scorer",
            subtitle="Point: cases of which every trial passes. Bar: 95% Wilson interval",
        ),
        description="Points with intervals: share of cases that pass, by scorer.",
        height=alt.Step(34),
    )


def scorer_table(scorers: pl.DataFrame) -> Html:
    """The figures behind the pass rates, one row per scorer.

    Args:
        scorers: Rows of `scorer_outcomes`.
    """
    interval = [
        f"{share(low)} to {share(high)}" if low is not None else UNKNOWN
        for low, high in scorers.select("passed_case_share_low", "passed_case_share_high").rows()
    ]
    score = [UNKNOWN if one is None else f"{one:.3f}" for one in scorers["mean_score"]]
    shown = scorers.select(
        "scorer",
        "passed_case_share",
        pl.Series("interval", interval, dtype=pl.String),
        "passed_case_count",
        "case_count",
        "flaky_case_count",
        "missing_trial_count",
        "trial_count",
        pl.Series("score", score, dtype=pl.String),
    )
    labels = {
        "passed_case_share": "Pass",
        "interval": "95% interval",
        "passed_case_count": "Cases passed",
        "case_count": "Of",
        "flaky_case_count": "Flaky",
        "missing_trial_count": "Trials missing",
        "trial_count": "Trials judged",
        "score": "Mean score",
    }
    return data_table(shown, caption="Pass rates by scorer", labels=labels, empty="no score was read.")


def cases_list(cases: pl.DataFrame, *, caption: str, empty: str) -> Html:
    """Cases in the order given, each with what was asked, expected, answered, and why it failed.

    Args:
        cases: Rows of `case_outcomes`, their texts masked.
        caption: What these cases have in common.
        empty: What is said where there are none.
    """
    return figured_list(cases, _item, caption=caption, empty=empty)


def _item(row: dict[str, Any]) -> Markup:
    must = " · must pass" if row["must_pass"] else ""
    passed = f"{count(row['passed_count'])} of {count(row['trial_count'])} trials passed"
    texts = Markup("").join(
        Markup('<p class="excerpt"><span class="who">{}</span> {}</p>').format(name, row[column])
        for column, name in _TEXTS.items()
        if row[column]
    )
    return Markup('<li><p class="figures"><strong>{}</strong> · {} · {}{}</p>{}</li>').format(
        row["example_id"], row["scorer"], passed, must, texts
    )


def _signed(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+.3f}"
