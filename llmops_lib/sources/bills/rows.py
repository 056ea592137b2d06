"""The buckets of a file as rows of BILLS."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from llmops_lib.errors import SourceError
from llmops_lib.sources.bills.figures import text
from llmops_lib.sources.bills.pages import Bucket
from llmops_lib.sources.json_text import json_text
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import parse_time

Row = dict[str, Any]

_MAPPED = {"object", "model", "batch", "service_tier", "amount", "currency", "line_item", "description",
           "quantity", "quantity_unit", "project_id", "workspace_id", "user_id", "api_key_id"}  # fmt: skip


def bucket_rows(bucket: Bucket, path: Path, number: int) -> list[Row]:
    """The rows of one bucket; an empty one gives a row that says so, because its time is covered.

    Args:
        bucket: The bucket.
        path: Its file.
        number: Its place in the file, counted from 1.

    Raises:
        SourceError: If a value cannot be what it should be, or the bucket does not lie in one UTC day.
    """
    try:
        shared = _bounds(bucket)
        outcomes = _outcomes(bucket)
        lines = [row for outcome in outcomes for row in _lines(bucket, outcome)]
    except Refused as refused:
        msg = (
            f"{path}: bucket {number}: {refused}; expected a report as the API of "
            f"{bucket.reader.provider} returns it. A part of a bill is no bill: fetch it again"
        )
        raise SourceError(msg) from refused
    if not outcomes:
        lines = [{"line": "empty", "quantity": 0.0}]
    shared |= {"provider": bucket.reader.provider, "source_format": bucket.reader.source_format,
               "source_file": str(path), "page": bucket.page, "has_more": bucket.has_more}  # fmt: skip
    return [{**shared, **line} for line in lines]


def _bounds(bucket: Bucket) -> Row:
    started_at, ended_at = (_moment(bucket, name) for name in (bucket.reader.start, bucket.reader.end))
    midnight = datetime.combine(started_at.date(), datetime.min.time(), UTC) + timedelta(days=1)
    if not started_at < ended_at <= midnight:
        detail = f"{started_at:%Y-%m-%dT%H:%MZ} to {ended_at:%Y-%m-%dT%H:%MZ} is not within one UTC day"
        raise Refused(reason="range", detail=detail)
    return {"started_at": started_at, "ended_at": ended_at, "billed_on": started_at.date()}


def _moment(bucket: Bucket, name: str) -> datetime:
    moment = parse_time(bucket.fields[name], timezone="UTC")
    if moment is None:
        raise Refused(reason="missing_field", detail=name)
    return moment


def _outcomes(bucket: Bucket) -> list[Row]:
    found = next(bucket.fields[name] for name in bucket.reader.results if name in bucket.fields)
    if not isinstance(found, list) or not all(isinstance(outcome, dict) for outcome in found):
        raise Refused(reason="schema", detail="results are not a list of objects")
    return found


def _lines(bucket: Bucket, outcome: Row) -> list[Row]:
    lines = bucket.reader.lines(outcome)
    if not lines:
        raise Refused(
            reason="schema", detail=f"a result with none of the known figures: {sorted(outcome)}"[:300]
        )
    if not isinstance(lines[0].get("is_batch"), bool | None):
        raise Refused(reason="type", detail="batch is neither true, false nor null")
    kept = {name: value for name, value in outcome.items() if name not in _MAPPED and value is not None}
    dimensions = {
        "project_id": text(outcome, "project_id") or text(outcome, "workspace_id"),
        "user_id": text(outcome, "user_id"),
        "api_key_id": text(outcome, "api_key_id"),
        "attributes": json_text(kept),
    }
    return [{**dimensions, **line} for line in lines]
