"""Agreement of two raters beyond chance: kappa, its relatives, and why one number is not enough.

Where nearly all items are alike, kappa is near zero however well the raters agree; read it beside the raw
agreement and AC1.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import normal_above, normal_cdf, normal_quantile, two_sided_interval
from llmops_lib.stats.inputs import group_codes, same_length
from llmops_lib.stats.proportions import wilson
from llmops_lib.stats.results import Interval, Reason, no_interval
from llmops_lib.stats.seeds import seeded_generator

Table = npt.NDArray[np.float64]
Weighting = Literal["none", "linear", "quadratic"]

ASYMPTOTIC_FROM = 100
"""Items below which the bootstrap is to be preferred to the asymptotic interval."""

N_RESAMPLES = 9_999


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two raters agree.

    Attributes:
        n: Items rated by both.
        observed: Share of items on which they agree; None without items.
        observed_interval: Wilson's interval of it.
        interval: Of kappa, normal; `approximate` below 100 items or above 0.9, `zero_variance` without width.
        kappa: Cohen's, weighted if asked; None where chance alone explains full agreement.
        se: Standard error of kappa (Fleiss, Cohen, Everitt).
        se_null: Standard error under no agreement beyond chance, for a test.
        ac1: Gwet's AC1, which does not collapse where one category prevails.
        pabak: Prevalence- and bias-adjusted kappa, `(q p - 1) / (q - 1)` for q categories.
        scott_pi: Scott's pi: chance from pooled margins.
        reasons: Why something is None.
    """

    n: int
    observed: float | None
    observed_interval: Interval
    interval: Interval
    kappa: float | None = None
    se: float | None = None
    se_null: float | None = None
    ac1: float | None = None
    pabak: float | None = None
    scott_pi: float | None = None
    reasons: tuple[Reason, ...] = ()


def rating_table(first: Any, second: Any) -> npt.NDArray[np.int64]:
    """Cross table of two raters over the categories that either used, in sorted order.

    Args:
        first: Rating per item.
        second: Rating per item of the other.

    Raises:
        EstimateError: If a rating is missing or lengths differ: drop and count pairs first.

    Example:
        >>> rating_table(["a", "b", "a"], ["a", "b", "b"]).tolist()
        [[1, 1], [0, 1]]
    """
    one, two = np.asarray(first), np.asarray(second)
    n = same_length(first=one, second=two)
    codes, categories = group_codes(np.concatenate([one, two]), "ratings")
    cells = codes[:n] * categories + codes[n:]
    return np.bincount(cells, minlength=categories**2).reshape(categories, categories)


def agreement(table: Any, *, weighting: Weighting = "none", alpha: float = 0.05) -> Agreement:
    """Kappa and its relatives from a cross table.

    `kappa = (p_o - p_e) / (1 - p_e)`, `p_o = sum w p_ij`, `p_e = sum w p_i. p_.j`; w is 1 on the diagonal,
    0 elsewhere, or `1 - |i - j| / (q - 1)`, or one minus its square. Assumes items to be independent and
    categories, if weighted, to be in order and equally far apart.

    Args:
        table: Counts, first rater in rows, second in columns.
        weighting: `none`, `linear` or `quadratic`.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If the table is not square, a count is negative or the weighting unknown.

    Source:
        Cohen, Educational and Psychological Measurement 20 (1960); Fleiss, Cohen and Everitt,
        Psychological Bulletin 72 (1969); Gwet, BJMSP 61 (2008); Byrt et al., J Clin Epidemiol 46 (1993).

    Example:
        >>> found = agreement([[20, 5], [10, 15]])
        >>> round(found.kappa, 2), round(found.se, 3), found.observed
        (0.4, 0.127, 0.7)
    """
    counts = _checked(table)
    n, q = int(counts.sum()), len(counts)
    observed_interval = wilson(float(np.trace(counts)), n, alpha=alpha)
    if n == 0:
        nothing = no_interval(alpha, "fleiss_cohen_everitt", Reason.N_TOO_SMALL)
        return Agreement(0, None, observed_interval, nothing, reasons=nothing.reasons)
    shares = counts / n
    weights = _weights(q, weighting)
    kappa, se, se_null = _kappa(shares, weights, n)
    observed = float(np.trace(counts)) / n
    margin = (shares.sum(axis=0) + shares.sum(axis=1)) / 2
    scattered = float((margin * (1 - margin)).sum()) / (q - 1) if q > 1 else 1.0
    return Agreement(
        n=n,
        observed=observed,
        observed_interval=observed_interval,
        kappa=kappa,
        se=se,
        se_null=se_null,
        interval=_interval(kappa, se, n, alpha),
        ac1=_beyond(observed, scattered),
        pabak=_beyond(observed, 1 / q) if q > 1 else None,
        scott_pi=_beyond(observed, float(margin @ margin)),
        reasons=(Reason.ZERO_DENOMINATOR,) if kappa is None else (),
    )


def _checked(table: Any) -> Table:
    """A square table of counts."""
    try:
        found = np.asarray(table, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"table holds what is no number ({error}); expected counts from 0 up"
        raise EstimateError(msg) from error
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not (found >= 0).all():
        msg = f"table of shape {found.shape}; expected a square one of counts from 0 up"
        raise EstimateError(msg)
    return found


def _weights(categories: int, weighting: Weighting) -> Table:
    """Credit for each pair of categories: 1 on the diagonal, less the farther apart."""
    if weighting not in get_args(Weighting):
        msg = f"weighting: found {weighting!r}, expected one of {', '.join(get_args(Weighting))}"
        raise EstimateError(msg)
    if weighting == "none":
        return np.eye(categories)
    places = np.arange(categories)
    apart = np.abs(places[:, None] - places[None, :]) / max(categories - 1, 1)
    return np.asarray(1 - apart**2 if weighting == "quadratic" else 1 - apart)


def _beyond(observed: float, chance: float) -> float | None:
    """Agreement beyond chance; None where chance leaves no room."""
    return (observed - chance) / (1 - chance) if chance < 1 - 1e-15 else None


def _kappa(shares: Table, weights: Table, n: int) -> tuple[float | None, float | None, float | None]:
    """Kappa, its standard error, and that under no agreement beyond chance."""
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    chance = float(rows @ weights @ columns)
    kappa = _beyond(float((weights * shares).sum()), chance)
    if kappa is None:
        return None, None, None
    credit = (weights @ columns)[:, None] + (rows @ weights)[None, :]
    pulls = weights - credit * (1 - kappa)
    spread = float((shares * (pulls - (kappa - chance * (1 - kappa))) ** 2).sum())
    null = float((np.outer(rows, columns) * (weights - credit + chance) ** 2).sum())
    scale = math.sqrt(n) * (1 - chance)
    return kappa, math.sqrt(spread) / scale, math.sqrt(null) / scale


def _interval(kappa: float | None, se: float | None, n: int, alpha: float) -> Interval:
    """The normal interval, flagged where the bootstrap is better, or the formula sees no spread at all."""
    if kappa is None or se is None:
        return no_interval(alpha, "fleiss_cohen_everitt", Reason.ZERO_DENOMINATOR)
    made = two_sided_interval(kappa, se, alpha=alpha, method="fleiss_cohen_everitt")
    flat = (Reason.ZERO_VARIANCE,) if se < 1e-12 else ()
    doubtful = (Reason.APPROXIMATE,) if n < ASYMPTOTIC_FROM or kappa > 0.9 else ()
    return Interval(made.lower, made.upper, alpha, made.method, flat + doubtful)


def kappa_bootstrap(table: Any, *, weighting: Weighting = "none", alpha: float = 0.05) -> Interval:
    """BCa bootstrap interval of kappa over items, for few items or kappa near one.

    9,999 seeded resamples of the table, bias-corrected and accelerated. Resamples without a kappa are left
    out.

    Args:
        table: Counts, first rater in rows, second in columns.
        weighting: As in `agreement`.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If the table is not square or a count is negative.

    Source:
        Efron, JASA 82 (1987).

    Example:
        >>> interval = kappa_bootstrap([[20, 5], [10, 15]])
        >>> 0.1 < interval.lower < 0.2, 0.6 < interval.upper < 0.7
        (True, True)
    """
    counts = _checked(table)
    n, weights = int(counts.sum()), _weights(len(counts), weighting)
    kappa = _kappa(counts / n, weights, n)[0] if n > 1 else None
    if kappa is None:
        reason = Reason.N_TOO_SMALL if n < 2 else Reason.ZERO_DENOMINATOR
        return no_interval(alpha, "kappa_bca", reason)
    generator = seeded_generator("kappa_bca/1", [f"{at}:{cell:g}" for at, cell in enumerate(counts.ravel())])
    drawn = generator.multinomial(n, counts.ravel() / n, size=N_RESAMPLES).reshape(-1, *counts.shape)
    kappas = _many_kappas(drawn / n, weights)
    kappas = np.sort(kappas[np.isfinite(kappas)])
    if not len(kappas) or kappas[0] == kappas[-1]:
        return no_interval(alpha, "kappa_bca", Reason.ZERO_VARIANCE)
    below = (float((kappas < kappa).sum()) + 0.5 * float((kappas == kappa).sum())) / len(kappas)
    shift = normal_quantile(min(max(below, 1 / N_RESAMPLES), 1 - 1 / N_RESAMPLES))
    bend = _acceleration(counts, weights)
    ends = []
    for z in (normal_quantile(alpha / 2), normal_above(alpha / 2)):
        at = normal_cdf(shift + (shift + z) / (1 - bend * (shift + z)))
        ends.append(float(np.quantile(kappas, at)))
    return Interval(ends[0], ends[1], alpha, "kappa_bca")


def _many_kappas(shares: Table, weights: Table) -> npt.NDArray[np.float64]:
    """Kappa of each table; NaN where it is undefined."""
    chance = np.einsum("bi,ij,bj->b", shares.sum(axis=2), weights, shares.sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(((shares * weights).sum(axis=(1, 2)) - chance) / (1 - chance))


def _acceleration(counts: Table, weights: Table) -> float:
    """How the spread changes with kappa, from leaving out one item at a time."""
    n = counts.sum()
    cells = np.argwhere(counts > 0)
    left = np.repeat(counts[None], len(cells), axis=0)
    left[np.arange(len(cells)), cells[:, 0], cells[:, 1]] -= 1
    kappas, times = _many_kappas(left / (n - 1), weights), counts[cells[:, 0], cells[:, 1]]
    known = np.isfinite(kappas)
    gaps = float(kappas[known] @ times[known]) / float(times[known].sum()) - kappas[known]
    spread = float(times[known] @ gaps**2)
    return float(times[known] @ gaps**3) / (6 * spread**1.5) if spread > 0 else 0.0
