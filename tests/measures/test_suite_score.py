"""The score of a suite weighted to traffic: by hand, and where it must stay silent."""

import math

import numpy as np
import polars as pl
import pytest

from llmops_lib import reweighted_score
from llmops_lib.stats.post_stratified import post_stratified_mean


def tables(scores, topics, asked, units=None):
    """A run of one scorer, the kinds of its cases, and traffic."""
    names = [f"case-{place:03d}" for place in range(len(scores))]
    run = pl.DataFrame({"scorer": ["facts"] * len(scores), "example_id": names, "score": scores})
    cases = pl.DataFrame({"case_id": names, "topic": topics})
    fresh = pl.DataFrame({"topic": asked, "unit": units or [f"u{place}" for place in range(len(asked))]})
    return run, cases, fresh


def test_weights_are_those_of_traffic():
    """Half of the suite is refunds, three quarters of what people ask; se by hand, items and shares."""
    scores = [1.0] * 18 + [0.0] * 2 + [1.0] * 4 + [0.0] * 16
    row = reweighted_score(*tables(scores, ["r"] * 20 + ["p"] * 20, ["r"] * 75 + ["p"] * 25)).row(
        0, named=True
    )
    assert row["raw_score"] == pytest.approx(0.55)
    assert row["reweighted_score"] == pytest.approx(0.75 * 0.9 + 0.25 * 0.2)
    of_items = 0.75**2 * (0.09 * 20 / 19) / 20 + 0.25**2 * (0.16 * 20 / 19) / 20
    of_shares = 0.7**2 * (0.75 * 0.25 * 100 / 99) / 100
    assert row["standard_error"] == pytest.approx(math.sqrt(of_items + of_shares))
    assert row["effective_case_count"] == pytest.approx(1 / (0.75**2 / 20 + 0.25**2 / 20))
    assert row["lower"] < row["reweighted_score"] < row["upper"]


def test_the_same_shares_change_nothing():
    """Where the suite asks as people do, both scores are one."""
    scores = [float(place % 3 == 0) for place in range(40)]
    topics = ["a", "b"] * 20
    row = reweighted_score(*tables(scores, topics, topics)).row(0, named=True)
    assert row["reweighted_score"] == pytest.approx(row["raw_score"])
    assert row["uncovered_share"] == 0


def test_what_no_case_asks_is_told_and_not_guessed():
    """A weighted score of half of the traffic must not pass for one of all of it."""
    scores = [1.0] * 40
    row = reweighted_score(*tables(scores, ["a"] * 40, ["a"] * 10 + ["new"] * 10)).row(0, named=True)
    assert (row["reweighted_score"], row["uncovered_share"]) == (1.0, 0.5)
    nothing = reweighted_score(*tables(scores, ["a"] * 40, ["new"] * 10)).row(0, named=True)
    assert (nothing["reweighted_score"], nothing["lower"], nothing["uncovered_share"]) == (None, None, 1.0)


def test_few_cases_behind_most_of_the_traffic_give_no_interval():
    """Two cases that stand for nine tenths of production are two cases."""
    scores = [1.0, 0.0] + [1.0, 0.0] * 30
    row = reweighted_score(*tables(scores, ["a"] * 2 + ["b"] * 60, ["a"] * 90 + ["b"] * 10)).row(
        0, named=True
    )
    assert row["effective_case_count"] < 30
    assert (row["lower"], row["reason"]) == (None, "n_too_small")


def test_calls_of_one_user_are_one_user():
    """Shares that rest on ten users are less sure than those of a hundred."""
    values, strata = [1.0] * 30 + [0.0] * 30, ["a"] * 30 + ["b"] * 30
    asked = ["a"] * 50 + ["b"] * 50
    alone = post_stratified_mean(values, strata, asked, range(100))
    alike = post_stratified_mean(values, strata, asked, [place // 10 for place in range(100)])
    assert alike.value == alone.value
    assert alike.se > 2.5 * alone.se


def test_the_interval_covers_as_often_as_it_says():
    """Cases and traffic drawn anew 400 times; the truth is the mean over the kinds of traffic."""
    generator = np.random.default_rng(3)
    kinds, pass_shares, asked_shares = np.array(["a", "b", "c"]), np.array([0.9, 0.6, 0.3]), [0.6, 0.3, 0.1]
    truth, hits = float(pass_shares @ asked_shares), 0
    for _ in range(400):
        own = np.repeat([0, 1, 2], [40, 40, 40])
        scores = (generator.random(120) < pass_shares[own]).astype(float)
        asked = generator.choice(3, 300, p=asked_shares)
        found = post_stratified_mean(scores, kinds[own], kinds[asked], np.arange(300))
        hits += found.interval.lower <= truth <= found.interval.upper
    assert 0.92 <= hits / 400 <= 0.98
