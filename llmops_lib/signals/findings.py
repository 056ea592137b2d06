"""What a safety filter found, with the time at which it was said."""

from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import known_rows
from llmops_lib.errors import MissingColumnError
from llmops_lib.frames import collected, narwhal
from llmops_lib.schema import UTC_DATETIME

_SPAN = ("trace_id", "span_id")


def dated_findings(findings: Any, spans: Any) -> Any:
    """Findings with `started_at` and `finding`, one per call and kind.

    Args:
        findings: Rows with `finding`, or `kind` as `check_calls` names it, and with `started_at`, or the
            `trace_id` and `span_id` of the call; None stays None.
        spans: SPANS, on any engine; uses `trace_id`, `span_id` and `started_at` where findings have no time.

    Raises:
        MissingColumnError: If a finding has neither a kind, or neither a time nor a call.
    """
    if findings is None:
        return None
    names = narwhal(findings).collect_schema().names()
    called = "finding" if "finding" in names else "kind"
    if called not in names or not ("started_at" in names or set(_SPAN) <= set(names)):
        needed = "`finding` or `kind`, and `started_at` or both `trace_id` and `span_id`"
        msg = f"findings have {names}; expected {needed}"
        raise MissingColumnError(msg)
    rows = collected(narwhal(findings).to_native()).rename({called: "finding"})
    if "started_at" in names:
        return rows
    found = rows.select(*_SPAN, "finding").unique(maintain_order=True)
    frame = known_rows(spans, [*_SPAN, "started_at"])
    wanted = frame.filter(nw.col("trace_id").is_in(found["trace_id"].unique().to_list()))
    times = collected(wanted.to_native()).with_columns(pl.col("started_at").cast(UTC_DATETIME))
    return found.join(times, on=_SPAN, how="inner", maintain_order="left")
