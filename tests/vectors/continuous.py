"""Vectors of continuous evals: samples, judges, live intervals, alarms."""

import re

import numpy as np
import polars as pl

from llmops_lib.stats.bounded_sequences import (
    bernoulli_sequence,
    betting_sequence,
    empirical_bernstein_sequence,
)
from llmops_lib.stats.cusum import cusum_chart, cusum_run_length
from llmops_lib.stats.e_detectors import e_cusum, e_shiryaev_roberts
from llmops_lib.stats.judge_error import Calibration, corrected_share
from llmops_lib.stats.prediction_powered import prediction_powered_mean
from llmops_lib.stats.results import Reason
from llmops_lib.stats.survey import Stratum, stratified_mean
from vectors.data import known, scores, table
from vectors.paired import limits
from vectors.recipes import recipe


def stream(inputs):
    """Scores in file order, without missing ones."""
    return known(scores(table(inputs), inputs.get("column", "score"), inputs))


@recipe(bernoulli_sequence, given="stream prior")
def pass_rates(inputs, expected):
    found = bernoulli_sequence(stream(inputs), alpha=inputs["alpha"], prior=tuple(inputs["prior"]))
    rows = [(row["n"], found.at(row["n"])) for row in expected]
    return [
        {"n": n, "estimate": float(found.estimate[n - 1]), "lower": at.lower, "upper": at.upper}
        for n, at in rows
    ]


@recipe(empirical_bernstein_sequence, given="truncation transform", asked="cs")
def bernstein(inputs, expected):
    values = stream(inputs)
    found = empirical_bernstein_sequence(values, alpha=inputs["alpha"], truncation=inputs["truncation"])
    return {
        "n": len(values),
        "mean": float(values.mean()),
        "cs": {n: limits(found.at(int(n))) for n in expected["cs"]},
    }


@recipe(betting_sequence, given="grid transform", asked="cs")
def betting(inputs, expected):
    found = betting_sequence(stream(inputs), alpha=inputs["alpha"], grid=inputs["grid"])
    return {"cs": {n: limits(found.at(int(n))) for n in expected["cs"]}}


def chosen(condition, positions):
    """Positions that words such as `item % 8 == 0` choose."""
    divisor, remainder = map(int, re.search(r"%\s*(\d+)\s*==\s*(\d+)", condition).groups())
    return positions % divisor == remainder


def two_raters(inputs, first, second):
    """Two columns of scores with the position or item of each row, rows with a missing one dropped."""
    rows = table(inputs)
    items = rows["item"] if "item" in rows.columns else pl.Series(range(len(rows)))
    told = pl.DataFrame(
        {"at": items, "first": scores(rows, first, inputs), "second": scores(rows, second, inputs)}
    )
    return told.with_columns(pl.col("first", "second").fill_nan(None)).drop_nulls()


@recipe(prediction_powered_mean, given="labelled", asked="ppi_plus_plus")
def powered(inputs, _expected):
    truth, judge = (
        (inputs["reference"], inputs["judge"]) if "judge" in inputs else (inputs["Y"], inputs["Yhat"])
    )
    rows = two_raters(inputs, truth, judge)
    y, f = rows["first"].to_numpy(), rows["second"].to_numpy()
    labelled = chosen(inputs["labelled"], rows["at"].to_numpy())
    parts = (y[labelled], f[labelled]), f[~labelled]
    plain, tuned = prediction_powered_mean(*parts, tuning=1.0), prediction_powered_mean(*parts)
    return {
        "ppi_lambda1": {"estimate": plain.value, "ci95": limits(plain.interval)},
        "ppi_plus_plus": {"estimate": tuned.value, "ci95": limits(tuned.interval)},
        "classical_labelled_only": {
            "estimate": tuned.labelled_mean,
            "ci95": limits(tuned.labelled_only),
        },
        "n_labelled": tuned.n_labelled,
        "n_unlabelled": tuned.n_unlabelled,
        "judge_only_mean": tuned.judge_mean,
    }


def calibrated(inputs):
    """Judged passes, judged calls and calibration counts of a vector, given or counted from a file."""
    if "tp" in inputs:
        cells = Calibration(*(inputs[name] for name in ("tp", "fn", "fp", "tn")))
        return inputs["judge_positive"], inputs["n"], cells
    rows = table(inputs)
    told = pl.DataFrame(
        {"at": rows["item"], "truth": rows[inputs["reference"]], "judge": rows[inputs["judge"]]}
    ).with_columns(pl.col("truth", "judge").cast(pl.Float64).fill_nan(None))
    told = told.filter(pl.col("truth") != 1.5, pl.col("judge") != 1.5)
    among = chosen(inputs["calibration"], told["at"].to_numpy())
    truth, judge = told["truth"].to_numpy() > 1.5, told["judge"].to_numpy() > 1.5
    pairs = [(True, True), (True, False), (False, True), (False, False)]
    cells = [int(((truth == t) & (judge == j) & among).sum()) for t, j in pairs]
    return int(judge[~among].sum()), int((~among).sum()), Calibration(*cells)


@recipe(corrected_share, asked="rogan_gladen_raw lang_reiczigel_ci95")
def corrected(inputs, _expected):
    found = corrected_share(*calibrated(inputs))
    return {
        "sensitivity": found.sensitivity,
        "specificity": found.specificity,
        "youden_J": found.youden,
        "apparent": found.apparent,
        "rogan_gladen_raw": found.uncut,
        "rogan_gladen_clipped": found.value,
        "se_delta": found.se,
        "lang_reiczigel_ci95": limits(found.interval),
    }


@recipe(corrected_share, given="tp fn fp tn judge_positive", asked="result")
def not_identified(inputs, expected):
    found = corrected_share(*calibrated(inputs))
    identified = Reason.NOT_IDENTIFIABLE not in found.reasons or found.value is not None
    told = "identified" if identified else expected["result"]
    return {
        "result": told,
        "sensitivity": found.sensitivity,
        "specificity": found.specificity,
        "youden_J": found.youden,
        "apparent": found.apparent,
    }


@recipe(stratified_mean, given="strata")
def strata(inputs, _expected):
    told = [Stratum(row["n"], row["N"], row["mean"], row["var"]) for row in inputs["strata"].values()]
    found = stratified_mean(told)
    return {
        "mean": found.mean.value,
        "se": found.mean.se,
        "total": found.total.value,
        "se_total": found.total.se,
    }


@recipe(cusum_run_length, given="cases", asked="one_sided two_sided")
def run_lengths(inputs, _expected):
    return {
        name: [
            cusum_run_length(slack, limit, shift=shift, two_sided=both)
            for slack, limit, shift in inputs["cases"]
        ]
        for name, both in (("one_sided", False), ("two_sided", True))
    }


@recipe(cusum_chart, given="x target K H")
def chart(inputs, _expected):
    found = cusum_chart(inputs["x"], target=inputs["target"], slack=inputs["K"], limit=inputs["H"])
    first = None if found.first_alarm is None else found.first_alarm + 1
    return {
        "c_plus": found.high.tolist(),
        "c_minus": found.low.tolist(),
        "first_alarm_index_1based": first,
    }


@recipe(e_shiryaev_roberts, e_cusum, given="m0 lambdas x")
def detectors(inputs, expected):
    reverse, column = re.search(r"(1\s*-\s*)?(\w+)", inputs["x"]).groups()
    values = known(scores(table(inputs), column, inputs))
    failures = 1 - values if reverse else values
    how = {"acceptable": inputs["m0"], "rates": inputs["lambdas"]}
    places = [t - 1 for t in expected["at_t"]]
    return {
        "sr": np.exp(e_shiryaev_roberts(failures, **how)[places]).tolist(),
        "cusum": np.exp(e_cusum(failures, **how)[places]).tolist(),
        "at_t": expected["at_t"],
    }
