"""Rows that an SDK sends more than once: a span when it begins, then what became of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from llmops_lib.sources.record_rows import refuse_record
from llmops_lib.sources.records import Record
from llmops_lib.sources.rows import RowCollector


def merged_updates(
    records: Iterable[Record],
    collector: RowCollector,
    *,
    key: str,
    version: str,
    is_update: Callable[[Mapping[str, Any]], bool],
) -> list[Record]:
    """The records of one file, each object once, in the order in which the objects first appear.

    An update adds to what is known: later values replace earlier ones where they are not null, objects
    key by key. Any other row of the same object replaces it. Rows that are now part of another go to the
    quarantine as `merged` or `duplicate`, so that every row of the file is accounted for.

    Args:
        records: Records whose values are objects.
        collector: Takes the rows that are part of another.
        key: Field with the id of the object; a row without it stands alone.
        version: Field that grows with every row of an object; without it the order of the file counts.
        is_update: Whether a row adds to the object, and does not replace it.
    """
    known: dict[Any, Record] = {}
    for record in records:
        name = record.value.get(key)
        if not isinstance(name, str) or name not in known:
            known[name if isinstance(name, str) and name else object()] = record
            continue
        earlier, later = known[name], record
        if _version(later, version) < _version(earlier, version):
            earlier, later = later, earlier
        if is_update(later.value):
            set_aside(later, collector, into=earlier)
            known[name] = replace(earlier, value=_merged(earlier.value, later.value))
        else:
            refuse_record(earlier, "duplicate", collector)
            known[name] = later
    return list(known.values())


def set_aside(record: Record, collector: RowCollector, *, into: Record) -> None:
    """Counts a record that is now part of another.

    Args:
        record: The record.
        collector: Takes it as `merged`.
        into: The record that holds its content.
    """
    refuse_record(record, f"merged: into the row at {_place(into)}", collector)


def _version(record: Record, field: str) -> tuple[int, str]:
    # Numbers in text grow in length before they grow in digits; times are all of one length.
    text = str(record.value.get(field) or "")
    return (len(text) if text.isdecimal() else 0, text)


def _place(record: Record) -> str:
    return f"line {record.line}" if record.line else "the same place"


def _merged(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(earlier)
    for name, value in later.items():
        held = both.get(name)
        if isinstance(held, dict) and isinstance(value, dict):
            both[name] = _merged(held, value)
        elif value is not None or name not in both:
            both[name] = value
    return both
