"""Vectors of spend: robust spread, seasons, averages and the z of a compound Poisson sum."""

import numpy as np

from llmops_lib.stats.compound_poisson import demand_noise, spend_z
from llmops_lib.stats.moving_average import exponential_average
from llmops_lib.stats.robust import mad_sigma
from llmops_lib.stats.seasonal import seasonal_median
from llmops_lib.stats.seasonal_trend import seasonal_trend
from vectors.recipes import recipe

TO_SIGMA = 1.482602218505602
"""Standard deviations of a normal distribution per median absolute deviation: SciPy's scale."""


def wild(values):
    """Distances from the median in robust standard deviations; None where the spread is zero."""
    spread = mad_sigma(values)
    return (values - np.median(values)) / spread if spread else None


@recipe(mad_sigma, given="x", asked="mad robust_z")
def spread(inputs, _expected):
    values = np.array(inputs["x"], dtype=float)
    scores = wild(values)
    low, high = np.quantile(values, [0.25, 0.75])
    return {
        "median": float(np.median(values)),
        "mad": mad_sigma(values) / TO_SIGMA,
        "mad_sigma": mad_sigma(values),
        "robust_z": None if scores is None else scores.tolist(),
        "iqr_sigma": float(high - low) / 1.348979500392163,
    }


def hourly(inputs):
    """The series that the vectors describe in words, with its spikes."""
    t = np.arange(672)
    rhythm = 100 * (1 + inputs["amp"] * np.sin(2 * np.pi * t / 24)) * (1 + 0.2 * ((t // 24) % 7 < 5))
    series = rhythm * (1 + 0.05 * (((t * 7919) % 101 - 50) / 50))
    for hour, times in inputs["spikes"].items():
        series[int(hour)] *= times
    return np.log(series)


@recipe(seasonal_trend, mad_sigma, given="amp spikes", asked="residual_mad_sigma")
def decomposed(inputs, expected):
    rest = seasonal_trend(hourly(inputs), period=24).rest
    scores = wild(rest)
    count = len(expected["top4_abs_z_hours"])
    return {
        "residual_mad_sigma": mad_sigma(rest),
        "robust_z_at_spikes": {hour: float(scores[int(hour)]) for hour in inputs["spikes"]},
        "top4_abs_z_hours": sorted(np.argsort(-np.abs(scores))[:count].tolist()),
    }


@recipe(seasonal_median, given="amp spikes recipe")
def same_hour(inputs, expected):
    usual, known = seasonal_median(hourly(inputs), season=168, seasons=3)
    return {
        hour: {"n_hist": int(known[int(hour)]), "median_log": float(usual[int(hour)])} for hour in expected
    }


@recipe(exponential_average, given="x alpha", asked="ewma")
def averaged(inputs, _expected):
    return {"ewma": exponential_average(inputs["x"], inputs["alpha"]).tolist()}


@recipe(demand_noise, spend_z, given="history phi new")
def compound_poisson(inputs, _expected):
    history, usual = np.array(inputs["history"]), np.array(inputs["expected"])
    noise = demand_noise(history, usual, call_size=inputs["phi"])
    now = np.array([float(inputs["new"])]), np.array([float(inputs["new_expected"])])
    scores = spend_z(history, usual, call_size=inputs["phi"], noise=0.0)
    z = None if noise is None else float(spend_z(*now, call_size=inputs["phi"], noise=noise)[0])
    return {"tau": noise, "z": z, "scale_at_tau0": mad_sigma(scores)}
