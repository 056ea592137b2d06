"""Scores on their way into the table: each record checked alone, kept whole or refused with a reason."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib.schema import QUARANTINE, SCORES, conform
from llmops_lib.sources.compressed import open_decompressed
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.results.score_checks import checked_score
from llmops_lib.sources.rows import RowCollector

__all__ = ["Refused", "ScoreCollector", "ScoreRows", "content_run_id"]

Raw = bytes | str | Callable[[], bytes]

_PIECE = 1 << 20


@dataclass(frozen=True)
class ScoreRows:
    """What one file held.

    Attributes:
        scores: SCORES.
        quarantine: QUARANTINE.
        rows_read: Records of the file: those that gave scores, and the quarantined ones. A record may
            give several scores, so `rows_read` is not the sum of the two tables.
    """

    scores: pl.DataFrame
    quarantine: pl.DataFrame
    rows_read: int


class ScoreCollector:
    """Collects the scores of one file; bad data is refused into the quarantine and never raises.

    Args:
        source_format: Format of the file.
        source_file: Path of the file as it should appear in the tables.

    Attributes:
        refusals: Takes refused records; what `iter_records` wants as its collector.
    """

    def __init__(self, source_format: str, source_file: str) -> None:
        self._provenance = {"source_format": source_format, "source_file": source_file}
        self._rows: list[dict[str, Any]] = []
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._keys: set[tuple[str, str, int, str]] = set()
        self._record_count = 0
        self.refusals = RowCollector(source_format, source_file)

    def accept(
        self,
        row: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        line: int | None,
        raw: Raw = b"",
    ) -> None:
        """Takes the scores of one record, or refuses the whole record if a value cannot be right.

        A scorer that the record names twice gets a number: `contains`, `contains (2)`. Rows without a
        trial are numbered: an example that comes again in the run is its next trial. Where the source
        states the trial, a record that repeats one is refused as a duplicate.

        Args:
            row: SCORES columns to Python values, or all such rows of the record; none at all is
                refused. `input`, `output`, `expected` and `metadata` may be lists, dicts or text. A score of
                NaN becomes null.
            line: Line in the file, or position of the record, counted from 1.
            raw: Text of the record, for the quarantine.

        Raises:
            SchemaError: If a key is no column: a mistake of the reader, not of the data.
        """
        rows = [row] if isinstance(row, Mapping) else row
        if not rows:
            self.refuse("missing_field: no score", line=line, raw=raw)
            return
        try:
            checked = _numbered([checked_score(one) for one in rows])
            self._set_trials(checked)
        except Refused as refused:
            self.refuse(str(refused), line=line, raw=raw)
            return
        self._rows += [{**one, **self._provenance, "source_line": line} for one in checked]
        self._record_count += 1

    def refuse(self, reason: str, *, line: int | None, raw: Raw = b"") -> None:
        """Sends a record to the quarantine.

        Args:
            reason: A key of `schema.REASONS`, with a detail after a colon if there is one.
            line: Line in the file, or position of the record, counted from 1.
            raw: Text of the record.
        """
        self.refusals.refuse(reason, line=line, raw=raw)

    def finish(self) -> ScoreRows:
        """Everything collected."""
        scores = pl.DataFrame(self._rows, schema=SCORES.polars_schema)
        quarantine = conform(self.refusals.finish().quarantine, QUARANTINE)
        return ScoreRows(scores, quarantine, self._record_count + quarantine.height)

    def _set_trials(self, rows: list[dict[str, Any]]) -> None:
        names = [(row["run_id"], row["example_id"], row["scorer"]) for row in rows]
        following = 1 + max(self._seen[name] for name in names)
        for row in rows:
            row["trial"] = row["trial"] or following
        keys = {(row["run_id"], row["example_id"], row["trial"], row["scorer"]) for row in rows}
        if repeated := keys & self._keys:
            raise Refused(reason="duplicate", detail=f"trial {min(key[2] for key in repeated)}")
        self._keys |= keys
        for row, name in zip(rows, names, strict=True):
            self._seen[name] = max(self._seen[name], row["trial"])


def content_run_id(path: Path) -> str:
    """An id for the run of a file that states none: the same for every copy of it, packed or not.

    Args:
        path: A plain, gzip or zstd file.
    """
    digest = hashlib.sha256()
    with open_decompressed(path) as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return f"sha256:{digest.hexdigest()[:16]}"


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    taken = {_place(row, row["scorer"]) for row in rows}
    used: set[tuple[Any, ...]] = set()
    for row in rows:
        scorer, count = row["scorer"], 1
        while _place(row, row["scorer"]) in used:
            count += 1
            numbered = f"{scorer} ({count})"
            if _place(row, numbered) not in taken:
                row["scorer"] = numbered
        used.add(_place(row, row["scorer"]))
    return rows


def _place(row: Mapping[str, Any], scorer: str) -> tuple[Any, ...]:
    return (row["run_id"], row["example_id"], row["trial"], scorer)
