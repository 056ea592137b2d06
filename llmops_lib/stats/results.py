"""What an answer looks like: a value, its interval, and the reason where there is none."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a number is None, or what to bear in mind where it is not."""

    N_TOO_SMALL = "n_too_small"
    ZERO_VARIANCE = "zero_variance"
    ZERO_DENOMINATOR = "zero_denominator"
    TOO_FEW_CLUSTERS = "too_few_clusters"
    FEW_CLUSTERS = "few_clusters"
    NO_OVERLAP = "no_overlap"
    NOT_IDENTIFIABLE = "not_identifiable"
    ONE_SIDED_MISSING = "one_sided_missing"
    NO_EVENTS = "no_events"
    SINGLE_TRIAL = "single_trial"
    UNBOUNDED = "unbounded"
    APPROXIMATE = "approximate"
    NO_LABELS = "no_labels"
    MISSING_JUDGEMENTS = "missing_judgements"


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval; a side is None where it does not exist, and `reasons` says why.

    Attributes:
        lower: Lower limit, in the unit of the value.
        upper: Upper limit.
        alpha: One minus the confidence level; 0.05 for a 95% interval.
        method: How it was computed, such as `wilson` or `cluster_cr1_t`.
        reasons: Why a side is missing or approximate.
    """

    lower: float | None
    upper: float | None
    alpha: float
    method: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its interval and its unit of independence.

    Attributes:
        value: The estimate; None where undefined.
        se: Its standard error, in the unit of the value.
        interval: Confidence interval; it names its method.
        unit: What is taken to be independent: `user`, `item`, `call` ...
        n_units: Number of those.
        df: Degrees of freedom of the reference distribution; None for the normal.
        p_two_sided: Two-sided p value of the value being zero, where that is a question.
        reasons: Why something is None.
    """

    value: float | None
    se: float | None
    interval: Interval
    unit: str
    n_units: int
    df: float | None = None
    p_two_sided: float | None = None
    reasons: tuple[Reason, ...] = ()


def no_interval(alpha: float, method: str, *reasons: Reason) -> Interval:
    """An interval of which neither side exists.

    Example:
        >>> no_interval(0.05, "t", Reason.N_TOO_SMALL).lower is None
        True
    """
    return Interval(None, None, alpha, method, reasons)
