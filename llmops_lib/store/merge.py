"""New rows into the days of a store, together with what is stored of the same traces.

Nothing here holds all rows: those of a part of the traces are worked out together, wait in files by the
time at which they start, and are written a slice of a day at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from llmops_lib.sources.duplicates import KEY
from llmops_lib.sources.held import Pieces, shares_of
from llmops_lib.sources.resolved_load import PART_BYTES
from llmops_lib.sources.rows import DEALT, LOG_MESSAGES, PART
from llmops_lib.store.layout import day_file, day_files, message_files, scan_batches, write_frames
from llmops_lib.store.ledger import synthetic_files
from llmops_lib.store.rows import STORED_SCHEMA, merged_rows, own_rows, restored_rows, stored_rows
from llmops_lib.store.slices import Slices, census

_OLD_SCHEMA = pl.Schema([*STORED_SCHEMA.items(), ("_on", pl.Date())])


@dataclass(frozen=True)
class Merged:
    """What a merge did.

    Attributes:
        days: UTC days that were written.
        synthetic: Paths of the files with spans that say that they were generated.
    """

    days: set[date]
    synthetic: set[str]


@dataclass(frozen=True)
class _Worked:
    """Rows of whole traces as they will stand, and stored ones that stay where they are until then.

    Attributes:
        done: `STORED_SCHEMA`, by slice.
        moved: Stored rows that are on another day now, or gone; by slice of the day that they leave.
        days: Days of `done`, and those that held stored rows of the same traces.
        moved_days: Days of `moved`.
        synthetic: As `Merged` has it.
    """

    done: Pieces
    moved: Pieces
    days: set[date]
    moved_days: set[date]
    synthetic: set[str]


def merge_rows(
    store: Path, spans: Pieces, *, touched: pl.Series, hashes: dict[str, str], known: list[str]
) -> Merged:
    """Puts rows into their days; every trace they touch is worked out anew as a whole.

    Args:
        store: Directory of the store, with the log records of these files in it.
        spans: `PIECE_SCHEMA`, what to add.
        touched: Hashes of the traces to work out anew.
        hashes: Hash of each of the files, by its path.
        known: Hashes of the files whose log records count: those of the store and these.
    """
    is_touched = pl.col("trace_id").hash().is_in(touched.implode())
    slices = Slices.of(census(spans, day_files(store)))
    worked = _worked(store, spans, slices, is_touched, hashes, known)
    # A span whose start was mended leaves its day only once it is in the other: a kill must not lose it.
    for on in sorted(worked.days):
        _write_day(store, on, slices, [worked.done, worked.moved], ~is_touched)
    for on in sorted(worked.moved_days):
        _write_day(store, on, slices, [worked.done], ~is_touched)
    return Merged(worked.days, worked.synthetic)


def _worked(  # noqa: PLR0913, PLR0917 - all that decides what a trace becomes
    store: Path,
    spans: Pieces,
    slices: Slices,
    is_touched: pl.Expr,
    hashes: dict[str, str],
    known: list[str],
) -> _Worked:
    old, messages = _stored(store, is_touched), _messages(store, known, is_touched)
    done, moved = (Pieces(STORED_SCHEMA, key=slices.key()) for _ in range(2))
    worked = _Worked(done, moved, set(), set(), set())
    for share in shares_of([spans, old, messages], PART_BYTES):
        added, before = spans.share(share, DEALT), old.share(share, DEALT)
        worked.synthetic.update(synthetic_files(added))
        rows = pl.concat([own_rows(added, hashes), restored_rows(before.drop("_on"))])
        now = stored_rows(merged_rows(rows, known), messages.share(share, DEALT))
        dated = now.with_columns(_on=pl.col("started_at").dt.date())
        left = before.join(dated, on=[*KEY, "_on"], how="anti")
        worked.days.update(dated["_on"].unique(), before["_on"].unique())
        worked.moved_days.update(left["_on"].unique())
        done.add(now)
        moved.add(left.drop("_on"))
    return worked


def _stored(store: Path, is_touched: pl.Expr) -> Pieces:
    found = Pieces(_OLD_SCHEMA, key=PART)
    for on, path in day_files(store).items():
        for rows in scan_batches(path, is_touched):
            found.add(rows.with_columns(_on=pl.lit(on)))
    return found


def _messages(store: Path, known: list[str], is_touched: pl.Expr) -> Pieces:
    found = Pieces(LOG_MESSAGES, key=PART)
    for path in message_files(store, known):
        for rows in scan_batches(path, is_touched):
            found.add(rows)
    return found


def _write_day(store: Path, on: date, slices: Slices, added: list[Pieces], is_other: pl.Expr) -> None:
    path = day_file(store, on)

    def frames() -> Iterator[pl.DataFrame]:
        for number, within in slices.on(on):
            rows = [frame.filter(within) for some in added for frame in some.frames([number])]
            if path.exists():
                rows += scan_batches(path, within, is_other)
            if rows:
                yield pl.concat(rows).sort("started_at", *KEY)

    write_frames(frames(), STORED_SCHEMA, path)


def touched_traces(pieces: list[Pieces]) -> pl.Series:
    """Hashes of the traces of rows, each once.

    A hash takes a quarter of an id, and two traces of one hash do no harm: both are worked out anew.

    Args:
        pieces: Uses `trace_id`.
    """
    found = [
        frame["trace_id"].hash().unique() for some in pieces for frame in some.frames(columns=["trace_id"])
    ]
    return pl.concat([pl.Series(dtype=pl.UInt64), *found]).unique()
