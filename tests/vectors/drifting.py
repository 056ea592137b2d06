"""Vectors of drift between two samples."""

import re

import numpy as np

from llmops_lib.stats.drift import binned_drift, shape_drift
from llmops_lib.stats.embedding_drift import kernel_drift
from vectors.data import known, spanned, whole_table
from vectors.recipes import recipe


def tables(inputs):
    """Table of the reference and table of the fresh rows; one file may hold both."""
    names = inputs.get("files") or [inputs["file"]]
    return whole_table(names[0]), whole_table(names[-1])


@recipe(binned_drift, shape_drift, given="reference new column")
def one_feature(inputs, _expected):
    old, new = tables(inputs)
    reference = known(spanned(inputs["reference"], old)[inputs["column"]])
    fresh = known(spanned(inputs["new"], new)[inputs["column"]])
    binned, shape = binned_drift(reference, fresh), shape_drift(reference, fresh)
    return {
        "n_ref": binned.n_reference,
        "n_new": binned.n_fresh,
        "ks_D": shape.ks_distance,
        "ks_p_asymptotic": shape.ks_p_value,
        "wasserstein": shape.wasserstein,
        "energy": shape.energy,
        "psi_10_ref_deciles": binned.psi,
        "n_bins": binned.n_bins,
        "chi2": binned.chi2,
        "chi2_df": binned.df,
        "chi2_p": binned.p_value,
        "cramers_v": binned.cramers_v,
        "js_divergence_bits": binned.js_divergence,
        "auc_new_gt_ref": shape.auc,
        "mannwhitney_p": shape.auc_p_value,
    }


@recipe(kernel_drift, given="X Y kernel", asked="mmd2_unbiased")
def kernel(inputs, _expected):
    columns = ["ContextTokens", "GeneratedTokens"]
    sides = [
        np.log1p(spanned(inputs[name], rows).select(columns).to_numpy())
        for name, rows in zip("XY", tables(inputs), strict=True)
    ]
    gamma = float(re.search(r"gamma\s*=\s*([\d.]+)", inputs["kernel"])[1].rstrip("."))
    return {"mmd2_unbiased": kernel_drift(*sides, gamma=gamma).value}
