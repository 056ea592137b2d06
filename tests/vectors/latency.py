"""Vectors of quantiles: order statistics, quantiles over users, and their differences."""

import polars as pl

from llmops_lib.stats.quantiles import clustered_quantile, quantile_difference, quantile_interval
from llmops_lib.stats.results import Reason
from vectors.data import known, table
from vectors.paired import limits
from vectors.recipes import recipe
from vectors.traffic import calls


def quantile_arms(inputs):
    """Both arms of a vector, with the normal reference that the vectors use."""
    rows = calls(inputs)
    arms = {arm: rows.filter(arm=arm) for arm in ("A", "B")}
    alpha = inputs.get("alpha", 0.05)
    return [
        clustered_quantile(
            arms[arm]["latency_ms"],
            arms[arm]["user"].to_numpy(),
            inputs["quantile"],
            alpha=alpha,
            reference="normal",
        )
        for arm in ("A", "B")
    ]


def clipped(found, values):
    """Both limits; the vectors put the extreme value where the library says that there is no limit."""
    ends = zip(limits(found.interval), (values.min(), values.max()), strict=True)
    unbounded = Reason.UNBOUNDED in found.reasons
    return [extreme if limit is None and unbounded else limit for limit, extreme in ends]


@recipe(clustered_quantile, given="quantile bucket", asked="arm_A woodruff_ci_A")
def of_users(inputs, _expected):
    answer = {}
    for name, found in zip("AB", quantile_arms(inputs), strict=True):
        answer[f"woodruff_ci_{name}"] = clipped(found, calls(inputs).filter(arm=name)["latency_ms"])
        answer[f"arm_{name}"] = {
            "quantile": found.value,
            "n": found.n,
            "n_clusters": found.n_clusters,
            "se_cdf_cluster": found.se_share,
            "se_iid": found.se_independent,
            "se_cluster": found.se,
        }
    return answer


@recipe(clustered_quantile, quantile_difference, given="quantile bucket", asked="effect")
def between_arms(inputs, _expected):
    a, b = quantile_arms(inputs)
    found = quantile_difference(b, a, alpha=inputs.get("alpha", 0.05))
    return {
        "effect": found.value,
        "ci": limits(found.interval),
        "p": found.p_two_sided,
        "se": found.se,
    }


@recipe(quantile_interval, given="rows column")
def order_statistics(inputs, expected):
    first, last = inputs["rows"]
    values = known(table(inputs)[inputs["column"]])[first : last + 1]
    answer = {}
    for quantile in expected:
        found = quantile_interval(values, float(quantile))
        answer[quantile] = {"estimate": found.value, "ci95": limits(found.interval)}
    return answer


@recipe(quantile_interval, given="file", asked="ContextTokens GeneratedTokens")
def token_counts(inputs, expected):
    rows = table(inputs)
    return {
        column: {
            "n": rows[column].len(),
            "mean": rows[column].mean(),
            "sd": rows[column].cast(pl.Float64).std(),
            "quantiles": {q: quantile_interval(rows[column], float(q)).value for q in told["quantiles"]},
        }
        for column, told in expected.items()
    }
