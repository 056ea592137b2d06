"""Expected spend and its interval, on simulated series where the truth is known."""

import numpy as np
import pytest

from llmops_lib.budgets.forecast import HISTORY_DAYS, outlook

WEEKDAYS = np.array([1.2, 1.2, 1.2, 1.2, 1.0, 0.6, 0.6])


def expected(spend, days, **part):
    """The outlook of whole days."""
    spend = np.atleast_2d(np.asarray(spend, dtype=float))
    return outlook(spend, part.get("head", np.zeros_like(spend)), days, has_part="head" in part)


def test_weekdays_are_expected_as_they_were():
    """A week without noise repeats, whatever day it is looked from."""
    spend = np.tile(WEEKDAYS, 8)
    found = expected(spend, 10)
    assert found.daily[0] == pytest.approx(np.tile(WEEKDAYS, 2)[:10])
    assert found.spread[0] == pytest.approx(0, abs=1e-9)


def test_the_last_day_is_cut_where_the_window_ends():
    """A quarter of each day's spend falls into the part that is left."""
    spend = np.tile(WEEKDAYS, 8)
    found = expected(spend, 1, head=np.atleast_2d(spend / 4))
    assert found.daily[0] == pytest.approx([1.2, 0.3])


def test_growth_goes_on_at_half_its_slope():
    """The Theta method: a straight line through the past is trusted by half."""
    spend = 10.0 + np.arange(HISTORY_DAYS)
    daily = expected(spend, 2).daily[0]
    assert daily[1] - daily[0] == pytest.approx(0.5, abs=0.2)
    assert daily[0] > 60


@pytest.mark.parametrize("known_days", [0, 1, 7])
def test_less_than_a_week_after_the_first_day_is_unknown(known_days):
    """The day of the first call is not whole, so eight days are needed."""
    spend = np.zeros(HISTORY_DAYS)
    spend[HISTORY_DAYS - known_days :] = 1
    found = expected(spend, 3)
    assert np.isnan(found.daily).all()
    assert np.isnan(found.spread).all()


def test_spend_is_never_expected_below_zero():
    """A falling line would cross it."""
    spend = np.maximum(HISTORY_DAYS - 3.0 * np.arange(HISTORY_DAYS), 0)
    assert (expected(spend, 30).daily >= 0).all()


def test_series_do_not_touch_each_other():
    """They share arrays and nothing else."""
    draw = np.random.default_rng(1)
    spend = draw.gamma(2, 3, (5, HISTORY_DAYS)) * (
        np.arange(HISTORY_DAYS) >= np.array([[0, 9, 30, 45, 52]]).T
    )
    together = expected(spend, 9)
    for row in range(5):
        alone = expected(spend[row], 9)
        assert np.allclose(alone.daily[0], together.daily[row], equal_nan=True)
        assert np.allclose(alone.spread[0], together.spread[row], equal_nan=True)


@pytest.mark.parametrize(
    ("swing", "weekly_growth", "least", "most"),
    [(0.0, 1.0, 0.80, 0.96), (0.2, 1.0, 0.65, 0.92), (0.2, 1.1, 0.55, 0.85)],
)
def test_the_interval_holds_about_as_many_outcomes_as_documented(swing, weekly_growth, least, most):
    """Meant for 80%: a little wide on steady traffic, too narrow in swings and fast growth."""
    draw = np.random.default_rng(3)
    series, days, ahead = 1_500, HISTORY_DAYS, 14
    rate = np.tile(100 * WEEKDAYS, (series, (days + ahead) // 7)) * weekly_growth ** (
        np.arange(days + ahead) / 7
    )
    level = np.zeros(series)
    for day in range(days + ahead):
        level = 0.6 * level + draw.normal(0, swing, series)
        rate[:, day] *= np.exp(level)
    spend = draw.poisson(rate).astype(float)
    found = expected(spend[:, :days], ahead)
    miss = np.abs(spend[:, days:].sum(axis=1) - found.daily.sum(axis=1))
    assert least <= (miss <= found.spread).mean() <= most
