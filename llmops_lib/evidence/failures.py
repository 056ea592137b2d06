"""Files that may not say which calls failed."""

from functools import reduce
from operator import or_
from typing import Any

import narwhals as nw

from llmops_lib.calls import known_rows, ordered, portable, tally

_OUTCOMES = ("error_type", "error_message", "http_status", "finish_reason")


@portable
def unstated_failures(spans: Any) -> Any:
    """Plain tables in which no call failed, and none has an error, a status or a reason to finish either.

    Every other format says of each call whether it failed. A plain table without a column for it counts
    no failures, which is not the same as having none.

    Args:
        spans: SPANS; uses `is_error`, `error_type`, `error_message`, `http_status`, `finish_reason`,
            `source_format`, `source_file`.

    Returns:
        One row per such file, sorted by it: `source_file`, `span_count`.

    Example:
        >>> import polars as pl
        >>> spans = pl.DataFrame({
        ...     "source_file": ["a.csv", "b.csv", "b.csv"], "source_format": "table", "is_error": False,
        ...     "error_type": None, "error_message": None, "http_status": [None, 200, None],
        ...     "finish_reason": None,
        ... })
        >>> unstated_failures(spans).rows()
        [('a.csv', 1)]
    """
    frame = known_rows(spans, ["source_file", "source_format", "is_error", *_OUTCOMES])
    is_stated = reduce(or_, (~nw.col(name).is_null() for name in _OUTCOMES), nw.col("is_error"))
    tables = frame.filter(nw.col("source_format") == "table")
    counted = tally(tables, ["source_file"], counts={"stated_count": is_stated})
    silent = counted.filter(nw.col("stated_count") == 0)
    return ordered(
        silent.select("source_file", nw.col("call_count").alias("span_count")), ["source_file"]
    ).to_native()
