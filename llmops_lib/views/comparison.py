"""The verdict of a comparison in words."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import change, count, share
from llmops_lib.views.html import Html
from llmops_lib.views.metric_words import METRIC_LABELS, metric_text, p_text, percent_range
from llmops_lib.views.tables import data_table

_TONES = {"better": "good", "worse": "bad", "invalid": "bad"}
_SENTENCES = {
    "better": "{b} is better than {a}.",
    "worse": "{b} is worse than {a}.",
    "equivalent": "{b} and {a} are equivalent within the margin.",
    "inconclusive": "Undecided: these data do not tell {b} from {a}.",
    "invalid": "These arms cannot be compared, and no effect is shown.",
}

_QUALITY = {
    "better": "Answers score higher.",
    "worse": "Answers score lower.",
    "equivalent": "Answers score alike, within the margin.",
    "inconclusive": "These cases do not tell the answers apart.",
    "invalid": "These runs cannot be compared.",
    None: "No eval results of both prompts were given.",
}


def verdict_card(  # noqa: PLR0913 - everything that the first screen says
    verdict: str,
    metrics: pl.DataFrame,
    reasons: Sequence[str],
    *,
    quality_verdict: str | None,
    a: str,
    b: str,
) -> Html:
    """The verdict as the first thing on the page, with what it rests on.

    Args:
        verdict: `better`, `worse`, `equivalent`, `inconclusive` or `invalid`.
        metrics: As `compare_prompts` gives them; empty where the arms cannot be compared.
        reasons: Why they cannot, a sentence each.
        quality_verdict: That of the eval runs of both; None where there are none.
        a: Name of the baseline.
        b: Name of the candidate.

    Returns:
        Two cards, then a sentence for the metric that decides and for each guardrail that got worse.
    """
    harmed = (pl.col("role") == "guardrail") & (pl.col("verdict") == "worse")
    decisive = metrics.filter((pl.col("role") == "primary") | harmed).sort("role", descending=True)
    told = [_sentence(row, a, b) for row in decisive.iter_rows(named=True)] or list(reasons)
    cards = Markup("").join(
        (
            _card("In production", verdict, _SENTENCES[verdict].format(a=a, b=b)),
            _card("On eval cases", quality_verdict, _QUALITY[quality_verdict]),
        )
    )
    why = Markup("").join(Markup('<p class="note">{}</p>').format(sentence) for sentence in told)
    return Html(Markup('<div class="kpis">{}</div>{}').format(cards, why))


def _card(title: str, verdict: str | None, sentence: str) -> Markup:
    return Markup(
        '<div class="kpi"><div class="kpi-label">{}</div><div class="kpi-value">{}</div>'
        '<div class="kpi-delta {}">{}</div></div>'
    ).format(title, (verdict or "not compared").capitalize(), _TONES.get(verdict or "", "flat"), sentence)


def _sentence(row: dict[str, Any], a: str, b: str) -> str:
    name, metric = METRIC_LABELS.get(row["metric"], row["metric"]), row["metric"]
    if row["diff"] is None:
        return f"{name}: {row['verdict']}; {row['reason'] or 'there are too few users'}."
    values = [metric_text(metric, row[column]) for column in ("a_value", "b_value")]
    told = f"{name}: {values[0]} with {a}, {values[1]} with {b}"
    if row["lift"] is not None:
        told += (
            f", {change(row['lift'])} (95% interval {percent_range(row['lift_lower'], row['lift_upper'])})"
        )
    if row["p_value"] is not None:
        told += f", p = {p_text(row['p_value'])}".replace("= <", "< ")
    if row["verdict"] != "inconclusive" or row["smallest_seen"] is None:
        return f"{told}."
    seen, margin = (metric_text(metric, row[key]) for key in ("smallest_seen", "margin"))
    more = "" if row["days_needed"] is None else f", {count(row['days_needed'])} more days of this traffic"
    return (
        f"{told}. A difference of {seen} would have been seen with 80% chance; "
        f"{margin} takes {count(row['users_needed'])} users{more}."
    )


def warnings_list(warnings: Sequence[str]) -> Html:
    """What to bear in mind, one paragraph each.

    Args:
        warnings: Sentences.
    """
    return Html(Markup("").join(Markup('<p class="warn">{}</p>').format(_named(told)) for told in warnings))


def notes_list(notes: Sequence[str]) -> Html:
    """What was found, one paragraph each.

    Args:
        notes: Sentences.
    """
    return Html(Markup("").join(Markup('<p class="note">{}</p>').format(told) for told in notes))


def _named(told: str) -> str:
    for metric, name in METRIC_LABELS.items():
        told = told.replace(metric, f"\u201c{name}\u201d") if metric.endswith("_share") else told
    return told[:1].upper() + told[1:]


def health_table(health: pl.DataFrame) -> Html:
    """The checks that came first.

    Args:
        health: One row per check: `check`, `state`, `what`.
    """
    return data_table(
        health.select("check", "state", "what"),
        caption="Checks before any effect",
        labels={"check": "Check", "state": "State", "what": "Found"},
    )


def segment_note(segments: pl.DataFrame) -> Html:
    """How much of what segments show of themselves is kept.

    Args:
        segments: As `prompt_segments` gives them.
    """
    kept = segments["own_weight_share"].drop_nulls().to_list()
    if not kept:
        return Html(Markup('<p class="note">No segment has enough users in both arms.</p>'))
    kept_shares = f"{share(min(kept))} to {share(max(kept))}"
    told = f"Segments keep {kept_shares} of their own difference; the rest is drawn to the mean of all."
    return Html(Markup('<p class="note">{}</p>').format(told))
