"""Live intervals of a mean of scores between 0 and 1, valid however often one looks."""

import math
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, between_zero_and_one, counts, same_length, shares
from llmops_lib.stats.sequences import ConfidenceSequence

_BATCH = 2_048
_HALVINGS = 200


def bernoulli_sequence(
    outcomes: Any, *, alpha: float = 0.05, prior: tuple[float, float] = (1.0, 1.0)
) -> ConfidenceSequence:
    """Confidence sequence of a pass rate, from a beta mixture of likelihood ratios.

    After n outcomes with S passes the limits are the roots p of
    `ln B(a + S, b + n - S) - ln B(a, b) - S ln p - (n - S) ln(1 - p) = ln(1 / alpha)`. Without a pass the
    lower limit is 0, without a failure the upper is 1. No running intersection.

    Args:
        outcomes: 0 or 1, in order of time.
        alpha: Chance of ever excluding the truth.
        prior: a and b; the uniform by default.

    Raises:
        EstimateError: If an outcome is neither 0 nor 1, or a prior parameter is not positive.

    Source:
        Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49 (2021), after Robbins (1970).

    Example:
        >>> sequence = bernoulli_sequence([1, 0, 1, 1])
        >>> round(sequence.at(1).lower, 6), sequence.at(1).upper
        (0.025, 1.0)
    """
    between_zero_and_one(alpha, "alpha")
    a, b = prior
    found = counts(outcomes, "outcomes")
    if (found > 1).any() or min(prior) <= 0:
        msg = (
            f"outcomes up to {found.max(initial=0)}, prior {prior}; expected 0 or 1, and positive parameters"
        )
        raise EstimateError(msg)
    n, passes = np.arange(1, len(found) + 1), np.cumsum(found)
    lower = _root(passes, n - passes, (a, b), alpha)
    upper = 1 - _root(n - passes, passes, (b, a), alpha)
    return ConfidenceSequence(n, passes / n, lower, upper, alpha, "beta_binomial_cs")


def _root(passes: Any, failures: Any, prior: tuple[float, float], alpha: float) -> Floats:
    """Lower limits, all at once by halving; 0 where there is no pass."""
    from scipy.special import betaln, xlog1py, xlogy

    a, b = prior
    evidence = betaln(a + passes, b + failures) - betaln(a, b)
    low, high = np.zeros(len(passes)), passes / np.maximum(passes + failures, 1)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        excluded = evidence - xlogy(passes, middle) - xlog1py(failures, -middle) > math.log(1 / alpha)
        low, high = np.where(excluded, middle, low), np.where(excluded, high, middle)
        if bool((high - low <= 4e-16 * high).all()):
            break
    return np.where(passes == 0, 0.0, high)


def _bets(values: Floats, alpha: float) -> Floats:
    """Predictable bets: `sqrt(2 ln(2 / alpha) / (t ln(1 + t) v_{t-1}))`, v a running variance from 1/4 on."""
    t = np.arange(1, len(values) + 1)
    means = (0.5 + np.cumsum(values)) / (t + 1)
    variances = (0.25 + np.cumsum((values - means) ** 2)) / (t + 1)
    before = np.concatenate([[0.25], variances[:-1]])
    return np.asarray(np.sqrt(2 * math.log(2 / alpha) / (t * np.log1p(t) * before)))


def empirical_bernstein_sequence(
    values: Any, *, alpha: float = 0.05, truncation: float = 0.5
) -> ConfidenceSequence:
    """Confidence sequence of a mean in closed form: the predictable plug-in empirical Bernstein.

    `sum(l x) / sum(l) -/+ (ln(2 / alpha) + sum v psi(l)) / sum(l)`, bets l cut at `truncation`,
    `psi(l) = -ln(1 - l) - l`, v the squared distance to the mean so far, which starts at the far end of
    each side. Cut to 0 and 1; no running intersection.

    Args:
        values: Scores from 0 to 1, in order of time.
        alpha: Chance of ever excluding the truth.
        truncation: Largest bet.

    Raises:
        EstimateError: If a score is NaN or outside 0 to 1, or the truncation not between 0 and 1.

    Source:
        Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024),
        theorem 2.

    Example:
        >>> sequence = empirical_bernstein_sequence([0.4, 0.6] * 100)
        >>> round(sequence.at(200).lower, 2), round(sequence.at(200).upper, 2)
        (0.46, 0.54)
    """
    between_zero_and_one(alpha, "alpha")
    between_zero_and_one(truncation, "truncation")
    found = shares(values, "scores")
    n = np.arange(1, len(found) + 1)
    lower = _bernstein_lower(found, alpha, truncation)
    upper = 1 - _bernstein_lower(1 - found, alpha, truncation)
    estimate = np.cumsum(found) / n
    return ConfidenceSequence(n, estimate, lower, upper, alpha, "empirical_bernstein_cs")


def _bernstein_lower(values: Floats, alpha: float, truncation: float) -> Floats:
    """Lower limits."""
    n = np.arange(1, len(values) + 1)
    bets = np.minimum(_bets(values, alpha), truncation)
    before = np.concatenate([[0.0], (np.cumsum(values) / n)[:-1]])[: len(values)]
    cost = np.cumsum((values - before) ** 2 * (-np.log1p(-bets) - bets))
    total = np.cumsum(bets)
    lower = (np.cumsum(bets * values) - math.log(2 / alpha) - cost) / total
    return np.asarray(np.maximum(0.0, lower))


def betting_sequence(
    values: Any, *, alpha: float = 0.05, grid: int = 1_000, largest_bet: float = 0.5
) -> ConfidenceSequence:
    """Confidence sequence of a mean by hedged betting: tighter, on a grid of candidate means.

    A candidate m stays while `max(1/2 prod(1 + l (x - m)), 1/2 prod(1 - l (x - m))) < 1 / alpha`, with the
    bets l of `empirical_bernstein_sequence` cut at `largest_bet / m` and `largest_bet / (1 - m)`. Limits
    are those of the candidates that stay, one step of the grid wider on each side.

    Args:
        values: Scores from 0 to 1, in order of time.
        alpha: Chance of ever excluding the truth.
        grid: Steps of the grid from 0 to 1.
        largest_bet: Share of the wealth that a bet may risk.

    Raises:
        EstimateError: If a score is NaN or outside 0 to 1, or the grid has fewer than two steps.

    Source:
        Waudby-Smith and Ramdas, JRSS B 86 (2024), theorem 3.

    Example:
        >>> sequence = betting_sequence([0.4, 0.6] * 100)
        >>> round(sequence.at(200).lower, 3), round(sequence.at(200).upper, 3)
        (0.476, 0.524)
    """
    between_zero_and_one(alpha, "alpha")
    between_zero_and_one(largest_bet, "largest_bet")
    if grid < 2:
        msg = f"grid is {grid}; expected two or more steps"
        raise EstimateError(msg)
    found = shares(values, "scores")
    n = np.arange(1, len(found) + 1)
    lower, upper = _surviving(found, _bets(found, alpha), alpha, np.linspace(0, 1, grid + 1), largest_bet)
    return ConfidenceSequence(n, np.cumsum(found) / n, lower, upper, alpha, "hedged_betting_cs")


def labelled_sequence(
    judgements: Any,
    labels: Any,
    *,
    label_share: float,
    alpha: float = 0.05,
    grid: int = 1_000,
) -> ConfidenceSequence:
    """Confidence sequence of the true mean from judgements of all and labels of some, at every look.

    Each call counts as `F + [labelled] (Y - F) / q`, from `1 - 1/q` to `1/q`, whose mean is that of Y
    whatever the judge does (PPI with lambda 1); hedged betting over candidates from 0 to 1. No call is too
    early, where an asymptotic sequence takes the few failures not seen yet for none.

    Args:
        judgements: Judgement F of each call, 0 to 1, in order of time.
        labels: Truth Y of each call, 0 to 1; NaN where it has none.
        label_share: Chance q that a call is labelled, whatever is in it.
        alpha: Chance of ever excluding the truth.
        grid: Steps of the grid from 0 to 1.

    Raises:
        EstimateError: If a value is outside 0 to 1, lengths differ, or q is not above 0 and at most 1.

    Source:
        Waudby-Smith and Ramdas, JRSS B 86 (2024), theorem 3; Angelopoulos et al. (arXiv:2301.09633).

    Example:
        >>> sequence = labelled_sequence([1.0, 1.0] * 200, [1.0, float("nan")] * 200, label_share=0.5)
        >>> round(sequence.at(400).lower, 2), sequence.at(400).upper
        (0.96, 1.0)
    """
    between_zero_and_one(alpha, "alpha")
    if not 0 < label_share <= 1:
        msg = f"label_share is {label_share!r}; expected the chance of being labelled, above 0 and at most 1"
        raise EstimateError(msg)
    f, y = shares(judgements, "judgements"), np.asarray(labels, dtype=np.float64)
    same_length(judgements=f, labels=y)
    has = ~np.isnan(y)
    shares(y[has], "labels")
    values = f + np.where(has, (np.where(has, y, 0.0) - f) / label_share, 0.0)
    low, width = 1 - 1 / label_share, 2 / label_share - 1
    scaled = np.clip((values - low) / width, 0.0, 1.0)
    means = (np.linspace(0, 1, grid + 1) - low) / width
    lower, upper = _surviving(scaled, _bets(scaled, alpha), alpha, means, 0.5)
    n = np.arange(1, len(f) + 1)
    lower, upper = (np.clip(end * width + low, 0.0, 1.0) for end in (lower, upper))
    return ConfidenceSequence(n, np.cumsum(values) / n, lower, upper, alpha, "hedged_betting_cs")


def _surviving(
    values: Floats, bets: Floats, alpha: float, means: Floats, largest_bet: float
) -> tuple[Floats, Floats]:
    """Outermost candidates that stay after each score; batches of scores keep the table small."""
    lower, upper = np.zeros(len(values)), np.ones(len(values))
    step, level = float(means[1] - means[0]), math.log(2 / alpha)
    with np.errstate(divide="ignore"):
        most = largest_bet / means, largest_bet / (1 - means)
    wealth = np.zeros((2, len(means)))
    for start in range(0, len(values), _BATCH):
        part = slice(start, start + _BATCH)
        gaps = values[part, None] - means[None, :]
        up = wealth[0] + np.cumsum(np.log1p(np.minimum(bets[part, None], most[0]) * gaps), axis=0)
        down = wealth[1] + np.cumsum(np.log1p(-np.minimum(bets[part, None], most[1]) * gaps), axis=0)
        wealth = np.stack([up[-1], down[-1]])
        stays = np.maximum(up, down) <= level
        some = stays.any(axis=1)
        first = means[stays.argmax(axis=1)] - step
        last = means[len(means) - 1 - stays[:, ::-1].argmax(axis=1)] + step
        lower[part] = np.where(some, np.maximum(first, 0.0), 0.0)
        upper[part] = np.where(some, np.minimum(last, 1.0), 1.0)
    return lower, upper
