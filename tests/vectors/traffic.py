"""Vectors of prompt A/B tests on traffic: ratios over users, lifts, CUPED, sequences, split checks."""

import re

import polars as pl

from llmops_lib.stats.anytime import anytime_difference, asymptotic_sequence, tightest_eta
from llmops_lib.stats.cluster_permutation import cluster_permutation
from llmops_lib.stats.cuped import cuped_difference
from llmops_lib.stats.group_sequential import obrien_fleming, pocock
from llmops_lib.stats.lift import lift, lift_linear
from llmops_lib.stats.mixture_sprt import mixture_sprt
from llmops_lib.stats.ratios import ratio_difference, ratio_of_sums
from llmops_lib.stats.sample_ratio import sample_ratio
from vectors.data import known, scores, table
from vectors.paired import limits
from vectors.recipes import recipe

METRICS = {"cost": "cost", "error": "error", "latency": "latency_ms", "tokens": "GeneratedTokens"}


def calls(inputs):
    """The calls that the recipe makes of a token trace: user, arm, cost, latency, error."""
    rows = table(inputs)[: inputs["n"]].with_row_index("row")
    context, generated = pl.col("ContextTokens"), pl.col("GeneratedTokens")
    user = (context / inputs["bucket"]).floor().cast(pl.Int64)
    below = int(re.search(r"error = GeneratedTokens < (\d+)", inputs["recipe"])[1])
    return rows.with_columns(
        user.alias("user"),
        pl.when(user % 2 == 1).then(pl.lit("B")).otherwise(pl.lit("A")).alias("arm"),
        (2.5e-6 * context + 1e-5 * generated).alias("cost"),
        (200 + 25 * generated + 0.1 * context).alias("latency_ms"),
        (generated < below).cast(pl.Float64).alias("error"),
    )


def metric_of(inputs):
    """Column that a metric is made of."""
    return next(column for word, column in METRICS.items() if word in inputs["metric"].lower())


def ratio_arms(inputs):
    """Candidate B and baseline A as ratios over users."""
    column = metric_of(inputs)
    users = calls(inputs).group_by("user", "arm").agg(pl.col(column).sum().alias("sum"), pl.len())
    arms = {arm: users.filter(arm=arm) for arm in ("A", "B")}
    made = {arm: ratio_of_sums(rows["sum"], rows["len"]) for arm, rows in arms.items()}
    return made["B"], made["A"]


@recipe(ratio_of_sums, ratio_difference, given="metric", asked="mean_A mean_B df")
def ratio(inputs, _expected):
    b, a = ratio_arms(inputs)
    found = ratio_difference(b, a)
    return {
        "mean_A": a.value,
        "mean_B": b.value,
        "se_A": a.variance**0.5,
        "se_B": b.variance**0.5,
        "n_users_A": a.n_users,
        "n_users_B": b.n_users,
        "effect": found.value,
        "se": found.se,
        "df": found.df,
        "ci": limits(found.interval),
        "p": found.p_two_sided,
    }


@recipe(lift, given="metric", asked="lift ci")
def log_lift(inputs, _expected):
    found = lift(*ratio_arms(inputs))
    return {"lift": found.value, "ci": limits(found.interval)}


@recipe(lift_linear, given="metric", asked="effect se ci", nothing_else=True)
def linear_lift(inputs, _expected):
    found = lift_linear(*ratio_arms(inputs))
    return {"effect": found.value, "se": found.se, "ci": limits(found.interval)}


@recipe(anytime_difference, given="metric tuning_N_star", asked="rho")
def anytime(inputs, _expected):
    how = {"alpha": inputs["alpha"], "tightest_at": inputs["tuning_N_star"]}
    found = anytime_difference(*ratio_arms(inputs), **how)
    return {"ci": limits(found.interval), "p": found.p_value, "rho": found.rho}


@recipe(cuped_difference, given="metric", asked="theta")
def covariate(inputs, _expected):
    column, half = metric_of(inputs), inputs["n"] / 2
    late = pl.col("row") >= half
    users = (
        calls(inputs)
        .group_by("user", "arm")
        .agg(
            pl.col(column).filter(late).sum().alias("outcome"),
            pl.col(column).filter(~late).sum().alias("before"),
        )
    )
    arms = {arm: users.filter(arm=arm) for arm in ("A", "B")}
    a, b = ((arms[arm]["outcome"], arms[arm]["before"]) for arm in ("A", "B"))
    found = cuped_difference(b, a)
    return {
        "theta": found.theta,
        "effect": found.adjusted.value,
        "se": found.adjusted.se,
        "ci": limits(found.adjusted.interval),
        "p": found.adjusted.p_two_sided,
        "se_without_cuped": found.unadjusted.se,
        "ci_without_cuped": limits(found.unadjusted.interval),
    }


@recipe(sample_ratio, given="expected_ratio", asked="p_chi2")
def split(inputs, _expected):
    users = calls(inputs).group_by("arm").agg(pl.col("user").n_unique())
    counted = dict(users.iter_rows())
    found = sample_ratio([counted["A"], counted["B"]], inputs["expected_ratio"])
    return {
        "n_users_A": counted["A"],
        "n_users_B": counted["B"],
        "p_binomial": found.p_exact,
        "p_chi2": found.p_chi2,
    }


@recipe(cluster_permutation, given="user_sums user_counts arm_is_B")
def permuted(inputs, _expected):
    found = cluster_permutation(inputs["user_sums"], inputs["user_counts"], inputs["arm_is_B"])
    return {
        "statistic_studentised": found.statistic,
        "p_two_sided": found.p_two_sided,
        "n_assignments": found.n_assignments,
    }


def stream(inputs):
    """A column in file order, without missing values."""
    return known(scores(table(inputs), inputs["column"], inputs))


@recipe(asymptotic_sequence, tightest_eta, given="stream t_opt")
def asymptotic(inputs, expected):
    how = {"alpha": inputs["alpha"], "tightest_at": inputs["t_opt"]}
    found = asymptotic_sequence(stream(inputs), **how)
    at = [row["n"] for row in expected["values"]]
    estimates = dict(zip(found.n.tolist(), found.estimate.tolist(), strict=True))
    rows = [
        {"n": n, "estimate": estimates[n], "lower": found.at(n).lower, "upper": found.at(n).upper} for n in at
    ]
    return {"rho": tightest_eta(**how), "values": rows}


@recipe(mixture_sprt, given="theta0 sigma tau", asked="log_e")
def mixture(inputs, _expected):
    found = mixture_sprt(stream(inputs), mean=inputs["theta0"], sigma=inputs["sigma"], tau=inputs["tau"])
    places = [n - 1 for n in inputs["at_n"]]
    return {"log_e": found.log_e[places].tolist(), "always_valid_p": found.p_value[places].tolist()}


@recipe(obrien_fleming, pocock, given="K equal_information")
def looks(inputs, _expected):
    alpha = inputs["alpha"] if inputs["two_sided"] else 2 * inputs["alpha"]
    limits_of = obrien_fleming(inputs["K"], alpha=alpha)
    return {
        "pocock_z": float(pocock(inputs["K"], alpha=alpha)[0]),
        "obrien_fleming_C": float(limits_of[-1]),
        "obrien_fleming_z": limits_of.tolist(),
    }
