"""Eval results of any known format as one table of scores, with an account of every record that was read."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from llmops_lib.errors import SourceError, UnknownFormatError
from llmops_lib.schema import QUARANTINE, SCORES, conform, validate
from llmops_lib.sources.export_files import ExportFile, export_files
from llmops_lib.sources.file_rows import UNKNOWN_FORMAT, hash_file
from llmops_lib.sources.refused_rows import check_on_bad, counted_reasons, raise_first, refused_rows
from llmops_lib.sources.results.detect import ScoreReader, detect_score_reader, named_score_reader
from llmops_lib.sources.results.score_mapping import read_score_mapping
from llmops_lib.sources.results.score_rows import ScoreCollector, ScoreRows
from llmops_lib.sources.results.score_table import FORMAT as TABLE

__all__ = ["Results", "ScoreFileFacts", "load_scores", "read_results"]

_logger = logging.getLogger("llmops_lib")

Paths = str | Path | Iterable[str | Path]
Columns = Mapping[str, Any] | str | Path
OnFile = Callable[[int, int, str], None]
_RECORD = ("source_file", "source_line")


@dataclass(frozen=True)
class ScoreFileFacts:
    """What became of one file: each of its records gave scores or is in the quarantine.

    Attributes:
        source_file: Its path as it was given.
        source_format: The format it was read as, or `unknown`.
        sha256: Hash of its bytes.
        size_bytes: Its size.
        rows_read: Records in it: `scored_count + quarantined_count`, always.
        scored_count: Records that gave scores.
        quarantined_count: Records that are in the quarantine.
        score_count: Scores that are in the table; a record may give several.
    """

    source_file: str
    source_format: str
    sha256: str
    size_bytes: int
    rows_read: int
    scored_count: int
    quarantined_count: int
    score_count: int


@dataclass(frozen=True)
class Results:
    """Eval results that were loaded together.

    Attributes:
        scores: SCORES, in the order of the files.
        quarantine: QUARANTINE.
        files: One entry per file.
    """

    scores: pl.DataFrame
    quarantine: pl.DataFrame
    files: tuple[ScoreFileFacts, ...]


@dataclass(frozen=True)
class _FileScores:
    """A file, its hash and the format that it was read as, and its scores."""

    path: Path
    sha256: str
    source_format: str
    rows: ScoreRows


def load_scores(
    path: Paths,
    *,
    source_format: str | None = None,
    on_bad: Literal["quarantine", "raise"] = "quarantine",
    columns: Columns | None = None,
) -> pl.DataFrame:
    """The scores of eval results, one row per run, example, trial and scorer.

    Cost, tokens and latency are of the call under test, so they repeat on each of its scores: sum them
    over one scorer only. A record that cannot become a score is set aside and counted in one warning of
    the logger `llmops_lib`; `read_results` shows it with its reason.

    Args:
        path: A file, a directory (taken with all that is below), a pattern such as `evals/**`, or several.
        source_format: Name of a format, such as `promptfoo` or `table`; found by content when None.
        on_bad: `raise` stops at records that `quarantine` sets aside.
        columns: Column mapping of plain tables, a dict or the path of a YAML file, such as
            `{"example_id": "id", "score": "grade"}`.

    Returns:
        SCORES.

    Raises:
        SourceNotFoundError: If a path does not exist or a pattern matches nothing.
        UnknownFormatError: If a named file is in no known format. In a directory such a file is quarantined.
        SourceError: If a file or the mapping cannot be used.
        BadLineError: If a record is bad and `on_bad` is `raise`; the message names file, line and reason.
    """
    check_on_bad(on_bad)
    results = read_results(path, source_format=source_format, columns=columns)
    refused = refused_rows(results.quarantine)
    if not refused.is_empty():
        if on_bad == "raise":
            raise_first(refused, "records cannot become scores")
        _warn(results, refused)
    return results.scores


def read_results(
    paths: Paths,
    *,
    source_format: str | None = None,
    columns: Columns | None = None,
    on_file: OnFile | None = None,
) -> Results:
    """The scores, the quarantined records and the files of eval results.

    A score that several files hold, such as two exports of one run, counts once: that of the first file.

    Args:
        paths: As `load_scores` takes them.
        source_format: As `load_scores` takes it.
        columns: As `load_scores` takes them.
        on_file: Called before each file with the number of files done, the number of all, and its path.

    Returns:
        The results; records read are scored and quarantined ones together, for each file.

    Raises:
        SourceError: As `load_scores` does.
    """
    if columns is not None:
        read_score_mapping(columns)
    named = None if source_format is None else named_score_reader(source_format)
    found = export_files(paths)
    read: list[_FileScores] = []
    for done, file in enumerate(found):
        if on_file is not None:
            on_file(done, len(found), str(file.path))
        read.append(_FileScores(file.path, hash_file(file.path), *_read_file(file, named, columns)))
    formats = sorted({file.source_format for file in read})
    if columns is not None and TABLE not in formats:
        msg = (
            f"a column mapping was given, but the files were recognised as {formats}, which need none; "
            "leave it out, or pass source_format='table' to read them as plain tables"
        )
        raise SourceError(msg)
    return _joined(read)


def _read_file(file: ExportFile, named: ScoreReader | None, columns: Columns | None) -> tuple[str, ScoreRows]:
    path = file.path
    try:
        reader = named or _detected(path, columns)
        if reader.source_format != TABLE:
            return reader.source_format, reader.read(path)
    except SourceError as error:
        if file.is_named:
            raise
        collector = ScoreCollector(UNKNOWN_FORMAT, str(path))
        what = str(error).removeprefix(f"{path}: ").split("\n")[0].removesuffix(" Looked for:")
        collector.refuse(f"schema: {what}", line=None)
        return UNKNOWN_FORMAT, collector.finish()
    return TABLE, reader.read(path, columns=columns)


def _detected(path: Path, columns: Columns | None) -> ScoreReader:
    try:
        return detect_score_reader(path)
    except UnknownFormatError:
        if columns is None:
            raise
        return named_score_reader(TABLE)


def _joined(read: list[_FileScores]) -> Results:
    everything = pl.concat([file.rows.scores for file in read])
    scores = validate(
        conform(everything.unique(SCORES.key, keep="first", maintain_order=True), SCORES), SCORES
    )
    repeated = everything.select(_RECORD).unique(maintain_order=True)
    repeated = repeated.join(scores.select(_RECORD).unique(), on=_RECORD, how="anti", nulls_equal=True)
    repeated = repeated.with_columns(reason=pl.lit("duplicate: another file holds these scores"))
    quarantine = pl.concat([*(file.rows.quarantine for file in read), conform(repeated, QUARANTINE)])
    quarantine = quarantine.sort("source_file", "source_line", "reason", maintain_order=True)
    refused, kept = (dict(rows.group_by("source_file").len().rows()) for rows in (quarantine, scores))
    files = tuple(
        ScoreFileFacts(
            str(file.path),
            file.source_format,
            file.sha256,
            file.path.stat().st_size,
            file.rows.rows_read,
            file.rows.rows_read - refused.get(str(file.path), 0),
            refused.get(str(file.path), 0),
            kept.get(str(file.path), 0),
        )
        for file in read
    )
    return Results(scores, quarantine, files)


def _warn(results: Results, refused: pl.DataFrame) -> None:
    _logger.warning(
        "%d of %d records in %d files were refused (%s); read_results() shows them",
        refused.height,
        sum(file.rows_read for file in results.files),
        len(results.files),
        counted_reasons(refused),
    )
