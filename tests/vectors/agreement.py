"""Vectors of judge agreement."""

import numpy as np
import polars as pl

from llmops_lib.stats.kappa import agreement, rating_table
from llmops_lib.stats.many_raters import fleiss_kappa, krippendorff_alpha
from vectors.continuous import two_raters
from vectors.data import table
from vectors.paired import limits
from vectors.recipes import recipe


def cross_table(inputs):
    """A table, given or counted from two columns without draws and missing preferences."""
    if "table" in inputs:
        return inputs["table"]
    rows = two_raters(inputs, inputs["rater1"], inputs["rater2"])
    kept = rows.filter(pl.col("first") != 1.5, pl.col("second") != 1.5)
    return rating_table(kept["first"] > 1.5, kept["second"] > 1.5)


@recipe(agreement, rating_table, asked="kappa observed_agreement")
def beyond_chance(inputs, expected):
    found = agreement(cross_table(inputs), weighting=inputs.get("weights") or "none")
    weighted = {
        key: agreement(cross_table(inputs), weighting=name).kappa
        for name in ("linear", "quadratic")
        for key in expected
        if key == f"kappa_{name}"
    }
    return weighted | {
        "n": found.n,
        "observed_agreement": found.observed,
        "kappa": found.kappa,
        "se_asymptotic": found.se,
        "se_null": found.se_null,
        "ci95": limits(found.interval),
        "gwet_ac1": found.ac1,
        "pabak": found.pabak,
        "scott_pi": found.scott_pi,
    }


@recipe(fleiss_kappa, given="counts", asked="fleiss_kappa")
def fleiss(inputs, _expected):
    return {"fleiss_kappa": fleiss_kappa(inputs["counts"]).value}


@recipe(krippendorff_alpha, asked="alpha_nominal")
def krippendorff(inputs, expected):
    if "file" in inputs:
        rows = table(inputs).select(pl.col(inputs["raters"]).cast(pl.Float64).fill_nan(None))
        kept = rows.drop_nulls() if "dropped" in inputs.get("recipe", "") else rows
        ratings = kept.fill_null(float("nan")).to_numpy().T
    else:
        given = next(value for value in inputs.values() if isinstance(value, list))
        ratings = np.array(given, dtype=np.float64)
    answer = {"n": ratings.shape[1]}
    for key in expected:
        if key.startswith("alpha_"):
            answer[key] = krippendorff_alpha(ratings, level=key.removeprefix("alpha_")).value
    return answer
