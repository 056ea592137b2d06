"""Robust spread, seasonal medians and the z of spend, against published values and worked ones."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_lib.stats.compound_poisson import demand_noise, spend_z
from llmops_lib.stats.robust import mad_sigma, robust_sigma
from llmops_lib.stats.seasonal import seasonal_median, smoothed


@pytest.fixture(scope="module")
def vectors(shared):
    """Reference values by name."""
    found = json.loads((shared / "reference" / "stats_vectors.json").read_text(encoding="utf-8"))
    listed = found if isinstance(found, list) else found["vectors"]
    return {vector["name"]: vector for vector in listed}


@pytest.mark.parametrize("name", ["mad.basic", "mad.zero"])
def test_mad_sigma_is_that_of_scipy(vectors, name):
    """The spread is the yardstick of every z."""
    vector = vectors[name]
    found = mad_sigma(np.array(vector["inputs"]["x"], dtype=float))
    assert found == pytest.approx(vector["expected"]["mad_sigma"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ["spend.compound_poisson_z.large", "spend.compound_poisson_z.small_counts"])
def test_noise_and_z_are_the_reference_values(vectors, name):
    """A blind computation of the same recipe gave these."""
    inputs, expected = vectors[name]["inputs"], vectors[name]["expected"]
    history, usual = np.array(inputs["history"]), np.array(inputs["expected"])
    noise = demand_noise(history, usual, call_size=inputs["phi"])
    assert noise == pytest.approx(expected["tau"], rel=1e-6)
    new = spend_z(
        np.array([inputs["new"]]), np.array([inputs["new_expected"]]), call_size=inputs["phi"], noise=noise
    )
    assert new[0] == pytest.approx(expected["z"], rel=1e-6)


def test_seasonal_median_is_the_reference_value(vectors):
    """The same hour of earlier weeks, as many as there are."""
    vector = vectors["seasonal_median.hour_of_week"]
    amp = vector["inputs"]["amp"]
    series = np.array([_recipe(hour, amp) for hour in range(672)])
    for hour, times in vector["inputs"]["spikes"].items():
        series[int(hour)] *= times
    usual, known = seasonal_median(np.log(series), season=168, seasons=3)
    for hour, expected in vector["expected"].items():
        assert known[int(hour)] == expected["n_hist"]
        assert usual[int(hour)] == pytest.approx(expected["median_log"], rel=1e-9)


def _recipe(t, amp):
    """The series that the reference values are of, from its description."""
    rhythm = 100 * (1 + amp * math.sin(2 * math.pi * t / 24)) * (1 + 0.2 * ((t // 24) % 7 < 5))
    return rhythm * (1 + 0.05 * (((t * 7919) % 101 - 50) / 50))


def test_zero_deviation_falls_back_to_the_next_estimate():
    """Series that are mostly zero would otherwise have no spread, and any cent would be a spike."""
    assert robust_sigma(np.array([0.0] * 7 + [1.0, 2.0, 3.0])) == pytest.approx(0.75 / 1.349)
    assert robust_sigma(np.array([0.0] * 9 + [10.0])) == pytest.approx(1.2533)
    assert robust_sigma(np.array([4.0, 4.0, 4.0])) is None
    assert robust_sigma(np.array([])) is None


@given(st.integers(0, 10_000), st.integers(5, 60), st.floats(1e-3, 10), st.floats(0.01, 2))
def test_noise_brings_the_spread_down_to_one_and_is_zero_where_it_is_less(seed, count, call_size, wildness):
    """That is its definition: with it, the past is no surprise."""
    rng = np.random.default_rng(seed)
    usual = rng.uniform(10, 100, count)
    spend = usual * rng.lognormal(0, wildness, count)
    noise = demand_noise(spend, usual, call_size=call_size)

    def spread(share):
        return robust_sigma(spend_z(spend, usual, call_size=call_size, noise=share))

    if spread(0.0) <= 1:
        assert noise == 0
    else:
        assert spread(noise) == pytest.approx(1, abs=1e-6)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(1e-6, 1e3), st.floats(0, 10), st.floats(0.1, 1000))
def test_z_does_not_depend_on_the_currency(spend, usual, call_size, noise, rate):
    """Cents or dollars, the same surprise."""
    one = spend_z(np.array([spend]), np.array([usual]), call_size=call_size, noise=noise)
    other = spend_z(
        np.array([spend * rate]), np.array([usual * rate]), call_size=call_size * rate, noise=noise
    )
    assert other[0] == pytest.approx(one[0], rel=1e-6, abs=1e-6)


def test_nothing_to_learn_noise_from_is_none():
    """An unknown noise is not taken for none."""
    assert demand_noise(np.array([]), np.array([]), call_size=1.0) is None
    assert demand_noise(np.array([1.0]), np.array([1.0]), call_size=float("nan")) is None


@given(st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=40))
def test_smoothing_keeps_what_is_level_and_what_is_unknown(values):
    """A constant stays, a gap stays a gap, and nothing leaves the range of its neighbours."""
    series = np.array([np.nan if value is None else value for value in values])
    found = smoothed(series)
    assert (np.isnan(found) == np.isnan(series)).all()
    if not np.isnan(series).all():
        assert np.nanmin(found) >= np.nanmin(series) - 1e-9
        assert np.nanmax(found) <= np.nanmax(series) + 1e-9
