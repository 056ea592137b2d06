"""Do fresh inputs still look like the suite? Distances between two samples of one feature.

With the n of production every difference is significant, so each answer carries an effect size; alarm on
both: an adjusted p value and an effect above its floor.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, group_codes, numbers
from llmops_lib.stats.results import Reason

JS_FLOOR = 0.05
PSI_FLOOR = 0.2
AUC_FLOOR = 0.65
"""Effects below which drift is not worth an alarm, however small its p value."""

_POOLED_BELOW = 5

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BinnedDrift:
    """How far two samples differ in shares of bins or categories.

    Attributes:
        n_bins: Bins or categories.
        n_reference: Values of the reference.
        n_fresh: Fresh values.
        psi: Population stability index, half a count added to each bin; report it, do not test it.
        js_divergence: Jensen-Shannon divergence in bits, 0 to 1.
        cramers_v: Effect size of the chi-square test, 0 to 1; None with a single bin.
        chi2: Chi-square statistic.
        df: Its degrees of freedom.
        p_value: Its p value: of independent rows; permute users where rows are calls of users.
        reasons: Why something is None.
    """

    n_bins: int
    n_reference: int
    n_fresh: int
    psi: float | None = None
    js_divergence: float | None = None
    cramers_v: float | None = None
    chi2: float | None = None
    df: int | None = None
    p_value: float | None = None
    reasons: tuple[Reason, ...] = ()


def binned_drift(reference: Any, fresh: Any, *, bins: int = 10) -> BinnedDrift:
    """Drift of a number over bins between the deciles of the reference, open at both ends.

    Tied deciles make one bin. `psi = sum (q - p) ln(q / p)` with `p = (c + 1/2) / (n + bins / 2)`;
    `js = H((p + q) / 2) - (H(p) + H(q)) / 2` in bits.

    Args:
        reference: Values of the suite.
        fresh: Values of production.
        bins: Bins of equal share in the reference.

    Raises:
        EstimateError: If a value is NaN or there are fewer than 2 bins.

    Source:
        Siddiqi, Credit Risk Scorecards (2006) for PSI; Lin, IEEE Trans. Inform. Theory 37 (1991) for JS.

    Example:
        >>> found = binned_drift(range(1000), range(200, 1200))
        >>> found.n_bins, round(found.js_divergence, 3), round(found.psi, 3)
        (10, 0.138, 1.273)
    """
    old, new = numbers(reference, "reference"), numbers(fresh, "fresh values")
    if bins < 2:
        msg = f"{bins} bins; expected two or more"
        raise EstimateError(msg)
    if not len(old) or not len(new):
        return _nothing(0, len(old), len(new))
    edges = np.unique(np.quantile(old, np.arange(1, bins) / bins))
    counted = [
        np.bincount(np.searchsorted(edges, side, side="right"), minlength=len(edges) + 1)
        for side in (old, new)
    ]
    return _compared(counted[0], counted[1])


def category_drift(reference: Any, fresh: Any) -> BinnedDrift:
    """Drift of a label: language, topic, tool set. Labels seen fewer than 5 times in all are pooled.

    Args:
        reference: Labels of the suite.
        fresh: Labels of production.

    Raises:
        EstimateError: If a label is missing.

    Source:
        As `binned_drift`; pooling by Cochran, Biometrics 10 (1954).

    Example:
        >>> found = category_drift(["en"] * 90 + ["de"] * 10, ["en"] * 60 + ["de"] * 40)
        >>> round(found.cramers_v, 2), found.p_value < 0.001
        (0.35, True)
    """
    old, new = np.asarray(reference), np.asarray(fresh)
    if not len(old) or not len(new):
        return _nothing(0, len(old), len(new))
    codes, kinds = group_codes(np.concatenate([old.astype(object), new.astype(object)]), "labels")
    counted = [np.bincount(side, minlength=kinds) for side in (codes[: len(old)], codes[len(old) :])]
    rare = counted[0] + counted[1] < _POOLED_BELOW
    if rare.sum() > 1:
        counted = [np.append(side[~rare], side[rare].sum()) for side in counted]
    return _compared(counted[0], counted[1])


def _nothing(bins: int, n_reference: int, n_fresh: int) -> BinnedDrift:
    """An answer without values to compare."""
    return BinnedDrift(bins, n_reference, n_fresh, reasons=(Reason.N_TOO_SMALL,))


def _compared(old: Counts, new: Counts) -> BinnedDrift:
    """Both effect sizes and the test, from counts of the same bins."""
    from scipy.stats import chi2_contingency

    bins, n_old, n_new = len(old), int(old.sum()), int(new.sum())
    p, q = old / n_old, new / n_new
    smooth_p, smooth_q = (old + 0.5) / (n_old + bins / 2), (new + 0.5) / (n_new + bins / 2)
    psi = float(((smooth_q - smooth_p) * np.log(smooth_q / smooth_p)).sum())
    js = max(0.0, _entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2)
    seen = old + new > 0
    if seen.sum() < 2:
        return BinnedDrift(bins, n_old, n_new, psi, js, reasons=(Reason.ZERO_VARIANCE,))
    test = chi2_contingency(np.stack([old[seen], new[seen]]), correction=False)
    strength = float(np.sqrt(test.statistic / (n_old + n_new)))
    chi2, p_value = float(test.statistic), float(test.pvalue)
    return BinnedDrift(bins, n_old, n_new, psi, js, strength, chi2, int(test.dof), p_value)


def _entropy(shares: Floats) -> float:
    """Entropy in bits."""
    some = shares[shares > 0]
    return -float((some * np.log2(some)).sum())


@dataclass(frozen=True, slots=True)
class ShapeDrift:
    """How far two samples of a number differ in shape and place.

    Attributes:
        n_reference: Values of the reference.
        n_fresh: Fresh values.
        ks_distance: Largest distance of the two distribution functions, 0 to 1.
        ks_p_value: Its asymptotic p value.
        wasserstein: Mean distance that values would have to move, in their unit.
        energy: Energy distance, in the root of the unit.
        auc: Chance that a fresh value exceeds one of the reference, ties half.
        auc_p_value: Mann-Whitney's p value.
        reasons: Why something is None.
    """

    n_reference: int
    n_fresh: int
    ks_distance: float | None = None
    ks_p_value: float | None = None
    wasserstein: float | None = None
    energy: float | None = None
    auc: float | None = None
    auc_p_value: float | None = None
    reasons: tuple[Reason, ...] = ()


def shape_drift(reference: Any, fresh: Any) -> ShapeDrift:
    """Drift of a number without bins. The p values take rows to be independent.

    Args:
        reference: Values of the suite.
        fresh: Values of production.

    Raises:
        EstimateError: If a value is NaN.

    Source:
        SciPy: `ks_2samp` (asymptotic), `wasserstein_distance`, `energy_distance`, `mannwhitneyu`.

    Example:
        >>> found = shape_drift([1, 2, 3, 4], [3, 4, 5, 6])
        >>> found.ks_distance, found.wasserstein, found.auc
        (0.5, 2.0, 0.875)
    """
    old, new = numbers(reference, "reference"), numbers(fresh, "fresh values")
    if not len(old) or not len(new):
        return ShapeDrift(len(old), len(new), reasons=(Reason.N_TOO_SMALL,))
    from scipy import stats

    ks = stats.ks_2samp(old, new, method="exact" if len(old) == len(new) == 1 else "asymp")
    ranks = (
        stats.mannwhitneyu(new, old, method="asymptotic") if np.ptp(np.concatenate([old, new])) > 0 else None
    )
    return ShapeDrift(
        ks_distance=float(ks.statistic),
        ks_p_value=float(ks.pvalue),
        wasserstein=float(stats.wasserstein_distance(old, new)),
        energy=float(stats.energy_distance(old, new)),
        auc=float(ranks.statistic) / (len(old) * len(new)) if ranks else 0.5,
        auc_p_value=float(ranks.pvalue) if ranks else 1.0,
        n_reference=len(old),
        n_fresh=len(new),
    )
