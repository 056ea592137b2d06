"""Records on their way to rows: taken out of the pages that hold them, made into rows or refused."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from llmops_lib.sources.records import Record
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.rows import RowCollector


def page_items(record: Record, lists: tuple[str, ...], own: set[str]) -> Iterator[Record]:
    """The records that a page holds in a list; a record that is no page itself.

    Args:
        record: A page, or a record.
        lists: Names under which pages of the source hold their list; the first that is there counts.
        own: Names that only a record has, whatever lists it holds.
    """
    value = record.value if isinstance(record.value, dict) and own.isdisjoint(record.value) else {}
    listed = next((value[name] for name in lists if isinstance(value.get(name), list)), None)
    yield from (record,) if listed is None else record.items(listed)


def accept_row(record: Record, row_of: Callable[[Any], Mapping[str, Any]], collector: RowCollector) -> None:
    """Gives a record to the collector as the row that it makes, or as refused.

    Args:
        record: A record.
        row_of: Makes SPANS columns of its value, and raises Refused where none can be right.
        collector: Takes the row.
    """
    try:
        row = row_of(record.value)
    except Refused as refused:
        refuse_record(record, str(refused), collector)
    else:
        collector.accept(row, line=record.line, offset=record.offset, raw=record.raw)


def refuse_record(record: Record, reason: str, collector: RowCollector) -> None:
    """Sends a record to the quarantine.

    Args:
        record: A record.
        reason: As `RowCollector.refuse` takes it.
        collector: Takes it.
    """
    collector.refuse(reason, line=record.line, offset=record.offset, raw=record.raw)
