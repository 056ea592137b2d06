"""Agreement of more than two raters: Fleiss' kappa and Krippendorff's alpha."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from llmops_lib.errors import EstimateError
from llmops_lib.stats.results import Reason

Level = Literal["nominal", "ordinal", "interval", "ratio"]


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """Agreement beyond chance over many raters.

    Attributes:
        value: 1 is full agreement, 0 is chance; None where it is undefined.
        n_items: Items that count.
        n_ratings: Ratings that count.
        reasons: Why the value is None.
    """

    value: float | None
    n_items: int
    n_ratings: int
    reasons: tuple[Reason, ...] = ()


def fleiss_kappa(counts: Any) -> RaterAgreement:
    """Fleiss' kappa of items that were each rated by the same number of raters.

    `(P - P_e) / (1 - P_e)`, `P = mean_i (sum_k n_ik^2 - r) / (r (r - 1))`, `P_e = sum_k p_k^2`.

    Args:
        counts: Raters per item (rows) and category (columns).

    Raises:
        EstimateError: If the table is not two-dimensional, or items have unequal numbers of raters.

    Source:
        Fleiss, Psychological Bulletin 76 (1971).

    Example:
        >>> round(fleiss_kappa([[3, 0], [0, 3], [2, 1]]).value, 3)
        0.55
    """
    table = np.asarray(counts, dtype=np.float64)
    raters = table.sum(axis=1) if table.ndim == 2 else np.zeros(0)
    if table.ndim != 2 or not (table >= 0).all() or len(set(raters.tolist())) > 1:
        told = sorted(set(raters.tolist()))[:5]
        msg = f"table of shape {table.shape} with {told} raters per item; expected counts, as many per item"
        raise EstimateError(msg)
    if not len(table) or raters[0] < 2:
        return RaterAgreement(None, len(table), int(table.sum()), (Reason.N_TOO_SMALL,))
    r = raters[0]
    observed = float((((table**2).sum(axis=1) - r) / (r * (r - 1))).mean())
    margin = table.sum(axis=0) / table.sum()
    chance = float(margin @ margin)
    if chance >= 1:
        return RaterAgreement(None, len(table), int(table.sum()), (Reason.ZERO_DENOMINATOR,))
    return RaterAgreement((observed - chance) / (1 - chance), len(table), int(table.sum()))


def krippendorff_alpha(ratings: Any, *, level: Level = "nominal") -> RaterAgreement:
    """Krippendorff's alpha, for any number of raters and with missing ratings.

    `1 - D_o / D_e`: observed over expected disagreement within items, over all pairs of ratings of an item;
    pairs weigh by one over the item's ratings less one. Disagreement is 0 or 1 (nominal), the squared
    difference (interval), the squared ratings between (ordinal), or `((c - k) / (c + k))^2` (ratio). Items
    with fewer than two ratings do not count.

    Args:
        ratings: One row per rater, one column per item, numbers; NaN or None where a rating is missing.
        level: Level of measurement.

    Raises:
        EstimateError: If the ratings are not a table of numbers, or infinite, or the level unknown.

    Source:
        Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).

    Example:
        >>> rated = [[1, 2, 3, 3], [1, 2, 3, None], [1, 2, 2, 3]]
        >>> round(krippendorff_alpha(rated).value, 3)
        0.75
    """
    if level not in get_args(Level):
        msg = f"level: found {level!r}, expected one of {', '.join(get_args(Level))}"
        raise EstimateError(msg)
    try:
        table = np.array(ratings, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"ratings hold what is no number ({error}); expected numbers, so code labels as 0, 1, 2 first"
        raise EstimateError(msg) from error
    if table.ndim != 2 or np.isinf(table).any():
        msg = f"ratings of shape {table.shape}; expected raters in rows, items in columns, finite or missing"
        raise EstimateError(msg)
    counted = (~np.isnan(table)).sum(axis=0)
    kept = table[:, counted > 1]
    ratings_count = int(counted[counted > 1].sum())
    values = np.unique(kept[~np.isnan(kept)])
    if not len(values):
        return RaterAgreement(None, 0, 0, (Reason.N_TOO_SMALL,))
    per_item = (kept[:, :, None] == values[None, None, :]).sum(axis=0).astype(np.float64)
    weights = 1 / (per_item.sum(axis=1) - 1)
    together = (per_item * weights[:, None]).T @ per_item - np.diag(weights @ per_item)
    totals = together.sum(axis=1)
    apart = _apart(values, totals, level)
    expected = float(totals @ apart @ totals)
    if expected == 0:
        return RaterAgreement(None, kept.shape[1], ratings_count, (Reason.ZERO_VARIANCE,))
    alpha = 1 - (totals.sum() - 1) * float((together * apart).sum()) / expected
    return RaterAgreement(float(alpha), kept.shape[1], ratings_count)


def _apart(
    values: npt.NDArray[np.float64], totals: npt.NDArray[np.float64], level: Level
) -> npt.NDArray[np.float64]:
    """Squared disagreement of each pair of values."""
    one, two = values[:, None], values[None, :]
    if level == "nominal":
        return np.asarray(one != two, dtype=np.float64)
    if level == "interval":
        return np.asarray((one - two) ** 2)
    if level == "ratio":
        total = one + two
        return np.where(total == 0, 0.0, (one - two) / np.where(total == 0, 1.0, total)) ** 2
    until = np.cumsum(totals)
    high, low = np.maximum(until[:, None], until[None, :]), np.minimum(until[:, None], until[None, :])
    start = np.where(until[:, None] <= until[None, :], totals[:, None], totals[None, :])
    between = high - low + start - (totals[:, None] + totals[None, :]) / 2
    return np.where(np.eye(len(values)) == 1, 0.0, between**2)
