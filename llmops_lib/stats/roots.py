"""Where a falling or rising function crosses a level: the limits of an interval by inversion."""

from collections.abc import Callable


def crossing(score: Callable[[float], float], level: float, low: float, high: float) -> float:
    """The point between `low` and `high` where a monotone function takes a level.

    Where it stays on one side of the level throughout, the end that comes nearest is returned.

    Args:
        score: Monotone function.
        level: Value to find.
        low: Left end.
        high: Right end.

    Source:
        Brent, Algorithms for Minimization without Derivatives (1973), through SciPy.

    Example:
        >>> round(crossing(lambda x: -x, -0.25, 0, 1), 12), crossing(lambda x: x, 9, 0, 1)
        (0.25, 1)
    """
    from scipy.optimize import brentq

    at_low, at_high = score(low) - level, score(high) - level
    if at_low * at_high >= 0:
        return low if abs(at_low) <= abs(at_high) else high
    return float(brentq(lambda x: score(x) - level, low, high, xtol=1e-13, rtol=1e-13))
