"""What measures of model calls are made of: the rows that count, their groups and their percentiles.

Measures never import each other; what they share lives here. It is also where they stop caring
which dataframe engine they run on.
"""

from llmops_lib.calls.engines import Frame, portable
from llmops_lib.calls.groups import flag, share, tally, with_group, with_place
from llmops_lib.calls.hourly import HOURS_PER_WEEK, GroupHours, HourGrid, hour_grid
from llmops_lib.calls.intervals import with_share
from llmops_lib.calls.percentiles import calls_to_resolve, percentile_name, quantile, resolved
from llmops_lib.calls.retries import RETRY_EVIDENCE, flagged_retries
from llmops_lib.calls.rows import CALL_COLUMNS, PRICE_HINT, known_rows, model_calls, ordered, stacked
from llmops_lib.calls.spend_path import EFFECTS, FACTORS, LINES, SIDES, path_effects

__all__ = [
    "CALL_COLUMNS",
    "EFFECTS",
    "FACTORS",
    "HOURS_PER_WEEK",
    "LINES",
    "PRICE_HINT",
    "RETRY_EVIDENCE",
    "SIDES",
    "Frame",
    "GroupHours",
    "HourGrid",
    "calls_to_resolve",
    "flag",
    "flagged_retries",
    "hour_grid",
    "known_rows",
    "model_calls",
    "ordered",
    "path_effects",
    "percentile_name",
    "portable",
    "quantile",
    "resolved",
    "share",
    "stacked",
    "tally",
    "with_group",
    "with_place",
    "with_share",
]
