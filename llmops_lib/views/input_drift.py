"""What people ask against what a suite asks, for a reader."""

from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import UNKNOWN, count, share
from llmops_lib.views.html import Html
from llmops_lib.views.quality_words import plain_table, reasons_in_words


def drift_table(features: pl.DataFrame) -> Html:
    """Which effects are drift.

    Args:
        features: `features` of `input_drift`.
    """
    rows = [
        {
            "Compared": row["feature"],
            "Effect": f"{row['effect']} {UNKNOWN if row['value'] is None else format(row['value'], '.3f')}",
            "Floor": f"{row['floor']:g}",
            "Adjusted p": UNKNOWN if row["p_adjusted"] is None else format(row["p_adjusted"], ".3f"),
            "Drift": {True: "yes", False: "no", None: reasons_in_words(row["reason"])}[row["is_drift"]],
        }
        for row in features.iter_rows(named=True)
    ]
    return plain_table(rows, "Inputs against the suite")


def drift_note(uncovered_share: float | None, fresh_count: int, suite_count: int) -> Html:
    """How much of what people ask is like nothing in the suite.

    Args:
        uncovered_share: Share beyond the suite's own nearest distances.
        fresh_count: Inputs.
        suite_count: Cases.
    """
    text = (
        f"No case is like {share(uncovered_share)} of {count(fresh_count)} inputs; about 5% would "
        f"be so by chance. The suite has {count(suite_count)} cases."
    )
    if not fresh_count:
        text = "There is no sample with texts, so inputs were not compared with the suite."
    return Html(Markup('<p class="summary">{}</p>').format(text))


def topics_table(topics: pl.DataFrame) -> Html:
    """What people ask about, against what the suite asks about.

    Args:
        topics: `topics` of `input_drift`, terms masked.
    """
    rows = [
        {
            "Words": row["terms"],
            "Of inputs": share(row["fresh_share"]),
            "Of the suite": share(row["suite_share"]),
            "Inputs": count(row["fresh_count"]),
            "Users": count(row["unit_count"]),
            "New": "yes" if row["is_new"] else "",
        }
        for row in topics.iter_rows(named=True)
    ]
    return plain_table(rows, "Topics by their wording")


def trait_shifts_table(shifts: pl.DataFrame, *, before: str, header: str = "Before", most: int = 15) -> Html:
    """What traffic is like now against what it was: what is clear in a sentence, then the largest changes.

    Args:
        shifts: `trait_shifts`, names masked.
        before: What it is held against, such as `the cases of a suite`.
        header: The same as a header.
        most: Most rows.
    """
    clear = shifts.filter("is_clear").head(5)
    told = "; ".join(
        f"{row['trait']} {row['value']}, {share(row['before_share'])} to {share(row['fresh_share'])}"
        for row in clear.iter_rows(named=True)
    )
    note = f"Of what is recorded, nothing clearly differs from {before}."
    note = f"Clearly changed against {before}: {told}." if told else note
    rows = [_shift_cells(row, header) for row in shifts.head(most).iter_rows(named=True)]
    cut = f", the {most} largest of {shifts.height} changes" if shifts.height > most else ""
    caption = f"Traces of the last days against {before}{cut}"
    table = plain_table(rows, caption, empty="There are no traces to compare.")
    return Html(Markup('<p class="summary">{}</p>{}').format(note, table.markup)) if rows else table


def _shift_cells(row: dict[str, Any], header: str) -> dict[str, str]:
    limits, change = "no interval", UNKNOWN
    if row["lower"] is not None and row["upper"] is not None:
        limits = f"{100 * row['lower']:+.0f} to {100 * row['upper']:+.0f}"
    if row["change"] is not None:
        # No minus in front of what rounds to zero.
        change = f"{round(100 * row['change'], 1) + 0.0:+.1f} points ({limits})"
    return {
        "Trait": row["trait"],
        "Value": row["value"] or "not recorded",
        "Now": share(row["fresh_share"]),
        header: share(row["before_share"]),
        "Change": change,
        "Clear": {True: "yes", False: "no", None: UNKNOWN}[row["is_clear"]],
        "Not recorded": f"{share(row['fresh_unknown_share'])}, {share(row['before_unknown_share'])}",
    }


def reweighted_table(scores: pl.DataFrame, *, is_simulated: bool = False) -> Html:
    """The score of a suite as it is and weighted to traffic, with the traffic it says nothing of.

    Args:
        scores: `reweighted_score`, names masked.
        is_simulated: Whether the bundled answerer answered the suite.
    """
    rows = [
        {
            "Scorer": row["scorer"],
            "Suite": share(row["raw_score"]),
            "Weighted to traffic": share(row["reweighted_score"]),
            "95%": f"{share(row['lower'])} to {share(row['upper'])}"
            if row["lower"] is not None and row["upper"] is not None
            else reasons_in_words(row["reason"]) or UNKNOWN,
            "Traffic without a case": share(row["uncovered_share"]),
            "Cases": count(row["case_count"]),
            "Of equal weight": UNKNOWN
            if row["effective_case_count"] is None
            else f"{row['effective_case_count']:.1f}",
        }
        for row in scores.iter_rows(named=True)
    ]
    made = " (simulated answers: the bundled answerer is no language model)" if is_simulated else ""
    caption = f"The suite, weighted to topics of traffic{made}"
    return plain_table(rows, caption, empty="No run of the suite was given.")


def proposals_table(proposals: pl.DataFrame) -> Html:
    """Inputs that the suite lacks.

    Args:
        proposals: `proposals` of `input_drift`; their texts are masked already.
    """
    rows = [
        {
            "Text": row["text"],
            "Topic": row["terms"],
            "Distance": f"{row['distance']:.2f}",
            "Trace": row["trace_id"],
        }
        for row in proposals.iter_rows(named=True)
    ]
    return plain_table(rows, "Inputs that nothing in the suite is like")


def feedback_table(weeks: pl.DataFrame, trend: tuple[float | None, float | None, float | None]) -> Html:
    """Feedback week by week, and whether it rises or falls.

    Args:
        weeks: `feedback` of `input_drift`.
        trend: Change per week with its lower and upper limit; None where it is not known.
    """
    change, lower, upper = trend
    known = change is not None and lower is not None and upper is not None
    said = f", changing by {change:+.3f} a week (95%: {lower:+.3f} to {upper:+.3f})" if known else ""
    rows = [
        {
            "Week": row["week"],
            "Scores": count(row["feedback_count"]),
            "Mean": f"{row['mean_feedback']:.2f}",
        }
        for row in weeks.iter_rows(named=True)
    ]
    return plain_table(
        rows, f"Feedback by week, in the scale of the source{said}", empty="No feedback was recorded."
    )
