"""A confidence sequence: limits that hold at every look, however often one looks."""

from dataclasses import dataclass

import numpy as np

from llmops_lib.errors import EstimateError
from llmops_lib.stats.inputs import Floats, Integers
from llmops_lib.stats.results import Interval


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceSequence:
    """Limits after each observation, from the first at which they exist.

    Attributes:
        n: Number of observations.
        estimate: Estimate after n.
        lower: Lower limit after n.
        upper: Upper limit after n.
        alpha: Chance that any limit, ever, excludes the truth: at most this.
        method: How it was computed.
    """

    n: Integers
    estimate: Floats
    lower: Floats
    upper: Floats
    alpha: float
    method: str

    def at(self, n: int) -> Interval:
        """The limits after `n` observations.

        Raises:
            EstimateError: If there are none; the message tells the range.
        """
        where = np.flatnonzero(self.n == n)
        if not len(where):
            span = f"{self.n[0]} to {self.n[-1]}" if len(self.n) else "nothing at all"
            msg = f"no limits after {n} observations; the sequence has them after {span}"
            raise EstimateError(msg)
        at = int(where[0])
        return Interval(float(self.lower[at]), float(self.upper[at]), self.alpha, self.method)
