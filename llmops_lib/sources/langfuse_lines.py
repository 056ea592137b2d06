"""The fast way through Langfuse JSON Lines: ordinary observations as columns, the rest one by one.

Which way a line takes is decided for that line alone, and both ways lead to the same row.
"""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from llmops_lib.sources.clean_lines import Batch, iter_batches
from llmops_lib.sources.langfuse_columns import frame_of
from llmops_lib.sources.langfuse_cuts import PlainLines
from llmops_lib.sources.langfuse_groups import Group
from llmops_lib.sources.langfuse_plans import Plan, Shape, plan_of, shape_of
from llmops_lib.sources.line_blocks import iter_blocks
from llmops_lib.sources.lines import Line, parse_json
from llmops_lib.sources.records import Record
from llmops_lib.sources.rows import RowCollector

FEWEST = 16
"""Observations of one shape below which columns cost more than rows."""

_GROUP_ROWS = 8_000
_HELD_BYTES = 32 << 20


class Observed:
    """The traces that have observations, by a hash of 64 bits: an export has millions of them.

    Two of two million traces share one with a chance of one in ten million; session and user of the second
    would then be lost if it had no observation of its own in the file.
    """

    def __init__(self) -> None:
        self._hashes = [pl.Series(dtype=pl.UInt64)]

    def add(self, trace_ids: pl.Series) -> None:
        """Takes the ids of traces."""
        self._hashes.append(trace_ids.hash().unique())

    def among(self, trace_ids: Sequence[str]) -> set[str]:
        """Those of the ids that are of traces with observations."""
        encoded = [trace_id.encode(errors="replace") for trace_id in trace_ids]
        asked = pl.Series(encoded, dtype=pl.Binary).cast(pl.String)
        return set(asked.filter(asked.hash().is_in(pl.concat(self._hashes).unique().implode())))


class OrdinaryLines:
    """Takes the ordinary observations of a file, and hands on every other line.

    Args:
        path: A plain, gzip or zstd file of JSON Lines.
        collector: Takes the rows, and the lines that cannot be read.
        observed: Takes the traces of the observations.
        fewest: Observations of one shape below which they are read one by one.
    """

    def __init__(
        self, path: Path, collector: RowCollector, observed: Observed, *, fewest: int = FEWEST
    ) -> None:
        self._path = path
        self._collector = collector
        self._observed = observed
        self._fewest = fewest
        self._groups: dict[Plan, Group] = {}
        self._held_bytes = 0

    def others(self) -> Iterator[Record]:
        """The lines that are no ordinary observation; behind the last, all rows are with the collector.

        Raises:
            SourceError: If the file cannot be read or decompressed.
        """
        plain = PlainLines(fewest=self._fewest)
        for block in iter_blocks(self._path, self._refuse_too_long):
            taken = np.zeros(len(block), bool)
            for group in plain.groups(block):
                taken[np.array(group.numbers) - block.number] = True
                yield from self._taken(group)
            lines = map(block.line, np.flatnonzero(~taken).tolist())
            for batch in iter_batches(lines, self._collector):
                yield from self._sorted(batch)
                yield from self._full(batch.size)
        for group in list(self._groups.values()):
            yield from self._taken(self._groups.pop(group.plan))
        self._collector.order_by_line()

    def _refuse_too_long(self, line: Line) -> None:
        self._collector.refuse("line_too_long", line=line.number, offset=line.offset)

    def _full(self, size: int) -> Iterator[Record]:
        self._held_bytes += size
        is_full = self._held_bytes >= _HELD_BYTES
        if is_full:
            self._held_bytes = 0
        full = [group for group in self._groups.values() if is_full or len(group.numbers) >= _GROUP_ROWS]
        for group in full:
            yield from self._taken(self._groups.pop(group.plan))

    def _sorted(self, batch: Batch) -> Iterator[Record]:
        alike: dict[Shape, list[int]] = {}
        others: list[int] = []
        # A loop over rows, because it decides which of them can be columns together.
        for row, value in enumerate(batch.values):
            try:
                shape = shape_of(value)
                found = alike.get(shape)
            except (AttributeError, TypeError):
                others.append(row)
                continue
            if found is None:
                alike[shape] = [row]
            else:
                found.append(row)
        for shape, rows in alike.items():
            plan = plan_of(*shape)
            if plan is None:
                others += rows
                continue
            group = self._groups.get(plan)
            if group is None:
                group = self._groups[plan] = Group(plan)
            group.add(*(_picked(of_all, rows) for of_all in batch.columns()))
        for row in sorted(others):
            yield _record(batch.values[row], batch.numbers[row], batch.offsets[row], batch.raws[row])

    def _taken(self, group: Group) -> Iterator[Record]:
        if len(group.numbers) < self._fewest:
            group.odd.update(range(len(group.numbers)))
        else:
            frame, rows = frame_of(group)
            lines = [group.numbers[row] for row in rows]
            self._observed.add(frame["trace_id"])
            self._collector.accept_checked(frame, lines=pl.Series(lines, dtype=pl.Int64))
        for row in sorted(group.odd):
            raw = group.raws[row]
            yield _record(parse_json(raw), group.numbers[row], group.offsets[row], raw)


def _picked(of_all: Sequence[Any], rows: list[int]) -> Sequence[Any]:
    return itemgetter(*rows)(of_all) if len(rows) > 1 else [of_all[row] for row in rows]


def _record(value: object, number: int, offset: int, raw: bytes) -> Record:
    return Record(value, number, raw.rstrip(b"\r\n"), offset)
