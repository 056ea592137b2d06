"""The figures of a comparison as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from llmops_lib.views.formats import change, count
from llmops_lib.views.html import Html
from llmops_lib.views.metric_words import METRIC_LABELS, metric_text, p_text, percent_range, plain_range
from llmops_lib.views.tables import data_table


def effects_table(metrics: pl.DataFrame, *, a: str, b: str) -> Html:
    """Every metric with its values, difference, interval and p value.

    Args:
        metrics: As `compare_prompts` gives them.
        a: Name of the baseline.
        b: Name of the candidate.
    """
    rows = [
        (
            METRIC_LABELS.get(row["metric"], row["metric"]),
            row["role"],
            row["verdict"] or "–",
            metric_text(row["metric"], row["a_value"]),
            metric_text(row["metric"], row["b_value"]),
            _lift(row),
            p_text(row["p_value"]),
            p_text(row["p_adjusted"]),
        )
        for row in metrics.iter_rows(named=True)
    ]
    names = ("metric", "role", "verdict", a, b, "change (95% interval)", "p", "adjusted p")
    return data_table(
        _texts(rows, names),
        caption="Every metric",
        labels={**_same(names), a: a, b: b},
        empty="No effect is shown.",
    )


def _lift(row: Mapping[str, Any]) -> str:
    if row["lift_lower"] is None or row["lift_upper"] is None:
        return change(row["lift"])
    limits = percent_range(row["lift_lower"], row["lift_upper"]).replace(" ", "\N{NO-BREAK SPACE}")
    return f"{change(row['lift'])} ({limits})"


def power_table(metrics: pl.DataFrame) -> Html:
    """What these data see, and what it takes to see what matters.

    Args:
        metrics: As `compare_prompts` gives them.
    """
    rows = [
        (
            METRIC_LABELS.get(row["metric"], row["metric"]),
            metric_text(row["metric"], row["smallest_seen"]),
            metric_text(row["metric"], row["margin"]),
            count(row["a_user_count"] + row["b_user_count"]),
            count(row["users_needed"]),
            count(row["days_needed"]),
        )
        for row in metrics.filter(pl.col("role") != "context").iter_rows(named=True)
    ]
    names = ("metric", "seen with 80%", "margin", "users", "users needed", "more days")
    return data_table(_texts(rows, names), caption="Power", labels=_same(names), empty="No effect is shown.")


def scorers_table(scorers: pl.DataFrame) -> Html:
    """What each scorer says of two eval runs.

    Args:
        scorers: As `compare_scores` gives them.
    """
    rows = [
        (
            row["scorer"],
            row["verdict"],
            f"{row['baseline_mean']:.3g}",
            f"{row['candidate_mean']:.3g}",
            "–" if row["diff"] is None else f"{row['diff']:+.3g}",
            plain_range(row["lower"], row["upper"]),
            p_text(row["p_adjusted"]),
            f"{count(row['item_count'])} cases, {row['p_method']}",
            "–" if row["smallest_seen"] is None else f"{row['smallest_seen']:.3g}",
            count(row["items_still_needed"]),
        )
        for row in scorers.iter_rows(named=True)
    ]
    names = (
        "scorer", "verdict", "baseline", "candidate", "difference", "95% interval", "p", "rests on",
        "seen with 80%", "more cases",
    )  # fmt: skip
    return data_table(
        _texts(rows, names), caption="Eval runs, case by case", labels=_same(names), empty="No scorer."
    )


def cases_list(cases: pl.DataFrame) -> Html:
    """Cases with both answers side by side.

    Args:
        cases: Rows with `example_id`, `scorer`, `winner`, `baseline_mean`, `candidate_mean`, and excerpts of
            `input`, `baseline_output`, `candidate_output`.
    """
    shown = cases.select(
        "example_id", "scorer", "winner", "baseline_mean", "candidate_mean", "input", "baseline_output",
        "candidate_output",
    ).with_columns(pl.col("baseline_mean", "candidate_mean").round(3).cast(pl.String))  # fmt: skip
    labels = {
        "example_id": "Case", "scorer": "Scorer", "winner": "Won by", "baseline_mean": "Baseline",
        "candidate_mean": "Candidate", "input": "Question", "baseline_output": "Baseline answered",
        "candidate_output": "Candidate answered",
    }  # fmt: skip
    return data_table(shown, caption="Who won which case", labels=labels, empty="No case was scored in both.")


def _texts(rows: Sequence[tuple[str, ...]], names: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _same(names: Sequence[str]) -> dict[str, str]:
    return {name: name[:1].upper() + name[1:] for name in names}
