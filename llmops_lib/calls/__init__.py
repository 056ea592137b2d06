"""What measures of model calls are made of: the rows that count, their groups and their percentiles.

Measures never import each other; what they share lives here. It is also where they stop caring
which dataframe engine they run on.
"""

from llmops_lib.calls.engines import Frame, portable
from llmops_lib.calls.groups import flag, share, tally
from llmops_lib.calls.percentiles import calls_to_resolve, percentile_name, quantile, resolved
from llmops_lib.calls.rows import PRICE_HINT, known_rows, model_calls, ordered, stacked

__all__ = [
    "PRICE_HINT",
    "Frame",
    "calls_to_resolve",
    "flag",
    "known_rows",
    "model_calls",
    "ordered",
    "percentile_name",
    "portable",
    "quantile",
    "resolved",
    "share",
    "stacked",
    "tally",
]
