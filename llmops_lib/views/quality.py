"""Quality in words and tables: the estimate first, how sure it is, and what corrected it."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import UNKNOWN, count, moment, rate, share
from llmops_lib.views.html import Html
from llmops_lib.views.labels import UNKNOWN_NAME, label
from llmops_lib.views.quality_words import plain_table, reasons_in_words
from llmops_lib.views.scenario import Card, cards

_METHODS = {
    "ppi++": "labels correct the judge (PPI++)",
    "lang_reiczigel": "corrected by the judge's known errors (Rogan-Gladen)",
    "wilson": "labels alone",
    "hajek": "labels alone",
    "none": "nothing was judged",
}


def quality_summary(
    estimate: pl.DataFrame, alarms: pl.DataFrame, *, days: float, by: Sequence[str] = ()
) -> Html:
    """How good answers were, how sure that is, and whether quality dropped.

    Args:
        estimate: The one row of `quality_estimate`.
        alarms: `alarms` of `quality_alarms`, names masked.
        days: Days between false alarms.
        by: Columns that name a stream.
    """
    row = estimate.row(0, named=True)
    lines = [_said(row), _corrected(row), _alarmed(alarms, days, by)]
    first, *others = [line for line in lines if line]
    notes = Markup("").join(Markup('<p class="note">{}</p>').format(line) for line in others)
    return Html(Markup('<p class="summary">{}</p>{}{}').format(first, notes, cards(_cards(row, alarms))))


def _said(row: Mapping[str, Any]) -> str:
    if row["what"] != "quality":
        return (
            f"Quality is not known: there are no labels. The judge score is {_interval(row)}, and nobody "
            "knows how far that is from quality."
        )
    if row["value"] is None:
        return f"Quality cannot be told: {reasons_in_words(row['reasons'])}."
    return f"{share(row['value'])} of answers were good{_limits(row)}."


def _corrected(row: Mapping[str, Any]) -> str:
    judged = f"{count(row['judged_count'])} judged calls of {count(row['unit_count'])} users"
    if row["what"] != "quality":
        return f"From {judged}. Label 100 of them, chosen by chance, and the judge can be corrected."
    missing = row["missing_label_count"]
    more = (
        f" {count(missing)} labels more, and the judge could be used."
        if missing and row["method"] != "lang_reiczigel"
        else ""
    )
    how = _METHODS.get(row["method"], row["method"])
    return (
        f"From {judged}, {count(row['labelled_count'])} of them labelled; {how}. "
        f"The judge alone says {share(row['judge_score'])}.{more}"
    )


def _alarmed(alarms: pl.DataFrame, days: float, by: Sequence[str]) -> str:
    news = alarms.filter("is_news")
    bound = f"false alarms are {days:g} days apart on average or more"
    if news.is_empty():
        return f"No alarm; {bound}."
    told = [
        f"{_stream(row, by)} since about {moment(row['started_at'])[:10]} "
        f"(the judge fails {share(row['failure_share'])}, usual are {share(row['reference_failure_share'])})"
        for row in news.head(3).iter_rows(named=True)
    ]
    rest = f" and {news.height - 3} more" if news.height > 3 else ""
    return f"Quality dropped: {'; '.join(told)}{rest}; {bound}."


def _stream(row: Mapping[str, Any], by: Sequence[str]) -> str:
    return ", ".join(str(row[name] or UNKNOWN_NAME) for name in by) or "all calls"


def _cards(row: Mapping[str, Any], alarms: pl.DataFrame) -> list[Card]:
    news = int(alarms["is_news"].sum())
    is_quality = row["what"] == "quality"
    what = "Quality" if is_quality else "Judge score, uncorrected"
    return [
        Card(what, share(row["value"]), f"95%: {share(row['lower'])} to {share(row['upper'])}"),
        Card("Judge alone", share(row["judge_score"]), "weighted, uncorrected"),
        Card(
            "Judged calls",
            count(row["judged_count"]),
            f"worth {count(row['effective_count'])} of equal weight",
        ),
        Card(
            "Labels", count(row["labelled_count"]), "of judged calls" if row["labelled_count"] else "none yet"
        ),
        Card("Drops", count(news), "since the reference", "bad" if news else "good"),
    ]


def quality_table(estimates: pl.DataFrame, by: str, *, caption: str) -> Html:
    """Quality of each group with its interval, and how it was corrected.

    Args:
        estimates: What `quality_estimate` returns by one column, names masked.
        by: That column.
        caption: What the table shows.
    """
    rows = [
        {
            label(by): str(row[by]) if row[by] is not None else UNKNOWN_NAME,
            "Share good": _interval(row) if row["what"] == "quality" else UNKNOWN,
            "Judge alone": share(row["judge_score"]),
            "Judged": count(row["judged_count"]),
            "Labelled": count(row["labelled_count"]),
            "Users": count(row["unit_count"]),
            "How": _METHODS.get(row["method"], row["method"]) if row["what"] == "quality" else "no labels",
            "Bear in mind": reasons_in_words(row["reasons"]),
        }
        for row in estimates.iter_rows(named=True)
    ]
    return plain_table(rows, caption)


def streams_table(streams: pl.DataFrame, by: Sequence[str]) -> Html:
    """What was watched for drops, and how far apart false alarms are.

    Args:
        streams: `streams` of `quality_alarms`, names masked.
        by: Columns that name a stream.
    """
    rows = [
        {
            "Watched": _stream(row, by),
            "Judged": count(row["judged_count"]),
            "Per day": rate(row["judged_per_day"]),
            "Usual failures": share(row["reference_failure_share"]),
            "Acceptable": share(row["acceptable_failure_share"]),
            "False alarms, days apart": count(row["days_between_false_alarms"]),
            "Alarms": count(row["alarm_count"]),
            "Bear in mind": reasons_in_words(row["reason"]),
        }
        for row in streams.iter_rows(named=True)
    ]
    return plain_table(rows, "What is watched")


def _interval(row: Mapping[str, Any]) -> str:
    return UNKNOWN if row["value"] is None else f"{share(row['value'])}{_limits(row)}"


def _limits(row: Mapping[str, Any]) -> str:
    if row["lower"] is None:
        return " (no interval)"
    return f" (95%: {share(row['lower'])} to {share(row['upper'])})"


def composition_table(strata: pl.DataFrame) -> Html:
    """What the sample is made of.

    Args:
        strata: What `sample_composition` returns, names masked.
    """
    rows = [
        {
            "Stratum": row["stratum"],
            "Drawn": count(row["call_count"]),
            "Chance": share(row["chance"]),
            "Weight": rate(row["weight"]),
            "Stands for": count(row["represented_count"]),
            "Share of traffic": share(row["represented_share"]),
            "Judge score": share(row["judge_score"]),
            "Not judged": count(row["unjudged_count"]),
        }
        for row in strata.iter_rows(named=True)
    ]
    return plain_table(rows, "What was drawn, with which chance, and what it stands for")


def alarms_table(alarms: pl.DataFrame, by: Sequence[str]) -> Html:
    """Each drop once: when it began and when it was certain.

    Args:
        alarms: `alarms` of `quality_alarms`, names masked.
        by: Columns that name a stream.
    """
    rows = [
        {
            "What": _stream(row, by),
            "Began about (UTC)": moment(row["started_at"])[:16],
            "Certain (UTC)": moment(row["detected_at"])[:16],
            "Failures since": share(row["failure_share"]),
            "Usual": share(row["reference_failure_share"]),
            "Judged between": count(row["call_count"]),
        }
        for row in alarms.filter("is_news").iter_rows(named=True)
    ]
    return plain_table(rows, "Drops of quality, as the judge sees it")
