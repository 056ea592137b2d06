"""What people ask against what a suite asks, for a reader."""

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
