"""Vectors of paired evals: win rates, paired and clustered differences, tests of pass or fail."""

import json
import re

import numpy as np
import polars as pl

from llmops_lib.stats.clustered_mean import clustered_mean
from llmops_lib.stats.mcnemar import mcnemar
from llmops_lib.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, bonferroni, holm
from llmops_lib.stats.paired import paired_difference
from llmops_lib.stats.paired_proportions import bonett_price, newcombe_paired, tango
from llmops_lib.stats.pass_k import pass_at_k, pass_hat_k
from llmops_lib.stats.power import (
    TrialNoise,
    items_needed,
    smallest_difference,
    t_test_effect_size,
    t_test_power,
)
from llmops_lib.stats.regression_rule import regression_verdict
from llmops_lib.stats.suite import ArmTrials, suite_difference
from llmops_lib.stats.wilcoxon import wilcoxon_drop_p
from llmops_lib.stats.win_rate import win_rate
from llmops_lib.stats.within_item import within_item_exact
from llmops_lib.stats.within_item_scores import sign_flip
from vectors.data import known, scores, table
from vectors.recipes import recipe


def limits(interval):
    """Both sides of an interval, as the vectors write it."""
    return [interval.lower, interval.upper]


@recipe(win_rate, asked="win_rate standard_error")
def preferences(inputs, _expected):
    found = win_rate(known(scores(table(inputs), inputs["column"], inputs)))
    return {
        "win_rate": None if found.win_rate is None else 100 * found.win_rate,
        "standard_error": None if found.se is None else 100 * found.se,
        "n_wins": found.n_wins,
        "n_wins_base": found.n_losses,
        "n_draws": found.n_draws,
        "n_total": found.n,
        "discrete_win_rate": None if found.discrete_win_rate is None else 100 * found.discrete_win_rate,
    }


def arms(inputs):
    """Baseline, candidate and cluster of the items that both arms have."""
    rows = table(inputs)
    names = [inputs["baseline"], inputs["candidate"]]
    if names[0] not in rows.columns:
        keys = [key for key in ("question_id", "turn", "item") if key in rows.columns]
        rows = rows.pivot(on="model", index=keys, values="score", maintain_order=True)
    cluster = inputs.get("cluster")
    picked = {"baseline": scores(rows, names[0], inputs), "candidate": scores(rows, names[1], inputs)}
    if cluster:
        picked["cluster"] = rows[cluster]
    return pl.DataFrame(picked).with_columns(pl.col("baseline", "candidate").fill_nan(None)).drop_nulls()


@recipe(paired_difference, clustered_mean, asked="mean_candidate se_unpaired")
def paired(inputs, _expected):
    rows = arms(inputs)
    clusters = rows["cluster"].to_list() if "cluster" in rows.columns else None
    found = paired_difference(rows["candidate"], rows["baseline"], clusters=clusters)
    answer = {
        "n": found.n,
        "mean_baseline": found.mean_baseline,
        "mean_candidate": found.mean_candidate,
        "diff": found.diff,
        "se": found.se,
        "t": found.t,
        "df": found.df,
        "p_two_sided": found.p_two_sided,
        "p_drop_one_sided": found.p_drop,
        "ci95": limits(found.interval),
        "se_unpaired": found.se_unpaired,
        "pearson_r": found.correlation,
    }
    by_cluster = found.clustered
    return answer | {
        "n_clusters": by_cluster and by_cluster.n_clusters,
        "se_cluster_CR0": by_cluster and by_cluster.se_cr0,
        "se_cluster_CR1": by_cluster and by_cluster.se_cr1,
        "p_cluster_t_two_sided": by_cluster and by_cluster.p_two_sided,
        "ci95_cluster_t": by_cluster and limits(by_cluster.interval),
    }


@recipe(clustered_mean, given="value cluster", asked="se_cluster_CR1 mean")
def clustered(inputs, _expected):
    rows = table(inputs)
    found = clustered_mean(rows[inputs["value"]], rows[inputs["cluster"]].to_list())
    return {
        "n": found.n,
        "n_clusters": found.n_clusters,
        "mean": found.mean,
        "se_naive": found.se_naive,
        "se_cluster_CR0": found.se_cr0,
        "se_cluster_CR1": found.se_cr1,
        "ci95_cluster_t": limits(found.interval),
        "icc_anova": found.icc,
        "design_effect": found.design_effect,
    }


@recipe(mcnemar, asked="regressions p_midp_two_sided")
def discordant(inputs, _expected):
    if "table" in inputs:
        (a, b), (c, d) = inputs["table"]
    else:
        rows = arms(inputs)
        pairs = list(zip(rows["baseline"] > 0.5, rows["candidate"] > 0.5, strict=True))
        a, b, c, d = (
            pairs.count(cell) for cell in [(True, True), (True, False), (False, True), (False, False)]
        )
    found = mcnemar(both_pass=a, regressions=b, improvements=c, both_fail=d)
    return {
        "regressions": found.regressions,
        "improvements": found.improvements,
        "p_exact_two_sided": found.p_two_sided,
        "p_exact_drop_one_sided": found.p_drop,
        "p_midp_two_sided": found.p_midp,
        "chi2": found.chi2,
        "p_chi2": found.p_chi2,
        "chi2_corrected": found.chi2_corrected,
        "p_chi2_corrected": found.p_chi2_corrected,
        "odds_ratio": found.odds_ratio,
        "diff": found.diff,
        "se_wald": found.se_wald,
    }


@recipe(tango, bonett_price, newcombe_paired, given="a b c d", asked="tango")
def paired_table(inputs, _expected):
    names = {"both_pass": "a", "regressions": "b", "improvements": "c", "both_fail": "d"}
    cells = {name: inputs[letter] for name, letter in names.items()}
    test = mcnemar(**cells)
    return {
        "diff": test.diff,
        "tango": limits(tango(**cells, alpha=inputs["alpha"])),
        "bonett_price": limits(bonett_price(**cells, alpha=inputs["alpha"])),
        "newcombe_method10": limits(newcombe_paired(**cells, alpha=inputs["alpha"])),
    }


def four_counts(inputs):
    """Candidate and baseline, passes and trials."""
    return [inputs[f"{arm}_{what}"] for arm in ("candidate", "baseline") for what in ("successes", "trials")]


@recipe(within_item_exact, given="candidate_successes", asked="statistic_sum_candidate_successes")
def lattice(inputs, _expected):
    found = within_item_exact(*four_counts(inputs))
    return {
        "statistic_sum_candidate_successes": found.passes,
        "null_mean": found.expected_passes,
        "null_var": found.variance,
        "p_drop_one_sided": found.p_drop,
        "p_gain_one_sided": found.p_gain,
        "p_drop_midp": found.p_drop_midp,
        "p_two_sided": found.p_two_sided,
    }


@recipe(sign_flip, wilcoxon_drop_p, given="differences")
def flipped(inputs, _expected):
    found = sign_flip(inputs["differences"])
    return {
        "sum": found.total_diff,
        "p_drop_one_sided": found.p_drop,
        "p_two_sided": found.p_two_sided,
        "wilcoxon_p_less_exact": wilcoxon_drop_p(inputs["differences"]),
    }


def per_task(inputs):
    """Passes and trials of each task, given or counted from a table of runs."""
    if "file" not in inputs:
        passes = inputs.get("c", inputs.get("successes"))
        trials = inputs.get("n", inputs.get("trials"))
        return passes, trials if isinstance(trials, list) else [trials] * len(passes)
    rows = table(inputs)
    counted = rows.group_by("task_id", maintain_order=True).agg(pl.col("reward").sum(), pl.len())
    return counted["reward"], counted["len"]


@recipe(pass_hat_k, asked="pass_hat_k")
def all_pass(inputs, expected):
    values = [pass_hat_k(*per_task(inputs), k + 1).value for k in range(len(expected["pass_hat_k"]))]
    return {"pass_hat_k": values, "published_rounded": [value and round(value, 3) for value in values]}


@recipe(pass_hat_k, given="file recipe", asked="se", nothing_else=True)
def all_pass_se(inputs, expected):
    return {"se": [pass_hat_k(*per_task(inputs), k + 1).se for k in range(len(expected["se"]))]}


@recipe(pass_at_k, given="n c k", asked="pass_at_k")
def any_pass(inputs, _expected):
    return {"pass_at_k": [pass_at_k([inputs["c"]], [inputs["n"]], k).value for k in inputs["k"]]}


@recipe(items_needed, smallest_difference, given="delta omega2", asked="n_ceil")
def sample_size(inputs, expected):
    noise = TrialNoise(inputs["omega2"], inputs["sigma2_A"], inputs["sigma2_B"], inputs["K_A"], inputs["K_B"])
    how = {"alpha": inputs["alpha"], "power": inputs["power"], "two_sided": inputs["two_sided"]}
    n = items_needed(inputs["delta"], noise, **how)
    sizes = {key: int(re.sub(r"\D", "", key)) for key in expected if key.startswith("mde_at_n_")}
    mde = {key: smallest_difference(size, noise, **how) for key, size in sizes.items()}
    return {"n": n, "n_ceil": int(np.ceil(n)), **mde}


@recipe(t_test_power, t_test_effect_size, given="effect_size n", asked="power")
def noncentral(inputs, expected):
    how = {"alpha": inputs["alpha"], "two_sided": inputs["alternative"] == "two-sided"}
    answer = {"power": t_test_power(inputs["effect_size"], inputs["n"], **how)}
    for key in expected:
        share = re.fullmatch(r"mde_effect_size_at_(\d+)pct", key)
        if share:
            answer[key] = t_test_effect_size(inputs["n"], power=int(share[1]) / 100, **how)
    return answer


@recipe(holm, benjamini_hochberg, benjamini_yekutieli, bonferroni, given="p", asked="holm_adjusted")
def adjusted(inputs, _expected):
    made = {"bh": benjamini_hochberg, "by": benjamini_yekutieli, "holm": holm, "bonferroni": bonferroni}
    answer = {}
    for name, adjust in made.items():
        values = adjust(inputs["p"])
        answer[f"{name}_adjusted"] = values.tolist()
        answer[f"{name}_reject"] = (values <= inputs["alpha"]).tolist()
    return answer


@recipe(within_item_exact, suite_difference, regression_verdict, asked="decision p_drop_exact")
def gate(inputs, _expected):
    counted = four_counts(inputs)
    test = within_item_exact(*counted)
    difference = suite_difference(ArmTrials.from_counts(*counted[:2]), ArmTrials.from_counts(*counted[2:]))
    how = {"alpha": inputs["alpha"], "margin": inputs["margin"]}
    verdict = regression_verdict(test.p_drop, difference, **how)
    return {
        "n_items_used": test.n_items,
        "n_items_dropped": test.n_items_dropped,
        "diff": difference.diff,
        "p_drop_exact": test.p_drop,
        "se": difference.se,
        "se_kind": {"suite": "suite (within-item variance)", "paired_t": "paired t"}[difference.se_kind],
        "lcb": verdict.lower_limit,
        "decision": json.loads(json.dumps(verdict.decision)),
    }
