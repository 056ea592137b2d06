"""What another version of a prompt changes: effects, intervals and verdict words."""

import json

import polars as pl
import pytest

from llmops_lib import rerun_changes, rerun_effects
from llmops_lib.errors import EstimateError, MissingColumnError


def side(values, *, scorer="schema", units=None, outputs=None, **columns):
    """SCORES of one version, a call per value."""
    count = len(values)
    metadata = [
        json.dumps({"weight": 1.0, "unit": unit, "feature": "faq", "is_neutral": scorer == "refused"})
        for unit in units or [f"u{number}" for number in range(count)]
    ]
    made = {
        "example_id": [f"c{number:02}" for number in range(count)],
        "scorer": [scorer] * count,
        "score": [None if value is None else float(value) for value in values],
        "output": [json.dumps(text) for text in outputs or ["same text"] * count],
        "metadata": metadata,
        "cost_usd": [0.002] * count,
        "latency_ms": [100.0] * count,
    }
    return pl.DataFrame(made | columns, schema_overrides={"score": pl.Float64, "cost_usd": pl.Float64})


def verdict(old, new, metric="schema"):
    """The word for one metric."""
    return rerun_effects(old, new).filter(metric=metric)["verdict"].item()


def test_a_score_that_drops_on_many_calls_is_worse():
    """Twelve of forty calls lose their schema, none gains it."""
    assert verdict(side([1] * 40), side([0] * 12 + [1] * 28)) == "worse"
    assert verdict(side([0] * 12 + [1] * 28), side([1] * 40)) == "better"


def test_few_calls_without_a_difference_prove_nothing_and_many_do():
    """Twenty equal calls leave room for a drop of ten points; two hundred do not."""
    assert verdict(side([1] * 20), side([1] * 20)) == "inconclusive"
    assert verdict(side([1] * 200), side([1] * 200)) == "equivalent"


def test_a_proven_change_of_refusals_is_neither_good_nor_bad():
    """Whether more refusals are right is for whoever reads them."""
    old, new = side([0] * 40, scorer="refused"), side([1] * 15 + [0] * 25, scorer="refused")
    assert verdict(old, new, "refused") == "different"


def test_lower_cost_and_latency_are_better():
    """Ratios read the other way round than scores."""
    costs = [0.002 + number / 1e4 for number in range(40)]
    halved = [cost * (0.5 + number / 1000) for number, cost in enumerate(costs)]
    old, new = side([1] * 40, cost_usd=costs), side([1] * 40, cost_usd=halved)
    effects = rerun_effects(old, new).filter(metric="cost_usd")
    assert effects["verdict"].item() == "better"
    assert effects["lower"].item() < effects["diff"].item() < effects["upper"].item() < 0
    assert effects["diff"].item() == pytest.approx(-0.48, abs=0.01)


def test_calls_of_one_user_do_not_count_as_many():
    """Forty calls of four users are four observations."""
    units = [f"u{number % 4}" for number in range(40)]
    effects = rerun_effects(side([1] * 40, units=units), side([0] * 12 + [1] * 28, units=units))
    row = effects.filter(metric="schema").row(0, named=True)
    assert (row["unit_count"], row["verdict"], row["note"]) == (4, "inconclusive", "too_few_clusters")


def test_a_call_without_a_figure_on_one_side_is_counted_and_left_out():
    """An answer that never came is no bad answer."""
    effects = rerun_effects(side([1] * 30), side([None, None] + [1] * 28)).filter(metric="schema")
    assert effects.select("pair_count", "missing_count").row(0) == (28, 2)


def test_unknown_costs_are_no_costs_of_zero():
    """The bundled answerer has no price."""
    old = side([1] * 30, cost_usd=[None] * 30)
    row = rerun_effects(old, old).filter(metric="cost_usd").row(0, named=True)
    assert (row["pair_count"], row["old_mean"], row["verdict"]) == (0, None, "inconclusive")


def test_calls_that_were_not_made_side_by_side_say_nothing_of_latency():
    """Answers that were kept from yesterday were waited for yesterday."""
    old = side([1] * 30).with_columns(
        metadata=pl.col("metadata").str.replace("{", '{"is_apart": true, ', literal=True)
    )
    assert rerun_effects(old, side([1] * 30)).filter(metric="latency_ms")["pair_count"].item() == 0


def test_asking_of_many_metrics_is_allowed_for():
    """Each further question could be answered wrong by chance."""
    effects = rerun_effects(side([1] * 40), side([0] * 12 + [1] * 28)).filter(metric="schema")
    assert effects["p_adjusted"].item() > effects["p_value"].item()


def test_scores_of_something_else_and_impossible_margins_are_refused():
    """An ordinary eval run knows no weights."""
    ordinary = side([1] * 5).with_columns(metadata=pl.lit("{}"))
    with pytest.raises(MissingColumnError, match="weight and unit"):
        rerun_effects(ordinary, ordinary)
    with pytest.raises(EstimateError, match="margins"):
        rerun_effects(side([1] * 5), side([1] * 5), margin=0)


def test_changed_answers_come_first_and_same_ones_not_at_all():
    """A reviewer reads from the top."""
    old = side([1, 1, 1], outputs=["one two three", "yes", "kept"])
    new = side([1, 0, 1], outputs=["one two four", "no", "kept"])
    changes = rerun_changes(old, new)
    assert changes.select("example_id", "flips").rows() == [("c01", "schema 1 to 0"), ("c00", None)]
