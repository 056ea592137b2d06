"""The buckets of a bill file, however it was saved: pages, lists, bare lists, one per line, tables."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_lib.errors import SourceError
from llmops_lib.sources.bills import anthropic, openai
from llmops_lib.sources.bills.console import console_buckets, is_console_table
from llmops_lib.sources.json_stream import iter_values
from llmops_lib.sources.lines import Refused
from llmops_lib.sources.sample import Sample, first_object


@dataclass(frozen=True)
class BillReader:
    """One kind of report.

    Attributes:
        source_format: Its name.
        provider: Whose it is.
        looked_for: One line that says how it is recognised.
        start: Field of a bucket that holds its start.
        end: Field of a bucket that holds its end.
        results: Fields of a bucket that may hold its results.
        matches: Whether an object is a bucket of it.
        lines: The lines of one result.
    """

    source_format: str
    provider: str
    looked_for: str
    start: str
    end: str
    results: tuple[str, ...]
    matches: Callable[[Mapping[str, Any]], bool]
    lines: Callable[[Mapping[str, Any]], list[dict[str, Any]]]


READERS = tuple(
    BillReader(kind.FORMAT, kind.PROVIDER, kind.LOOKED_FOR, kind.START, kind.END, kind.RESULTS,
               kind.matches, kind.lines)
    for kind in (openai, anthropic)
)  # fmt: skip
"""The reports that are known."""


@dataclass(frozen=True)
class Bucket:
    """One span of time on a bill.

    Attributes:
        reader: The report it belongs to.
        fields: What the file holds.
        page: Number of its page in the file; buckets outside pages share one.
        has_more: Whether its page announces another one; None where it is in no page.
    """

    reader: BillReader
    fields: Mapping[str, Any]
    page: int
    has_more: bool | None


def is_bill(sample: Sample) -> bool:
    """Whether a file begins like a bill.

    Args:
        sample: The beginning of the file.
    """
    page = first_object(sample.first)
    bucket = first_object(page["data"]) if _is_page(page) else page
    return any(reader.matches(bucket) for reader in READERS) or is_console_table(sample.columns)


def buckets_of(path: Path) -> list[Bucket]:
    """The buckets of a file in order; none where it is no bill.

    Args:
        path: A plain, gzip or zstd file.

    Raises:
        SourceError: If the file cannot be read, or only a part of it is a bill.
    """
    downloaded = console_buckets(path)
    if downloaded:
        return [_bucket(bucket, 0, None) for bucket in downloaded]
    found: list[Bucket] = []
    problems: list[str] = []
    for number, entry in enumerate(iter_values(path)):
        try:
            if entry.refused is not None:
                raise entry.refused
            found += _buckets(entry.value, number)
        except Refused as refused:
            problems.append(f"line {entry.line.number}: {refused}")
    if found and problems:
        msg = (
            f"{path}: begins like a bill, but {len(problems)} values are none, the first at {problems[0]}; "
            "expected only pages or buckets of one report. A part of a bill is no bill: save it again"
        )
        raise SourceError(msg)
    return found


def _buckets(value: Any, number: int) -> Iterator[Bucket]:
    if isinstance(value, list):
        for place, entry in enumerate(value):
            # Pages of a list get numbers of their own, apart from those of other lines.
            yield from _buckets(entry, number * 1_000_000 + place if _is_page(entry) else number)
    elif _is_page(value):
        has_more = value.get("has_more")
        for entry in value["data"]:
            yield _bucket(entry, number, has_more if isinstance(has_more, bool) else None)
    else:
        yield _bucket(value, number, None)


def _is_page(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("data"), list)


def _bucket(value: Any, page: int, has_more: bool | None) -> Bucket:
    if isinstance(value, dict):
        for reader in READERS:
            if reader.matches(value):
                return Bucket(reader, value, page, has_more)
    raise Refused(reason="schema", detail="neither a page nor a bucket")
