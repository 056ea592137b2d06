"""Findings by group, on tables small enough to count."""

import polars as pl
import pytest

from llmops_lib.measures.errors import error_rates
from llmops_lib.measures.safety_findings import findings_by_rule, safety_findings_by

TEXTS = ("input", "output", "system_instructions", "tool_calls", "error_message")


def spans(**columns):
    """Model calls of one trace, named a, b, c ...; texts are null unless given."""
    height = len(next(iter(columns.values())))
    nothing = dict.fromkeys(TEXTS, pl.Series([None] * height, dtype=pl.String))
    names = {"trace_id": ["t"] * height, "span_id": list("abcdefgh"[:height])}
    return pl.DataFrame(names | nothing | columns)


def found(*rows):
    """Findings: span, kind and, where it matters, rule and confidence."""
    columns = ("span_id", "kind", "rule", "confidence")
    filled = [(*row, *("r", 0.5)[len(row) - 2 :]) for row in rows]
    schema = dict(zip(columns, (pl.String, pl.String, pl.String, pl.Float64), strict=True))
    return pl.DataFrame(filled, schema=schema, orient="row").select(pl.lit("t").alias("trace_id"), pl.all())


CALLS = spans(input=["x", "x", "x", None], tenant=["fox", "fox", None, None])
FOUND = found(("a", "EMAIL"), ("a", "EMAIL"), ("a", "CARD"), ("b", "EMAIL"))


def test_a_call_counts_once_per_kind_however_often_it_holds_it(engine):
    """The share is of calls; the same on every engine."""
    table = safety_findings_by(engine(CALLS), FOUND, "tenant").drop("^found_share.*$")
    assert table.rows() == [
        ("fox", "ANY", 2, 2, 2, 4),
        ("fox", "EMAIL", 2, 2, 2, 3),
        ("fox", "CARD", 2, 2, 1, 1),
        (None, "ANY", 2, 1, 0, 0),
    ]


def test_calls_without_texts_are_unknown_and_not_clean():
    """An export that records no texts has no finding and no share either."""
    [row] = safety_findings_by(spans(input=[None, None]), FOUND.clear()).to_dicts()
    assert (row["kind"], row["call_count"], row["searched_count"]) == ("ANY", 2, 0)
    assert (row["found_share"], row["found_share_low"], row["found_share_high"]) == (None, None, None)


def test_shares_have_the_interval_of_every_other_share():
    """Nothing found is no proof of nothing there: the upper limit says so."""
    [row] = safety_findings_by(spans(input=["x"] * 4), FOUND.clear()).to_dicts()
    told = error_rates(pl.DataFrame({"is_model_call": [True] * 4, "is_error": [False] * 4})).to_dicts()[0]
    assert (row["found_share"], row["found_share_low"]) == (0.0, 0.0)
    assert row["found_share_high"] == pytest.approx(told["error_share_high"])


def test_findings_of_other_spans_are_in_no_share():
    """A finding in a parent repeats that of its child."""
    table = safety_findings_by(CALLS.filter(span_id="c"), FOUND)
    assert table["found_count"].to_list() == [0]


def test_no_calls_give_no_groups():
    """A quiet month is no error."""
    assert safety_findings_by(CALLS.clear(), FOUND, "tenant").is_empty()


def test_rules_are_listed_by_how_sure_they_are():
    """A check digit and a word list must not read alike."""
    sure = ("b", "EMAIL", "email", 0.99)
    rows = findings_by_rule(found(("a", "TOXICITY", "toxicity", 0.5), sure, sure))
    assert rows.select("rule", "found_count", "finding_count", "span_id").rows() == [
        ("email", 1, 2, "b"),
        ("toxicity", 1, 1, "a"),
    ]
