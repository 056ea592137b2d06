"""Batches that a Langfuse SDK 2 sends: events that create and update objects, merged by id.

One observation is one row, however many events describe it; the others go to the quarantine as `merged`.
Each trace, score or log event is a row of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from llmops_lib.sources.langfuse_fields import fields, mapping
from llmops_lib.sources.records import Record
from llmops_lib.sources.rows import RowCollector
from llmops_lib.sources.updates import set_aside

_OTHERS = {"trace": "trace", "score": "score", "sdk": "log"}


def is_event(value: Any) -> bool:
    """Whether a value is one event of a batch, such as `generation-update` with its body."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("body"), dict)
        and str(value.get("type")).endswith(("-create", "-update", "sdk-log"))
    )


def is_batch(value: Any) -> bool:
    """Whether a value is a batch of events."""
    batch = value.get("batch") if isinstance(value, dict) else None
    return isinstance(batch, list) and any(is_event(event) for event in batch)


def merged_events(events: Iterable[Record], collector: RowCollector) -> Iterator[tuple[str, Record]]:
    """The bodies of the events: each observation once, and every trace, score and log body.

    Later values replace earlier ones where they are not null, and metadata are merged key by key; an
    update that arrives before the creation counts as later all the same.

    Args:
        events: Records of events, in the order of the file.
        collector: Takes the events that are now part of another.

    Returns:
        `observation`, `trace`, `score` or `log`, and the record with the fields of the body in
        snake_case; an observation stands where its first event stood.
    """
    observations: dict[str, Record] = {}
    sent: dict[str, Any] = {}
    for event in sorted(events, key=lambda event: not event.value["type"].endswith("-create")):
        kind = event.value["type"].rpartition("-")[0]
        body = fields(event.value["body"])
        if kind in _OTHERS:
            yield _OTHERS[kind], replace(event, value=body)
            continue
        if kind != "observation":
            body["type"] = kind.upper()
        name = str(body.get("id") or f"without id, at {event.line}")
        if event.value["type"].endswith("-create"):
            sent.setdefault(name, event.value.get("timestamp"))
        known = observations.get(name)
        if known is None:
            observations[name] = replace(event, value=body)
            continue
        observations[name] = replace(known, value=_merged(known.value, body))
        set_aside(event, collector, into=known)
    for name, record in observations.items():
        # Langfuse takes an observation without a start for one that began when its creation was sent.
        begun = {} if "start_time" in record.value else {"start_time": sent.get(name)}
        yield "observation", replace(record, value=record.value | begun)


def _merged(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    both = mapping(earlier.get("metadata")) | mapping(later.get("metadata"))
    return earlier | later | ({"metadata": both} if both else {})
