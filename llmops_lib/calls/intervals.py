"""Shares of counts with Wilson's interval, as expressions that run on any engine."""

import narwhals as nw

from llmops_lib.calls.engines import Frame
from llmops_lib.calls.groups import share

_Z = 1.959963984540054
"""Standard normal quantile of a two-sided 95% interval."""


def with_share(frame: Frame, name: str, *, of: str, among: str) -> Frame:
    """The rows with a share and its 95% Wilson score interval.

    Args:
        frame: Rows with two counts.
        name: Name of the share, such as `error_share`.
        of: Column that holds the part.
        among: Column that holds the whole.

    Returns:
        The columns of `frame`, then `name`, `name_low` and `name_high` (0 to 1, null over nothing).

    Source:
        Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference: with
        share p of n calls and z = 1.96, (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n).
    """
    n, part = nw.col(among), nw.col(name)
    shared = frame.with_columns(share(nw.col(of), n).alias(name))
    middle = share(part + _Z**2 / (2 * n), 1 + _Z**2 / n)
    spread = part * (1 - part) / n + _Z**2 / (4 * n * n)
    shared = shared.with_columns(
        middle.alias("_middle"), share(_Z * spread.sqrt(), 1 + _Z**2 / n).alias("_half")
    )
    low, high = nw.col("_middle") - nw.col("_half"), nw.col("_middle") + nw.col("_half")
    # Without one, or with nothing else, a bound is exactly 0 or 1; floats miss it by a hair.
    bounds = {
        f"{name}_low": nw.when(part == 0).then(nw.lit(0.0)).otherwise(low),
        f"{name}_high": nw.when(part == 1).then(nw.lit(1.0)).otherwise(high),
    }
    return shared.with_columns(**bounds).drop("_middle", "_half")
