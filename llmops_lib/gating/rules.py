"""How a gate decides: what a team states beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmops_lib.errors import GateError
from llmops_lib.stats.gate_rule import escalating

MARGIN = 0.05
"""Largest drop of a metric that still passes, where no other is given."""


@dataclass(frozen=True)
class GateRules:
    """How a gate decides.

    Attributes:
        alpha: Chance of blocking a harmless change, over all metrics and looks together.
        margin: Largest drop that still passes.
        margins: The same for single metrics.
        metrics: Metrics that gate; all but latency and cost without.
        most_missing_share: Largest share of examples that may be missing in one run only.
        most_p95_latency_ms: Largest 95th percentile of latency that passes.
        most_cost_usd: Largest mean cost of a call that passes.
        allows_unlocked: Whether runs of suites without a lock are compared.
        escalates: Whether it looks at 2, 4 and 8 trials of the candidate, and stops where it knows.
    """

    alpha: float = 0.05
    margin: float = MARGIN
    margins: Mapping[str, float] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    most_missing_share: float = 0.02
    most_p95_latency_ms: float | None = None
    most_cost_usd: float | None = None
    allows_unlocked: bool = False
    escalates: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5:
            msg = f"found alpha {self.alpha:g}, expected a chance between 0 and 0.5"
            raise GateError(msg)
        every = {"margin": self.margin, **self.margins}
        wrong = {name: value for name, value in every.items() if not 0 < value < float("inf")}
        if wrong:
            msg = f"found margins {wrong}, expected numbers above 0"
            raise GateError(msg)

    def looks(self, trial_count: int) -> tuple[tuple[int, float], ...]:
        """Trials of the candidate to look at, and the alpha spent there; one look at all without escalation.

        Args:
            trial_count: Trials that there are.

        Raises:
            GateError: If an escalating gate has fewer trials than its first look takes.
        """
        if not self.escalates:
            return ((trial_count, self.alpha),)
        every = escalating(self.alpha)
        if trial_count < every[0][0]:
            msg = (
                f"found {trial_count} trial of the candidate, expected {every[0][0]} or more to escalate from"
            )
            raise GateError(msg)
        return tuple(look for look in every if look[0] <= trial_count)

    def next_look(self, trial_count: int) -> int | None:
        """Trials at which an escalating gate looks after those that there are; None where there is no more.

        Args:
            trial_count: Trials that there are.
        """
        later = [trials for trials, _ in escalating(self.alpha) if trials > trial_count]
        return later[0] if self.escalates and later else None
