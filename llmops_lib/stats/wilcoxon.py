"""Wilcoxon's signed-rank test, for where only the order of differences is to count."""

from typing import Any

import numpy as np

from llmops_lib.stats.inputs import numbers


def wilcoxon_drop_p(differences: Any) -> float | None:
    """Exact one-sided p value of a drop; None where zeros or ties leave no exact distribution.

    Sum of the ranks of positive differences, `P(W <= observed)`. Assumes the differences to be
    symmetric about their median. With zeros or ties use `sign_flip`, which needs no ranks.

    Args:
        differences: Candidate minus baseline per item.

    Raises:
        EstimateError: If a difference is NaN.

    Source:
        Wilcoxon, Biometrics Bulletin 1 (1945); `scipy.stats.wilcoxon`.

    Example:
        >>> wilcoxon_drop_p([-0.3, -0.1, -0.2]), wilcoxon_drop_p([0.1, 0.1]) is None
        (0.125, True)
    """
    found = numbers(differences, "differences")
    sizes = np.abs(found)
    if not len(found) or (sizes == 0).any() or len(np.unique(sizes)) < len(sizes):
        return None
    from scipy.stats import wilcoxon

    return float(wilcoxon(found, alternative="less", method="exact").pvalue)
