"""How many items it takes, and what drop could have been seen."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.distributions import normal_above, normal_quantile, t_above
from llmops_lib.stats.inputs import between_zero_and_one, counts, same_length
from llmops_lib.stats.roots import crossing


@dataclass(frozen=True, slots=True)
class TrialNoise:
    """Where the variance of a paired comparison comes from.

    Attributes:
        item_variance: Variance over items of the true difference, omega squared; 0 for the suite question.
        candidate_variance: Mean variance within an item of the candidate's trials.
        baseline_variance: The same of the baseline.
        candidate_trials: Trials per item of the candidate.
        baseline_trials: Trials per item of the baseline.
    """

    item_variance: float
    candidate_variance: float
    baseline_variance: float
    candidate_trials: int = 1
    baseline_trials: int = 1

    @property
    def per_item(self) -> float:
        """Variance of one item's difference: `omega^2 + s_A^2 / K_A + s_B^2 / K_B`."""
        return (
            self.item_variance
            + self.candidate_variance / self.candidate_trials
            + self.baseline_variance / self.baseline_trials
        )


def _quantiles(alpha: float, power: float, *, two_sided: bool) -> float:
    """Sum of the two normal quantiles that a sample size rests on."""
    between_zero_and_one(alpha, "alpha")
    between_zero_and_one(power, "power")
    return normal_above(alpha / 2 if two_sided else alpha) + normal_quantile(power)


def items_needed(
    difference: float, noise: TrialNoise, *, alpha: float = 0.05, power: float = 0.8, two_sided: bool = False
) -> float:
    """Items needed to see a difference; round up.

    `n = (z_{1-alpha} + z_power)^2 (omega^2 + s_A^2 / K_A + s_B^2 / K_B) / difference^2`. A normal
    approximation: for 100 items and fewer it is optimistic by 5 to 40%; simulate there.

    Args:
        difference: Difference to see, in the unit of the score; not zero.
        noise: Variances and trials per item.
        alpha: Level of the test.
        power: Chance of seeing it.
        two_sided: Whether the test is.

    Raises:
        EstimateError: If the difference is zero or a level is not between 0 and 1.

    Source:
        Miller, Adding Error Bars to Evals (arXiv:2411.00640), section 5.

    Example:
        >>> round(items_needed(0.05, TrialNoise(0.1, 0.15, 0.15, 4, 4)), 1)
        432.8
    """
    if difference == 0 or not math.isfinite(difference):
        msg = (
            f"difference is {difference!r}; expected a difference other than zero, such as 0.05 for 5 points"
        )
        raise EstimateError(msg)
    return _quantiles(alpha, power, two_sided=two_sided) ** 2 * noise.per_item / difference**2


def smallest_difference(
    n: float, noise: TrialNoise, *, alpha: float = 0.05, power: float = 0.8, two_sided: bool = False
) -> float:
    """The minimum detectable effect: what `n` items see with the given power.

    `(z_{1-alpha} + z_power) sqrt((omega^2 + s_A^2 / K_A + s_B^2 / K_B) / n)`; as `items_needed`.

    Args:
        n: Items.
        noise: Variances and trials per item.
        alpha: Level of the test.
        power: Chance of seeing it.
        two_sided: Whether the test is.

    Raises:
        EstimateError: If n is not positive or a level is not between 0 and 1.

    Source:
        As `items_needed`.

    Example:
        >>> round(smallest_difference(500, TrialNoise(0.1, 0.15, 0.15, 4, 4)), 4)
        0.0465
    """
    if n <= 0:
        msg = f"n is {n!r}; expected a positive number of items"
        raise EstimateError(msg)
    return _quantiles(alpha, power, two_sided=two_sided) * math.sqrt(noise.per_item / n)


def t_test_power(effect_size: float, n: int, *, alpha: float = 0.05, two_sided: bool = False) -> float:
    """Power of the paired (one-sample) t test for an effect in standard deviations.

    `P(T > t_{1-alpha})`, T noncentral t with n - 1 degrees of freedom and `effect_size sqrt(n)`.

    Args:
        effect_size: Mean difference over the standard deviation of differences.
        n: Items.
        alpha: Level.
        two_sided: Whether the test is.

    Raises:
        EstimateError: If n is below 2.

    Source:
        Cohen, Statistical Power Analysis (1988), through the noncentral t of SciPy.

    Example:
        >>> round(t_test_power(0.3, 50), 4)
        0.6726
    """
    from scipy.stats import nct

    if n < 2:
        msg = f"n is {n!r}; expected at least two items"
        raise EstimateError(msg)
    df, shift = n - 1, effect_size * math.sqrt(n)
    critical = t_above(alpha / 2 if two_sided else alpha, df)
    upper = float(nct.sf(critical, df, shift))
    # The lower tail as the upper one of the mirror image: SciPy's own is NaN where it is below rounding.
    return upper + float(nct.sf(critical, df, -shift)) if two_sided else upper


def t_test_effect_size(n: int, *, power: float = 0.8, alpha: float = 0.05, two_sided: bool = False) -> float:
    """Smallest effect in standard deviations that the paired t test sees with the given power.

    Args:
        n: Items.
        power: Chance of seeing it.
        alpha: Level.
        two_sided: Whether the test is.

    Raises:
        EstimateError: If n is below 2 or the power is not between 0 and 1.

    Source:
        `t_test_power`, inverted.

    Example:
        >>> round(t_test_effect_size(50), 4)
        0.3566
    """
    between_zero_and_one(power, "power")

    def reached(effect: float) -> float:
        return t_test_power(effect, n, alpha=alpha, two_sided=two_sided)

    high = 1.0
    while reached(high) < power and high < 1e6:
        high *= 2
    return crossing(reached, power, 0.0, high)


@dataclass(frozen=True, slots=True)
class PassRateSpread:
    """How pass probabilities spread over items: a beta distribution.

    Attributes:
        a: First parameter.
        b: Second parameter.
        mean: `a / (a + b)`.
        correlation: Intra-item correlation of trials, `1 / (a + b + 1)`.
    """

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Mean pass probability."""
        return self.a / (self.a + self.b)

    @property
    def correlation(self) -> float:
        """Correlation of two trials of one item."""
        return 1 / (self.a + self.b + 1)


def fit_pass_rates(passes: Any, trials: Any) -> PassRateSpread:
    """Beta distribution of pass probabilities over items, by maximum likelihood from pilot trials.

    Maximises `sum_i ln B(a + c_i, b + K_i - c_i) - ln B(a, b)`. Assumes items drawn alike and trials
    independent given the item.

    Args:
        passes: Passes per item.
        trials: Trials per item, at least one item with two or more.

    Raises:
        EstimateError: If all trials agree or no item has two trials: the spread cannot be told then.

    Source:
        Skellam, JRSS B 10 (1948), the beta-binomial distribution.

    Example:
        >>> fit = fit_pass_rates([4, 0, 3, 1, 4, 2], [4, 4, 4, 4, 4, 4])
        >>> 0.4 < fit.mean < 0.7
        True
    """
    from scipy.optimize import minimize
    from scipy.special import betaln

    found, made = counts(passes, "passes"), counts(trials, "trials")
    same_length(passes=found, trials=made)
    total, every = int(found.sum()), int(made.sum())
    if not len(made) or int(made.max()) < 2 or total in {0, every}:
        msg = f"{total} passes in {every} trials; expected passes and failures, and an item with two trials"
        raise EstimateError(msg)

    def loss(logs: Any) -> float:
        a, b = np.exp(np.clip(logs, -12, 12))
        return -float((betaln(a + found, b + made - found) - betaln(a, b)).sum())

    mean = total / every
    best = minimize(
        loss, np.log([mean, 1 - mean]), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-10}
    )
    a, b = np.exp(np.clip(best.x, -12, 12))
    return PassRateSpread(float(a), float(b))
