"""Win rate of a model against a reference, from preferences between 0 and 1."""

import math
from dataclasses import dataclass
from typing import Any

from llmops_lib.stats.bounded_mean import bounded_mean_interval
from llmops_lib.stats.inputs import shares
from llmops_lib.stats.results import Interval, Reason, no_interval
from llmops_lib.stats.spread import Spread


@dataclass(frozen=True, slots=True)
class WinRate:
    """Mean preference with its standard error, and the count of wins, losses and draws.

    Attributes:
        win_rate: Mean preference, 0 to 1; None without items.
        se: Standard deviation (ddof=1) over the root of n; None below two items.
        interval: Wilson's interval on as many wins and losses as vary as much.
        discrete_win_rate: Wins plus half the draws, as a share.
        n_wins: Items with a preference above one half.
        n_losses: Items below.
        n_draws: Items at exactly one half.
        n: Items.
    """

    win_rate: float | None
    se: float | None
    interval: Interval
    discrete_win_rate: float | None
    n_wins: int
    n_losses: int
    n_draws: int
    n: int


def win_rate(preferences: Any, *, alpha: float = 0.05) -> WinRate:
    """Mean preference for a model over a reference, weighted and discrete.

    `mean(p)`, `se = sd(p, ddof=1) / sqrt(n)`; discrete: `(wins + draws / 2) / n`. The interval is that of
    `bounded_mean_interval`: a t interval of 50 preferences covers 70% where 2% of them are won. Assumes items
    to be independent.

    Args:
        preferences: 0 where the reference won, 1 where the model did, 0.5 for a draw; weights between
            are a judge's probabilities. Missing ones dropped and counted before.
        alpha: One minus the confidence level.

    Raises:
        EstimateError: If a preference is NaN or outside 0 to 1.

    Source:
        Dubois et al., Length-Controlled AlpacaEval (arXiv:2404.04475), the weighted win rate; the interval as
        `bounded_mean_interval`.

    Example:
        >>> rate = win_rate([1.0, 0.5, 0.0, 0.9])
        >>> rate.win_rate, rate.discrete_win_rate, rate.n_wins
        (0.6, 0.625, 2)
    """
    found = shares(preferences, "preferences")
    n = len(found)
    wins, draws = int((found > 0.5).sum()), int((found == 0.5).sum())
    mean = math.fsum(found) / n if n else None
    se = float(found.std(ddof=1)) / math.sqrt(n) if n > 1 else None
    interval = (
        no_interval(alpha, "wilson_bounded", Reason.N_TOO_SMALL)
        if mean is None or se is None
        else bounded_mean_interval(mean, Spread(se, n), alpha=alpha)
    )
    return WinRate(
        win_rate=mean,
        se=se,
        interval=interval,
        discrete_win_rate=(wins + draws / 2) / n if n else None,
        n_wins=wins,
        n_losses=n - wins - draws,
        n_draws=draws,
        n=n,
    )
