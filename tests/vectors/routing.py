"""Vectors of routing: curves of routers, and the value of policies that did not run."""

import re

import numpy as np
import polars as pl

from llmops_lib.errors import OverlapError
from llmops_lib.measures.off_policy import off_policy_value
from llmops_lib.measures.routing_curve import routing_curve, routing_summary
from llmops_lib.stats.off_policy import importance_weights
from llmops_lib.stats.self_normalised import self_normalised_doubly_robust
from vectors.data import table
from vectors.recipes import recipe


def outcomes(inputs):
    """Both answers of each question, and a router's score made of a hash where there is one."""
    rows = table(inputs)
    if "strong" not in rows.columns:
        rows = rows.pivot(on="model", index=["question_id", "turn"], values="score", maintain_order=True)
    made = rows.with_columns(strong_score=pl.col("strong"), weak_score=pl.col("weak"))
    if "prompt_sha1" in rows.columns:
        made = made.with_columns(router_score=digits(rows, 0, 8) / 16**8)
    return made


def digits(rows, start, length):
    """Some hexadecimal digits of a hash as a number."""
    return (
        rows["prompt_sha1"].cast(pl.String).str.slice(start, length).str.to_integer(base=16, dtype=pl.Int64)
    )


def ends(inputs):
    """Quality of the weak and of the strong model alone."""
    return routing_curve(outcomes(inputs), router="random", points=1)["quality"].to_list()


@recipe(routing_curve, asked="strong weak optimal_by_strong_pct")
def oracle(inputs, expected):
    weak, strong = ends(inputs)
    asked = expected["optimal_by_strong_pct"]
    curve = routing_curve(outcomes(inputs), router="oracle", points=100)
    quality = dict(zip((curve["strong_share"] * 100).round(6).to_list(), curve["quality"], strict=True))
    return {
        "strong": 100 * strong,
        "weak": 100 * weak,
        "optimal_by_strong_pct": {share: 100 * quality[float(share)] for share in asked},
    }


@recipe(routing_curve, asked="strong weak", nothing_else=True)
def alone(inputs, _expected):
    weak, strong = ends(inputs)
    scale = 1 if "mtbench" in inputs["file"] else 100
    return {"strong": scale * strong, "weak": scale * weak}


@recipe(routing_curve, routing_summary, given="router_score num_results", asked="cpt50_pct")
def scored(inputs, expected):
    curve = routing_curve(outcomes(inputs), points=inputs["num_results"])
    summary = routing_summary(curve).row(0, named=True)
    percent = curve.select(pl.col("strong_share", "quality") * 100).sort("strong_share", descending=True)
    shares, quality = curve["strong_share"].to_numpy(), curve["quality"].to_numpy() * 100
    cpt = {key: int(re.sub(r"\D", "", key)) for key in expected if key.startswith("cpt")}
    return {
        "curve_strongpct_accuracy": [list(row) for row in percent.rows()],
        "auc": float(np.trapezoid(quality, shares)),
        "apgr": summary["apgr"],
        **{key: 100 * summary[f"cpt_{level}_share"] for key, level in cpt.items()},
    }


def near(text, value, error):
    """A figure published with its own error: itself where ours is within that, else ours."""
    figure = float(text) if isinstance(text, float) else float(re.match(r"[\d.]+", text)[0])
    return text if abs(figure - value) <= error else value


@recipe(routing_curve, routing_summary, asked="apgr_expected published")
def by_chance(inputs, expected):
    summary = routing_summary(routing_curve(outcomes(inputs), router="random")).row(0, named=True)
    ours = {"cpt50": 100 * summary["cpt_50_share"], "cpt80": 100 * summary["cpt_80_share"]}
    ours["apgr"] = summary["apgr"]
    answer = {f"{key}_expected": value for key, value in ours.items()}
    errors = {"cpt50": 1.0, "cpt80": 1.0, "apgr": 0.01}
    for source in set(expected) - set(answer):
        answer[source] = {key: near(text, ours[key], errors[key]) for key, text in expected[source].items()}
    return answer


@recipe(routing_curve, given="router_score threshold cluster", asked="pgr")
def at_a_threshold(inputs, _expected):
    rows = outcomes(inputs)
    share = float((rows["router_score"] >= inputs["threshold"]).mean())
    here = pl.col("strong_share").is_close(share)
    found = routing_curve(rows).filter(here).row(0, named=True)
    clustered = routing_curve(rows, cluster=inputs["cluster"]).filter(here).row(0, named=True)
    return {
        "strong_fraction": share,
        "accuracy": found["quality"],
        "se_accuracy": found["quality_se"],
        "pgr": found["pgr"],
        "se_pgr_delta": found["pgr_se"],
        "se_pgr_cluster_CR1": clustered["pgr_se"],
    }


def decisions(reward, propensity, target, predicted, predicted_target):
    """A log in the columns of `off_policy_value`."""
    names = ("reward", "propensity", "target_propensity", "predicted_reward", "predicted_target_reward")
    columns = (reward, propensity, target, predicted, predicted_target)
    return pl.DataFrame(
        {name: np.asarray(column, dtype=float) for name, column in zip(names, columns, strict=True)}
    )


@recipe(off_policy_value, given="propensity target", asked="result")
def without_overlap(inputs, _expected):
    n = len(inputs["propensity"])
    try:
        off_policy_value(decisions([1] * n, inputs["propensity"], inputs["target"], [0] * n, [0] * n))
    except OverlapError:
        return {"result": "error: target policy puts mass on an action with zero logging propensity"}
    return {"result": "no error"}


@recipe(off_policy_value, self_normalised_doubly_robust, given="action reward", asked="ips snips dr sndr")
def logged(inputs, _expected):
    rows = outcomes(inputs)
    words, high, low = re.search(
        r"P\(strong\)=([\d.]+) if domain contains any of ([\w,]+) else ([\d.]+)", inputs["recipe"]
    ).group(2, 1, 3)
    hard = rows["domain"].str.contains("|".join(words.split(","))).to_numpy()
    start, stop = map(int, re.search(r"sha1\[(\d+):(\d+)\]", inputs["action"]).groups())
    chance = np.where(hard, float(high), float(low))
    took = digits(rows, start, stop - start).to_numpy() / 16 ** (stop - start) < chance
    strong, weak = (rows[name].to_numpy().astype(float) for name in ("strong", "weak"))
    reward = np.where(took, strong, weak)
    mean = {action: reward[took == action].mean() for action in (True, False)}
    predicted, of_policy = (np.where(flag, mean[True], mean[False]) for flag in (took, hard))
    propensity, target = np.where(took, chance, 1 - chance), (took == hard).astype(float)
    log = decisions(reward, propensity, target, predicted, of_policy)
    found = {row["estimator"]: row for row in off_policy_value(log).iter_rows(named=True)}
    weights = importance_weights(target, propensity)
    values = {name: found[name]["value"] for name in ("ips", "snips", "dm", "dr")}
    errors = {f"{name}_se": found[name]["standard_error"] for name in ("ips", "snips", "dr")}
    return (
        values
        | errors
        | {
            "sndr": self_normalised_doubly_robust(reward, weights, predicted, of_policy),
            "ess": found["dr"]["effective_count"],
            "max_weight": found["dr"]["largest_weight"],
            "mean_weight": found["dr"]["mean_weight"],
            "truth_full_information": float(np.where(hard, strong, weak).mean()),
            "n": rows.height,
            "logged_mean_reward": float(reward.mean()),
            "frac_logged_strong": float(took.mean()),
        }
    )
